"""A simulated sensor without Bluetooth: what a client would have received, as fast as it can be computed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from pathlib import Path

import numpy as np

from firmware_sim.firmware import Firmware, Value
from firmware_sim.noise import derive_seed
from firmware_sim.radio import AirPlan, Window, blocked_windows, clear_of, next_event_s
from firmware_sim.scenario import Scenario
from firmware_sim.wire import Op
from firmware_sim.witmotion import RATES_HZ, REG_BATTERY, REG_RATE, REG_READ, UNLOCK, WitMotion
from firmware_sim.worn import put_on

MTU = 247
SUPERVISION_TIMEOUT_S = 4.0
RECONNECT_S = 1.0
"""From the end of a stretch out of reach to the next connection: scan, connect, discover. The simulator's own choice."""
WIT_RATE_HZ = 50.0
"""What a client asks of a WitMotion: its default of 10 Hz is too slow to follow a trunk."""
WIT_PAUSE_S = 0.1
WIT_BATTERY_PERIOD_S = 60.0
"""How often a client asks a WitMotion for its battery."""
PING_PERIOD_S = 10.0
"""How often a client asks a spine1 for its clock."""

_NOTIFIED = frozenset(("live", "state", "battery"))
"""What a full queue can lose; the rest is confirmed, or written by the client."""

Received = tuple[float, str, bytes]
"""Seconds on the host's clock, channel, payload."""


def run_direct(
    scenario: Scenario | str | Path,
    seed: int,
    duration_s: float,
    *,
    device: str = "spine1",
    placement: str | None = None,
    mtu: int = MTU,
) -> Iterator[Received]:
    """Everything on the air in `duration_s`, in order; what a client writes is on channels ending in `_tx`.

    For spine1 each connection begins with INFO, STATE and START; LIVE and a STATE each second follow, and every ten
    seconds TIME_PING and its answer. For witmotion it begins with the writes that set its rate, and its battery is asked
    for once a minute. Host time is that of the radio event, its zero the scenario's. A stretch out of reach beyond the
    supervision timeout ends the connection.
    """
    script, (worn, *_) = put_on(scenario, seed, device, (placement,) if placement else ())
    rng = np.random.default_rng(derive_seed(seed, "loss"))
    for start_s, end_s in connections(blocked_windows(script.link), duration_s):
        link = _DirectLink(script.link, start_s)
        stream: Iterator[Received]
        worn.sensor.on_connect(start_s, mtu, link.event_s)
        if isinstance(worn.sensor, Firmware):
            yield from _open_spine1(worn.sensor, link, start_s)
            pings = _pings(worn.sensor, link, start_s, end_s)
            stream = merge(_stream(worn.sensor, link, end_s, end_s), pings, key=itemgetter(0))
        else:
            yield from _open_witmotion(worn.sensor, start_s)
            stream = _witmotion(worn.sensor, link, start_s, end_s)
        for received in stream:
            if received[1] not in _NOTIFIED or script.link.loss == 0.0 or rng.random() >= script.link.loss:
                yield received
        worn.sensor.on_disconnect()


def connections(windows: tuple[Window, ...], duration_s: float) -> Iterator[Window]:
    """(start_s, end_s) of every connection a client holds that always comes back."""
    start_s = clear_of(windows, 0.0)
    for lost_s, back_s in windows:
        if lost_s + SUPERVISION_TIMEOUT_S < back_s and start_s < lost_s < duration_s:
            yield start_s, min(lost_s + SUPERVISION_TIMEOUT_S, duration_s)
            start_s = clear_of(windows, back_s + RECONNECT_S)
    if start_s < duration_s:
        yield start_s, duration_s


class _DirectLink:
    """Connection events of one connection."""

    def __init__(self, plan: AirPlan, start_s: float) -> None:
        self._anchor_s = start_s
        self._interval_s = plan.interval_s
        self._windows = blocked_windows(plan)

    def event_s(self, t_s: float) -> float:
        return next_event_s(t_s, self._anchor_s, self._interval_s, self._windows)

    def arrived(self, values: list[Value], t_s: float) -> Iterator[Received]:
        """The values with the moment at which they arrive, having been handed to the radio at `t_s`."""
        event_s = self.event_s(t_s)
        for channel, payload in values:
            yield event_s, channel, payload


def _open_spine1(firmware: Firmware, link: _DirectLink, t_s: float) -> Iterator[Received]:
    yield t_s, "info", firmware.info
    yield t_s, "state", firmware.state(t_s)
    start = struct.pack("<BIH", Op.START, 1, 0)
    yield t_s, "ctrl_tx", start
    yield from link.arrived(firmware.on_ctrl(start, t_s), t_s)


def _pings(firmware: Firmware, link: _DirectLink, start_s: float, end_s: float) -> Iterator[Received]:
    ping = struct.pack("<BI", Op.TIME_PING, 3)
    asked_s = start_s + PING_PERIOD_S
    while asked_s < end_s and link.event_s(link.event_s(asked_s)) <= end_s:
        yield asked_s, "ctrl_tx", ping
        heard_s = link.event_s(asked_s)
        yield from link.arrived(firmware.on_ctrl(ping, heard_s), heard_s)
        asked_s += PING_PERIOD_S


def _open_witmotion(sensor: WitMotion, t_s: float) -> Iterator[Received]:
    rate = next(code for code, hz in RATES_HZ.items() if hz == WIT_RATE_HZ)
    for k, command in enumerate((UNLOCK, bytes((0xFF, 0xAA, REG_RATE, rate, 0)))):
        yield t_s + k * WIT_PAUSE_S, "config_tx", command
        sensor.on_write(command, t_s + k * WIT_PAUSE_S)
    sensor.on_subscribe(True, t_s + 2 * WIT_PAUSE_S)


def _witmotion(sensor: WitMotion, link: _DirectLink, start_s: float, end_s: float) -> Iterator[Received]:
    ask = bytes((0xFF, 0xAA, REG_READ, REG_BATTERY, 0))
    asked_s = start_s + WIT_BATTERY_PERIOD_S
    while asked_s < end_s:
        yield from _stream(sensor, link, asked_s, end_s)
        yield asked_s, "config_tx", ask
        yield from link.arrived(sensor.on_write(ask, asked_s), asked_s)
        asked_s += WIT_BATTERY_PERIOD_S
    yield from _stream(sensor, link, end_s, end_s)


def _stream(sensor: Firmware | WitMotion, link: _DirectLink, to_s: float, end_s: float) -> Iterator[Received]:
    """What becomes due up to `to_s` and arrives up to `end_s`."""
    while (due_s := sensor.next_due_s()) <= to_s:
        for received in link.arrived(sensor.advance(due_s), due_s):
            if received[0] <= end_s:
                yield received
