"""How far back the trunk was in each run of a posture, against the walks nearest to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Posture
from monitor.core.inputs import FloatArray
from monitor.sinks.state_bounds import Run

BIN_S = 5.0
"""Means are kept over this long: a day is some ten thousand numbers."""
WALK_S = 15.0
"""Walks shorter than this tell nothing of one's upright [I]."""
WALKS = 3
"""Upright is the mean of so many walks, the nearest in time: a strap creeps, a sensor slips [I]."""


class FlexionMeans:
    """Fold rows into means of the flexion."""

    def __init__(self) -> None:
        self._bins: dict[int, tuple[float, int]] = {}

    def push(self, block: TrunkBlock) -> None:
        seen = block.ok & np.isfinite(block.flexion_deg)
        if not seen.any():
            return
        numbers = np.floor(block.t_s[seen] / BIN_S).astype(np.int64)
        first = int(numbers[0])
        counts = np.bincount(numbers - first)
        sums = np.bincount(numbers - first, block.flexion_deg[seen])
        for place in np.flatnonzero(counts).tolist():
            total, count = self._bins.get(first + place, (0.0, 0))
            self._bins[first + place] = (total + float(sums[place]), count + int(counts[place]))

    def mean_deg(self, run: Run) -> float:
        """Of the bins within a run, which its neighbours do not touch; NaN where there is none."""
        numbers = range(math.ceil(run.start_s / BIN_S), math.floor(run.end_s / BIN_S))
        found = [self._bins[number] for number in numbers if number in self._bins]
        count = sum(n for _, n in found)
        return math.fsum(total for total, _ in found) / count if count else math.nan

    def tilted(self, runs: Sequence[Run]) -> list[Run]:
        """The runs, each with its tilt backward from the nearest walks."""
        walks = [run for run in runs if run.state is Posture.WALKING and run.seconds > WALK_S]
        means = np.array([self.mean_deg(run) for run in walks])
        known = np.isfinite(means)
        if not known.any():
            return list(runs)
        middles_s = np.array([_middle_s(run) for run in walks])[known]
        seconds = np.array([run.seconds for run in walks])[known]
        return [
            replace(run, back_deg=_upright(run, middles_s, seconds, means[known]) - self.mean_deg(run))
            for run in runs
        ]


def _upright(run: Run, middles_s: FloatArray, seconds: FloatArray, means: FloatArray) -> float:
    nearest = np.argsort(np.abs(middles_s - _middle_s(run)), kind="stable")[:WALKS]
    return float(np.average(means[nearest], weights=seconds[nearest]))


def _middle_s(run: Run) -> float:
    return 0.5 * (run.start_s + run.end_s)
