"""What is cross-validated: recordings that score themselves in sums, and how sums of many people become a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from figure import over_people

from monitor.core.inputs import FloatArray

Pairs = tuple[tuple[float, float], ...]
"""(counted, asked), or (sum of errors, how many): sums over recordings mean the same."""
Scores = Mapping[str, Pairs]
"""Of one recording: measure -> pairs."""
PeoplesPairs = Mapping[str, Sequence[Pairs]]
"""Of one measure: person -> the pairs of their recordings."""


SHORT_WEIGHT = 5.0
"""First all is to be as good as it must be, then as good as can be: thresholds were chosen so, and are chosen again so."""


@dataclass(frozen=True)
class Case:
    """One recording. `person` is named behind their set; `score` asks the detectors as they are now."""

    person: str
    score: Callable[[], Scores]


def verdict(measured: Measured, right: bool) -> Scores:
    """Of a recording that is one question."""
    return {measured.key: ((float(right), 1.0),)}


def shares(every: Sequence[Pairs]) -> float:
    """Counted by asked of all recordings together, the mean over pairs."""
    sums = np.array(every).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.mean(sums[:, 0] / sums[:, 1]))


def medians(every: Sequence[Pairs]) -> float:
    """Of the recordings' own errors."""
    return float(np.median(_errors(every, 0)))


def middle(every: Sequence[Pairs]) -> float:
    """The median of all errors of all recordings, a pair each."""
    return float(np.median([error for pairs in every for error, _ in pairs]))


def less_percent(every: Sequence[Pairs]) -> float:
    """By how much the median error is less than the peer's; of each recording, or trial, the pairs of both in turn."""
    return 100.0 * (1.0 - medians(every) / float(np.median(_errors(every, 1))))


def _errors(every: Sequence[Pairs], which: int) -> FloatArray:
    errors: FloatArray = np.array([error / count for pairs in every for error, count in pairs[which::2]])
    return errors


@dataclass(frozen=True)
class Measured:
    """A line of the table. `figure` makes it from the pairs of recordings; `by_person`: of each person's, then the mean.

    `scale`: a difference of so much is worth as much as the whole of a share, where thresholds are chosen; `power` 2: one
    that is far off costs more than two that are half as far.
    """

    what: str
    data_set: str
    better: Literal["less", "more"]
    must: float | None
    aim: float | None
    figure: Callable[[Sequence[Pairs]], float] = shares
    by_person: bool = False
    unit: str = "1"
    scale: float = 1.0
    power: float = 1.0

    @property
    def key(self) -> str:
        """Under which recordings give their pairs."""
        return f"{self.what}, {self.data_set}"

    def value(self, people: PeoplesPairs) -> float:
        """The figure over `people`; NaN where nobody was asked."""
        if self.by_person:
            each = self.of_each(people)
            return float(np.mean(each)) if each else np.nan
        every = [pairs for recordings in people.values() for pairs in recordings]
        return self.figure(every) if every else np.nan

    def of_each(self, people: PeoplesPairs) -> list[float]:
        """The figure of each person who was asked."""
        each = [self.figure(recordings) for recordings in people.values() if recordings]
        return [value for value in each if np.isfinite(value)]

    def spread(self, people: PeoplesPairs) -> tuple[float | None, float | None]:
        """90 % interval over people, where the mean of their figures means the same as the figure of all."""
        return over_people(self.of_each(people)) if self.figure is shares else (None, None)

    def worth(self, people: PeoplesPairs) -> float:
        """More is better; measures can be compared. 0 where nobody was asked. What is short of its must costs more."""
        value = self._scaled(self.value(people))
        if not np.isfinite(value):
            return 0.0
        short = 0.0 if self.must is None else max(0.0, self._scaled(self.must) - value)
        return value - SHORT_WEIGHT * short

    def _scaled(self, value: float) -> float:
        scaled = float(np.power(value / self.scale, self.power))
        return scaled if self.better == "more" else -scaled
