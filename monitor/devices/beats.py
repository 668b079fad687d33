"""Ticks as one sensor's decoder sees them."""

from __future__ import annotations

from monitor.core.events import Beat
from monitor.core.inputs import Tick


def beat(sensor: str, tick: Tick, data_s: float) -> Beat:
    """The tick beside `data_s`, the time of the last row decoded from what arrived before it (-inf: none yet)."""
    connected = sensor in tick.connected
    return Beat(sensor, tick.t_host_s, tick.wall_s, tick.utc_offset_s, connected, data_s)
