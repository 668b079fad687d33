"""Two earths that drift apart in heading are brought together by the motion that both sensors share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_fixtures import SENSOR_TO_BODY, exact_pose, mount_mark, trunk, wxyz
from scipy.spatial.transform import Rotation

from monitor.core.blocks import LumbarBlock, PoseBlock, take
from monitor.core.inputs import FloatArray, Mark
from monitor.core.quaternion import multiply
from monitor.motion.angles import TrunkAngles
from monitor.motion.join import Join
from monitor.motion.shared_motion import HEADINGS, heading_runs, runs_of, turn_at, value_of

RATE_HZ = 50.0
N = 3000
T_S = np.arange(N) / RATE_HZ
OTHER_MOUNT = Rotation.from_euler("ZYX", (-20.0, 80.0, 130.0), degrees=True)
SWAY_DEG = 12.0 * np.sin(2 * np.pi * 0.3 * T_S) + 5.0 * np.sin(2 * np.pi * 0.7 * T_S)
BEND_DEG = 8.0 * np.sin(2 * np.pi * 0.17 * T_S)
OWN_DEG = 15.0 * np.sin(2 * np.pi * 0.41 * T_S)
TWIST_DEG = 15.0 * np.sin(2 * np.pi * 0.11 * T_S)


def drifting(pose: PoseBlock, heading_deg: FloatArray | float) -> PoseBlock:
    """The same rows in an earth turned by `heading_deg`."""
    turn = Rotation.from_euler("Z", np.broadcast_to(heading_deg, (len(pose),))[:, None], degrees=True)
    return replace(pose, quat=multiply(wxyz(turn), pose.quat))


def worn(drift_deg: FloatArray | float, together: bool = True) -> tuple[PoseBlock, PoseBlock]:
    """Upper and lower of someone who sways and bends, the upper one twisted meanwhile; its earth off by `drift_deg`."""
    pelvis = trunk(SWAY_DEG, BEND_DEG, n=N)
    above = trunk(SWAY_DEG * 1.5, BEND_DEG * 1.5, TWIST_DEG, N) if together else trunk(OWN_DEG, -OWN_DEG, n=N)
    upper = exact_pose(above, RATE_HZ, sensor="U")
    return drifting(upper, drift_deg), exact_pose(pelvis, RATE_HZ, OTHER_MOUNT, sensor="L")


def test_the_difference_of_two_headings_is_found_whatever_the_mounts_and_the_twist() -> None:
    (run,) = heading_runs(*([pose] for pose in worn(70.0)))
    assert np.degrees(run.turn) == pytest.approx(np.full(len(run.turn), -70.0), abs=3.0)
    assert (run.start_s, run.end_s) == (0.0, pytest.approx(60.0, abs=0.3))


def test_a_drift_is_followed() -> None:
    drift_deg = 170.0 + 0.3 * T_S  # through 180 degrees, where angles jump
    turn = np.degrees(turn_at(heading_runs(*([pose] for pose in worn(drift_deg))), T_S))
    off = (turn[500:2500] + drift_deg[500:2500] + 180.0) % 360.0 - 180.0
    assert np.abs(off).max() < 5.0


def test_motion_that_is_not_shared_says_nothing() -> None:
    """Negative control: each moves at its own pace."""
    assert heading_runs(*([pose] for pose in worn(70.0, together=False))) == []


def test_two_that_sit_still_say_nothing() -> None:
    poses = [exact_pose(trunk(5.0, n=N), RATE_HZ, sensor=sensor) for sensor in "UL"]
    assert heading_runs(*([pose] for pose in poses)) == []


def test_after_a_hole_the_heading_is_another_and_is_found_anew() -> None:
    upper, lower = worn(np.where(T_S < 30.0, 20.0, -60.0))
    pieces = [take(upper, slice(0, 1490)), take(upper, slice(1510, N))]
    first, second = heading_runs(pieces, [lower])
    assert np.degrees(first.turn) == pytest.approx(np.full(len(first.turn), -20.0), abs=3.0)
    assert np.degrees(second.turn) == pytest.approx(np.full(len(second.turn), 60.0), abs=3.0)
    assert np.isnan(turn_at([first, second], np.array([30.0]))).all()


def test_how_the_rows_are_cut_matters_little_and_a_mark_keeps_it_exactly() -> None:
    upper, lower = worn(70.0)
    (whole,) = heading_runs([upper], [lower])
    (cut,) = heading_runs([take(upper, slice(i, i + 97)) for i in range(0, N, 97)], [lower])
    assert cut.turn == pytest.approx(whole.turn, abs=0.02)
    (kept,) = runs_of(value_of([whole]))
    assert (kept.turn == whole.turn).all() and (kept.t_s == whole.t_s).all()


def lumbar_rotation(drift_deg: FloatArray, headings: bool) -> FloatArray:
    upper, lower = worn(drift_deg)
    marks = [Mark(0.0, "sensor", {"sensor": s, "role": r}) for s, r in (("U", "upper"), ("L", "lower"))]
    if headings:
        marks.append(Mark(0.0, HEADINGS, value_of(heading_runs([upper], [lower]))))
    stage = Join()
    items = [*marks]
    for pose, mount in ((upper, SENSOR_TO_BODY), (lower, OTHER_MOUNT)):
        items += TrunkAngles(pose.imu.sensor).push([mount_mark(mount, sensor=pose.imu.sensor), pose])
    records = [*stage.push(items), *stage.close()]
    return np.concatenate([r.rotation_deg for r in records if isinstance(r, LumbarBlock)])


def test_rotation_between_two_sensors_does_not_drift_where_the_headings_are_known() -> None:
    drift_deg = 40.0 + 0.3 * T_S
    truth = TWIST_DEG
    known = lumbar_rotation(drift_deg, headings=True)
    assert np.median(np.abs(known - truth)) < 2.5
    unknown = lumbar_rotation(drift_deg, headings=False)
    assert np.isnan(unknown).all(), "never still, and nothing else is known of the headings"
