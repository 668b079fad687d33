"""A tiny chip, a tiny plan and a plain Bumble central, for the tests of the simulated sensor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
from bumble import gatt_client
from bumble.core import UUID
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.hci import Address

from firmware_sim.firmware import Firmware
from firmware_sim.gatt import CTRL, LIVE, STATE, Spine1Peripheral
from firmware_sim.link import Air, AirController

ADDRESS = "C4:00:00:00:00:07"
UID = 0x1234


@dataclass(frozen=True)
class TinyParams:
    acc_full_scale_g: float = 8.0
    gyr_full_scale_deg_s: float = 1000.0


class TinyChip:
    """acc x counts the rows since time 0 (modulo 32768), acc y and gyr are constant; rows in `clipped_rows` are clipped."""

    params = TinyParams()

    def __init__(self, rate_hz: float = 100.0, clipped_rows: frozenset[int] = frozenset()) -> None:
        self._rate_hz = rate_hz
        self._clipped_rows = clipped_rows

    def sample(self, times_s):
        rows = np.rint(np.asarray(times_s) * self._rate_hz).astype(np.int64)
        acc = np.stack((rows % 32768, np.full(len(rows), -200), np.full(len(rows), 4096)), axis=1).astype(
            np.int16
        )
        gyr = np.tile(np.array((1, -2, 3), dtype=np.int16), (len(rows), 1))
        return acc, gyr, np.isin(rows, list(self._clipped_rows))

    def temperature_c(self, t_s: float) -> float:
        return 31.27


@dataclass(frozen=True)
class TinyPlan:
    rate_hz: float = 100.0
    clock_ppm: float = 0.0
    battery_percent: float = 80.0
    uid: int = UID
    ring_samples: int = 1000


@dataclass(frozen=True)
class TinyAir:
    interval_s: float = 0.0075
    adv_loss: float = 0.0
    rssi_dbm: float = -60.0
    rssi_sd_db: float = 0.0
    out_of_range: tuple[tuple[float, float], ...] = ()
    latency_spikes: tuple[tuple[float, float], ...] = ()
    loss: float = 0.0


QUIET = TinyAir()
PLAN = TinyPlan()


class Central:
    """One connected client: its services, what it was notified of, and a control point."""

    def __init__(self, connection: Connection, peer: gatt_client.Client) -> None:
        self.connection = connection
        self.client = peer
        self.notified: list[tuple[str, bytes]] = []
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        connection.on("disconnection", lambda reason: self.gone.done() or self.gone.set_result(reason))

    async def discover(self) -> None:
        await self.client.discover_services()
        for service in self.client.services:
            await service.discover_characteristics()
            for characteristic in service.characteristics:
                await characteristic.discover_descriptors()

    def find(self, uuid: str) -> gatt_client.CharacteristicProxy:
        (found,) = (c for s in self.client.services for c in s.characteristics if c.uuid == UUID(uuid))
        return found

    async def subscribe(self, name: str, uuid: str) -> None:
        await self.find(uuid).subscribe(lambda value: self.notified.append((name, bytes(value))))

    async def subscribe_all(self) -> None:
        await self.subscribe("state", STATE)
        await self.subscribe("live", LIVE)
        await self.find(CTRL).subscribe(self.answers.put_nowait, prefer_notify=False)

    async def ctrl(self, request: bytes) -> bytes:
        await self.find(CTRL).write_value(request, with_response=True)
        return bytes(await asyncio.wait_for(self.answers.get(), 5))

    def of(self, name: str) -> list[bytes]:
        return [payload for channel, payload in self.notified if channel == name]


async def power_on_host(controller: object, sink: object = None) -> Device:
    config = DeviceConfiguration(name="client", address=Address("F0:00:00:00:00:01"))
    host = Device.from_config_with_hci(config, controller, sink or controller)
    await host.power_on()
    return host


async def connect(host: Device, address: str = ADDRESS, *, mtu: int = 247, timeout: float = 5.0) -> Central:
    connection = await host.connect(Address(address), timeout=timeout)
    client = connection.gatt_client
    if mtu != 23:
        await client.request_mtu(mtu)
    return Central(connection, client)


@dataclass
class TinyWorld:
    air: Air
    firmware: Firmware
    sensor: Spine1Peripheral
    host_controller: AirController
    statuses: list[str]


@asynccontextmanager
async def tiny_world(
    air: TinyAir = QUIET, plan: TinyPlan = PLAN, *, secure: bool = False, seed: int = 1
) -> AsyncIterator[TinyWorld]:
    the_air = Air(air, seed)
    host_controller = AirController("host", the_air, "02:00:00:00:00:01")
    firmware = Firmware(TinyChip(plan.rate_hz), plan, seed)
    statuses: list[str] = []
    sensor = Spine1Peripheral(
        the_air, firmware, plan.uid, address=ADDRESS, secure=secure, on_status=statuses.append
    )
    the_air.open()
    await sensor.start()
    try:
        yield TinyWorld(the_air, firmware, sensor, host_controller, statuses)
    finally:
        await sensor.stop()
        the_air.close()
