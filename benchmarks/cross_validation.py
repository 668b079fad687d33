"""How good is it where the people scored were not among those the thresholds were chosen on?

Thresholds that were chosen while looking at recordings (tuned.py) are chosen again without a fifth of the people, one after
the other, each among some values around the shipped one, by the mean of all measures of the others; then that fifth is
scored with what was chosen. Every person is in one of the five. Where several values are as good, the middle one is taken.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import cross_heading
import cross_mount
import cross_movements
import cross_orientation
import cross_posture
import cross_uncertainty
import numpy as np
from cross_measures import Case, Measured, Pairs, Scores
from results import Cell, report
from tuned import Settings, Threshold, in_force, tuned

FOLDS = 5
ALIKE = 1e-9
QUICK_THRESHOLDS = 2
PARTS = 8
"""Into which the recordings are cut, so that all cores have work to the end."""


@dataclass(frozen=True)
class Area:
    """What thresholds.toml names `tuned`: they act on the same recordings. The measures by which they are chosen."""

    name: str
    measured: Sequence[Measured]
    cases: Callable[..., Iterator[Case]]


AREAS = (
    Area("posture", cross_posture.MEASURED, cross_posture.posture_cases),
    Area("seat", tuple(cross_posture.SEAT.values()), cross_posture.seat_cases),
    Area("orientation", cross_orientation.MEASURED, cross_orientation.orientation_cases),
    Area("uncertainty", cross_uncertainty.MEASURED, cross_uncertainty.uncertainty_cases),
    Area("movements", cross_movements.MEASURED, cross_movements.movement_cases),
    Area("heading", cross_heading.MEASURED, cross_heading.heading_cases),
    Area("mount", cross_mount.MEASURED, cross_mount.mount_cases),
)


Found = dict[str, dict[str, list[Pairs]]]
"""Measure -> person -> the pairs of their recordings."""


@dataclass(frozen=True)
class Validated:
    """Of an area: what every person's recordings give as shipped and held out; and what each fold chose."""

    area: Area
    shipped: Found
    held_out: Found
    chosen: Sequence[Settings]

    @property
    def kept(self) -> tuple[int, int]:
        """How many of the choices fell on the shipped value, and how many choices there were."""
        picked = [value == t.shipped for settings in self.chosen for t, value in settings.items()]
        return sum(picked), len(picked)


def validated(area: Area, data: Path, *, quick: bool) -> Validated | None:
    """None where there are no recordings of the area."""
    cases = list(area.cases(data, quick=quick))
    if not cases:
        return None
    folds = folds_of([case.person for case in cases])
    chosen: list[dict[Threshold, float]] = [{} for _ in folds]
    with _Scorer(cases) as scorer:
        for threshold in tuned(area.name)[: QUICK_THRESHOLDS if quick else None]:
            values = threshold.candidates()
            tried = [[{**own, threshold: value} for value in values] for own in chosen]
            scorer.prepare([settings for each in tried for settings in each])
            for own, left_out, each in zip(chosen, folds, tried, strict=True):
                worth = [_worth(area, cases, scorer.of(settings), left_out) for settings in each]
                own[threshold] = values[middle_of_best(worth)]
        scorer.prepare([{}, *chosen])
        by_fold = [scorer.of(own) for own in chosen]
        shipped = by_measure(cases, scorer.of({}))
    held_out = [by_fold[_fold_of(case.person, folds)][k] for k, case in enumerate(cases)]
    return Validated(area, shipped, by_measure(cases, held_out), chosen)


def folds_of(persons: Sequence[str]) -> list[frozenset[str]]:
    """The people of each set dealt out to the folds; as many folds as there are people where these are fewer."""
    sets: dict[str, set[str]] = {}
    for person in persons:
        sets.setdefault(person.split(" ", 1)[0], set()).add(person)
    folds = min(FOLDS, max(len(people) for people in sets.values()))
    dealt = [(rank % folds, who) for people in sets.values() for rank, who in enumerate(sorted(people))]
    return [frozenset(who for fold, who in dealt if fold == number) for number in range(folds)]


def middle_of_best(worth: Sequence[float]) -> int:
    """Which candidate: the middle one of those that are as good as the best."""
    best = [k for k, value in enumerate(worth) if value >= max(worth) - ALIKE]
    return best[len(best) // 2]


def by_measure(cases: Sequence[Case], scores: Sequence[Scores]) -> Found:
    """What the recordings gave, sorted."""
    found: Found = {}
    for case, score in zip(cases, scores, strict=True):
        for key, pairs in score.items():
            found.setdefault(key, {}).setdefault(case.person, []).append(pairs)
    return found


def _fold_of(person: str, folds: Sequence[frozenset[str]]) -> int:
    return next(number for number, people in enumerate(folds) if person in people)


def _worth(area: Area, cases: Sequence[Case], scores: Sequence[Scores], left_out: frozenset[str]) -> float:
    """How good these scores are without some people: the mean of the area's measures."""
    kept = [k for k, case in enumerate(cases) if case.person not in left_out]
    found = by_measure([cases[k] for k in kept], [scores[k] for k in kept])
    return float(np.mean([measured.worth(found.get(measured.key, {})) for measured in area.measured]))


class _Scorer(AbstractContextManager["_Scorer"]):
    """Scores of all cases under settings, each settings once, on every core."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._parts = [range(k, len(cases), PARTS) for k in range(min(PARTS, len(cases)))]
        self._known: dict[frozenset[tuple[Threshold, float]], list[Scores]] = {}
        # The recordings are not sent: a fork has them.
        _CASES[:] = cases
        self._workers = ProcessPoolExecutor(mp_context=multiprocessing.get_context("fork"))

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown()
        _CASES.clear()

    def of(self, settings: Settings) -> list[Scores]:
        """One for each case; they were prepared."""
        return self._known[_key(settings)]

    def prepare(self, wanted: Sequence[Settings]) -> None:
        """Score the cases under each of the settings."""
        new = [dict(key) for key in dict.fromkeys(map(_key, wanted)) if key not in self._known]
        waiting = [
            (settings, part, self._workers.submit(_score, settings, part))
            for settings in new
            for part in self._parts
        ]
        for settings, part, scored in waiting:
            scores = self._known.setdefault(_key(settings), [{} for _ in _CASES])
            for k, score in zip(part, scored.result(), strict=True):
                scores[k] = score


_CASES: list[Case] = []


def _score(settings: Settings, which: range) -> list[Scores]:
    with in_force(settings):
        return [_CASES[k].score() for k in which]


def _key(settings: Settings) -> frozenset[tuple[Threshold, float]]:
    return frozenset((t, value) for t, value in settings.items() if value != t.shipped)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds the recordings (docs/benchmarks.md)")
    parser.add_argument("--only", nargs="+", choices=[a.name for a in AREAS], default=[a.name for a in AREAS])
    parser.add_argument(
        "--smoke", action="store_true", help="few people, few thresholds; absent recordings are fine"
    )
    options = parser.parse_args()
    found = [
        each
        for area in AREAS
        if area.name in options.only
        and options.data is not None
        and (each := validated(area, options.data, quick=options.smoke)) is not None
    ]
    if not found:
        print("No recordings: give --data DIR with the folders that docs/benchmarks.md names.")
        return 0 if options.smoke else 1
    report("chosen without a fifth of the people", [row for each in found for row in _rows(each)])
    return 0


def _rows(found: Validated) -> Iterator[dict[str, Cell]]:
    for threshold in found.chosen[0]:
        values = [settings[threshold] for settings in found.chosen]
        yield {
            "area": found.area.name,
            "threshold": threshold.short,
            "shipped": threshold.shipped,
            "tried": " ".join(f"{value:.4g}" for value in threshold.candidates()),
            "chosen": " ".join(f"{value:.4g}" for value in values),
            "shipped chosen": sum(value == threshold.shipped for value in values),
            "folds": len(values),
        }


if __name__ == "__main__":
    sys.exit(main())
