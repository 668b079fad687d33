"""A twin of the WitMotion WT901BLE: its table of services, its bytes, its manners. No clock, no sequence, no memory.

Public facts only: the vendor's SDK and the WT901BLECL data sheet v20-0707. Frames of 20 bytes, little-endian:
`55 61` acc gyr angle, or `55 71` register and eight values; commands `FF AA register low high`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Protocol

from bumble.gatt import Characteristic, Service

from firmware_sim.controller import characteristic
from firmware_sim.firmware import DRAIN_PERCENT_PER_H, Value
from firmware_sim.link import Air
from firmware_sim.peripheral import Peripheral, StatusListener
from firmware_sim.sampler import Chip, Sampler

SERVICE, NOTIFY, WRITE = (f"0000ffe{n}-0000-1000-8000-00805f9a34fb" for n in (5, 4, 9))
"""The base ends 5f9a34fb, not 5f9b34fb as the Bluetooth base does."""

ACC_FULL_SCALE_G = 16
GYR_FULL_SCALE_DEG_S = 2000
UNLOCK = bytes.fromhex("FFAA6988B5")
CHIP_HZ = 200.0
RATES_HZ = {
    0x01: 0.2,
    0x02: 0.5,
    0x03: 1.0,
    0x04: 2.0,
    0x05: 5.0,
    0x06: 10.0,
    0x07: 20.0,
    0x08: 50.0,
    0x09: 100.0,
    0x0B: 200.0,
}
DEFAULT_RATE = 0x06
FRAMES_PER_NOTIFICATION = {0x09: 4, 0x0B: 8}
"""At 100 Hz a real sensor sent 4 frames at once; 8 are reported. Below, one by one."""

REG_RATE, REG_MAG, REG_TEMPERATURE, REG_BATTERY, REG_READ = 0x03, 0x3A, 0x40, 0x64, 0x27
_BATTERY_CENTIVOLT = (
    (100, 396),
    (90, 393),
    (75, 387),
    (60, 382),
    (50, 379),
    (40, 377),
    (30, 373),
    (20, 370),
    (15, 368),
    (10, 350),
    (5, 340),
    (0, 330),
)
_COMMAND = struct.Struct("<BBBh")
_ROW = struct.Struct("<6h")
_FRAME = struct.Struct("<BB9h")
_ANGLE = 32767 / math.pi
"""Counts per radian on board: 180 deg is full scale."""


class WitPlan(Protocol):
    """What a scenario says of it; it knows nothing of the rest."""

    @property
    def clock_ppm(self) -> float: ...

    @property
    def battery_percent(self) -> float: ...


class WitMotion:
    """The sensor without its radio. Streams while its notifications are subscribed to; `chip` must be scaled to
    16 g and 2000 deg/s."""

    def __init__(self, chip: Chip, plan: WitPlan) -> None:
        self._chip = chip
        self._plan = plan
        self._sampler = Sampler(chip, CHIP_HZ, plan.clock_ppm)
        self._mtu = 23
        self._unlocked = False
        self._streaming = False
        self._rate = DEFAULT_RATE
        self._sampler.step = round(CHIP_HZ / RATES_HZ[DEFAULT_RATE])

    @property
    def rate_hz(self) -> float:
        return RATES_HZ[self._rate]

    def next_due_s(self) -> float:
        return self._sampler.due_s(self._frames_at_once()) if self._streaming else math.inf

    def advance(self, to_s: float) -> list[Value]:
        """Every notification that became due up to `to_s`."""
        out: list[Value] = []
        while self.next_due_s() <= to_s:
            rows, _ = self._sampler.take(self._frames_at_once())
            out.append(("live", _frames(rows)))
        return out

    def on_connect(self, t_s: float, mtu: int, radio_event_s: Callable[[float], float] = lambda t: t) -> None:  # noqa: ARG002
        self._mtu = mtu

    def on_mtu(self, mtu: int) -> None:
        self._mtu = mtu

    def on_disconnect(self) -> None:
        self._streaming = False
        self._unlocked = False

    def on_subscribe(self, enabled: bool, t_s: float) -> None:
        """Subscribing is enough to start the stream."""
        if enabled and not self._streaming:
            self._sampler.skip_to(t_s)
        self._streaming = enabled

    def on_write(self, payload: bytes, t_s: float) -> list[Value]:
        """A command. What is not understood, or locked, is ignored as the real one ignores it."""
        if payload == UNLOCK:
            self._unlocked = True
            return []
        if len(payload) != _COMMAND.size or payload[:2] != b"\xff\xaa":
            return []
        _, _, register, value = _COMMAND.unpack(payload)
        if register == REG_READ:
            return [("live", _reply(value & 0xFF, self._registers(value & 0xFF, t_s)))]
        if register == REG_RATE and self._unlocked and value in RATES_HZ:
            self._sampler.skip_to(t_s)
            self._rate = value
            self._sampler.step = round(CHIP_HZ / RATES_HZ[value])
        return []

    def _frames_at_once(self) -> int:
        return max(1, min(FRAMES_PER_NOTIFICATION.get(self._rate, 1), (self._mtu - 3) // 20))

    def _registers(self, first: int, t_s: float) -> list[int]:
        """Eight registers from `first` on; those nobody asks for read 0."""
        percent = max(0.0, self._plan.battery_percent - t_s / 3600 * DRAIN_PERCENT_PER_H)
        known = {
            REG_RATE: self._rate,
            REG_TEMPERATURE: round(self._chip.temperature_c(t_s) * 100),
            REG_BATTERY: next(centivolt for floor, centivolt in _BATTERY_CENTIVOLT if percent >= floor),
        }
        return [known.get(register, 0) for register in range(first, first + 8)]


class WitMotionPeripheral(Peripheral):
    """The twin on the air."""

    def __init__(
        self, air: Air, sensor: WitMotion, *, address: str, on_status: StatusListener = lambda _: None
    ) -> None:
        super().__init__(
            air, sensor, address=address, name="WT901BLE67", service_uuid=SERVICE, on_status=on_status
        )
        self._twin = sensor
        properties = Characteristic.Properties
        notify = characteristic(NOTIFY, properties.NOTIFY, "Data")
        write = characteristic(
            WRITE, properties.WRITE | properties.WRITE_WITHOUT_RESPONSE, "Commands", write=self._on_write
        )
        notify.on(Characteristic.EVENT_SUBSCRIPTION, self._on_subscription)
        self.offer([Service(SERVICE, [notify, write])], {"live": notify})

    def _on_write(self, payload: bytes) -> None:
        self.send(self._twin.on_write(payload, self._air.now_s()))
        self.rearm()

    def _on_subscription(self, _bearer: object, notify: bool, _indicate: bool) -> None:
        self._twin.on_subscribe(notify, self._air.now_s())
        self.tell(f"streams at {self._twin.rate_hz:g} Hz" if notify else "stopped")
        self.rearm()


def _frames(rows: bytes) -> bytes:
    """One 55 61 frame per row. The angles on board are those of gravity, its yaw is always 0: a still sensor's."""
    out = []
    for x, y, z, *gyr in _ROW.iter_unpack(rows):
        roll, pitch = math.atan2(y, z), math.atan2(-x, math.hypot(y, z))
        out.append(_FRAME.pack(0x55, 0x61, x, y, z, *gyr, int(roll * _ANGLE), int(pitch * _ANGLE), 0))
    return b"".join(out)


def _reply(register: int, values: list[int]) -> bytes:
    return struct.pack("<BBH8h", 0x55, 0x71, register, *values)
