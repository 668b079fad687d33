"""WitMotion WT901BLE family (WT901BLECL, WT901BLE67/68, WT9011DCL): 20-byte frames without checksum or time.

Layout, registers and the measured rates: RGu0/WT901 docs/protocol.md (MIT) and the WT901BLECL datasheet v20-0707.
Not proven on hardware. It has no memory: gaps stay gaps. The rate is set for the session only, so that a user's device
stays as it was.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import ImuBlock, freeze
from monitor.core.events import Beat, DeviceStatus, Fault, Record
from monitor.core.inputs import BoolArray, FloatArray, Packet, Tick
from monitor.core.protocols import Advertisement, Driver, Subscribe, Write
from monitor.devices.beats import beat
from monitor.devices.witmotion_time import ArrivalTime

FRAME_BYTES = 20
_DATA, _REGISTER = b"\x55\x61", b"\x55\x71"
_HEADERS = (_DATA, _REGISTER)
_ACC_M_S2 = 16 * 9.80665 / 32768
_GYR_RAD_S = math.radians(2000 / 32768)
_CLIPPED = 32767
_BATTERY_REGISTER = 0x64
_BATTERY = (
    (396, 100),
    (393, 90),
    (387, 75),
    (382, 60),
    (379, 50),
    (377, 40),
    (373, 30),
    (370, 20),
    (368, 15),
    (350, 10),
    (340, 5),
)
"""Volts x 100 at least -> percent (datasheet)."""
_FRAME_TYPE = np.dtype([("header", "S2"), ("samples", "<i2", 6), ("angles", "<i2", 3)])


class WitMotionDecoder:
    """Packets of one WitMotion sensor -> ImuBlock, Fault, DeviceStatus, Beat; all else passes on in its place.

    Faults: `resync` (bytes skipped while looking for a header, counted per packet), `clip` (samples at full scale per
    frame run). Rows of a notification whose lateness is in doubt are held until it is settled, half a second at most.
    """

    def __init__(self, sensor: str) -> None:
        self._sensor = sensor
        self._carry = b""
        self._time = ArrivalTime()
        self._frames: list[bytes] = []
        self._times: list[FloatArray] = []
        self._held: list[bytes] = []
        self._last_s = -math.inf

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        beats: list[Beat] = []
        for item in items:
            if isinstance(item, Packet) and item.sensor == self._sensor:
                if item.channel == "live":
                    self._notified(item, out)
            elif isinstance(item, Tick):
                beats.append(beat(self._sensor, item, self._last_s))
            else:
                self._flush(out, beats)
                out.append(item)
        self._flush(out, beats)
        return out

    def close(self) -> list[Record]:
        out: list[Record] = []
        self._given(self._time.close())
        self._flush(out, [])
        return out

    def _notified(self, packet: Packet, out: list[Record]) -> None:
        data, registers, skipped, self._carry = split(self._carry + packet.payload)
        if skipped:
            out.append(Fault(self._sensor, packet.t_host_s, "resync", skipped))
        for register in registers:
            self._answered(register, packet.t_host_s, out)
        if data:
            count = len(data) // FRAME_BYTES
            clipped = _clipped(data)
            if clipped:
                out.append(Fault(self._sensor, packet.t_host_s, "clip", clipped))
            self._held.append(data)
            self._given(self._time.arrived(count, packet.t_host_s))

    def _given(self, runs: list[FloatArray]) -> None:
        """Times of the next notifications held, in order."""
        for times in runs:
            self._frames.append(self._held.pop(0))
            self._times.append(times)
            self._last_s = float(times[-1])

    def _answered(self, frame: bytes, t_host_s: float, out: list[Record]) -> None:
        register, centivolts = struct.unpack_from("<2xHh", frame)
        if register == _BATTERY_REGISTER:
            percent = next((p for volts, p in _BATTERY if centivolts >= volts), 0)
            out.append(DeviceStatus(self._sensor, t_host_s, float(percent), None, None))

    def _flush(self, out: list[Record], beats: list[Beat]) -> None:
        if self._frames:
            samples = np.frombuffer(b"".join(self._frames), dtype=_FRAME_TYPE)["samples"]
            ok: BoolArray = np.abs(samples.astype(np.int32)).max(axis=1) < _CLIPPED
            acc, gyr = samples[:, :3] * _ACC_M_S2, samples[:, 3:] * _GYR_RAD_S
            t_s = np.concatenate(self._times)
            out.append(freeze(ImuBlock(self._sensor, t_s, acc, gyr, ok, self._time.nominal_hz)))
            self._frames.clear()
            self._times.clear()
        out.extend(beats)
        beats.clear()


def split(buffer: bytes) -> tuple[bytes, list[bytes], int, bytes]:
    """Data frames joined, register frames, bytes skipped, and the rest to put before the next notification.

    There is no checksum, so a frame counts only where the next header follows it, or the buffer ends with it.
    """
    count, rest = divmod(len(buffer), FRAME_BYTES)
    if not rest and buffer[::FRAME_BYTES] == b"\x55" * count and buffer[1::FRAME_BYTES] == b"\x61" * count:
        return buffer, [], 0, b""
    data: list[bytes] = []
    registers: list[bytes] = []
    at = skipped = 0
    while len(buffer) - at >= FRAME_BYTES:
        frame, after = buffer[at : at + FRAME_BYTES], buffer[at + FRAME_BYTES : at + FRAME_BYTES + 2]
        if frame[:2] in _HEADERS and any(header.startswith(after) for header in _HEADERS):
            (data if frame[:2] == _DATA else registers).append(frame)
            at += FRAME_BYTES
        else:
            at += 1
            skipped += 1
    return b"".join(data), registers, skipped, buffer[at:]


def _clipped(data: bytes) -> int:
    """Samples at full scale in some data frames."""
    if b"\xff\x7f" not in data and b"\x00\x80" not in data and b"\x01\x80" not in data:
        return 0
    samples = np.frombuffer(data, dtype=_FRAME_TYPE)["samples"].astype(np.int32)
    return int((np.abs(samples) >= _CLIPPED).any(axis=1).sum())


def _matches(advertisement: Advertisement) -> bool:
    service = any(uuid.startswith("0000ffe5-") for uuid in advertisement.service_uuids)
    return service and "WT" in (advertisement.name or "")


def _command(register: int, low: int, high: int) -> bytes:
    return bytes((0xFF, 0xAA, register, low, high))


_BASE = "-0000-1000-8000-00805f9a34fb"
_CONTROL = "0000ffe9" + _BASE
_PAUSE_S = 0.1
DRIVER = Driver(
    name="witmotion",
    title="WitMotion WT901BLE",
    matches=_matches,
    start=(
        Write("config", _CONTROL, _command(0x69, 0x88, 0xB5), response=False, pause_s=_PAUSE_S),
        Write("config", _CONTROL, _command(0x03, 0x08, 0x00), response=False, pause_s=_PAUSE_S),
        Subscribe("live", "0000ffe4" + _BASE),
    ),
    stop=(),
    every=((60.0, Write("config", _CONTROL, _command(0x27, _BATTERY_REGISTER, 0x00), response=False)),),
    data_channels=("live",),
    decoder=WitMotionDecoder,
    identity=lambda _: None,
    row_identity=lambda _channel, _payload: None,
    service_uuid="0000ffe5" + _BASE,
)
