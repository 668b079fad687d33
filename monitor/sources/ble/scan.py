"""Who is in reach: a bounded list of advertisers, with what supple can do with each."""

from __future__ import annotations

import asyncio
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from monitor.core.protocols import Advertisement, Driver
from monitor.sources.ble.errors import explain
from monitor.sources.ble.radio import Radio
from monitor.sources.ble.virtual_scanner import MAX_SEEN
from monitor.sources.ble.watch import advertisement

MAX_NAME = 64
"""Characters of a name that are shown; an advertised name has at most 248 bytes."""

_BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
_UNPRINTABLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


@dataclass(frozen=True, slots=True)
class Found:
    """One advertiser. `name` is safe to print; `kind` is the driver's title or None, then `why` says why not.

    `driver` is the driver's name. `battery_percent` is None unless it is advertised.
    """

    name: str
    address: str
    kind: str | None
    driver: str | None
    why: str
    rssi_dbm: int
    battery_percent: float | None


async def scan(radio: Radio, drivers: Sequence[Driver], timeout_s: float) -> list[Found]:
    """Listen for `timeout_s`; usable sensors first, then by signal. Raises RadioError."""
    table: OrderedDict[str, tuple[BLEDevice, AdvertisementData]] = OrderedDict()

    def heard(device: BLEDevice, advertised: AdvertisementData) -> None:
        table[device.address] = (device, advertised)
        table.move_to_end(device.address)
        if len(table) > MAX_SEEN:
            table.popitem(last=False)

    try:
        async with BleakScanner(heard, **radio.scanner_kwargs):
            await asyncio.sleep(timeout_s)
    except Exception as problem:
        raise explain(problem) from problem
    found = [describe(device, advertised, drivers) for device, advertised in table.values()]
    return sorted(found, key=lambda f: (f.kind is None, -f.rssi_dbm, f.address))


def describe(device: BLEDevice, advertised: AdvertisementData, drivers: Sequence[Driver]) -> Found:
    """One line of the list."""
    seen = advertisement(device, advertised)
    driver = match(seen, drivers)
    level = advertised.service_data.get(_BATTERY_SERVICE, b"")
    return Found(
        name=printable(seen.name) or "(no name)",
        address=seen.address,
        kind=driver.title if driver is not None else None,
        driver=driver.name if driver is not None else None,
        why="" if driver is not None else "no driver here knows this device",
        rssi_dbm=seen.rssi_dbm,
        battery_percent=float(level[0]) if len(level) == 1 and level[0] <= 100 else None,
    )


def match(seen: Advertisement, drivers: Sequence[Driver]) -> Driver | None:
    """The first driver that means this device."""
    return next((driver for driver in drivers if driver.matches(seen)), None)


def printable(name: str | None) -> str:
    """A name from the air, fit for a terminal: control, direction and private characters escaped, length bounded."""
    text = (name or "").strip()
    shown = "".join(
        c if unicodedata.category(c) not in _UNPRINTABLE else _escaped(c) for c in text[:MAX_NAME]
    )
    return shown + "..." if len(text) > MAX_NAME else shown


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
