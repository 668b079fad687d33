"""Irregular rows -> an even grid, with what is missing said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from monitor.core.blocks import ImuBlock, freeze, take
from monitor.core.events import Fault, Gap, Record
from monitor.core.inputs import BoolArray, FloatArray

_T = TypeVar("_T", bound=np.generic)
_Rows = list[slice] | npt.NDArray[np.intp]
"""Stretches of rows one after the other, or the index of each row."""

MAX_FILL_S = 0.2
"""A longer hole is a Gap: filters restart after it (design)."""
HAIR_PERIODS = 1e-6
"""A grid point this near behind a row is that row: times carry rounding."""
MISSED_PERIODS = 1.5
"""Neighbours further apart than this have lost a row between them; rows filled in there are not ok."""
MAX_CURVE_S = 0.07
"""A hole up to this is filled by a cubic through two rows on either side: a trunk moves smoothly for so long."""
RATE_WINDOW_S = 2.0
MIN_RATE_HZ = 20.0
MAX_RATE_HZ = 300.0
STRETCHES = 8
"""A clock off by 0.01 % slips by a row every 10,000: a stream with more slips than this in a block is not even."""
BURST_SHARE = 0.2
"""Where the median step and the mean step differ by more, stamps come in bursts and the mean is the better witness."""


class Timeline:
    """One sensor's ImuBlock (any stamps) -> ImuBlock at origin + k / rate, linear between the two measured neighbours.

    The rate is the declared one, else measured over the first 2 s (which are held back until then), within 20 to
    300 Hz. A hole up to 0.2 s is filled (ok False; a short one by a cubic), a longer one gives a Gap and a new grid origin
    at its end; so does a change of the declared rate or of having a gyroscope. A stamp that does not increase is dropped
    with a Fault `stray`; so is the row before it where that one jumped ahead. The last row is held back until the next
    has come, the rows of a hole until two have.
    """

    def __init__(self, sensor: str | None = None) -> None:
        """`sensor`: take only its blocks (None: a chain of one sensor, take all)."""
        self._sensor = sensor
        self._rate_hz = 0.0
        self._declared: float | None = None
        self._spacing_s = 0.0
        self._held: list[ImuBlock] = []
        self._tail: ImuBlock | None = None
        self._origin_s = math.nan
        self._next = 0

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        for item in items:
            if isinstance(item, ImuBlock) and self._sensor in (None, item.sensor):
                if len(item):
                    self._block(item, out)
            elif isinstance(item, Gap) and self._sensor in (None, item.sensor):
                self._finish(out)
                out.append(item)
            else:
                out.append(item)
        return out

    def close(self) -> list[Record]:
        out: list[Record] = []
        self._finish(out)
        return out

    def _block(self, block: ImuBlock, out: list[Record]) -> None:
        before = self._held[-1] if self._held else self._tail
        if before is not None and (
            block.rate_hz != self._declared or (block.gyr is None) != (before.gyr is None)
        ):
            self._finish(out)
            out.append(Gap(block.sensor, float(before.t_s[-1]), float(block.t_s[0]), "missing"))
        if block.rate_hz is not None:
            self._set_rate(block.rate_hz, 1 / block.rate_hz)
        elif self._declared is not None:
            self._rate_hz = 0.0
        self._declared = block.rate_hz
        if self._rate_hz:
            self._rows(block, out)
            return
        self._held.append(block)
        if (block.t_s >= self._held[0].t_s[0] + RATE_WINDOW_S).any():
            self._measured(out)

    def _measured(self, out: list[Record]) -> None:
        """Measure the rate over the first 2 s of what is held, then let it go."""
        held = _joined(self._held)
        self._held.clear()
        beyond = np.flatnonzero(held.t_s >= held.t_s[0] + RATE_WINDOW_S)
        steps = np.diff(held.t_s[: int(beyond[0]) if len(beyond) else None])
        steps = steps[(steps > 0) & (steps <= MAX_FILL_S)]
        if len(steps):
            median, mean = float(np.median(steps)), float(np.sum(steps)) / len(steps)
            step = median if abs(median / mean - 1) <= BURST_SHARE else mean
        else:
            step = 1 / MIN_RATE_HZ
        self._set_rate(1 / step, step)
        self._rows(held, out)

    def _set_rate(self, rate_hz: float, spacing_s: float) -> None:
        self._rate_hz = min(max(rate_hz, MIN_RATE_HZ), MAX_RATE_HZ)
        self._spacing_s = spacing_s

    def _rows(self, block: ImuBlock, out: list[Record]) -> None:
        rows = block if self._tail is None else _joined([self._tail, block])
        if not bool((np.diff(rows.t_s) > 0).all()):
            rows = self._without_strays(rows, out)
        self._confirmed(rows, len(rows) - 1, out)

    def _without_strays(self, rows: ImuBlock, out: list[Record]) -> ImuBlock:
        kept: list[int] = []
        for i, t_s in enumerate(rows.t_s.tolist()):
            if kept and t_s <= rows.t_s[kept[-1]]:
                last = float(rows.t_s[kept[-1]])
                ahead = len(kept) > 1 and t_s > rows.t_s[kept[-2]] and last - rows.t_s[kept[-2]] > MAX_FILL_S
                out.append(Fault(rows.sensor, last if ahead else t_s, "stray", 1))
                if not ahead:
                    continue
                kept.pop()
            kept.append(i)
        gyr = None if rows.gyr is None else rows.gyr[kept]
        return ImuBlock(rows.sensor, rows.t_s[kept], rows.acc[kept], gyr, rows.ok[kept], rows.rate_hz)

    def _confirmed(self, rows: ImuBlock, count: int, out: list[Record]) -> None:
        """Give out the grid up to the last of the first `count` rows, or to the hole before it; keep what is needed on."""
        start, given = 0, count
        if count > 0:
            t_s = rows.t_s[:count]
            steps = np.diff(t_s)
            holes = np.flatnonzero(steps > max(MAX_FILL_S, MISSED_PERIODS * self._spacing_s)) + 1
            if count < len(rows) and len(steps) and self._is_curved(steps[-1:])[0]:
                given -= 1
            for end in (*holes.tolist(), count):
                if math.isnan(self._origin_s):
                    self._origin_s, self._next = float(t_s[start]), 0
                self._grid(take(rows, slice(start, end)), min(given, end) - start, out)
                if end < count:
                    out.append(Gap(rows.sensor, float(t_s[end - 1]), float(t_s[end]), "missing"))
                    self._origin_s = math.nan
                    start = end
        self._tail = take(rows, slice(max(given - 2, start), None))

    def _is_curved(self, step_s: FloatArray) -> BoolArray:
        """Which steps between rows are holes that a cubic fills."""
        curved: BoolArray = (step_s > MISSED_PERIODS * self._spacing_s) & (step_s <= MAX_CURVE_S)
        return curved

    def _grid(self, rows: ImuBlock, count: int, out: list[Record]) -> None:
        """The grid's rows from the next on to the `count`-th of `rows`; those behind it only bend a hole's cubic."""
        last_s = rows.t_s[count - 1]
        ahead = int((last_s - self._origin_s) * self._rate_hz) + 2 - self._next
        grid = self._origin_s + (self._next + np.arange(max(ahead, 0))) / self._rate_hz
        hair_s = HAIR_PERIODS / self._rate_hz
        grid = grid[: int(np.searchsorted(grid, last_s + hair_s, side="right"))]
        if not len(grid):
            return
        self._next += len(grid)
        left, right = _neighbours(rows.t_s[:count], grid)
        t_left = _picked(rows.t_s, left)
        step = _picked(rows.t_s, right) - t_left
        share = grid - t_left
        exact = share <= hair_s
        near = step <= MISSED_PERIODS * self._spacing_s
        ok = _picked(rows.ok, left) & (exact | (_picked(rows.ok, right) & near))
        curved = np.flatnonzero(~exact & self._is_curved(step))
        if exact.any():
            share[exact], step[exact] = 0.0, 1.0
        share /= step
        acc = _between(rows.acc, left, right, share)
        gyr = None if rows.gyr is None else _between(rows.gyr, left, right, share)
        if len(curved):
            before = _picked(np.arange(len(rows)), left)[curved]
            acc[curved] += _bent(rows.t_s, rows.acc, before, grid[curved])
            if gyr is not None and rows.gyr is not None:
                gyr[curved] += _bent(rows.t_s, rows.gyr, before, grid[curved])
        out.append(freeze(ImuBlock(rows.sensor, grid, acc, gyr, ok, self._rate_hz)))

    def _finish(self, out: list[Record]) -> None:
        """End the segment: everything held back goes out."""
        too_short = bool(self._held)
        if too_short:
            self._measured(out)
        if self._tail is not None:
            self._confirmed(self._tail, len(self._tail), out)
        if too_short:
            self._rate_hz = 0.0
        self._tail = None
        self._origin_s = math.nan


def _neighbours(t_s: FloatArray, grid: FloatArray) -> tuple[_Rows, _Rows]:
    """The rows before (or at) and after each grid point; few stretches where each point has the row next to the last one's."""
    stretches: list[slice] = []
    found = 0
    while found < len(grid) and len(stretches) < STRETCHES:
        first = int(np.searchsorted(t_s, grid[found], side="right")) - 1
        points = grid[found : found + len(t_s) - 1 - first]
        between = t_s[first : first + len(points)] <= points
        between &= t_s[first + 1 : first + 1 + len(points)] > points
        length = len(points) if between.all() else int(np.argmin(between))
        if not length:  # the very last row has none behind it
            break
        stretches.append(slice(first, first + length))
        found += length
    if found == len(grid):
        return stretches, [slice(each.start + 1, each.stop + 1) for each in stretches]
    left = np.searchsorted(t_s, grid, side="right") - 1
    return left, np.minimum(left + 1, len(t_s) - 1)


def _picked(values: npt.NDArray[_T], rows: _Rows) -> npt.NDArray[_T]:
    """The given rows of a column."""
    if not isinstance(rows, list):
        return values[rows]
    parts = [values[each] for each in rows]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _between(values: FloatArray, left: _Rows, right: _Rows, share: FloatArray) -> FloatArray:
    """Rows between the neighbours, column by column: so each column lies together in memory for whoever comes next."""
    between = np.empty((values.shape[1], len(share)))
    for row, column in zip(between, values.T, strict=True):
        low = _picked(column, left)
        np.subtract(_picked(column, right), low, out=row)
        row *= share
        row += low
    return between.T


def _bent(t_s: FloatArray, values: FloatArray, left: npt.NDArray[np.intp], grid: FloatArray) -> FloatArray:
    """What a cubic through the rows `left - 1` to `left + 2` adds to the straight line from `left` to the next.

    Newton's form: the products of distances times the divided differences. Where the rows end, a parabola through three.
    """
    t0, t1, t2, t3 = (t_s[np.clip(left + k, 0, len(t_s) - 1)][:, None] for k in (-1, 0, 1, 2))
    v0, v1, v2, v3 = (values[np.clip(left + k, 0, len(t_s) - 1)] for k in (-1, 0, 1, 2))
    slope = (v2 - v1) / (t2 - t1)
    has_before, has_behind = (left > 0)[:, None], (left + 2 < len(t_s))[:, None]
    before = (slope - (v1 - v0) / np.where(has_before, t1 - t0, 1.0)) / (t2 - t0)
    behind = ((v3 - v2) / np.where(has_behind, t3 - t2, 1.0) - slope) / (t3 - t1)
    before, behind = np.where(has_before, before, behind), np.where(has_behind, behind, before)
    at = grid[:, None]
    share = np.where(has_before & has_behind, (at - t0) / (t3 - t0), 0.0)
    bent: FloatArray = (at - t1) * (at - t2) * (before + share * (behind - before))
    bent[~(has_before | has_behind)[:, 0]] = 0.0
    return bent


def _joined(blocks: Sequence[ImuBlock]) -> ImuBlock:
    if len(blocks) == 1:
        return blocks[0]
    first = blocks[0]
    gyr = None if first.gyr is None else np.concatenate([b.gyr for b in blocks if b.gyr is not None])
    return ImuBlock(
        first.sensor,
        np.concatenate([b.t_s for b in blocks]),
        np.concatenate([b.acc for b in blocks]),
        gyr,
        np.concatenate([b.ok for b in blocks]),
        first.rate_hz,
    )
