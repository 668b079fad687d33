"""Sitting bouts, breaks and their statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from trunk_script import Script, sensor_mark

from monitor.core.bout_statistics import bout_statistics
from monitor.core.events import Break, Gap, Posture, PostureState, SittingBout
from monitor.detect.bouts import DETECTOR

SIT, STAND, WALK, UNKNOWN = Posture.SITTING, Posture.STANDING, Posture.WALKING, Posture.UNKNOWN


def run(states: Sequence[tuple[float, Posture]], script: Script) -> list[Any]:
    """Rows of `script`, with posture states of our own choice decided four seconds after they began."""
    stage = DETECTOR.build()
    events = [PostureState(t_s, state, 0.9, t_s + 4.0) for t_s, state in states]
    records = [*stage.push([sensor_mark(), *events, script.block()]), *stage.close()]
    return [r for r in records if isinstance(r, SittingBout | Break)]


def test_a_bout_goes_on_over_an_interruption_of_twenty_seconds_and_not_over_a_longer_one() -> None:
    def bouts(pause_s: float) -> list[tuple[float, float, float, bool]]:
        states = [(10.0, STAND), (20.0, SIT), (80.0, STAND), (80.0 + pause_s, SIT), (150.0, STAND)]
        found = [r for r in run(states, Script(20.0).hold(200)) if isinstance(r, SittingBout)]
        return [(b.start_s, b.end_s, b.interruptions_s, b.cut) for b in found]

    assert bouts(20.0) == [(20.0, 150.0, 20.0, False)]
    assert bouts(21.0) == [(20.0, 80.0, 0.0, False), (101.0, 150.0, 0.0, False)]


def test_a_bout_whose_start_or_end_was_not_seen_is_cut() -> None:
    script = Script(20.0).hold(200)
    assert [b.cut for b in run([(10.0, SIT), (80.0, STAND)], script)] == [True]
    assert [b.cut for b in run([(5.0, STAND), (10.0, SIT), (80.0, UNKNOWN)], script)] == [True]
    assert [b.cut for b in run([(5.0, STAND), (10.0, SIT)], script)] == [True]


@pytest.mark.parametrize(
    "between, count",
    [
        ([(80.0, UNKNOWN)], 1),
        ([(80.0, UNKNOWN), (120.0, STAND), (125.0, UNKNOWN)], 2),
        ([(80.0, STAND), (85.0, UNKNOWN)], 2),
    ],
)
def test_doubt_belongs_to_a_bout_unless_there_is_a_sign_of_being_up(
    between: list[tuple[float, Posture]], count: int
) -> None:
    states = [(10.0, STAND), (20.0, SIT), *between, (200.0, SIT), (300.0, STAND)]
    found = [r for r in run(states, Script(20.0).hold(340)) if isinstance(r, SittingBout)]
    assert len(found) == count
    assert (found[0].start_s, found[-1].end_s) == (20.0, 300.0)


def test_doubt_for_too_long_ends_a_bout() -> None:
    states = [(10.0, STAND), (20.0, SIT), (80.0, UNKNOWN), (400.0, SIT), (500.0, STAND)]
    found = [r for r in run(states, Script(20.0).hold(540)) if isinstance(r, SittingBout)]
    assert [(b.start_s, b.end_s, b.cut) for b in found] == [(20.0, 80.0, True), (400.0, 500.0, True)]


def test_lost_rows_are_not_bridged() -> None:
    script = Script(20.0).hold(80)
    stage = DETECTOR.build()
    states = [
        PostureState(t_s, state, 0.9, t_s) for t_s, state in ((5.0, STAND), (20.0, SIT), (80.0, UNKNOWN))
    ]
    records = stage.push([sensor_mark(), *states, script.block(), Gap("A", 80.0, 180.0, "missing")])
    later = replace(script.block(), t_s=script.block().t_s + 180.0)
    records += [*stage.push([PostureState(185.0, SIT, 0.9, 190.0), later]), *stage.close()]
    found = [r for r in records if isinstance(r, SittingBout)]
    assert [(b.start_s, b.end_s) for b in found] == [(20.0, 80.0), (185.0, pytest.approx(260.0, abs=0.1))]


@pytest.mark.parametrize("moving, credit", [(False, 0.0), (True, 1.0)])
def test_standing_still_for_two_minutes_earns_nothing_and_walking_for_two_minutes_all(
    moving: bool, credit: float
) -> None:
    script = Script(50.0).hold(60)
    script = (script.walk(125) if moving else script.hold(125)).hold(60)
    away = WALK if moving else STAND
    states = [(5.0, STAND), (10.0, SIT), (60.0, away), (185.0, SIT)]
    breaks = [r for r in run(states, script) if isinstance(r, Break)]
    assert [(b.start_s, b.end_s, pytest.approx(credit, abs=0.02)) for b in breaks] == [
        (60.0, 185.0, breaks[0].credit)
    ]


def test_half_the_movement_earns_half_the_credit() -> None:
    script = Script(50.0).hold(60).walk(60).hold(120)
    found = run([(5.0, STAND), (10.0, SIT), (60.0, WALK), (120.0, STAND), (200.0, SIT)], script)
    assert [b.credit for b in found if isinstance(b, Break)] == [pytest.approx(0.5, abs=0.02)]


def test_a_break_ends_where_the_posture_is_no_longer_known() -> None:
    states = [(5.0, STAND), (10.0, SIT), (60.0, WALK), (120.0, UNKNOWN), (190.0, SIT)]
    found = [r for r in run(states, Script(20.0).hold(220)) if isinstance(r, Break)]
    assert [(b.start_s, b.end_s) for b in found] == [(60.0, 120.0)]


def test_the_statistics_of_five_known_bouts() -> None:
    s = bout_statistics([30.0, 5.0, 60.0, 10.0, 15.0])
    assert (s.count, s.total_min, s.mean_min, s.longest_min, s.w50_min) == (5, 120.0, 24.0, 60.0, 60.0)
    assert s.gini == pytest.approx(0.4333, abs=1e-4)
    assert s.alpha == pytest.approx(1.824, abs=1e-3)
    assert s.transition_per_min == pytest.approx(0.0417, abs=1e-4)
    assert s.breaks_per_hour == pytest.approx(2.5)
    assert not s.enough


def test_no_bouts_and_equal_bouts_have_no_alpha() -> None:
    assert math.isnan(bout_statistics([]).mean_min)
    equal = bout_statistics([10.0, 10.0])
    assert math.isnan(equal.alpha)
    assert equal.gini == 0.0
    assert bout_statistics([10.0, 10.0], shortest_min=5.0).alpha == pytest.approx(1.0 + 1.0 / math.log(2.0))
