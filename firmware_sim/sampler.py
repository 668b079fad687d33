"""The chip's even sampling grid: rows measured ahead in blocks, handed out as bytes when they are due."""

from __future__ import annotations

import math
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from firmware_sim.wire import SAMPLE_BYTES

AHEAD_ROWS = 1000
"""Rows measured in one go: large enough that the cost of a call is spread, 10 s at 100 Hz."""

Counts: TypeAlias = npt.NDArray[np.int16]


class FullScale(Protocol):
    """What the value 32768 stands for."""

    @property
    def acc_full_scale_g(self) -> float: ...

    @property
    def gyr_full_scale_deg_s(self) -> float: ...


class Chip(Protocol):
    """What a sensor needs of its inertial chip. Times are true seconds, increasing from call to call."""

    @property
    def params(self) -> FullScale: ...

    def sample(self, times_s: npt.NDArray[np.float64]) -> tuple[Counts, Counts, npt.NDArray[np.bool_]]:
        """acc (n,3) and gyr (n,3) in counts within +-32767, and which rows were clipped (n,)."""
        ...

    def temperature_c(self, t_s: float) -> float: ...


class Sampler:
    """Row g = 0, 1, 2, ... is taken at true time g / (rate_hz (1 + clock_ppm 1e-6)); every `step`-th is handed out.

    Measuring ahead changes nothing: the chip's answer does not depend on how the times are cut into calls.
    """

    def __init__(self, chip: Chip, rate_hz: float, clock_ppm: float) -> None:
        self._chip = chip
        self._period_s = 1.0 / (rate_hz * (1.0 + clock_ppm * 1e-6))
        self._start = 0
        self._rows = np.empty((0, SAMPLE_BYTES // 2), dtype="<i2")
        self._clipped = np.empty(0, dtype=np.bool_)
        self.next_index = 0
        self.step = 1

    def due_s(self, n: int) -> float:
        """True time at which the n-th row from now (n >= 1) is taken."""
        return (self.next_index + (n - 1) * self.step) * self._period_s

    def due_rows(self, to_s: float) -> int:
        """How many rows are due by `to_s`."""
        last = self._last_index(to_s)
        return max(0, (last - self.next_index) // self.step + 1)

    def skip_to(self, to_s: float) -> None:
        """Leave out every row up to `to_s`: nothing measured them."""
        self.next_index = max(self.next_index, self._last_index(to_s) + 1)

    def take(self, n: int) -> tuple[bytes, bytes]:
        """The next n rows, acc x y z gyr x y z as little-endian i16, and one byte each: 1 where the row was clipped."""
        rows, clipped = [], []
        while n > 0:
            offset = self.next_index - self._start
            if offset >= len(self._rows):
                self._measure()
                continue
            count = min(n, -(-(len(self._rows) - offset) // self.step))
            chosen = slice(offset, offset + count * self.step, self.step)
            rows.append(self._rows[chosen].tobytes())
            clipped.append(self._clipped[chosen].tobytes())
            self.next_index += count * self.step
            n -= count
        return b"".join(rows), b"".join(clipped)

    def _last_index(self, to_s: float) -> int:
        """Index of the last row taken by `to_s`, by the same arithmetic as `due_s`."""
        index = math.floor(to_s / self._period_s)
        while (index + 1) * self._period_s <= to_s:
            index += 1
        while index * self._period_s > to_s:
            index -= 1
        return index

    def _measure(self) -> None:
        self._start = max(self.next_index, self._start + len(self._rows))
        indices = np.arange(self._start, self._start + AHEAD_ROWS, dtype=np.float64)
        times_s: npt.NDArray[np.float64] = indices * self._period_s
        acc, gyr, clipped = self._chip.sample(times_s)
        self._rows = np.hstack((acc, gyr)).astype("<i2")
        self._clipped = np.asarray(clipped, dtype=np.bool_)
