"""Which of the angles that move together is the movement, and which are but parts of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from trunk_script import Script, sensor_mark

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Direction, Movement
from monitor.detect.movements import logic as movements

SECONDS = 25.0


def told(block: TrunkBlock) -> list[Movement]:
    stage = movements.DETECTOR.build()
    records = [*stage.push([sensor_mark(), block]), *stage.close()]
    return [r for r in records if isinstance(r, Movement)]


def together(rotation: Script, lateral: Script) -> TrunkBlock:
    """The rotation of one script with the side bend of the other."""
    scripts = [script.hold(SECONDS - script.seconds).block() for script in (rotation, lateral)]
    turned, bent = scripts
    return replace(
        turned,
        lateral_deg=bent.lateral_deg,
        inclination_deg=bent.inclination_deg,
        rate_deg_s=turned.rate_deg_s + bent.rate_deg_s,
        up=bent.up,
        acc=bent.acc,
    )


def directions(block: TrunkBlock) -> set[Direction]:
    return {m.direction for m in told(block)}


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_neither_of_two_that_go_about_as_far_is_a_part_of_the_other(sign: float) -> None:
    def about(rotation_deg: float) -> set[Direction]:
        turn = Script().hold(5).bend(sign * rotation_deg, 3.0, "rotation")
        return directions(together(turn, Script().hold(5).bend(40, 3.0, "lateral")))

    both = {Direction.LATERAL_RIGHT, Direction.ROTATION_LEFT if sign > 0 else Direction.ROTATION_RIGHT}
    assert about(35.0) == both
    assert about(20.0) == {Direction.LATERAL_RIGHT}


def test_what_goes_slowly_before_and_after_does_not_make_a_part_a_movement() -> None:
    """Aside by some degrees already, then a little further while turning, and back long after."""
    turn = Script().hold(9).bend(40, 4.0, "rotation")
    slow = Script().hold(5).bend(8, 12.0, "lateral").block().lateral_deg
    more = Script().hold(9).bend(7, 4.0, "lateral").hold(4).block().lateral_deg
    block = together(turn, Script())
    aside = block.lateral_deg.copy()
    aside[: len(slow)] += slow
    aside[: len(more)] += more
    rate = block.rate_deg_s + np.gradient(aside - block.lateral_deg, 1.0 / 50.0)[:, None] * (1.0, 0.0, 0.0)
    assert directions(replace(block, lateral_deg=aside, rate_deg_s=rate)) == {Direction.ROTATION_LEFT}


def test_the_part_of_a_return_is_no_movement_either() -> None:
    """From a side bend held back to neutral, with the twist that goes with it."""

    def returning(by_deg: float) -> list[Movement]:
        turn = Script().hold(5).bend(16, 3.0, "rotation")
        block = together(turn, Script())
        s = np.clip((block.t_s - 5.0) / 2.0, 0.0, 1.0)
        bent = by_deg * (1.0 - s**3 * (10.0 - 15.0 * s + 6.0 * s**2))
        return told(replace(block, lateral_deg=block.lateral_deg + bent))

    assert returning(35.0) == []
    assert [m.direction for m in returning(0.0)] == [Direction.ROTATION_LEFT], "negative control"


def test_at_the_end_of_the_data_a_movement_to_a_hold_is_given_one_under_way_is_not() -> None:
    assert [m.direction for m in told(Script().hold(5).lean(40).hold(3).block())] == [Direction.FLEXION]
    assert told(Script().hold(5).lean(40).hold(0.4).block()) == []


def without_forward(script: Script, turned_deg: float = 0.0) -> list[Movement]:
    """The same wearer with forward unknown, the body axes turned about upright by some angle."""
    block = script.block()
    c, s = np.cos(np.radians(turned_deg)), np.sin(np.radians(turned_deg))
    turn = np.array(((c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0)))
    up, rate, acc = (np.einsum("ij,nj->ni", turn, each) for each in (block.up, block.rate_deg_s, block.acc))
    nan = np.full(len(block), np.nan)
    return told(replace(block, flexion_deg=nan, lateral_deg=nan, up=up, rate_deg_s=rate, acc=acc))


@pytest.mark.parametrize("turned_deg", [0.0, 70.0, 200.0])
def test_with_forward_unknown_a_tilt_is_measured_from_where_it_began(turned_deg: float) -> None:
    """Through upright: who stands leaning back by 8 deg and bends to 15 deg forward has tilted by 23."""
    script = Script(flexion_deg=-8.0).hold(8).bend(23.0, 2.5).hold(8)
    (found,) = without_forward(script, turned_deg)
    assert found.direction is Direction.TILT
    assert found.range_deg == pytest.approx(23.0, abs=1.0)
    assert found.peak_deg == pytest.approx(15.0, abs=1.0)


def test_with_forward_unknown_who_sits_up_for_a_moment_has_not_bent() -> None:
    assert without_forward(Script(flexion_deg=20.0).hold(8).bend(-15.0, 3.0).hold(8)) == []
    (found,) = without_forward(Script(flexion_deg=20.0).hold(8).bend(-35.0, 3.0).hold(8))
    assert found.peak_deg == pytest.approx(15.0, abs=1.0), (
        "negative control: through upright to the other side"
    )


def test_with_forward_unknown_bends_without_a_pause_are_counted_one_by_one() -> None:
    script = Script().hold(5)
    for _ in range(4):
        script.bend(60, 2.5)
    assert [m.direction for m in without_forward(script.hold(8), 120.0)] == [Direction.FLEXION] * 4
