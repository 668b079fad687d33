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
from monitor.motion.bends import MIN_BENDS, bends_witness, find_bends, leans_witness
from monitor.motion.gait import STEP_SD_DEG, Walking, find_walking, gait_witnesses
from monitor.motion.witness import Witness, agreed, within

G_M_S2 = 9.80665
MIN_S = 4.0
MIN_WALK_S = 4.0
"""Seven steps: a walk of 5 s contains as much whatever second it begins in."""
LONG_WALK_S, STRAY_SDS = 20.0, 3.0
"""Who walks this long was not just calibrating: leans further than so many deviations from the walk's forward are then
whatever the wearer did, lying down for one, and are left out. In a short take they mean that something is wrong [I]."""
MIN_QUIET_S = 3.0
QUIET_M_S2 = 0.02 * G_M_S2
"""Largest standard deviation of |acc| in a quiet second (posture reference, R1)."""
QUIET_DEG = 1.5
"""Largest change of the vertical in sensor axes within a quiet second."""
SAME_POSE_DEG = 15.0
SAME_POSE_SHARE = 0.6
MAX_FORWARD_SD_DEG = 10.0
"""A forward known no better is refused: at twice it a bend would show a third of itself as side bend [I]."""
QUALITY_0_DEG = 30.0
"""Standard deviation of forward at which the quality is 0."""
USUAL_QUALITY = 0.1
"""Of a mount whose up is only the most frequent pose: the wearer may have been leaning all the time [I]."""


@dataclass(frozen=True, slots=True)
class Mount:
    """`quat` w x y z, sensor -> body. `quality` 0..1. `source`: `gait`, `bends`, `gait+bends`, `quiet`, `axes` or `usual`.

    Without `forward_known` x and y are some two level axes of the sensor. `forward_sd_deg`: one standard deviation of
    forward about the cranial axis, NaN where it is unknown or given. `refusal`: why
    forward is unknown and what to do about it.
    """

    quat: tuple[float, float, float, float]
    quality: float
    forward_known: bool
    source: str
    forward_sd_deg: float = math.nan
    refusal: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Forward:
    direction: FloatArray
    sd_deg: float
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
    walking = _in_one_pose(find_walking(acc, up, rate_hz), up)
    if walking is not None and float(walking.rows.sum()) < MIN_WALK_S * rate_hz:
        walking = None
    cranial, up_quality = _quiet_up(acc, up, rate_hz) if walking is None else _walking_up(up, walking)
    try:
        forward = _forward(acc, up, cranial, walking, rate_hz, placement)
    except MountError as refused:
        if need_forward:
            raise
        source = "quiet" if walking is None else "gait"
        quat = _rotation(cranial, _level(cranial)[0])
        return Mount(quat, up_quality, False, source, refusal=f"{refused.sentence} {refused.next_step}")
    quality = min(up_quality, max(0.0, 1.0 - forward.sd_deg / QUALITY_0_DEG))
    return Mount(_rotation(cranial, forward.direction), quality, True, forward.source, forward.sd_deg)


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


def _in_one_pose(walking: Walking, up: FloatArray) -> Walking | None:
    """The walking windows in one pose with most of them: shaken lying down is not walking upright."""
    if not walking.starts:
        return None
    means = np.array([np.mean(up[start : start + walking.length], axis=0) for start in walking.starts])
    most = _one_pose(means)
    starts = tuple(start for start, kept in zip(walking.starts, most, strict=True) if kept)
    rows = np.zeros_like(walking.rows)
    for start in starts:
        rows[start : start + walking.length] = True
    return Walking(rows, walking.step_hz[most], starts, walking.length)


def _walking_up(up: FloatArray, walking: Walking) -> tuple[FloatArray, float]:
    """Steps sway the vertical; what says how sure its mean is are means over several steps."""
    return _mean_up(
        np.array([np.mean(up[start : start + walking.length], axis=0) for start in walking.starts])
    )


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
    e1, e2 = _level(cranial)
    vertical = np.stack([np.einsum("ij,j->i", up, axis) for axis in (cranial, e1, e2)], axis=1)
    tilt_deg = np.degrees(np.arccos(np.clip(vertical[:, 0], -1.0, 1.0)))
    free = np.ones(len(acc), bool) if walking is None else ~walking.rows
    directions, bending = find_bends(vertical[:, 1:], tilt_deg, free, rate_hz)
    bends = bends_witness(directions, placement)
    gait: list[Witness] = []
    if walking is not None and placement in STEP_SD_DEG:
        linear = acc - G_M_S2 * up
        along = np.stack([np.einsum("ij,j->i", linear, axis) for axis in (cranial, e1, e2)], axis=1)
        gait = gait_witnesses(along[:, 0], along[:, 1:], walking, rate_hz, placement)
    if bends is None and len(directions) >= MIN_BENDS and not gait:
        raise MountError(
            "The bends went in different directions.", "Bend straight forward twice, gently.", "disagree"
        )
    if not gait and (bends is None or len(directions) < MIN_BENDS):
        raise _nothing_signed(walking, placement)
    leans = leans_witness(vertical[:, 1:], tilt_deg, free & ~bending, rate_hz, placement)
    leaning = [witness for witness in (bends, leans) if witness is not None]
    if gait and walking is not None and float(walking.rows.sum()) >= LONG_WALK_S * rate_hz:
        leaning = [witness for witness in leaning if within(witness, gait[0], STRAY_SDS)]
    witnesses = [*gait, *leaning]
    together = agreed(witnesses)
    if together is None:
        raise MountError(
            "Walking and bending point in opposite directions.",
            "Fix the sensor firmly and calibrate again, bending straight forward.",
            "disagree",
        )
    angle, sd = together
    if math.degrees(sd) > MAX_FORWARD_SD_DEG:
        raise MountError(
            f"Forward is known to {math.degrees(sd):.0f} degrees only: what was seen does not agree.",
            "Fix the sensor firmly, walk straight on for 10 s or bend straight forward twice.",
            "disagree",
        )
    source = "+".join(w.name for w in witnesses if w.signed)
    return _Forward(math.cos(angle) * e1 + math.sin(angle) * e2, math.degrees(sd), source)


def _nothing_signed(walking: Walking | None, placement: str) -> MountError:
    if walking is not None and placement in STEP_SD_DEG:
        return MountError(
            "The steps do not look like walking forward on the level.",
            "Walk straight on, not on stairs, or bend forward twice, gently.",
            "disagree",
        )
    if walking is not None:
        return MountError(
            "At the upper back or chest walking does not tell which way is forward.",
            "Bend forward twice, gently.",
            "thoracic_gait",
        )
    return MountError(
        "Nothing told which way is forward.", "Bend forward twice, gently, or walk for 10 s.", "no_forward"
    )


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
