"""Did a movement come back? Only then is how far it went a range of motion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from trunk_script import Script, sensor_mark

from monitor.core.events import Movement, Posture, PostureState
from monitor.detect.movements import logic as movements
from monitor.detect.movements import strokes


def told(script: Script, *states: tuple[float, Posture]) -> list[Movement]:
    at: list[Any] = [PostureState(t_s, state, 0.9, t_s + 4.9) for t_s, state in states]
    stage = movements.DETECTOR.build()
    records = [*stage.push([sensor_mark(), *at, script.block()]), *stage.close()]
    return [r for r in records if isinstance(r, Movement)]


STOOD = (0.0, Posture.STANDING)


@pytest.mark.parametrize("by_deg, plane", [(80.0, "flexion"), (-20.0, "flexion"), (25.0, "lateral")])
def test_a_bend_that_comes_back_has_returned(by_deg: float, plane: str) -> None:
    (bend,) = told(Script().hold(8).bend(by_deg, 3.0, plane).hold(8), STOOD)
    assert bend.returned


def test_so_has_one_that_comes_back_near_where_it_began() -> None:
    def bend_to(end_deg: float) -> Movement:
        (bend,) = told(Script().hold(8).lean(90.0).lean(end_deg).hold(8), STOOD)
        return bend

    assert bend_to(12.0).returned
    assert not bend_to(30.0).returned


def test_a_small_one_that_stays_where_it_went_has_not() -> None:
    (lean,) = told(Script().hold(8).lean(14.0, 1.0).hold(12), STOOD)
    assert lean.range_deg < 15.0
    assert not lean.returned


def test_the_way_onto_hands_and_knees_has_not_returned_though_it_began_upright() -> None:
    down = Script().hold(8).lean(88.0, 3.0).hold(12)
    (found,) = told(down, STOOD, (12.0, Posture.UNKNOWN))
    assert (found.state, round(found.peak_deg)) == (Posture.STANDING, 88)
    assert not found.returned


def test_nor_has_one_that_comes_back_in_another_posture() -> None:
    bend = Script().hold(8).bend(40.0, 3.0).hold(8)
    (sat,) = told(bend, STOOD, (9.5, Posture.SITTING))
    (walked,) = told(bend, STOOD, (10.0, Posture.WALKING))
    assert not sat.returned
    assert walked.returned, "who walks off stands on the same feet"


def test_every_repetition_but_those_that_stop_half_way_has_returned() -> None:
    script = Script().hold(8)
    for low_deg in (5.0, 30.0, 0.0):
        script.lean(70.0, 1.5).lean(low_deg, 1.5)
    assert [m.returned for m in told(script.hold(8), STOOD)] == [True, False, True]


@pytest.mark.parametrize("again_share", [0.5, 0.7])
def test_a_bend_lingers_where_it_went_but_not_halfway_back(
    monkeypatch: pytest.MonkeyPatch, again_share: float
) -> None:
    """Whatever counts as one repetition; three seconds are too long for a hold and short enough to linger."""
    monkeypatch.setattr(strokes, "AGAIN_SHARE", again_share)

    def returned(held_deg: float) -> bool:
        bend = Script().hold(12).lean(40.0, 1.5).lean(held_deg, 1.5).hold(3.0).lean(5.0, 1.0).hold(8)
        return told(bend, STOOD)[0].returned

    assert (returned(34.0), returned(16.0)) == (True, False)
    monkeypatch.setattr(strokes, "STAYED_SHARE", 1.1)
    assert returned(16.0), "negative control"
    monkeypatch.setattr(strokes, "STAYED_SHARE", 0.05)
    assert not returned(34.0), "negative control"


def test_a_turn_of_the_body_does_not_return() -> None:
    turned = Script().hold(8).lean(0.0)
    (turn,) = told(Turned(turned.hold(10)), STOOD)
    assert turn.range_deg > 80.0
    assert not turn.returned


class Turned(Script):
    """A script whose wearer faces elsewhere from 8 s on."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def block(self) -> Any:

        block = self._script.block()
        s = np.clip((block.t_s - 8.0) / 2.0, 0.0, 1.0)
        return replace(block, rotation_deg=block.rotation_deg + 90.0 * s**3 * (10.0 - 15.0 * s + 6.0 * s**2))
