"""Movements by direction: away from neutral and back, or to a hold. Flexion, lateral bend and rotation, each on its own.

A movement starts where the angle leaves the position it was still at, and ends when it has come back, has been still for
a second or turns for the next repetition. A return towards neutral from a hold is no movement of its own, and neither is
what a trunk does while walking. So a movement is given out once the posture during it is settled, some 5 s later.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Direction, Movement, Posture, Record
from monitor.core.inputs import FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, column_sums
from monitor.detect.recent import POSTURE_LAG_S, RecentPostures, RecentRows
from monitor.detect.strokes import LONGEST_S, Stroke, Strokes

ACTIVE_RATE_DEG_S = 5.0  # a frame whose mean rate about the axis is larger belongs to a movement [I]
LEAST_PEAK_DEG = 10.0  # beyond neutral; smaller ones are sway and gait (EN 1005-4's first band) [I]
LEAST_RANGE_DEG = 10.0  # from where it started [I]

KEEP_S = 2.0 * LONGEST_S + POSTURE_LAG_S
DIRECTIONS = (
    (Direction.FLEXION, Direction.EXTENSION),
    (Direction.LATERAL_RIGHT, Direction.LATERAL_LEFT),
    (Direction.ROTATION_LEFT, Direction.ROTATION_RIGHT),
)
AXES = len(DIRECTIONS)


class MovementLogic:
    """FrameLogic over tenths of a second."""

    frame_s = 0.1

    def __init__(self) -> None:
        self._axes = tuple(Strokes() for _ in DIRECTIONS)
        self._rows = RecentRows(KEEP_S)
        self._postures = RecentPostures(KEEP_S)
        self._next = 0
        self._waiting: list[tuple[float, int, float, Stroke]] = []

    def notice(self, record: Record) -> None:
        self._postures.notice(record)

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:  # noqa: ARG002
        """A movement that was under way was not seen to its end and is left out; those that had ended are given."""
        out = self._all(t_s)
        for axis in self._axes:
            axis.restart()
        self._rows.forget()
        self._next = 0
        return out

    def close(self, t_s: float) -> list[Record]:
        for number, axis in enumerate(self._axes):
            self._wait(number, axis.close(t_s))
        return self._all(t_s)

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        rate = block.rate_deg_s
        return (block.flexion_deg, block.lateral_deg, block.rotation_deg, rate[:, 1], rate[:, 0], rate[:, 2])

    def frames(self, frames: Frames) -> list[Record]:
        x = frames.x
        k = x.shape[2]
        out: list[Record] = []
        if not self._rows.add(frames):
            for axis in self._axes:
                axis.restart()
        means = column_sums(x[:AXES]) / k
        rates = column_sums(np.abs(x[AXES:])) / k
        active = (rates >= ACTIVE_RATE_DEG_S) & frames.measured
        for number, axis in enumerate(self._axes):
            self._wait(number, axis.frames(self._next, frames, means[number], active[number]))
        self._next += len(frames.end_s)
        while self._waiting and self._waiting[0][0] <= frames.end_s[-1]:
            due_s, number, _, stroke = heappop(self._waiting)
            decided_s = float(frames.end_s[np.searchsorted(frames.end_s, due_s)])
            out += self._movement(number, stroke, decided_s)
        return out

    def _wait(self, number: int, strokes: Sequence[Stroke]) -> None:
        for stroke in strokes:
            due_s = max(stroke.end_s + POSTURE_LAG_S, stroke.settled_s)
            heappush(self._waiting, (due_s, number, stroke.start_s, stroke))

    def _all(self, t_s: float) -> list[Record]:
        """What waits, with the postures known by now."""
        out: list[Record] = []
        while self._waiting:
            _, number, _, stroke = heappop(self._waiting)
            out += self._movement(number, stroke, t_s)
        return out

    def _movement(self, number: int, stroke: Stroke, decided_s: float) -> list[Record]:
        rows = self._rows.span(stroke.start_s, stroke.end_s)
        peak_deg = float(np.max(stroke.sign * rows[number]))
        range_deg = peak_deg - stroke.sign * stroke.base_deg
        if not (peak_deg >= LEAST_PEAK_DEG and range_deg >= LEAST_RANGE_DEG):
            return []
        self._postures.settle(decided_s)
        state = self._postures.main(stroke.start_s, stroke.end_s)
        if state is Posture.WALKING:
            return []
        return [
            Movement(
                DIRECTIONS[number][0 if stroke.sign > 0 else 1],
                stroke.start_s,
                stroke.end_s,
                peak_deg,
                range_deg,
                float(np.max(np.abs(rows[AXES + number]))),
                decided_s,
            )
        ]


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(MovementLogic())


DETECTOR = Detector("movements", build, after=("posture",))
