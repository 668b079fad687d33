"""How the headings of two sensors' earths differ, as far as known at each moment.

Two witnesses, each with its variance. The axis of shared motion (motion.shared_motion's evidence, recursively): only the axis
counts, not its sense, for slumping, the pelvis rolls back while the chest goes forward; so it tells the difference up to half a
turn, which the two forwards settle: no spine turns by 90 degrees. And the trunk itself: people at rest are hardly twisted, so
the forwards of a quiet second differ by what the headings do. That is known at once, and goes on where nobody bends.
What was learned by the end of a second is in force from there on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.core.inputs import FloatArray
from monitor.motion.shared_motion import (
    BIN_S,
    LEAST_ALIKE,
    MOUNTS_SD_DEG,
    PIECE_BINS,
    ComplexArray,
    IntArray,
    axes_variance_deg2,
)

MEMORY_S = 60.0
"""Headings of a good chip drift apart by some degrees in that time."""
LEAST_LIVE_RAD2_S = 1.0
"""Remembered swing: a few bends. Less, and what has just been seen moves the heading more than the trunk does."""
REST_TWIST_SD_DEG = 3.0
"""How far a trunk at rest is twisted (seated people's first seconds, trial by trial, against the median of each: 4.0 deg, of
which the heading they are told by is off by 2.5 to 3)."""
QUIET_DEG_S = 5.0
"""Root mean square of either one's level rate in a second in which the trunk rests; the whole body may turn."""
STEADY = math.cos(math.radians(2.0))
"""Mean length of a second's twist directions: it changes by less than some 6 deg."""
HELD_S = 30.0
"""How long a twist that is held counts as one: people who turn to somebody mostly turn back sooner."""
WANDER_DEG2_S = 0.3
"""Headings of two good chips drift apart by some 4 deg in a minute."""


QUIET_RAD2_S = math.radians(QUIET_DEG_S) ** 2 * PIECE_BINS * BIN_S
UNKNOWN = [complex(math.nan, math.nan)] * PIECE_BINS


@dataclass(frozen=True, slots=True)
class _Second:
    """One sensor's second in PIECE_BINS: mean level rate and direction of forward, NaN where unknown or the filter broke; and
    the square of the rate, rad2/s."""

    rate: list[complex]
    forward: list[complex]
    swing: float
    breaks: float
    mounts: float


class LiveHeading:
    """Level rates of the upper (0) and the lower (1) sensor by row -> `at` the rows' turn. Memory: what is not yet asked for."""

    def __init__(self) -> None:
        self._sides = (_Seconds(), _Seconds())
        self._shared = _SharedAxis()
        self._turn = _Turn(0.0)
        self._breaks = self._mounts = (math.nan, math.nan)
        self._forward_sd_deg: dict[tuple[int, float], float] = {}
        self._states: list[tuple[int, float, float, float, float]] = []

    def add(
        self,
        side: int,
        t_s: FloatArray,
        rate: ComplexArray,
        forward: ComplexArray,
        breaks: FloatArray,
        mounts: float,
        forward_sd_deg: float = 0.0,
    ) -> None:
        """`rate` (n,) rad/s and `forward` (n,), of length 1, x + iy in the sensor's earth, NaN unknown; `breaks` (n,) how often
        its filter began anew, `mounts` how often its body axes did, of which forward is off by `forward_sd_deg`."""
        self._forward_sd_deg[side, mounts] = forward_sd_deg
        self._sides[side].add(t_s, rate, forward, breaks, mounts)
        upper, lower = (one.done for one in self._sides)
        for number in sorted(upper.keys() & lower.keys()):
            self._learn(number, upper.pop(number), lower.pop(number))

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

    def _learn(self, number: int, upper: _Second, lower: _Second) -> None:
        breaks, mounts = (upper.breaks, lower.breaks), (upper.mounts, lower.mounts)
        if mounts != self._mounts:
            self._turn = _Turn(math.hypot(*(self._forward_sd_deg[own] for own in enumerate(mounts))))
        if breaks != self._breaks:
            self._shared = _SharedAxis()
            self._turn.begin_anew()
        self._breaks, self._mounts = breaks, mounts
        self._turn.passed(number)
        apart = _product(upper.forward, lower.forward) / PIECE_BINS
        if abs(apart) >= STEADY and max(upper.swing, lower.swing) < QUIET_RAD2_S:
            self._turn.straight(math.atan2(apart.imag, apart.real))
        axis, variance = self._shared.learned(number, upper, lower)
        if not math.isnan(axis):
            self._turn.axis(axis, variance, self._shared.span_s)
        self._states.append((number, *self._turn.known(), *breaks))


class _SharedAxis:
    """The axis about which both move, remembered for MEMORY_S."""

    def __init__(self) -> None:
        self._vector, self._above, self._below = 0j, 0.0, 0.0
        self.span_s = 0.0
        """So long, at most, is what is remembered."""
        self._last = 0

    def learned(self, number: int, upper: _Second, lower: _Second) -> tuple[float, float]:
        """The turn in rad, up to half a turn, and its variance in deg2; NaN while there is too little."""
        left = math.exp(-(number - self._last) * PIECE_BINS * BIN_S / MEMORY_S)
        self._last = number
        self.span_s = self.span_s * left + PIECE_BINS * BIN_S
        self._vector *= left
        self._above *= left
        self._below *= left
        product = _product(upper.rate, lower.rate) * BIN_S
        size = abs(product)
        if size > 0.0:  # which NaN is not
            self._vector += product * product / size
            self._above += upper.swing
            self._below += lower.swing
        swing = math.sqrt(self._above * self._below)
        if swing < LEAST_LIVE_RAD2_S or abs(self._vector) < LEAST_ALIKE * swing:
            return math.nan, math.nan
        turn = 0.5 * math.atan2(self._vector.imag, self._vector.real)
        return turn, float(axes_variance_deg2(abs(self._vector), swing))


class _Turn:
    """Two unknowns and their covariance: the turn, and by how much the axes of shared motion differ from what the trunk at rest
    says. The first quiet second counts as it is, those after it only as fast as twists that are held come and go; so does what
    is first known of the axes, later as fast as it is forgotten. `forwards_sd_deg`: how far the two forwards may disagree."""

    def __init__(self, forwards_sd_deg: float) -> None:
        self._offset, self._offset_var = 0.0, MOUNTS_SD_DEG**2 + forwards_sd_deg**2
        self.begin_anew()

    def begin_anew(self) -> None:
        """The earths are others; the mounts, and with them the offset, stay."""
        self._turn, self._var, self._cross = math.nan, 0.0, 0.0
        self._rested = self._moved = False
        self._last = 0

    def passed(self, number: int) -> None:
        """Up to this second the headings drifted."""
        self._var += WANDER_DEG2_S * (number - self._last) * PIECE_BINS * BIN_S
        self._last = number

    def straight(self, turn: float) -> None:
        """In a quiet second the forwards differed by `turn` rad."""
        variance = REST_TWIST_SD_DEG**2
        first, self._rested = not self._rested, True
        if math.isnan(self._turn):
            self._turn, self._var = turn, variance
            return
        variance *= 1.0 if first else HELD_S
        # What an axis told before is known up to half a turn only.
        off = math.remainder(turn - self._turn, math.pi)
        self._corrected(off, self._var, self._cross, self._var + variance)

    def axis(self, turn: float, variance: float, span_s: float) -> None:
        """The axes of shared motion in the last `span_s`, modulo pi."""
        variance *= span_s if self._moved else 1.0
        self._moved = True
        if math.isnan(self._turn):
            self._turn, self._var = turn + self._offset, self._offset_var + variance
            self._cross = self._offset_var
            return
        off = math.remainder(turn + self._offset - self._turn, math.pi)
        to_turn, to_offset = self._var - self._cross, self._cross - self._offset_var
        self._corrected(off, to_turn, to_offset, to_turn - to_offset + variance)

    def known(self) -> tuple[float, float]:
        """The turn in rad, up to half a turn, and its standard deviation in degrees; NaN while nothing is known."""
        return self._turn, math.sqrt(self._var)

    def _corrected(self, off: float, to_turn: float, to_offset: float, variance: float) -> None:
        """By `off` rad, what was seen less what was expected, of `variance`; `to_...`: its covariance with the unknowns."""
        self._turn += to_turn / variance * off
        self._offset += to_offset / variance * off
        self._var -= to_turn * to_turn / variance
        self._cross -= to_turn * to_offset / variance
        self._offset_var -= to_offset * to_offset / variance


def _product(upper: list[complex], lower: list[complex]) -> complex:
    return sum((one.conjugate() * other for one, other in zip(upper, lower, strict=True)), 0j)


class _Seconds:
    """Rows of one sensor -> whole seconds."""

    def __init__(self) -> None:
        self.done: dict[int, _Second] = {}
        self._t_s, self._breaks, self._mounts = np.empty(0), np.empty(0), np.empty(0)
        self._rate, self._forward = np.empty(0, complex), np.empty(0, complex)

    def add(
        self, t_s: FloatArray, rate: ComplexArray, forward: ComplexArray, breaks: FloatArray, mounts: float
    ) -> None:
        mounted = np.full(len(t_s), mounts)
        t_s, breaks = np.concatenate((self._t_s, t_s)), np.concatenate((self._breaks, breaks))
        rate, forward = np.concatenate((self._rate, rate)), np.concatenate((self._forward, forward))
        mounted = np.concatenate((self._mounts, mounted))
        place = np.floor(t_s / BIN_S).astype(np.int64)
        second = place // PIECE_BINS
        whole = int(np.searchsorted(second, second[-1]))
        self._t_s, self._breaks, self._mounts = t_s[whole:], breaks[whole:], mounted[whole:]
        self._rate, self._forward = rate[whole:], forward[whole:]
        if not whole:
            return
        first = np.flatnonzero(np.diff(second[:whole], prepend=second[0] - 1))
        last = np.append(first[1:], whole) - 1
        base, size = int(second[0]), (int(second[whole - 1]) + 1 - int(second[0])) * PIECE_BINS
        place = place[:whole] - base * PIECE_BINS
        count = np.bincount(place, minlength=size)
        rates, forwards = (
            _means(place, column[:whole], count).reshape(-1, PIECE_BINS) for column in (rate, forward)
        )
        # Column by column: the same bits however many seconds there are.
        swing = (
            sum((np.abs(rates[:, k]) ** 2 for k in range(1, PIECE_BINS)), np.abs(rates[:, 0]) ** 2) * BIN_S
        )
        for start, end in zip(first.tolist(), last.tolist(), strict=True):
            number = int(second[start])
            mean, ahead = rates[number - base].tolist(), forwards[number - base].tolist()
            if breaks[start] != breaks[end]:
                mean = UNKNOWN
            if breaks[start] != breaks[end] or mounted[start] != mounted[end]:
                ahead = UNKNOWN
            self.done[number] = _Second(
                mean, ahead, float(swing[number - base]), float(breaks[end]), float(mounted[end])
            )


def _means(place: IntArray, column: ComplexArray, count: IntArray) -> ComplexArray:
    # Summed row by row, in order: the same bits however the rows came.
    sums = np.bincount(place, column.real, len(count)) + 1j * np.bincount(place, column.imag, len(count))
    means: ComplexArray = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    return means


def _second(t_s: FloatArray) -> IntArray:
    # By whole bins, so that a bin never lies in two seconds.
    return np.floor(t_s / BIN_S).astype(np.int64) // PIECE_BINS
