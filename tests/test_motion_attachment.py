"""A sensor that slips, is put on another way or hangs upside down: found, told, followed; and nothing told without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slip_days import FORWARD, OVER, TO_THE_SIDE, forward_off_deg, inputs, slips, tilt_off_deg, worn

from monitor.core.blocks import TrunkBlock
from monitor.core.events import REZEROED, MountSet, Notice, Posture, PostureState, SlipKind
from monitor.core.inputs import Mark
from monitor.motion.attachment.jumps import Jumps
from monitor.pipeline import Pipeline

CALM = '{ do = "stand", seconds = 40, shifts_per_min = 0 }'
WALK = '{ do = "walk", seconds = 40 }'
SEAT = '{ do = "sit_upright", seconds = 120, fidgets_per_min = 0 }'
MORNING = f'{WALK}, {CALM}, {SEAT}, {{ do = "rise" }}, {CALM}, {WALK}'
IN_THE_SEAT_S = 150.0
ROSE_S = 208.0
FORWARD_TWICE = (0.0, 17.0, 0.0)


def flexion_deg(records: list[Any], start_s: float, end_s: float) -> float:
    blocks = [record for record in records if isinstance(record, TrunkBlock)]
    t_s = np.concatenate([block.t_s for block in blocks])
    flexion = np.concatenate([block.flexion_deg for block in blocks])
    return float(np.median(flexion[(t_s > start_s) & (t_s < end_s)]))


@pytest.mark.parametrize("turn", [FORWARD, TO_THE_SIDE])
def test_a_slip_in_the_seat_is_found_in_the_next_quiet_stand_and_dated(turn: Any) -> None:
    moved = ((IN_THE_SEAT_S, turn, 0.5),)
    records = worn(MORNING, moved)
    (slip,) = slips(records)
    assert slip.slip is SlipKind.SLIPPED
    assert ROSE_S < slip.decided_s < ROSE_S + 60.0
    assert slip.angle_deg == pytest.approx(8.0, abs=1.5)
    assert IN_THE_SEAT_S - 4.0 < slip.from_s <= IN_THE_SEAT_S + 0.5
    assert tilt_off_deg(records, MORNING, moved) < 1.5
    assert [r.id for r in records if isinstance(r, Notice)] == ["slipped"]


def test_without_a_slip_nothing_is_told() -> None:
    """The negative control of every test here."""
    records = worn(MORNING)
    assert slips(records) == []
    assert sum(isinstance(record, MountSet) for record in records) == 1


def test_a_stand_elsewhere_alone_is_no_slip_while_no_jump_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: blind to jumps, the same slip waits for the walk."""
    monkeypatch.setattr(Jumps, "find", lambda *_: [])
    (slip,) = slips(worn(MORNING, ((IN_THE_SEAT_S, FORWARD, 0.5),)))
    assert slip.decided_s > ROSE_S + 40.0


def test_angles_follow_the_sensor_from_where_the_slip_is_told() -> None:
    records = worn(MORNING, ((IN_THE_SEAT_S, FORWARD, 0.5),))
    (slip,) = slips(records)
    before = flexion_deg(records, 50.0, 75.0)
    assert abs(flexion_deg(records, ROSE_S + 4.0, slip.decided_s) - before) > 6.0
    assert flexion_deg(records, slip.decided_s + 1.0, ROSE_S + 36.0) == pytest.approx(before, abs=1.5)


def test_the_posture_is_unknown_from_where_a_slip_is_told() -> None:
    pipeline = Pipeline()
    records = [*pipeline.push(inputs(MORNING, ((IN_THE_SEAT_S, FORWARD, 0.5),))), *pipeline.close()]
    (slip,) = slips(records)
    states = [record for record in records if isinstance(record, PostureState)]
    (lost,) = [state for state in states if state.decided_s == slip.decided_s]
    assert lost.state is Posture.UNKNOWN and lost.t_s == slip.decided_s
    assert any(state.state is Posture.WALKING and state.t_s > slip.decided_s for state in states)


def test_a_slip_while_walking_is_found_by_walking_on() -> None:
    walks = '{ do = "walk", seconds = 60 }, { do = "walk", seconds = 90 }'
    (slip,) = slips(worn(walks, ((70.0, TO_THE_SIDE, 0.5),)))
    assert 70.0 < slip.decided_s < 150.0
    assert slip.from_s <= 70.0


def test_a_slip_while_standing_is_found_in_the_same_stand() -> None:
    (slip,) = slips(
        worn(f'{WALK}, {CALM}, {{ do = "stand", seconds = 60, shifts_per_min = 0 }}', ((85.0, FORWARD, 0.5),))
    )
    assert 85.0 < slip.decided_s < 110.0


def test_leaning_on_something_is_no_slip() -> None:
    counter = '{ do = "lean", seconds = 120, pelvis_deg = 9 }'
    assert slips(worn(f"{WALK}, {CALM}, {counter}, {CALM}, {WALK}")) == []
    assert slips(worn(f"{WALK}, {CALM}, {SEAT}, {counter}, {WALK}")) == []


def test_sitting_down_and_perching_are_no_slips() -> None:
    perch = '{ do = "perch", seconds = 90, fidgets_per_min = 0 }'
    slouch = '{ do = "slouch", seconds = 90, drift_s = 30 }'
    assert slips(worn(f"{WALK}, {CALM}, {perch}, {CALM}, {slouch}, {WALK}, {CALM}")) == []


def test_a_slow_turn_of_the_trunk_is_no_jump_and_a_slow_slip_is_found_by_walking() -> None:
    slow = ((IN_THE_SEAT_S, FORWARD, 4.0),)
    walk_on = MORNING + ', { do = "walk", seconds = 60 }'
    (slip,) = slips(worn(walk_on, slow))
    assert slip.decided_s > ROSE_S + 40.0
    assert slip.from_s < IN_THE_SEAT_S - 10.0


def test_an_upside_down_sensor_is_called_so_and_the_next_walk_gives_the_mount() -> None:
    moved = ((100.0, OVER, 6.0),)
    records = worn(MORNING, moved)
    (slip,) = slips(records)
    assert slip.slip is SlipKind.UPSIDE_DOWN
    assert slip.decided_s < ROSE_S
    mount = [record for record in records if isinstance(record, MountSet)][-1]
    assert mount.source == "gait"
    assert tilt_off_deg(records, MORNING, moved) < 4.0


def test_a_sensor_put_on_another_way_is_found_and_mounted_by_the_next_walk() -> None:
    moved = ((100.0, (30.0, -40.0, 60.0), 6.0),)
    records = worn(MORNING, moved)
    (slip,) = slips(records)
    assert slip.slip is SlipKind.REATTACHED
    assert tilt_off_deg(records, MORNING, moved) < 4.0


def test_a_sensor_also_turned_about_upright_gets_its_forward_from_the_next_walk() -> None:
    """Gravity shows the smaller part of it only: without another look flexion would be told of a side bend."""
    moved = ((100.0, (0.0, 0.0, 100.0), 6.0), (107.0, FORWARD_TWICE, 3.0))
    longer = MORNING + ', { do = "walk", seconds = 30 }'
    records = worn(longer, moved)
    first, second = slips(records)
    assert first.slip is SlipKind.SLIPPED
    assert (second.slip, second.angle_deg) == (SlipKind.REATTACHED, pytest.approx(100.0, abs=15.0))
    assert forward_off_deg(records, longer, moved) < 10.0


def test_between_the_slip_of_another_way_and_the_new_mount_there_are_no_angles() -> None:
    short = f'{WALK}, {CALM}, {SEAT}, {{ do = "rise" }}, {CALM}'
    records = worn(short, ((100.0, OVER, 6.0),))
    (slip,) = slips(records)
    assert np.isnan(flexion_deg(records, slip.decided_s + 0.1, slip.decided_s + 20.0))


def test_after_the_wearer_put_it_back_on_the_next_walk_gives_the_mount() -> None:
    records = worn(MORNING, (), [Mark(100.0, "attached", {"sensor": "A"})])
    assert slips(records) == []
    assert [r.source for r in records if isinstance(r, MountSet)] == ["truth", "gait"]
    assert tilt_off_deg(records, MORNING) < 4.0


def test_a_creeping_strap_is_followed_without_a_word() -> None:
    walks = ", ".join(['{ do = "walk", seconds = 100 }'] * 6)
    creep = tuple((150.0 + 40.0 * k, (0.0, 0.6, 0.0), 30.0) for k in range(10))
    records = worn(walks, creep)
    assert slips(records) == []
    followed = [record for record in records if isinstance(record, MountSet)][1:]
    assert {mount.source for mount in followed} == {REZEROED}
    assert tilt_off_deg(records, walks, creep) < 4.5
