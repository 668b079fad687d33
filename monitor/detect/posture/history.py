"""Some seconds of fine frames, and what they show once their future is known: steps of 0.5 s, and movements up and down."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.inputs import BoolArray, FloatArray
from monitor.detect.frames import Frames, column_sums, sizes
from monitor.detect.posture import gait, transitions
from monitor.detect.posture.calm import RESTLESS_SD_M_S2
from monitor.detect.posture.changes import Changes
from monitor.detect.posture.rests import REST_RADIUS_FRAMES, rests
from monitor.detect.posture.steps import (
    COLUMNS,
    END,
    FLEXION,
    INCLINATION,
    MAGNITUDE,
    MEASURED,
    RATE2,
    RISE,
    SQUARE,
    START,
    UP_X,
    UP_Z,
    YAW2,
    Steps,
    directions,
    squared_tilt_rate,
)
from monitor.detect.posture.transitions import FINE_FRAME_S
from monitor.detect.posture.twist import log_ratios

GRAVITY_M_S2 = 9.81  # taken from the levelled vertical acceleration (R1)
LAG_FRAMES = 39  # a step is judged 3.9 s later: nearly every change centred on it is known by then [I]
REACH_BACK_FRAMES = max(gait.REACH_FRAMES, transitions.REACH_FRAMES)
PADDING_STEPS = 8  # before the first frame all is taken to have been as in it: the first seconds count too
AHEAD_STEPS = 7  # the twist is looked at up to 3.5 s ahead, within the lag
QUIET_RATE_DEG_S = 13.0  # the tilt tells only while the trunk turns slower than this (root mean square) [I]
SHAKEN_SD_M_S2 = 0.3  # SD of |acc| in half a second beyond which it shakes (a car seat some 0.4) [I]
FINE_ROWS = 3  # rows in a fine frame from which their mean shows a jolt for what it was: 30 Hz [I]
PRONE_RATE_DEG_S = 2.0  # a trunk that is bent sways by more: a bend is held, a bed holds [I]


def columns(block: TrunkBlock) -> Sequence[FloatArray]:
    """Of a row, as far as they are measured: `steps` names them."""
    acc, up, rate = block.acc, block.up, block.rate_deg_s
    rise = acc[:, 0] * up[:, 0] + acc[:, 1] * up[:, 1] + acc[:, 2] * up[:, 2]
    rise -= GRAVITY_M_S2
    yaw = rate[:, 0] * up[:, 0] + rate[:, 1] * up[:, 1] + rate[:, 2] * up[:, 2]
    yaw *= yaw
    angles = (block.inclination_deg, block.flexion_deg)
    return (up[:, 0], up[:, 1], up[:, 2], rise, *sizes(block), yaw, *angles)


class History:
    """Frames since evidence began. `changes`: the movements found in them; `turns`: a gyroscope measures."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.turns = True
        self._frames = np.empty((COLUMNS, 0))
        self._base = 0
        self._step = PADDING_STEPS
        self._settled = 0
        self._frame_s, self._rows = FINE_FRAME_S, FINE_ROWS

    def add(self, frames: Frames) -> None:
        """Take the next whole frames."""
        m = len(frames.end_s)
        k = frames.x.shape[2]
        self._frame_s, self._rows = frames.frame_s, k
        new = np.empty((COLUMNS, m))
        new[:MEASURED] = column_sums(frames.x) / k
        new[MEASURED], new[START], new[END] = frames.measured, frames.start_s, frames.end_s
        up = new[UP_X : UP_Z + 1]
        if np.isnan(new[RATE2, 0]):
            before = self._frames[UP_X : UP_Z + 1, -1:] if self._frames.shape[1] else up[:, :1]
            self.turns = False
            new[RATE2] = squared_tilt_rate(np.concatenate((before, up), axis=1), frames.frame_s)
        if not self._frames.shape[1]:
            self._frames = np.repeat(new[:, :1], PADDING_STEPS * gait.STEP_FRAMES, axis=1)
        self._frames = np.concatenate((self._frames, new), axis=1)

    def stay(self, t_s: float) -> None:
        """Until `t_s`, and as long as it takes to judge what was held back, all is as in the last frame."""
        last = np.repeat(self._frames[:, -1:], LAG_FRAMES + gait.STEP_FRAMES, axis=1)
        last[START:] = t_s
        self._frames = np.concatenate((self._frames, last), axis=1)

    def forget(self) -> None:
        """Drop the frames that nothing will look back to."""
        keep = min(self._step * gait.STEP_FRAMES, self._settled) - REACH_BACK_FRAMES - self._base
        if keep > 0:
            self._frames = self._frames[:, keep:].copy()
            self._base += keep

    def judged(self, *, low: bool, forward: bool) -> tuple[Steps, BoolArray] | None:
        """The steps whose future has arrived, and in which of them (n,) one walks; `changes` knows what they may need to know.

        `low`: the sensor is where the twist tells; `forward`: the mount's is to be trusted.
        """
        known = self._base + self._frames.shape[1]
        stop = (known - 1 - LAG_FRAMES) // gait.STEP_FRAMES + 1
        if stop <= self._step:
            return None
        side = gait.SMOOTH_STEPS // 2
        centres = np.arange(self._step - side, stop + side) * gait.STEP_FRAMES - self._base
        frames = self._frames
        around = gait.sums_around(frames[: MEASURED + 1], int(centres[0]), len(centres))
        around[:MEASURED] /= 2 * gait.ACTIVITY_RADIUS_FRAMES + 1
        walking = gait.majority(gait.walking(around[MAGNITUDE], around[SQUARE], frames[MAGNITUDE], centres))
        around, inner = around[:, side:-side], centres[side:-side]
        spread2 = around[SQUARE] - around[MAGNITUDE] * around[MAGNITUDE]
        steps = Steps(
            frames[START, inner],
            frames[END, inner + LAG_FRAMES],
            inner + (self._base + LAG_FRAMES + 1),
            directions(around[UP_X : UP_Z + 1]),
            np.isfinite(frames[INCLINATION, inner]),
            np.isfinite(frames[FLEXION, inner]) & forward,
            frames[FLEXION, inner] > gait.LYING_DEG,
            around[RATE2] < QUIET_RATE_DEG_S * QUIET_RATE_DEG_S,
            around[RATE2] < PRONE_RATE_DEG_S * PRONE_RATE_DEG_S,
            around[MEASURED] > 0.0,
            self._twists(stop) if low else np.full(stop - self._step, math.nan),
            spread2 > RESTLESS_SD_M_S2 * RESTLESS_SD_M_S2,
        )
        self._look_for_changes((stop - 1) * gait.STEP_FRAMES + LAG_FRAMES + 1)
        self._step = stop
        return steps, walking

    def _twists(self, stop: int) -> FloatArray:
        """The log ratio `AHEAD_STEPS` after each step up to `stop`."""
        first = (self._step + AHEAD_STEPS) * gait.STEP_FRAMES - gait.STEP_FRAMES // 2 - self._base
        count = stop - self._step
        part = self._frames[[YAW2, RATE2, MAGNITUDE, SQUARE], first : first + count * gait.STEP_FRAMES]
        yaw2, rate2, mean, square = column_sums(part.reshape(4, count, gait.STEP_FRAMES)) / gait.STEP_FRAMES
        shaken = square - mean * mean > SHAKEN_SD_M_S2 * SHAKEN_SD_M_S2
        return np.where(shaken, math.nan, log_ratios(yaw2, rate2))

    def _look_for_changes(self, known: int) -> None:
        """Find the movements settled by the frames before `known`."""
        base = self._base
        up, rise, starts_s = self._frames[UP_X : UP_Z + 1], self._frames[RISE], self._frames[START]
        stop = known - REST_RADIUS_FRAMES
        for change in transitions.find_changes(
            up,
            rise,
            *rests(up, rise, self._frames[RATE2]),
            self._settled - base,
            stop - base,
            self._frame_s,
            coarse=self._rows < FINE_ROWS,
        ):
            self.changes.found(change, base + REST_RADIUS_FRAMES, starts_s)
        self._settled = stop
