"""Bounds of the time in each state: they hold the truth as often as they say, and say what cannot be known."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.events import Posture, PostureState
from monitor.sinks.state_bounds import (
    SITTING_DOUBT,
    STANDING_DOUBT,
    Run,
    StateRuns,
    state_bounds,
    warnings,
)

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
        for told in (SIT, STAND) * 12:
            minutes = float(rng.uniform(3.0, 40.0))
            right = rng.random() >= (SITTING_DOUBT if told is SIT else STANDING_DOUBT)
            sitting_min += minutes * float((told is SIT) == right)
            parts.append((told, minutes, 0.95))
        sitting = state_bounds(run_list(*parts))[SIT]
        inside.append(sitting.low_s <= 60.0 * sitting_min <= sitting.high_s)
    assert 0.92 <= np.mean(inside) <= 0.98


def width_s(*parts: tuple[Posture, float, float]) -> float:
    """Between the bounds of sitting."""
    sitting = state_bounds(run_list(*parts))[SIT]
    return sitting.high_s - sitting.low_s


def test_one_long_run_may_be_off_by_more_than_many_short_ones() -> None:
    assert width_s((STAND, 240.0, 0.95)) > 2.0 * width_s(*[(STAND, 10.0, 0.95), (WALK, 0.01, 0.95)] * 24)


def test_standing_claimed_for_little_may_well_be_sitting() -> None:
    assert width_s((STAND, 20.0, 0.82), (WALK, 60.0, 0.95)) > 1.3 * width_s(
        (STAND, 20.0, 0.97), (WALK, 60.0, 0.95)
    )


def test_untold_time_after_a_seat_was_taken_is_rather_sitting_and_widens_the_bounds() -> None:
    seated = state_bounds(run_list((SIT, 60.0, 0.97), (UNKNOWN, 30.0, 1.0), (SIT, 60.0, 0.97)))[SIT]
    assert seated.low_s < 135.0 * 60.0 < 148.0 * 60.0 < seated.high_s
    up = state_bounds(run_list((WALK, 60.0, 0.97), (UNKNOWN, 30.0, 1.0), (WALK, 60.0, 0.97)))[SIT]
    assert up.high_s < 1800.0
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
    aside = run_list((STAND, 30.0, 0.95), (LIE, 40.0, 0.95), (UNKNOWN, 0.5, 1.0))
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
