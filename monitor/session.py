"""The one loop: source -> pipeline -> sinks, with the sinks isolated from each other.

Inputs reach the sinks before the pipeline sees them, so that a recording is whole whatever happens next.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from monitor.core.digest import StreamDigest
from monitor.core.errors import StorageError
from monitor.core.events import Notice, Record
from monitor.core.inputs import Input, Mark
from monitor.core.protocols import Sink, Source
from monitor.pipeline import Pipeline


class Session:
    """Run one source through one pipeline into sinks.

    `mark` and `stop` may be called from any thread while `run` is going. `on_end(digest)` is called after the last
    record and before the sinks close. StorageError from a sink ends the session cleanly and is raised; any other
    exception detaches that sink with a Notice, and the session goes on.
    """

    def __init__(
        self, source: Source, sinks: Sequence[Sink], on_end: Callable[[str], None] = lambda _digest: None
    ) -> None:
        self._source = source
        self._sinks = list(sinks)
        self._on_end = on_end
        self._pipeline = Pipeline()
        self._digest = StreamDigest()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Task[None] | None = None
        self._failure: StorageError | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over all records so far (core.digest)."""
        return self._digest.hexdigest()

    def mark(self, kind: str, value: Mapping[str, Any] | None = None) -> None:
        """Put a mark among the inputs, stamped with the source's clock; ignored when nothing runs."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stamp, kind, dict(value or {}))

    def stop(self) -> None:
        """End the session cleanly, soon."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._close_source)

    async def run(self) -> str:
        """Until the source ends, `stop` is called or the task is cancelled; returns the digest."""
        self._loop = asyncio.get_running_loop()
        try:
            async for inputs in self._source:
                self._step(inputs)
                if self._failure is not None:
                    break
        finally:
            self._loop = None
            if self._closing is not None:
                # What it met, the next line meets too: unheard it would be printed as a traceback.
                await asyncio.gather(self._closing, return_exceptions=True)
            await self._source.aclose()
            self._wind_up()
        return self.digest

    def _wind_up(self) -> None:
        self._give(self._pipeline.close())
        if self._failure is None:
            self._on_end(self.digest)
        for sink in self._sinks:
            try:
                sink.close()
            except StorageError as failure:
                self._failure = self._failure or failure
        if self._failure is not None:
            raise self._failure

    def _step(self, inputs: Sequence[Input]) -> None:
        self._deliver(inputs)
        self._give(self._pipeline.push(inputs))

    def _give(self, records: Sequence[Record]) -> None:
        self._digest.push(records)
        self._deliver(records)

    def _deliver(self, records: Sequence[Record]) -> None:
        if not records:
            return
        lost: list[tuple[Sink, Exception]] = []
        for sink in self._sinks:
            try:
                sink.push(records)
            except StorageError as failure:
                self._failure = self._failure or failure
            except Exception as problem:
                lost.append((sink, problem))
        for sink, reason in lost:
            self._sinks.remove(sink)
            text = f"{type(sink).__name__} stopped after an error ({reason}); recording and everything else go on."
            self._deliver([Notice(self._source.now_s(), "sink.lost", text)])

    def _stamp(self, kind: str, value: dict[str, Any]) -> None:
        # Through JSON and back: what is recorded is then exactly what the pipeline saw.
        self._step([Mark(self._source.now_s(), kind, json.loads(json.dumps(value)))])

    def _close_source(self) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._source.aclose())
