"""Posture: what is claimed from scripts of trunk rows, when, and when nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from trunk_script import Script, posture_records, sensor_mark

from monitor.core.blocks import TrunkBlock
from monitor.core.events import (
    REZEROED,
    Gap,
    MountSet,
    Notice,
    Posture,
    PostureState,
    Slip,
    SlipKind,
    Transition,
)
from monitor.core.inputs import Mark
from monitor.detect.posture import logic

SIT, STAND, WALK, LIE, UNKNOWN = (
    Posture.SITTING,
    Posture.STANDING,
    Posture.WALKING,
    Posture.LYING,
    Posture.UNKNOWN,
)


def run(items: Sequence[Any], placement: str = "lower_back") -> list[Any]:
    return posture_records([sensor_mark(placement), *items])


def states(records: Sequence[Any]) -> list[PostureState]:
    return [r for r in records if isinstance(r, PostureState)]


def at(records: Sequence[Any], t_s: float) -> Posture:
    """The state in force at a row time."""
    found = UNKNOWN
    for event in states(records):
        if event.t_s <= t_s:
            found = event.state
    return found


def day() -> Script:
    return Script().hold(8).walk(20).hold(10).sit_down().hold(60).rise().hold(20).walk(15)


def test_a_script_of_walking_sitting_and_standing_is_told() -> None:
    records = run([day().block()])
    assert [e.state for e in states(records)] == [UNKNOWN, WALK, STAND, SIT, STAND, WALK]


def test_nothing_is_claimed_before_there_is_evidence() -> None:
    chest = run([Script().hold(60).block()], "sternum")
    assert {e.state for e in states(chest)} == {UNKNOWN}


def test_each_state_is_decided_within_five_seconds_of_its_row() -> None:
    for rate_hz in (20.0, 26.0, 50.0, 104.0):
        script = Script(rate_hz).walk(20).sit_down().hold(30).rise().hold(20)
        events = states(run([script.block()]))
        assert len(events) >= 3
        assert all(0.0 <= e.decided_s - e.t_s <= 5.0 for e in events)


def test_a_transition_stands_at_its_middle() -> None:
    records = run([day().block()])
    sits = [r for r in records if isinstance(r, Transition) and r.to_state is SIT]
    assert [(r.from_state, pytest.approx(r.t_s, abs=0.7)) for r in sits] == [(STAND, 38.0 + 1.2)]


def test_the_direction_of_a_change_is_told_by_displacement_even_without_a_tilt_step() -> None:
    """At the chest the tilt says nothing: the same change without any tilt left over, up and down."""
    down = Script().walk(20).hold(10)._change(2.4, 35.0, 0.0, -0.38).hold(30).block()
    up = Script().walk(20).hold(10)._change(2.4, 35.0, 0.0, 0.38).hold(30).block()
    assert at(run([down], "sternum"), 50.0) is SIT
    assert at(run([up], "sternum"), 50.0) is STAND


def test_a_bend_and_back_is_no_sitting_down() -> None:
    assert at(run([Script().walk(20).hold(5).bend(60.0).hold(20).block()]), 40.0) is STAND


def test_tilt_tells_sitting_at_the_lower_back_at_once_and_at_the_chest_only_with_calm_and_a_word_of_warning() -> (
    None
):
    """No change is seen: the rows begin in a chair after walking was known from before."""
    script = Script().walk(20).hold(5)
    slid = Script(start_s=script.seconds + 10.0, flexion_deg=-25.0).hold(60).block()
    items = [script.block(), Gap("A", script.seconds, slid.t_s[0], "missing"), slid]
    assert at(run(items), 80.0) is SIT
    chest = run(items, "sternum")
    assert (at(chest, 40.0), at(run(items), 40.0)) == (UNKNOWN, SIT)
    assert at(chest, 80.0) is SIT
    assert [r.id for r in chest if isinstance(r, Notice)] == ["posture_thoracic"]
    assert not [r for r in run(items) if isinstance(r, Notice)]


def test_a_neutral_pose_from_walking_is_as_good_as_walking_and_a_still_one_is_not() -> None:
    block = Script(flexion_deg=-25.0).hold(60).block()
    slid = replace(block, rate_deg_s=np.full_like(block.rate_deg_s, np.nan))

    def told(source: str) -> Posture:
        return at(run([MountSet("A", 0.0, (1.0, 0.0, 0.0, 0.0), 0.9, True, source), slid]), 50.0)

    assert (told("gait+bends"), told("quiet")) == (SIT, UNKNOWN)


def test_lying_is_told_and_afterwards_not_standing() -> None:
    records = run([Script().walk(20).hold(5).lie_down().hold(40).lean(-17.0, 4.0).hold(20).block()])
    assert at(records, 50.0) is LIE
    assert at(records, 85.0) in (SIT, UNKNOWN)


@pytest.mark.parametrize(("put_on_s", "lying"), [(logic.PUT_ON_S, False), (0.0, True)])
def test_a_sensor_that_is_being_put_on_is_not_somebody_lying(
    monkeypatch: pytest.MonkeyPatch, put_on_s: float, lying: bool
) -> None:
    monkeypatch.setattr(logic, "PUT_ON_S", put_on_s)
    records = run([Script(flexion_deg=-80.0).hold(3.0).lean(0.0, 2.0).hold(8).walk(20).block()])
    assert any(event.state is LIE for event in states(records)) is lying


def test_who_lies_from_the_start_is_told_to_lie_after_some_seconds() -> None:
    records = run([Script(flexion_deg=-85.0).hold(30).block()])
    assert (at(records, 2.0), at(records, 20.0)) == (UNKNOWN, LIE)


def test_a_long_forward_bend_is_not_lying_and_soon_not_standing_either_until_one_is_up_again() -> None:
    """One may be on hands and knees."""
    bent = Script().walk(20).hold(5).lean(80.0)
    for _ in range(8):
        bent.bend(5.0, 1.5)
    said = run([bent.lean(0.0).hold(10).block()])
    assert [at(said, t_s) for t_s in (30.0, 35.0, 39.0, 47.0)] == [STAND, UNKNOWN, UNKNOWN, STAND]


def test_lying_face_down_is_lying_after_some_seconds() -> None:
    records = run([Script().walk(20).hold(5).lean(88.0, 4.0).hold(30).block()])
    assert (at(records, 32.0), at(records, 50.0)) == (STAND, LIE)


def turning(block: TrunkBlock, rows: slice, deg_s: float) -> TrunkBlock:
    """The block with some turning about the vertical to and fro in these rows."""
    rate = np.array(block.rate_deg_s)
    rate[rows] += deg_s * np.sin(3.0 * block.t_s[rows, None]) * block.up[rows]
    return replace(block, rate_deg_s=rate)


def test_a_still_trunk_that_turns_about_the_vertical_stands_and_one_that_does_not_sits() -> None:
    """Nothing else is known: no walking, no change, upright as calibrated."""
    block = Script(rate_hz=50.0).hold(60).block()
    tilting = np.array(block.rate_deg_s)
    tilting[:, 1] += 1.5 * np.sin(4.0 * block.t_s)
    sways = replace(block, rate_deg_s=tilting)
    assert at(run([turning(sways, slice(None), 2.0)]), 30.0) is STAND
    assert at(run([sways]), 30.0) is SIT
    assert at(run([sways], "sternum"), 30.0) is UNKNOWN


@pytest.mark.parametrize("gap_s, after", [(1.0, SIT), (3.0, UNKNOWN)])
def test_a_gap_of_more_than_two_seconds_loses_the_posture(gap_s: float, after: Posture) -> None:
    first = Script().walk(20).hold(5).sit_down().hold(30)
    second = Script(start_s=first.seconds + gap_s, flexion_deg=-17.0).hold(3)
    records = run(
        [first.block(), Gap("A", first.seconds, first.seconds + gap_s, "missing"), second.block()], "sternum"
    )
    assert at(records, first.seconds - 6.0) is SIT
    assert at(records, first.seconds + gap_s + 1.0) is after


@pytest.mark.parametrize(
    "event",
    [
        Mark(60.0, "attached", {}),
        Mark(60.0, "attached", {"sensor": "A"}),
        MountSet("A", 60.0, (1.0, 0.0, 0.0, 0.0), 0.9, True, "calibrate"),
        Slip("A", 55.0, 20.0, 9.0, SlipKind.SLIPPED, 60.0),
    ],
)
def test_a_sensor_that_slipped_or_was_attached_or_mounted_anew_loses_the_posture(event: Any) -> None:
    first = Script().walk(20).hold(5).sit_down().hold(30)
    records = run([first.block(), event])
    assert states(records)[-1].state is UNKNOWN
    assert records[-1] is event


@pytest.mark.parametrize(
    "event",
    [
        Mark(60.0, "attached", {"sensor": "B"}),
        MountSet("A", 60.0, (1.0, 0.0, 0.0, 0.0), 0.9, True, REZEROED),
        Slip("B", 55.0, 20.0, 9.0, SlipKind.SLIPPED, 60.0),
    ],
)
def test_another_sensor_or_a_mount_that_follows_a_creep_leaves_the_posture(event: Any) -> None:
    first = Script().walk(20).hold(5).sit_down().hold(30)
    assert states(run([first.block(), event]))[-1].state is SIT


def test_short_gaps_all_the_time_do_not_blind_it() -> None:
    block = day().block()
    items: list[Any] = []
    n = 150
    for i in range(0, len(block), n):
        rows = slice(i, min(i + n - 20, len(block)))
        items.append(replace(block, **{f: getattr(block, f)[rows] for f in ARRAYS}))
        end = min(i + n, len(block) - 1)
        items.append(Gap("A", float(block.t_s[rows.stop - 1]), float(block.t_s[end]), "missing"))
    records = run(items)
    assert at(records, 20.0) is WALK
    assert at(records, 70.0) is SIT


ARRAYS = [
    f for f in TrunkBlock.__dataclass_fields__ if isinstance(getattr(Script().hold(1).block(), f), np.ndarray)
]


def test_rows_that_were_not_measured_lose_the_posture() -> None:
    block = Script().walk(20).sit_down().hold(60).block()
    ok = np.array(block.ok)
    ok[1500:2000] = False
    records = run([replace(block, ok=ok)], "sternum")
    assert (at(records, 28.0), at(records, 36.0)) == (SIT, UNKNOWN)


def test_without_a_mount_only_walking_is_told() -> None:
    block = Script().hold(20).lie_down().hold(20).block()
    walking = Script(start_s=60.0).walk(20).hold(5).block()
    nan = {f: np.full(len(block), np.nan) for f in ("inclination_deg", "flexion_deg", "lateral_deg")}
    nan_walk = {f: np.full(len(walking), np.nan) for f in nan}
    up = {"up": np.full_like(block.up, np.nan)}
    gap = Gap("A", float(block.t_s[-1]), 60.0, "missing")
    unmounted = replace(walking, **nan_walk, up=np.full_like(walking.up, np.nan))
    records = run([replace(block, **nan, **up), gap, unmounted])
    assert {e.state for e in states(records) if e.t_s < 60.0} == {UNKNOWN}
    assert at(records, 70.0) is WALK


def test_strong_shaking_without_a_rhythm_is_not_walking() -> None:
    block = Script().hold(60).block()
    shake = (
        np.random.default_rng(3).normal(0.0, 1.5, (len(block) // 5 + 1, 3)).repeat(5, axis=0)[: len(block)]
    )
    assert WALK not in {e.state for e in states(run([replace(block, acc=block.acc + shake)]))}


def test_another_sensor_changes_nothing() -> None:
    block = day().block()
    other = replace(Script().walk(60).block(), sensor="B")
    assert states(run([other, block, Gap("B", 10.0, 60.0, "missing")])) == states(run([block]))
