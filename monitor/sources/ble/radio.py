"""The one place where a radio is chosen: this machine's Bluetooth, or a virtual radio in or outside the process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bumble.controller import Controller
from bumble.transport import open_transport
from bumble.transport.common import Transport

from monitor.core.errors import SettingsError
from monitor.sources.ble.adapter import TransportOpener, VirtualAdapter
from monitor.sources.ble.errors import no_simulator
from monitor.sources.ble.virtual_client import VirtualClient
from monitor.sources.ble.virtual_scanner import VirtualScanner

RadioSpec: TypeAlias = "str | Controller | None"
"""None: the operating system's Bluetooth. Text: `tcp-client:127.0.0.1:9600` or `unix-client:/path`. Or a controller."""

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_PORT_MAX = 65_535
_OPEN_S = 5.0
"""A local socket answers at once or not at all."""


@dataclass(frozen=True, slots=True)
class Radio:
    """Keyword arguments for `BleakScanner` and `BleakClient`, and what to call this radio."""

    label: str
    virtual: bool
    scanner_kwargs: Mapping[str, Any] = field(default_factory=dict)
    client_kwargs: Mapping[str, Any] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def open_radio(spec: RadioSpec) -> AsyncIterator[Radio]:
    """The radio, closed with every connection at the end.

    Raises SettingsError for a text it does not understand, RadioError (`no_simulator`) where no virtual radio answers.
    This machine's Bluetooth is first touched by the first scan.
    """
    if spec is None:
        yield Radio("this computer's Bluetooth", virtual=False)
        return
    if isinstance(spec, str):
        adapter, label = VirtualAdapter(spec, await _reaching(spec)), f"the virtual radio at {spec}"
    else:
        adapter, label = (
            VirtualAdapter("this program", _in_process(spec)),
            "the virtual radio in this program",
        )
    try:
        yield Radio(
            label,
            virtual=True,
            scanner_kwargs={"backend": VirtualScanner, "radio": adapter},
            client_kwargs={"backend": VirtualClient, "radio": adapter},
        )
    finally:
        await adapter.close()


def _in_process(controller: Controller) -> TransportOpener:
    async def opener() -> Transport:
        return Transport(controller, controller)

    return opener


async def _reaching(spec: str) -> TransportOpener:
    """Opens the socket of `spec`; tried once now, so that a wrong address is an error and not a sensor out of reach."""
    _check(spec)

    async def opener() -> Transport:
        async with asyncio.timeout(_OPEN_S):
            return await open_transport(spec)

    try:
        first = await opener()
    except OSError as problem:
        raise no_simulator(spec, problem) from problem
    waiting = [first]

    async def reopener() -> Transport:
        return waiting.pop() if waiting else await opener()

    return reopener


def _check(spec: str) -> None:
    kind, _, place = spec.partition(":")
    host, _, port = place.rpartition(":")
    if kind == "unix-client" and place:
        return
    if kind == "tcp-client" and port.isdecimal() and int(port) <= _PORT_MAX and host in _LOOPBACK:
        return
    raise SettingsError(
        f"{spec!r} is not a virtual radio of this computer.",
        "Give tcp-client:127.0.0.1:PORT or unix-client:/PATH, as started by `supple sim`.",
        "radio",
    )
