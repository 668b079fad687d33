"""Postures and changes of posture, asked again with other thresholds: the counts that the measures of the table are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cross_measures import Case, Measured, Pairs, Scores, middle, verdict
from heard import Heard, heard
from measures import posture_chest, posture_waist, seat_timing, umafall
from measures.transitions import CODES, Trial, counts, scripted
from posture_rows import SIT, STAND, States, Told, opened
from sit_rise_rows import BEND, SIT_AND_RISE, SQUAT, matched, once, sisfall

from monitor.core.events import Posture
from monitor.core.inputs import FloatArray

HAPT, BELT, UMAFALL = "hapt_waist", "sisfall_waist", "umafall"
FOUND = Measured("found: all", UMAFALL, "more", 0.85, 0.95)
BALANCED = {
    "auto": Measured("sit vs stand, balanced accuracy, unknown is wrong", HAPT, "more", 0.88, 0.93),
    "axes": Measured("the same, axes given, no reference at first", HAPT, "more", 0.86, 0.91),
    "cut": Measured("the same, cut before any walk", HAPT, "more", 0.86, 0.91),
}
DECIDED = Measured("sit and stand, accuracy where decided", HAPT, "more", 0.97, 0.985)
COVERED = Measured("sit and stand, coverage", HAPT, "more", 0.88, 0.93)
RECALLED = {
    Posture.WALKING: Measured("walking, recall", HAPT, "more", 0.99, 0.995),
    Posture.LYING: Measured("lying, recall", HAPT, "more", 0.99, 0.995),
}
CHANGED = {
    (kind, which): Measured(f"{name}, {what} at 2 s", "pooled", "more", 0.92, aim)
    for kind, name in (("sit", "sitting down"), ("rise", "standing up"))
    for which, what, aim in ((1, "sensitivity", 0.96), (2, "predictive value", 0.97))
}
ONCE = Measured("exactly one sit and one rise", BELT, "more", 0.90, 0.96)
MISTAKEN = {
    SQUAT: Measured("squats taken for sitting", BELT, "less", 0.20, 0.08),
    BEND: Measured("bends taken for sitting", BELT, "less", 0.05, 0.02),
}
CHEST = Measured(
    "chest, accelerometer alone: sit vs stand, unknown left out",
    "casale_chest",
    "more",
    0.75,
    0.88,
    by_person=True,
)
SEAT = {
    kind: Measured(f"{name}, median error", "pibench_sts", "less", 0.15, 0.07, figure=middle, unit="s")
    for kind, name in (("rise", "seat-off"), ("sit", "seat-on"))
}
MEASURED = (
    *BALANCED.values(),
    DECIDED,
    COVERED,
    *RECALLED.values(),
    *CHANGED.values(),
    ONCE,
    *MISTAKEN.values(),
    CHEST,
    FOUND,
)


def posture_cases(data: Path, *, quick: bool) -> Iterator[Case]:
    """Waist, lower back, belt and chest."""
    yield from _waist(data / HAPT, 2 if quick else None)
    for person, t_s, acc, gyr, off_s, on_s in seat_timing.seats(data / "pibench_sts"):
        true = {"sit": on_s.tolist(), "rise": off_s.tolist()}
        trial = Trial("", true, [], [], np.empty(0))
        yield Case(f"pibench {person}", _Changes(heard(opened(t_s, acc, gyr, "lower_back")), trial).score)
    for person, code, t_s, acc, gyr in sisfall(data / BELT, (*SIT_AND_RISE, SQUAT, BEND), quick=quick):
        yield Case(f"belt {person}", _Scripted(heard(opened(t_s, acc, gyr, "waist")), code).score)
    for person, rate_hz, acc, truth in posture_chest.recordings(data / "casale_chest", quick=quick):
        t_s = np.arange(len(truth)) / rate_hz
        yield Case(f"chest {person}", _Chest(heard(opened(t_s, acc, None, "sternum")), t_s, truth).score)
    for person, asked, place, t_s, acc, gyr in umafall.trials(data / UMAFALL, quick=quick):
        if asked == umafall.SIT:
            case = _SatAndRose(heard(opened(t_s, acc, gyr, umafall.PLACES[place])))
            yield Case(f"umafall {person}", case.score)


def seat_cases(data: Path, *, quick: bool) -> Iterator[Case]:  # noqa: ARG001 - they are two people
    """When the seat is lost and found, against the plate in it."""
    for person, t_s, acc, gyr, off_s, on_s in seat_timing.seats(data / "pibench_sts"):
        true = {"sit": on_s.tolist(), "rise": off_s.tolist()}
        yield Case(f"pibench {person}", _SeatTimes(heard(opened(t_s, acc, gyr, "lower_back")), true).score)


def _waist(folder: Path, most: int | None) -> Iterator[Case]:
    for number, (person, t_s, acc, gyr, truth, segments) in enumerate(posture_waist.recordings(folder)):
        if number == most:
            return
        rows = t_s, acc, gyr
        n = posture_waist.first_walk(segments)
        ways = {
            "auto": heard(opened(*rows, "waist")),
            "axes": heard(opened(*rows, "waist", posture_waist.AXES)),
            "cut": heard(opened(t_s[:n], acc[:n], gyr[:n], "waist")),
        }
        true, unlabelled = scripted(t_s, truth, segments)
        yield Case(f"hapt {person}", _Waist(ways, t_s, truth, n, Trial("", true, [], [], unlabelled)).score)


def _told(recording: Heard) -> Told:
    return Told(recording.told("posture").records)


def _recalls(said: States, truth: States, *states: Posture) -> Pairs:
    asked = [truth == str(state) for state in states]
    return tuple(
        (float(np.sum(said[rows] == str(state))), float(rows.sum()))
        for rows, state in zip(asked, states, strict=True)
    )


def _change_scores(trial: Trial, told: Told) -> Scores:
    found = {}
    for kind in CODES:
        number = counts([told.changes()], [trial], kind)
        for which in (1, 2):
            found[CHANGED[kind, which].key] = ((float(number[0]), float(number[which])),)
    return found


@dataclass(frozen=True)
class _Waist:
    ways: dict[str, Heard]
    t_s: FloatArray
    truth: States
    before_walk: int
    trial: Trial

    def score(self) -> Scores:
        found: dict[str, Pairs] = {}
        for way, recording in self.ways.items():
            told = _told(recording)
            rows = slice(0, self.before_walk if way == "cut" else None)
            said, truth = told.at(self.t_s[rows]), self.truth[rows]
            found[BALANCED[way].key] = _recalls(said, truth, SIT, STAND)
            if way == "auto":
                asked = (truth == str(SIT)) | (truth == str(STAND))
                decided = asked & (said != str(Posture.UNKNOWN))
                found[DECIDED.key] = ((float(np.sum((said == truth)[decided])), float(decided.sum())),)
                found[COVERED.key] = ((float(decided.sum()), float(asked.sum())),)
                for state, measured in RECALLED.items():
                    found[measured.key] = _recalls(said, truth, state)
                found |= _change_scores(self.trial, told)
        return found


@dataclass(frozen=True)
class _Changes:
    recording: Heard
    trial: Trial

    def score(self) -> Scores:
        return _change_scores(self.trial, _told(self.recording))


@dataclass(frozen=True)
class _Scripted:
    recording: Heard
    code: str

    def score(self) -> Scores:
        changes = _told(self.recording).changes()
        if self.code in SIT_AND_RISE:
            return verdict(ONCE, once(changes))
        return verdict(MISTAKEN[self.code], any(kind == "sit" for _, kind in changes))


@dataclass(frozen=True)
class _Chest:
    recording: Heard
    t_s: FloatArray
    truth: States

    def score(self) -> Scores:
        said = _told(self.recording).at(self.t_s)
        decided = said != str(Posture.UNKNOWN)
        return {CHEST.key: _recalls(said[decided], self.truth[decided], SIT, STAND)}


@dataclass(frozen=True)
class _SatAndRose:
    recording: Heard

    def score(self) -> Scores:
        return verdict(FOUND, umafall.sat_and_rose(_told(self.recording).changes()))


@dataclass(frozen=True)
class _SeatTimes:
    recording: Heard
    true: dict[str, list[float]]

    def score(self) -> Scores:
        changes = _told(self.recording).changes()
        found = {}
        for kind, measured in SEAT.items():
            errors = matched([t_s for t_s, k in changes if k == kind], self.true[kind])
            found[measured.key] = tuple((abs(error), 1.0) for error in errors)
        return found
