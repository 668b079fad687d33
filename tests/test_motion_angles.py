"""Trunk angles: signs and sizes of docs/frames.md, from rotations made by another library."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_fixtures import (
    SENSOR_TO_BODY,
    angles_of,
    bump,
    exact_pose,
    measured,
    mount_mark,
    oriented,
    trunk,
)

from monitor.core.blocks import TrunkBlock, take
from monitor.core.errors import SettingsError
from monitor.core.events import Gap, MountSet, Notice
from monitor.core.inputs import Mark
from monitor.motion.angles import TrunkAngles


@pytest.mark.parametrize(
    "flexion, lateral", [(0, 0), (30, 0), (-20, 0), (0, 25), (0, -25), (40, 15), (111, 0), (95, -30)]
)
def test_flexion_is_plus_forward_and_lateral_plus_to_the_right(flexion, lateral):
    block = angles_of(mount_mark(), exact_pose(trunk(flexion, lateral, heading=77.0, n=3)))
    assert block.flexion_deg == pytest.approx(np.full(3, flexion), abs=1e-6)
    assert block.lateral_deg == pytest.approx(np.full(3, lateral), abs=1e-6)
    assert block.inclination_deg == pytest.approx(np.full(3, np.hypot(flexion, lateral)), abs=1e-6)


def test_the_rates_have_the_signs_of_the_angles():
    t = np.arange(100) / 50
    body = trunk(20 * t, 0.0, 0.0, 100)
    assert angles_of(mount_mark(), exact_pose(body)).rate_deg_s[5:-5, 1] == pytest.approx(np.full(90, 20.0))
    body = trunk(0.0, 15 * t, 0.0, 100)
    assert angles_of(mount_mark(), exact_pose(body)).rate_deg_s[5:-5, 0] == pytest.approx(np.full(90, 15.0))
    body = trunk(0.0, 0.0, 30 * t, 100)
    assert angles_of(mount_mark(), exact_pose(body)).rate_deg_s[5:-5, 2] == pytest.approx(np.full(90, 30.0))


def test_acceleration_and_vertical_are_in_body_axes():
    block = angles_of(mount_mark(), exact_pose(trunk(n=2), extra=np.tile((1.0, 2.0, 0.0), (2, 1))))
    assert block.acc[0] == pytest.approx((1.0, 2.0, 9.80665))
    assert block.up[0] == pytest.approx((0.0, 0.0, 1.0))


def test_without_a_mount_there_are_no_angles():
    block = angles_of(exact_pose(trunk(30.0, n=4)))
    for column in ("inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg", "uncertainty_deg"):
        assert np.isnan(getattr(block, column)).all()
    assert np.isfinite(block.up).all() and np.isfinite(block.rate_deg_s).all()


def test_without_forward_only_the_inclination_is_given():
    block = angles_of(mount_mark(forward_known=False), exact_pose(trunk(30.0, 5.0, n=4)))
    assert block.inclination_deg == pytest.approx(np.full(4, np.hypot(30, 5)))
    assert np.isnan(block.flexion_deg).all() and np.isnan(block.lateral_deg).all()


def still_turn_still() -> np.ndarray:
    t = np.arange(50 * 12) / 50
    return 170 + 50 * (np.clip(t - 3, 0, 2) / 2)


def test_rotation_is_plus_to_the_left_from_the_last_still_moment_through_the_half_turn():
    """The heading passes 180 deg while turning 50 deg to the left."""
    heading = still_turn_still()
    block = angles_of(mount_mark(), exact_pose(trunk(20.0, 0.0, heading, len(heading))))
    t = block.t_s
    assert np.isnan(block.rotation_deg[t < 0.9]).all()
    assert block.rotation_deg[(t > 1.1) & (t < 2.9)] == pytest.approx(0, abs=1e-6)
    assert block.rotation_deg[(t > 5.1) & (t < 5.9)] == pytest.approx(50, abs=0.5)
    assert block.rotation_deg[t > 6.2] == pytest.approx(0, abs=0.5)


def test_a_gap_forgets_the_still_moment():
    heading = still_turn_still()
    pose = exact_pose(trunk(0.0, 0.0, heading, len(heading)))
    stage = TrunkAngles("A")
    stage.push([mount_mark(), pose])
    (block,) = (r for r in stage.push([Gap("A", 12.0, 13.0, "missing"), pose]) if isinstance(r, TrunkBlock))
    assert np.isnan(block.rotation_deg[:40]).all() and np.isfinite(block.rotation_deg[60:]).all()


def test_a_new_mount_does_not_appear_as_a_rotation():
    pose = exact_pose(trunk(0.0, 0.0, 10.0, 200))
    stage = TrunkAngles("A")
    stage.push([mount_mark(), pose])
    later = [r for r in stage.push([mount_mark(SENSOR_TO_BODY.inv()), pose]) if isinstance(r, TrunkBlock)]
    shown = later[0].rotation_deg[np.isfinite(later[0].rotation_deg)]
    assert len(shown) and np.abs(shown).max() < 1e-6


def test_uncertainty_grows_with_each_known_cause():
    pose = exact_pose(trunk(0.0, 0.0, 0.0, 200))
    good = angles_of(mount_mark(), pose).uncertainty_deg
    assert good[0] > good[-1] > 0
    assert (angles_of(mount_mark(quality=0.2), pose).uncertainty_deg > good).all()
    without = oriented(measured(trunk(n=200), 50.0, gyr=False))
    assert angles_of(mount_mark(), without).uncertainty_deg[-1] == pytest.approx(5.0, abs=0.2)
    ok = np.arange(200) != 100
    filled = angles_of(mount_mark(), replace(pose, imu=replace(pose.imu, ok=ok))).uncertainty_deg
    assert filled[100] > filled[99] and filled[100] > filled[101]


def test_a_mount_mark_is_told_and_one_for_another_sensor_is_not():
    told = TrunkAngles("A").push([mount_mark(quality=0.7), mount_mark(sensor="B")])
    (said,) = [r for r in told if isinstance(r, MountSet)]
    assert (said.sensor, said.quality, said.forward_known, said.source) == ("A", 0.7, True, "test")
    assert said.forward_sd_deg == pytest.approx(9.0), "what its quality leaves open"


def test_a_mount_mark_may_say_how_far_its_forward_is_off():
    mark = mount_mark(quality=0.7)
    stated = Mark(0.0, "mount", {**mark.value, "forward_sd_deg": 2.0})
    (said,) = [r for r in TrunkAngles("A").push([stated]) if isinstance(r, MountSet)]
    assert (said.quality, said.forward_sd_deg) == (0.7, 2.0)


@pytest.mark.parametrize(
    "quat, quality, forward_sd_deg",
    [
        ([0, 0, 0, 0], 1, 0),
        ([1, 0, 0], 1, 0),
        ("x", 1, 0),
        ([1, 0, 0, 0], 7, 0),
        ([1, 0, 0, 0], 1, -1),
        ([1, 0, 0, 0], 1, "little"),
    ],
)
def test_a_mount_that_is_no_rotation_is_refused(quat, quality, forward_sd_deg):
    value = {"sensor": "A", "quat": quat, "quality": quality, "forward_sd_deg": forward_sd_deg}
    with pytest.raises(SettingsError):
        TrunkAngles("A").push([Mark(0.0, "mount", value)])


def calibration_move(rate_hz: float = 50.0):
    t = np.arange(round(30 * rate_hz)) / rate_hz
    return trunk(bump(t, 6, 9, 40) + bump(t, 11, 14, 45), 0.0, 33.0, len(t))


def test_calibrating_gives_the_mount_from_the_row_after_its_last():
    pose = exact_pose(calibration_move())
    records = TrunkAngles("A").push([Mark(0.0, "calibrate", {"sensor": "A", "seconds": 20.0}), pose])
    before, said, after = [r for r in records if isinstance(r, TrunkBlock | MountSet)]
    assert said.forward_known and said.source == "bends" and said.t_s == 20.0
    assert before.t_s[-1] == 20.0 and np.isnan(before.inclination_deg).all()
    assert np.abs(after.flexion_deg).max() < 1.0


def test_a_refused_calibration_is_a_notice_and_leaves_the_mount():
    t = np.arange(1500) / 50
    restless = exact_pose(trunk(60 * np.sin(2 * t), 30 * np.sin(3 * t), 0.0, 1500))
    records = TrunkAngles("A").push(
        [mount_mark(), Mark(0.0, "calibrate", {"sensor": "A", "seconds": 20.0}), restless]
    )
    (notice,) = [r for r in records if isinstance(r, Notice)]
    assert notice.id == "calibration_moving" and notice.text.endswith(".")
    assert sum(isinstance(r, MountSet) for r in records) == 1
    assert np.isfinite(records[-1].inclination_deg).all()


def test_standing_still_alone_gives_upright_and_says_what_is_missing():
    pose = exact_pose(trunk(n=1500))
    records = TrunkAngles("A").push([Mark(0.0, "calibrate", {"sensor": "A", "seconds": 20.0}), pose])
    (said,) = [r for r in records if isinstance(r, MountSet)]
    assert not said.forward_known
    assert [r.id for r in records if isinstance(r, Notice)] == ["calibration_no_forward"]


def test_a_calibration_cut_short_by_the_end_is_refused():
    stage = TrunkAngles("A")
    stage.push([Mark(0.0, "calibrate", {"sensor": "A", "seconds": 20.0}), exact_pose(trunk(n=100))])
    assert [r.id for r in stage.close() if isinstance(r, Notice)] == ["calibration_too_short"]


@pytest.mark.parametrize("whose", [{}, {"sensor": "A"}])
def test_a_sensor_put_back_on_has_no_mount_until_it_is_calibrated_again(whose):
    pose = exact_pose(calibration_move())
    records = TrunkAngles("A").push([mount_mark(), pose, Mark(31.0, "attached", whose), pose])
    before, after = [r for r in records if isinstance(r, TrunkBlock)]
    assert np.isfinite(before.inclination_deg).all() and np.isnan(after.inclination_deg).all()
    assert [r.id for r in records if isinstance(r, Notice)] == ["attached"]
    again = TrunkAngles("A").push(
        [mount_mark(), Mark(0.0, "attached", whose), Mark(0.0, "calibrate", {"sensor": "A"}), pose]
    )
    assert np.isfinite(again[-1].flexion_deg).all()


def test_rows_from_before_a_sensor_was_put_back_on_are_no_part_of_its_calibration():
    stage, pose = TrunkAngles("A"), exact_pose(calibration_move())
    stage.push([Mark(0.0, "calibrate", {"sensor": "A", "seconds": 20.0}), take(pose, slice(0, 250))])
    records = stage.push([Mark(5.0, "attached", {}), take(pose, slice(250, None))])
    (said,) = [r for r in records if isinstance(r, MountSet)]
    assert said.t_s == 25.0


def test_another_sensor_put_back_on_changes_nothing():
    records = TrunkAngles("A").push(
        [mount_mark(), Mark(0.0, "attached", {"sensor": "B"}), exact_pose(trunk(n=5))]
    )
    assert np.isfinite(records[-1].inclination_deg).all()
