"""SIGTERM as an orderly end: what is half done is cleaned up on the way out, as on Ctrl-C. Who hears of a Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_TERMINATED = 128 + signal.SIGTERM


@contextmanager
def orderly_sigterm() -> Iterator[None]:
    """Within, the first SIGTERM raises SystemExit(EXIT_TERMINATED) in the main thread; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    end_on_sigterm()
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started within never hear SIGINT, not even while they start; for the calling thread it waits.

    A terminal sends Ctrl-C to every process; one of them, which knows what the others do, has to answer it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_on_sigterm() -> None:
    """As within `orderly_sigterm`, from now on. Only in the main thread."""
    signal.signal(signal.SIGTERM, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise SystemExit(EXIT_TERMINATED)
