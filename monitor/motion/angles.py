"""The mount applied: oriented rows -> trunk angles (docs/frames.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import PoseBlock, TrunkBlock, freeze, take
from monitor.core.errors import MountError
from monitor.core.events import REZEROED, Gap, MountSet, Notice, Record, Slip, SlipKind
from monitor.core.inputs import FloatArray, Mark
from monitor.core.quaternion import to_matrix
from monitor.motion.attachment.evidence import Finding
from monitor.motion.attachment.follow import Attachment
from monitor.motion.attachment.recent import Recent
from monitor.motion.attachment.reseat import TURNED_DEG, cranial, reseated, sentence, turned_about_up_deg
from monitor.motion.mount.find import Mount, find_mount, mount_of
from monitor.motion.still import Still
from monitor.motion.tilt import DEG_PER_RAD, tilt_deg
from monitor.motion.turn import turned
from monitor.motion.uncertainty import Deviations, deviations_deg

PUT_BACK_ON = (
    "The sensor was put back on, so its angles are unknown until you calibrate again or walk for 20 s."
)


class TrunkAngles:
    """PoseBlock -> TrunkBlock, holding the mount in force.

    Before a mount is known `up`, `acc` and `rate_deg_s` are in sensor axes and every angle is NaN. With a mount whose
    forward is unknown flexion and lateral are NaN, and x and y stand for two level axes of the sensor: of rates and
    accelerations about them only the size means something. `rotation_deg` is NaN until the trunk was still once
    since the last Gap, and without a gyroscope. Marks for this sensor: `sensor` (its placement), `mount`, `calibrate`
    (the rows of the next `seconds` give the mount, in force from the row after; refused with a Notice, the mount staying
    as it was), `attached` (put back on: no mount from there on; one without a sensor is for all).

    Once there was a mount it is followed through the day: in small steps as the wearer's walk shows it to creep, and over
    a Slip. Where the sensor was put on in another way, or back on, the next walk gives the mount.
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
        self._attachment: Attachment | None = None
        self._recent = Recent()

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
                self._recent.clear()
                if self._attachment is not None:
                    self._attachment.gap()
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
        return bool(
            mark.value.get("sensor", self._sensor if mark.kind == "attached" else None) == self._sensor
        )

    def _marked(self, mark: Mark, out: list[Record]) -> None:
        if mark.kind == "sensor":
            self._placement = str(mark.value.get("placement", self._placement))
        elif mark.kind == "mount":
            self._set(mount_of(mark.value), mark.t_host_s, out)
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
            self._unmount()
            out.append(Notice(t_s, "attached", PUT_BACK_ON, self._sensor or ""))
        if self._attachment is not None:
            self._recent.clear()
            self._attachment.mounted(None)

    def _poses(self, pose: PoseBlock, out: list[Record]) -> None:
        while len(pose):
            if self._seconds is None:
                self._followed(pose, out)
                return
            if math.isnan(self._until_s):
                self._until_s = float(pose.imu.t_s[0]) + self._seconds
            inside = int(np.searchsorted(pose.imu.t_s, self._until_s, side="left")) + 1
            part, pose = take(pose, slice(0, inside)), take(pose, slice(inside, None))
            self._collected.append(part)
            self._followed(part, out)
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
                text = f"Upright is known, forward is not: only the inclination is shown. {mount.refusal}"
                out.append(Notice(at_s, "calibration_no_forward", text, self._sensor or ""))
        self._seconds = None
        self._collected.clear()

    def _followed(self, pose: PoseBlock, out: list[Record]) -> None:
        """Rows with the mount that follows the sensor."""
        if self._attachment is None:
            out.append(self._trunk(pose))
            return
        start = 0
        for found in self._attachment.rows(pose):
            self._seated(take(pose, slice(start, found.rows)), out)
            start = found.rows
            self._moved(found, out)
        self._seated(take(pose, slice(start, None)), out)

    def _seated(self, part: PoseBlock, out: list[Record]) -> None:
        if not len(part):
            return
        out.append(self._trunk(part))
        self._recent.add(part)

    def _moved(self, found: Finding, out: list[Record]) -> None:
        """The sensor sits in another way than the mount says, or a walk may tell."""
        if self._mount is not None and found.slip is None and found.walking:
            self._recheck(self._mount, found, out)
            return
        if found.slip is not None:
            self._tell(found, found.angle_deg, found.slip, out)
        if self._mount is not None and found.slip in (None, SlipKind.SLIPPED):
            source = REZEROED if found.slip is None else self._mount.source
            self._apply(reseated(self._mount, found), found.decided_s, source, out)
            return
        if self._mount is not None:
            self._unmount()
        if found.walking:
            self._remount(found.decided_s, out)

    def _tell(self, found: Finding, angle_deg: float, kind: SlipKind, out: list[Record]) -> None:
        slip = Slip(self._sensor or "", found.t_s, found.from_s, angle_deg, kind, found.decided_s)
        out += [slip, Notice(found.decided_s, kind.value, sentence(slip), slip.sensor)]

    def _recheck(self, mount: Mount, found: Finding, out: list[Record]) -> None:
        """Gravity does not show a turn about upright; the walk after a slip may."""
        try:
            walked = find_mount([self._recent.until(found.decided_s)], self._placement)
        except MountError:
            return
        apart_deg = turned_about_up_deg(mount, walked)
        if apart_deg > TURNED_DEG:
            self._tell(found, apart_deg, SlipKind.REATTACHED, out)
            self._set(walked, found.decided_s, out)

    def _remount(self, t_s: float, out: list[Record]) -> None:
        """A mount from the walk that the last rows are, if it is good for one."""
        try:
            mount = find_mount([self._recent.until(t_s)], self._placement, need_forward=False)
        except MountError:
            return
        self._set(mount, t_s, out)
        if not mount.forward_known:
            text = "Upright is known from your walk, forward is not: calibrate again to see flexion and side bends."
            out.append(Notice(t_s, "no_forward", text, self._sensor or ""))

    def _unmount(self) -> None:
        self._mount, self._matrix = None, np.eye(3)
        self._still.forget_heading()

    def _set(self, mount: Mount, t_s: float, out: list[Record]) -> None:
        self._attachment = self._attachment or Attachment()
        self._attachment.mounted(cranial(mount))
        self._apply(mount, t_s, mount.source, out)

    def _apply(self, mount: Mount, t_s: float, source: str, out: list[Record]) -> None:
        self._mount, self._matrix = mount, to_matrix(np.array(mount.quat))
        self._still.forget_heading()
        about = (mount.quality, mount.forward_known, source, mount.forward_off_deg)
        out.append(MountSet(self._sensor or "", t_s, mount.quat, *about))

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
        tilt, rotation = (unknown, unknown, unknown), turned_by * DEG_PER_RAD
        sd = Deviations(unknown, unknown, unknown, unknown)
        if mount is not None:
            inclination, flexion, lateral = tilt_deg(up)
            tilt = (inclination, flexion, lateral) if mount.forward_known else (inclination, unknown, unknown)
            turning = None if imu.gyr is None else rate
            sd = deviations_deg(
                mount, self._placement, imu.ok, rate_hz, since_still_s, turning, acc, tilt, rotation
            )
        return freeze(
            TrunkBlock(
                *(
                    imu.sensor,
                    imu.t_s,
                    pose.quat,
                    up,
                    *tilt,
                    rotation,
                    rate,
                    acc,
                    sd.inclination,
                    imu.ok,
                    rate_hz,
                ),
                *sd[1:],
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
