"""One sit and one rise, or one bend, a file at 13 to 21 rows a second with the jitter and loss of a real radio (umafall).

A sit-and-rise is found where a sitting down and a standing up after it are told, a bend where a movement that tilts the trunk
is: who picks something up with bent knees leans the chest by 45 to 90 deg and the waist by no more than 13 to 25. So how often
such a movement is told of people who stand and clap or telephone is a figure too. Each of the two sensors counts by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from figure import Figure, over_people
from posture_rows import G_M_S2, Told, told
from rule_r1 import rule

from monitor.core.events import Direction
from monitor.core.inputs import FloatArray

SIT, BEND = "Sitting_GettingUpOnAChair", "Bending"
PLACES = {"WAIST": "waist", "CHEST": "sternum"}
ARMS = ("Aplausing", "MakingACall")
TILTS = (Direction.FLEXION, Direction.TILT)


def trials(
    folder: Path, *, quick: bool, of: tuple[str, ...] = (SIT, BEND)
) -> Iterator[tuple[str, str, str, FloatArray, FloatArray, FloatArray]]:
    """(person, what was asked, place, t_s as they arrived, acc m/s2, gyr rad/s at the times of the accelerometer)."""
    for path in sorted(folder.glob("*.npz"))[: 2 if quick else None]:
        with np.load(path) as file:
            for key in sorted({name.rsplit("|", 1)[0] for name in file.files}):
                asked, *_, place = key.split("|")
                if asked not in of or f"{key}|acc" not in file or f"{key}|gyr" not in file:
                    continue
                acc, gyr = (file[f"{key}|{kind}"].astype(float) for kind in ("acc", "gyr"))
                t_s = acc[:, 0] / 1000.0
                rate = [np.interp(t_s, gyr[:, 0] / 1000.0, gyr[:, i]) for i in (1, 2, 3)]
                yield path.stem, asked, place, t_s, acc[:, 1:] * G_M_S2, np.radians(np.stack(rate, axis=1))


def sat_and_rose(changes: list[tuple[float, str]]) -> bool:
    kinds = [kind for _, kind in changes]
    return "sit" in kinds and "rise" in kinds[kinds.index("sit") :]


def bent(say: Told) -> bool:
    return any(m.direction in TILTS for m in say.movements())


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """Share found of each kind, and of all."""
    if data is None or not (data / "umafall").exists():
        return
    found: dict[str, dict[str, list[bool]]] = {}
    rules: dict[str, list[bool]] = {}
    for person, asked, place, t_s, acc, gyr in trials(data / "umafall", quick=quick):
        say = told(t_s, acc, gyr, PLACES[place])
        right = sat_and_rose(say.changes()) if asked == SIT else bent(say)
        for kind in (f"{asked}, {place.lower()}", "all"):
            found.setdefault(kind, {}).setdefault(person, []).append(right)
        if asked == SIT:
            rules.setdefault(f"{asked}, {place.lower()}", []).append(
                sat_and_rose(rule(t_s, acc, gyr).changes)
            )
    for kind in sorted(found):
        people = [float(np.mean(each)) for each in found[kind].values()]
        every = [one for each in found[kind].values() for one in each]
        low, high = over_people(people)
        peers = {"plain rules": float(np.mean(rules[kind]))} if kind in rules else {}
        must, aim = (0.85, 0.95) if kind == "all" else (None, None)
        value, note = float(np.mean(every)), f"{len(every)} files"
        yield Figure(
            f"found: {kind}", "umafall", len(people), value, "1", "more", must, aim, low, high, peers, note
        )
    yield from _of_arms(data / "umafall", quick)


def _of_arms(folder: Path, quick: bool) -> Iterator[Figure]:
    """Share of files in which a bend is told of who stands and moves the arms."""
    for key, place in PLACES.items():
        told_of: dict[str, list[bool]] = {}
        for person, _, where, t_s, acc, gyr in trials(folder, quick=quick, of=ARMS):
            if where == key:
                told_of.setdefault(person, []).append(bent(told(t_s, acc, gyr, place)))
        every = [one for each in told_of.values() for one in each]
        if every:
            low, high = over_people([float(np.mean(each)) for each in told_of.values()])
            yield Figure(
                *(f"bends told of arms, {key.lower()}", "umafall", len(told_of)),
                *(float(np.mean(every)), "1", "less"),
                low=low,
                high=high,
                note=f"{len(every)} files",
            )
