"""What the mount's search makes of one take, against the true forward and beside the principal axis of acceleration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.core.blocks import PoseBlock, take
from monitor.core.errors import MountError
from monitor.core.inputs import FloatArray, Input, Mark, Rows
from monitor.core.quaternion import rotate
from monitor.motion.mount.find import find_mount
from monitor.motion.mount.forward import MAX_FORWARD_SD_DEG
from monitor.pipeline import oriented

G_M_S2 = 9.80665
_FORWARD, _UP = np.array((1.0, 0.0, 0.0)), np.array((0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Found:
    """One take: signed error about the vertical (NaN: no forward), the plain axis's, the stated deviation and the quality."""

    person: str
    error_deg: float
    axis_error_deg: float
    sd_deg: float
    quality: float
    refusal: str


def poses(t_s: FloatArray, acc: FloatArray, gyr: FloatArray, placement: str) -> list[PoseBlock]:
    sensor = {"sensor": "A", "driver": "rows", "role": "single", "placement": placement, "primary": True}
    inputs: list[Input] = [Mark(0.0, "sensor", sensor), Rows("A", t_s, acc, gyr)]
    return list(oriented([inputs]))


def judged(
    person: str,
    blocks: Sequence[PoseBlock],
    placement: str,
    forward: FloatArray,
    most_sd_deg: float = MAX_FORWARD_SD_DEG,
) -> Found:
    """`forward` (3,) is the true direction in sensor axes; only its part square to the vertical counts."""
    plain = folded(turned_deg(plain_axis(blocks), forward, mean_up(blocks)))
    try:
        found = find_mount(blocks, placement, most_sd_deg=most_sd_deg)
    except MountError as refused:
        return Found(person, np.nan, plain, np.nan, np.nan, f"{refused.datum}: {refused.sentence}")
    back = np.array(found.quat) * np.array((1.0, -1.0, -1.0, -1.0))
    error = turned_deg(rotate(back, _FORWARD), forward, rotate(back, _UP))
    return Found(person, error, plain, found.forward_sd_deg, found.quality, "")


def turned_deg(found: FloatArray, true: FloatArray, up: FloatArray) -> float:
    """From the true to the found direction about `up`, in -180..180."""
    return float(
        np.degrees(np.arctan2(np.cross(true, found) @ up, true @ found - (true @ up) * (found @ up)))
    )


def folded(angle_deg: Any) -> Any:
    """The same axis within +-90 deg: a number or an array."""
    return (angle_deg + 90.0) % 180.0 - 90.0


def mean_up(blocks: Sequence[PoseBlock]) -> FloatArray:
    up = np.mean(np.concatenate([block.up for block in blocks]), axis=0)
    unit: FloatArray = up / np.linalg.norm(up)
    return unit


def plain_axis(blocks: Sequence[PoseBlock]) -> FloatArray:
    """The principal axis of acceleration square to the mean vertical."""
    up = mean_up(blocks)
    linear = np.concatenate([block.imu.acc - G_M_S2 * block.up for block in blocks])
    level = linear - np.outer(linear @ up, up)
    axis: FloatArray = np.linalg.eigh(np.cov(level.T))[1][:, 2]
    return axis


def between(blocks: Sequence[PoseBlock], start_s: float, end_s: float) -> list[PoseBlock]:
    parts = [take(b, slice(*np.searchsorted(b.imu.t_s, (start_s, end_s)).tolist())) for b in blocks]
    return [part for part in parts if len(part)]
