"""Movements by direction: away from neutral and back, or to a hold. Flexion, lateral bend and rotation.

A movement starts where the angle leaves the position it was still at, and ends when it has come back, has been still or
turns for the next repetition (strokes.py). A return towards neutral from a hold is no movement of its own, nor is the
lesser part of a combined one (excursions.py), nor what a trunk does while walking, but for bends no step explains and
turns of the whole body (turns.py). So a movement is given out once the posture during it is settled, some 5 s later, and
how far it went is told with what is known of the vertical by then (hindsight.py).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Record
from monitor.core.inputs import FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, column_sums
from monitor.detect.movements.account import Account
from monitor.detect.movements.columns import ANGLE, AXES, FLEXION, LATERAL, ROTATION, yaw_rate
from monitor.detect.movements.excursions import LEAST_RANGE_DEG, Excursion
from monitor.detect.movements.hindsight import BEFORE_S
from monitor.detect.movements.recent import POSTURE_LAG_S, RecentPostures, RecentRows
from monitor.detect.movements.strokes import AFTER_S, LONGEST_S, Stroke, Strokes
from monitor.detect.movements.turns import Turn, Turns

FRAME_LOSS_DEG = (
    2.0  # a stroke's furthest row is this near to the mean over a tenth of a second around it [I]
)

KEEP_S = 3.0 * LONGEST_S + POSTURE_LAG_S + AFTER_S + BEFORE_S
Found = Excursion | Turn


class MovementLogic:
    """FrameLogic over tenths of a second."""

    frame_s = 0.1

    def __init__(self) -> None:
        self._axes = tuple(Strokes(heading=axis == ROTATION) for axis in AXES)
        self._turns = Turns()
        self._rows = RecentRows(KEEP_S)
        self._postures = RecentPostures(KEEP_S)
        self._account = Account(self._rows, self._postures)
        self._next = self._frame_rows = 0
        self._lately: deque[Excursion] = deque()
        self._waiting: list[tuple[float, int, float, Found]] = []

    def notice(self, record: Record) -> None:
        self._postures.notice(record)

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:  # noqa: ARG002
        """A movement that was under way was not seen to its end and is left out; those that had ended are given."""
        out = self._all(t_s)
        self._restart()
        self._rows.forget()
        return out

    def close(self, t_s: float) -> list[Record]:
        for axis, strokes in enumerate(self._axes):
            self._wait_for_strokes(axis, strokes.close(t_s))
        self._wait_for_turns(self._turns.close())
        return self._all(t_s)

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        self._rows.add(block)
        return (*(angle(block) for angle in ANGLE), yaw_rate(block))

    def frames(self, frames: Frames) -> list[Record]:
        out: list[Record] = []
        if frames.x.shape[2] != self._frame_rows:
            self._frame_rows, start_s = frames.x.shape[2], float(frames.start_s[0])
            out += self._all(start_s)
            self._restart()
            self._rows.forget(before_s=start_s)
        *angles, yaw = column_sums(frames.x) / self._frame_rows
        if self._rows.forward_unknown:
            angles[FLEXION] = angles[FLEXION] + 1j * angles[LATERAL]
            angles[LATERAL] = np.full(len(yaw), np.nan)
        for axis, (strokes, angle) in enumerate(zip(self._axes, angles, strict=True)):
            self._wait_for_strokes(axis, strokes.frames(self._next, frames, angle))
        self._wait_for_turns(self._turns.frames(frames, yaw))
        self._next += len(frames.end_s)
        return out + self._due(frames)

    def _restart(self) -> None:
        for strokes in self._axes:
            strokes.restart()
        self._turns.restart()
        self._lately.clear()
        self._next = 0

    def _wait_for_strokes(self, axis: int, strokes: Sequence[Stroke]) -> None:
        for stroke in strokes:
            if stroke.moved_deg < LEAST_RANGE_DEG - FRAME_LOSS_DEG:
                continue
            found = self._account.excursion(axis, stroke)
            self._lately.append(found)
            if found.direction is not None:
                self._wait(axis, found, stroke)

    def _wait_for_turns(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            self._wait(len(AXES), turn, turn)

    def _wait(self, number: int, found: Found, when: Stroke | Turn) -> None:
        due_s = max(when.end_s + POSTURE_LAG_S, when.settled_s)
        heappush(self._waiting, (due_s, number, when.start_s, found))

    def _due(self, frames: Frames) -> list[Record]:
        """What is settled by the end of `frames`."""
        out: list[Record] = []
        held = []
        while self._waiting and self._waiting[0][0] <= frames.end_s[-1]:
            due_s, number, start_s, found = heappop(self._waiting)
            later_s = self._settled_beside(found) if isinstance(found, Excursion) else due_s
            if later_s > frames.end_s[-1]:
                held.append((due_s, number, start_s, found))
            elif later_s > due_s:
                heappush(self._waiting, (later_s, number, start_s, found))
            else:
                out += self._given(found, float(frames.end_s[np.searchsorted(frames.end_s, due_s)]))
        for entry in held:
            heappush(self._waiting, entry)
        while self._lately and self._lately[0].stroke.settled_s < frames.end_s[-1] - KEEP_S:
            self._lately.popleft()
        return out

    def _settled_beside(self, found: Excursion) -> float:
        """When all is known of what began before `found` ended, about the other axes: infinity while it goes on."""
        end_s = found.stroke.end_s
        if any(strokes.since_s < end_s for axis, strokes in enumerate(self._axes) if axis != found.axis):
            return math.inf
        beside = (
            o.stroke.settled_s for o in self._lately if o.axis != found.axis and o.stroke.start_s < end_s
        )
        return max(beside, default=-math.inf)

    def _all(self, t_s: float) -> list[Record]:
        """What waits, with what is known by now."""
        out: list[Record] = []
        while self._waiting:
            out += self._given(heappop(self._waiting)[-1], t_s)
        return out

    def _given(self, found: Found, decided_s: float) -> list[Record]:
        self._postures.settle(decided_s)
        if isinstance(found, Turn):
            return self._account.turn(found, decided_s)
        if any(larger.may_lead(found) and self._account.leads(larger, found) for larger in self._lately):
            return []
        return self._account.movement(found, decided_s)


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(MovementLogic())


DETECTOR = Detector("movements", build, after=("posture",))
