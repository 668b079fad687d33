"""One line of the accuracy table: what was measured on whom, beside its peers, and what it must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from results import Cell

RESAMPLES = 2000


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`; `low`, `high`: its 90 % interval over people (None where there are too few).

    `peers`: other methods on the same rows in the same run. `must` and `aim` are reached at or beyond, in the sense of `better`.
    """

    what: str
    data_set: str
    people: int
    value: float
    unit: str
    better: Literal["less", "more"]
    must: float | None = None
    aim: float | None = None
    low: float | None = None
    high: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def reached(self, goal: float | None) -> bool | None:
        """None where there is no such goal."""
        if goal is None:
            return None
        return self.value <= goal if self.better == "less" else self.value >= goal

    def row(self) -> dict[str, Cell]:
        """The line for the table and for machines."""
        return {
            "what": self.what,
            "set": self.data_set,
            "people": self.people,
            "supple": self.value,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "must": self.must,
            "aim": self.aim,
            "holds": _word(self.reached(self.must), self.reached(self.aim)),
            "peers": "; ".join(f"{name} {value:.3g}" for name, value in self.peers.items()),
            "note": self.note,
        }


def over_people(values: Sequence[float], statistic: Callable[..., float] = np.mean) -> tuple[float, float]:
    """90 % interval of `statistic` over people (one value each) by bootstrap, the seed fixed."""
    people = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(0).integers(0, len(people), (RESAMPLES, len(people)))
    found = [float(statistic(people[chosen])) for chosen in drawn]
    low, high = np.quantile(found, (0.05, 0.95))
    return float(low), float(high)


def _word(must: bool | None, aim: bool | None) -> str:
    if must is None and aim is None:
        return "-"
    if must is False:
        return "NO"
    return "aim" if aim else "must"
