"""Excursions: a stroke with its size and direction, and which of those that happen together is the movement."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from monitor.core.events import Direction
from monitor.core.inputs import FloatArray
from monitor.core.interval import INTERVAL_SD
from monitor.detect.movements.columns import ROTATION
from monitor.detect.movements.strokes import LEAVE_DEG, Stroke

LEAST_PEAK_DEG = 10.0  # beyond neutral, of one that stays there; less is sway (EN 1005-4's first band) [I]
LEAST_RANGE_DEG = 6.0  # from where it started: five times what the filter errs by [I]
ONLY_FORWARD_DEG = (
    45.0  # a trunk on its feet goes so far only forward: back and sideways end at some 30 (Laird, Troke) [I]
)
TOGETHER_SHARE = (
    0.5  # of its time beside a larger one: it is that one's coupled part, not a movement of its own [I]
)
COUPLED_SHARE = 0.67  # of the larger range, meanwhile; who goes further about the other axis does both [I]

NEAR_SHARE = 0.33  # of its range: so near to where it began it has returned; people come back to 15 deg from a bend of 50 [I]

INCLINATION_SD_DEG = (
    1.2  # of the filter at the trunk against optical capture, 0.95 to 1.44 deg (motion.uncertainty)
)
DRIFT_SD_DEG_S = 0.1  # gyroscope bias left after a rest: VQF lets it wander so much in 100 s [I]
SCALE_SD = 0.005  # gyroscope scale left after calibration; data sheets give 0.5 to 1 % [I]
SKIN_SD_DEG = 0.75  # skin under the sensor in a twist (motion.uncertainty)
SKIN_SHARE_SD = 0.02  # and in proportion to it: skin and scale (motion.uncertainty)


DIRECTIONS = (
    (Direction.FLEXION, Direction.EXTENSION),
    (Direction.LATERAL_RIGHT, Direction.LATERAL_LEFT),
    (Direction.ROTATION_LEFT, Direction.ROTATION_RIGHT),
)


@dataclass(frozen=True, slots=True)
class Excursion:
    """A stroke of one `axis` (0 flexion, 1 lateral, 2 rotation), which began at `base_deg` in its own direction.

    `way`: where it tilts to, of length 1: forward 1, to the right 1j; with forward unknown whatever it is in body axes.
    `direction` is None where it is no movement. `end_deg`: where it ended, as `peak_deg`.
    """

    axis: int
    way: complex
    stroke: Stroke
    base_deg: float
    peak_deg: float
    range_deg: float
    end_deg: float
    direction: Direction | None

    @property
    def returned(self) -> bool:
        """Whether it ended near where it began, or beyond."""
        left_deg = self.end_deg - (self.peak_deg - self.range_deg)
        return left_deg <= NEAR_SHARE * self.range_deg

    def may_lead(self, other: Excursion) -> bool:
        """Whether `other` may be but a part of this one: a spine that bends to a side also twists, and the other way round.

        A return to neutral has parts too, though it is no movement.
        """
        if self.axis == other.axis or (self.range_deg, -self.axis) <= (other.range_deg, -other.axis):
            return False
        mine, its = self.stroke, other.stroke
        together_s = min(mine.end_s, its.end_s) - max(mine.start_s, its.start_s)
        turned_within = mine.start_s <= its.reach_s <= mine.end_s
        return turned_within or together_s >= TOGETHER_SHARE * (its.end_s - its.start_s)

    def leads(self, other: Excursion, beside_deg: FloatArray) -> bool:
        """Whether `other` went no further than a part does, by itself or, by its angle (n,), while this one lasted."""
        meanwhile_deg = float(np.nanmax(beside_deg) - np.nanmin(beside_deg))
        return min(other.range_deg, meanwhile_deg) <= COUPLED_SHARE * self.range_deg


def measured(
    axis: int, way: complex, stroke: Stroke, angle_deg: FloatArray, before_deg: FloatArray
) -> Excursion:
    """The excursion of a stroke from its angle (n,), and from that since the repetition before it (none: unknown)."""
    still_deg = stroke.still_deg.real - stroke.neutral_deg
    if stroke.any_way:
        still_deg = (stroke.still_deg * way.conjugate()).real
    base_deg = stroke.sign * still_deg + stroke.base_deg
    peak_deg, low_deg = _extremes_deg(stroke, angle_deg, before_deg, base_deg)
    direction: Direction | None = None
    if _far_enough(stroke, base_deg, peak_deg, low_deg):
        direction = DIRECTIONS[axis][0 if stroke.sign > 0 else 1]
        if stroke.any_way:
            direction = _without_forward(stroke, peak_deg)
    end_deg = float(stroke.sign * angle_deg[-1])
    return Excursion(axis, way, stroke, base_deg, peak_deg, peak_deg - low_deg, end_deg, direction)


def in_hindsight(found: Excursion, angle_deg: FloatArray, before_deg: FloatArray) -> Excursion:
    """The same movement with its angle (n,) as it turned out later, and that since the repetition before it."""
    peak_deg, low_deg = _extremes_deg(found.stroke, angle_deg, before_deg, found.base_deg)
    moved = _far_enough(found.stroke, found.base_deg, peak_deg, low_deg)
    direction = found.direction if moved else None
    return replace(
        found,
        peak_deg=peak_deg,
        range_deg=peak_deg - low_deg,
        end_deg=float(found.stroke.sign * angle_deg[-1]),
        direction=direction,
    )


def _far_enough(stroke: Stroke, base_deg: float, peak_deg: float, low_deg: float) -> bool:
    """A movement goes far from where it began and beyond neutral."""
    beyond_deg = LEAVE_DEG if stroke.returned else LEAST_PEAK_DEG
    return peak_deg >= beyond_deg and peak_deg - max(base_deg, low_deg) >= LEAST_RANGE_DEG


def _extremes_deg(
    stroke: Stroke, angle_deg: FloatArray, before_deg: FloatArray, base_deg: float
) -> tuple[float, float]:
    """(peak, low) in the stroke's direction."""
    peak_deg = float((stroke.sign * angle_deg).max())
    return peak_deg, float((stroke.sign * before_deg).min()) if len(before_deg) else base_deg


def _without_forward(stroke: Stroke, peak_deg: float) -> Direction | None:
    """Away and back only, for lying down goes any way."""
    if not stroke.returned:
        return None
    return Direction.FLEXION if peak_deg >= ONLY_FORWARD_DEG else Direction.TILT


def error_deg(excursion: Excursion) -> float:
    """Half-width of the 90 % interval of the range. Rotation drifts with the gyroscope; inclination is held by gravity."""
    if excursion.axis != ROTATION:
        return INTERVAL_SD * INCLINATION_SD_DEG
    seconds = excursion.stroke.end_s - excursion.stroke.start_s
    skin_deg = SKIN_SHARE_SD * excursion.range_deg
    return INTERVAL_SD * math.hypot(SKIN_SD_DEG, skin_deg, DRIFT_SD_DEG_S * seconds)
