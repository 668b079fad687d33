"""One sensor, kept connected: find it, connect, play the driver's steps, stream, and start again when it fails.

    IDLE -> SCANNING -> CONNECTING -> DISCOVERING -> STREAMING -> BACKOFF -> SCANNING ...

Alive means data, not a link: no data for 2 s is stale, for 10 s a reason to connect anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from asyncio import FIRST_COMPLETED
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError, BleakGATTProtocolError

from monitor.core.errors import RadioError
from monitor.core.inputs import Input, Mark, Packet
from monitor.core.protocols import Advertisement, Driver, Read
from monitor.core.snapshot import STALE_AFTER_S
from monitor.sources.ble.link import Link, MissingCharacteristicError
from monitor.sources.ble.radio import Radio
from monitor.sources.ble.scan import printable
from monitor.sources.ble.watch import RESTART_S, Watch

LINK_ERRORS = (BleakError, OSError, EOFError, TimeoutError, AssertionError)
"""What bleak's backends raise when a link fails; AssertionError where BlueZ's object vanished under a call."""

_MAX_REFUSED = 256


class LinkState(StrEnum):
    """Where the state machine is."""

    IDLE = "idle"
    SCANNING = "scanning"
    CONNECTING = "connecting"
    DISCOVERING = "discovering"
    STREAMING = "streaming"
    BACKOFF = "backoff"


@dataclass(frozen=True, slots=True)
class Target:
    """Which sensor is meant. Packets carry `key`. Without address and identity the first of the driver's kind is
    taken, and kept to from then on. With an identity the address is a hint: addresses may rotate."""

    key: str
    driver: Driver
    address: str | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """Times of the state machine, s. Sources: the fault table (rows 2, 3, 19-21, 76, 77)."""

    connect_s: float = 20.0
    stale_after_s: float = STALE_AFTER_S
    reconnect_after_s: float = 10.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 30.0
    longest_radio_pause_s: float = 10.0
    healthy_s: float = 30.0
    goodbye_s: float = 1.0
    look_again_s: float = 0.25


class WrongSensorError(BleakError):
    """A sensor of the right kind, but another one than wanted."""


class SensorClient:
    """`run` until cancelled; `deliver` gets Packets and one "identity" Mark, `say` a line for the user.

    `run` raises RadioError only where the radio has never worked; everything later is retried for ever.
    """

    def __init__(
        self,
        radio: Radio,
        watch: Watch,
        target: Target,
        *,
        now_s: Callable[[], float],
        deliver: Callable[[Input], None],
        say: Callable[[str], None] = lambda _text: None,
        seed: int = 0,
        patience: Patience | None = None,
    ) -> None:
        self._radio, self._watch, self._target = radio, watch, target
        self._now_s, self._deliver, self._say = now_s, deliver, say
        self._patience = patience or Patience()
        self._chance = random.Random(f"{seed} {target.key}")  # noqa: S311 - jitter, not secrecy
        self._state, self._said = LinkState.IDLE, ""
        self._link: Link | None = None
        self._held: list[Packet] | None = None
        self._identity, self._announced = target.identity, False
        self._address, self._missed = target.address, 0
        self._refused: OrderedDict[str, None] = OrderedDict()
        self._failures, self._radio_down, self._stale_services = 0, False, False

    @property
    def state(self) -> LinkState:
        return self._state

    @property
    def connected(self) -> bool:
        """Whether the link is up and the right sensor at the other end."""
        return self._state is LinkState.STREAMING and self._link is not None and not self._link.gone.done()

    async def run(self) -> None:
        """Connect and reconnect for ever. Cancel it to stop: the driver's stop steps are played, then disconnected."""
        try:
            while True:
                await self._pause(await self._connection())
        finally:
            self._enter(LinkState.IDLE, "stopped")

    # --- one connection, from looking to losing it ---------------------------------------------------------------

    async def _connection(self) -> str:
        """One round; returns why it ended."""
        self._radio_down = False
        try:
            device = await self._find()
            try:
                return await self._serve(device)
            finally:
                self._watch.release(device)
        except RadioError as problem:
            if not self._watch.worked:
                raise
            self._radio_down = True
            return problem.sentence
        except MissingCharacteristicError as problem:
            self._stale_services = True
            return str(problem)
        except TimeoutError:
            return "the sensor did not answer in time"
        except LINK_ERRORS as problem:
            return printable(str(problem)) or type(problem).__name__
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Some backends cancel what waits on a link when the link is lost.
            return "the connection was lost"

    async def _find(self) -> BLEDevice:
        self._enter(LinkState.SCANNING, "scanning")
        while (device := await self._watch.find(self._wanted, RESTART_S)) is None:
            self._missed += 1
            self._enter(LinkState.SCANNING, "scanning: not in reach, or connected to another program")
        self._missed = 0
        return device

    def _wanted(self, seen: Advertisement) -> bool:
        if seen.address in self._refused:
            return False
        if self._address is not None and seen.address.lower() == self._address.lower():
            return True
        only_this_address = self._address is not None and (self._identity is None or self._missed == 0)
        return not only_this_address and self._target.driver.matches(seen)

    async def _serve(self, device: BLEDevice) -> str:
        link = Link(self._target.driver, self._arrived)
        client = BleakClient(device, link.ended, timeout=self._patience.connect_s, **self._client_kwargs())
        self._enter(LinkState.CONNECTING, "connecting")
        try:
            async with self._watch.quiet(), asyncio.timeout(self._patience.connect_s):
                await client.connect()
            self._enter(LinkState.DISCOVERING, "connecting")
            self._link = link
            await self._start(client, link, device)
            self._address = device.address
            self._enter(LinkState.STREAMING, "streaming")
            return await self._supervise(client, link)
        finally:
            await self._leave(client, link)

    def _client_kwargs(self) -> dict[str, Any]:
        """After a missing characteristic Windows must not answer from its cache of services again."""
        kwargs = dict(self._radio.client_kwargs)
        if self._stale_services:
            kwargs["winrt"] = {"use_cached_services": False}
        return kwargs

    async def _start(self, client: BleakClient, link: Link, device: BLEDevice) -> None:
        """Play the start steps. What is read first stays unrecorded until it is known whose it is."""
        self._held = []
        try:
            for step in self._target.driver.start:
                if self._held is not None and not isinstance(step, Read):
                    self._recognise(self._held, device)
                await link.play(client, step)
            if self._held is not None:
                self._recognise(self._held, device)
        finally:
            self._held = None

    def _recognise(self, held: list[Packet], device: BLEDevice) -> None:
        """Release what was held back if the sensor is the wanted one. Raises WrongSensorError."""
        identity = self._target.driver.identity({packet.channel: packet.payload for packet in held})
        if self._identity is not None and identity != self._identity:
            self._refused[device.address] = None
            if len(self._refused) > _MAX_REFUSED:
                self._refused.popitem(last=False)
            raise WrongSensorError(f"found another sensor ({printable(identity) or 'unknown'}), not yours")
        self._held = None
        if identity is not None and not self._announced:
            self._identity, self._announced = identity, True
            self._deliver(Mark(self._now_s(), "identity", {"sensor": self._target.key, "id": identity}))
        for packet in held:
            self._deliver(packet)

    async def _supervise(self, client: BleakClient, link: Link) -> str:
        """Until the link ends or its data do; returns why."""
        patience, time = self._patience, asyncio.get_running_loop().time
        started_s = link.last_data_s = time()
        # Beside the watch: a sensor that answers nothing more must not keep the silence from being seen.
        repeating = asyncio.ensure_future(self._repeat(client, link))
        try:
            while not link.gone.done():
                if repeating.done():
                    repeating.result()
                silent_s = time() - link.last_data_s
                if silent_s >= patience.reconnect_after_s:
                    return f"connected, but no data for {patience.reconnect_after_s:.0f} s"
                stale = silent_s >= patience.stale_after_s
                self._enter(LinkState.STREAMING, "stale" if stale else "streaming")
                if link.last_data_s - started_s >= patience.healthy_s:
                    self._failures = 0
                until_stale_s = link.last_data_s + patience.stale_after_s - time()
                wait_s = patience.look_again_s if stale else max(0.001, until_stale_s)
                await asyncio.wait({link.gone, repeating}, timeout=wait_s, return_when=FIRST_COMPLETED)
        finally:
            repeating.cancel()
            await asyncio.gather(repeating, return_exceptions=True)
        if link.last_data_s - started_s >= patience.healthy_s:
            self._failures = 0
        return "the connection was lost"

    async def _repeat(self, client: BleakClient, link: Link) -> None:
        """Play the repeated steps when they are due, until the link ends; a refusal by the sensor is no reason to
        disconnect."""
        time = asyncio.get_running_loop().time
        due = [(time() + period_s, period_s, step) for period_s, step in self._target.driver.every]
        while not link.gone.done():
            wait_s = max(0.0, min(at_s for at_s, _, _ in due) - time()) if due else None
            await asyncio.wait({link.gone}, timeout=wait_s)
            for job, (at_s, period_s, step) in enumerate(due):
                if at_s <= time() and not link.gone.done():
                    with contextlib.suppress(BleakGATTProtocolError):
                        await link.play(client, step)
                    due[job] = (time() + period_s, period_s, step)

    async def _leave(self, client: BleakClient, link: Link) -> None:
        """Say stop, hang up, and hear no more of this connection; each within its second, whatever the sensor does."""
        streaming = self._state is LinkState.STREAMING and not link.gone.done()
        try:
            with contextlib.suppress(*LINK_ERRORS):
                async with asyncio.timeout(self._patience.goodbye_s):
                    for step in self._target.driver.stop if streaming else ():
                        await link.play(client, step)
        finally:
            self._link = None
            # Nothing that goes wrong while hanging up can be mended; the next connection is a fresh client.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(self._patience.goodbye_s):
                    await client.disconnect()

    # --- values, pauses, words -------------------------------------------------------------------------------

    def _arrived(self, link: Link, channel: str, payload: bytes) -> None:
        if link is not self._link:
            return
        packet = Packet(self._now_s(), self._target.key, channel, payload)
        if self._held is not None:
            self._held.append(packet)
        else:
            self._deliver(packet)

    async def _pause(self, why: str) -> None:
        """0.25 s, doubling to 30 s (10 s where the radio is down), up to 20 % less so that clients do not march in step."""
        patience = self._patience
        longest_s = patience.longest_radio_pause_s if self._radio_down else patience.longest_pause_s
        pause_s = min(longest_s, patience.first_pause_s * 2.0 ** min(self._failures, 16))
        pause_s *= self._chance.uniform(0.8, 1.0)
        self._failures += 1
        self._enter(
            LinkState.BACKOFF, f"waiting, next try in {pause_s:.{0 if pause_s >= 2 else 1}f} s: {why}"
        )
        await asyncio.sleep(pause_s)

    def _enter(self, state: LinkState, text: str) -> None:
        self._state = state
        if text != self._said:
            self._said = text
            self._say(text)
