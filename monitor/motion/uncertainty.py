"""How far each angle can be trusted: one standard deviation from the causes that are known, added as squares.

Checked: the stated 90 % interval (1.645 of these) covers the truth in 85 to 95 % of rows on recordings against optical
capture and on simulated people (benchmarks/measures/uncertainty.py).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray
from monitor.motion.mount.find import Mount

FILTER_DEG = 0.25
"""The filter on a sensor that nobody wears, moved by hand against optical capture (BROAD)."""
THORACIC = ("upper_back", "sternum")
SKIN_THORAX_DEG, SKIN_PELVIS_DEG = 0.84, 1.0
SKIN_SHARE = 0.01
"""Skin and clothes between sensor and trunk: breathing and settling, and so much of how far the trunk has bent (seated bends
and wheelchair driving against rigid bodies on upper and lower back)."""
TIMING_PERIODS = 0.06
"""When a row was measured is known to this part of a sampling period; in a movement that is an angle."""
GRAVITY_ONLY_DEG = 5.0
"""One accelerometer without a gyroscope: 4 to 5 deg (Evans 2024, PMC11219489), and so on fast seated bends."""
MOUNT_DEG = 5.0
"""Of a mount of quality 0: repeated upright standing differs by about this (Schmidt 2018)."""
MOUNT_FORWARD_DEG = 20.0
"""Of forward, about the cranial axis, where the mount's quality is 0."""
UPRIGHT_THORAX_DEG, UPRIGHT_PELVIS_DEG, UPRIGHT_SIDE_DEG = 1.75, 0.8, 0.4
"""Of an upright found in how somebody walks or stands: forward and back people differ in it, and from day to day; to the
sides hardly (simulated people, whose habits spread as in Schmidt 2018)."""
DEFINED = ("usual", "axes")
"""Sources of mounts whose upright is what was said or the pose taken most often: by definition it is not off."""
FILLED_DEG = 3.0
"""A hole of 0.2 s filled by a straight line in a movement of some 60 deg/s."""
BIAS_UNKNOWN_DEG = 0.5
"""Gyroscope bias not yet seen at rest: 0.15 deg/s times the filter's time constant of 3.5 s (motion.orient)."""
BIAS_WANDER_DEG = 0.35
BIAS_WANDER_S = 25.0
"""The bias wanders by 0.1 deg/s in 25 s (motion.orient), times 3.5 s; a random walk, so it grows with the root of time."""
TURN_BIAS_DEG_S = 0.03
"""Of the bias about the vertical, which no accelerometer sees, between two still moments: rest finds it to this (VQF)."""
TURN_SKIN_DEG = 0.55
"""The skin's settling about the trunk's axis, between a still moment and now."""
TURN_SHARE = 0.02
"""Of a turn: scale of the gyroscope (1 %), and the skin that follows it."""


class Deviations(NamedTuple):
    """One standard deviation of each angle, (n,) in degrees; NaN where the angle is."""

    inclination: FloatArray
    flexion: FloatArray
    lateral: FloatArray
    rotation: FloatArray


def deviations_deg(
    mount: Mount,
    placement: str,
    ok: BoolArray,
    rate_hz: float,
    since_still_s: FloatArray,
    rate_deg_s: FloatArray | None,
    tilt_deg: tuple[FloatArray, FloatArray, FloatArray],
    rotation_deg: FloatArray,
) -> Deviations:
    """Of every angle at `placement` under `mount`. `rate_deg_s` (n,3) is None without a gyroscope; `tilt_deg`: inclination,
    flexion, lateral.

    Inclination is as uncertain as flexion; flexion and lateral bend also show part of each other where forward is off.
    """
    inclination, flexion, lateral = tilt_deg
    thoracic = placement in THORACIC
    skin = SKIN_THORAX_DEG if thoracic else SKIN_PELVIS_DEG
    variance = _tilt_variance(skin, ok, rate_hz, since_still_s, rate_deg_s, inclination)
    forth, aside = _mount_variance(mount, UPRIGHT_THORAX_DEG if thoracic else UPRIGHT_PELVIS_DEG)
    forward = math.radians(_forward_sd_deg(mount))
    return Deviations(
        np.sqrt(variance + forth),
        np.sqrt((variance + forth) + (forward * lateral) ** 2) if mount.forward_known else flexion,
        np.sqrt((variance + aside) + (forward * flexion) ** 2) if mount.forward_known else lateral,
        _rotation_sd_deg(since_still_s, rotation_deg),
    )


def _mount_variance(mount: Mount, upright_deg: float) -> tuple[float, float]:
    """Of the mount's upright: forward and back, and to the sides."""
    if mount.source in DEFINED:
        return 0.0, 0.0
    unsure = (MOUNT_DEG * (1.0 - mount.quality)) ** 2
    return unsure + upright_deg**2, unsure + UPRIGHT_SIDE_DEG**2


def _tilt_variance(
    skin_deg: float,
    ok: BoolArray,
    rate_hz: float,
    since_still_s: FloatArray,
    rate_deg_s: FloatArray | None,
    inclination_deg: FloatArray,
) -> FloatArray:
    bent = inclination_deg * SKIN_SHARE
    variance = bent * bent
    if rate_deg_s is not None:
        bias = since_still_s * (BIAS_WANDER_DEG**2 / BIAS_WANDER_S)
        variance += np.minimum(bias, BIAS_UNKNOWN_DEG**2, out=bias)
        x, y, z = rate_deg_s[:, 0], rate_deg_s[:, 1], rate_deg_s[:, 2]
        variance += (TIMING_PERIODS / rate_hz) ** 2 * (x * x + y * y + z * z)
        constant = FILTER_DEG**2 + skin_deg**2
    else:
        constant = GRAVITY_ONLY_DEG**2
    variance += constant
    variance[~ok] += FILLED_DEG**2
    return variance


def _forward_sd_deg(mount: Mount) -> float:
    """As the mount states it, else from its quality."""
    if math.isfinite(mount.forward_sd_deg):
        return mount.forward_sd_deg
    return MOUNT_FORWARD_DEG * (1.0 - mount.quality)


def _rotation_sd_deg(since_still_s: FloatArray, rotation_deg: FloatArray) -> FloatArray:
    variance = since_still_s * TURN_BIAS_DEG_S
    variance *= variance
    turn = rotation_deg * TURN_SHARE
    turn *= turn
    variance += turn
    variance += TURN_SKIN_DEG**2
    return np.sqrt(variance, out=variance)
