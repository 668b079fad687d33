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
from monitor.core.events import Movement, Posture, Record
from monitor.core.inputs import FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, column_sums
from monitor.detect.movements.columns import (
    ANGLE,
    AXES,
    FLEXION,
    LATERAL,
    RATE,
    ROTATION,
    WAY,
    along,
    force,
    leaning_deg,
    rate,
    speed,
    time_s,
    up,
    yaw_rate,
)
from monitor.detect.movements.excursions import (
    DIRECTIONS,
    DRIFT_SD_DEG_S,
    LEAST_RANGE_DEG,
    NINE_IN_TEN,
    SCALE_SD,
    Excursion,
    error_deg,
    in_hindsight,
    measured,
)
from monitor.detect.movements.hindsight import AFTER_S, BEFORE_S, up_rows
from monitor.detect.movements.recent import POSTURE_LAG_S, RecentPostures, RecentRows
from monitor.detect.movements.smoothness import outward, sparc
from monitor.detect.movements.strokes import AFTER_S as SAME_SERIES_S
from monitor.detect.movements.strokes import LONGEST_S, Stroke, Strokes
from monitor.detect.movements.turns import Turn, Turns

WALKED_SHARE = 0.5  # of its time on the way: it is part of walking [I]
NO_GAIT_DEG = 25.0  # no step tilts a trunk so far: it is a bend on the way [I]
ONSET_S = 0.5  # before it has left by some degrees a movement has begun [I]
STRAIGHT_SD_DEG = 3.0  # how well three seconds on foot tell where one is heading [I]
FRAME_LOSS_DEG = (
    2.0  # the furthest row is no further than this from the mean over a tenth of a second around it [I]
)

KEEP_S = 3.0 * LONGEST_S + POSTURE_LAG_S + SAME_SERIES_S + BEFORE_S
Found = Excursion | Turn


class MovementLogic:
    """FrameLogic over tenths of a second."""

    frame_s = 0.1

    def __init__(self) -> None:
        self._axes = tuple(Strokes() for _ in AXES)
        self._turns = Turns()
        self._rows = RecentRows(KEEP_S)
        self._postures = RecentPostures(KEEP_S)
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
            way = self._way(stroke) if stroke.any_way else WAY[axis]
            angle = self._angle(axis, way, stroke.start_s, stroke.end_s)
            before = self._angle(axis, way, stroke.after_s, stroke.start_s, ends=False)
            found = measured(axis, way, stroke, angle, before)
            self._lately.append(found)
            if found.direction is not None:
                self._wait(axis, found, stroke)

    def _way(self, stroke: Stroke) -> complex:
        """Where a tilt went to, from where it was still, with forward unknown."""
        x, y = (self._rows.span(ANGLE[axis], stroke.start_s, stroke.end_s) for axis in (FLEXION, LATERAL))
        x, y = x - stroke.still_deg.real, y - stroke.still_deg.imag
        furthest = int(np.argmax(x * x + y * y))
        step = complex(x[furthest], y[furthest])
        return step / abs(step)

    def _angle(
        self, axis: int, way: complex, start_s: float, end_s: float, *, ends: bool = True
    ) -> FloatArray:
        """The angle (n,) that an excursion is of."""
        if axis == ROTATION or way in WAY:
            return self._rows.span(ANGLE[axis], start_s, end_s, ends=ends)
        return along(way, *(self._rows.span(angle, start_s, end_s, ends=ends) for angle in ANGLE[:ROTATION]))

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
            return self._turn(found, decided_s)
        return [] if self._led(found) else self._movement(found, decided_s)

    def _led(self, found: Excursion) -> bool:
        """Whether it is part of a larger movement."""
        return any(
            larger.leads(
                found, self._angle(found.axis, found.way, larger.stroke.start_s, larger.stroke.end_s)
            )
            for larger in self._lately
            if larger.may_lead(found)
        )

    def _movement(self, found: Excursion, decided_s: float) -> list[Record]:
        start_s, end_s = found.stroke.start_s, found.stroke.end_s
        walked_s = self._postures.seconds(Posture.WALKING, start_s, end_s)
        allowed = 0.0 if found.axis == ROTATION else WALKED_SHARE
        part_of_walking = walked_s > allowed * (end_s - start_s)
        bends = found.axis != ROTATION and found.range_deg >= NO_GAIT_DEG
        if found.direction is None or (part_of_walking and not bends):
            return []
        found = self._in_hindsight(found)
        if not found.direction or (part_of_walking and found.range_deg < NO_GAIT_DEG):
            return []
        speeds = self._rows.span(RATE[found.axis], start_s, end_s)
        return [
            Movement(
                *(found.direction, start_s, end_s, found.peak_deg, found.range_deg),
                float(np.max(np.abs(speeds))),
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
        yaw = self._rows.span(yaw_rate, turn.start_s, turn.end_s)
        size_deg = abs(turn.change_deg)
        drift_deg = DRIFT_SD_DEG_S * (turn.end_s - turn.start_s)
        sd_deg = math.hypot(STRAIGHT_SD_DEG, STRAIGHT_SD_DEG, drift_deg, SCALE_SD * size_deg)
        return [
            Movement(
                DIRECTIONS[ROTATION][0 if turn.change_deg > 0 else 1],
                *(turn.start_s, turn.end_s, size_deg, size_deg),
                float(np.max(np.abs(yaw))),
                decided_s,
                NINE_IN_TEN * sd_deg,
                self._sparc(turn.start_s, turn.end_s),
                Posture.WALKING,
            )
        ]

    def _in_hindsight(self, found: Excursion) -> Excursion:
        """How far it went as told by gravity before and after it, where the rows are without a gap."""
        stroke = found.stroke
        if found.axis == ROTATION:
            return found
        first_s = stroke.start_s if math.isnan(stroke.after_s) else stroke.after_s
        from_s, to_s = first_s - BEFORE_S, stroke.end_s + AFTER_S
        t_s, *vectors = (self._rows.span(column, from_s, to_s) for column in (time_s, up, rate, force))
        later = up_rows(t_s, *vectors)
        if later is None:
            return found
        angle = along(found.way, *leaning_deg(later))
        inside = (t_s >= stroke.start_s) & (t_s <= stroke.end_s)
        before = (t_s > stroke.after_s) & (t_s < stroke.start_s)
        return in_hindsight(found, angle[inside], angle[before])

    def _smoothness(self, found: Excursion) -> float:
        """Of the way out, with the moment before it that it began from."""
        stroke = found.stroke
        start_s, end_s = stroke.start_s - ONSET_S, stroke.end_s
        angle = self._angle(found.axis, found.way, start_s, end_s)
        speeds = self._rows.span(RATE[found.axis], start_s, end_s)
        out = outward(stroke.sign * angle, stroke.sign * speeds)
        return self._sparc(start_s, end_s, out)

    def _sparc(self, start_s: float, end_s: float, rows: int | None = None) -> float:
        """Of the first `rows` rows."""
        return sparc(self._rows.span(speed, start_s, end_s)[:rows], self._rows.rate_hz(start_s))


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(MovementLogic())


DETECTOR = Detector("movements", build, after=("posture",))
