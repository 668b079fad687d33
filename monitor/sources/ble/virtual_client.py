"""bleak's client over the virtual adapter: every error becomes bleak's own, every await ends when the link does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble import att, core, hci
from bumble.device import Connection
from bumble.gatt_client import Client as GattClient

from monitor.sources.ble.adapter import VirtualAdapter
from monitor.sources.ble.virtual_scanner import uuid_text

ATT_MTU = 247
"""One ATT packet fills one 251-byte link-layer packet (docs/protocol.md)."""

_CCCD = "00002902-0000-1000-8000-00805f9b34fb"
_NOTIFY, _INDICATE, _OFF = b"\x01\x00", b"\x02\x00", b"\x00\x00"
_T = TypeVar("_T")


class _Link:
    """One connection. `gone` resolves with the HCI reason when it ends."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.gatt: GattClient = connection.gatt_client
        self.gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()


class VirtualClient(BaseBleakClient):
    """`BleakClient(device, backend=VirtualClient, radio=adapter)`."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        radio: VirtualAdapter,
        services: set[str] | None = None,
        disconnected_callback: Callable[[], None] | None = None,
        timeout: float = 30.0,
        **_unused: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._adapter = radio
        self._device = address_or_ble_device if isinstance(address_or_ble_device, BLEDevice) else None
        self._wanted = services
        self._link: _Link | None = None

    @property
    def name(self) -> str:
        named = self._device.name if self._device is not None else None
        return named or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        return int(self._need().connection.att_mtu)

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    # --- connection --------------------------------------------------------------------------------------------

    async def connect(self, pair: bool, **_unused: Any) -> None:
        if self._link is not None:
            raise BleakError("Client is already connected")
        connection = await self._adapter.connect(await self._address(), self._timeout)
        link = self._link = _Link(connection)
        connection.on(Connection.EVENT_DISCONNECTION, lambda reason: self._ended(link, reason))
        try:
            await self._secure(link, pair)
            with contextlib.suppress(BleakGATTProtocolError):
                await self._run(link.gatt.request_mtu(ATT_MTU))
            self.services = await self._discover(link)
        except BaseException:
            await self._hang_up(link)
            raise

    async def disconnect(self) -> None:
        if self._link is not None:
            await self._hang_up(self._link)

    async def pair(self, *_args: Any, **_unused: Any) -> None:
        await self._run(self._need().connection.pair())

    async def unpair(self) -> None:
        device = await self._adapter.device()
        address = str(await self._address())
        await self.disconnect()
        if device.keystore is not None:
            await device.keystore.delete(address)

    async def _address(self) -> hci.Address:
        if self._device is not None:
            address = self._device.details["address"]
            assert isinstance(address, hci.Address)
            return address
        raise BleakDeviceNotFoundError(self.address, f"{self.address} must be found by a scan first")

    async def _secure(self, link: _Link, pair: bool) -> None:
        """A bonded link is encrypted at once, as every operating system does."""
        keys = link.connection.device.keystore
        if pair:
            await self.pair()
        elif keys is not None and await keys.get(str(link.connection.peer_address)):
            await self._run(link.connection.encrypt())

    async def _hang_up(self, link: _Link) -> None:
        with contextlib.suppress(core.BaseBumbleError):
            if not link.gone.done():
                await link.connection.disconnect()
        if not link.gone.done():
            self._ended(link, int(hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR))

    def _ended(self, link: _Link, reason: int) -> None:
        if link.gone.done():
            return
        link.gone.set_result(reason)
        if self._link is link:
            self._link = None
            self.services = None
            if self._disconnected_callback is not None:
                self._disconnected_callback()

    # --- discovery ---------------------------------------------------------------------------------------------

    async def _discover(self, link: _Link) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for service in await self._run(link.gatt.discover_services()):
            service_uuid = uuid_text(service.uuid.uuid_bytes)
            if self._wanted and service_uuid not in self._wanted:
                continue
            owner = BleakGATTService(service, service.handle, service_uuid)
            found.add_service(owner)
            for characteristic in await self._run(service.discover_characteristics()):
                seen = BleakGATTCharacteristic(
                    characteristic,
                    characteristic.handle,
                    uuid_text(characteristic.uuid.uuid_bytes),
                    sorted(gatt_char_props_to_strs(int(characteristic.properties))),
                    lambda: self.mtu_size - 3,
                    owner,
                )
                found.add_characteristic(seen)
                for descriptor in await self._run(characteristic.discover_descriptors()):
                    kind = uuid_text(descriptor.type.uuid_bytes)
                    found.add_descriptor(BleakGATTDescriptor(descriptor, descriptor.handle, kind, seen))
        return found

    # --- reading, writing, listening: always by handle, as a UUID may occur twice -------------------------------

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_unused: Any) -> bytearray:
        return await self._read(characteristic.handle)

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **_unused: Any) -> bytearray:
        return await self._read(descriptor.handle)

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        await self._write(characteristic.handle, bytes(data), response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._write(descriptor.handle, bytes(data), True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_unused: Any
    ) -> None:
        link = self._need()
        indicate = "notify" not in characteristic.properties
        if indicate and "indicate" not in characteristic.properties:
            raise BleakError(f"{characteristic.uuid} neither notifies nor indicates")
        listeners = link.gatt.indication_subscribers if indicate else link.gatt.notification_subscribers
        if characteristic.handle in listeners:
            raise BleakError("Characteristic notifications already started")
        # Listen first: a value may follow the answer to the descriptor write at once.
        listeners[characteristic.handle] = {lambda value: callback(bytearray(value))}
        try:
            await self._write(_cccd(characteristic).handle, _INDICATE if indicate else _NOTIFY, True)
        except BaseException:
            listeners.pop(characteristic.handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        link = self._need()
        await self._write(_cccd(characteristic).handle, _OFF, True)
        link.gatt.notification_subscribers.pop(characteristic.handle, None)
        link.gatt.indication_subscribers.pop(characteristic.handle, None)

    async def _read(self, handle: int) -> bytearray:
        return bytearray(await self._run(self._need().gatt.read_value(handle)))

    async def _write(self, handle: int, value: bytes, response: bool) -> None:
        await self._run(self._need().gatt.write_value(handle, value, with_response=response))

    def _need(self) -> _Link:
        if self._link is None:
            raise BleakError("Not connected")
        return self._link

    async def _run(self, work: Awaitable[_T]) -> _T:
        """`work`, given up when the link ends. Raises BleakGATTProtocolError for ATT errors, BleakError for the rest."""
        task = asyncio.ensure_future(work)
        try:
            link = self._need()
            either: set[asyncio.Future[Any]] = {task, link.gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not task.cancelled():
                return task.result()
            reason = link.gone.result() if link.gone.done() else 0
            raise BleakError(f"disconnected (HCI reason 0x{reason:02X})")
        except att.ATT_Error as problem:
            raise BleakGATTProtocolError(int(problem.error_code)) from problem
        except core.BaseBumbleError as problem:
            raise BleakError(f"{type(problem).__name__}: {problem}") from problem
        finally:
            task.cancel()
            task.add_done_callback(_heed)


def _heed(task: asyncio.Future[Any]) -> None:
    """Fetch the outcome nobody waits for any more, so that asyncio does not report it as forgotten."""
    if not task.cancelled():
        task.exception()


def _cccd(characteristic: BleakGATTCharacteristic) -> BleakGATTDescriptor:
    descriptor = characteristic.get_descriptor(_CCCD)
    if descriptor is None:
        raise BleakError(f"{characteristic.uuid} has no client configuration descriptor")
    return descriptor
