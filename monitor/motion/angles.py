"""The mount applied: oriented rows -> trunk angles (docs/frames.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.core.blocks import PoseBlock, TrunkBlock, freeze, take
from monitor.core.errors import MountError, SettingsError
from monitor.core.events import Gap, MountSet, Notice, Record
from monitor.core.inputs import FloatArray, Mark
from monitor.core.quaternion import to_matrix
from monitor.motion.mount import Mount, find_mount
from monitor.motion.still import Still
from monitor.motion.tilt import DEG_PER_RAD, tilt_deg
from monitor.motion.turn import turned
from monitor.motion.uncertainty import inclination_sd_deg

PUT_BACK_ON = "The sensor was put back on, so its angles are unknown until you calibrate again."


class TrunkAngles:
    """PoseBlock -> TrunkBlock, holding the mount in force.

    Before a mount is known `up`, `acc` and `rate_deg_s` are in sensor axes and every angle is NaN. With a mount whose
    forward is unknown flexion and lateral are NaN, and x and y stand for two level axes of the sensor: of rates and
    accelerations about them only the size means something. `rotation_deg` is NaN until the trunk was still once
    since the last Gap, and without a gyroscope. Marks for this sensor: `sensor` (its placement), `mount`, `calibrate`
    (the rows of the next `seconds` give the mount, in force from the row after; refused with a Notice, the mount staying
    as it was), `attached` (put back on: no mount from there on; one without a sensor is for all).
    """

    def __init__(self, sensor: str | None = None) -> None:
        """`sensor`: whose rows and Marks these are (None: as the first Mark `sensor` or the first rows say)."""
        self._sensor = sensor
        self._placement = "lower_back"
        self._mount: Mount | None = None
        self._matrix = np.eye(3)
        self._still = Still()
        self._seconds: float | None = None
        self._until_s = math.nan
        self._collected: list[PoseBlock] = []

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        for item in items:
            if self._sensor is None:
                self._sensor = _named(item)
            if isinstance(item, PoseBlock) and item.imu.sensor == self._sensor:
                self._poses(item, out)
                continue
            out.append(item)
            if isinstance(item, Gap) and item.sensor == self._sensor:
                self._still = Still()
            elif isinstance(item, Mark) and self._is_mine(item):
                self._marked(item, out)
        return out

    def close(self) -> list[Record]:
        out: list[Record] = []
        if self._seconds is not None:
            self._calibrated(out)
        return out

    def _is_mine(self, mark: Mark) -> bool:
        """A wearer who puts a sensor back on need not say which: then it may be any."""
        return mark.value.get("sensor", self._sensor if mark.kind == "attached" else None) == self._sensor

    def _marked(self, mark: Mark, out: list[Record]) -> None:
        if mark.kind == "sensor":
            self._placement = str(mark.value.get("placement", self._placement))
        elif mark.kind == "mount":
            self._set(_given(mark.value), mark.t_host_s, out)
        elif mark.kind == "calibrate":
            self._seconds = float(mark.value.get("seconds", 20.0))
            self._until_s = math.nan
            self._collected.clear()
        elif mark.kind == "attached":
            self._until_s = math.nan
            self._collected.clear()
            self._put_back_on(mark.t_host_s, out)

    def _put_back_on(self, t_s: float, out: list[Record]) -> None:
        if self._mount is not None:
            self._mount, self._matrix = None, np.eye(3)
            self._still.forget_heading()
            out.append(Notice(t_s, "attached", PUT_BACK_ON, self._sensor or ""))

    def _poses(self, pose: PoseBlock, out: list[Record]) -> None:
        while len(pose):
            if self._seconds is None:
                out.append(self._trunk(pose))
                return
            if math.isnan(self._until_s):
                self._until_s = float(pose.imu.t_s[0]) + self._seconds
            inside = int(np.searchsorted(pose.imu.t_s, self._until_s, side="left")) + 1
            part, pose = take(pose, slice(0, inside)), take(pose, slice(inside, None))
            self._collected.append(part)
            out.append(self._trunk(part))
            if part.imu.t_s[-1] >= self._until_s:
                self._calibrated(out)

    def _calibrated(self, out: list[Record]) -> None:
        at_s = float(self._collected[-1].imu.t_s[-1]) if self._collected else 0.0
        try:
            mount = find_mount(self._collected, self._placement, need_forward=False)
        except MountError as refused:
            text = f"Calibration refused: {refused.sentence} {refused.next_step}"
            out.append(Notice(at_s, f"calibration_{refused.datum}", text, self._sensor or ""))
        else:
            self._set(mount, at_s, out)
            if not mount.forward_known:
                text = (
                    "Upright is known, forward is not: only the inclination is shown. "
                    "Bend forward twice, gently, and calibrate again."
                )
                out.append(Notice(at_s, "calibration_no_forward", text, self._sensor or ""))
        self._seconds = None
        self._collected.clear()

    def _set(self, mount: Mount, t_s: float, out: list[Record]) -> None:
        self._mount, self._matrix = mount, to_matrix(np.array(mount.quat))
        self._still.forget_heading()
        out.append(
            MountSet(self._sensor or "", t_s, mount.quat, mount.quality, mount.forward_known, mount.source)
        )

    def _trunk(self, pose: PoseBlock) -> TrunkBlock:
        imu, n = pose.imu, len(pose)
        rate_hz = imu.rate_hz or 0.0
        mount = self._mount
        unknown = np.full(n, np.nan)
        up, acc = pose.up, imu.acc
        rate, heading = np.full((n, 3), np.nan) if imu.gyr is None else imu.gyr, unknown
        if mount is None:
            rate = rate * DEG_PER_RAD
        else:
            up, acc = turned(self._matrix, up), turned(self._matrix, acc)
            rate = turned(self._matrix * DEG_PER_RAD, rate)
            heading = _heading(pose.quat, mount)
        since_still_s, turned_by = self._still.rows(rate, heading, rate_hz)
        inclination, flexion, lateral = tilt_deg(up) if mount is not None else (unknown, unknown, unknown)
        if mount is None or not mount.forward_known:
            flexion, lateral = unknown, unknown
        quality = mount.quality if mount is not None else math.nan
        sd_deg = inclination_sd_deg(quality, since_still_s, imu.ok, imu.gyr is not None)
        return freeze(
            TrunkBlock(
                *(imu.sensor, imu.t_s, pose.quat, up, inclination, flexion, lateral, turned_by * DEG_PER_RAD),
                *(rate, acc, sd_deg, imu.ok, rate_hz),
            )
        )


def _heading(quat: FloatArray, mount: Mount) -> FloatArray:
    """Heading of the body frame (n,) in rad, by w and z of body -> earth = `quat` (n,4) * the mount's inverse."""
    w, x, y, z = np.ascontiguousarray(quat.T)
    a, b, c, d = mount.quat
    heading: FloatArray = np.arctan2(z * a + y * b - x * c - w * d, w * a + x * b + y * c + z * d)
    heading *= 2.0
    return heading


def _named(item: Record) -> str | None:
    if isinstance(item, Mark) and item.kind == "sensor":
        return str(item.value["sensor"])
    return item.imu.sensor if isinstance(item, PoseBlock) else None


def _given(value: Any) -> Mount:
    """The mount of a Mark. Raises SettingsError where it is no rotation."""
    try:
        quat = np.array(value["quat"], dtype=np.float64)
        size = float(np.sqrt(np.sum(quat * quat)))
        quality = float(value.get("quality", 1.0))
    except (KeyError, TypeError, ValueError):
        quat, size, quality = np.empty(0), 0.0, math.nan
    if quat.shape != (4,) or not (0.9 < size < 1.1) or not 0.0 <= quality <= 1.0:
        raise SettingsError(
            "The mount is not a rotation with a quality of 0 to 1.", "Calibrate again.", "mount"
        )
    w, x, y, z = (quat / size).tolist()
    return Mount(
        (w, x, y, z), quality, bool(value.get("forward_known", True)), str(value.get("source", "mark"))
    )
