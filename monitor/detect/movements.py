"""Movements by direction: away from neutral and back, or to a hold. Flexion, lateral bend and rotation, each on its own.

A movement starts where the angle leaves the position it was still at, and ends when it has come back or has been
still for a second. A return towards neutral from a hold is no movement of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Direction, Movement, Record
from monitor.core.inputs import BoolArray, FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, column_sums

ACTIVE_RATE_DEG_S = 5.0  # a frame whose mean rate about the axis is larger belongs to a movement [I]
HOLD_FRAMES = 10  # one second below it is a hold [I]
LEAVE_DEG = 3.0  # a movement starts this far from where it was still [I]
RETURN_SHARE = 0.2  # and has come back within this share of its range [I]
LEAST_PEAK_DEG = 10.0  # beyond neutral; smaller ones are sway and gait (EN 1005-4's first band) [I]
LEAST_RANGE_DEG = 10.0  # from where it started [I]


class _Axis:
    """One axis' movements. Frames come in order with running indices."""

    def __init__(self, positive: Direction, negative: Direction) -> None:
        self._directions = (positive, negative)
        self.restart()

    def restart(self) -> None:
        self._still_deg = math.nan
        self._before_deg = math.nan
        self._last = -HOLD_FRAMES - 1
        self._sign = 0.0
        self._start_s = self._end_s = 0.0
        self._reach_deg = self._peak_rate_deg_s = 0.0

    def frames(
        self, first: int, frames: Frames, angle: FloatArray, peak_rate: FloatArray, active: BoolArray
    ) -> list[Movement]:
        """Take the next frames, the first of which has index `first`."""
        out: list[Movement] = []
        rows = np.flatnonzero(active)
        before = np.concatenate(((self._before_deg,), angle[:-1]))
        for i, before_deg, angle_deg, rate_deg_s, start_s, end_s in zip(
            rows.tolist(),
            before[rows].tolist(),
            angle[rows].tolist(),
            peak_rate[rows].tolist(),
            frames.start_s[rows].tolist(),
            frames.end_s[rows].tolist(),
            strict=True,
        ):
            index = first + i
            if index - self._last > HOLD_FRAMES:
                out += self._hold(first, frames)
                self._still_deg = angle_deg if math.isnan(before_deg) else before_deg
            self._last = index
            if self._sign or abs(angle_deg - self._still_deg) >= LEAVE_DEG:
                out += self._moving(angle_deg, rate_deg_s, start_s, end_s)
        if first + len(angle) - self._last > HOLD_FRAMES:
            out += self._hold(first, frames)
        self._before_deg = float(angle[-1])
        return out

    def _moving(self, angle_deg: float, rate_deg_s: float, start_s: float, end_s: float) -> list[Movement]:
        """A frame of a movement under way, or the first one far enough from where it was still."""
        away_deg = angle_deg - self._still_deg
        if not self._sign:
            self._sign = math.copysign(1.0, away_deg)
            self._start_s, self._reach_deg, self._peak_rate_deg_s = start_s, 0.0, 0.0
        self._end_s = end_s
        away_deg *= self._sign
        self._reach_deg = max(self._reach_deg, away_deg)
        self._peak_rate_deg_s = max(self._peak_rate_deg_s, rate_deg_s)
        if away_deg < max(LEAVE_DEG, RETURN_SHARE * self._reach_deg) and away_deg < self._reach_deg:
            return self._end(end_s)
        return []

    def _hold(self, first: int, frames: Frames) -> list[Movement]:
        if not self._sign:
            return []
        return self._end(float(frames.end_s[self._last + HOLD_FRAMES - first]))

    def _end(self, decided_s: float) -> list[Movement]:
        sign, self._sign = self._sign, 0.0
        peak_deg = sign * self._still_deg + self._reach_deg
        if peak_deg < LEAST_PEAK_DEG or self._reach_deg < LEAST_RANGE_DEG:
            return []
        direction = self._directions[0 if sign > 0 else 1]
        return [
            Movement(
                direction,
                self._start_s,
                self._end_s,
                peak_deg,
                self._reach_deg,
                self._peak_rate_deg_s,
                decided_s,
            )
        ]


class MovementLogic:
    """FrameLogic over tenths of a second."""

    frame_s = 0.1

    def __init__(self) -> None:
        self._axes = (
            _Axis(Direction.FLEXION, Direction.EXTENSION),
            _Axis(Direction.LATERAL_RIGHT, Direction.LATERAL_LEFT),
            _Axis(Direction.ROTATION_LEFT, Direction.ROTATION_RIGHT),
        )
        self._next = 0

    def notice(self, record: Record) -> None:
        """Nothing but rows matters here."""

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:  # noqa: ARG002
        """A movement that was under way was not seen to its end and is left out."""
        for axis in self._axes:
            axis.restart()
        self._next = 0
        return []

    def close(self, t_s: float) -> list[Record]:  # noqa: ARG002
        return []

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        rate = np.abs(block.rate_deg_s)
        return (block.flexion_deg, block.lateral_deg, block.rotation_deg, rate[:, 1], rate[:, 0], rate[:, 2])

    def frames(self, frames: Frames) -> list[Record]:
        x = frames.x
        k = x.shape[2]
        found: list[Movement] = []
        means = column_sums(x) / k
        peaks = np.maximum.reduce(x[3:].transpose(2, 0, 1).copy())
        active = (means[3:] >= ACTIVE_RATE_DEG_S) & frames.measured
        for i, axis in enumerate(self._axes):
            found += axis.frames(self._next, frames, means[i], peaks[i], active[i])
        self._next += len(frames.end_s)
        found.sort(key=lambda movement: movement.decided_s)
        return list(found)


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(MovementLogic())


DETECTOR = Detector("movements", build)
