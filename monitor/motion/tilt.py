"""The angle formulas of docs/frames.md."""

from __future__ import annotations

import numpy as np

from monitor.core.inputs import FloatArray


def tilt_deg(up: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Inclination, flexion (+ forward), lateral (+ right) in degrees from the vertical in body axes (n,3)."""
    x, y = up[:, 0], up[:, 1]
    h = np.sqrt(x * x + y * y)
    inclination = np.degrees(np.arctan2(h, up[:, 2]))
    share = inclination / np.where(h > 0.0, h, 1.0)
    return inclination, -share * x, share * y
