"""How the headings of two sensors' earths differ, as far as known at each moment: motion.shared_motion's evidence, recursively.

What was learned by the end of a second is in force from there on. Only the axis of shared motion counts, not its sense:
slumping, the pelvis rolls back while the chest goes forward. So the difference is known up to half a turn, which the two
forwards settle: no spine turns by 90 degrees.
"""

from __future__ import annotations

import math

import numpy as np

from monitor.core.inputs import FloatArray
from monitor.motion.shared_motion import BIN_S, LEAST_ALIKE, PIECE_BINS, ComplexArray, IntArray

MEMORY_S = 60.0
"""Headings of a good chip drift apart by some degrees in that time."""
LEAST_LIVE_RAD2_S = 1.0
"""Remembered swing: a few bends. Less, and what has just been seen moves the heading more than the trunk does."""
AXES_SD_DEG = 3.0
SWING_SD_DEG = 4.0
"""At 1 rad2/s; axes of a second's motion differ by that (seated bends against the whole recording)."""


class LiveHeading:
    """Level rates of the upper (0) and the lower (1) sensor by row -> `at` the rows' turn. Memory: what is not yet asked for."""

    def __init__(self) -> None:
        self._sides = (_Seconds(), _Seconds())
        self._vector, self._above, self._below = 0j, 0.0, 0.0
        self._breaks = (math.nan, math.nan)
        self._last = 0
        self._states: list[tuple[int, float, float, float, float]] = []

    def add(self, side: int, t_s: FloatArray, rate: ComplexArray, breaks: FloatArray) -> None:
        """`rate` (n,) rad/s x + iy in the sensor's earth, NaN unknown; `breaks` (n,) how often its filter began anew."""
        self._sides[side].add(t_s, rate, breaks)
        upper, lower = (one.done for one in self._sides)
        for number in sorted(upper.keys() & lower.keys()):
            self._learn(number, *upper.pop(number), *lower.pop(number))

    def at(self, t_s: FloatArray, upper: FloatArray, lower: FloatArray) -> tuple[FloatArray, FloatArray]:
        """By how much (n,) rad the upper's earth is to be turned to be the lower's, modulo pi, and its sd in degrees; NaN
        where unknown. `upper`, `lower` (n,): the breaks of each."""
        if not self._states:
            return np.full(len(t_s), np.nan), np.full(len(t_s), np.nan)
        state = np.array(self._states)
        which = np.searchsorted(state[:, 0], _second(t_s), side="left") - 1
        row = state[np.maximum(which, 0)]
        known = (which >= 0) & (row[:, 3] == upper) & (row[:, 4] == lower)
        return np.where(known, row[:, 1], np.nan), np.where(known, row[:, 2], np.nan)

    def forget(self, before_s: float) -> None:
        """Nobody will ask for a row before `before_s`."""
        second = int(_second(np.array([before_s]))[0])
        for side in self._sides:
            side.done = {number: value for number, value in side.done.items() if number >= second}
        used = sum(number < second for number, *_ in self._states)
        del self._states[: max(used - 1, 0)]

    def alone(self, side: int) -> None:
        """Nothing is expected of the other one: what this one has done says nothing."""
        self._sides[side].done.clear()

    def _learn(
        self, number: int, upper: ComplexArray, broke: float, lower: ComplexArray, other_broke: float
    ) -> None:
        if (broke, other_broke) != self._breaks:
            self._breaks = (broke, other_broke)
            self._vector, self._above, self._below = 0j, 0.0, 0.0
        left = math.exp(-(number - self._last) * PIECE_BINS * BIN_S / MEMORY_S)
        self._last = number
        both = np.isfinite(upper) & np.isfinite(lower)
        product = complex(np.where(both, np.conj(upper) * lower, 0.0).sum()) * BIN_S
        size = abs(product)
        self._vector = self._vector * left + (product * product / size if size > 0.0 else 0.0)
        self._above = self._above * left + float(np.where(both, np.abs(upper) ** 2, 0.0).sum()) * BIN_S
        self._below = self._below * left + float(np.where(both, np.abs(lower) ** 2, 0.0).sum()) * BIN_S
        swing = math.sqrt(self._above * self._below)
        turn = sd_deg = math.nan
        if swing >= LEAST_LIVE_RAD2_S and abs(self._vector) >= LEAST_ALIKE * swing:
            turn = 0.5 * math.atan2(self._vector.imag, self._vector.real)
            sd_deg = math.sqrt(AXES_SD_DEG**2 + SWING_SD_DEG**2 / swing)
        self._states.append((number, turn, sd_deg, broke, other_broke))


class _Seconds:
    """Rows of one sensor -> whole seconds: mean rates (PIECE_BINS,) per bin, and the breaks so far; NaN where it broke."""

    def __init__(self) -> None:
        self.done: dict[int, tuple[ComplexArray, float]] = {}
        self._t_s, self._rate, self._breaks = np.empty(0), np.empty(0, complex), np.empty(0)

    def add(self, t_s: FloatArray, rate: ComplexArray, breaks: FloatArray) -> None:
        t_s, rate = np.concatenate((self._t_s, t_s)), np.concatenate((self._rate, rate))
        breaks = np.concatenate((self._breaks, breaks))
        second = _second(t_s)
        whole = int(np.searchsorted(second, second[-1]))
        self._t_s, self._rate, self._breaks = t_s[whole:], rate[whole:], breaks[whole:]
        if not whole:
            return
        first = np.flatnonzero(np.diff(second[:whole], prepend=second[0] - 1))
        last = np.append(first[1:], whole) - 1
        base = int(second[0]) * PIECE_BINS
        place = np.floor(t_s[:whole] / BIN_S).astype(np.int64) - base
        # Summed row by row, in order: the same bits however the rows came.
        size = (int(second[whole - 1]) + 1) * PIECE_BINS - base
        count = np.bincount(place, minlength=size)
        sums = np.bincount(place, rate[:whole].real, size) + 1j * np.bincount(place, rate[:whole].imag, size)
        means = np.where(count > 0, sums / np.maximum(count, 1), np.nan).reshape(-1, PIECE_BINS)
        for start, end in zip(first.tolist(), last.tolist(), strict=True):
            number = int(second[start])
            mean = means[number - int(second[0])]
            if breaks[start] != breaks[end]:
                mean = np.full(PIECE_BINS, np.nan + 0j)
            self.done[number] = (mean, float(breaks[end]))


def _second(t_s: FloatArray) -> IntArray:
    # By whole bins, so that a bin never lies in two seconds.
    return np.floor(t_s / BIN_S).astype(np.int64) // PIECE_BINS
