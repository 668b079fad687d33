"""How far each angle can be trusted: one standard deviation from the causes that are known, added as squares.

Checked: the stated 90 % interval (1.645 of these) covers the truth in 85 to 95 % of rows on recordings against optical
capture and on simulated people (benchmarks/measures/uncertainty.py).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray
from monitor.motion.mount.find import QUALITY_0_DEG, Mount

GRAVITY_M_S2 = 9.80665
FILTER_DEG = 0.25
"""The filter on a sensor that nobody wears, moved by hand against optical capture (BROAD)."""
THORACIC = ("upper_back", "sternum")
SKIN_THORAX_DEG = 0.55
SKIN_PELVIS_DEG = 0.85
SKIN_SHARE = 0.01
"""Skin and clothes between sensor and trunk, forward and back: breathing and settling, and so much of how far the trunk has bent
(seated bends and wheelchair driving against rigid bodies on upper and lower back)."""
PUSHED_DEG2_PER_M_S2 = 0.5
PUSHED_MOST_M_S2 = 6.0
"""The variance of that grows with how far the acceleration is from gravity: a strap and what hangs on it move when the trunk is
pushed (the same trials; a sensor nobody wears shows nothing of it, BROAD)."""
ASIDE_THORAX_SHARE = 0.8
ASIDE_PELVIS_SHARE = 0.65
"""To the sides skin moves so much less: the spine bends least that way, and a belt holds (the same trials)."""
TIMING_PERIODS = 0.06
"""When a row was measured is known to this part of a sampling period; in a movement that is an angle."""
GRAVITY_ONLY_DEG = 5.0
"""One accelerometer without a gyroscope: 4 to 5 deg (Evans 2024, PMC11219489), and so on fast seated bends."""
MOUNT_DEG = 5.0
"""Of a mount of quality 0: repeated upright standing differs by about this (Schmidt 2018)."""
UPRIGHT_THORAX_DEG = 1.6
UPRIGHT_PELVIS_DEG = 1.25
UPRIGHT_SIDE_DEG = 0.4
"""Of an upright found in how somebody walks or stands: forward and back people differ in it, and from day to day; to the
sides hardly (simulated people, whose habits spread as in Schmidt 2018)."""
ROUNDING = 1e-9
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
    acc: FloatArray,
    tilt_deg: tuple[FloatArray, FloatArray, FloatArray],
    rotation_deg: FloatArray,
) -> Deviations:
    """Of every angle at `placement` under `mount`. `rate_deg_s` (n,3) is None without a gyroscope; `acc` (n,3) m/s2;
    `tilt_deg`: inclination, flexion, lateral.

    Inclination is as uncertain as flexion; flexion and lateral bend also show part of each other where forward is off.
    """
    inclination, flexion, lateral = tilt_deg
    thoracic = placement in THORACIC
    variance = _sensor_variance(ok, rate_hz, since_still_s, rate_deg_s)
    forth, aside = variance, variance
    if rate_deg_s is not None:  # else it is in what one accelerometer alone is off by
        skin = skin_variance(placement, acc, inclination)
        forth = variance + skin
        skin *= (ASIDE_THORAX_SHARE if thoracic else ASIDE_PELVIS_SHARE) ** 2
        aside = variance + skin
    off_forth, off_aside = _mount_variance(mount, UPRIGHT_THORAX_DEG if thoracic else UPRIGHT_PELVIS_DEG)
    forth = forth + off_forth
    forward = math.radians(mount.forward_off_deg)
    return Deviations(
        np.sqrt(forth),
        np.sqrt(forth + (forward * lateral) ** 2) if mount.forward_known else flexion,
        np.sqrt((aside + off_aside) + (forward * flexion) ** 2) if mount.forward_known else lateral,
        _rotation_sd_deg(since_still_s, rotation_deg),
    )


def skin_variance(placement: str, acc: FloatArray, inclination_deg: FloatArray) -> FloatArray:
    """(n,) deg2, forward and back, of skin and clothes under a sensor at `placement`; `acc` (n,3) m/s2."""
    x, y, z = acc[:, 0], acc[:, 1], acc[:, 2]
    # Half the square's excess is the length's, without a root.
    pushed = x * x
    pushed += y * y
    pushed += z * z
    pushed -= GRAVITY_M_S2**2
    np.abs(pushed, out=pushed)
    pushed *= PUSHED_DEG2_PER_M_S2 / (2.0 * GRAVITY_M_S2)
    np.minimum(pushed, PUSHED_DEG2_PER_M_S2 * PUSHED_MOST_M_S2, out=pushed)
    bent = inclination_deg * SKIN_SHARE
    bent *= bent
    pushed += bent
    pushed += (SKIN_THORAX_DEG if placement in THORACIC else SKIN_PELVIS_DEG) ** 2
    return pushed


def _mount_variance(mount: Mount, upright_deg: float) -> tuple[float, float]:
    """Of the mount's upright: forward and back, and to the sides."""
    if mount.source in DEFINED:
        return 0.0, 0.0
    # A quality that says no more than how far forward may be off has nothing against upright.
    of_forward = mount.quality >= 1.0 - mount.forward_sd_deg / QUALITY_0_DEG - ROUNDING
    unsure = 0.0 if of_forward else (MOUNT_DEG * (1.0 - mount.quality)) ** 2
    return unsure + upright_deg**2, unsure + UPRIGHT_SIDE_DEG**2


def _sensor_variance(
    ok: BoolArray, rate_hz: float, since_still_s: FloatArray, rate_deg_s: FloatArray | None
) -> FloatArray:
    """Of the vertical itself: filter, timing and bias, or of one accelerometer alone."""
    if rate_deg_s is None:
        variance = np.full(len(ok), GRAVITY_ONLY_DEG**2)
    else:
        variance = since_still_s * (BIAS_WANDER_DEG**2 / BIAS_WANDER_S)
        np.minimum(variance, BIAS_UNKNOWN_DEG**2, out=variance)
        x, y, z = rate_deg_s[:, 0], rate_deg_s[:, 1], rate_deg_s[:, 2]
        variance += (TIMING_PERIODS / rate_hz) ** 2 * (x * x + y * y + z * z)
        variance += FILTER_DEG**2
    variance[~ok] += FILLED_DEG**2
    return variance


def _rotation_sd_deg(since_still_s: FloatArray, rotation_deg: FloatArray) -> FloatArray:
    variance = since_still_s * TURN_BIAS_DEG_S
    variance *= variance
    turn = rotation_deg * TURN_SHARE
    turn *= turn
    variance += turn
    variance += TURN_SKIN_DEG**2
    return np.sqrt(variance, out=variance)
