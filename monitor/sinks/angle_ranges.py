"""Ranges and quantiles of angles over a recording of any length, minutes of doubt left out even where they turn out so later."""

from __future__ import annotations

import math
from collections import deque
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.core.blocks import TrunkBlock
from monitor.core.inputs import FloatArray

ANGLES = ("inclination_deg", "flexion_deg", "lateral_deg")
BIN_DEG = 0.1
"""Quantiles of angles come from a histogram this fine: memory stays the same for a minute and a month."""
MINUTE_S = 60.0
"""What is left out is left out in whole minutes,"""
KEPT_MINUTES = 12 * 60
"""and those further back stay in: a slip is found within a working day."""
_BINS = 3_600
_QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}

_Counts = npt.NDArray[np.int64]


class _Minute(NamedTuple):
    """Filled bins and their counts, of each angle."""

    number: int
    bins: tuple[tuple[_Counts, _Counts], ...]


class AngleRanges:
    """Fold rows, in order; `leave_out` spans of time at any moment; `result` at the end."""

    def __init__(self) -> None:
        self._total = [np.zeros(_BINS, np.int64) for _ in ANGLES]
        self._minutes: deque[_Minute] = deque()
        self._left_out: list[tuple[int, int]] = []

    def rows(self, block: TrunkBlock) -> None:
        """Take in the measured rows of `block`."""
        numbers = np.floor(block.t_s / MINUTE_S).astype(np.int64)
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
        for start, end in pairwise(edges):
            number = int(numbers[start])
            if any(first <= number <= last for first, last in self._left_out):
                continue
            ok = block.ok[start:end]
            counts = [_counts(getattr(block, name)[start:end][ok]) for name in ANGLES]
            for total, count in zip(self._total, counts, strict=True):
                total += count
            filled = (np.flatnonzero(count) for count in counts)
            bins = tuple((at, count[at]) for at, count in zip(filled, counts, strict=True))
            self._minutes.append(_Minute(number, bins))
        while self._minutes and self._minutes[0].number <= numbers[-1] - KEPT_MINUTES:
            self._minutes.popleft()

    def leave_out(self, start_s: float, end_s: float) -> None:
        """The minutes that hold start_s .. end_s do not count, be they past or still to come."""
        first, last = math.floor(start_s / MINUTE_S), math.floor(end_s / MINUTE_S)
        self._left_out.append((first, last))
        kept: deque[_Minute] = deque()
        for minute in self._minutes:
            if not first <= minute.number <= last:
                kept.append(minute)
                continue
            for total, (at, count) in zip(self._total, minute.bins, strict=True):
                total[at] -= count
        self._minutes = kept

    def result(self) -> dict[str, dict[str, float] | None]:
        """Least, greatest and quantiles in degrees by angle; None where there is none."""
        return {name: _quantiles(total) for name, total in zip(ANGLES, self._total, strict=True)}


def _counts(values_deg: FloatArray) -> _Counts:
    """How many of the finite values fall into each of _BINS bins from -180 to 180 degrees."""
    known = values_deg[np.isfinite(values_deg)]
    return np.bincount(np.clip((known + 180.0) / BIN_DEG, 0, _BINS - 1).astype(np.int64), minlength=_BINS)


def _quantiles(histogram: _Counts) -> dict[str, float] | None:
    total = int(histogram.sum())
    if not total:
        return None
    centres = (np.arange(_BINS) + 0.5) * BIN_DEG - 180.0
    filled = centres[histogram > 0]
    shares = np.cumsum(histogram) / total
    values = {name: float(centres[np.searchsorted(shares, share)]) for name, share in _QUANTILES.items()}
    extremes = {"min": float(filled[0]), "max": float(filled[-1])}
    return {name: round(value, 2) for name, value in {**extremes, **values}.items()}
