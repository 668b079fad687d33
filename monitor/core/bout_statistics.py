"""Statistics of sitting bouts, as the field defines them. Pure functions on bout lengths in minutes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SHORTEST_BOUT_MIN = 10.0 / 60.0  # sitting for less is not recorded as a bout (activPAL's default)
ENOUGH_BOUTS = 20  # alpha and Gini are reported from this many bouts on [I]


@dataclass(frozen=True, slots=True)
class BoutStatistics:
    """`w50_min`: bouts at least this long hold half of all sitting. `alpha`: lower means longer bouts. NaN: undefined.

    `breaks_per_hour` counts ends of bouts per hour of sitting, `transition_per_min` the same per minute (1 / mean).
    """

    count: int
    total_min: float
    mean_min: float
    longest_min: float
    w50_min: float
    gini: float
    alpha: float
    breaks_per_hour: float
    transition_per_min: float

    @property
    def enough(self) -> bool:
        """Whether alpha and Gini may be reported."""
        return self.count >= ENOUGH_BOUTS


def bout_statistics(lengths_min: Sequence[float], shortest_min: float | None = None) -> BoutStatistics:
    """Statistics of positive bout lengths; `shortest_min` is the shortest recordable bout, else the shortest seen."""
    lengths = sorted(lengths_min)
    count, total = len(lengths), math.fsum(lengths)
    if not count:
        return BoutStatistics(0, 0.0, *(math.nan,) * 7)
    ranks = math.fsum((2 * i - count - 1) * x for i, x in enumerate(lengths, start=1))
    floor = lengths[0] if shortest_min is None else shortest_min
    logs = math.fsum(math.log(x / floor) for x in lengths)
    return BoutStatistics(
        count=count,
        total_min=total,
        mean_min=total / count,
        longest_min=lengths[-1],
        w50_min=_usual(lengths, total),
        gini=ranks / (count * total),
        alpha=1.0 + count / logs if logs > 0.0 else math.nan,
        breaks_per_hour=count / (total / 60.0),
        transition_per_min=count / total,
    )


def _usual(ascending: Sequence[float], total: float) -> float:
    """The longest-first bout at which the running total reaches half."""
    running = 0.0
    for length in reversed(ascending):
        running += length
        if running * 2.0 >= total:
            return length
    return math.nan
