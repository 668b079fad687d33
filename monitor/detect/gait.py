"""Walking, step by step. Pure functions on fine frames of 0.1 s, judged every 0.5 s (a step)."""

from __future__ import annotations

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray
from monitor.detect.transitions import FINE_FRAME_S, IndexArray

STEP_FRAMES = 5  # the posture is judged every 0.5 s [I]
STEP_S = STEP_FRAMES * FINE_FRAME_S
ACTIVITY_RADIUS_FRAMES = 10  # activity over 2 s (R1)
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


def walking(magnitude: FloatArray, squared_magnitude: FloatArray, centres: IndexArray) -> BoolArray:
    """Where the trunk's acceleration is strong and repeats as steps do. Frame means of |acc| and |acc|^2; (n,) bool."""
    length = 2 * ACTIVITY_RADIUS_FRAMES + 1
    mean = window(magnitude, centres, ACTIVITY_RADIUS_FRAMES).sum(axis=1) / length
    square = window(squared_magnitude, centres, ACTIVITY_RADIUS_FRAMES).sum(axis=1) / length
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
