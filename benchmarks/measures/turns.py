"""How far does a walker turn? U-turns at L5, a sensor's rotation within one movement, beside the plain integral.

Truth is the script: there and back on one line, 180 degrees. People do not walk it to the degree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figure import Figure, over_people
from movement_rows import Analysed, share, vqf_up

from monitor.core.events import Movement
from monitor.core.inputs import FloatArray

RATE_HZ = 100.0
AROUND_S = 0.5
"""The peer integrates from this long before the marked turn to this long after it, for a turn begins before its first step."""
TRUTH_DEG = 180.0
WITHIN_DEG = 10.0


@dataclass(frozen=True)
class _Trial:
    person: str
    turns: list[Movement]
    integral_deg: float


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """Median, share within 10 degrees, and how often the stated error covers the truth."""
    trials = list(_trials(data / "ipol_gait_L5")) if data else []
    if not trials:
        return
    people = sorted({trial.person for trial in trials})
    sizes = [max((turn.range_deg for turn in trial.turns), default=0.0) for trial in trials]
    plain = [trial.integral_deg for trial in trials]
    covered = [
        any(abs(turn.range_deg - TRUTH_DEG) <= turn.return_error_deg for turn in trial.turns)
        for trial in trials
    ]
    within = [abs(size - TRUTH_DEG) <= WITHIN_DEG for size in sizes]
    plain_within = [abs(size - TRUTH_DEG) <= WITHIN_DEG for size in plain]

    def by_person(flags: list[bool]) -> tuple[float, float]:
        shares = [share(f for t, f in zip(trials, flags, strict=True) if t.person == who) for who in people]
        return over_people(shares)

    name, n = "U-turns at L5", len(people)
    peer = "rate about VQF's vertical, summed around the marked turn"
    off = abs(float(np.median(sizes)) - TRUTH_DEG)
    yield Figure(
        *("|median U-turn - 180|", name, n, off, "deg", "less", 2.0),
        peers={peer: abs(float(np.median(plain)) - TRUTH_DEG)},
        note=f"{len(trials)} trials, median {np.median(sizes):.1f}",
    )
    low, high = by_person(within)
    yield Figure(
        *("U-turns within 10 deg", name, n, share(within), "%", "more", 85.0),
        low=low,
        high=high,
        peers={peer: share(plain_within)},
    )
    low, high = by_person(covered)
    yield Figure(*("return error covers 180", name, n, share(covered), "%", "more", 90.0), low=low, high=high)
    yield Figure(
        *("found exactly once", name, n, share(len(t.turns) == 1 for t in trials), "%", "more", 95.0)
    )


def _trials(folder: Path) -> Iterator[_Trial]:
    for person, acc, gyr, first, last in recordings(folder):
        around = slice(first - round(AROUND_S * RATE_HZ), last + round(AROUND_S * RATE_HZ))
        found = Analysed(np.arange(len(acc)) / RATE_HZ, acc, gyr, "lower_back").movements
        rate = np.einsum("ij,ij->i", gyr, vqf_up(acc, gyr, RATE_HZ))[around]
        integral = abs(float(np.degrees(np.sum(rate)))) / RATE_HZ
        yield _Trial(person, in_turn(found, first, last), integral)


def recordings(folder: Path) -> Iterator[tuple[str, FloatArray, FloatArray, int, int]]:
    """(person, acc m/s2, gyr rad/s, first and last row of the turn) of each walk there and back."""
    for path in sorted(folder.glob("*.npz")):
        meta = json.loads(path.with_name(f"{path.stem}_meta.json").read_text())
        about = {str(entry.get("Filename", key)): entry for key, entry in meta.items()}
        with np.load(path) as file:
            for key in file:
                rows = file[key].astype(float)
                first, last = about[key]["UTurnBoundaries"]
                yield path.stem, rows[:, :3], rows[:, 3:6], first, last


def in_turn(found: Sequence[Movement], first: int, last: int) -> list[Movement]:
    """Rotations that overlap the rows of the turn."""
    return [
        m
        for m in found
        if m.direction.startswith("rotation") and m.start_s < last / RATE_HZ and m.end_s > first / RATE_HZ
    ]
