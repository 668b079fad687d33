"""Lines for whoever reads standard output, until they stop reading (`| head -1`): then the session ends cleanly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.core.events import Record
from monitor.session import Session
from monitor.sinks.lines import LinesSink


class Piped:
    """A sink around `lines`. When their reader has left, the session given to `ends` is stopped, once."""

    def __init__(self, lines: LinesSink) -> None:
        self._lines = lines
        self._stop: Callable[[], None] | None = None
        self._left = False

    def ends(self, session: Session) -> Session:
        """Returns `session`, which is to end when the reader leaves."""
        self._stop = session.stop
        return session

    def end(self, digest: str) -> None:
        self._lines.end(digest)

    def push(self, records: Sequence[Record]) -> None:
        self._while_read(lambda: self._lines.push(records))

    def close(self) -> None:
        self._while_read(self._lines.close)

    def check(self) -> None:
        """After the session: raise BrokenPipeError where the reader left."""
        if self._left:
            raise BrokenPipeError

    def _while_read(self, write: Callable[[], None]) -> None:
        if self._left:
            return
        try:
            write()
        except BrokenPipeError:
            self._left = True
            if self._stop is not None:
                self._stop()
