"""The last rows of one sensor, for a mount that has to be found from them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.core.blocks import ImuBlock, PoseBlock
from monitor.core.inputs import BoolArray, FloatArray

RECENT_S = 20.0
"""Longer than the walk that a mount is found from."""


class Recent:
    """Blocks of one segment, none older than RECENT_S before the last row."""

    def __init__(self) -> None:
        self._poses: deque[PoseBlock] = deque()

    def add(self, pose: PoseBlock) -> None:
        """Take the next rows, at least one."""
        self._poses.append(pose)
        oldest_s = float(pose.imu.t_s[-1]) - RECENT_S
        while self._poses[0].imu.t_s[-1] <= oldest_s:
            self._poses.popleft()

    def clear(self) -> None:
        self._poses.clear()

    def until(self, t_s: float) -> PoseBlock:
        """The rows of the RECENT_S up to `t_s`, the last row's time, in one block; laid out alike however they were cut."""
        return _joined(self._poses, t_s - RECENT_S)


def _joined(poses: Sequence[PoseBlock], after_s: float) -> PoseBlock:
    """The rows later than `after_s` in one block, laid out alike however they were cut."""

    def rows(columns: Sequence[FloatArray | BoolArray]) -> Any:
        return np.ascontiguousarray(np.concatenate(columns)[first:])

    imus = [pose.imu for pose in poses]
    first = int(np.searchsorted(np.concatenate([imu.t_s for imu in imus]), after_s, side="right"))
    imu = ImuBlock(
        sensor=imus[0].sensor,
        t_s=rows([imu.t_s for imu in imus]),
        acc=rows([imu.acc for imu in imus]),
        gyr=None if imus[0].gyr is None else rows([imu.gyr for imu in imus if imu.gyr is not None]),
        ok=rows([imu.ok for imu in imus]),
        rate_hz=imus[0].rate_hz,
    )
    return PoseBlock(imu, rows([pose.quat for pose in poses]), rows([pose.up for pose in poses]))
