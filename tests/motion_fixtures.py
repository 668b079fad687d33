"""Bodies in known poses: sensor rows with a known truth, made with scipy's rotations, which the stages do not use."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from monitor.core.blocks import ImuBlock, PoseBlock, TrunkBlock
from monitor.core.inputs import FloatArray, Mark
from monitor.motion.angles import TrunkAngles
from monitor.motion.orient import Orient

G_M_S2 = 9.80665
SENSOR_TO_BODY = Rotation.from_euler("ZYX", (140.0, -60.0, 25.0), degrees=True)


def wxyz(rotation: Rotation) -> FloatArray:
    return rotation.as_quat(scalar_first=True)


def trunk(flexion=0.0, lateral=0.0, heading=0.0, n: int = 1) -> Rotation:
    """Body -> earth for angles in degrees, (n,) or numbers: heading, then a tilt about one level axis."""
    forward, right, left = (np.broadcast_to(np.asarray(a, float), (n,)) for a in (flexion, lateral, heading))
    tilt = Rotation.from_rotvec(np.radians(np.stack((right, forward, 0 * forward), axis=1)))
    return Rotation.from_euler("Z", left[:, None], degrees=True) * tilt


def bump(t: FloatArray, start: float, end: float, height: float) -> FloatArray:
    """From 0 to `height` and back between two times, smoothly."""
    x = np.clip((t - start) / (end - start), 0, 1)
    return height * np.sin(np.pi * x) ** 2


def measured(
    body: Rotation, rate_hz: float, extra=None, to_body=SENSOR_TO_BODY, bias=0.0, gyr: bool = True
) -> ImuBlock:
    """What the chip reads along `body` -> earth; `extra` (n,3) acceleration in the earth frame."""
    n = len(body)
    force = np.tile((0.0, 0.0, G_M_S2), (n, 1)) + (0.0 if extra is None else extra)
    acc = np.ascontiguousarray(to_body.inv().apply(body.inv().apply(force)))
    turn = (body[:-1].inv() * body[1:]).as_rotvec() * rate_hz
    middle = np.concatenate((turn[:1], (turn[:-1] + turn[1:]) / 2, turn[-1:]))
    rates = np.ascontiguousarray(to_body.inv().apply(middle) + bias)
    return ImuBlock("A", np.arange(n) / rate_hz, acc, rates if gyr else None, np.ones(n, bool), rate_hz)


def oriented(block: ImuBlock) -> PoseBlock:
    (pose,) = Orient().push([block])
    return pose


def exact_pose(
    body: Rotation, rate_hz: float = 50.0, to_body=SENSOR_TO_BODY, extra=None, sensor: str = "A"
) -> PoseBlock:
    """The pose as a perfect filter would give it."""
    imu = measured(body, rate_hz, extra, to_body)
    imu = ImuBlock(sensor, imu.t_s, imu.acc, imu.gyr, imu.ok, rate_hz)
    sensor_to_earth = body * to_body
    return PoseBlock(imu, wxyz(sensor_to_earth), sensor_to_earth.inv().apply((0.0, 0.0, 1.0)))


def mount_mark(
    rotation=SENSOR_TO_BODY, forward_known: bool = True, quality: float = 1.0, sensor: str = "A"
) -> Mark:
    value = {"sensor": sensor, "quat": wxyz(rotation).tolist(), "quality": quality}
    return Mark(0.0, "mount", {**value, "forward_known": forward_known, "source": "test"})


def angles_of(*items, sensor: str = "A") -> TrunkBlock:
    """The one TrunkBlock of a pose behind marks."""
    (block,) = (r for r in TrunkAngles(sensor).push(list(items)) if isinstance(r, TrunkBlock))
    return block
