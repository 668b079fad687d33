"""How far the inclination can be trusted: one standard deviation from the causes that are known."""

from __future__ import annotations

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray

FILTER_DEG = 1.2
"""VQF at the upper and lower back against optical capture, seated bends at 50 Hz: 0.95 and 1.44 deg, median."""
GRAVITY_ONLY_DEG = 4.5
"""One accelerometer without a gyroscope: 4 to 5 deg (Evans 2024, PMC11219489)."""
MOUNT_DEG = 5.0
"""Of a mount of quality 0: repeated upright standing differs by about this (Schmidt 2018)."""
FILLED_DEG = 3.0
"""A hole of 0.2 s filled by a straight line in a movement of some 60 deg/s."""
BIAS_UNKNOWN_DEG = 1.5
"""Gyroscope bias not yet seen at rest: VQF starts from 0.5 deg/s and its accelerometer loop has a time constant of 3 s."""
BIAS_WANDER_DEG = 0.3
BIAS_WANDER_S = 100.0
"""VQF lets the bias wander by 0.1 deg/s in 100 s, times 3 s; a random walk, so it grows with the root of time."""


def inclination_sd_deg(
    quality: float, since_still_s: FloatArray, ok: BoolArray, gyroscope: bool
) -> FloatArray:
    """Causes added as squares. `quality` of the mount 0..1 (NaN: no mount, no value)."""
    mount = MOUNT_DEG * (1.0 - quality)
    if gyroscope:
        variance = since_still_s * (BIAS_WANDER_DEG**2 / BIAS_WANDER_S)
        np.minimum(variance, BIAS_UNKNOWN_DEG**2, out=variance)
        variance += FILTER_DEG**2
    else:
        variance = np.full(len(ok), GRAVITY_ONLY_DEG**2)
    variance += mount**2
    variance[~ok] += FILLED_DEG**2
    return np.sqrt(variance, out=variance)
