"""The peer of the posture measures: plain rules for one trunk sensor (R1), on the same rows.

Walking: 2 s SD of |acc| above 0.06 g. Lying: tilt above 55 deg. Else the tilt from the mean vertical while walking (from
the first second where nobody walks): sitting above 15 deg, standing below 5, between them what it was. Changes: peaks of the
squared rate over 0.8 s, their direction by the vertical displacement of the 2 s around them and the step in tilt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from vqf import VQF

from monitor.core.inputs import FloatArray
from monitor.core.quaternion import up_in_source

G_M_S2 = 9.80665
WALK_G, LIE_DEG, SIT_DEG, STAND_DEG = 0.06, 55.0, 15.0, 5.0
PEAK_DEG_S, APART_S, AROUND_S = 15.0, 2.0, 1.0
DISPLACEMENT_M, STEP_DEG, CLIP, LEAST, EXCURSION_DEG = 0.2, 10.0, 1.5, 0.3, 20.0


@dataclass(frozen=True)
class R1:
    """`said` (n,) states of the rows; `changes` (time, `sit` or `rise`)."""

    said: np.ndarray[tuple[int], np.dtype[np.str_]]
    changes: list[tuple[float, str]]


def smoothed(x: FloatArray, n: int) -> FloatArray:
    """Centred mean over about n rows."""
    total = np.cumsum(np.concatenate((np.repeat(x[:1], n // 2 + 1), x, np.repeat(x[-1:], n // 2 + 1))))
    width = 2 * (n // 2) + 1
    mean: FloatArray = (total[width:] - total[:-width])[: len(x)] / width
    return mean


def tilt_and_up(acc: FloatArray, gyr: FloatArray | None, rate_hz: float) -> FloatArray:
    """The vertical (n,3) in sensor axes: VQF, or the acceleration's mean over 2 s without a gyroscope."""
    if gyr is None:
        up = np.stack([smoothed(acc[:, i], int(2 * rate_hz)) for i in range(3)], axis=1)
    else:
        quat = VQF(1.0 / rate_hz).updateBatch(
            np.ascontiguousarray(gyr, dtype=float), np.ascontiguousarray(acc, dtype=float)
        )["quat6D"]
        up = up_in_source(quat)
    unit: FloatArray = up / np.sqrt((up * up).sum(axis=1, keepdims=True))
    return unit


def rule(t_s: FloatArray, acc: FloatArray, gyr: FloatArray | None) -> R1:
    """The rules over one recording, its walking looked up in the whole of it."""
    rate_hz = 1.0 / float(np.median(np.diff(t_s)))
    up = tilt_and_up(acc, gyr, rate_hz)
    size = np.sqrt((acc * acc).sum(axis=1))
    two = int(2 * rate_hz)
    spread = np.sqrt(np.maximum(0.0, smoothed(size * size, two) - smoothed(size, two) ** 2))
    walks = spread > WALK_G * G_M_S2
    reference = up[walks].mean(axis=0) if walks.sum() > 8 * rate_hz else up[: int(rate_hz)].mean(axis=0)
    reference /= np.sqrt(np.sum(reference**2))
    tilt = np.degrees(np.arccos(np.clip(up @ reference, -1.0, 1.0)))
    changes = [] if gyr is None else _changes(t_s, acc, gyr, up, tilt, rate_hz)
    event = np.zeros(len(t_s), dtype=int)
    for at_s, kind in changes:
        event[min(len(t_s) - 1, int(np.searchsorted(t_s, at_s)))] = -1 if kind == "sit" else 1
    said = np.empty(len(t_s), dtype="<U8")
    state, slow = "unknown", smoothed(tilt, two)
    for i, (walking, deg, change) in enumerate(
        zip(walks.tolist(), slow.tolist(), event.tolist(), strict=True)
    ):
        if walking:
            said[i], state = "walking", "standing"
            continue
        if deg > LIE_DEG:
            said[i], state = "lying", "sitting"
            continue
        if change:
            state = "sitting" if change < 0 else "standing"
        elif deg > SIT_DEG:
            state = "sitting"
        elif deg < STAND_DEG:
            state = "standing"
        said[i] = state
    return R1(said, changes)


def _changes(
    t_s: FloatArray, acc: FloatArray, gyr: FloatArray, up: FloatArray, tilt: FloatArray, rate_hz: float
) -> list[tuple[float, str]]:
    energy = smoothed(np.degrees(1.0) ** 2 * (gyr * gyr).sum(axis=1), int(0.8 * rate_hz))
    rise = (acc * up).sum(axis=1) - G_M_S2
    around, apart = int(AROUND_S * rate_hz), int(APART_S * rate_hz)
    found = []
    for i in range(2 * around, len(t_s) - 2 * around):
        if energy[i] < PEAK_DEG_S**2 or energy[i] < energy[max(0, i - apart // 2) : i + apart // 2].max():
            continue
        part = slice(i - around, i + around)
        force = rise[part] - rise[part].mean()
        moved_m = float(np.sum(np.cumsum(force)) / rate_hz**2)
        before, after = float(tilt[i - 2 * around]), float(tilt[i + 2 * around - 1])
        vote = np.clip(moved_m / DISPLACEMENT_M, -CLIP, CLIP) - np.clip(
            (after - before) / STEP_DEG, -CLIP, CLIP
        )
        lean = np.degrees(np.arccos(np.clip(np.min(up[part] @ up[i - 2 * around]), -1.0, 1.0)))
        if abs(vote) >= LEAST and max(before, after) < 70.0 and lean >= EXCURSION_DEG:
            found.append((float(t_s[i]), "rise" if vote > 0 else "sit"))
    return found
