"""The cranial direction in sensor axes, from walking or from standing or sitting quietly."""

from __future__ import annotations

import math

import numpy as np

from monitor.core.errors import MountError
from monitor.core.inputs import BoolArray, FloatArray
from monitor.motion.mount.gait import Walking

G_M_S2 = 9.80665
MIN_QUIET_S = 3.0
QUIET_M_S2 = 0.02 * G_M_S2
"""Largest standard deviation of |acc| in a quiet second (posture reference, R1)."""
QUIET_DEG = 1.5
"""Largest change of the vertical in sensor axes within a quiet second."""
CALM_M_S2, CALM_DEG = 0.05 * G_M_S2, 4.0
"""The same of a second in which the wearer waits: enough to know a pose that the take both begins and ends with [I]."""
WAITED_S = 1.0
"""Who never waits that long in a take is never seen at rest."""
TAKE_S = 60.0
"""A recording no longer than this is a take: people begin and end it upright, whatever they do or hold in between. What a
day begins and ends with may be lying."""
RETURNED_DEG = 25.0
"""People come back from a deep bend up to 15 deg from where they began (belt recordings of 20 people)."""
SAME_POSE_DEG = 15.0
SAME_POSE_SHARE = 0.6


def walking_up(up: FloatArray, walking: Walking) -> tuple[FloatArray, float]:
    """Unit mean vertical of walking, and its quality. Steps sway it; what says how sure it is are means over several steps."""
    return _mean_up(
        np.array([np.mean(up[start : start + walking.length], axis=0) for start in walking.starts])
    )


def quiet_up(acc: FloatArray, up: FloatArray, rate_hz: float) -> tuple[FloatArray, float]:
    """The pose a take begins and ends with, else the one most quiet seconds share; and its quality.

    `acc` (n,3) m/s2 and `up` (n,3) in sensor axes. Raises MountError (`moving`, `disagree`).
    """
    length = round(rate_hz)
    count = len(acc) // length
    size = np.sqrt(np.einsum("ij,ij->i", acc, acc))[: count * length].reshape(count, length)
    seconds = up[: count * length].reshape(count, length, 3)
    means = np.mean(seconds, axis=1)
    moved = np.sqrt(np.sum((seconds - means[:, None]) ** 2, axis=2)).max(axis=1)
    jolted = np.std(size, axis=1)
    quiet = (jolted <= QUIET_M_S2) & (moved <= math.radians(QUIET_DEG))
    calm = (jolted <= CALM_M_S2) & (moved <= math.radians(CALM_DEG))
    at_ends = _pose_of_ends(means, calm) if count <= TAKE_S else None
    if at_ends is not None:
        best = next(part for part in (at_ends & quiet, at_ends & calm, at_ends) if np.any(part))
        return _mean_up(means[best])
    if int(quiet.sum()) < MIN_QUIET_S:
        raise MountError(
            "You moved all the time.", "Stand still and upright for a few seconds, then bend.", "moving"
        )
    most = one_pose(means[quiet])
    if float(np.mean(most)) < SAME_POSE_SHARE:
        raise MountError(
            "You held several different poses.",
            "Stand upright between the bends, as you would want to be.",
            "disagree",
        )
    return _mean_up(means[quiet][most])


def one_pose(means: FloatArray) -> BoolArray:
    """Which of `means` (n,3) lie within 15 deg of the one that most others are near to."""
    near = _near(means, means)
    most: BoolArray = near[int(np.argmax(near.sum(axis=1)))]
    return most


def _pose_of_ends(means: FloatArray, calm: BoolArray) -> BoolArray | None:
    """The seconds in the pose of the first and the last one, if that is one pose and the wearer waited anywhere."""
    if int(calm.sum()) < WAITED_S or not _near(means[:1], means[-1:], RETURNED_DEG)[0, 0]:
        return None
    there: BoolArray = np.any(_near(means, means[[0, -1]]), axis=1)
    return there


def _near(some: FloatArray, others: FloatArray, within_deg: float = SAME_POSE_DEG) -> BoolArray:
    near: BoolArray = np.einsum("ik,jk->ij", _units(some), _units(others)) >= math.cos(
        math.radians(within_deg)
    )
    return near


def _units(v: FloatArray) -> FloatArray:
    units: FloatArray = v / np.sqrt(np.sum(v**2, axis=1))[:, None]
    return units


def _mean_up(up: FloatArray) -> tuple[FloatArray, float]:
    """Unit mean, and a quality that falls to 0 at a spread of 30 deg."""
    mean = np.mean(up, axis=0)
    length = float(np.sqrt(np.sum(mean * mean)))
    if length == 0.0:
        return np.array((0.0, 0.0, 1.0)), 0.0
    spread_deg = math.degrees(math.sqrt(2 * max(0.0, 1 - length)))
    return mean / length, max(0.0, 1 - spread_deg / 30)
