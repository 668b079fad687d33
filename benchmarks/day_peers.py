"""What simpler methods make of the same rows: a tilt threshold, and transitions alone. Both are told walking and lying."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter, uniform_filter1d
from simulated_day import SECONDS, Told

from firmware_sim.truth import STATE_NAMES
from monitor.core.inputs import FloatArray

SITTING, STANDING = STATE_NAMES.index("sitting"), STATE_NAMES.index("standing")
WALKING, LYING = STATE_NAMES.index("walking"), STATE_NAMES.index("lying")
TILT_DEG = 11.6
"""From the vertical of walking (Vaha-Ypya 2017), which this peer may take from the whole day."""
FILTER_S = 61
"""Its median filter."""
FRAME_S = 0.1
RATE_DEG_S, APART_S = 15.0, 2.0
"""A movement: root of the squared rate over 0.9 s, and how far from the next."""
DROP_M = 0.1
"""Least net vertical displacement over 2 s that is a change of posture."""


def tilt_threshold(told: Told) -> SECONDS:
    """Sitting where the trunk is tilted by more than a threshold from walking upright; codes each second."""
    up = _each_second(told, told.up)
    walking = told.state == WALKING
    upright = np.nanmean(up[walking], axis=0) if walking.any() else np.array((0.0, 0.0, 1.0))
    upright /= np.linalg.norm(upright)
    tilt_deg = np.degrees(np.arccos(np.clip(up @ upright / np.linalg.norm(up, axis=1), -1.0, 1.0)))
    sits = median_filter((tilt_deg > TILT_DEG).astype(np.int8), FILTER_S)
    return _rests(told, sits.astype(np.bool_))


def transitions_only(told: Told) -> SECONDS:
    """Sitting from each net drop in a movement of the trunk to the next net rise or walk; codes each second."""
    rows = max(1, round(FRAME_S * (len(told.t_s) - 1) / (told.t_s[-1] - told.t_s[0])))
    count = len(told.t_s) // rows
    turning, rise = (x[: count * rows].reshape(count, rows).mean(axis=1) for x in (told.turning, told.rise))
    at_s = told.t_s[: count * rows : rows]
    smooth = uniform_filter1d(turning, 9)
    reach = round(APART_S / 2 / FRAME_S)
    sits = np.zeros(len(told.state), np.bool_)
    changes: list[tuple[float, bool]] = [(float(s), False) for s in np.flatnonzero(told.state == WALKING)]
    for peak in np.flatnonzero(smooth > RATE_DEG_S**2):
        low, high = peak - reach, peak + reach + 1
        if low < 0 or high > count or smooth[peak] < smooth[low:high].max():
            continue
        window = rise[low:high] - rise[low:high].mean()
        moved_m = float(np.sum(np.cumsum(window)) * FRAME_S**2)
        if abs(moved_m) > DROP_M:
            changes.append((float(at_s[peak]), moved_m < 0.0))
    for start_s, sitting in sorted(changes):
        sits[int(start_s) :] = sitting
    return _rests(told, sits)


def _each_second(told: Told, rows: FloatArray) -> FloatArray:
    """Means (seconds, 3) of the rows of each second; a second without rows has what came before it."""
    second = np.clip(told.t_s.astype(np.int64), 0, len(told.state) - 1)
    counts = np.bincount(second, minlength=len(told.state))
    sums = np.stack([np.bincount(second, rows[:, i], len(told.state)) for i in range(3)], axis=1)
    filled = np.maximum.accumulate(np.where(counts > 0, np.arange(len(counts)), 0))
    means: FloatArray = (sums / np.maximum(counts, 1)[:, None])[filled]
    return means


def _rests(told: Told, sits: npt.NDArray[np.bool_]) -> SECONDS:
    """Walking and lying as supple tells them, sitting or standing elsewhere."""
    kept = (told.state == WALKING) | (told.state == LYING)
    return np.where(kept, told.state, np.where(sits, SITTING, STANDING)).astype(np.int8)
