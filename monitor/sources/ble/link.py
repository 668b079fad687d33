"""One connection to one sensor: played steps, arriving values, and whether it is still alive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode

from monitor.core.protocols import Driver, Read, Step, Subscribe, Write

STEP_S = 10.0
"""Longest wait for one answer; a sensor answers within a few connection intervals (of at most 4 s, by specification)."""

PAIR_S = 30.0
"""SMP timeout (Bluetooth Core, vol 3 part H, 3.4)."""

_WANTS_PAIRING = frozenset(
    (
        BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION,
        BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION,
    )
)

Arrived = Callable[["Link", str, bytes], None]


class MissingCharacteristicError(BleakError):
    """The sensor does not offer what its driver needs."""


class Link:
    """A connected client. `arrived(link, channel, payload)` is called for every value and for every write as `_tx`.

    `gone` resolves when the connection ends; `last_data_s` is the loop time of the last value on a data channel.
    """

    def __init__(self, driver: Driver, arrived: Arrived) -> None:
        loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.last_data_s = loop.time()
        self._time = loop.time
        self._driver = driver
        self._data_channels = frozenset(driver.data_channels)
        self._arrived = arrived
        self._paired = False

    def ended(self, _client: object = None) -> None:
        """The disconnected callback; repeats are harmless."""
        if not self.gone.done():
            self.gone.set_result(None)

    async def play(self, client: BleakClient, step: Step) -> None:
        """Do one step; pair first where the sensor asks for it. Raises BleakError, OSError, EOFError, TimeoutError."""
        try:
            await self._try(client, step)
        except BleakGATTProtocolError as problem:
            if self._paired or problem.code not in _WANTS_PAIRING:
                raise
            self._paired = True
            async with asyncio.timeout(PAIR_S):
                await client.pair()
            await self._try(client, step)

    async def _try(self, client: BleakClient, step: Step) -> None:
        async with asyncio.timeout(STEP_S):
            match step:
                case Read():
                    await self._read(client, step)
                case Subscribe():
                    listener = partial(self._heard, step.channel)
                    await client.start_notify(self._characteristic(client, step.uuid), listener)
                case Write():
                    characteristic = self._characteristic(client, step.uuid)
                    # Recorded before it is sent: the answer may overtake the end of the write.
                    self._arrived(self, f"{step.channel}_tx", step.payload)
                    await client.write_gatt_char(characteristic, step.payload, response=step.response)
        if isinstance(step, Write) and step.pause_s > 0:
            await asyncio.sleep(step.pause_s)

    async def _read(self, client: BleakClient, step: Read) -> None:
        try:
            value = await client.read_gatt_char(self._characteristic(client, step.uuid))
        except (MissingCharacteristicError, BleakGATTProtocolError):
            if not step.optional:
                raise
        else:
            self._arrived(self, step.channel, bytes(value))

    def _heard(self, channel: str, _characteristic: BleakGATTCharacteristic, value: bytearray) -> None:
        if channel in self._data_channels:
            self.last_data_s = self._time()
        self._arrived(self, channel, bytes(value))

    def _characteristic(self, client: BleakClient, uuid: str) -> BleakGATTCharacteristic:
        """The one in the driver's own service, else the first anywhere."""
        wanted, home = uuid.lower(), self._driver.service_uuid.lower()
        known = [c for c in client.services.characteristics.values() if c.uuid == wanted]
        known.sort(key=lambda c: c.service_uuid != home)
        if not known:
            raise MissingCharacteristicError(
                f"it lacks the characteristic {wanted}: its firmware does not fit the {self._driver.title} driver"
            )
        return known[0]
