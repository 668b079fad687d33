"""What posture is judged by: a history of fine frames, and steps of 0.5 s made of it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray
from monitor.detect.posture.transitions import IndexArray

# Columns of the history, one per fine frame.
UP_X, UP_Y, UP_Z, RISE, MAGNITUDE, SQUARE, RATE2, YAW2, INCLINATION, FLEXION, MEASURED, START, END = range(13)
COLUMNS = 13


class Steps(NamedTuple):
    """Steps of 0.5 s to be judged, each from `t_s` on, by what lies before the frame `until`.

    `up` (3, n) the mean vertical; `known`: it is calibrated; `forward`: so is x; `bent` far forward; `quiet`: the trunk
    turns slowly; `still`: hardly; `seen`: rows were measured; `twist` log ratio `AHEAD_STEPS` later;
    `restless` moments. All but `up` (n,).
    """

    t_s: FloatArray
    decided_s: FloatArray
    until: IndexArray
    up: FloatArray
    known: BoolArray
    forward: BoolArray
    bent: BoolArray
    quiet: BoolArray
    still: BoolArray
    seen: BoolArray
    twist: FloatArray
    restless: BoolArray

    def part(self, steps: slice) -> Steps:
        """Some of them."""
        t_s, decided_s, until, up, known, forward, bent, quiet, still, seen, twist, restless = self
        flags = (known[steps], forward[steps], bent[steps], quiet[steps], still[steps], seen[steps])
        return Steps(
            t_s[steps], decided_s[steps], until[steps], up[:, steps], *flags, twist[steps], restless[steps]
        )


def squared_tilt_rate(up: FloatArray, frame_s: float) -> FloatArray:
    """(deg/s)^2 from frame to frame (m - 1,) of `up` (3, m): what an accelerometer alone shows of the trunk's rate."""
    x, y, z = up[:, 1:] - up[:, :-1]
    rate2: FloatArray = (x * x + y * y + z * z) * (math.degrees(1.0) / frame_s) ** 2
    return rate2


def directions(mean: FloatArray) -> FloatArray:
    """Unit vectors (3, n) along means of unit vectors (3, n)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        unit: FloatArray = mean / np.sqrt(mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2])
    return unit
