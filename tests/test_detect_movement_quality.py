"""Turns on the way, smoothness and the error of a range: numbers with vectors to hold them to."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import laws
import numpy as np
import pytest
from trunk_script import Script, sensor_mark

from monitor.core.blocks import take
from monitor.core.bout_statistics import bout_statistics
from monitor.core.events import Direction, Movement, Posture, PostureState
from monitor.core.inputs import FloatArray
from monitor.detect.movements import logic as movements
from monitor.detect.movements.smoothness import sparc

# --- SPARC: the vectors were computed from the published method, the bounce shaped by half a sine ------------------


def min_jerk_speed(seconds: float, rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """(share of the time, speed with peak 1)."""
    s = np.linspace(0.0, 1.0, round(seconds * rate_hz) + 1)
    return s, 16.0 * s**2 * (1.0 - s) ** 2


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
@pytest.mark.parametrize("seconds, bounced", [(1.0, -1.78), (2.0, -1.96), (4.0, -2.10)])
def test_sparc_is_that_of_the_vectors_at_every_rate_and_duration(
    rate_hz: float, seconds: float, bounced: float
) -> None:
    s, speed = min_jerk_speed(seconds, rate_hz)
    bounce = 0.25 * np.sin(2.0 * math.pi * 4.0 * s * seconds) * np.sin(math.pi * s)
    assert sparc(speed, rate_hz) == pytest.approx(-1.406, abs=0.001)
    assert sparc(speed + bounce, rate_hz) == pytest.approx(bounced, abs=0.01)
    assert sparc(90.0 * speed, rate_hz) == pytest.approx(sparc(speed, rate_hz)), "size does not matter"


def test_sparc_stands_two_percent_of_noise() -> None:
    _, speed = min_jerk_speed(2.0, 100.0)
    noisy = speed + 0.02 * np.random.default_rng(1).normal(size=len(speed))
    assert sparc(noisy, 100.0) == pytest.approx(-1.406, abs=0.01)


@pytest.mark.parametrize("speed", [np.zeros(50), np.ones(4), np.full(50, np.nan)])
def test_without_a_movement_there_is_no_smoothness(speed: FloatArray) -> None:
    assert math.isnan(sparc(speed, 50.0))


def test_bout_statistics_are_those_of_the_vector() -> None:
    found = bout_statistics([5.0, 10.0, 15.0, 30.0, 60.0])
    assert (found.mean_min, found.w50_min) == (24.0, 60.0)
    assert found.gini == pytest.approx(0.433, abs=0.0005)
    assert found.alpha == pytest.approx(1.824, abs=0.0005)
    assert found.transition_per_min == pytest.approx(0.0417, abs=0.0001)


# --- turns --------------------------------------------------------------------------------------------------------


def told(script: Script, *states: tuple[float, Posture]) -> list[Movement]:
    at: list[Any] = [PostureState(t_s, state, 0.9, t_s + 4.9) for t_s, state in states]
    stage = movements.DETECTOR.build()
    records = [*stage.push([sensor_mark(), *at, script.block()]), *stage.close()]
    return [r for r in records if isinstance(r, Movement)]


def walk_turning(deg: float, seconds: float) -> Script:
    """Ten seconds straight, the turn while stepping on, ten seconds straight."""
    script = Script().hold(5).walk(10).walk(seconds).walk(10)
    before = Script().hold(5).walk(10).seconds
    return TurningScript(script, before, seconds, deg)


class TurningScript(Script):
    """A script whose wearer turns as a whole between two times."""

    def __init__(self, script: Script, start_s: float, seconds: float, deg: float) -> None:
        self._script, self._start_s, self._seconds, self._deg = script, start_s, seconds, deg

    def block(self) -> Any:
        block = self._script.block()
        s = np.clip((block.t_s - self._start_s) / self._seconds, 0.0, 1.0)
        turned = self._deg * s**3 * (10.0 - 15.0 * s + 6.0 * s**2)
        yaw = np.gradient(turned, 1.0 / block.rate_hz)
        rate = block.rate_deg_s + yaw[:, None] * block.up
        return replace(block, rotation_deg=block.rotation_deg + turned, rate_deg_s=rate)


WALKING = ((0.0, Posture.STANDING), (5.0, Posture.WALKING))


@pytest.mark.parametrize("deg", [180.0, -180.0, 90.0])
@pytest.mark.parametrize("seconds", [1.5, 3.0])
def test_a_turn_on_the_way_is_told_with_its_size_and_never_as_a_twist(deg: float, seconds: float) -> None:
    (turn,) = told(walk_turning(deg, seconds), *WALKING)
    assert turn.state is Posture.WALKING
    assert turn.direction is (Direction.ROTATION_LEFT if deg > 0 else Direction.ROTATION_RIGHT)
    assert turn.range_deg == pytest.approx(abs(deg), abs=2.5)
    assert 3.0 < turn.return_error_deg < 10.0
    assert turn.start_s > 14.9
    assert turn.end_s < 15.1 + seconds


def test_steps_and_a_bend_in_the_way_are_no_turns() -> None:
    assert told(walk_turning(0.0, 2.0), *WALKING) == []
    assert told(walk_turning(30.0, 3.0), *WALKING) == []


def test_a_twist_while_standing_is_no_turn_and_its_error_grows_with_its_time() -> None:
    def error_deg(seconds: float) -> float:
        (twist,) = told(Script().hold(5).bend(40, seconds, "rotation").hold(8), (0.0, Posture.STANDING))
        assert twist.state is Posture.STANDING
        return twist.return_error_deg

    assert 1.2 < error_deg(2.0) < error_deg(8.0) < 3.0


def test_the_way_out_is_what_is_smooth_or_falters() -> None:
    def smoothness(script: Script) -> float:
        (bend,) = told(script.hold(8))
        return bend.sparc

    once = smoothness(Script().hold(5).lean(60, 2.0).lean(0, 2.0))
    assert once == pytest.approx(-1.41, abs=0.1), "a smooth step out, whatever comes after"
    assert smoothness(Script().hold(5).lean(60, 2.0).hold(3).lean(0, 2.0)) == pytest.approx(once, abs=0.1)
    assert smoothness(Script().hold(5).lean(20, 0.7).lean(40, 0.7).lean(60, 0.7).lean(0, 2.0)) < once - 0.5


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
def test_the_peak_rate_is_within_two_percent(rate_hz: float) -> None:
    (bend,) = told(Script(rate_hz).hold(5).lean(60, 1.5).lean(0, 3.0).hold(8))
    assert bend.peak_rate_deg_s == pytest.approx(1.875 * 60.0 / 1.5, rel=0.02)


def restless() -> list[Any]:
    """A minute and a half of a trunk that wanders about all three axes at once, bends, lingers and walks."""
    script = Script(20.0).hold(4).bend(50).lean(40).hold(2).lean(0).hold(8).walk(20)
    block = TurningScript(script.hold(60), 25.0, 2.0, 170.0).block()
    n = len(block)
    steps = np.random.default_rng(11).normal(0.0, 1.0, (3, n)) * (block.t_s > 46.0)
    kernel = np.hanning(30) / 4.0
    wander = np.stack([np.convolve(np.cumsum(axis), kernel / kernel.sum(), "same") * 3.0 for axis in steps])
    rate = block.rate_deg_s + np.gradient(wander, 1.0 / 20.0, axis=1)[[1, 0, 2]].T
    restless_rows = replace(
        block,
        flexion_deg=block.flexion_deg + wander[0],
        lateral_deg=block.lateral_deg + wander[1],
        rotation_deg=block.rotation_deg + wander[2],
        rate_deg_s=np.ascontiguousarray(rate),
    )
    states = ((0.0, Posture.STANDING), (21.0, Posture.WALKING), (41.0, Posture.STANDING))
    items: list[Any] = [sensor_mark()]
    due = [PostureState(t_s, state, 0.9, t_s + 4.9) for t_s, state in states]
    for start in range(0, n, 20):
        rows = take(restless_rows, slice(start, start + 20))
        while due and due[0].decided_s <= rows.t_s[-1]:
            items.append(due.pop(0))
        items.append(rows)
    return items


def test_however_the_rows_are_cut_the_movements_are_the_same_bits() -> None:
    items = restless()
    ways = laws.cuts(items, seeds=(1, 2, 3)) | {"rows": laws.row_by_row(items)}
    assert laws.cut_breaches(movements.DETECTOR.build, ways) == []
    found = [r for r in laws.run(movements.DETECTOR.build, [items]) if isinstance(r, Movement)]
    assert len({m.direction for m in found}) >= 4, "negative control: many have spoken"
    assert len(found) >= 8
    assert Posture.WALKING in {m.state for m in found}


def test_the_range_is_from_the_low_point_before_it_also_of_repetitions_that_overshoot() -> None:
    script = Script().hold(5).lean(-6, 1.0).lean(40, 1.5)
    for _ in range(3):
        script.lean(-7, 1.5).lean(40, 1.5)
    found = [m for m in told(script.lean(0, 1.5).hold(8)) if m.direction is Direction.FLEXION]
    assert [m.range_deg for m in found] == pytest.approx([46.0, 47.0, 47.0, 47.0], abs=1.0)
    assert [m.peak_deg for m in found] == pytest.approx([40.0] * 4, abs=0.7), "the peak is from neutral"


def test_from_side_to_side_the_range_is_from_the_middle() -> None:
    script = Script().hold(5)
    for _ in range(3):
        script.bend(30, 2.0, "lateral").bend(-30, 2.0, "lateral")
    found = told(script.hold(8))
    assert [m.direction for m in found] == [Direction.LATERAL_RIGHT, Direction.LATERAL_LEFT] * 3
    assert [m.range_deg for m in found] == pytest.approx([30.0] * 6, abs=4.0)


def test_a_change_of_the_sampling_rate_loses_no_movement_that_had_ended() -> None:
    first = Script(50.0).hold(5).bend(40, 3.0).hold(1.5).block()
    second = Script(25.0, start_s=9.52).hold(5).bend(30, 3.0).hold(8).block()
    stage = movements.DETECTOR.build()
    records = [*stage.push([sensor_mark(), first, second]), *stage.close()]
    assert [round(m.peak_deg) for m in records if isinstance(m, Movement)] == [40, 30]


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("deg", [1600.0, -1600.0])
def test_a_twist_is_told_from_where_one_faces_however_far_one_had_turned_before(
    deg: float, sign: float
) -> None:
    facing = Script().hold(5).walk(10).walk(8).walk(10).hold(5)
    twisting = facing.bend(40 * sign, 3.0, "rotation").hold(8)
    *_, twist = told(TurningScript(twisting, 15.0, 8.0, deg), *WALKING, (33.0, Posture.STANDING))
    assert twist.direction is (Direction.ROTATION_LEFT if sign > 0 else Direction.ROTATION_RIGHT)
    assert (twist.peak_deg, twist.range_deg) == pytest.approx((40.0, 40.0), abs=2.0)
    assert twist.state is Posture.STANDING


class HeldTwist(TurningScript):
    """A twist of 40 deg that is held for some seconds."""

    def __init__(self, held_s: float) -> None:
        super().__init__(Script().hold(30 + held_s + 20), 10.0, 2.0, 40.0)
        self._back = TurningScript(self._script, 12.0 + held_s, 2.0, -40.0)

    def block(self) -> Any:
        there, back = super().block(), self._back.block()
        rate = there.rate_deg_s + back.rate_deg_s - self._script.block().rate_deg_s
        turned = there.rotation_deg + back.rotation_deg - self._script.block().rotation_deg
        return replace(there, rotation_deg=turned, rate_deg_s=rate)


def test_back_from_a_held_twist_is_no_movement_but_from_where_one_has_long_faced_it_is() -> None:
    assert [m.direction for m in told(HeldTwist(12.0), (0.0, Posture.STANDING))] == [Direction.ROTATION_LEFT]
    (_there, back) = told(HeldTwist(30.0), (0.0, Posture.STANDING))
    assert back.direction is Direction.ROTATION_RIGHT
    assert back.peak_deg == pytest.approx(40.0, abs=2.0)
