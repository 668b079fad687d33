"""Whole simulated days of people who differ: firmware, packets, pipeline and summary, without the radio.

Their confusions last: a person perched for a quarter of an hour looks like standing all that time, a chair that turns with
its sitter looks like legs for as long as it is sat on, a sensor that slipped is wrong until the next walk.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from day_scores import DayScore, Method, score_day
from figure import Figure, over_people

SEEDS = 200
QUICK_SEEDS, QUICK_S = 2, 3600.0
SET = "simulated days"


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """200 days, or two hours of two; needs no recordings."""
    days = run_days(range(QUICK_SEEDS if quick else SEEDS), QUICK_S if quick else np.inf)
    people = len(days)
    inside = [100.0 * day.inside["sitting"] for day in days]
    low, high = over_people(inside)
    others = {
        f"{name} inside": 100.0 * np.mean([day.inside[name] for day in days]) for name in days[0].inside
    }
    yield Figure(
        "sitting total inside its bounds", SET, people, float(np.mean(inside)), "% of days", "more",
        95.0, 97.5, low, high, note="; ".join(f"{name} {value:.0f} %" for name, value in others.items()),
    )  # fmt: skip
    widths = [100.0 * day.width for day in days]
    yield Figure(
        "width of these bounds", SET, people, float(np.mean(widths)), "% of the total", "less", 10.0, 5.0,
        *over_people(widths), note=f"95th percentile {np.quantile(widths, 0.95):.1f} %",
    )  # fmt: skip
    yield _error("sitting total, error", days, lambda method: method.sitting, None, None)
    yield _error("mean bout, error", days, lambda method: method.mean_bout, 15.0, 7.5)
    yield _error("usual bout (W50), error", days, lambda method: method.usual_bout, 15.0, 7.5)
    false = [day.supple.false_per_h for day in days]
    low, high = over_people(false)
    yield Figure(
        "false changes between sitting and not", SET, people, float(np.mean(false)), "1/h", "less", 0.5, 0.25,
        low, high, _peers(days, lambda method: method.false_per_h),
        f"missed {100.0 * np.mean([day.supple.missed for day in days]):.1f} %",
    )  # fmt: skip
    due = sum(day.due for day in days)
    if due:
        yield Figure(
            "prompt within 60 s of half an hour of sitting", SET, people,
            100.0 * sum(day.prompted for day in days) / due, "%", "more", 95.0, 97.5,
            note=f"{due} due; {sum(day.uncalled for day in days)} prompts without half an hour of sitting",
        )  # fmt: skip


def run_days(seeds: Sequence[int], longest_s: float) -> list[DayScore]:
    """The days of these seeds, one process a core."""
    workers = min(len(seeds), os.cpu_count() or 1)
    # A fresh interpreter each: forking a process that has threads is not safe.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(score_day, seeds, [longest_s] * len(seeds)))


def _error(
    what: str, days: Sequence[DayScore], of: Callable[[Method], float], must: float | None, aim: float | None
) -> Figure:
    """Median over days of the size of a relative error."""
    errors = 100.0 * np.abs([of(day.supple) for day in days])
    low, high = over_people(errors.tolist(), _median)
    bias = 100.0 * float(np.mean([of(day.supple) for day in days]))
    note = f"90th percentile {np.quantile(errors, 0.9):.0f} %; signed mean {bias:+.1f} %"
    return Figure(
        what, SET, len(days), float(np.median(errors)), "%, median of days", "less", must, aim, low, high,
        _peers(days, lambda method: 100.0 * abs(of(method)), _median), note,
    )  # fmt: skip


def _peers(
    days: Sequence[DayScore], of: Callable[[Method], float], over: Callable[..., float] = np.mean
) -> dict[str, float]:
    return {name: float(over([of(day.peers[name]) for day in days])) for name in days[0].peers}


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))
