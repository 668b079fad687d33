"""Bounds of the time in each state: they hold the truth as often as they say, and say what cannot be known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Posture, PostureState
from monitor.core.inputs import FloatArray
from monitor.sinks.run_tilts import FlexionMeans
from monitor.sinks.spread import narrowest, total_spread
from monitor.sinks.state_bounds import (
    SITTING_DOUBT,
    UNTILTED_DOUBT,
    Bounds,
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


def trunk_rows(t_s: FloatArray, flexion_deg: FloatArray) -> TrunkBlock:
    """Rows of which only the flexion matters."""
    n = len(t_s)
    none, three = np.zeros(n), np.zeros((n, 3))
    return TrunkBlock(
        sensor="A",
        t_s=t_s,
        quat=np.zeros((n, 4)),
        up=three,
        inclination_deg=none,
        flexion_deg=flexion_deg,
        lateral_deg=none,
        rotation_deg=none,
        rate_deg_s=three,
        acc=three,
        uncertainty_deg=none,
        ok=np.ones(n, np.bool_),
        rate_hz=1.0,
    )


def test_bounds_hold_a_truth_that_is_wrong_a_whole_run_at_a_time() -> None:
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(400):
        parts, sitting_min = [], 0.0
        for told in (SIT, STAND) * 12:
            minutes = float(rng.uniform(3.0, 40.0))
            right = rng.random() >= (SITTING_DOUBT if told is SIT else UNTILTED_DOUBT)
            sitting_min += minutes * float((told is SIT) == right)
            parts.append((told, minutes, 0.95))
        sitting = state_bounds(run_list(*parts))[SIT]
        inside.append(sitting.low_s <= 60.0 * sitting_min <= sitting.high_s)
    assert 0.93 <= np.mean(inside) <= 0.98


def width_s(runs: list[Run], *, thoracic: bool = False) -> float:
    """Between the bounds of sitting."""
    sitting = state_bounds(runs, thoracic=thoracic)[SIT]
    return sitting.high_s - sitting.low_s


def test_one_long_run_may_be_off_by_more_than_many_short_ones() -> None:
    many = run_list(*[(STAND, 10.0, 0.95), (WALK, 0.01, 0.95)] * 24)
    assert width_s(run_list((STAND, 240.0, 0.95))) > 2.0 * width_s(many)


def test_standing_claimed_for_little_may_well_be_sitting() -> None:
    sure, weak = ([(STAND, 10.0, confidence), (SIT, 30.0, 0.97)] * 6 for confidence in (0.97, 0.82))
    assert width_s(run_list(*weak)) > 1.3 * width_s(run_list(*sure))


def test_standing_far_back_for_long_counts_as_sitting_and_upright_as_standing() -> None:
    def sitting(back_deg: float) -> Bounds:
        runs = run_list((WALK, 10.0, 0.95), (STAND, 30.0, 0.97), (WALK, 10.0, 0.95))
        return state_bounds([replace(run, back_deg=back_deg) for run in runs])[SIT]

    assert sitting(20.0).low_s > 1700.0
    assert sitting(0.0).high_s < 100.0
    assert sitting(8.0).high_s - sitting(8.0).low_s > 1700.0


def test_untold_time_after_a_seat_was_taken_is_sitting_and_beside_a_walk_it_is_not() -> None:
    seated = state_bounds(run_list((SIT, 60.0, 0.97), (UNKNOWN, 30.0, 1.0), (SIT, 60.0, 0.97)))[SIT]
    assert seated.low_s > 145.0 * 60.0
    up = state_bounds(run_list((WALK, 60.0, 0.97), (UNKNOWN, 30.0, 1.0), (WALK, 60.0, 0.97)))[SIT]
    assert up.low_s == 0.0
    assert any("30 min" in sentence for sentence in warnings(run_list((UNKNOWN, 30.0, 1.0))))


def test_a_sensor_at_the_chest_is_less_sure_and_says_so() -> None:
    runs = run_list(*[(SIT, 20.0, 0.97), (WALK, 2.0, 0.95), (STAND, 10.0, 0.97)] * 5)
    assert width_s(runs, thoracic=True) > 2.0 * width_s(runs)
    assert any("upper back" in sentence for sentence in warnings(runs, thoracic=True))
    assert not any("upper back" in sentence for sentence in warnings(runs))


def test_a_run_is_tilted_against_the_walks_nearest_to_it() -> None:
    """After the third walk the strap sits 10 deg further forward: later runs are judged by later walks."""
    runs = run_list(*[(WALK, 1.0, 0.95), (STAND, 5.0, 0.97)] * 6)
    flexion = FlexionMeans()
    for run in runs:
        level = 10.0 if run.start_s >= runs[6].start_s else 0.0
        t_s = np.arange(run.start_s, run.end_s, 1.0)
        back = 15.0 if run.state is STAND else 0.0
        flexion.push(trunk_rows(t_s, np.full(len(t_s), level - back)))
    stands = [run for run in flexion.tilted(runs) if run.state is STAND]
    assert [run.back_deg for run in (stands[0], stands[-1])] == pytest.approx([15.0, 15.0], abs=0.8)


def test_without_a_walk_no_tilt_is_known() -> None:
    runs = run_list((STAND, 5.0, 0.97), (SIT, 5.0, 0.97))
    flexion = FlexionMeans()
    flexion.push(trunk_rows(np.arange(0.0, 600.0), np.zeros(600)))
    assert all(math.isnan(run.back_deg) for run in flexion.tilted(runs))


@given(
    st.lists(st.tuples(st.sampled_from((0.02, 0.3, 0.98)), st.floats(0.1, 3000.0)), min_size=1, max_size=40)
)
def test_the_spread_of_a_total_has_its_mean_and_all_of_its_probability(
    parts: list[tuple[float, float]],
) -> None:
    spread, step = total_spread(parts)
    assert math.isclose(spread.sum(), 1.0, abs_tol=1e-9)
    mean = float(np.sum(spread * np.arange(len(spread)))) * step
    assert mean == pytest.approx(sum(p * size for p, size in parts), abs=2.0 * step)
    first, last = narrowest(spread, 0.95)
    assert spread[first : last + 1].sum() >= 0.95 - 1e-9


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
