"""One scanner for everybody who waits for a sensor: two scans in one program disturb each other on BlueZ (InProgress)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from monitor.core.protocols import Advertisement
from monitor.sources.ble.errors import explain
from monitor.sources.ble.radio import Radio

Wanted: TypeAlias = Callable[[Advertisement], bool]

RESTART_S = 10.0
"""A scanner older than this is made anew: it may have died with its adapter or daemon without a word."""

_STOP_S = 5.0


class Watch:
    """Scans while somebody waits and nobody connects."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self._waiting: dict[asyncio.Future[BLEDevice], Wanted] = {}
        self._taken: set[str] = set()
        self._scanner: BleakScanner | None = None
        self._since_s = 0.0
        self._change = asyncio.Lock()
        self._connect = asyncio.Lock()
        self._quiet = False
        self.worked = False
        """Whether this radio has ever been able to scan."""

    async def find(self, wanted: Wanted, timeout_s: float) -> BLEDevice | None:
        """The first advertiser `wanted` accepts from now on, None after `timeout_s`. Raises RadioError.

        It is the caller's alone until `release`.
        """
        found: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()
        self._waiting[found] = wanted
        device: BLEDevice | None = None
        try:
            async with asyncio.timeout(timeout_s):
                await self._adjust()
                device = await found
        except TimeoutError:
            pass
        finally:
            del self._waiting[found]
            if device is None and found.done() and not found.cancelled() and found.exception() is None:
                self.release(found.result())
            await self._adjust()
        return device

    def release(self, device: BLEDevice) -> None:
        """Others may have it again."""
        self._taken.discard(device.address)

    @contextlib.asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """No scanning inside, and nobody else inside: connecting while scanning fails on many adapters."""
        async with self._connect:
            self._quiet = True
            try:
                await self._adjust()
                yield
            finally:
                self._quiet = False
                await self._resume()

    async def _resume(self) -> None:
        """Scan on for the others; if that fails it is they who must hear of it."""
        try:
            await self._adjust()
        except Exception as problem:
            for waiter in self._waiting:
                if not waiter.done():
                    waiter.set_exception(explain(problem))

    async def _adjust(self) -> None:
        """Start, stop or renew the scanner, whatever the moment asks for. Raises RadioError when it cannot start."""
        async with self._change:
            needed = bool(self._waiting) and not self._quiet
            now_s = asyncio.get_running_loop().time()
            if self._scanner is not None and (not needed or now_s - self._since_s > RESTART_S):
                await self._stop()
            if needed and self._scanner is None:
                await self._start()
                self._since_s = now_s

    async def _start(self) -> None:
        scanner = BleakScanner(self._heard, **self._radio.scanner_kwargs)
        try:
            await scanner.start()
        except Exception as problem:
            raise explain(problem) from problem
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await scanner.stop()
            raise
        self._scanner, self.worked = scanner, True

    async def _stop(self) -> None:
        scanner, self._scanner = self._scanner, None
        # A scanner that cannot be stopped belongs to an adapter that is gone.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_STOP_S):
                if scanner is not None:
                    await scanner.stop()

    def _heard(self, device: BLEDevice, advertised: AdvertisementData) -> None:
        if device.address in self._taken:
            return
        seen = advertisement(device, advertised)
        for waiter, wanted in self._waiting.items():
            if not waiter.done() and wanted(seen):
                self._taken.add(device.address)
                waiter.set_result(device)
                return


def advertisement(device: BLEDevice, advertised: AdvertisementData) -> Advertisement:
    """bleak's report in the core's terms."""
    return Advertisement(
        address=device.address,
        name=advertised.local_name or device.name,
        service_uuids=tuple(uuid.lower() for uuid in advertised.service_uuids),
        manufacturer_data=dict(advertised.manufacturer_data),
        rssi_dbm=advertised.rssi,
    )
