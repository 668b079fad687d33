"""Where the sensor sits on the body: one rotation, sensor -> body, found from rows or given by axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.core.blocks import PoseBlock
from monitor.core.errors import MountError, SettingsError
from monitor.core.inputs import FloatArray, Mark
from monitor.core.quaternion import from_matrix
from monitor.motion.mount.forward import MAX_FORWARD_SD_DEG, Evidence, find_forward, level_axes
from monitor.motion.mount.gait import Walking, find_walking
from monitor.motion.mount.upright import one_pose, quiet_up, walking_up

MIN_S = 4.0
MIN_WALK_S = 4.0
"""Seven steps: a walk of 5 s contains as much whatever second it begins in."""
QUALITY_0_DEG = 30.0
"""Standard deviation of forward at which the quality is 0."""
USUAL_QUALITY = 0.1
"""Of a mount whose up is only the most frequent pose: the wearer may have been leaning all the time [I]."""


@dataclass(frozen=True, slots=True)
class Mount:
    """`quat` w x y z, sensor -> body. `quality` 0..1. `source`: `gait`, `bends`, `arm`, several of these with `+`,
    `quiet`, `axes` or `usual`.

    Without `forward_known` x and y are some two level axes of the sensor. `forward_sd_deg`: one standard deviation of
    forward about the cranial axis, NaN where it is unknown or given. `refusal`: why
    forward is unknown and what to do about it. `doubt`: why the quality was capped, empty where it was not.
    """

    quat: tuple[float, float, float, float]
    quality: float
    forward_known: bool
    source: str
    forward_sd_deg: float = math.nan
    refusal: str = ""
    doubt: str = ""

    @property
    def forward_off_deg(self) -> float:
        """One standard deviation of forward: `forward_sd_deg`, and where that is unknown what the quality leaves open."""
        if math.isfinite(self.forward_sd_deg):
            return self.forward_sd_deg
        return QUALITY_0_DEG * (1.0 - self.quality)

    def mark(self, sensor: str, t_host_s: float) -> Mark:
        """The Mark that puts it in force. Where the quality was capped, that says how far forward may be off, not the search."""
        value = {
            "sensor": sensor,
            "quat": list(self.quat),
            "quality": self.quality,
            "forward_known": self.forward_known,
            "source": self.source,
        }
        if self.doubt:
            value["doubt"] = self.doubt
        elif math.isfinite(self.forward_sd_deg):
            value["forward_sd_deg"] = self.forward_sd_deg
        return Mark(t_host_s, "mount", value)


def find_mount(
    poses: Sequence[PoseBlock],
    placement: str,
    need_forward: bool = True,
    most_sd_deg: float = MAX_FORWARD_SD_DEG,
) -> Mount:
    """The mount from oriented rows of one sensor: up from walking, else from standing or sitting quietly upright;
    forward from walking (lower back and waist only), from leaning any way (lower and upper back: the side the sensor is on)
    and from two gentle bends forward. A forward with a standard deviation above `most_sd_deg` is refused.

    Raises MountError, `datum` being `too_short`, `moving`, `disagree`, and unless `need_forward` is False also
    `no_forward` and `thoracic_gait`.
    """
    acc, gyr, up, rate_hz = _gathered(poses)
    if len(acc) < MIN_S * rate_hz:
        raise MountError(
            f"Only {len(acc) / rate_hz:.0f} s of data came.",
            f"Calibrate again for at least {MIN_S:.0f} s.",
            "too_short",
        )
    walking = _in_one_pose(find_walking(acc, up, rate_hz), up)
    if walking is not None and float(walking.rows.sum()) < MIN_WALK_S * rate_hz:
        walking = None
    cranial, up_quality = quiet_up(acc, up, rate_hz) if walking is None else walking_up(up, walking)
    try:
        forward = find_forward(Evidence(acc, gyr, up, rate_hz, walking, placement), cranial, most_sd_deg)
    except MountError as refused:
        if need_forward:
            raise
        source = "quiet" if walking is None else "gait"
        quat = _rotation(cranial, level_axes(cranial)[0])
        return Mount(quat, up_quality, False, source, refusal=f"{refused.sentence} {refused.next_step}")
    quality = min(up_quality, max(0.0, 1.0 - forward.sd_deg / QUALITY_0_DEG))
    return Mount(_rotation(cranial, forward.direction), quality, True, forward.source, forward.sd_deg)


def usual_mount(poses: Sequence[PoseBlock]) -> Mount:
    """A makeshift where `find_mount` refuses: up is the vertical of the pose taken most often, whatever that is.

    Forward stays unknown; `quality` is USUAL_QUALITY. Inclination is then relative to that pose. Raises MountError
    (`too_short`) below one second of data.
    """
    acc, _, up, rate_hz = _gathered(poses)
    window = max(1, round(rate_hz))
    whole = len(acc) // window
    if whole < 1:
        raise MountError("There is less than a second of data.", "", "too_short")
    means = up[: whole * window].reshape(whole, window, 3).mean(axis=1)
    cranial = np.mean(means[one_pose(means)], axis=0)
    cranial /= np.sqrt(np.sum(cranial**2))
    return Mount(_rotation(cranial, level_axes(cranial)[0]), USUAL_QUALITY, False, "usual")


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


def mount_of(value: Any) -> Mount:
    """The mount of a Mark. Raises SettingsError where it is no rotation."""
    try:
        quat = np.array(value["quat"], dtype=np.float64)
        size = float(np.sqrt(np.sum(quat * quat)))
        quality = float(value.get("quality", 1.0))
        forward_sd_deg = float(value.get("forward_sd_deg", math.nan))
    except (KeyError, TypeError, ValueError):
        quat, size, quality, forward_sd_deg = np.empty(0), 0.0, math.nan, math.nan
    good = quat.shape == (4,) and 0.9 < size < 1.1 and 0.0 <= quality <= 1.0
    if not good or forward_sd_deg < 0.0:
        raise SettingsError(
            "The mount is not a rotation with a quality of 0 to 1.", "Calibrate again.", "mount"
        )
    w, x, y, z = (quat / size).tolist()
    known, source = bool(value.get("forward_known", True)), str(value.get("source", "mark"))
    return Mount((w, x, y, z), quality, known, source, forward_sd_deg)


def _bad_axes(text: str) -> SettingsError:
    return SettingsError(f"{text!r} does not name two axes.", "Write for example forward=+z,up=+x.", "mount")


def _gathered(poses: Sequence[PoseBlock]) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    if not poses:
        return np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 3)), 1.0
    acc = np.concatenate([pose.imu.acc for pose in poses])
    none = np.full((1, 3), np.nan)
    gyr = np.concatenate(
        [none.repeat(len(pose), axis=0) if pose.imu.gyr is None else pose.imu.gyr for pose in poses]
    )
    up = np.concatenate([pose.up for pose in poses])
    known = np.isfinite(up).all(axis=1)
    return acc[known], gyr[known], up[known], poses[0].imu.rate_hz or 1.0


def _in_one_pose(walking: Walking, up: FloatArray) -> Walking | None:
    """The walking windows in one pose with most of them: shaken lying down is not walking upright."""
    if not walking.starts:
        return None
    means = np.array([np.mean(up[start : start + walking.length], axis=0) for start in walking.starts])
    most = one_pose(means)
    starts = tuple(start for start, kept in zip(walking.starts, most, strict=True) if kept)
    rows = np.zeros_like(walking.rows)
    for start in starts:
        rows[start : start + walking.length] = True
    return Walking(rows, walking.step_hz[most], starts, walking.length)


def _unit(v: FloatArray) -> FloatArray:
    unit: FloatArray = v / np.sqrt(np.sum(v * v))
    return unit


def _rotation(cranial: FloatArray, forward: FloatArray) -> tuple[float, float, float, float]:
    x = _unit(forward - np.sum(forward * cranial) * cranial)
    w, i, j, k = from_matrix(np.stack((x, np.cross(cranial, x), cranial))).tolist()
    return w, i, j, k
