"""Bounds of the time in each state: they hold the truth as often as they say, and say what cannot be known."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.events import Posture, PostureState
from monitor.sinks.state_bounds import Run, StateRuns, state_bounds, warnings

SIT, STAND, WALK, LIE, UNKNOWN = (
    Posture.SITTING,
    Posture.STANDING,
    Posture.WALKING,
    Posture.LYING,
    Posture.UNKNOWN,
)


def run_list(*parts: tuple[Posture, float, float]) -> list[Run]:
    """Runs in a row of (state, minutes, confidence)."""
    runs, at_s = [], 0.0
    for state, minutes, confidence in parts:
        runs.append(Run(state, at_s, at_s + 60.0 * minutes, confidence))
        at_s += 60.0 * minutes
    return runs


def test_bounds_hold_a_truth_that_is_wrong_a_whole_run_at_a_time() -> None:
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(400):
        parts, sitting_min = [], 0.0
        for _ in range(24):
            told = SIT if rng.random() < 0.7 else STAND
            minutes, confidence = float(rng.uniform(3.0, 40.0)), float(rng.uniform(0.8, 0.99))
            right = rng.random() < confidence
            sitting_min += minutes * float((told is SIT) == right)
            # Unknown between, too short to matter, keeps each run's doubt its own.
            parts += [(told, minutes, confidence), (UNKNOWN, 0.01, 1.0)]
        sitting = state_bounds(run_list(*parts))[SIT]
        inside.append(sitting.low_s <= 60.0 * sitting_min <= sitting.high_s)
    assert 0.92 <= np.mean(inside) <= 0.98


def test_one_long_run_may_be_off_by_more_than_many_short_ones() -> None:
    once = state_bounds(run_list((SIT, 240.0, 0.95)))[SIT]
    often = state_bounds(run_list(*[(SIT, 10.0, 0.95), (UNKNOWN, 0.01, 1.0)] * 24))[SIT]
    assert once.high_s - once.low_s > 2.5 * (often.high_s - often.low_s)


def test_a_run_that_began_and_ended_with_a_sure_change_is_surer() -> None:
    open_end = state_bounds(run_list((SIT, 60.0, 0.9), (UNKNOWN, 1.0, 1.0)))[SIT]
    closed = state_bounds(run_list((SIT, 60.0, 0.9), (WALK, 1.0, 0.95)))[SIT]
    assert closed.high_s - closed.low_s < 0.7 * (open_end.high_s - open_end.low_s)


def test_untold_time_widens_the_bounds_by_about_itself() -> None:
    told = state_bounds(run_list((SIT, 60.0, 0.97), (WALK, 5.0, 0.95), (SIT, 60.0, 0.97)))[SIT]
    untold = state_bounds(run_list((SIT, 60.0, 0.97), (UNKNOWN, 30.0, 1.0), (STAND, 60.0, 0.97)))[SIT]
    assert untold.high_s - untold.low_s > told.high_s - told.low_s + 1200.0
    assert any("30 min" in sentence for sentence in warnings(run_list((UNKNOWN, 30.0, 1.0))))


@pytest.mark.parametrize("states", [(), ((SIT, 1.0, 0.9),), ((LIE, 100.0, 0.95), (WALK, 1.0, 0.95))])
def test_bounds_lie_between_nothing_and_the_whole_recording(
    states: tuple[tuple[Posture, float, float], ...],
) -> None:
    runs = run_list(*states)
    length_s = sum(run.seconds for run in runs)
    for bounds in state_bounds(runs).values():
        assert 0.0 <= bounds.low_s <= bounds.high_s <= length_s


def test_lying_at_the_very_end_may_be_a_sensor_laid_aside() -> None:
    aside = run_list((STAND, 30.0, 0.95), (LIE, 40.0, 0.95))
    asleep = run_list((LIE, 40.0, 0.95), (STAND, 30.0, 0.95))
    assert state_bounds(aside)[LIE].low_s == 0.0
    assert state_bounds(asleep)[LIE].low_s > 1200.0
    assert any("laid aside" in sentence for sentence in warnings(aside))
    assert not any("laid aside" in sentence for sentence in warnings(asleep))


def test_what_one_sensor_cannot_tell_is_said_of_a_day_and_not_of_a_minute() -> None:
    assert any("perching" in sentence for sentence in warnings(run_list((SIT, 30.0, 0.95))))
    assert warnings(run_list((SIT, 1.0, 0.95))) == []


def test_a_later_decision_about_an_earlier_moment_takes_its_place() -> None:
    runs = StateRuns()
    for t_s, state in ((10.0, SIT), (50.0, STAND), (40.0, WALK)):
        runs.push(PostureState(t_s, state, 0.9, t_s + 4.0))
    found = runs.until(0.0, 100.0)
    assert [(run.state, run.start_s, run.end_s) for run in found] == [
        (UNKNOWN, 0.0, 10.0),
        (SIT, 10.0, 40.0),
        (WALK, 40.0, 100.0),
    ]
