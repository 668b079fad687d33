"""spine1: supple's own sensor (docs/protocol.md)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence

import numpy as np

from monitor.core.blocks import ImuBlock, freeze
from monitor.core.events import Beat, DeviceStatus, Fault, Gap, Record
from monitor.core.inputs import BoolArray, Packet, Tick
from monitor.core.protocols import Advertisement, Driver, Read, Subscribe, Write
from monitor.devices.beats import beat
from monitor.devices.spine1_boot import Boot, Settled, expand
from monitor.devices.spine1_wire import (
    CLIPPED_I16,
    COMPACT_BYTES,
    OP_START,
    OP_STOP,
    OP_TIME_PING,
    RESERVED_I16,
    STATE_ERRORS,
    Frames,
    Health,
    Info,
    State,
    parse_frames,
    parse_info,
    parse_state,
    started_rate_hz,
)

G_M_S2 = 9.80665
STATUS_EVERY_S = 30.0
_BASE = "-c406-4b8b-b8c3-b892b6aa3107"
_FRAME_CHANNELS = ("live", "bulk")


class Spine1Decoder:
    """Packets of one spine1 sensor -> ImuBlock, Gap, Fault, DeviceStatus, Beat; all else passes on in its place.

    Packets between two other items make one block (more where the rate changes or the sensor rebooted). Ticks do not
    divide it: their Beats follow the block. Faults are counted per packet: `length`, `version`, `n`, `stream`, `boot`
    (another power-up's frame), `crc`, `duplicate`, `late` (older than what was given out), `early` (before INFO and
    STATE), `schema`, `authenticated`, `scale`; per frame and counting samples: `clip`, `reserved`; `sensor_error`,
    `memory_error`, `battery_low`, `overheated` when the sensor begins to report them.
    """

    def __init__(self, sensor: str) -> None:
        self._sensor = sensor
        self._info: Info | None = None
        self._boot: Boot | None = None
        self._state: tuple[State, float] | None = None
        self._rate_hz = 0.0
        self._last_s = -math.inf
        self._rebooted = False
        self._errors = 0
        self._status: DeviceStatus | None = None
        self._payloads: list[bytes] = []
        self._arrivals: list[float] = []
        self._states: dict[int, tuple[State, float] | None] = {}
        self._ticks: list[tuple[int, Tick]] = []
        self._notes: list[tuple[float, Record]] = []

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        beats: list[Beat] = []
        sensor, payloads, arrivals = self._sensor, self._payloads, self._arrivals
        for item in items:
            # `type` and not `isinstance`: this line is met a million times a day.
            if type(item) is Packet and item[1] == sensor:
                t_host_s, _, channel, payload = item
                if channel == "live" or channel == "bulk":
                    if len(payload) == COMPACT_BYTES:
                        self._states[len(payloads)] = self._state
                    payloads.append(payload)
                    arrivals.append(t_host_s)
                else:
                    self._said(item, out, beats)
            elif isinstance(item, Tick):
                self._ticks.append((len(payloads), item))
            else:
                self._flush(out, beats)
                out.extend(beats)
                beats.clear()
                out.append(item)
        self._flush(out, beats)
        out.extend(beats)
        return out

    def close(self) -> list[Record]:
        return []

    def _said(self, packet: Packet, out: list[Record], beats: list[Beat]) -> None:
        if packet.channel == "info":
            info = parse_info(packet.payload)
            if isinstance(info, str):
                self._fault(info, packet.t_host_s)
            elif info != self._info:
                self._flush(out, beats)
                self._info = info
                self._rate_hz = info.rate_hz
        elif packet.channel == "state":
            state = parse_state(packet.payload)
            if isinstance(state, str):
                self._fault(state, packet.t_host_s)
            else:
                self._stated(state, packet.t_host_s, out, beats)
        elif packet.channel == "ctrl":
            rate_hz = started_rate_hz(packet.payload)
            if rate_hz is not None:
                self._sampling_at(rate_hz, out, beats)

    def _stated(self, state: State, t_host_s: float, out: list[Record], beats: list[Beat]) -> None:
        if self._boot is None or state.boot != self._boot.id:
            self._flush(out, beats)
            self._rebooted = self._last_s > -math.inf
            self._boot = Boot(state, t_host_s, self._last_s)
        elif not self._boot.started:
            # A STATE after the first frame is no evidence for the clock's start: settle what came before it first.
            self._flush(out, beats)
        self._boot.announce(state, t_host_s)
        if state.rate_hz:
            self._sampling_at(state.rate_hz, out, beats)
        self._state = (state, t_host_s)
        if state.health is not None:
            self._report(state.health, t_host_s)

    def _sampling_at(self, rate_hz: float, out: list[Record], beats: list[Beat]) -> None:
        if rate_hz != self._rate_hz:
            self._flush(out, beats)
            self._rate_hz = rate_hz

    def _report(self, health: Health, t_host_s: float) -> None:
        if health.errors != self._errors:
            for bit, kind in enumerate(STATE_ERRORS):
                if health.errors & ~self._errors & (1 << bit):
                    self._fault(kind, t_host_s)
            self._errors = health.errors
        last = self._status
        if (
            last is None
            or t_host_s - last.t_s >= STATUS_EVERY_S
            or (last.battery_percent, last.clip_count) != (health.battery_percent, health.clip_count)
        ):
            self._status = DeviceStatus(
                self._sensor, t_host_s, float(health.battery_percent), health.temperature_c, health.clip_count
            )
            self._note(self._status)

    def _fault(self, kind: str, t_s: float) -> None:
        self._note(Fault(self._sensor, t_s, kind, 1))

    def _note(self, record: Record) -> None:
        self._notes.append((len(self._payloads) - 0.5, record))

    def _flush(self, out: list[Record], beats: list[Beat]) -> None:
        """Decode the frames gathered so far."""
        blocks: list[Record] = []
        last_s = np.full(len(self._payloads), self._last_s)
        if self._payloads and self._boot is not None and self._info is not None:
            settled = self._settle(self._boot)
            if len(settled.t_s):
                last_s[settled.frame] = settled.t_s[np.cumsum(settled.rows) - 1]
                last_s = np.maximum.accumulate(last_s)
                self._rows(settled, self._info, blocks)
        else:
            early = [Fault(self._sensor, t_s, "early", 1) for t_s in self._arrivals]
            self._notes.extend((float(i), fault) for i, fault in enumerate(early))
        for before, tick in self._ticks:
            data_s = float(last_s[before - 1]) if before else self._last_s
            beats.append(beat(self._sensor, tick, data_s))
        if len(last_s):
            self._last_s = float(last_s[-1])
        self._notes.sort(key=lambda note: note[0])
        out.extend(record for _, record in self._notes)
        out.extend(blocks)
        for gathered in (self._payloads, self._arrivals, self._states, self._ticks, self._notes):
            gathered.clear()

    def _settle(self, boot: Boot) -> Settled:
        frames, bad = parse_frames(self._payloads, boot.id)
        arrivals = np.array(self._arrivals)[frames.index]
        if frames.compact.any():
            frames = expand(frames, self._last_states(frames), arrivals, self._rate_hz)
        settled, old = boot.settle(frames, arrivals, self._rate_hz)
        for i, kind in (*bad, *old):
            self._notes.append((float(i), Fault(self._sensor, self._arrivals[i], kind, 1)))
        return settled

    def _last_states(self, frames: Frames) -> list[tuple[State, float]]:
        """The STATE before each compact frame, and its arrival; any for the others."""
        assert self._state is not None
        return [self._states.get(i) or self._state for i in frames.index.tolist()]

    def _rows(self, settled: Settled, info: Info, blocks: list[Record]) -> None:
        samples, t_s = settled.samples, settled.t_s
        ok = np.ones(len(t_s), dtype=bool)
        if int(samples.max()) >= CLIPPED_I16 or int(samples.min()) <= -CLIPPED_I16:
            reserved = (samples == RESERVED_I16).any(axis=1)
            clipped = (np.abs(samples.astype(np.int32)) >= CLIPPED_I16).any(axis=1) & ~reserved
            self._count("clip", clipped, settled)
            self._count("reserved", reserved, settled)
            samples, t_s, ok = samples[~reserved], t_s[~reserved], ~clipped[~reserved]
        if not len(t_s):
            return
        if self._rebooted:
            blocks.append(Gap(self._sensor, self._last_s, float(t_s[0]), "reboot"))
            self._rebooted = False
        columns = samples.T.astype(np.float64, order="C")
        columns[:3] *= info.acc_g_per_count * G_M_S2
        columns[3:] *= math.radians(info.gyr_deg_s_per_count)
        blocks.append(freeze(ImuBlock(self._sensor, t_s, columns[:3].T, columns[3:].T, ok, self._rate_hz)))

    def _count(self, kind: str, which: BoolArray, settled: Settled) -> None:
        if not which.any():
            return
        ends = np.cumsum(settled.rows)
        counts = np.add.reduceat(which.astype(np.int64), ends - settled.rows)
        for j in np.flatnonzero(counts).tolist():
            i = int(settled.frame[j])
            self._notes.append((float(i), Fault(self._sensor, self._arrivals[i], kind, int(counts[j]))))


def _matches(advertisement: Advertisement) -> bool:
    return DRIVER.service_uuid in advertisement.service_uuids


def _identity(payloads: Mapping[str, bytes]) -> str | None:
    """The device uid, 16 hexadecimal digits."""
    info = parse_info(payloads.get("info", b""))
    return None if isinstance(info, str) else f"{info.uid:016x}"


def _row_identity(channel: str, payload: bytes) -> tuple[int, int, int] | None:
    """(low half of the boot id, stream, seq); a compact frame carries too little of each."""
    if channel not in _FRAME_CHANNELS or len(payload) <= COMPACT_BYTES:
        return None
    stream, boot_lo, seq = struct.unpack_from("<2xBxHI", payload)
    return boot_lo, stream, seq


def _uuid(number: int) -> str:
    return f"e6c9{number:04x}{_BASE}"


_CTRL = _uuid(6)
ANCHOR_EVERY_S = 10.0
"""How often the sensor is asked for its clock, so that a recording holds two-way pairs of its ticks and host time."""
DRIVER = Driver(
    name="spine1",
    title="supple spine1",
    matches=_matches,
    start=(
        Read("info", _uuid(2)),
        Read("state", _uuid(3)),
        Subscribe("state", _uuid(3)),
        Subscribe("ctrl", _CTRL),
        Subscribe("live", _uuid(4)),
        Write("ctrl", _CTRL, struct.pack("<BIH", OP_START, 1, 0)),
    ),
    stop=(Write("ctrl", _CTRL, struct.pack("<BI", OP_STOP, 2)),),
    every=((ANCHOR_EVERY_S, Write("ctrl", _CTRL, struct.pack("<BI", OP_TIME_PING, 3))),),
    data_channels=("live",),
    decoder=Spine1Decoder,
    identity=_identity,
    row_identity=_row_identity,
    service_uuid=_uuid(1),
)
