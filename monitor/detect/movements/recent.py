"""Recent rows and postures: what a detector looks back at when it settles something some seconds late."""

from __future__ import annotations

import math
from collections import deque
from typing import Literal

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Posture, PostureState, Record
from monitor.core.inputs import FloatArray
from monitor.detect.frames import PendingStates
from monitor.detect.movements.columns import Column, forward_unknown

POSTURE_LAG_S = 5.0  # the posture of a row is decided at most this much later (posture's own promise)


class RecentRows:
    """The blocks of the last `keep_s` seconds, to read columns of their rows from."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._blocks: deque[TrunkBlock] = deque()

    def add(self, block: TrunkBlock) -> None:
        """Take the next rows."""
        while self._blocks and self._blocks[0].t_s[-1] < block.t_s[0] - self._keep_s:
            self._blocks.popleft()
        self._blocks.append(block)

    def forget(self, before_s: float = math.inf) -> None:
        """The blocks that end before this time."""
        while self._blocks and self._blocks[0].t_s[-1] < before_s:
            self._blocks.popleft()

    def rate_hz(self, t_s: float) -> float:
        """Of the rows at this time."""
        return self._cut(t_s, math.inf)[0][0].rate_hz

    def span(self, column: Column, start_s: float, end_s: float, *, ends: bool = True) -> FloatArray:
        """A column (n, ...) of the rows from `start_s` to `end_s`, with or without those two; none after NaN."""
        parts = [column(block, rows) for block, rows in self._cut(start_s, end_s, ends=ends)]
        # one layout in memory whatever the blocks: sums depend on it
        return np.ascontiguousarray(parts[0] if len(parts) == 1 else np.concatenate(parts or [np.empty(0)]))

    @property
    def forward_unknown(self) -> bool:
        """Of the last row."""
        return bool(forward_unknown(self._blocks[-1], slice(-1, None)).any())

    def _cut(self, start_s: float, end_s: float, *, ends: bool = True) -> list[tuple[TrunkBlock, slice]]:
        sides: tuple[Literal["left", "right"], ...] = ("left", "right") if ends else ("right", "left")
        found: list[tuple[TrunkBlock, slice]] = []
        for block in reversed(self._blocks):
            if not block.t_s[-1] >= start_s:
                break
            first = int(block.t_s.searchsorted(start_s, sides[0]))
            stop = int(block.t_s.searchsorted(end_s, sides[1]))
            if first < stop:
                found.append((block, slice(first, stop)))
        return found[::-1]


class RecentPostures:
    """The posture at past times, from the PostureState events settled so far."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._pending = PendingStates()
        self._from: list[tuple[float, Posture]] = [(-math.inf, Posture.UNKNOWN)]

    def notice(self, record: Record) -> None:
        if isinstance(record, PostureState):
            self._pending.append(record)

    def settle(self, t_s: float) -> None:
        """Believe what was decided up to `t_s`. Call with times that do not decrease."""
        for event in self._pending.due(t_s):
            while self._from and self._from[-1][0] >= event.t_s:
                self._from.pop()
            self._from.append((event.t_s, event.state))
        while len(self._from) > 1 and self._from[1][0] < t_s - self._keep_s:
            self._from.pop(0)

    def same(self, one_s: float, other_s: float) -> bool:
        """Whether the posture is one at both times; who walks stands on the same feet."""
        return self._on(one_s) is self._on(other_s)

    def _on(self, t_s: float) -> Posture:
        state = next(state for from_s, state in reversed(self._from) if from_s <= t_s)
        return Posture.STANDING if state is Posture.WALKING else state

    def main(self, start_s: float, end_s: float) -> Posture:
        """The posture that takes the largest part of `start_s`..`end_s`."""
        return max(Posture, key=lambda state: self.seconds(state, start_s, end_s))

    def seconds(self, state: Posture, start_s: float, end_s: float) -> float:
        """How long the posture was `state` between the two times."""
        ends = [*(t_s for t_s, _ in self._from[1:]), math.inf]
        return sum(
            max(0.0, min(end_s, to_s) - max(start_s, from_s))
            for (from_s, was), to_s in zip(self._from, ends, strict=True)
            if was is state
        )
