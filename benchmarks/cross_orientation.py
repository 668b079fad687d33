"""The orientation filter's own settings, asked again: against optical capture, the rows through the whole of it each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cross_measures import Case, Measured, Scores, less_percent
from measures.inclination import plain_vqf, supple
from optical import LOST_DEG, Trial, broad, errors_deg, person, rms, wheelchair

from monitor.core.inputs import FloatArray

BROAD_LAG_S = 0.004
"""Between that set's cameras and its sensors: the offset that measures.inclination finds."""
HAND = {
    every: Measured("inclination error, RMS", f"broad, {rate} Hz", "less", must, aim, unit="deg", scale=must)
    for every, rate, must, aim in ((1, 286, 0.45, 0.42), (6, 48, 0.54, 0.48))
}
WORN = {
    (sensor, what): Measured(
        f"inclination error less than VQF's, {what}",
        f"{sensor}, seated bends",
        "more",
        must,
        aim,
        figure=less_percent,
        unit="%",
        scale=100.0,
    )
    for sensor, must, aim in (("back", 10.0, 25.0), ("low_back", 4.0, 15.0))
    for what in ("median", "RMS")
}
MEASURED = (*HAND.values(), *WORN.values())


def orientation_cases(data: Path, *, quick: bool) -> Iterator[Case]:
    """A sensor moved by hand, trial by trial, and seated bends."""
    for every, measured in HAND.items():
        for number, trial in enumerate(broad(data / "broad", every)):
            if number < 2 or not quick:
                yield Case(f"broad {trial.name}", _ByHand(trial, measured).score)
    for sensor in ("back", "low_back"):
        for trial in wheelchair(data / "wheelchair_trunk", sensor, "trunkmovement"):
            peer = _near(errors_deg(trial, *plain_vqf(trial), 0.0))
            yield Case(f"wheelchair {person(trial)}", _Worn(trial, sensor, peer).score)


def _near(error: FloatArray) -> tuple[float, float]:
    """Median and RMS of the errors that are no lost reference."""
    near = error[error < LOST_DEG]
    return float(np.median(near)), rms(near)


@dataclass(frozen=True)
class _ByHand:
    trial: Trial
    measured: Measured

    def score(self) -> Scores:
        return {self.measured.key: ((rms(errors_deg(self.trial, *supple(self.trial), BROAD_LAG_S)), 1.0),)}


@dataclass(frozen=True)
class _Worn:
    trial: Trial
    sensor: str
    peer: tuple[float, float]

    def score(self) -> Scores:
        ours = _near(errors_deg(self.trial, *supple(self.trial), 0.0))
        return {
            WORN[self.sensor, what].key: ((own, 1.0), (peer, 1.0))
            for what, own, peer in zip(("median", "RMS"), ours, self.peer, strict=True)
        }
