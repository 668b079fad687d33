"""The virtual adapter: one Bluetooth host (Bumble) shared by scanner and clients, as an operating system's adapter is.

The controller behind it is either an object in this process or at the other end of a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from bleak.exc import BleakError
from bumble import core, hci
from bumble.device import Connection, ConnectionParametersPreferences, Device, DeviceConfiguration
from bumble.transport.common import Transport

from monitor.sources.ble.errors import no_simulator

OWN_ADDRESS = "F0:F1:F2:F3:F4:F5"
"""A static random address (its two highest bits are set)."""

INTERVAL_MIN_MS, INTERVAL_MAX_MS = 15.0, 30.0
SUPERVISION_MS = 4000
"""Asked for at connection: 15 to 30 ms and a timeout of 4 s (docs/protocol.md; Apple's accessory rules allow 2-6 s)."""

_CANCEL_GRACE_S = 1.0
"""How long an interrupted connection attempt may take to say how it ended."""

TransportOpener = Callable[[], Awaitable[Transport]]


class VirtualAdapter:
    """Powers on when first needed, and again after its transport was lost. `place` is where its controller is."""

    def __init__(self, place: str, opener: TransportOpener) -> None:
        self._place = place
        self._opener = opener
        self._transport: Transport | None = None
        self._device: Device | None = None
        self._power = asyncio.Lock()
        self._connecting = asyncio.Lock()
        self._scanners = 0

    async def device(self) -> Device:
        """The powered Bumble device. Raises RadioError (`no_simulator`) where no controller answers."""
        async with self._power:
            if self._device is None:
                try:
                    await _to_the_end(self._power_on())
                except (OSError, core.BaseBumbleError) as problem:
                    raise no_simulator(self._place, problem) from problem
            assert self._device is not None
            return self._device

    async def close(self) -> None:
        """Drop every connection and the transport; safe to call twice."""
        device, self._device = self._device, None
        transport, self._transport = self._transport, None
        if device is not None:
            with contextlib.suppress(core.BaseBumbleError, TimeoutError):
                async with asyncio.timeout(_CANCEL_GRACE_S):
                    for connection in list(device.connections.values()):
                        await connection.disconnect()
                    await device.power_off()
        if transport is not None:
            await transport.close()

    @contextlib.asynccontextmanager
    async def scanning(self, active: bool) -> AsyncIterator[Device]:
        """The device scans while at least one user is inside."""
        device = await self.device()
        self._scanners += 1
        try:
            if self._scanners == 1:
                await _to_the_end(device.start_scanning(active=active))
            yield device
        finally:
            self._scanners -= 1
            if self._scanners == 0 and device is self._device and device.is_scanning:
                with contextlib.suppress(core.BaseBumbleError):
                    await _to_the_end(device.stop_scanning())

    async def connect(self, address: hci.Address, timeout_s: float) -> Connection:
        """Connect to an advertiser. Raises TimeoutError or BleakError; when cancelled it leaves no connection behind."""
        device = await self.device()
        async with self._connecting:
            attempt = asyncio.ensure_future(
                device.connect_le(address, connection_parameters_preferences=_preferences(), timeout=None)
            )
            try:
                done, _ = await asyncio.wait({attempt}, timeout=timeout_s)
                if not done:
                    raise TimeoutError
                return attempt.result()
            except core.ConnectionError as problem:
                raise BleakError(f"connection failed: {problem}") from problem
            except core.InvalidStateError as problem:
                raise BleakError(f"connection refused by the controller: {problem}") from problem
            finally:
                if not attempt.done():
                    await _abandon(device, attempt)

    async def _power_on(self) -> None:
        if self._transport is not None:
            await self._transport.close()
        self._transport = await self._opener()
        # Bumble's default identity key is all zeros, with which anyone could resolve the address.
        config = DeviceConfiguration(
            name="supple", address=hci.Address(OWN_ADDRESS), irk=secrets.token_bytes(16)
        )
        device = Device.from_config_with_hci(config, self._transport.source, self._transport.sink)
        await device.power_on()
        device.on(Device.EVENT_FLUSH, self._lost)
        self._device = device

    def _lost(self) -> None:
        """The transport ended: the next user gets a new one."""
        self._device = None
        self._scanners = 0


async def _to_the_end(commands: Coroutine[Any, Any, None]) -> None:
    """Await HCI commands that are not cut off when the caller is cancelled: Bumble trips over the answer that still comes."""
    task = asyncio.ensure_future(commands)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_CANCEL_GRACE_S)
        if task.done() and not task.cancelled():
            task.exception()
        raise


def _preferences() -> dict[Any, ConnectionParametersPreferences]:
    wish = ConnectionParametersPreferences(
        connection_interval_min=INTERVAL_MIN_MS,
        connection_interval_max=INTERVAL_MAX_MS,
        supervision_timeout=SUPERVISION_MS,
    )
    return {hci.HCI_LE_1M_PHY: wish}


async def _abandon(device: Device, attempt: asyncio.Future[Connection]) -> None:
    """Call the controller back; a connection that was made in the same moment is closed again."""
    with contextlib.suppress(core.BaseBumbleError):
        await device.cancel_connection()  # type: ignore[no-untyped-call]
    await asyncio.wait({attempt}, timeout=_CANCEL_GRACE_S)
    if not attempt.done():
        attempt.cancel()
        await asyncio.wait({attempt})
    elif not attempt.cancelled() and attempt.exception() is None:
        await attempt.result().disconnect()
