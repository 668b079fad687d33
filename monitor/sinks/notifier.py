"""Deliver prompts of a live session as desktop notifications, quietly, or not at all."""

from __future__ import annotations

import html
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from monitor.core.events import Prompt, Record

SEND_TIMEOUT_S = 2.0
"""A notification service that hangs is given up after this long (safety: no queue of stale prompts)."""
_TITLE = "supple"

Send = Callable[[str], None]


def desktop_sender() -> Send | None:
    """What shows one text on this desktop, or None where nothing does. Silent: no sound, no bell."""
    program = shutil.which("notify-send")
    if program is None:
        return None

    def send(text: str) -> None:
        # Some desktops read the body as markup.
        body = html.escape(text, quote=False)
        command = [
            program,
            "--app-name=supple",
            "--urgency=low",
            "--hint=boolean:suppress-sound:true",
            "--",
            _TITLE,
            body,
        ]
        # The program's path is absolute, and the text is one argument behind `--`: nothing of it is interpreted.
        subprocess.run(  # noqa: S603
            command, timeout=SEND_TIMEOUT_S, check=False, capture_output=True, stdin=subprocess.DEVNULL
        )

    return send


class Notifier:
    """A sink that shows each Prompt by `send`, in a thread of its own: `push` never waits.

    `live` must be true only where a person wears the sensor now; otherwise nothing is ever delivered. While one text
    is being sent at most one waits; a later one takes its place.
    """

    def __init__(self, send: Send | None, live: bool) -> None:
        self._send = send if live else None
        self._waiting: queue.Queue[str | None] = queue.Queue(1)
        if self._send is not None:
            threading.Thread(target=self._deliver, args=(self._send,), name="notifier", daemon=True).start()

    def push(self, records: Sequence[Record]) -> None:
        if self._send is None:
            return
        for record in records:
            if isinstance(record, Prompt):
                self._put(record.text)

    def close(self) -> None:
        """Nothing more is sent; what is under way may finish within its time limit."""
        if self._send is not None:
            self._send = None
            self._put(None)

    def _put(self, text: str | None) -> None:
        with suppress(queue.Empty):
            self._waiting.get_nowait()
        self._waiting.put_nowait(text)

    def _deliver(self, send: Send) -> None:
        while (text := self._waiting.get()) is not None:
            with suppress(OSError, subprocess.SubprocessError):
                send(text)
