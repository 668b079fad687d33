"""Sitting, standing, walking and lying at the waist (hapt_waist), beside plain rules on the same rows.

Nothing in the program was fitted to these people but the few thresholds that `calibration/` names as seen on them.

Three ways: the mount found in the whole recording (`analyze --mount auto`); axes given and nothing else known at the start;
and the recording cut before its first walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figure import Figure, over_people
from posture_rows import G_M_S2, SIT, STAND, States, Told, balanced, told
from rule_r1 import rule

from monitor.core.events import Posture
from monitor.core.inputs import FloatArray

NAMES = {1: "walking", 2: "walking", 3: "walking", 4: "sitting", 5: "standing", 6: "lying"}
RATE_HZ = 50.0
AXES = "forward=+z,up=+x"


@dataclass(frozen=True)
class Scored:
    """One recording of a person: truth, what was said, what the rules say (n,)."""

    person: str
    truth: States
    said: States
    peer: States


def recordings(folder: Path) -> Iterator[tuple[str, FloatArray, FloatArray, FloatArray, States, FloatArray]]:
    """(person, t_s, acc m/s2, gyr rad/s, truth, segments) of each file."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            truth = np.array([NAMES.get(int(label), "") for label in file["label"]])
            t_s = np.arange(len(truth)) / RATE_HZ
            yield (
                path.stem[:6],
                t_s,
                file["acc"] * G_M_S2,
                file["gyro"].astype(float),
                truth,
                file["segments"],
            )


def first_walk(segments: FloatArray) -> int:
    """The row in which the first walk begins."""
    return int(min(s[1] for s in segments if s[0] in (1, 2, 3)))


def scored(folder: Path, mount: str, *, before_walk: bool = False) -> list[Scored]:
    found = []
    for person, t_s, acc, gyr, truth, segments in recordings(folder):
        n = first_walk(segments) if before_walk else len(t_s)
        say: Told = told(t_s[:n], acc[:n], gyr[:n], "waist", mount)
        found.append(Scored(person, truth[:n], say.at(t_s[:n]), rule(t_s[:n], acc[:n], gyr[:n]).said))
    return found


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """Balanced accuracy (unknown counts as wrong), accuracy where decided, coverage, recalls."""
    if data is None or not (data / "hapt_waist").exists():
        return
    folder = data / "hapt_waist"
    walked = scored(folder, "auto")
    yield _balanced("sit vs stand, balanced accuracy, unknown is wrong", walked, 0.88, 0.93)
    yield from _decided(walked)
    for state, goal in ((Posture.WALKING, "walking"), (Posture.LYING, "lying")):
        yield _recall(walked, state, goal)
    given = scored(folder, AXES)
    yield _balanced("the same, axes given, no reference at first", given, 0.86, 0.91)
    unwalked = scored(folder, "auto", before_walk=True)
    yield _balanced("the same, cut before any walk", unwalked, 0.86, 0.91)


def by_person(found: list[Scored]) -> dict[str, list[Scored]]:
    people: dict[str, list[Scored]] = {}
    for one in found:
        people.setdefault(one.person, []).append(one)
    return people


def _joined(found: list[Scored]) -> Scored:
    return Scored(
        "", *(np.concatenate([getattr(f, name) for f in found]) for name in ("truth", "said", "peer"))
    )


def _balanced(what: str, found: list[Scored], must: float, aim: float) -> Figure:
    people = {name: _joined(each) for name, each in by_person(found).items()}
    low, high = over_people([balanced(p.said, p.truth) for p in people.values()])
    whole = _joined(found)
    peers = {
        "plain rules": balanced(whole.peer, whole.truth),
        "supple, unknown left out": balanced(whole.said, whole.truth, decided=True),
    }
    value = balanced(whole.said, whole.truth)
    return Figure(what, "hapt_waist", len(people), value, "1", "more", must, aim, low, high, peers)


def _decided(found: list[Scored]) -> Iterator[Figure]:
    people = [_joined(each) for each in by_person(found).values()]
    pairs = [_accuracy_coverage(p.said, p.truth) for p in people]
    whole = _joined(found)
    ours, rules = _accuracy_coverage(whole.said, whole.truth), _accuracy_coverage(whole.peer, whole.truth)
    for k, (what, must, aim) in enumerate(
        (("sit and stand, accuracy where decided", 0.97, 0.985), ("sit and stand, coverage", 0.88, 0.93))
    ):
        low, high = over_people([pair[k] for pair in pairs])
        peers = {"plain rules": rules[k]}
        yield Figure(what, "hapt_waist", len(people), ours[k], "1", "more", must, aim, low, high, peers)


def _accuracy_coverage(said: States, truth: States) -> tuple[float, float]:
    asked = (truth == str(SIT)) | (truth == str(STAND))
    decided = asked & (said != str(Posture.UNKNOWN))
    right = float(np.mean(said[decided] == truth[decided])) if decided.any() else np.nan
    return right, float(decided.sum() / max(1, asked.sum()))


def _recall(found: list[Scored], state: Posture, name: str) -> Figure:
    def recall(one: Scored, said: States) -> float:
        return float(np.mean(said[one.truth == str(state)] == str(state)))

    people = [_joined(each) for each in by_person(found).values()]
    low, high = over_people([recall(p, p.said) for p in people])
    whole = _joined(found)
    peers = {"plain rules": recall(whole, whole.peer)}
    value = recall(whole, whole.said)
    return Figure(
        f"{name}, recall", "hapt_waist", len(people), value, "1", "more", 0.99, 0.995, low, high, peers
    )
