"""Run a session in a thread of its own, with the window in this one: a slow picture never delays a packet."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from monitor.commands.run import INTERRUPTIONS, Interruption
from monitor.core.protocols import Sink
from monitor.session import Session
from monitor.window.bridge import WindowSink

CLOSE_WITHIN_S = 5.0
"""How long the session may take to say goodbye to the sensor after the window is gone."""


class _Worker(threading.Thread):
    """The session's thread: one asyncio loop, from opening the source to closing the last sink."""

    def __init__(
        self, opening: Callable[[Sink], AbstractAsyncContextManager[Session]], sink: WindowSink
    ) -> None:
        super().__init__(name="supple-session", daemon=True)
        self._opening, self._sink = opening, sink
        self._session: Session | None = None
        self._stop_asked = False
        self.digest = ""
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # carried into the main thread and raised there
            self.error = error
        finally:
            self._sink.close()

    def mark(self, kind: str, value: Mapping[str, Any] | None = None) -> None:
        if self._session is not None:
            self._session.mark(kind, value)

    def stop(self) -> None:
        self._stop_asked = True
        if self._session is not None:
            self._session.stop()

    async def _main(self) -> None:
        async with self._opening(self._sink) as session:
            self._session = session
            if not self._stop_asked:
                self.digest = await session.run()


def run_in_window(
    opening: Callable[[Sink], AbstractAsyncContextManager[Session]], mode: str
) -> tuple[str, Interruption | None]:
    """Show the window until it is closed or the session ends and the wearer closes it: its digest, and what cut it short.

    What the session raised is raised here, after the window is gone.
    """
    from monitor.window.app import run_window

    sink = WindowSink()
    worker = _Worker(opening, sink)
    worker.start()
    try:
        closed_by = run_window(sink, worker.mark, worker.stop, mode)
    finally:
        worker.stop()
        worker.join(CLOSE_WITHIN_S)
    if worker.error is not None:
        raise worker.error
    return worker.digest, None if closed_by is None else INTERRUPTIONS[closed_by]
