"""Where the sensor sits on the body: one rotation, sensor -> body, found from rows or given by axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.core.blocks import PoseBlock
from monitor.core.errors import MountError, SettingsError
from monitor.core.inputs import BoolArray, FloatArray
from monitor.core.quaternion import from_matrix
from monitor.motion.gait import Walking, find_walking, forward_from_gait

G_M_S2 = 9.80665
MIN_S = 5.0
MIN_WALK_S = 8.0
MIN_QUIET_S = 3.0
QUIET_M_S2 = 0.02 * G_M_S2
"""Largest standard deviation of |acc| in a quiet second (posture reference, R1)."""
QUIET_DEG = 1.5
"""Largest change of the vertical in sensor axes within a quiet second."""
SAME_POSE_DEG = 15.0
SAME_POSE_SHARE = 0.6
BEND_FROM_DEG, BEND_PEAK_DEG, BEND_MOST_DEG = 10.0, 20.0, 110.0
BEND_S = (0.5, 15.0)
MIN_BENDS = 2
BENDS_AGREE = 0.9
"""Least mean resultant length of the bends' directions: two bends within 50 deg of each other."""
GAIT_AGREES = 0.3
METHODS_DEG = 60.0
"""Gait is good to some 20 deg: further apart than this, gait and bends tell of different things."""
USUAL_QUALITY = 0.1
"""Of a mount whose up is only the most frequent pose: the wearer may have been leaning all the time [I]."""
GAIT_PLACEMENTS = ("lower_back", "waist")


@dataclass(frozen=True, slots=True)
class Mount:
    """`quat` w x y z, sensor -> body. `quality` 0..1. `source`: `gait`, `bends`, `gait+bends`, `quiet`, `axes` or `usual`.

    Without `forward_known` x and y are some two level axes of the sensor.
    """

    quat: tuple[float, float, float, float]
    quality: float
    forward_known: bool
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class _Forward:
    direction: FloatArray
    quality: float
    source: str


def find_mount(poses: Sequence[PoseBlock], placement: str, need_forward: bool = True) -> Mount:
    """The mount from oriented rows of one sensor: up from walking, else from standing or sitting quietly upright;
    forward from walking (lower back and waist only) and from two gentle bends forward.

    Raises MountError, `datum` being `too_short`, `moving`, `disagree`, and unless `need_forward` is False also
    `no_forward` and `thoracic_gait`.
    """
    acc, up, rate_hz = _gathered(poses)
    if len(acc) < MIN_S * rate_hz:
        raise MountError(
            f"Only {len(acc) / rate_hz:.0f} s of data came.",
            f"Calibrate again for at least {MIN_S:.0f} s.",
            "too_short",
        )
    walking = find_walking(acc, up, rate_hz)
    walks = len(walking.starts) * walking.length >= MIN_WALK_S * rate_hz
    cranial, up_quality = _walking_up(up, walking) if walks else _quiet_up(acc, up, rate_hz)
    try:
        forward = _forward(acc, up, cranial, walking if walks else None, rate_hz, placement)
    except MountError:
        if need_forward:
            raise
        return Mount(_rotation(cranial, _level(cranial)[0]), up_quality, False, "gait" if walks else "quiet")
    return Mount(
        _rotation(cranial, forward.direction), min(up_quality, forward.quality), True, forward.source
    )


def usual_mount(poses: Sequence[PoseBlock]) -> Mount:
    """A makeshift where `find_mount` refuses: up is the vertical of the pose taken most often, whatever that is.

    Forward stays unknown; `quality` is USUAL_QUALITY. Inclination is then relative to that pose. Raises MountError
    (`too_short`) below one second of data.
    """
    acc, up, rate_hz = _gathered(poses)
    window = max(1, round(rate_hz))
    whole = len(acc) // window
    if whole < 1:
        raise MountError("There is less than a second of data.", "", "too_short")
    means = up[: whole * window].reshape(whole, window, 3).mean(axis=1)
    cranial = np.mean(means[_one_pose(means)], axis=0)
    cranial /= np.sqrt(np.sum(cranial**2))
    return Mount(_rotation(cranial, _level(cranial)[0]), USUAL_QUALITY, False, "usual")


def mount_from_axes(text: str) -> Mount:
    """The mount of `forward=+z,up=+x`: two different axes of the sensor. Raises SettingsError."""
    axes: dict[str, FloatArray] = {}
    for part in text.replace(" ", "").split(","):
        name, _, axis = part.partition("=")
        if (
            name not in ("forward", "up")
            or name in axes
            or len(axis) != 2
            or axis[0] not in "+-"
            or axis[1] not in "xyz"
        ):
            raise _bad_axes(text)
        axes[name] = np.zeros(3)
        axes[name]["xyz".index(axis[1])] = 1.0 if axis[0] == "+" else -1.0
    if len(axes) < 2 or np.any(axes["up"] * axes["forward"]):
        raise _bad_axes(text)
    return Mount(_rotation(axes["up"], axes["forward"]), 1.0, True, "axes")


def _bad_axes(text: str) -> SettingsError:
    return SettingsError(f"{text!r} does not name two axes.", "Write for example forward=+z,up=+x.", "mount")


def _gathered(poses: Sequence[PoseBlock]) -> tuple[FloatArray, FloatArray, float]:
    if not poses:
        return np.empty((0, 3)), np.empty((0, 3)), 1.0
    acc = np.concatenate([pose.imu.acc for pose in poses])
    up = np.concatenate([pose.up for pose in poses])
    known = np.isfinite(up).all(axis=1)
    return acc[known], up[known], poses[0].imu.rate_hz or 1.0


def _walking_up(up: FloatArray, walking: Walking) -> tuple[FloatArray, float]:
    """Mean vertical over the walking windows in one pose with most of them: shaken lying down is not walking upright."""
    windows = np.array([up[start : start + walking.length] for start in walking.starts])
    most = _one_pose(np.mean(windows, axis=1))
    return _mean_up(windows[most].reshape(-1, 3))


def _one_pose(means: FloatArray) -> BoolArray:
    """Which of `means` (n,3) lie within 15 deg of the one that most others are near to."""
    poses = means / np.sqrt(np.sum(means**2, axis=1))[:, None]
    near = np.einsum("ik,jk->ij", poses, poses) >= math.cos(math.radians(SAME_POSE_DEG))
    most: BoolArray = near[int(np.argmax(near.sum(axis=1)))]
    return most


def _mean_up(up: FloatArray) -> tuple[FloatArray, float]:
    """Unit mean, and a quality that falls to 0 at a spread of 30 deg."""
    mean = np.mean(up, axis=0)
    length = float(np.sqrt(np.sum(mean * mean)))
    if length == 0.0:
        return np.array((0.0, 0.0, 1.0)), 0.0
    spread_deg = math.degrees(math.sqrt(2 * max(0.0, 1 - length)))
    return mean / length, max(0.0, 1 - spread_deg / 30)


def _quiet_up(acc: FloatArray, up: FloatArray, rate_hz: float) -> tuple[FloatArray, float]:
    """The pose most quiet seconds share."""
    length = round(rate_hz)
    count = len(acc) // length
    size = np.sqrt(np.einsum("ij,ij->i", acc, acc))[: count * length].reshape(count, length)
    seconds = up[: count * length].reshape(count, length, 3)
    means = np.mean(seconds, axis=1)
    moved = np.sqrt(np.sum((seconds - means[:, None]) ** 2, axis=2)).max(axis=1)
    quiet = (np.std(size, axis=1) <= QUIET_M_S2) & (moved <= math.radians(QUIET_DEG))
    if int(quiet.sum()) < MIN_QUIET_S:
        raise MountError(
            "You moved all the time.", "Stand still and upright for a few seconds, then bend.", "moving"
        )
    most = _one_pose(means[quiet])
    if float(np.mean(most)) < SAME_POSE_SHARE:
        raise MountError(
            "You held several different poses.",
            "Stand upright between the bends, as you would want to be.",
            "disagree",
        )
    return _mean_up(means[quiet][most])


def _forward(
    acc: FloatArray,
    up: FloatArray,
    cranial: FloatArray,
    walking: Walking | None,
    rate_hz: float,
    placement: str,
) -> _Forward:
    gait = None
    if walking is not None and placement in GAIT_PLACEMENTS:
        gait = _gait(acc, up, cranial, walking, rate_hz)
    directions = _bends(up, cranial, rate_hz)
    bends = _agreed(directions)
    if gait is not None and bends is not None:
        if float(np.dot(gait.direction, bends.direction)) < math.cos(math.radians(METHODS_DEG)):
            raise MountError(
                "Walking and bending point in different directions.",
                "Fix the sensor firmly and calibrate again, bending straight forward.",
                "disagree",
            )
        both = gait.quality * gait.direction + bends.quality * bends.direction
        return _Forward(_unit(both), max(gait.quality, bends.quality), "gait+bends")
    found = gait or bends
    if found is not None:
        return found
    if len(directions) >= MIN_BENDS:
        raise MountError(
            "The bends went in different directions.", "Bend straight forward twice, gently.", "disagree"
        )
    if walking is not None and placement not in GAIT_PLACEMENTS:
        raise MountError(
            "At the upper back or chest walking does not tell which way is forward.",
            "Bend forward twice, gently.",
            "thoracic_gait",
        )
    raise MountError(
        "Nothing told which way is forward.", "Bend forward twice, gently, or walk for 20 s.", "no_forward"
    )


def _gait(
    acc: FloatArray, up: FloatArray, cranial: FloatArray, walking: Walking, rate_hz: float
) -> _Forward | None:
    linear = acc - G_M_S2 * up
    e1, e2 = _level(cranial)
    horizontal = np.stack((np.einsum("ij,j->i", linear, e1), np.einsum("ij,j->i", linear, e2)), axis=1)
    vertical = np.einsum("ij,j->i", linear, cranial)
    direction, quality = forward_from_gait(vertical, horizontal, walking, rate_hz)
    if quality < GAIT_AGREES:
        return None
    return _Forward(direction[0] * e1 + direction[1] * e2, quality, "gait")


def _bends(up: FloatArray, cranial: FloatArray, rate_hz: float) -> list[FloatArray]:
    """Unit level direction towards which the trunk leaned at the peak of each excursion from upright and back."""
    along = np.einsum("ij,j->i", up, cranial)
    tilt = np.degrees(np.arccos(np.clip(along, -1.0, 1.0)))
    directions = []
    for start, end in _runs(tilt > BEND_FROM_DEG):
        peak = start + int(np.argmax(tilt[start:end]))
        back = start > 0 and end < len(tilt)
        lasted = BEND_S[0] <= (end - start) / rate_hz <= BEND_S[1]
        if back and lasted and BEND_PEAK_DEG <= tilt[peak] <= BEND_MOST_DEG:
            # Leaning forward brings the vertical behind the body: forward is where it went away from.
            directions.append(_unit(along[peak] * cranial - up[peak]))
    return directions


def _agreed(directions: list[FloatArray]) -> _Forward | None:
    if len(directions) < MIN_BENDS:
        return None
    mean = np.mean(np.array(directions), axis=0)
    length = float(np.sqrt(np.sum(mean * mean)))
    if length < BENDS_AGREE:
        return None
    return _Forward(mean / length, (length - BENDS_AGREE) / (1 - BENDS_AGREE), "bends")


def _runs(flags: BoolArray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _unit(v: FloatArray) -> FloatArray:
    unit: FloatArray = v / np.sqrt(np.sum(v * v))
    return unit


def _level(cranial: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two sensor axes square to `cranial` and to each other, the first from the sensor axis that is most level."""
    axis = np.zeros(3)
    axis[int(np.argmin(np.abs(cranial)))] = 1.0
    first = _unit(axis - np.sum(axis * cranial) * cranial)
    return first, np.cross(cranial, first)


def _rotation(cranial: FloatArray, forward: FloatArray) -> tuple[float, float, float, float]:
    x = _unit(forward - np.sum(forward * cranial) * cranial)
    w, i, j, k = from_matrix(np.stack((x, np.cross(cranial, x), cranial))).tolist()
    return w, i, j, k
