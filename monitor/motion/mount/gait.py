"""Walking seen by a trunk sensor, and which way is forward while walking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.core.inputs import BoolArray, FloatArray
from monitor.motion.mount.witness import Witness, axis_of, folded, pooled, wrapped

WINDOW_S = 3.0
"""Some five steps. The next window starts HOP_S later."""
HOP_S = 1.0
ACTIVE_M_S2 = 0.06 * 9.80665
"""Standard deviation of |acc| above which the wearer walks (posture reference, R1)."""
STEP_HZ = (1.3, 2.6)
STEP_SHARE = 0.3
"""Least share of the vertical acceleration's power (0.5 to 10 Hz) at the step frequency, for steps rather than jolts."""
WALK_SWAY_DEG = 15.0
"""Furthest the vertical in sensor axes goes from its mean while walking; a bend is more."""
FORWARD_LEAD_DEG = 98.0
"""At the step frequency forward acceleration leads vertical by 98 deg: 57 to 131 deg in 3 s of waist recordings (15 people),
83 to 139 deg at L5 (10 people)."""
LEAD_WITHIN_DEG, LEAD_OF_WINDOW_DEG = 45.0, 60.0
"""A lead further off tells no sign, in all steps together and in one window. Walking downstairs leads by anything, and a
sign read from it was wrong in 17 of 20 walks of 5 s that answered; on the level people lie at 55 to 141 deg."""
LEAST_FORWARD = 0.3
"""Least forward acceleration at the step frequency as a share of the vertical: 0.7 on the level, 0.2 downstairs (medians)."""
LEVEL_SHARE = 0.8
"""Least share of the windows that must look like walking on the level: some on the stairs do by chance."""
MANY_WINDOWS, LEVEL_SHARE_OF_MANY = 10, 1.0 / 3.0
"""This many that do are no chance: then the others may be stairs."""
STEP_SD_DEG = {"lower_back": 5.0, "waist": 6.0}
"""How far the axis of horizontal acceleration at the step frequency strays from where a person walks. At L5 it and the
sideways axis differ by 6.4 to 7 deg between people (recordings, 10 people), so 5 each, whatever the sensor's seat; at the waist
5.6 by three references of 18 people, 6.2 and 6.9 against sitting down and rising. It does not average out over steps, and nothing
seen in a walk tells who has it: rank correlations of its scatter, its part out of phase, its lead, limp and strength with
the error lie within 0.25 of none (103 sessions)."""
STRIDE_SD_DEG = {"lower_back": 5.0}
"""The same of the sideways axis at the stride frequency. Not at the waist: a sensor beside the axis about which the pelvis
turns feels that turning as sideways acceleration (20 deg off in waist recordings)."""
TRAVEL_SD_DEG = 2.5
"""How far a pelvis is carried turned against the way one walks, and a sensor against the pelvis: what the two axes have in
common from trial to trial (2.2 deg at L5) and between people (1.0)."""
SWAYS, STEPS = (1, 3), 2
"""Harmonics of the stride: odd ones are sway, even ones steps."""
HARMONICS = 6
MOST_OF_RATE = 0.4
"""Harmonics are fitted up to this share of the sampling rate."""
_PADDING = 4

_Phasors = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class Walking:
    """`rows` (n,) True while walking; `step_hz` of each walking window, `starts` their first rows, `length` in rows."""

    rows: BoolArray
    step_hz: FloatArray
    starts: tuple[int, ...]
    length: int


def find_walking(acc: FloatArray, up: FloatArray, rate_hz: float) -> Walking:
    """Overlapping windows of 3 s with steps. `acc` (n,3) m/s2 and `up` (n,3) in sensor axes."""
    length, hop = round(WINDOW_S * rate_hz), max(1, round(HOP_S * rate_hz))
    size = np.sqrt(np.einsum("ij,ij->i", acc, acc))
    vertical = np.einsum("ij,ij->i", acc, up)
    rows = np.zeros(len(acc), dtype=bool)
    starts, steps = [], []
    for start in range(0, len(acc) - length + 1, hop):
        part = slice(start, start + length)
        if not _active(size[part]) or _sway_deg(up[part]) > WALK_SWAY_DEG:
            continue
        step = _step_hz(vertical[part], rate_hz)
        if step is not None:
            rows[part] = True
            starts.append(start)
            steps.append(step)
    return Walking(rows, np.array(steps), tuple(starts), length)


def gait_witness(
    vertical: FloatArray, level: FloatArray, walking: Walking, rate_hz: float, placement: str
) -> Witness | None:
    """What walking tells of forward: the axis of the steps and, at the lower back, the one square to the sway.

    `vertical` (n,), `level` (n,2): acceleration without gravity along the vertical and two level axes fixed to the
    sensor. None where the steps are not those of walking forward on the level.
    """
    columns = np.column_stack((vertical, level))
    every = [
        _phasors(columns[start : start + walking.length], step_hz, rate_hz)
        for start, step_hz in zip(walking.starts, walking.step_hz, strict=True)
    ]
    fits = [fit for fit in every if _forward(_step(fit), _bounce(fit), LEAD_OF_WINDOW_DEG) is not None]
    least = LEVEL_SHARE_OF_MANY if len(fits) >= MANY_WINDOWS else LEVEL_SHARE
    if len(fits) < least * len(every):
        return None
    apart = max(1.0, float(walking.rows.sum()) / walking.length * len(fits) / len(every))
    steps = [_step(fit) for fit in fits]
    total: _Phasors = np.sum(steps, axis=0)
    signed = _forward(total, sum(_bounce(fit) for fit in fits), LEAD_WITHIN_DEG)
    if signed is None:
        return None
    sd = _sd(signed, [_covariance(step) for step in steps], apart, STEP_SD_DEG[placement])
    # Who has more than that across the line of the steps out of phase likely has as much in phase, which turns the line.
    axes, sds = [0.0], [max(sd, axis_of(_covariance(total))[1])]
    if placement in STRIDE_SD_DEG:
        sways = [_swaying(fit) for fit in fits]
        across = axis_of(np.sum(sways, axis=0))[0]
        axes.append(folded(across + math.pi / 2 - signed))
        sds.append(_sd(across, sways, apart, STRIDE_SD_DEG[placement]))
    off, sd = pooled(np.array(axes), np.array(sds), known=True)
    return Witness("gait", wrapped(signed + off), math.hypot(sd, math.radians(TRAVEL_SD_DEG)), True)


def _step(fit: _Phasors) -> _Phasors:
    """The level phasor at the step frequency, turned by the vertical's phase: so windows add up whatever moment of a step
    they begin with."""
    step: _Phasors = fit[STEPS, 1:] * np.exp(-1j * np.angle(fit[STEPS, 0]))
    return step


def _bounce(fit: _Phasors) -> float:
    return float(np.abs(fit[STEPS, 0]))


def _forward(step: _Phasors, bounce: float, within_deg: float) -> float | None:
    """Forward (rad) by a phasor against the vertical of amplitude `bounce`; None where it is not walking on the level."""
    angle = axis_of(_covariance(step))[0]
    along = complex(step[0]) * math.cos(angle) + complex(step[1]) * math.sin(angle)
    if abs(along) < LEAST_FORWARD * bounce:
        return None
    off = wrapped(math.atan2(along.imag, along.real) - math.radians(FORWARD_LEAD_DEG))
    if abs(folded(off)) > math.radians(within_deg):
        return None
    return angle if abs(off) <= math.pi / 2 else angle + math.pi


def _sd(angle: float, each: Sequence[FloatArray], apart: float, between_deg: float) -> float:
    """One standard deviation (rad) of an axis: between people, and the scatter of the axes of `each` window's covariance,
    weighted by its power, over the root of those that stand `apart`.
    """
    power = [float(np.trace(one)) for one in each]
    off = [folded(axis_of(one)[0] - angle) for one in each]
    scatter = sum(p * d * d for p, d in zip(power, off, strict=True)) / sum(power)
    return math.sqrt(math.radians(between_deg) ** 2 + scatter / apart)


def _covariance(phasor: _Phasors) -> FloatArray:
    covariance: FloatArray = np.outer(phasor, phasor.conj()).real
    return covariance


def _swaying(fit: _Phasors) -> FloatArray:
    """The covariance of the level phasors at the odd harmonics."""
    sway = np.zeros((2, 2))
    for k in SWAYS:
        if k < len(fit):
            sway += _covariance(fit[k, 1:])
    return sway


def _phasors(columns: FloatArray, step_hz: float, rate_hz: float) -> _Phasors:
    """Complex amplitude (harmonics from the 0th on, columns) of the stride's harmonics, fitted together.

    Together, because 3 s are too short for a window function to keep neighbours apart.
    """
    n = len(columns)
    most = max(STEPS, min(HARMONICS, int(MOST_OF_RATE * rate_hz / (0.5 * step_hz))))
    k = np.arange(most + 1)
    turn = np.outer((np.arange(n) - 0.5 * n) * (np.pi * step_hz / rate_hz), k)
    basis = np.concatenate((np.cos(turn), np.sin(turn[:, 1:])), axis=1)
    weight = np.hanning(n)[:, None]
    fit = np.linalg.lstsq(weight * basis, weight * columns, rcond=None)[0]
    phasors: _Phasors = fit[: most + 1].astype(np.complex128)
    phasors[1:] -= 1j * fit[most + 1 :]
    return phasors


def _active(size: FloatArray) -> bool:
    """Each second of the window, so that none is half standing."""
    return all(float(np.std(second)) >= ACTIVE_M_S2 for second in np.array_split(size, round(WINDOW_S)))


def _sway_deg(up: FloatArray) -> float:
    away = up - np.mean(up, axis=0)
    return math.degrees(math.sqrt(float(np.max(np.einsum("ij,ij->i", away, away)))))


def _step_hz(vertical: FloatArray, rate_hz: float) -> float | None:
    n = len(vertical)
    power = np.abs(np.fft.rfft((vertical - np.mean(vertical)) * np.hanning(n), _PADDING * n)) ** 2
    hz = np.fft.rfftfreq(_PADDING * n, 1 / rate_hz)
    steps = (hz >= STEP_HZ[0]) & (hz <= STEP_HZ[1])
    best = float(hz[steps][int(np.argmax(power[steps]))])
    near = np.abs(hz - best) <= 2 / WINDOW_S
    share = float(np.sum(power[near]) / np.sum(power[(hz >= 0.5) & (hz <= 10.0)]))
    return best if share >= STEP_SHARE else None
