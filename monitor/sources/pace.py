"""A source slowed down to a multiple of real time, by the host time of its inputs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from monitor.core.inputs import Input, Rows
from monitor.core.protocols import Source

TOGETHER_S = 0.02
"""Inputs due within so much real time come out in one list: the eye sees 50 steps a second as one movement."""


class Paced:
    """core.protocols.Source: `source` at `speed` times real time (loop time), its lists cut where time passes.

    Its clock runs on between inputs, as a live one does, so that a mark made meanwhile gets its place.
    """

    def __init__(self, source: Source, speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._source, self._speed = source, speed
        self._closed = asyncio.Event()
        self._start_s: float | None = None
        self._first_s = 0.0

    def now_s(self) -> float:
        if self._start_s is None:
            return self._source.now_s()
        return self._first_s + (asyncio.get_running_loop().time() - self._start_s) * self._speed

    async def aclose(self) -> None:
        self._closed.set()
        await self._source.aclose()

    async def __aiter__(self) -> AsyncIterator[list[Input]]:
        async for inputs in self._source:
            done = 0
            while done < len(inputs):
                await self._until(inputs[done])
                if self._closed.is_set():
                    return
                end = done + 1
                while end < len(inputs) and self._wait_s(inputs[end]) <= TOGETHER_S:
                    end += 1
                yield inputs[done:end]
                done = end

    async def _until(self, item: Input) -> None:
        if self._start_s is None:
            self._first_s, self._start_s = _time_s(item), asyncio.get_running_loop().time()
        wait_s = self._wait_s(item)
        if wait_s > 0:
            await asyncio.wait({closed := asyncio.ensure_future(self._closed.wait())}, timeout=wait_s)
            closed.cancel()

    def _wait_s(self, item: Input) -> float:
        """Real seconds until `item` is due, negative when it is late."""
        return (_time_s(item) - self.now_s()) / self._speed


def _time_s(item: Input) -> float:
    """When it arrived: rows of a file with their last one."""
    return float(item.t_s[-1]) if isinstance(item, Rows) else item.t_host_s
