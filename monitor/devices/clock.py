"""From a sensor's own count of time to session seconds: causal, monotonic, never stepping within a segment."""

from __future__ import annotations

import math

import numpy as np

from monitor.core.inputs import FloatArray

BLOCK_S = 10.0
"""Over each block of device time the smallest delay counts: late arrivals carry no information."""
SLEW = 500e-6
"""Corrections never bend the time axis by more than this (500 ppm: five times a bad crystal)."""


class TickClock:
    """Session seconds of a sensor with a clock of its own: device seconds plus an offset.

    The offset is a polyline over device time with a knot at every 10 s. The line over a block is settled when the
    first observation of that block or a later one comes: it heads for the smallest offset of the last block that had
    any, at no more than 500 ppm. So a row's time depends on what was observed before its block and on nothing else.
    """

    def __init__(self, device_s: float, offset_s: float) -> None:
        """Start a segment at `device_s` with `offset_s` (session minus device seconds)."""
        self._first = math.floor(device_s / BLOCK_S)
        self._block = self._first
        self._knots = [offset_s, offset_s]
        self._target = offset_s
        self._minimum = math.inf

    def observe(self, device_s: FloatArray, offset_s: FloatArray) -> None:
        """Take arrivals in order: moments of device time, and arrival minus moment (inf: late on purpose, no evidence)."""
        if not len(device_s):
            return
        blocks = np.floor(device_s / BLOCK_S).astype(np.int64)
        blocks = np.maximum.accumulate(np.maximum(blocks, self._block))
        starts = np.flatnonzero(np.diff(blocks, prepend=blocks[0]))
        for start, end in zip((0, *starts), (*starts, len(blocks)), strict=True):
            self._advance(int(blocks[start]))
            self._minimum = min(self._minimum, float(offset_s[start:end].min()))

    def times(self, device_s: FloatArray) -> FloatArray:
        """Session seconds at moments not later than the last one observed, elementwise."""
        low = min(max(math.floor(float(device_s.min()) / BLOCK_S) - self._first, 0), len(self._knots) - 2)
        knots = np.array(self._knots[low:])
        start = self._first + low
        place = device_s / BLOCK_S
        k = np.minimum(np.maximum(np.floor(place) - start, 0.0), len(knots) - 2.0).astype(np.int64)
        share = np.minimum(np.maximum(place - (k + start), 0.0), 1.0)
        left = knots[k]
        session: FloatArray = device_s + (left + share * (knots[k + 1] - left))
        return session

    def _advance(self, block: int) -> None:
        if block == self._block:
            return
        if self._minimum < math.inf:
            self._target, self._minimum = self._minimum, math.inf
        step = SLEW * BLOCK_S
        for _ in range(block - self._block):
            last = self._knots[-1]
            self._knots.append(last + min(max(self._target - last, -step), step))
        self._block = block


BLOCK_ROWS = 250
REMEMBERED_BLOCKS = 12
COUNT_SLEW = 0.05
"""A chip's rate may be this far from the rate its maker states (WT901 measured: 1.1 % off)."""


class CountClock:
    """Session seconds of a sensor without a clock: a row count times a period, fitted slowly to arrival.

    Over each 250 rows the smallest lateness counts; a line through the last 12 of them tells where the next block
    ends. Settled per block like `TickClock`. Rows are numbered from 0 since the segment began.
    """

    def __init__(self, period_s: float, start_s: float) -> None:
        """`start_s`: session time of row 0; `period_s` the best knowledge of the time between rows."""
        self._period_s = period_s
        self._knots = [start_s, start_s]
        self._minima: list[tuple[int, float]] = []
        self._best = (0, math.inf)

    @property
    def period_s(self) -> float:
        """The time between rows as learned so far."""
        return self._period_s + self._line()[1]

    def lateness_s(self, row: int, t_host_s: float) -> float:
        """How much later than expected `row` arrived. Settles the blocks up to that row."""
        self._advance(row // BLOCK_ROWS)
        k, rest = divmod(row, BLOCK_ROWS)
        expected = self._knots[k] + rest / BLOCK_ROWS * (self._knots[k + 1] - self._knots[k])
        return t_host_s - (row * self._period_s + expected)

    def observe(self, row: int, t_host_s: float) -> None:
        """Take the arrival of `row`, in order, after `lateness_s` of it."""
        offset = t_host_s - row * self._period_s
        if offset < self._best[1]:
            self._best = (row, offset)

    def times(self, first: int, count: int) -> FloatArray:
        """Session seconds of `count` rows from `first` on, none later than the last one asked about."""
        rows = np.arange(first, first + count)
        low = first // BLOCK_ROWS
        knots = np.array(self._knots[low:])
        k = rows // BLOCK_ROWS - low
        share = (rows % BLOCK_ROWS) / BLOCK_ROWS
        session: FloatArray = rows * self._period_s + (knots[k] + share * (knots[k + 1] - knots[k]))
        return session

    def _advance(self, block: int) -> None:
        while len(self._knots) - 2 < block:
            if self._best[1] < math.inf:
                self._minima = [*self._minima, self._best][-REMEMBERED_BLOCKS:]
                self._best = (0, math.inf)
            level, slope = self._line()
            last = self._knots[-1]
            target = level + slope * BLOCK_ROWS * len(self._knots)
            step = COUNT_SLEW * BLOCK_ROWS * self._period_s
            self._knots.append(last + min(max(target - last, -step), step))

    def _line(self) -> tuple[float, float]:
        """Least squares through the remembered minima: offset at row 0 in s, change per row in s."""
        if len(self._minima) < 2:
            return (self._minima[0][1] if self._minima else self._knots[-1]), 0.0
        n = len(self._minima)
        mean_row = sum(row for row, _ in self._minima) / n
        mean_offset = sum(offset for _, offset in self._minima) / n
        above = sum((row - mean_row) * (offset - mean_offset) for row, offset in self._minima)
        slope = above / sum((row - mean_row) ** 2 for row, _ in self._minima)
        return mean_offset - slope * mean_row, slope
