"""A recorded session as a source: the same inputs, in the same order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from monitor.core.inputs import Input, Rows
from monitor.store.session_file import Order, SessionReader


class ReplaySource:
    """Yield the inputs of `path` as fast as they are taken, in blocks of about `block_s` of host time.

    Raises InputFileError for anything that is no session file. Its clock is the time of the last input given.
    """

    def __init__(self, path: Path, order: Order = "arrival", block_s: float = 300.0) -> None:
        self._reader = SessionReader(path)
        self._order: Order = order
        self._block_s = block_s
        self._now_s = 0.0
        self._open = True

    @property
    def header(self) -> dict[str, Any]:
        """What the file says of itself (store.session_file)."""
        return self._reader.header

    @property
    def damaged(self) -> int:
        """Rows left out so far because they failed their check."""
        return self._reader.damaged

    async def __aiter__(self) -> AsyncIterator[list[Input]]:
        for inputs in self._blocks():
            last = inputs[-1]
            self._now_s = self._now_s if isinstance(last, Rows) else max(self._now_s, last.t_host_s)
            yield inputs
            if not self._open:
                return

    def now_s(self) -> float:
        return self._now_s

    async def aclose(self) -> None:
        self._open = False
        self._reader.close()

    def _blocks(self) -> Iterator[list[Input]]:
        return self._reader.inputs(self._order, self._block_s) if self._open else iter(())
