"""Hand-over from the pipeline's thread to the window's: never blocks, forgets the oldest rows first."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from monitor.core.blocks import ImuBlock, LumbarBlock, PoseBlock, TrunkBlock
from monitor.core.events import Record
from monitor.core.inputs import Packet, Rows, Tick

BLOCKS_MAX = 2_400
"""Blocks that may wait: a minute (all the window shows) of two sensors at 10 packets a second, and as many between them."""

EVENTS_MAX = 10_000
"""Events and marks that may wait: hours of them; rows are lost long before a prompt is."""

_UNSEEN = (Packet, Rows, Tick, ImuBlock, PoseBlock)


class WindowSink:
    """A sink. `push` and `close` belong to the pipeline's thread, `take` to the window's; neither waits for the other.

    `deque` appends and pops are atomic and each end has one thread, so there is no lock to wait for. When the window
    falls behind, the newest rows win and `dropped` counts the blocks and events lost. Once taken in one go, events
    come before the rows: a sensor is opened before its rows, and no event depends on rows of the same moment.
    """

    def __init__(self, blocks_max: int = BLOCKS_MAX, events_max: int = EVENTS_MAX) -> None:
        self._blocks: deque[TrunkBlock | LumbarBlock] = deque(maxlen=blocks_max)
        self._events: deque[Record] = deque(maxlen=events_max)
        self._pushed = 0
        self._taken = 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """Blocks and events overwritten before the window took them."""
        return max(0, self._pushed - self._taken - len(self._blocks) - len(self._events))

    @property
    def closed(self) -> bool:
        """The session has ended: nothing more will be pushed."""
        return self._closed

    def push(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, (TrunkBlock, LumbarBlock)):
                self._blocks.append(record)
            elif isinstance(record, _UNSEEN):
                continue
            else:
                self._events.append(record)
            self._pushed += 1

    def close(self) -> None:
        self._closed = True

    def take(self) -> list[Record]:
        """Everything that waits, events first; empty where nothing does."""
        out: list[Record] = [*_drain(self._events), *_drain(self._blocks)]
        self._taken += len(out)
        return out


def _drain(queue: deque[TrunkBlock | LumbarBlock] | deque[Record]) -> list[Record]:
    # As many as there are now: a fast producer must not keep the window here.
    out: list[Record] = []
    for _ in range(len(queue)):
        try:
            out.append(queue.popleft())
        except IndexError:
            break
    return out
