"""Blocks: columns of consecutive rows on an even time grid. Frozen, read-only, one sensor each.

Frames: sensor (as the chip has it), body (x forward, y left, z up along the trunk), earth (z up).
Quaternions are w x y z and rotate sensor -> earth. Every array of a block has the same n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ImuBlock:
    """Inertial rows of one sensor, in the sensor frame.

    `t_s` (n,) s; `acc` (n,3) m/s2 specific force; `gyr` (n,3) rad/s, None without a gyroscope; `ok` (n,) False where
    the row was filled in, clipped or otherwise not measured. `rate_hz` is the nominal rate where the device declares
    one, else None (before the timeline) or the grid's rate (after it).
    """

    sensor: str
    t_s: FloatArray
    acc: FloatArray
    gyr: FloatArray | None
    ok: BoolArray
    rate_hz: float | None

    def __len__(self) -> int:
        return len(self.t_s)


@dataclass(frozen=True, slots=True, eq=False)
class PoseBlock:
    """Orientation of the sensor beside the rows it came from. `quat` (n,4) w x y z sensor -> earth, NaN without a gyroscope.

    `up` (n,3) is the vertical (pointing up) in sensor axes, unit length: known with and without a gyroscope.
    """

    imu: ImuBlock
    quat: FloatArray
    up: FloatArray

    def __len__(self) -> int:
        return len(self.imu)


@dataclass(frozen=True, slots=True, eq=False)
class TrunkBlock:
    """Trunk angles at one placement. Degrees by name; NaN where there is no evidence for a value.

    `t_s` (n,) s; `quat` (n,4) sensor -> earth; `up` (n,3) the vertical in body axes, unit length; `inclination_deg`,
    `flexion_deg` (+ forward), `lateral_deg` (+ right), `rotation_deg` (+ left, relative to the last still moment) (n,);
    `rate_deg_s` (n,3) angular rate about the body axes x y z (so y is the flexion rate); `acc` (n,3) m/s2 specific
    force in body axes; `uncertainty_deg` (n,) one standard deviation of the inclination; `ok` (n,) measured, not filled.
    `flexion_sd_deg`, `lateral_sd_deg`, `rotation_sd_deg` (n,) the same of the other angles, None where nobody states them.
    `live_deg` (n,3) inclination, flexion and lateral bend as they were told live, where the block comes from the final
    pass over a recording; else None.
    """

    sensor: str
    t_s: FloatArray
    quat: FloatArray
    up: FloatArray
    inclination_deg: FloatArray
    flexion_deg: FloatArray
    lateral_deg: FloatArray
    rotation_deg: FloatArray
    rate_deg_s: FloatArray
    acc: FloatArray
    uncertainty_deg: FloatArray
    ok: BoolArray
    rate_hz: float
    flexion_sd_deg: FloatArray | None = None
    lateral_sd_deg: FloatArray | None = None
    rotation_sd_deg: FloatArray | None = None
    live_deg: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.t_s)


@dataclass(frozen=True, slots=True, eq=False)
class LumbarBlock:
    """Upper trunk relative to lower trunk (two sensors). Signs as for the trunk; NaN where either side is missing.

    `*_sd_deg` (n,) one standard deviation of each, None or NaN where nobody states it.
    """

    t_s: FloatArray
    flexion_deg: FloatArray
    lateral_deg: FloatArray
    rotation_deg: FloatArray
    ok: BoolArray
    flexion_sd_deg: FloatArray | None = None
    lateral_sd_deg: FloatArray | None = None
    rotation_sd_deg: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.t_s)


Block = ImuBlock | PoseBlock | TrunkBlock | LumbarBlock
_B = TypeVar("_B", ImuBlock, PoseBlock, TrunkBlock, LumbarBlock)


def freeze(block: _B) -> _B:
    """Make every array of `block` read-only and return it. Call it on each block a stage hands out."""
    for name in type(block).__slots__:
        value = getattr(block, name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return block


def take(block: _B, rows: slice) -> _B:
    """The given rows of `block` as views, in a block of the same kind."""
    values = {}
    for name in type(block).__slots__:
        value = getattr(block, name)
        if isinstance(value, np.ndarray):
            value = value[rows]
        elif isinstance(value, ImuBlock):
            value = take(value, rows)
        values[name] = value
    return type(block)(**values)
