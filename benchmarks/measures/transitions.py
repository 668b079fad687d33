"""Sitting down and standing up, found and true, pooled over the sets with a truth in time (hapt_waist, pibench_sts).

A true change is found by one told within 2 s; one told within 2 s of no true change counts against the predictive value,
where the recording says what the wearer did. Scripted files with one sit and one rise have their own measure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figure import Figure
from posture_rows import States, told
from rule_r1 import rule
from sit_rise_rows import WITHIN_S, exact_interval, matched

from measures.posture_waist import RATE_HZ, recordings
from measures.seat_timing import seats
from monitor.core.inputs import FloatArray

CODES = {"sit": 7, "rise": 8}
Changes = list[tuple[float, str]]


@dataclass(frozen=True)
class Trial:
    """Times of true changes by kind, what was told, what the rules say; `unlabelled_s` times of rows without a truth."""

    person: str
    true: dict[str, list[float]]
    told: Changes
    rules: Changes
    unlabelled_s: FloatArray


def trials(data: Path) -> Iterator[Trial]:
    """Every recording with true times."""
    for person, t_s, acc, gyr, truth, segments in recordings(data / "hapt_waist"):
        say = told(t_s, acc, gyr, "waist").changes()
        true, unlabelled = scripted(t_s, truth, segments)
        yield Trial(person, true, say, rule(t_s, acc, gyr).changes, unlabelled)
    for person, t_s, acc, gyr, off_s, on_s in seats(data / "pibench_sts"):
        true = {"sit": on_s.tolist(), "rise": off_s.tolist()}
        say = told(t_s, acc, gyr, "lower_back").changes()
        yield Trial(person, true, say, rule(t_s, acc, gyr).changes, np.empty(0))


def scripted(
    t_s: FloatArray, truth: States, segments: FloatArray
) -> tuple[dict[str, list[float]], FloatArray]:
    """The true times of changes by kind of a recording of `posture_waist`, and the times of its rows without a truth."""
    true = {
        kind: [float(s[1] + s[2]) / 2 / RATE_HZ for s in segments if s[0] == code]
        for kind, code in CODES.items()
    }
    within = np.zeros(len(t_s), bool)
    for _, first, last in segments:
        within[first:last] = True
    return true, t_s[(truth == "") & ~within]


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """Sensitivity and positive predictive value of either change, with exact intervals."""
    if data is None or not (data / "hapt_waist").exists():
        return
    found = list(trials(data))
    people = len({trial.person for trial in found})
    for kind in CODES:
        ours, rules = (
            counts([t.told for t in found], found, kind),
            counts([t.rules for t in found], found, kind),
        )
        for what, which in (("sensitivity", 1), ("predictive value", 2)):
            asked = ours[which]
            low, high = exact_interval(ours[0], asked)
            peers = {"plain rules": rules[0] / max(1, rules[which])}
            aim = 0.96 if which == 1 else 0.97
            note = f"{ours[0]} of {asked}; exact interval"
            name = f"{'sitting down' if kind == 'sit' else 'standing up'}, {what} at 2 s"
            yield Figure(
                name, "pooled", people, ours[0] / asked, "1", "more", 0.92, aim, low, high, peers, note
            )


def counts(changes: list[Changes], found: list[Trial], kind: str) -> tuple[int, int, int]:
    """(found, true, told). What is told in unlabelled rows is neither right nor wrong."""
    hits = true = said = 0
    for each, trial in zip(changes, found, strict=True):
        times = [t_s for t_s, k in each if k == kind]
        free = 0
        for t_s in times:
            near = min((abs(t_s - x) for x in trial.true[kind]), default=np.inf)
            gap = np.abs(trial.unlabelled_s - t_s).min(initial=np.inf)
            free += bool(near > WITHIN_S and gap < 1.0 / RATE_HZ)
        hits += len(matched(times, trial.true[kind]))
        true, said = true + len(trial.true[kind]), said + len(times) - free
    return hits, true, said
