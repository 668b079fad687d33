"""The numbers of one recording: time per state, sitting, ranges, coverage, what to be careful about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.bout_statistics import SHORTEST_BOUT_MIN, bout_statistics
from monitor.core.events import (
    Direction,
    Fault,
    Gap,
    Movement,
    Notice,
    Posture,
    PostureState,
    Record,
    SittingBout,
    Slip,
    Transition,
)
from monitor.sinks.angle_ranges import AngleRanges
from monitor.sinks.event_json import plain
from monitor.sinks.run_tilts import FlexionMeans
from monitor.sinks.state_bounds import StateRuns, state_bounds
from monitor.sinks.state_bounds import warnings as state_warnings

SUMMARY_FORMAT = 1
WARNINGS_MAX = 50
THORACIC = ("sternum", "upper_back")


class Summary:
    """Fold rows with their states, and events; `result` at the end."""

    def __init__(self) -> None:
        self._rows_ok = 0
        self._rows = 0
        self._first_s = np.nan
        self._last_s = np.nan
        self._rate_hz = 0.0
        self._state_s: dict[str, float] = {state.value: 0.0 for state in Posture}
        self._runs = StateRuns()
        self._flexion = FlexionMeans()
        self._thoracic = False
        self._angles = AngleRanges()
        self._oriented = False
        self._bouts: list[dict[str, Any]] = []
        self._transitions = 0
        self._movements: list[Movement] = []
        self._slips: list[Slip] = []
        self._doubtful: list[tuple[float, float]] = []
        self._gaps: list[float] = []
        self._faults: Counter[str] = Counter()
        self._warnings: dict[str, None] = {}

    def rows(self, block: TrunkBlock, states: Mapping[Posture, int]) -> None:
        """Settled rows, and how many of them are in which state."""
        if not len(block):
            return
        self._first_s = float(block.t_s[0]) if not self._rows else self._first_s
        self._last_s = float(block.t_s[-1])
        self._rows += len(block)
        self._rows_ok += int(block.ok.sum())
        self._rate_hz = block.rate_hz
        for state, n in states.items():
            self._state_s[state.value] += n / block.rate_hz
        self._angles.rows(block)
        self._flexion.push(block)
        self._oriented = self._oriented or bool(np.isfinite(block.quat[:, 0]).any())

    def worn(self, placement: str) -> None:
        """Where the primary sensor is worn: at the chest and upper back tilt does not part sitting from standing."""
        self._thoracic = placement in THORACIC

    def event(self, record: Record) -> None:
        match record:
            case SittingBout():
                bout = {"start_s": record.start_s, "end_s": record.end_s}
                self._bouts.append({**bout, "interruptions_s": record.interruptions_s, "cut": record.cut})
            case PostureState():
                self._runs.push(record)
            case Transition():
                self._transitions += 1
            case Movement() if not _is_turn(record):
                self._movements.append(record)
            case Slip():
                self._slips.append(record)
            case Gap():
                self._gaps.append(record.end_s - record.start_s)
            case Fault():
                self._faults[record.kind] += record.count
            case Notice():
                self.warn(record.text)
            case _:
                pass

    def doubt(self, start_s: float, end_s: float) -> None:
        """What was measured between the two may be wrong: left out of ranges and movements, and bouts are marked."""
        self._doubtful.append((start_s, end_s))
        self._angles.leave_out(start_s, end_s)

    def _doubted(self, start_s: float, end_s: float) -> bool:
        return any(start_s <= until_s and from_s <= end_s for from_s, until_s in self._doubtful)

    def _trusted(self) -> dict[str, list[Movement]]:
        """Movements by direction, those in doubt left out."""
        found: dict[str, list[Movement]] = {}
        for movement in self._movements:
            if not self._doubted(movement.start_s, movement.end_s):
                found.setdefault(movement.direction.value, []).append(movement)
        return found

    def warn(self, text: str) -> None:
        """Something to be careful about, each sentence once."""
        if len(self._warnings) < WARNINGS_MAX:
            self._warnings.setdefault(text)

    @property
    def coverage(self) -> float:
        """Measured share of the time from the first to the last row, 0..1."""
        expected = (self._last_s - self._first_s) * self._rate_hz + 1.0
        return min(1.0, self._rows_ok / expected) if self._rows else 0.0

    def result(self) -> dict[str, Any]:
        """The summary, ready for strict JSON."""
        if self._rows and not self._oriented:
            self.warn(
                "There is no gyroscope: inclination is given, to some 5 deg and late; rotation and orientation are not."
            )
        ranges = self._angles.result()
        if self._rows and ranges["inclination_deg"] is None:
            self.warn("The mount is not known: all angles are empty.")
        elif self._rows and ranges["flexion_deg"] is None:
            self.warn("It is not known where forward is: flexion and lateral bend are empty.")
        runs = self._runs.until(self._first_s, self._last_s) if self._rows else []
        if not self._thoracic:
            runs = self._flexion.tilted(runs)
        for sentence in state_warnings(runs, thoracic=self._thoracic):
            self.warn(sentence)
        bounds = state_bounds(runs, thoracic=self._thoracic)
        return {
            "format": SUMMARY_FORMAT,
            "start_s": plain(self._first_s),
            "end_s": plain(self._last_s),
            "duration_s": self._last_s - self._first_s if self._rows else 0.0,
            "rows": self._rows,
            "rate_hz": self._rate_hz,
            "coverage": round(self.coverage, 6),
            "state_s": {name: round(seconds, 3) for name, seconds in self._state_s.items()},
            "state_s_low": {state.value: round(found.low_s, 3) for state, found in bounds.items()},
            "state_s_high": {state.value: round(found.high_s, 3) for state, found in bounds.items()},
            "bouts": [
                {**bout, "doubtful": self._doubted(bout["start_s"], bout["end_s"])} for bout in self._bouts
            ],
            "bout_statistics": _statistics(self._bouts),
            "transitions": self._transitions,
            "movements": {name: _peaks(found) for name, found in sorted(self._trusted().items())},
            "ranges": ranges,
            "gaps": {"count": len(self._gaps), "seconds": round(sum(self._gaps), 3)},
            "slips": [
                {
                    "sensor": slip.sensor,
                    "from_s": slip.from_s,
                    "decided_s": slip.decided_s,
                    "angle_deg": round(slip.angle_deg, 2),
                    "slip": slip.slip.value,
                }
                for slip in self._slips
            ],
            "faults": dict(sorted(self._faults.items())),
            "warnings": list(self._warnings),
        }


def _statistics(bouts: list[dict[str, Any]]) -> dict[str, float | int | None]:
    """Of the bouts that are long enough to be recorded as such; null where there are too few for a figure."""
    lengths_min = [(bout["end_s"] - bout["start_s"]) / 60.0 for bout in bouts]
    found = bout_statistics([x for x in lengths_min if x >= SHORTEST_BOUT_MIN], SHORTEST_BOUT_MIN)
    of_many = (found.gini, found.alpha) if found.enough else (math.nan, math.nan)
    figures = {
        "mean_min": found.mean_min,
        "usual_min": found.w50_min,
        "longest_min": found.longest_min,
        "breaks_per_sitting_hour": found.breaks_per_hour,
        **dict(zip(("gini", "alpha"), of_many, strict=True)),
    }
    rounded = {name: round(x, 3) if math.isfinite(x) else None for name, x in figures.items()}
    return {"count": found.count, **rounded}


def _peaks(movements: list[Movement]) -> dict[str, float | None]:
    """How many, and the peaks of those that returned: who gets down to the floor shows no range of motion."""
    peaks_deg = [movement.peak_deg for movement in movements if movement.returned]
    return {
        "count": len(movements),
        "returned": len(peaks_deg),
        "median_peak_deg": round(float(np.median(peaks_deg)), 2) if peaks_deg else None,
        "max_peak_deg": round(max(peaks_deg), 2) if peaks_deg else None,
    }


def _is_turn(movement: Movement) -> bool:
    """Of the whole body on its way: no movement of the trunk."""
    rotations = (Direction.ROTATION_LEFT, Direction.ROTATION_RIGHT)
    return movement.state is Posture.WALKING and movement.direction in rotations
