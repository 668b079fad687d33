"""`supple scan`, `pair`, `forget`, `doctor`: which sensors there are and what this machine can do."""

from __future__ import annotations

import asyncio
import json as json_module
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor import doctor
from monitor.commands.live import local_wall
from monitor.commands.say import say
from monitor.core.errors import SensorNotFoundError
from monitor.core.inputs import Mark, Packet
from monitor.core.protocols import Driver
from monitor.pipeline import drivers
from monitor.sources.ble.client import Target
from monitor.sources.ble.radio import Radio, open_radio
from monitor.sources.ble.scan import Found, scan
from monitor.sources.ble.source import BleSource
from monitor.store import paired
from monitor.store.places import keep_private, places

MEET_S = 30.0
"""How long a sensor has to answer when it is paired: a first connection may take several tries."""


def run_scan(timeout_s: float, radio: str | None, json: bool) -> int:
    """List who is in reach. 0 also where nobody is: the scan worked."""

    async def look() -> list[Found]:
        async with open_radio(radio) as opened:
            if not json:
                say(f"Listening for {timeout_s:g} s on {opened.label} ...")
            return await scan(opened, list(drivers().values()), timeout_s)

    found = asyncio.run(look())
    if json:
        for one in found:
            sys.stdout.write(json_module.dumps(asdict(one)) + "\n")
        return 0
    if not found:
        say("Nothing in reach. Is the sensor switched on, near, and free (not connected to a phone)?")
        say("Without a sensor:  supple live --sim desk")
        return 0
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "kind", "signal", "battery", "address"):
        table.add_column(heading)
    for one in found:
        battery = "-" if one.battery_percent is None else f"{one.battery_percent:.0f} %"
        kind = one.kind or f"not supported: {one.why}"
        table.add_row(Text(one.name), kind, f"{one.rssi_dbm} dBm", battery, one.address)
    Console().print(table)
    if usable := [one for one in found if one.kind]:
        say(f"Remember one:  supple pair {usable[0].address} --name my-sensor --placement lower_back")
    return 0


def run_pair(address: str | None, name: str, placement: str, timeout_s: float, radio: str | None) -> int:
    """Meet the sensor once, learn who it is, and remember it."""
    keep_private()
    paired.check(paired.PairedSensor(name or "sensor", "-", address or "-", placement=placement))

    async def meet() -> tuple[Found, str | None]:
        async with open_radio(radio) as opened:
            say(f"Looking for {address or 'a sensor'} on {opened.label} ...")
            one = _only(await scan(opened, list(drivers().values()), timeout_s), address)
            say(f"Found {one.name} ({one.kind}); connecting ...")
            return one, await _identity(opened, drivers()[str(one.driver)], one.address)

    one, identity = asyncio.run(meet())
    sensor = paired.PairedSensor(
        name=name or _free_name(one.name),
        driver=str(one.driver),
        address=one.address,
        identity=identity,
        placement=placement,
        last_used_wall_s=local_wall()[0],
    )
    paired.remember(places().config, sensor)
    by_radio = f" --radio {radio}" if radio else ""
    say(f"Paired as {sensor.name}, worn at the {placement.replace('_', ' ')}.")
    say(f"Start:  supple live --device {sensor.name}{by_radio}")
    return 0


def run_forget(name: str) -> int:
    """Forget one sensor."""
    sensor = paired.forget(places().config, name)
    say(f"Forgot {sensor.name}. Its recordings are kept.")
    return 0


def run_doctor(json: bool) -> int:
    """Tell how this machine is. 0 where everything is fine, else 1."""
    checks = doctor.checks()
    if json:
        for check in checks:
            sys.stdout.write(json_module.dumps(asdict(check)) + "\n")
    else:
        console = Console()
        for check in checks:
            mark = Text("ok  ", "green") if check.ok else Text("look", "yellow")
            console.print(Text.assemble(mark, f"  {check.name:<18}{check.says}"), soft_wrap=True)
            if check.fix:
                console.print(Text(f"{'':24}{check.fix}", "dim"), soft_wrap=True)
    return 0 if all(check.ok for check in checks) else 1


def _only(found: Sequence[Found], address: str | None) -> Found:
    """The sensor at `address`, or the only usable one. Raises SensorNotFoundError."""
    if address is not None:
        for one in found:
            if one.address.lower() == address.lower():
                if one.driver is None:
                    raise SensorNotFoundError(
                        f"{one.name} at {address} cannot be used: {one.why}.", "", address
                    )
                return one
        raise SensorNotFoundError(
            f"Nothing answers at {address}.", "Switch it on, bring it near, and see `supple scan`.", address
        )
    usable = [one for one in found if one.driver is not None]
    if len(usable) == 1:
        return usable[0]
    if not usable:
        raise SensorNotFoundError(
            "No sensor that supple knows is in reach.", "Switch it on, or see `supple scan`."
        )
    raise SensorNotFoundError(
        f"{len(usable)} sensors are in reach: {', '.join(one.address for one in usable)}.",
        "Say which one:  supple pair ADDRESS",
    )


async def _identity(radio: Radio, driver: Driver, address: str) -> str | None:
    """Connect until the first data; the sensor's own id, None where it has none. Raises SensorNotFoundError."""
    wall_s, offset_s = local_wall()
    source = BleSource(
        radio,
        [Target("new", driver, address)],
        start_wall_s=wall_s,
        utc_offset_s=offset_s,
        duration_s=MEET_S,
        say=lambda _sensor, text: say(f"  {text}"),
    )
    identity: str | None = None
    met = False
    try:
        async for inputs in source:
            for item in inputs:
                if isinstance(item, Mark) and item.kind == "identity":
                    identity = str(item.value["id"])
                met = met or (isinstance(item, Packet) and item.channel in driver.data_channels)
            if met:
                return identity
    finally:
        await source.aclose()
    raise SensorNotFoundError(
        f"The sensor at {address} sent no data within {MEET_S:g} s.",
        "Is another program or phone connected to it?",
        address,
    )


def _free_name(advertised: str) -> str:
    """A name for a sensor whose owner gave none: what it advertises, made plain, and numbered where it is taken."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in advertised).strip("-")[:30] or "sensor"
    taken = {sensor.name for sensor in paired.load(places().config)}
    return next(n for n in (plain, *(f"{plain}-{k}" for k in range(2, 100))) if n not in taken)
