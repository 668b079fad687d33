"""The wearer's own upright: the mean vertical, in body axes, while walking; before any walking the neutral pose."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.core.inputs import FloatArray

Direction3 = tuple[float, float, float]

WALKED_ENOUGH_S = 8.0  # walking that makes a reference: some ten steps [I]
MEMORY_S = 60.0  # the reference is a mean over about this much walking, to follow a creeping strap [I]
NEUTRAL: Direction3 = (0.0, 0.0, 1.0)


@dataclass(slots=True)
class UprightReference:
    """Folded from walking; `walked` once there was enough of it."""

    mean: Direction3 = NEUTRAL
    seconds: float = 0.0

    @property
    def walked(self) -> bool:
        return self.seconds >= WALKED_ENOUGH_S

    @property
    def direction(self) -> Direction3:
        return self.mean if self.walked else NEUTRAL

    def forget(self) -> None:
        self.mean, self.seconds = NEUTRAL, 0.0

    def walk(self, up: Direction3, seconds: float) -> None:
        """Take in `seconds` of walking with this mean vertical (unit). NaN is passed over."""
        if math.isnan(up[0]):
            return
        self.seconds = min(self.seconds + seconds, MEMORY_S)
        share = min(1.0, seconds / self.seconds)
        x, y, z = (old + share * (new - old) for old, new in zip(self.mean, up, strict=True))
        norm = math.sqrt(x * x + y * y + z * z) or 1.0
        self.mean = (x / norm, y / norm, z / norm)


@dataclass(slots=True)
class UprightFlexion:
    """The wearer's own flexion while walking, deg; the neutral pose (0) before any walking."""

    mean_deg: float = 0.0
    seconds: float = 0.0

    @property
    def flexion_deg(self) -> float:
        return self.mean_deg if self.seconds >= WALKED_ENOUGH_S else 0.0

    def forget(self) -> None:
        self.mean_deg = self.seconds = 0.0

    def walk(self, flexion_deg: float, seconds: float) -> None:
        """Take in `seconds` of walking. NaN is passed over."""
        if flexion_deg == flexion_deg:
            self.seconds = min(self.seconds + seconds, MEMORY_S)
            self.mean_deg += min(1.0, seconds / self.seconds) * (flexion_deg - self.mean_deg)


def angle_deg(a: Direction3, b: Direction3) -> float:
    """Angle between two directions; NaN passes through."""
    cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) if cosine == cosine else math.nan


def angles_deg(up: FloatArray, direction: Direction3) -> FloatArray:
    """Angles (n,) between each of the directions `up` (3, n) and one; NaN passes through."""
    cosine = up[0] * direction[0] + up[1] * direction[1] + up[2] * direction[2]
    angle: FloatArray = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return angle
