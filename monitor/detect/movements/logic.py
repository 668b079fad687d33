"""Movements by direction: away from neutral and back, or to a hold. Flexion, lateral bend and rotation.

A movement starts where the angle leaves the position it was still at, and ends when it has come back, has been still or
turns for the next repetition (strokes.py). A return towards neutral from a hold is no movement of its own, nor is the
lesser part of a combined one (excursions.py), nor what a trunk does while walking, but for bends no step explains and
turns of the whole body (turns.py). So a movement is given out once the posture during it is settled, some 5 s later.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Movement, Posture, Record
from monitor.core.inputs import FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, column_sums
from monitor.detect.movements.excursions import (
    AXES,
    DIRECTIONS,
    DRIFT_SD_DEG_S,
    NINE_IN_TEN,
    SCALE_SD,
    Column,
    Excursion,
    error_deg,
    led,
    measured,
)
from monitor.detect.movements.recent import POSTURE_LAG_S, RecentPostures, RecentRows
from monitor.detect.movements.smoothness import outward, sparc
from monitor.detect.movements.strokes import LONGEST_S, Stroke, Strokes
from monitor.detect.movements.turns import Turn, Turns

WALKED_SHARE = 0.5  # of its time on the way: it is part of walking [I]
NO_GAIT_DEG = 25.0  # no step tilts a trunk so far: it is a bend on the way [I]
ONSET_S = 0.5  # before it has left by some degrees a movement has begun [I]
STRAIGHT_SD_DEG = 3.0  # how well three seconds on foot tell where one is heading [I]

KEEP_S = 3.0 * LONGEST_S + POSTURE_LAG_S
Found = Excursion | Turn


class MovementLogic:
    """FrameLogic over tenths of a second."""

    frame_s = 0.1

    def __init__(self) -> None:
        self._axes = tuple(Strokes() for _ in range(AXES))
        self._turns = Turns()
        self._rows = RecentRows(KEEP_S)
        self._postures = RecentPostures(KEEP_S)
        self._next = 0
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
        rate, up = block.rate_deg_s, block.up
        x, y, z = rate[:, 0], rate[:, 1], rate[:, 2]
        yaw = x * up[:, 0]
        yaw += y * up[:, 1]
        yaw += z * up[:, 2]
        flexion = block.flexion_deg
        unknown = np.isnan(flexion)
        if unknown.any():  # with forward unknown, how far in whatever direction takes the place of flexion
            flexion = np.where(unknown, block.inclination_deg, flexion)
            y = np.where(unknown, np.sqrt(x * x + y * y), y)
        return (flexion, block.lateral_deg, block.rotation_deg, y, x, z, yaw)

    def frames(self, frames: Frames) -> list[Record]:
        x = frames.x
        k = x.shape[2]
        out: list[Record] = []
        if not self._rows.goes_on_with(frames):
            out += self.lost(float(frames.start_s[0]), mount_too=False)
        self._rows.add(frames)
        means = column_sums(x[:AXES]) / k
        for axis, strokes in enumerate(self._axes):
            self._wait_for_strokes(axis, strokes.frames(self._next, frames, means[axis]))
        self._wait_for_turns(self._turns.frames(frames, column_sums(x[Column.YAW_RATE]) / k))
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
            rows, before = (
                self._rows.span(start_s, end_s)
                for start_s, end_s in ((stroke.start_s, stroke.end_s), (stroke.after_s, stroke.start_s))
            )
            found = measured(axis, stroke, rows, before)
            self._lately.append(found)
            if found.direction is not None:
                self._wait(axis, found, stroke)

    def _wait_for_turns(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            self._wait(AXES, turn, turn)

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
            return self._turn(found, decided_s)
        return [] if led(found, self._lately) else self._movement(found, decided_s)

    def _movement(self, found: Excursion, decided_s: float) -> list[Record]:
        start_s, end_s = found.stroke.start_s, found.stroke.end_s
        walked_s = self._postures.seconds(Posture.WALKING, start_s, end_s)
        allowed = 0.0 if found.axis == Column.ROTATION else WALKED_SHARE
        part_of_walking = walked_s > allowed * (end_s - start_s)
        bends = found.axis != Column.ROTATION and found.range_deg >= NO_GAIT_DEG
        if found.direction is None or (part_of_walking and not bends):
            return []
        rows = self._rows.span(start_s, end_s)
        return [
            Movement(
                *(found.direction, start_s, end_s, found.peak_deg, found.range_deg),
                float(np.max(np.abs(rows[AXES + found.axis]))),
                decided_s,
                error_deg(found),
                self._smoothness(found),
                self._postures.main(start_s, end_s),
            )
        ]

    def _turn(self, turn: Turn, decided_s: float) -> list[Record]:
        """A turn on the way; who turns without walking is taken to twist the trunk."""
        if not self._postures.seconds(Posture.WALKING, turn.start_s, turn.end_s):
            return []
        rows = self._rows.span(turn.start_s, turn.end_s)
        size_deg = abs(turn.change_deg)
        drift_deg = DRIFT_SD_DEG_S * (turn.end_s - turn.start_s)
        sd_deg = math.hypot(STRAIGHT_SD_DEG, STRAIGHT_SD_DEG, drift_deg, SCALE_SD * size_deg)
        return [
            Movement(
                DIRECTIONS[Column.ROTATION][0 if turn.change_deg > 0 else 1],
                *(turn.start_s, turn.end_s, size_deg, size_deg),
                float(np.max(np.abs(rows[Column.YAW_RATE]))),
                decided_s,
                NINE_IN_TEN * sd_deg,
                self._sparc(rows),
                Posture.WALKING,
            )
        ]

    def _smoothness(self, found: Excursion) -> float:
        """Of the way out, with the moment before it that it began from."""
        stroke = found.stroke
        rows = self._rows.span(stroke.start_s - ONSET_S, stroke.end_s)
        out = outward(stroke.sign * rows[found.axis], stroke.sign * rows[AXES + found.axis])
        return self._sparc(rows[:, :out])

    def _sparc(self, rows: FloatArray) -> float:
        y, x, z = rows[Column.FLEXION_RATE : Column.YAW_RATE]
        return sparc(np.sqrt(x * x + y * y + z * z), self._rows.rate_hz)


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(MovementLogic())


DETECTOR = Detector("movements", build, after=("posture",))
