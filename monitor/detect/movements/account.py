"""What is told of a stroke or a turn, from the rows and postures during it."""

from __future__ import annotations

import math

import numpy as np

from monitor.core.events import Movement, Posture, Record
from monitor.core.inputs import FloatArray
from monitor.core.interval import INTERVAL_SD
from monitor.detect.movements.columns import (
    ANGLE,
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
    SCALE_SD,
    Excursion,
    error_deg,
    in_hindsight,
    measured,
)
from monitor.detect.movements.hindsight import AFTER_S, BEFORE_S, up_rows
from monitor.detect.movements.recent import RecentPostures, RecentRows
from monitor.detect.movements.smoothness import outward, sparc
from monitor.detect.movements.strokes import Stroke
from monitor.detect.movements.turns import Turn

WALKED_SHARE = 0.5  # of its time on the way: it is part of walking [I]
NO_GAIT_DEG = 25.0  # no step tilts a trunk so far: it is a bend on the way [I]
ONSET_S = 0.5  # before it has left by some degrees a movement has begun [I]
STRAIGHT_SD_DEG = 3.0  # how well three seconds on foot tell where one is heading [I]


class Account:
    """Reads the recent rows and postures; changes neither."""

    def __init__(self, rows: RecentRows, postures: RecentPostures) -> None:
        self._rows = rows
        self._postures = postures

    def excursion(self, axis: int, stroke: Stroke) -> Excursion:
        """How far a stroke went, and where to."""
        way = self._way(stroke) if stroke.any_way else WAY[axis]
        angle = self._angle(axis, way, stroke.start_s, stroke.end_s)
        before = self._angle(axis, way, stroke.after_s, stroke.start_s, ends=False)
        return measured(axis, way, stroke, angle - stroke.neutral_deg, before - stroke.neutral_deg)

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

    def leads(self, larger: Excursion, found: Excursion) -> bool:
        """Whether `found` is part of a larger one that may lead it."""
        start_s, end_s = larger.stroke.start_s, larger.stroke.end_s
        return larger.leads(found, self._angle(found.axis, found.way, start_s, end_s))

    def movement(self, found: Excursion, decided_s: float) -> list[Record]:
        """The movement it is, unless it is part of walking or turns out to be too small."""
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
                found.returned and self._postures.same(start_s, end_s),
            )
        ]

    def turn(self, turn: Turn, decided_s: float) -> list[Record]:
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
                INTERVAL_SD * sd_deg,
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
