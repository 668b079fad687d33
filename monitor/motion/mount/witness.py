"""Witnesses of the forward direction, each with its error, and what they say together.

Directions are angles (rad) in the level plane of the sensor. An axis has no sign: it stands for its direction and the opposite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.core.inputs import FloatArray

PRIOR_WEIGHT = 2.0
"""What is known of other people counts as much as this many deviations seen now [I]."""
CONFLICT_DEG = 90.0
"""Signed witnesses further apart than this mean opposite things."""


@dataclass(frozen=True, slots=True)
class Witness:
    """`angle_rad` with one standard deviation `sd_rad`; unless `signed` it may as well be the opposite direction."""

    name: str
    angle_rad: float
    sd_rad: float
    signed: bool


def agreed(witnesses: Sequence[Witness]) -> tuple[float, float] | None:
    """Angle and standard deviation (rad) of the mean weighted by precision; None where signed witnesses contradict.

    At least one of `witnesses` is signed. The deviation grows where they are further apart than their own deviations say.
    """
    first = min((w for w in witnesses if w.signed), key=lambda w: w.sd_rad)
    offsets = []
    for w in witnesses:
        offset = wrapped(w.angle_rad - first.angle_rad)
        if w.signed and abs(offset) > math.radians(CONFLICT_DEG):
            return None
        offsets.append(offset if w.signed else folded(offset))
    offset, sd = pooled(np.array(offsets), np.array([w.sd_rad for w in witnesses]), known=True)
    return wrapped(first.angle_rad + offset), sd


def within(one: Witness, other: Witness, deviations: float) -> bool:
    """Whether the two are no further apart than so many of their deviations together."""
    apart = wrapped(one.angle_rad - other.angle_rad)
    if not (one.signed and other.signed):
        apart = folded(apart)
    return abs(apart) <= deviations * math.hypot(one.sd_rad, other.sd_rad)


def pooled(angles: FloatArray, sds: FloatArray, *, known: bool) -> tuple[float, float]:
    """Mean weighted by precision and its standard deviation, scaled by how far the angles (rad) deviate from it.

    Where the `sds` are `known`, not only roughly, angles that happen to agree are no surer for it: the scale is never below 1.
    """
    weights = 1.0 / sds**2
    mean = float(np.sum(weights * angles) / np.sum(weights))
    excess = float(np.sum(weights * (angles - mean) ** 2))
    scale = (PRIOR_WEIGHT + excess) / (PRIOR_WEIGHT + len(angles) - 1.0)
    return mean, math.sqrt((max(1.0, scale) if known else scale) / float(np.sum(weights)))


def axis_of(covariance: FloatArray) -> tuple[float, float]:
    """Angle (rad) of the long axis of a (2,2) covariance, and the ratio of the short to the long amplitude, 0..1."""
    values, vectors = np.linalg.eigh(covariance)
    thin = math.sqrt(max(0.0, float(values[0])) / float(values[1])) if values[1] > 0.0 else 1.0
    return math.atan2(vectors[1, 1], vectors[0, 1]), thin


def wrapped(angle_rad: float) -> float:
    """The same direction within +-pi."""
    return math.remainder(angle_rad, math.tau)


def folded(angle_rad: float) -> float:
    """The same axis within +-pi/2."""
    return math.remainder(angle_rad, math.pi)
