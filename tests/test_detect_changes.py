"""Changes between sitting and standing: which movements are one, which way, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from trunk_script import Script, posture_records, sensor_mark

from monitor.core.blocks import TrunkBlock, take
from monitor.core.events import Posture, Transition
from monitor.detect.posture import changes, logic, rests, transitions
from monitor.detect.posture.belief import Belief


def told(script: Script, placement: str = "lower_back") -> list[Transition]:
    records = posture_records([sensor_mark(placement), script.block()])
    return [record for record in records if isinstance(record, Transition)]


def sittings(script: Script, placement: str = "lower_back") -> list[Transition]:
    return [change for change in told(script, placement) if change.to_state is Posture.SITTING]


@pytest.mark.parametrize("knees_deg", [15.0, 60.0])
def test_a_squat_that_is_held_is_no_sitting_down(knees_deg: float) -> None:
    """One sinks as far as onto a seat, but the trunk goes straight to where it stays."""
    squat = (
        Script()
        .walk(20)
        .hold(5)
        ._change(1.6, 0.0, knees_deg, -0.4)
        .hold(4)
        ._change(1.6, 0.0, -knees_deg, 0.4)
    )
    assert sittings(squat.hold(10), "sternum") == []


@pytest.mark.parametrize(("signs_min", "risen"), [(changes.SIGNS_MIN, False), (0.0, True)])
def test_straightening_up_in_the_seat_without_leaning_is_no_rising(
    monkeypatch: pytest.MonkeyPatch, signs_min: float, risen: bool
) -> None:
    """A sensor on a back that was reclined comes up by more than a hand's breadth; that no lean came first tells it."""
    monkeypatch.setattr(changes, "SIGNS_MIN", signs_min)
    seated = Script().walk(20).hold(5).sit_down().hold(30).lean(-40.0).hold(20)
    changed = told(seated._change(1.8, 0.0, 40.0, 0.2).hold(15))
    assert any(change.from_state is Posture.SITTING for change in changed) is risen


@pytest.mark.parametrize(("still_turn_deg", "sat"), [(rests.STILL_TURN_DEG, True), (0.0, False)])
def test_who_leans_slowly_before_sinking_onto_the_seat_has_sat_down(
    monkeypatch: pytest.MonkeyPatch, still_turn_deg: float, sat: bool
) -> None:
    """The lean is so slow that the trunk rests in it, but it is not still: the lean belongs to the movement."""
    monkeypatch.setattr(rests, "STILL_TURN_DEG", still_turn_deg)
    leant = Script().walk(20).hold(8).lean(14.0, 2.0)
    assert bool(sittings(leant._change(2.4, 0.0, -31.0, -0.38).hold(20))) is sat


def sinking(rolled_deg: float, lean_deg: float = 15.0) -> changes.Change:
    """With a lean that makes a seat as likely as not, but for how the seated side lies against it."""
    upright = (0.0, 0.0, 1.0)
    return changes.Change(0, 0, 0.5, (0, 20), -0.4, lean_deg, rolled_deg, 0.0, upright, upright, 2)


def test_where_forward_is_unknown_the_lean_shows_which_way_is_back() -> None:
    def surely(change: changes.Change, *, low: bool = True, forward: bool = False) -> float:
        return change.reliability((0.0, 0.0, 1.0), low=low, forward=forward)

    back, ahead = sinking(30.0), sinking(-30.0)
    assert surely(back) > 0.9 and surely(ahead) < 0.3
    assert surely(back, low=False) == surely(ahead, low=False), "a chest may end anywhere"
    assert surely(back, forward=True) == surely(ahead, forward=True), "nothing is guessed where it is known"
    assert surely(sinking(30.0, 5.0)) == surely(sinking(-30.0, 5.0)), "so small a lean shows nothing"


def test_one_movement_between_two_pairs_of_rests_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It trembles before it comes to rest: the movement counts until it rests, and until it is still."""
    sat = Script().walk(20).hold(8).lean(6.0, 1.2)._change(2.4, 20.0, -23.0, -0.38).lean(-24.0, 1.5).hold(20)
    assert len(sittings(sat)) == 1
    monkeypatch.setattr(logic, "APART_S", 0.0)
    assert len(sittings(sat)) > 1, "negative control"


def test_one_movement_seen_twice_is_evidence_once_and_the_surer_counts() -> None:
    once, again, twice = Belief(0.5), Belief(0.5), Belief(0.5)
    once.change(sitting=True, reliability=0.8)
    for belief in (again, twice):
        belief.change(sitting=True, reliability=0.66)
    again.change(sitting=True, reliability=0.8, again=True)
    twice.change(sitting=True, reliability=0.8)
    assert again.odds == once.odds < twice.odds
    again.happened(-2.0, Posture.WALKING)
    again.change(sitting=True, reliability=0.8, again=True)
    assert again.odds < once.odds, "what happened since is not undone"


@pytest.mark.parametrize("sinking", [True, False])
@pytest.mark.parametrize("towards", [-1.0, 1.0])
def test_the_seated_side_lies_on_the_other_side_of_standing_than_the_lean(
    sinking: bool, towards: float
) -> None:
    """Minimum jerk by 0.4 m with a lean of 25 deg; the seated side rolled by 12 deg against it, or with it."""
    rest, way = transitions.REACH_FRAMES, 24
    s = np.clip((np.arange(2 * rest + way) - rest) / way, 0.0, 1.0)
    smooth = s**3 * (10 - 15 * s + 6 * s**2)
    share = smooth if sinking else 1.0 - smooth
    angle = np.radians(-25.0 * np.sin(np.pi * s) ** 2 - towards * -12.0 * share)
    up = np.stack((np.sin(angle), np.zeros(len(s)), np.cos(angle)))
    rise = np.gradient(np.gradient(0.4 * (1.0 - share), 0.1), 0.1)
    rate = np.gradient(np.degrees(angle), 0.1) ** 2
    found = transitions.find_changes(up, rise, *rests.rests(up, rise, rate), rest, len(s) - 2, 0.1)
    between = [c for c in found if c.rests == 2]
    assert between
    assert all((c.rise_m < 0.0) is sinking for c in between)
    assert [c.rolled_deg for c in between] == pytest.approx([12.0 * towards] * len(between), abs=1.5)


@pytest.mark.parametrize("hz, push_m_s2, lean_deg", [(0.4, 0.8, 4.0), (0.5, 0.85, 6.0), (0.6, 0.95, 8.0)])
def test_bobbing_in_rest_gives_the_same_records_however_the_rows_are_cut(
    hz: float, push_m_s2: float, lean_deg: float
) -> None:
    """A lobe within a rest is none, whatever else moves in the block that holds it."""
    script = Script().walk(20).hold(12)
    t_s = np.arange(600) / script.rate_hz
    script._add(
        12.0,
        flexion=lean_deg * (1.0 - np.cos(2 * np.pi * hz * t_s)) / 2.0,
        bounce=push_m_s2 * np.sin(2 * np.pi * hz * t_s),
    )
    block = script.hold(12).sit_down().hold(20).block()
    ways: list[list[Any]] = []
    for rows in (len(block), 5):
        parts = [take(block, slice(k, k + rows)) for k in range(0, len(block), rows)]
        records = posture_records([sensor_mark(), *parts])
        ways.append([record for record in records if not isinstance(record, TrunkBlock)])
    assert repr(ways[0]) == repr(ways[1])


@pytest.mark.parametrize("sinking", [True, False])
def test_a_seat_is_found_late_in_the_sinking_and_lost_early_in_the_rising(sinking: bool) -> None:
    """Where the velocity passes a share of its peak, not at the peak."""
    script = Script().walk(20).hold(8).sit_down().hold(20)
    at_s = told(script if sinking else script.rise().hold(10))[-1].t_s
    middle_s = 29.2 if sinking else 51.6
    assert 0.1 < (at_s - middle_s if sinking else middle_s - at_s) < 0.6
