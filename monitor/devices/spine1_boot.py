"""One power-up of a spine1 sensor: each sample once, ticks unwrapped, session times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.core.inputs import FloatArray
from monitor.devices.clock import TickClock
from monitor.devices.spine1_wire import NO_SEQ, TICK_HZ, Frames, Int16Array, Int64Array, State

WRAP = 1 << 32
COMPACT_WRAP = 1 << 16
COMPACT_DELAY_S = 0.5
"""Before a STATE names a newest sample a compact tick is sought around arrival less this: its window is 2 s wide."""
BREAK_S = 0.25
BREAK_SHARE = 0.02
"""A tick that departs from the sample count by more than this (s, plus a share of the span for a wrong rate) has jumped."""
REMEMBERED_HOLES = 256


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """New rows: `t_s` (n,) session s, `samples` (n,6) counts, from frames with the indices `frame`, `rows` of each."""

    t_s: FloatArray
    samples: Int16Array
    frame: Int64Array
    rows: Int64Array


class Boot:
    """Frames in the order of arrival in, rows out. Samples older than what was given out are not used."""

    def __init__(self, state: State, t_host_s: float, floor_s: float) -> None:
        """`floor_s`: every row of this boot is later than this session time (-inf: no bound)."""
        self.id = state.boot
        self._anchor = (state.tick, t_host_s)
        self._floor_s = floor_s
        self._start_offset_s = np.inf
        self._clock: TickClock | None = None
        self._next_seq = 0
        self._holes: list[tuple[int, int]] = []
        self._last: tuple[float, int, float] | None = None

    @property
    def started(self) -> bool:
        """Has a row been given out."""
        return self._clock is not None

    def announce(self, state: State, t_host_s: float) -> None:
        """A STATE of this boot: its delay is evidence for the clock's start until the first frame has come."""
        if self._clock is None:
            tick = float(self._unwrap(np.array([state.tick]), np.array([t_host_s]))[0])
            self._start_offset_s = min(self._start_offset_s, t_host_s - tick / TICK_HZ)

    def settle(
        self, frames: Frames, t_host_s: FloatArray, rate_hz: float
    ) -> tuple[Settled, list[tuple[int, str]]]:
        """Rows never given before, and (index, `late` | `duplicate`) of each frame that was not wholly new.

        `t_host_s`: arrival of each of `frames`.
        """
        ends = frames.seq + frames.n
        reached = np.concatenate(([self._next_seq], ends))
        before = np.maximum.accumulate(reached)[:-1]
        skip = np.clip(before - frames.seq, 0, frames.n)
        faults = self._old(frames, ends, before, skip)
        self._next_seq = int(reached.max())
        fresh = skip < frames.n
        if not fresh.all():
            frames, skip, t_host_s = frames.only(fresh), skip[fresh], t_host_s[fresh]
        rows = frames.n - skip
        within = np.arange(len(frames.samples)) - np.repeat(np.cumsum(frames.n) - frames.n, frames.n)
        samples = frames.samples
        if skip.any():
            new = within >= np.repeat(skip, frames.n)
            samples, within = samples[new], within[new]
        t_s = self._times(frames, within, rows, t_host_s, rate_hz)
        return Settled(t_s, samples, frames.index, rows), faults

    def _old(
        self, frames: Frames, ends: Int64Array, before: Int64Array, skip: Int64Array
    ) -> list[tuple[int, str]]:
        faults = []
        for i in np.flatnonzero((skip > 0) | (frames.seq > before)).tolist():
            if not skip[i]:
                self._holes = [*self._holes, (int(before[i]), int(frames.seq[i]))][-REMEMBERED_HOLES:]
                continue
            low, high = int(frames.seq[i]), int(min(ends[i], before[i]))
            late = any(low < end and start < high for start, end in self._holes)
            faults.append((int(frames.index[i]), "late" if late else "duplicate"))
        return faults

    def _unwrap(self, ticks: Int64Array, t_host_s: FloatArray) -> FloatArray:
        """32-bit ticks to ticks since power-up: the wrap nearest to what the host's clock expects (good to 18 h)."""
        tick, at = self._anchor
        expected = tick + (t_host_s - at) * TICK_HZ
        unwrapped: FloatArray = ticks + WRAP * np.rint((expected - ticks) / WRAP)
        return unwrapped

    def _times(
        self, frames: Frames, within: Int64Array, rows: Int64Array, t_host_s: FloatArray, rate_hz: float
    ) -> FloatArray:
        """Session times of the new rows, each the `within`-th sample of its frame."""
        if not len(rows):
            return np.empty(0)
        first_s = self._unwrap(frames.tick, t_host_s) / TICK_HZ
        sent_s = first_s + np.maximum(frames.tx / TICK_HZ, (frames.n - 1) / rate_hz)
        delay_s = t_host_s - sent_s
        evidence_s = np.where(frames.retx, np.inf, delay_s)
        device_s = np.repeat(first_s, rows) + within / rate_hz
        breaks = self._breaks(frames, first_s, delay_s, rate_hz)
        ends = np.cumsum(rows)
        times = []
        for start, end in zip((0, *breaks), (*breaks, len(rows)), strict=True):
            if start in breaks:
                self._clock, self._start_offset_s = None, np.inf
            if start == end:
                continue
            part = device_s[int(ends[start] - rows[start]) : int(ends[end - 1])]
            times.append(self._run(part, sent_s[start:end], evidence_s[start:end], rate_hz))
        return np.concatenate(times) if len(times) > 1 else times[0]

    def _breaks(self, frames: Frames, first_s: FloatArray, delay_s: FloatArray, rate_hz: float) -> list[int]:
        """Frames before which the sensor's clock jumped: time and sample count disagree, and arrival does not explain it.

        A pause of the sampling also separates time from count, but arrival then agrees with the time.
        """
        last = self._last or (first_s[0], int(frames.seq[0]), delay_s[0])
        self._last = (float(first_s[-1]), int(frames.seq[-1]), float(delay_s[-1]))
        counted_s = _steps(last[1], frames.seq) / rate_hz
        excess_s = _steps(last[0], first_s) - counted_s
        moved = np.abs(_steps(last[2], delay_s)) > BREAK_S
        allowed_s = BREAK_S + BREAK_SHARE * counted_s
        jumped = (excess_s < -allowed_s) | ((excess_s > allowed_s) & moved & ~frames.retx)
        return [int(i) for i in np.flatnonzero(jumped)]

    def _run(
        self, device_s: FloatArray, sent_s: FloatArray, evidence_s: FloatArray, rate_hz: float
    ) -> FloatArray:
        """Times of rows without a break between them."""
        if self._clock is None:
            start_s = float(device_s[0])
            earliest = self._floor_s + 1 / rate_hz - start_s
            heard = min(self._start_offset_s, float(evidence_s[0]))
            offset = max(heard, earliest) if heard < np.inf else max(earliest, -start_s)
            self._clock = TickClock(start_s, offset)
        self._clock.observe(sent_s, evidence_s)
        times = self._clock.times(device_s)
        self._floor_s = float(times[-1])
        return times


def expand(
    frames: Frames, states: Sequence[tuple[State, float]], t_host_s: FloatArray, rate_hz: float
) -> Frames:
    """Give compact frames their full `seq` and `tick` from the last STATE (and its arrival) before each frame."""
    if not frames.compact.any():
        return frames
    newest = np.array([-1 if s.newest_seq == NO_SEQ else s.newest_seq for s, _ in states])
    tick = np.array([s.tick for s, _ in states])
    elapsed_s = t_host_s - np.array([at for _, at in states])
    seq = _nearest(frames.seq, newest)
    since_s = np.where(newest < 0, elapsed_s - COMPACT_DELAY_S, (seq - newest) / rate_hz)
    ticks = _nearest(frames.tick, np.rint(tick + since_s * TICK_HZ).astype(np.int64))
    compact = frames.compact
    return replace(frames, seq=np.where(compact, seq, frames.seq), tick=np.where(compact, ticks, frames.tick))


def _steps(before: float, values: FloatArray | Int64Array) -> FloatArray:
    """From each value to the next, from `before` to the first."""
    steps = np.empty(len(values))
    steps[0] = values[0] - before
    np.subtract(values[1:], values[:-1], out=steps[1:])
    return steps


def _nearest(low: Int64Array, around: Int64Array) -> Int64Array:
    """The number nearest to `around` whose low 16 bits are `low`."""
    half = COMPACT_WRAP // 2
    return around + (low - around + half) % COMPACT_WRAP - half
