"""Directions as three plain numbers: quick where they come one at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

Direction = tuple[float, float, float]


def unit(v: Direction) -> Direction:
    """`v` scaled to length 1; nothing stays nothing."""
    x, y, z = v
    size = math.sqrt(x * x + y * y + z * z) or 1.0
    return (x / size, y / size, z / size)


def cosine(a: Direction, b: Direction) -> float:
    """Of the angle between two directions; NaN passes through."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def angle_deg(a: Direction, b: Direction) -> float:
    """Angle between two directions; NaN passes through."""
    c = cosine(a, b)
    return math.degrees(math.acos(max(-1.0, min(1.0, c)))) if c == c else math.nan


def turned(v: Direction, old: Direction, new: Direction) -> Direction:
    """`v` by the least turn from `old` to `new`, which are not opposite."""
    ax, ay, az = (
        old[1] * new[2] - old[2] * new[1],
        old[2] * new[0] - old[0] * new[2],
        old[0] * new[1] - old[1] * new[0],
    )
    c = cosine(old, new)
    along = (ax * v[0] + ay * v[1] + az * v[2]) / (1.0 + c)
    x, y, z = v
    return unit(
        (
            c * x + ay * z - az * y + along * ax,
            c * y + az * x - ax * z + along * ay,
            c * z + ax * y - ay * x + along * az,
        )
    )


def mean(ups: Sequence[Direction]) -> Direction:
    """Unit mean of unit vectors."""
    x = y = z = 0.0
    for up in ups:
        x, y, z = x + up[0], y + up[1], z + up[2]
    return unit((x, y, z))
