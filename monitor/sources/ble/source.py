"""Sensors as a Source: opening marks, then packets as they come, and a tick once a second."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeAlias

from monitor.core.inputs import Input, Mark, Tick
from monitor.sources.ble.client import Patience, SensorClient, Target
from monitor.sources.ble.radio import Radio
from monitor.sources.ble.watch import Watch

Wall: TypeAlias = Callable[[], tuple[float, int]]
"""Unix time in s and the local zone's offset from UTC in s, now."""

TICK_S = 1.0
_SHORTEST_SLEEP_S = 1e-3
_SLACK_S = 5e-4


class BleSource:
    """core.protocols.Source over one radio and one client per target.

    Time is seconds since the first iteration, on the loop's clock. `opening` marks come out first. Without `wall` the
    wall clock is `start_wall_s` plus the session's time, as simulated time wants it. Ends after `duration_s`, after
    `aclose`, or with the RadioError of a client that could never scan. `say(sensor key, text)` is for the user's eye.
    """

    def __init__(
        self,
        radio: Radio,
        targets: Sequence[Target],
        *,
        start_wall_s: float,
        utc_offset_s: int,
        wall: Wall | None = None,
        opening: Sequence[Mark] = (),
        duration_s: float | None = None,
        seed: int = 0,
        say: Callable[[str, str], None] = lambda _sensor, _text: None,
        patience: Patience | None = None,
    ) -> None:
        self._wall = wall or (lambda: (start_wall_s + self.now_s(), utc_offset_s))
        self._duration_s = math.inf if duration_s is None else duration_s
        self._queue: deque[Input] = deque(opening)
        self._wake = asyncio.Event()
        self._start_s: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ending: asyncio.Task[None] | None = None
        watch = Watch(radio)
        self._clients = {
            target.key: SensorClient(
                radio,
                watch,
                target,
                now_s=self.now_s,
                deliver=self._take,
                say=partial(say, target.key),
                seed=seed,
                patience=patience,
            )
            for target in targets
        }

    def now_s(self) -> float:
        """Seconds since the first iteration, 0 before it."""
        return 0.0 if self._start_s is None else asyncio.get_running_loop().time() - self._start_s

    def connected(self) -> tuple[str, ...]:
        """Keys of the sensors that stream now."""
        return tuple(key for key, client in self._clients.items() if client.connected)

    def __aiter__(self) -> AsyncIterator[list[Input]]:
        return self._inputs()

    async def aclose(self) -> None:
        """Stop and disconnect every sensor; what came until then can still be iterated. Safe to call twice."""
        await asyncio.shield(self._begin_to_end())

    async def _inputs(self) -> AsyncIterator[list[Input]]:
        self._begin()
        try:
            while True:
                if self._queue:
                    inputs = list(self._queue)
                    self._queue.clear()
                    yield inputs
                    continue
                if self._ending is not None and self._ending.done():
                    return
                for task in self._tasks:
                    if task.done() and not task.cancelled():
                        task.result()
                self._wake.clear()
                await self._wake.wait()
        finally:
            await self.aclose()

    def _begin(self) -> None:
        """Once; iterating again goes on where the first iteration stopped."""
        if self._start_s is not None or self._ending is not None:
            return
        self._start_s = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(client.run()) for client in self._clients.values()]
        self._tasks.append(asyncio.create_task(self._tick()))
        for task in self._tasks:
            task.add_done_callback(lambda _task: self._wake.set())

    def _begin_to_end(self) -> asyncio.Task[None]:
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        return self._ending

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._wake.set()

    async def _tick(self) -> None:
        """A tick at 0 s and at every whole second; one for several where the loop was held up."""
        # The slack is for timers that fire a hair before their time.
        while (now_s := self.now_s()) + _SLACK_S < self._duration_s:
            self._take(Tick(now_s, *self._wall(), self.connected()))
            next_s = (math.floor((now_s + _SLACK_S) / TICK_S) + 1) * TICK_S
            await asyncio.sleep(max(_SHORTEST_SLEEP_S, min(next_s, self._duration_s) - now_s))
        self._take(Tick(now_s, *self._wall(), self.connected()))
        self._begin_to_end()

    def _take(self, item: Input) -> None:
        self._queue.append(item)
        self._wake.set()
