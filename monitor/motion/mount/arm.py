"""Which side of the body the sensor is on: from where it sits beside the axis about which the trunk leans.

A sensor on the back rises when the trunk begins to lean forward and sinks when it begins to lean back, and is drawn towards
the axis either way: the arm from the axis to the sensor points backward, whatever the wearer does and however deep. How deep
people lean tells no sign: seated athletes lean back deeper than forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray
from monitor.motion.mount.witness import Witness

ARM_SD_DEG = {"lower_back": 11.0, "upper_back": 13.0}
"""How far the level part of the arm strays from straight back between people: seated bends and wheelchair driving of 8
people, seated bends of 5. On the chest and at the waist (which side?) not shown."""
SMOOTH_S = 0.3
"""Jolts and skin are faster than leaning."""
LEANING_DEG_S = 20.0
LEAST_S = 1.0
"""Of leaning that fast; one bend takes as long."""
ARM_M = (0.05, 0.35)
"""Level arms of 95 wheelchair trials: 0.1 to 0.28 m at the lower back, at the upper back down to none in who sits slouched:
then nothing is said."""
LIKELY_M, NOISE_M_S2 = 0.3, 0.3
"""An arm before anything is seen is nought give or take this: one bend alone says nothing of its part along the axis. And
the noise of skin against which that counts [I]."""
TIMES_SD = 4.0
"""An arm not so many of its deviations long tells no side."""
LEAST_EXPLAINED = 0.25
"""Of the acceleration while leaning: 0.4 to 0.9 where the trunk leans on a seat, less where the body moves otherwise."""
OPPOSES_M = 0.02
"""An arm this far to the front is one."""
MOST_HEIGHT_M = 0.08
"""Largest height (90th percentile) that the arm leaves unexplained: 0.01 to 0.08 m in leaning; rising from a seat and
sitting down, which turn the trunk and lift it at once and so feign an arm in front, 0.18 to 0.25."""
HEIGHT_HZ = (0.2, 3.0)


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """`level` (2,) m from the axis of leaning to the sensor along two level axes, its covariance, and how much of the
    acceleration it explains.
    """

    level: FloatArray
    spread: FloatArray
    explained: float

    def witness(self, placement: str) -> Witness | None:
        """Forward by the arm; None where it tells no side."""
        length_m = math.hypot(self.level[0], self.level[1])
        if not ARM_M[0] <= length_m <= ARM_M[1] or self.explained < LEAST_EXPLAINED:
            return None
        along, across = self.level / length_m, np.array((-self.level[1], self.level[0])) / length_m
        if length_m < TIMES_SD * math.sqrt(along @ self.spread @ along):
            return None
        own = float(across @ self.spread @ across) / length_m**2
        sd = math.sqrt(math.radians(ARM_SD_DEG[placement]) ** 2 + own)
        return Witness("arm", math.atan2(-self.level[1], -self.level[0]), sd, True)

    def opposes(self, forward_rad: float) -> bool:
        """The sensor seems to sit in front, were this forward."""
        ahead = np.array((math.cos(forward_rad), math.sin(forward_rad)))
        return float(self.level @ ahead) > max(OPPOSES_M, math.sqrt(ahead @ self.spread @ ahead))


def find_arm(
    linear: FloatArray, rate: FloatArray, up: FloatArray, free: BoolArray, rate_hz: float, placement: str
) -> Arm | None:
    """The arm seen in leaning while `free`; None where there is too little of it, or the body rose and sank as well.

    `linear` (n,3) m/s2 acceleration without gravity, `rate` (n,3) rad/s, `up` (n,3) the vertical: along two level axes of
    the sensor and the cranial one, which is the last. None without a gyroscope and where the sensor is not on the back.
    """
    if placement not in ARM_SD_DEG or not np.isfinite(rate).all():
        return None
    felt, turning = _smoothed(linear, rate_hz), _smoothed(rate, rate_hz)
    leaning = free & (np.hypot(turning[:, 0], turning[:, 1]) > math.radians(LEANING_DEG_S))
    if float(leaning.sum()) < LEAST_S * rate_hz:
        return None
    of_arm = _acceleration_per_arm(turning, np.gradient(turning, axis=0) * rate_hz)
    # Offsets of the accelerometer are constant.
    design = of_arm[leaning] - np.mean(of_arm[leaning], axis=0)
    target = felt[leaning] - np.mean(felt[leaning], axis=0)
    # Smoothed rows are not independent of their neighbours.
    alike = max(1.0, SMOOTH_S * rate_hz)
    prior = alike * (NOISE_M_S2 / LIKELY_M) ** 2 * np.eye(3)
    inverse = np.linalg.inv(np.einsum("nij,nik->jk", design, design) + prior)
    arm = inverse @ np.einsum("nij,ni->j", design, target)
    left = target - np.einsum("nij,j->ni", design, arm)
    unexplained = np.einsum("ij,ij->i", felt - np.einsum("nij,j->ni", of_arm, arm), up)
    if float(np.quantile(np.abs(_height(unexplained, rate_hz)[leaning]), 0.9)) > MOST_HEIGHT_M:
        return None
    spread = inverse * (float(np.mean(left**2)) * alike)
    everything = float(np.sum(target**2))
    explained = 1.0 - float(np.sum(left**2)) / everything if everything > 0.0 else 0.0
    return Arm(arm[:2], spread[:2, :2], explained)


def _acceleration_per_arm(rate: FloatArray, gain: FloatArray) -> FloatArray:
    """(n,3,3): times an arm (m) the acceleration of its end, tangential and centripetal."""
    turn = _cross_matrix(rate)
    per_arm: FloatArray = _cross_matrix(gain) + np.einsum("nij,njk->nik", turn, turn)
    return per_arm


def _cross_matrix(v: FloatArray) -> FloatArray:
    x, y, z = v.T
    zero = np.zeros(len(v))
    rows = ((zero, -z, y), (z, zero, -x), (-y, x, zero))
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def _smoothed(columns: FloatArray, rate_hz: float) -> FloatArray:
    weights = np.hanning(2 * max(1, round(0.5 * SMOOTH_S * rate_hz)) + 3)[1:-1]
    weights /= np.sum(weights)
    half = len(weights) // 2
    padded = np.pad(columns, ((half, half), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, weights, mode="valid") for column in padded.T], axis=1)


def _height(acceleration: FloatArray, rate_hz: float) -> FloatArray:
    """m, of upward acceleration integrated twice within HEIGHT_HZ."""
    n = len(acceleration)
    padding = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(acceleration - np.mean(acceleration), padding)
    hz = np.fft.rfftfreq(padding, 1.0 / rate_hz)
    within = (hz > HEIGHT_HZ[0]) & (hz < HEIGHT_HZ[1])
    spectrum[~within] = 0.0
    spectrum[within] /= -((2.0 * math.pi * hz[within]) ** 2)
    height: FloatArray = np.fft.irfft(spectrum, padding)[:n]
    return height
