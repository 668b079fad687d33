"""What the stated uncertainty is made of, asked again: the angles stay, how far they are trusted is told anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from cross_measures import Case, Measured, Pairs, Scores, shares
from measures.uncertainty import POINTS, Compared, compared
from optical import person, wheelchair

from monitor.motion import angles, uncertainty

SENSORS = {"back": "upper_back", "low_back": "lower_back"}
BENDS, TASKS = "seated bends", "all tasks"
ALONE = ", accelerometer alone"


def points_off(every: Sequence[Pairs]) -> float:
    """Of the share held, from 90 %."""
    return abs(100.0 * shares(every) - 90.0)


def interval_of(angle: str, name: str) -> Measured:
    """How far the stated interval of an angle is from holding nine times in ten."""
    return Measured(
        f"90 % interval of {angle}: share held, points from 90",
        name,
        "less",
        POINTS,
        None,
        figure=points_off,
        unit="points",
        scale=POINTS,
        power=2.0,
    )


HELD = {
    (angle, name): interval_of(angle, name)
    for sensor in SENSORS
    for task in (BENDS, TASKS)
    for name in (f"{sensor}, {task}", f"{sensor}, {task}{ALONE}")
    for angle in ("inclination", "tilt")
}
MEASURED = tuple(HELD.values())


def uncertainty_cases(data: Path, *, quick: bool) -> Iterator[Case]:
    """Seated people's upper and lower back against rigid bodies, with and without the gyroscope."""
    for sensor, placement in SENSORS.items():
        for trial in wheelchair(data / "wheelchair_trunk", sensor, "trunkmovement" if quick else "*"):
            tasks = (TASKS, BENDS) if "trunkmovement" in trial.name else (TASKS,)
            for rows, alone in ((trial, ""), (replace(trial, gyr=None), ALONE)):
                with _overheard() as calls:
                    found = compared(rows, placement)
                case = _Trial(found, calls, [f"{sensor}, {task}{alone}" for task in tasks])
                yield Case(f"wheelchair {person(trial)}", case.score)


@contextmanager
def _overheard() -> Iterator[list[tuple[Any, ...]]]:
    """What the pipeline asks the uncertainty of meanwhile."""
    calls: list[tuple[Any, ...]] = []
    own = uncertainty.deviations_deg

    def listening(*asked: Any) -> uncertainty.Deviations:
        calls.append(asked)
        return own(*asked)

    with patch.object(angles, "deviations_deg", listening):
        yield calls


@dataclass(frozen=True)
class _Trial:
    found: Compared
    calls: Sequence[tuple[Any, ...]]
    names: Sequence[str]

    def score(self) -> Scores:
        told = [uncertainty.deviations_deg(*asked) for asked in self.calls]
        held = {
            angle: self.found.held(off, np.concatenate([getattr(each, angle) for each in told]))
            for angle, off in self.found.off.items()
        }
        pairs = {
            "inclination": held["inclination"],
            "tilt": np.concatenate((held["flexion"], held["lateral"])),
        }
        return {
            HELD[angle, name].key: ((float(rows.sum()), float(len(rows))),)
            for angle, rows in pairs.items()
            for name in self.names
        }
