"""The columns of trunk rows that movements are read from."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from monitor.core.blocks import TrunkBlock
from monitor.core.inputs import BoolArray, FloatArray

FLEXION, LATERAL, ROTATION = AXES = (0, 1, 2)
ALL = slice(None)


ComplexArray = npt.NDArray[np.complex128]


class Column(Protocol):
    """A column (n, ...) of the given rows of a block, elementwise."""

    def __call__(self, block: TrunkBlock, rows: slice = ALL) -> FloatArray: ...


def forward_unknown(block: TrunkBlock, rows: slice = ALL) -> BoolArray:
    """Whose flexion is not known: they tilt in whatever direction."""
    unknown: BoolArray = np.isnan(block.flexion_deg[rows])
    return unknown


def flexion_deg(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    """Flexion; with forward unknown how far it leans along the body's x axis, wherever that points."""
    return _told(block.flexion_deg, -block.up[:, 0], block, rows)


def lateral_deg(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    """Lateral bend; with forward unknown how far it leans along the body's y axis."""
    return _told(block.lateral_deg, block.up[:, 1], block, rows)


def _told(angle: FloatArray, side: FloatArray, block: TrunkBlock, rows: slice) -> FloatArray:
    angle, unknown = angle[rows], forward_unknown(block, rows)
    if not unknown.any():
        return angle
    x, y = block.up[rows, 0], block.up[rows, 1]
    h = np.sqrt(x * x + y * y)
    leaning = block.inclination_deg[rows] * side[rows] / np.where(h == 0.0, 1.0, h)
    return np.where(unknown, leaning, angle)


def rotation_deg(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    return block.rotation_deg[rows]


def flexion_rate(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    """Rate about the axis of flexion, or how fast in whatever direction."""
    x, y = block.rate_deg_s[rows, 0], block.rate_deg_s[rows, 1]
    unknown = forward_unknown(block, rows)
    return np.where(unknown, np.sqrt(x * x + y * y), y) if unknown.any() else y


def lateral_rate(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    return block.rate_deg_s[rows, 0]


def rotation_rate(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    return block.rate_deg_s[rows, 2]


def yaw_rate(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    """Rate about the vertical."""
    rate, up = block.rate_deg_s[rows], block.up[rows]
    yaw: FloatArray = rate[:, 0] * up[:, 0]
    yaw += rate[:, 1] * up[:, 1]
    yaw += rate[:, 2] * up[:, 2]
    return yaw


def speed(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    """Of turning, about whatever axis."""
    x, y, z = block.rate_deg_s[rows].T
    size: FloatArray = np.sqrt(x * x + y * y + z * z)
    return size


ANGLE: tuple[Column, ...] = (flexion_deg, lateral_deg, rotation_deg)
RATE: tuple[Column, ...] = (flexion_rate, lateral_rate, rotation_rate)
"""Of each axis, (n,) deg and deg/s."""
WAY = (1.0 + 0.0j, 1.0j, 0.0j)
"""Where each axis tilts to: forward, to the right; a rotation nowhere."""


def time_s(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    return block.t_s[rows]


def up(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    """The vertical (n,3) in body axes."""
    return block.up[rows]


def rate(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    """(n,3) deg/s about the body axes."""
    return block.rate_deg_s[rows]


def force(block: TrunkBlock, rows: slice = ALL) -> FloatArray:
    """Specific force (n,3) m/s2 in body axes."""
    return block.acc[rows]


def leaning_deg(vertical: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Flexion and lateral bend (n,) of the vertical (n,3) in body axes."""
    x, y, z = vertical.T
    h = np.sqrt(x * x + y * y)
    share = np.degrees(np.arctan2(h, z)) / np.where(h == 0.0, 1.0, h)
    return -share * x, share * y


def along(way: complex, flexion_deg: FloatArray, lateral_deg: FloatArray) -> FloatArray:
    """How far (n,) a tilt goes in one direction."""
    return way.real * flexion_deg + way.imag * lateral_deg
