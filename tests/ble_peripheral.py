"""A small GATT peripheral with faults, an air of its own, and the driver that fits it: what the Bluetooth tests talk to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bumble import att, gatt, hci, ll
from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue

from firmware_sim.controller import RepairedController, RepairedLink
from monitor.core.protocols import Advertisement, Driver, Read, Stage, Subscribe, Write

_BASE = "{:08x}-1111-2222-3333-444455556666"
SERVICE, INFO, DATA, CTRL, ABSENT = (_BASE.format(n) for n in range(1, 6))
ADDRESS = "C0:00:00:00:00:01"
START, STOP, PING = b"start", b"stop", b"ping"
_P, _A = Characteristic.Properties, att.Attribute.Permissions


def no_decoder(sensor: str) -> Stage:
    raise NotImplementedError(sensor)


def matches(seen: Advertisement) -> bool:
    return SERVICE in seen.service_uuids


def identity(payloads: Mapping[str, bytes]) -> str | None:
    return payloads["info"].decode() if "info" in payloads else None


def driver(**changes: object) -> Driver:
    parts: dict[str, object] = {
        "name": "toy",
        "title": "Toy sensor",
        "matches": matches,
        "start": (
            Read("info", INFO),
            Subscribe("ctrl", CTRL),
            Subscribe("live", DATA),
            Write("ctrl", CTRL, START),
        ),
        "stop": (Write("ctrl", CTRL, STOP),),
        "every": (),
        "data_channels": ("live",),
        "decoder": no_decoder,
        "identity": identity,
        "row_identity": lambda channel, payload: None,
        "service_uuid": SERVICE,
    }
    return Driver(**{**parts, **changes})  # type: ignore[arg-type]


class Air(RepairedLink):
    """An air out of whose reach controllers can go."""

    def __init__(self) -> None:
        super().__init__()
        self.away: set[RepairedController] = set()

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        if sender_controller not in self.away:
            super().send_advertising_pdu(sender_controller, packet)


class Peripheral:
    """Sends a counter every 0.1 s once started. Faults are plain fields.

    `silent`: streams nothing. `deaf`: never answers a write. `refuse`: ATT error for INFO reads, None for none.
    """

    def __init__(self, air: Air, address: str = ADDRESS, name: str = "Toy", uid: str = "uid-1") -> None:
        self.controller = RepairedController(f"toy {address}", air, "00:00:00:00:00:00")
        self._air = air
        self.uid = uid
        self.silent = self.deaf = False
        self.refuse: int | None = None
        self.written: list[bytes] = []
        self.connections: list[Connection] = []
        self.sent = 0
        self._sending: asyncio.Task[None] | None = None
        self.data = Characteristic(DATA, _P.NOTIFY, _A(0), b"")
        self.ctrl = Characteristic(
            CTRL, _P.WRITE | _P.INDICATE, _A.WRITEABLE, CharacteristicValue(write=self._ctrl)
        )
        info = Characteristic(INFO, _P.READ, _A.READABLE, CharacteristicValue(read=self._info))
        twin = Characteristic(INFO, _P.READ, _A.READABLE, b"another service's value")
        self.device = Device.from_config_with_hci(
            DeviceConfiguration(
                name=name,
                address=hci.Address(address),
                advertising_interval_min=100,
                advertising_interval_max=100,
            ),
            self.controller,
            self.controller,
        )
        self.device.gatt_server.max_mtu = 247
        self.device.add_services(
            [gatt.Service(_BASE.format(99), [twin]), gatt.Service(SERVICE, [info, self.data, self.ctrl])]
        )
        self.device.on("connection", self._connected)
        flags = (AdvertisingData.FLAGS, b"\x06")
        uuid = (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(gatt.UUID(SERVICE)))
        called = (AdvertisingData.COMPLETE_LOCAL_NAME, name.encode()[:20])
        self._advertised = bytes(AdvertisingData([flags, uuid])), bytes(AdvertisingData([called]))

    async def on(self) -> None:
        await self.device.power_on()
        await self.advertise()

    async def advertise(self) -> None:
        data, response = self._advertised
        await self.device.start_advertising(
            auto_restart=True, advertising_data=data, scan_response_data=response
        )

    async def off(self) -> None:
        self._stop()
        await self.device.power_off()
        self.controller.le_legacy_advertiser.stop()

    def lose(self) -> None:
        """Both ends of its link time out."""
        own = self.device.random_address
        for controller in list(self._air.controllers):
            for connection in list(controller.le_connections.values()):
                if own in (connection.self_address, connection.peer_address):
                    controller.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def vanish(self) -> None:
        """Out of reach: the link times out and no advertisement is heard."""
        self._air.away.add(self.controller)
        self.lose()

    def come_back(self) -> None:
        self._air.away.discard(self.controller)

    def _connected(self, connection: Connection) -> None:
        self.connections.append(connection)
        connection.on("disconnection", lambda _reason: self._stop())

    def _info(self, _connection: object) -> bytes:
        if self.refuse is not None:
            raise att.ATT_Error(self.refuse)
        return self.uid.encode()

    async def _ctrl(self, connection: Connection, value: bytes) -> None:
        self.written.append(bytes(value))
        if self.deaf:
            await asyncio.get_running_loop().create_future()
        if value == START:
            self._stop()
            self._sending = asyncio.create_task(self._send(connection))
        if value == STOP:
            self._stop()
        asyncio.get_running_loop().create_task(
            self.device.indicate_subscriber(connection, self.ctrl, b"ok " + value)
        )

    async def _send(self, connection: Connection) -> None:
        while True:
            await asyncio.sleep(0.1)
            if not self.silent:
                await self.device.notify_subscriber(connection, self.data, self.sent.to_bytes(4, "little"))
                self.sent += 1

    def _stop(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None


def host_controller(air: Air) -> RepairedController:
    return RepairedController("host", air, "AA:AA:AA:AA:AA:AA")
