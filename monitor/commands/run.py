"""Run a session in this thread, on real or virtual time, and end it cleanly on Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from enum import Enum

from monitor.session import Session
from monitor.sources.virtual_time import run_virtual


class Interruption(Enum):
    """How a session was asked to end early, and the exit code shells expect for it."""

    CTRL_C = 130
    TERMINATED = 143

    @property
    def exit_code(self) -> int:
        return int(self.value)


INTERRUPTIONS = {signal.SIGINT: Interruption.CTRL_C, signal.SIGTERM: Interruption.TERMINATED}


async def run_interruptibly(opening: AbstractAsyncContextManager[Session]) -> tuple[str, Interruption | None]:
    """Open a session and run it: its digest, and what cut it short. The first signal ends it cleanly, the second at once."""
    loop = asyncio.get_running_loop()
    session: Session | None = None
    met: list[Interruption] = []

    async def run() -> str:
        nonlocal session
        async with opening as session:
            return await session.run()

    def interrupt(interruption: Interruption) -> None:
        met.append(interruption)
        if len(met) == 1 and session is not None:
            session.stop()
        else:
            running.cancel()

    running = asyncio.ensure_future(run())
    for number, interruption in INTERRUPTIONS.items():
        _on_signal(loop, number, interrupt, interruption)
    try:
        digest = await running
    except asyncio.CancelledError:
        if not met:
            raise
        digest = "" if session is None else session.digest
    finally:
        for number in INTERRUPTIONS:
            _off_signal(loop, number)
    return digest, met[0] if met else None


def run_in_terminal(
    opening: AbstractAsyncContextManager[Session], virtual_time: bool = False
) -> tuple[str, Interruption | None]:
    """Open a session and run it to its end in this thread, on real or on virtual time."""
    running = run_interruptibly(opening)
    return run_virtual(running) if virtual_time else asyncio.run(running)


def _on_signal(
    loop: asyncio.AbstractEventLoop,
    number: signal.Signals,
    callback: Callable[[Interruption], None],
    interruption: Interruption,
) -> None:
    try:
        loop.add_signal_handler(number, callback, interruption)
    except NotImplementedError:  # Windows: its loop has no signal handlers, the plain one hops into the loop
        signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(callback, interruption))


def _off_signal(loop: asyncio.AbstractEventLoop, number: signal.Signals) -> None:
    try:
        loop.remove_signal_handler(number)
    except NotImplementedError:
        signal.signal(number, signal.SIG_DFL)
