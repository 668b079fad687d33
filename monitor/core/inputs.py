"""Inputs: everything that can change an outcome, in the one order in which it happened.

`t_host_s` is seconds since the session's start on the host's non-stepping clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]


class Packet(NamedTuple):
    """Bytes exactly as they arrived from `channel` of `sensor` (or, on channels ending in `_tx`, were sent)."""

    t_host_s: float
    sensor: str
    channel: str
    payload: bytes


class Mark(NamedTuple):
    """What the user did or what is in force: `mount`, `settings`, `snooze`, `pain`, ... `value` is JSON-able."""

    t_host_s: float
    kind: str
    value: Mapping[str, Any]


class Tick(NamedTuple):
    """Once a second: host time, wall clock and link state, so that silence is an input too.

    `wall_s` is Unix time (NaN where it is unknown), `utc_offset_s` the local zone's offset at that moment,
    `connected` the sensors whose link is up.
    """

    t_host_s: float
    wall_s: float
    utc_offset_s: int
    connected: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A block of an imported file, already in SI.

    `t_s` (n,) s in the file's own time base, increasing; `acc` (n,3) m/s2, gravity included; `gyr` (n,3) rad/s or
    None for an accelerometer alone. Rows may hold NaN.
    """

    sensor: str
    t_s: FloatArray
    acc: FloatArray
    gyr: FloatArray | None


Input: TypeAlias = Packet | Mark | Tick | Rows
