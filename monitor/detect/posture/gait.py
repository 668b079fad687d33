"""Walking, step by step. Pure functions on fine frames of 0.1 s, judged every 0.5 s (a step)."""

from __future__ import annotations

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray
from monitor.detect.frames import column_sums
from monitor.detect.posture.transitions import FINE_FRAME_S, IndexArray

STEP_FRAMES = 5  # the posture is judged every 0.5 s [I]
STEP_S = STEP_FRAMES * FINE_FRAME_S
ACTIVITY_RADIUS_FRAMES = 10  # activity, tilt and evidence over 2 s (R1): two steps on either side [I]
GAIT_RADIUS_FRAMES = 20  # periodicity over 4 s [I]
WALK_SD_M_S2 = 0.589  # SD of |acc| over 2 s beyond which someone walks: 0.06 g (R1)
WALK_PERIODICITY = 0.45  # autocorrelation of |acc| at the best step time [I, seen on waist recordings]
STEP_TIMES_FRAMES = (4, 14)  # step and stride times looked for: 0.4 to 1.3 s [I]
LYING_DEG = 64.9  # inclination beyond which someone lies (Vaha-Ypya 2017, from the walking vertical)
SMOOTH_STEPS = 7  # walking is a majority over 3.5 s, so that one judgement changes nothing [I]

REACH_FRAMES = GAIT_RADIUS_FRAMES + SMOOTH_STEPS // 2 * STEP_FRAMES  # what a step needs on either side


def window(x: FloatArray, centres: IndexArray, radius: int) -> FloatArray:
    """Windows (..., n, 2 radius + 1) around `centres`, contiguous so that sums over the last axis keep the cut law."""
    return np.ascontiguousarray(x[..., centres[:, None] + np.arange(-radius, radius + 1)])


def sums_around(x: FloatArray, first: int, count: int) -> FloatArray:
    """Sums (c, count) of x (c, m) over 2 s around each of `count` frames from `first` on, a step apart.

    A step is a quarter of the window less one frame: the sums of steps are shared, added alike for any cut.
    """
    start = first - ACTIVITY_RADIUS_FRAMES
    steps = x[:, start : start + (count + 3) * STEP_FRAMES].reshape(len(x), count + 3, STEP_FRAMES)
    sums = column_sums(steps)
    around: FloatArray = sums[:, :count] + sums[:, 1 : count + 1]
    around += sums[:, 2 : count + 2]
    around += sums[:, 3:]
    last = first + ACTIVITY_RADIUS_FRAMES
    around += x[:, last : last + count * STEP_FRAMES : STEP_FRAMES]
    return around


def walking(mean: FloatArray, square: FloatArray, magnitude: FloatArray, centres: IndexArray) -> BoolArray:
    """Where the trunk's acceleration is strong and repeats as steps do; (n,) bool.

    `mean` and `square` (n,) of |acc| and |acc|^2 over 2 s around the frames `centres`; `magnitude` frame means of |acc|.
    """
    active: BoolArray = square - mean * mean > WALK_SD_M_S2 * WALK_SD_M_S2
    if active.any():
        active[active] = (
            _periodicity(window(magnitude, centres[active], GAIT_RADIUS_FRAMES)) >= WALK_PERIODICITY
        )
    return active


def _periodicity(x: FloatArray) -> FloatArray:
    """The largest normalised autocorrelation (n,) of each row of `x` over the step times."""
    length = x.shape[1]
    y = x - (x.sum(axis=1) / length)[:, None]
    power = (y * y).sum(axis=1) / length
    best = np.full(len(y), -1.0)
    for lag in range(*STEP_TIMES_FRAMES):
        shared = (y[:, : length - lag] * y[:, lag:]).sum(axis=1) / (length - lag)
        best = np.maximum(best, shared)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio: FloatArray = best / power
    return ratio


def majority(judged: BoolArray) -> BoolArray:
    """The majority over `SMOOTH_STEPS`; (n,) -> (n - SMOOTH_STEPS + 1,)."""
    count = np.concatenate(((0,), np.cumsum(judged)))
    smooth: BoolArray = (count[SMOOTH_STEPS:] - count[:-SMOOTH_STEPS]) * 2 > SMOOTH_STEPS
    return smooth
