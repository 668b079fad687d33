"""How far what was told of a day is from what was lived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from day_peers import LYING, SITTING, STANDING, WALKING, tilt_threshold, transitions_only
from simulated_day import SECONDS, Lived, live

from monitor.core.bout_statistics import SHORTEST_BOUT_MIN, bout_statistics
from monitor.core.inputs import FloatArray

PAUSE_S, PAUSE_UNSURE_S = 20.0, 3.0
"""A bout goes on over an interruption of this length (facts 6). Whether one of 20 s ended it hangs on how well two
changes are timed: where the answer would differ within the second, no prompt is asked for."""
PROMPT_AFTER_S = 1800.0
IN_TIME_S = 60.0
"""A prompt, or a change of posture, is the true one within this much."""


@dataclass(frozen=True)
class Method:
    """A method's errors: relative ones of the sitting total, the mean bout and W50, and false changes an hour."""

    sitting: float
    mean_bout: float
    usual_bout: float
    false_per_h: float
    missed: float


@dataclass(frozen=True)
class DayScore:
    """`inside`: state -> whether the bounds hold the truth; `width`: of the bounds of sitting, as a share of the truth.

    `due`, `prompted`, `uncalled`: half hours of sitting completed, those prompted in time, and prompts without one.
    """

    seed: int
    hours: float
    supple: Method
    peers: Mapping[str, Method]
    inside: Mapping[str, bool]
    width: float
    due: int
    prompted: int
    uncalled: int


def score_day(seed: int, longest_s: float) -> DayScore:
    """One day, from the firmware to its score. Picklable: days run in processes."""
    lived, told = live(seed, longest_s)
    low, high = told.summary["state_s_low"], told.summary["state_s_high"]
    codes = {"sitting": SITTING, "standing": STANDING, "walking": WALKING, "lying": LYING}
    truth_s = {name: float(np.sum(lived.state == code)) for name, code in codes.items()}
    crossings_s = _crossings(lived)
    kept = [bool(np.any(np.abs(told.prompts_s - t_s) <= IN_TIME_S)) for t_s in crossings_s]
    return DayScore(
        seed=seed,
        hours=len(lived.state) / 3600.0,
        supple=_method(lived, told.state, told.bouts_s),
        peers={
            "tilt threshold": _method(lived, tilt_threshold(told)),
            "transitions only": _method(lived, transitions_only(told)),
        },
        inside={name: low[name] - 1.0 <= truth_s[name] <= high[name] + 1.0 for name in codes},
        width=(high["sitting"] - low["sitting"]) / max(truth_s["sitting"], 1.0),
        due=len(kept),
        prompted=sum(kept),
        uncalled=_uncalled(lived, told.prompts_s),
    )


def bouts(sits: npt.NDArray[np.bool_], pause_s: float = PAUSE_S) -> FloatArray:
    """Start and end (n, 2) of the runs of sitting with pauses of up to `pause_s`, from one value a second."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], sits.astype(np.int8), [0]))))
    found: list[tuple[float, float]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and start - found[-1][1] <= pause_s:
            found[-1] = (found[-1][0], float(end))
        else:
            found.append((float(start), float(end)))
    return np.array(found).reshape(-1, 2)


def _method(lived: Lived, state: SECONDS, bouts_s: FloatArray | None = None) -> Method:
    told = bouts(state == SITTING) if bouts_s is None else bouts_s
    true = bouts(lived.sits())
    ours, truth = (bout_statistics(_lengths_min(b)) for b in (told, true))
    false, missed = _changes(lived.state, state)
    return Method(
        sitting=_relative(float(np.sum(state == SITTING)), float(np.sum(lived.sits()))),
        mean_bout=_relative(ours.mean_min, truth.mean_min),
        usual_bout=_relative(ours.w50_min, truth.w50_min),
        false_per_h=false / (len(state) / 3600.0),
        missed=missed,
    )


def _lengths_min(bouts_s: FloatArray) -> list[float]:
    lengths_min = (bouts_s[:, 1] - bouts_s[:, 0]) / 60.0
    recorded: list[float] = lengths_min[lengths_min >= SHORTEST_BOUT_MIN].tolist()
    return recorded


def _relative(value: float, truth: float) -> float:
    """The error as a share of the truth; all of it where there is no value."""
    return value / truth - 1.0 if np.isfinite(value) and truth > 0.0 else 1.0


def _changes(true: SECONDS, told: SECONDS) -> tuple[int, float]:
    """False changes between sitting and not sitting, and the share of the true ones that was missed."""
    real, claimed = _change_times(true), _change_times(told)
    free = [True] * len(real)
    false = 0
    for t_s, sitting in claimed:
        near = [
            i
            for i, (at_s, to) in enumerate(real)
            if free[i] and to == sitting and abs(at_s - t_s) <= IN_TIME_S
        ]
        if near:
            free[min(near, key=lambda i: abs(real[i][0] - t_s))] = False
        else:
            false += 1
    return false, sum(free) / max(len(real), 1)


def _change_times(state: SECONDS) -> list[tuple[int, bool]]:
    """(second, to sitting?) of each change, unknown and other skipped: what comes after it decides."""
    known = np.flatnonzero(state > 0)
    sits = state[known] == SITTING
    return [(int(known[i + 1]), bool(sits[i + 1])) for i in np.flatnonzero(sits[1:] != sits[:-1])]


def _crossings(lived: Lived) -> FloatArray:
    """When half an hour of sitting is complete, but for those in a shaken car, where no prompt may come."""
    sits, long_s = lived.sits(), PROMPT_AFTER_S + IN_TIME_S
    short, far = (
        {start for start, end in bouts(sits, PAUSE_S + off_s) if end - start >= long_s}
        for off_s in (-PAUSE_UNSURE_S, PAUSE_UNSURE_S)
    )
    starts = sorted(short & far)
    times = np.array(starts) + PROMPT_AFTER_S
    calm = [not lived.shaken[int(t - IN_TIME_S) : int(t + IN_TIME_S)].any() for t in times]
    return times[calm] if len(times) else times


def _uncalled(lived: Lived, prompts_s: FloatArray) -> int:
    """Prompts at moments at which the wearer had not sat for half an hour, less a minute."""
    true = bouts(lived.sits())
    sat = [
        np.any((true[:, 0] + PROMPT_AFTER_S - IN_TIME_S <= t) & (t <= true[:, 1] + IN_TIME_S))
        for t in prompts_s
    ]
    return int(len(sat) - np.sum(sat))
