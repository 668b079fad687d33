"""Static holds, slouch, creep and movements: what trunk rows make them say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from trunk_script import Script, sensor_mark

from monitor.core.events import (
    Creep,
    Direction,
    Gap,
    Movement,
    Posture,
    PostureState,
    Slouch,
    StaticHold,
    Vibration,
)
from monitor.core.protocols import Detector
from monitor.detect import creep, slouch, static, vibration
from monitor.detect.movements import logic as movements


def run(detector: Detector, items: Sequence[Any]) -> list[Any]:
    stage = detector.build()
    return [*stage.push([sensor_mark(), *items]), *stage.close()]


def known(state: Posture, t_s: float = 0.0) -> PostureState:
    return PostureState(t_s, state, 0.9, t_s)


def of(kind: type, records: Sequence[Any]) -> list[Any]:
    return [r for r in records if isinstance(r, kind)]


# --- static ------------------------------------------------------------------------------------------------------


def test_a_hold_is_given_once_a_second_from_a_minute_on_and_ends_with_zero() -> None:
    holds = of(StaticHold, run(static.DETECTOR, [Script().hold(90).lean(30).hold(10).block()]))
    lasting = [h.seconds for h in holds[:-1]]
    assert lasting[0] == pytest.approx(60.0, abs=1.1)
    assert np.diff(lasting) == pytest.approx(1.0)
    assert lasting[-1] == pytest.approx(90.0, abs=2.0)
    assert holds[-1].seconds == 0.0


def test_a_reach_and_back_does_not_end_a_hold() -> None:
    holds = of(StaticHold, run(static.DETECTOR, [Script().hold(90).bend(40, 2.0).hold(60).block()]))
    assert max(h.seconds for h in holds) == pytest.approx(152.0, abs=2.0)


def test_walking_is_no_hold() -> None:
    assert of(StaticHold, run(static.DETECTOR, [Script().walk(200).block()])) == []


def test_a_long_gap_ends_a_hold_and_a_short_one_does_not() -> None:
    def longest(gap_s: float) -> float:
        first, second = Script().hold(70).block(), Script(start_s=70.0 + gap_s).hold(40).block()
        gap = Gap("A", float(first.t_s[-1]), 70.0 + gap_s, "missing")
        return max(h.seconds for h in of(StaticHold, run(static.DETECTOR, [first, gap, second])))

    assert longest(1.5) == pytest.approx(111.0, abs=2.0)
    assert longest(5.0) == pytest.approx(70.0, abs=2.0)


# --- slouch ------------------------------------------------------------------------------------------------------


def slouches(script: Script, state: Posture = Posture.SITTING) -> list[Slouch]:
    return of(Slouch, run(slouch.DETECTOR, [known(state), script.block()]))


def test_held_flexion_is_a_slouch_after_two_minutes_and_not_before() -> None:
    (found,) = slouches(Script().hold(20).lean(20).hold(130).lean(0).hold(20))
    assert (found.start_s, found.end_s) == (pytest.approx(21, abs=1.5), pytest.approx(153, abs=2.0))
    assert found.mean_deg == pytest.approx(20.0, abs=1.0)
    assert slouches(Script().hold(20).lean(20).hold(110).lean(0).hold(20)) == []


def test_between_the_two_edges_a_slouch_goes_on_and_does_not_begin() -> None:
    assert len(slouches(Script().lean(12).hold(60).lean(8.5).hold(80).lean(0).hold(5))) == 1
    assert slouches(Script().lean(8.5).hold(160).lean(0).hold(5)) == []


def test_a_pelvis_that_rolls_back_from_where_it_sat_down_is_a_slouch_at_the_lower_back() -> None:
    """Ten degrees back from the first half minute of the seat, and at the upper back nothing of the kind."""
    script = Script(flexion_deg=-12.0).hold(60).lean(-22).hold(140).lean(-12).hold(5)
    (found,) = slouches(script)
    assert found.mean_deg == pytest.approx(10.0, abs=1.0)
    assert found.start_s == pytest.approx(61.0, abs=2.0)
    high = [sensor_mark(placement="upper_back"), known(Posture.SITTING), script.block()]
    assert of(Slouch, run(slouch.DETECTOR, high)) == []
    assert slouches(Script(flexion_deg=-12.0).hold(60).lean(-16).hold(140).lean(-12).hold(5)) == []


def test_lying_or_unknown_is_no_slouch() -> None:
    script = Script().lean(30).hold(150).lean(0)
    assert slouches(script, Posture.LYING) == slouches(script, Posture.UNKNOWN) == []


def test_the_reference_is_the_wearers_own_walking() -> None:
    """Someone whose strap sits 15 deg forward does not slouch by sitting as they walk."""
    script = Script(flexion_deg=15.0).walk(30).hold(150)
    events = [known(Posture.WALKING), known(Posture.SITTING, 30.0)]
    assert of(Slouch, run(slouch.DETECTOR, [*events, script.block()])) == []


# --- creep -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "minutes, deg", [(1, 0.63), (2, 1.20), (5, 2.58), (10, 4.09), (20, 5.50), (30, 5.99)]
)
def test_full_flexion_creeps_as_measured(minutes: int, deg: float) -> None:
    model = creep.CreepModel()
    for _ in range(60 * minutes):
        model.step(1.0, 1.0)
    assert model.fraction * creep.ASYMPTOTE_DEG == pytest.approx(deg, abs=0.01)


def test_half_comes_back_in_two_minutes_and_all_takes_longer_than_it_took() -> None:
    model = creep.CreepModel()
    model.step(1200.0, 1.0)
    loaded = model.fraction
    model.step(120.0, 0.0)
    assert model.fraction / loaded == pytest.approx(0.5, abs=0.05)
    model.step(1200.0 - 120.0, 0.0)
    assert model.fraction / loaded > 0.1


def test_one_long_step_is_many_short_ones() -> None:
    one, many = creep.CreepModel(), creep.CreepModel()
    one.step(300.0, 0.6)
    for _ in range(300):
        many.step(1.0, 0.6)
    assert one.fraction == pytest.approx(many.fraction)


def test_sitting_loads_forward_flexion_loads_more_and_unknown_not_at_all() -> None:
    def after(state: Posture, flexion_deg: float) -> float:
        script = Script(10.0, flexion_deg=flexion_deg).hold(300)
        return of(Creep, run(creep.DETECTOR, [known(state), script.block()]))[-1].fraction

    upright, slumped = after(Posture.SITTING, 0.0), after(Posture.SITTING, 20.0)
    assert 0.1 < upright < slumped < 0.45
    assert after(Posture.STANDING, 0.0) < 0.02
    assert after(Posture.UNKNOWN, 40.0) == 0.0


# --- vibration ---------------------------------------------------------------------------------------------------


def shaken(script: Script, shake_m_s2: float, until_s: float) -> list[tuple[float, bool]]:
    block = script.block()
    jolts = np.random.default_rng(5).normal(0.0, shake_m_s2, block.acc.shape) * (block.t_s < until_s)[:, None]
    records = run(vibration.DETECTOR, [replace(block, acc=block.acc + jolts)])
    return [(v.t_s, v.shaken) for v in of(Vibration, records)]


def test_a_ride_is_told_after_half_a_minute_and_is_over_seconds_after_it_ended() -> None:
    begin, end = shaken(Script().hold(300), 0.4, 200.0)
    assert begin == (pytest.approx(30.0, abs=1.5), True)
    assert end == (pytest.approx(206.0, abs=2.0), False)


def test_sitting_still_and_a_few_bends_are_no_ride() -> None:
    script = Script().sit_down().hold(60).bend(40).hold(30).bend(40, 1.5).hold(60).rise().hold(30)
    assert shaken(script, 0.0, 0.0) == []


def test_walking_is_no_ride_however_hard_the_floor() -> None:
    script = Script().walk(120).hold(60)
    events = [known(Posture.WALKING, 4.5), known(Posture.STANDING, 124.5)]
    block = script.block()
    jolts = np.random.default_rng(5).normal(0.0, 0.4, block.acc.shape) * (block.t_s < 120.0)[:, None]
    hard = replace(block, acc=block.acc + jolts)
    assert of(Vibration, run(vibration.DETECTOR, [*events, hard])) == []
    assert len(of(Vibration, run(vibration.DETECTOR, [hard]))) == 2, "negative control: posture told it"


def test_bursts_with_calm_between_are_no_ride() -> None:
    """Steps on the spot, typing, a knee that bounces now and then: each second has its jolt, and its calm."""
    block = Script().hold(120).block()
    jolt = np.random.default_rng(5).normal(0.0, 0.8, block.acc.shape) * (block.t_s % 1.0 < 0.3)[:, None]
    assert of(Vibration, run(vibration.DETECTOR, [replace(block, acc=block.acc + jolt)])) == []


# --- movements ---------------------------------------------------------------------------------------------------


def moved(script: Script) -> list[Movement]:
    return of(Movement, run(movements.DETECTOR, [script.block()]))


@pytest.mark.parametrize(
    "by_deg, plane, direction",
    [
        (40, "flexion", Direction.FLEXION),
        (-25, "flexion", Direction.EXTENSION),
        (20, "lateral", Direction.LATERAL_RIGHT),
        (-20, "lateral", Direction.LATERAL_LEFT),
        (35, "rotation", Direction.ROTATION_LEFT),
        (-35, "rotation", Direction.ROTATION_RIGHT),
    ],
)
def test_each_direction_is_told_with_its_peak_and_speed(
    by_deg: float, plane: str, direction: Direction
) -> None:
    (found,) = moved(Script().hold(5).bend(by_deg, 3.0, plane).hold(5))
    assert found.direction is direction
    assert found.peak_deg == pytest.approx(abs(by_deg), abs=1.0)
    assert found.peak_rate_deg_s == pytest.approx(abs(by_deg) * np.pi / 3.0, rel=0.1)
    assert (found.start_s, found.end_s) == (pytest.approx(5.3, abs=0.3), pytest.approx(7.7, abs=0.4))


def test_repetitions_without_a_pause_are_counted_one_by_one() -> None:
    script = Script().hold(5)
    for _ in range(5):
        script.bend(30, 2.5)
    assert [m.direction for m in moved(script.hold(5))] == [Direction.FLEXION] * 5


def test_a_movement_to_a_hold_counts_and_the_way_back_does_not() -> None:
    (found,) = moved(Script().hold(5).lean(45).hold(6).lean(0).hold(5))
    assert found.direction is Direction.FLEXION
    assert found.end_s == pytest.approx(7.0, abs=0.5)


def test_repetitions_that_come_back_only_half_way_are_counted_one_by_one() -> None:
    def dips(low_deg: float) -> list[Movement]:
        script = Script().hold(5).lean(50, 1.5)
        for _ in range(3):
            script.lean(low_deg, 1.5).lean(50, 1.5)
        return moved(script.lean(0, 1.5).hold(5))

    assert [m.range_deg for m in dips(20.0)] == pytest.approx([50.0, 30.0, 30.0, 30.0], abs=1.0)
    assert [m.range_deg for m in dips(42.0)] == pytest.approx([50.0], abs=1.0), "a bounce is no repetition"


def test_what_a_trunk_does_while_walking_is_no_movement() -> None:
    script = Script().hold(10).walk(20).bend(80, 3.0, "rotation").walk(20).hold(10)
    at = [known(Posture.STANDING), *[PostureState(t, s, 0.9, t + 4.9) for t, s in WALK]]
    told = of(Movement, run(movements.DETECTOR, [*at, script.block()]))
    assert {m.state for m in told} <= {Posture.WALKING}, "but for the turns of the whole body"
    twisted = [m for m in moved(script) if m.state is Posture.UNKNOWN]
    assert Direction.ROTATION_LEFT in [m.direction for m in twisted], "negative control: posture told it"


def test_a_bend_on_the_way_is_one() -> None:
    script = Script().hold(10).walk(20).bend(60, 3.0).walk(20).hold(10)
    at = [known(Posture.STANDING), *[PostureState(t, s, 0.9, t + 4.9) for t, s in WALK]]
    found = of(Movement, run(movements.DETECTOR, [*at, script.block()]))
    assert [(m.direction, m.state) for m in found] == [(Direction.FLEXION, Posture.WALKING)]


WALK = ((10.0, Posture.WALKING), (53.0, Posture.STANDING))


def test_a_movement_waits_until_the_posture_during_it_is_settled() -> None:
    (found,) = moved(Script().hold(5).bend(30).hold(20))
    assert found.decided_s - found.end_s == pytest.approx(5.0, abs=0.15)
    (last,) = moved(Script().hold(5).bend(30).hold(2))
    assert last.decided_s == pytest.approx(9.98), "at the end of the data it is given as far as it is known"


def test_a_movement_does_not_outlast_a_quarter_of_a_minute() -> None:
    """Working bent over, never still: the way down is the movement, the work is not."""
    script = Script().hold(5).lean(50, 2.0)
    for _ in range(40):
        script.lean(54, 0.7).lean(50, 0.7)
    (found,) = moved(script.lean(0).hold(5))
    assert found.end_s - found.start_s < 6.0
    assert found.peak_deg == pytest.approx(52.0, abs=3.0)


def test_sway_walking_and_slow_drift_are_no_movements() -> None:
    assert moved(Script().hold(30).walk(60).hold(10)) == []
    assert moved(Script().hold(5).lean(30, 60.0).hold(5)) == []


def test_without_angles_there_are_no_movements() -> None:
    block = Script().hold(5).bend(40).hold(5).block()
    nan = np.full(len(block), np.nan)
    blind = replace(block, flexion_deg=nan, lateral_deg=nan, rotation_deg=nan, inclination_deg=nan)
    assert of(Movement, run(movements.DETECTOR, [blind])) == []


@pytest.mark.parametrize("by_deg, direction", [(40, Direction.TILT), (70, Direction.FLEXION)])
def test_with_forward_unknown_a_bend_is_a_tilt_and_one_that_only_goes_forward_is_flexion(
    by_deg: float, direction: Direction
) -> None:
    def blind(script: Script) -> list[Movement]:
        block = script.block()
        nan = np.full(len(block), np.nan)
        return of(Movement, run(movements.DETECTOR, [replace(block, flexion_deg=nan, lateral_deg=nan)]))

    (found,) = blind(Script().hold(5).bend(by_deg).hold(5))
    assert found.direction is direction
    assert found.peak_deg == pytest.approx(by_deg, abs=1.0)
    assert blind(Script().hold(5).lie_down().hold(20)) == [], "who lies down does not bend"


def test_a_bend_that_lingers_is_one_movement_from_start_to_return() -> None:
    (found,) = moved(Script().hold(5).lean(60).hold(3).lean(68, 1.0).hold(2).lean(0).hold(8))
    assert (found.start_s, found.end_s) == (pytest.approx(5.4, abs=0.3), pytest.approx(14.5, abs=0.6))
    assert found.peak_deg == pytest.approx(68.0, abs=0.7)


def test_a_return_to_neutral_does_not_linger() -> None:
    """What comes two seconds after it, to the same side, is a movement of its own."""
    script = Script(flexion_deg=-25.0).hold(8).lean(0, 1.5).hold(2).lean(30, 1.5).hold(8)
    (found,) = moved(script)
    assert found.start_s == pytest.approx(11.8, abs=0.3)
    assert found.range_deg == pytest.approx(30.0, abs=1.0)


def test_of_a_combined_movement_the_larger_part_gives_the_direction() -> None:
    def combined(rotation_deg: float, lateral_deg: float) -> list[Direction]:
        block = Script().hold(5).bend(rotation_deg, 3.0, "rotation").hold(8).block()
        side = Script().hold(5).bend(lateral_deg, 3.0, "lateral").hold(8).block()
        rate = block.rate_deg_s + side.rate_deg_s
        both = replace(block, lateral_deg=side.lateral_deg, rate_deg_s=rate)
        return [m.direction for m in of(Movement, run(movements.DETECTOR, [both]))]

    assert combined(50, 25) == [Direction.ROTATION_LEFT]
    assert combined(25, -50) == [Direction.LATERAL_LEFT]


def test_one_after_the_other_two_directions_are_two_movements() -> None:
    """Negative control of the above."""
    found = moved(Script().hold(5).bend(50, 2.0, "rotation").bend(25, 2.0, "lateral").hold(8))
    assert [m.direction for m in found] == [Direction.ROTATION_LEFT, Direction.LATERAL_RIGHT]


def test_a_movement_interrupted_by_a_long_gap_is_left_out() -> None:
    block = Script().hold(5).bend(40, 4.0).hold(5).block()
    first = replace(block, **{f: getattr(block, f)[:350] for f in ROWS})
    second = replace(block, **{f: getattr(block, f)[360:] for f in ROWS})
    second = replace(second, t_s=second.t_s + 5.0)
    gap = Gap("A", float(first.t_s[-1]), float(second.t_s[0]), "missing")
    assert [
        m.start_s for m in of(Movement, run(movements.DETECTOR, [first, gap, second])) if m.start_s < 8
    ] == []


ROWS = (
    "t_s",
    "quat",
    "up",
    "inclination_deg",
    "flexion_deg",
    "lateral_deg",
    "rotation_deg",
    "rate_deg_s",
    "acc",
    "ok",
    "uncertainty_deg",
)
