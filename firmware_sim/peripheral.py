"""A Bumble peripheral around a sensor without a radio: advertises, takes one central, sends values when they are due."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from bumble import att, gatt, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device, DeviceConfiguration

from firmware_sim.controller import ask_parameters
from firmware_sim.firmware import Value
from firmware_sim.link import Air, AirController

MAX_MTU = 247
"""244 bytes of value + 3 ATT + 4 L2CAP fill one link-layer packet of 251 bytes."""
ADVERTISING_MS = 100.0
INTERVAL_MS = (15.0, 30.0)
TIMEOUT_MS = 4000.0
"""Asked for, as Apple's accessory rules want it (minimum a multiple of 15 ms, timeout 2 to 6 s)."""

StatusListener = Callable[[str], None]


class Sensor(Protocol):
    """A sensor without its radio. Times are seconds of the scenario."""

    def next_due_s(self) -> float: ...

    def advance(self, to_s: float) -> list[Value]: ...

    def on_connect(self, t_s: float, mtu: int, radio_event_s: Callable[[float], float]) -> None: ...

    def on_mtu(self, mtu: int) -> None: ...

    def on_disconnect(self) -> None: ...


class Peripheral:
    """`channels` maps the sensor's channels to the characteristics that carry them, all part of `services`.

    `battery_percent`, where given, is told to whoever scans, as it was when the sensor was switched on.
    Must be built inside a running event loop. A value nobody subscribed to is not sent.
    """

    def __init__(
        self,
        air: Air,
        sensor: Sensor,
        *,
        address: str,
        name: str,
        service_uuid: str,
        battery_percent: int | None = None,
        on_status: StatusListener = lambda _: None,
    ) -> None:
        answer = [(AdvertisingData.COMPLETE_LOCAL_NAME, name.encode())]
        if battery_percent is not None:
            level = bytes(gatt.GATT_BATTERY_SERVICE) + bytes((battery_percent,))
            answer.append((AdvertisingData.SERVICE_DATA_16_BIT_UUID, level))
        self.address = hci.Address(address)
        self.name = name
        self.controller = AirController(name, air, _public_twin(address))
        self.device = Device.from_config_with_hci(
            DeviceConfiguration(
                name=name,
                address=self.address,
                advertising_interval_min=ADVERTISING_MS,
                advertising_interval_max=ADVERTISING_MS,
                advertising_data=bytes(
                    AdvertisingData(
                        [
                            (AdvertisingData.FLAGS, bytes((0x06,))),
                            (
                                AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
                                UUID(service_uuid).to_bytes(force_128=True),
                            ),
                        ]
                    )
                ),
                scan_response_data=bytes(AdvertisingData(answer)),
            ),
            self.controller,
            self.controller,
        )
        self.device.gatt_server.max_mtu = MAX_MTU
        self.device.on(Device.EVENT_CONNECTION, self._connected)
        self._air = air
        self._sensor = sensor
        self._on_status = on_status
        self._channels: Mapping[str, gatt.Characteristic[bytes]] = {}
        self._connection: Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def offer(
        self, services: Sequence[gatt.Service], channels: Mapping[str, gatt.Characteristic[bytes]]
    ) -> None:
        """Set up the table of services. Once, before `start`."""
        self.device.add_services(services)
        self._channels = channels

    async def start(self) -> None:
        await self.device.power_on()
        await self.device.start_advertising(auto_restart=True)

    async def stop(self) -> None:
        """Switch off: no more advertising, no more connection."""
        self._disarm()
        for task in self._tasks:
            task.cancel()
        await self.device.power_off()
        self.controller.le_legacy_advertiser.stop()

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def subscribed(self, channel: str, *, indication: bool = False) -> bool:
        """Has the central asked for this channel?"""
        subscriptions = (
            self.device.gatt_server.subscribers.get(self._connection) if self._connection else None
        )
        value = subscriptions.get(self._channels[channel].handle) if subscriptions else None
        return bool(value) and bool(value[0] & (2 if indication else 1)) if value else False

    def send(self, values: Sequence[Value]) -> None:
        """Notify those channels that are subscribed to, cut to the MTU as ATT does."""
        for channel, payload in values:
            connection = self._connection
            if connection is not None and self.subscribed(channel):
                handle = self._channels[channel].handle.to_bytes(2, "little")
                pdu = bytes((att.Opcode.ATT_HANDLE_VALUE_NOTIFICATION,)) + handle
                self.device.gatt_server.send_gatt_pdu(connection, pdu + payload[: connection.att_mtu - 3])

    async def indicate(self, channel: str, payload: bytes) -> None:
        """Indicate and wait for the confirmation; returns at once where the link is gone."""
        if self._connection is not None:
            await self.device.indicate_subscriber(self._connection, self._channels[channel], payload)

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` beside the stream, for as long as the link lasts."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def tell(self, status: str) -> None:
        self._on_status(f"{self.name} {status}")

    def rearm(self) -> None:
        """The sensor may be due at another time than before."""
        self._disarm()
        due_s = self._sensor.next_due_s()
        if math.isfinite(due_s):
            self._timer = self._air.call_at(due_s, self._pump, due_s)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pump(self, due_s: float) -> None:
        self.send(self._sensor.advance(max(self._air.now_s(), due_s)))
        self.rearm()

    def _connected(self, connection: Connection) -> None:
        self._connection = connection
        own, peer = connection.self_address, connection.peer_address
        self._sensor.on_connect(
            self._air.now_s(), connection.att_mtu, lambda t_s: self._air.radio_event_s(own, peer, t_s)
        )
        connection.on(Connection.EVENT_DISCONNECTION, self._disconnected)
        connection.on(
            Connection.EVENT_CONNECTION_ATT_MTU_UPDATE, lambda: self._mtu_changed(connection.att_mtu)
        )
        self.run(ask_parameters(connection, INTERVAL_MS, TIMEOUT_MS))
        self.tell(f"connected to {peer}")
        self.rearm()

    def _mtu_changed(self, mtu: int) -> None:
        self._sensor.on_mtu(mtu)
        self.rearm()

    def _disconnected(self, reason: int) -> None:
        self._connection = None
        self._sensor.on_disconnect()
        for task in self._tasks:
            task.cancel()
        self.tell(f"disconnected, reason 0x{reason:02X}")
        self.rearm()


def _public_twin(address: str) -> str:
    """A public address beside a random static one: the two top bits, which mark a static address, cleared."""
    return f"{int(address[:2], 16) & 0x3F:02X}{address[2:]}"
