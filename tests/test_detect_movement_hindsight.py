"""How far a movement went is told once it is over: by the gyroscope, held by gravity before and after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from trunk_script import Script, sensor_mark

from monitor.core.blocks import TrunkBlock, take
from monitor.core.events import Gap, Movement
from monitor.core.inputs import FloatArray
from monitor.detect.movements import logic as movements
from monitor.detect.movements.columns import leaning_deg
from monitor.detect.movements.hindsight import up_rows

TRUE_DEG, TOLD_DEG = 60.0, 66.0


def told(*items: Any) -> list[Movement]:
    stage = movements.DETECTOR.build()
    records = [*stage.push([sensor_mark(), *items]), *stage.close()]
    return [r for r in records if isinstance(r, Movement)]


def misled(rate_hz: float = 50.0, plane: str = "flexion") -> TrunkBlock:
    """Angles of a filter that went 66 deg where gyroscope and accelerometer went 60."""
    true, live = (Script(rate_hz).hold(8).bend(by, 4.0, plane).hold(8).block() for by in (TRUE_DEG, TOLD_DEG))
    return replace(live, rate_deg_s=true.rate_deg_s, acc=true.acc)


@pytest.mark.parametrize("rate_hz", [20.0, 25.0, 100.0])
@pytest.mark.parametrize("plane", ["flexion", "lateral"])
def test_the_range_is_that_of_the_gyroscope_where_the_filter_was_misled(rate_hz: float, plane: str) -> None:
    (bend,) = told(misled(rate_hz, plane))
    assert bend.range_deg == pytest.approx(TRUE_DEG, abs=1.5)
    assert bend.peak_deg == pytest.approx(TRUE_DEG, abs=1.5)


def test_with_forward_unknown_too() -> None:
    block = misled()
    nan = np.full(len(block), np.nan)
    (bend,) = told(replace(block, flexion_deg=nan, lateral_deg=nan))
    assert bend.range_deg == pytest.approx(TRUE_DEG, abs=1.5)


def test_a_bias_of_the_gyroscope_does_not_add_up() -> None:
    block = Script().hold(8).bend(60, 4.0).hold(8).block()
    (bend,) = told(replace(block, rate_deg_s=block.rate_deg_s + np.array((0.5, 0.5, 0.5))))
    assert bend.range_deg == pytest.approx(60.0, abs=1.0)


def test_acceleration_that_comes_and_goes_does_not_tilt_it() -> None:
    """A push forward and back of 1.5 m/s2 during the bend, as it takes to move a trunk."""
    block = Script().hold(8).bend(60, 4.0).hold(8).block()
    push = 1.5 * np.sin(2.0 * np.pi * (block.t_s - 8.0) / 4.0) * ((block.t_s > 8.0) & (block.t_s < 12.0))
    (bend,) = told(replace(block, acc=block.acc + push[:, None] * np.array((1.0, 0.0, 0.0))))
    assert bend.range_deg == pytest.approx(60.0, abs=1.5)


@pytest.mark.parametrize("broken", ["gap", "no gyroscope"])
def test_where_the_rows_do_not_tell_it_the_live_angle_stands(broken: str) -> None:
    block = misled()
    if broken == "gap":
        first, second = take(block, slice(0, 700)), take(block, slice(710, len(block)))
        items: list[Any] = [first, Gap("A", float(first.t_s[-1]), float(second.t_s[0]), "missing"), second]
    else:
        items = [replace(block, rate_deg_s=np.full_like(block.rate_deg_s, np.nan))]
    assert [round(bend.peak_deg) for bend in told(*items)] == [TOLD_DEG]


def test_the_vertical_in_hindsight_is_the_one_there_was() -> None:
    def off_deg(block: TrunkBlock, up: FloatArray) -> float:
        later = up_rows(block.t_s, up, block.rate_deg_s, block.acc)
        assert later is not None
        shown = np.stack(leaning_deg(later))
        return float(np.abs(shown - np.stack((block.flexion_deg, block.lateral_deg))).max())

    block = Script().hold(5).bend(70, 3.0).bend(-25, 2.0, "lateral").hold(5).block()
    slowly_off = block.up + 0.05 * np.linspace(0.0, 1.0, len(block))[:, None] * np.array((0.0, 1.0, 0.0))
    assert off_deg(block, block.up) < 1.0
    assert off_deg(block, slowly_off) < 1.2
    assert up_rows(*(column[:10] for column in (block.t_s, block.up, block.rate_deg_s, block.acc))) is None


def test_what_turns_out_to_be_sway_is_no_movement() -> None:
    def bends(true_deg: float) -> list[Movement]:
        true, live = (Script().hold(8).bend(by, 4.0).hold(8).block() for by in (true_deg, 25.0))
        return told(replace(live, rate_deg_s=true.rate_deg_s, acc=true.acc))

    assert bends(5.0) == []
    assert len(bends(22.0)) == 1, "negative control"
