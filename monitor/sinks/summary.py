"""The numbers of one recording: time per state, sitting, ranges, coverage, what to be careful about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Fault, Gap, Movement, Notice, Posture, Record, SittingBout, Transition
from monitor.core.inputs import FloatArray
from monitor.sinks.event_json import plain

SUMMARY_FORMAT = 1
BIN_DEG = 0.1
"""Quantiles of angles come from a histogram this fine: memory stays the same for a minute and a month."""
_BINS = 3_600
_ANGLES = ("inclination_deg", "flexion_deg", "lateral_deg")
_QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}
WARNINGS_MAX = 50


class Summary:
    """Fold rows with their states, and events; `result` at the end."""

    def __init__(self) -> None:
        self._rows_ok = 0
        self._rows = 0
        self._first_s = np.nan
        self._last_s = np.nan
        self._rate_hz = 0.0
        self._state_s: dict[str, float] = {state.value: 0.0 for state in Posture}
        self._histograms = {name: np.zeros(_BINS, np.int64) for name in _ANGLES}
        self._oriented = False
        self._bouts: list[dict[str, Any]] = []
        self._transitions = 0
        self._movements: dict[str, list[float]] = {}
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
        for name, histogram in self._histograms.items():
            histogram += _counts(getattr(block, name)[block.ok])
        self._oriented = self._oriented or bool(np.isfinite(block.quat[:, 0]).any())

    def event(self, record: Record) -> None:
        match record:
            case SittingBout():
                bout = {"start_s": record.start_s, "end_s": record.end_s}
                self._bouts.append({**bout, "interruptions_s": record.interruptions_s, "cut": record.cut})
            case Transition():
                self._transitions += 1
            case Movement() if record.state is not Posture.WALKING:
                self._movements.setdefault(record.direction.value, []).append(record.peak_deg)
            case Gap():
                self._gaps.append(record.end_s - record.start_s)
            case Fault():
                self._faults[record.kind] += record.count
            case Notice():
                self.warn(record.text)
            case _:
                pass

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
            self.warn("There is no gyroscope: inclination is given, rotation and orientation are not.")
        ranges = {name: _quantiles(histogram) for name, histogram in self._histograms.items()}
        if self._rows and ranges["inclination_deg"] is None:
            self.warn("The mount is not known: all angles are empty.")
        elif self._rows and ranges["flexion_deg"] is None:
            self.warn("It is not known where forward is: flexion and lateral bend are empty.")
        return {
            "format": SUMMARY_FORMAT,
            "start_s": plain(self._first_s),
            "end_s": plain(self._last_s),
            "duration_s": self._last_s - self._first_s if self._rows else 0.0,
            "rows": self._rows,
            "rate_hz": self._rate_hz,
            "coverage": round(self.coverage, 6),
            "state_s": {name: round(seconds, 3) for name, seconds in self._state_s.items()},
            "bouts": self._bouts,
            "transitions": self._transitions,
            "movements": {name: _peaks(peaks) for name, peaks in sorted(self._movements.items())},
            "ranges": ranges,
            "gaps": {"count": len(self._gaps), "seconds": round(sum(self._gaps), 3)},
            "faults": dict(sorted(self._faults.items())),
            "warnings": list(self._warnings),
        }


def _counts(values_deg: FloatArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """How many of the finite values fall into each of _BINS bins from -180 to 180 degrees."""
    known = values_deg[np.isfinite(values_deg)]
    return np.bincount(np.clip((known + 180.0) / BIN_DEG, 0, _BINS - 1).astype(np.int64), minlength=_BINS)


def _quantiles(histogram: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, float] | None:
    total = int(histogram.sum())
    if not total:
        return None
    centres = (np.arange(_BINS) + 0.5) * BIN_DEG - 180.0
    filled = centres[histogram > 0]
    shares = np.cumsum(histogram) / total
    values = {name: float(centres[np.searchsorted(shares, share)]) for name, share in _QUANTILES.items()}
    extremes = {"min": float(filled[0]), "max": float(filled[-1])}
    return {name: round(value, 2) for name, value in {**extremes, **values}.items()}


def _peaks(peaks_deg: list[float]) -> dict[str, float]:
    return {
        "count": len(peaks_deg),
        "median_peak_deg": round(float(np.median(peaks_deg)), 2),
        "max_peak_deg": round(max(peaks_deg), 2),
    }
