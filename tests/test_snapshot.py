"""The present moment is folded honestly: stale is unknown, time is counted once, missing time counts as missing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from monitor.core.blocks import TrunkBlock
from monitor.core.events import (
    REZEROED,
    Beat,
    DeviceStatus,
    Gap,
    MountSet,
    Notice,
    Posture,
    PostureState,
    Record,
    SittingBout,
)
from monitor.core.inputs import Mark
from monitor.core.interval import INTERVAL_SD, INTERVAL_SHARE, interval_deg
from monitor.core.snapshot import CALIBRATION_GRACE_S, Snapshot

SENSOR = Mark(0.0, "sensor", {"sensor": "a", "driver": "rows", "role": "single", "placement": "upper_back"})


def rows(
    start_s: float, end_s: float, sensor: str = "a", flexion_deg: float = 10.0, ok: bool = True
) -> TrunkBlock:
    t = np.arange(round(start_s * 100), round(end_s * 100)) / 100.0
    n = len(t)
    column = np.full(n, flexion_deg)
    return TrunkBlock(
        sensor=sensor,
        t_s=t,
        quat=np.tile((1.0, 0.0, 0.0, 0.0), (n, 1)),
        up=np.tile((0.0, 0.0, 1.0), (n, 1)),
        inclination_deg=abs(column),
        flexion_deg=column,
        lateral_deg=np.zeros(n),
        rotation_deg=np.zeros(n),
        rate_deg_s=np.zeros((n, 3)),
        acc=np.zeros((n, 3)),
        uncertainty_deg=np.ones(n),
        ok=np.full(n, ok),
        rate_hz=100.0,
    )


def beat(t_s: float, data_s: float = -math.inf, connected: bool = True, sensor: str = "a") -> Beat:
    return Beat(sensor, t_s, 1_000_000.0 + t_s, 3600, connected, data_s)


def folded(*records: Record) -> Snapshot:
    snapshot = Snapshot()
    snapshot.push([SENSOR, *records])
    return snapshot


def test_the_first_moment_is_unknown_and_stale() -> None:
    now = folded(beat(1.0, connected=False))
    assert now.stale
    assert now.shown_state is Posture.UNKNOWN
    assert math.isnan(now.flexion_deg)
    assert math.isnan(now.coverage)
    assert now.placement == "upper_back"


def test_a_posture_is_unknown_two_seconds_after_the_last_row_and_not_before() -> None:
    standing = PostureState(1.0, Posture.STANDING, 0.9, 5.0)
    assert folded(rows(0, 10), standing, beat(11.9, 9.99)).shown_state is Posture.STANDING
    assert folded(rows(0, 10), standing, beat(12.1, 9.99)).shown_state is Posture.UNKNOWN


def test_rows_of_another_sensor_do_not_speak_for_the_primary_one() -> None:
    now = folded(rows(0, 1), rows(0, 2, sensor="b", flexion_deg=80.0), beat(3.0, 3.0, sensor="b"))
    assert now.flexion_deg == 10.0
    assert now.data_s == pytest.approx(0.99)
    assert not now.connected


def test_a_sensor_marked_primary_takes_over() -> None:
    now = folded(
        Mark(0.0, "sensor", {"sensor": "b", "placement": "waist", "primary": True}), rows(0, 1, sensor="b")
    )
    assert (now.primary, now.placement, now.flexion_deg) == ("b", "waist", 10.0)


def test_sitting_time_is_the_sum_of_the_bouts_and_the_running_one() -> None:
    now = folded(
        PostureState(0.0, Posture.SITTING, 1.0, 5.0),
        PostureState(100.0, Posture.STANDING, 1.0, 105.0),
        PostureState(160.0, Posture.SITTING, 1.0, 165.0),
        rows(160, 200),
    )
    assert now.sitting_s == pytest.approx(100.0 + 39.99)


def test_a_short_interruption_keeps_the_bout_and_its_end_event_closes_it() -> None:
    now = folded(
        PostureState(0.0, Posture.SITTING, 1.0, 5.0),
        PostureState(100.0, Posture.STANDING, 1.0, 105.0),
        PostureState(110.0, Posture.SITTING, 1.0, 115.0),
        rows(110, 120),
    )
    assert now.sitting_bout_s == pytest.approx(119.99)
    now.push([PostureState(120.0, Posture.WALKING, 1.0, 125.0), SittingBout(0.0, 120.0, 10.0, False, 140.0)])
    assert now.sitting_bout_s == 0.0


def test_a_bout_that_began_before_the_last_one_was_decided_runs_on() -> None:
    now = folded(
        PostureState(0.0, Posture.SITTING, 1.0, 5.0),
        PostureState(50.0, Posture.WALKING, 1.0, 55.0),
        PostureState(80.0, Posture.SITTING, 1.0, 85.0),
        SittingBout(0.0, 50.0, 0.0, False, 70.0),
        rows(80, 90),
    )
    assert now.sitting_bout_s == pytest.approx(9.99)


def test_coverage_counts_gaps_filled_rows_and_the_silence_of_this_moment() -> None:
    assert folded(rows(0, 10), rows(10, 20, ok=False)).coverage == pytest.approx(0.5)
    assert folded(rows(0, 10), Gap("a", 10, 20, "missing"), rows(20, 30)).coverage == pytest.approx(
        2 / 3, abs=1e-3
    )
    assert folded(rows(0, 10), beat(20.0, 9.99)).coverage == pytest.approx(0.5, abs=1e-3)


def test_a_status_without_a_battery_keeps_the_last_charge() -> None:
    now = folded(DeviceStatus("a", 0.0, 81.0, None, None), DeviceStatus("a", 1.0, None, 30.0, None))
    assert now.battery_percent == 81.0


def test_a_snooze_counts_down_in_minutes_or_to_a_wall_time_and_zero_ends_it() -> None:
    assert folded(Mark(10.0, "snooze", {"minutes": 5}), beat(70.0)).snooze_left_s == pytest.approx(240.0)
    until = folded(Mark(0.0, "snooze", {"until_wall_s": 1_000_100.0}), beat(40.0))
    assert until.snooze_left_s == pytest.approx(60.0)
    until.push([Mark(41.0, "snooze", {"minutes": 0})])
    assert until.snooze_left_s == 0.0


def test_a_calibration_runs_from_its_first_row_to_its_result_its_refusal_or_the_end_of_its_time() -> None:
    asked, first = Mark(7.0, "calibrate", {"sensor": "a", "seconds": 20.0}), rows(10.0, 10.1)
    assert math.isnan(folded(beat(10.0)).calibrate_left_s)
    assert folded(asked, beat(40.0, connected=False)).calibrate_left_s == pytest.approx(20.0)
    assert folded(asked, first, beat(15.0)).calibrate_left_s == pytest.approx(15.0)
    assert folded(asked, first, beat(31.0)).calibrate_left_s == 0.0
    assert math.isnan(folded(asked, first, beat(30.0 + CALIBRATION_GRACE_S + 0.1)).calibrate_left_s)
    set_now = MountSet("a", 30.0, (1.0, 0.0, 0.0, 0.0), 1.0, True, "poses")
    refused = Notice(14.0, "calibration_moving", "No.")
    for over in (set_now, refused):
        assert math.isnan(folded(asked, first, beat(15.0), over).calibrate_left_s)
        assert math.isnan(folded(asked, over).calibrate_left_s)
    other = Notice(14.0, "sink.lost", "No.")
    assert folded(asked, first, beat(15.0), other).calibrate_left_s == pytest.approx(15.0)


def test_a_sensor_put_back_on_is_not_calibrated_any_more() -> None:
    mounted = MountSet("a", 30.0, (1.0, 0.0, 0.0, 0.0), 1.0, True, "poses")
    assert folded(mounted).mounted
    for whose in ({}, {"sensor": "a"}):
        assert not folded(mounted, Mark(40.0, "attached", whose)).mounted
    assert folded(mounted, Mark(40.0, "attached", {"sensor": "b"})).mounted


def test_a_mount_that_follows_a_creep_ends_no_calibration() -> None:
    asked, first = Mark(7.0, "calibrate", {"sensor": "a", "seconds": 20.0}), rows(10.0, 10.1)
    followed = MountSet("a", 30.0, (1.0, 0.0, 0.0, 0.0), 1.0, True, REZEROED)
    assert folded(asked, first, beat(15.0), followed).calibrate_left_s == pytest.approx(15.0)


def test_pain_lasts_until_the_self_check_is_answered() -> None:
    assert folded(Mark(5.0, "pain", {})).in_pain
    assert folded(Mark(5.0, "pain", {}), Mark(6.0, "screening", {"level": None})).in_pain
    answered = folded(Mark(5.0, "pain", {}), Mark(6.0, "screening", {"level": 2}))
    assert not answered.in_pain
    assert answered.screening_level == 2


def test_each_angle_has_its_own_interval_where_it_is_stated() -> None:
    block = rows(0.0, 1.0)
    plain = folded(block)
    assert (plain.inclination_sd_deg, plain.flexion_sd_deg, plain.lateral_sd_deg) == (1.0, 1.0, 1.0)
    stated = folded(replace(block, flexion_sd_deg=np.full(100, 2.0), lateral_sd_deg=np.full(100, 0.5)))
    assert (stated.inclination_sd_deg, stated.flexion_sd_deg, stated.lateral_sd_deg) == (1.0, 2.0, 0.5)


@pytest.mark.parametrize(("sd_deg", "shown"), [(0.1, 1), (1.0, 2), (1.55, 3), (math.nan, None)])
def test_an_interval_is_ninety_percent_in_whole_degrees(sd_deg: float, shown: int | None) -> None:
    assert interval_deg(sd_deg) == shown


def test_the_interval_holds_the_share_that_it_states() -> None:
    assert math.erf(INTERVAL_SD / math.sqrt(2.0)) == pytest.approx(INTERVAL_SHARE, abs=1e-4)
