"""Two earths that drift apart in heading are brought together by the motion that both sensors share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_fixtures import SENSOR_TO_BODY, exact_pose, mount_mark, trunk, wxyz
from scipy.spatial.transform import Rotation

from monitor.core.blocks import LumbarBlock, PoseBlock, TrunkBlock, take
from monitor.core.events import Record
from monitor.core.inputs import FloatArray, Mark
from monitor.core.quaternion import multiply
from monitor.motion.angles import TrunkAngles
from monitor.motion.join import Join
from monitor.motion.live_heading import REST_TWIST_SD_DEG, LiveHeading
from monitor.motion.shared_motion import AXES_SD_DEG, HEADINGS, heading_runs, runs_of, turn_at, value_of
from tests.laws import alone, at_random, cut_breaches, read_only, row_by_row, run, whole

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
    (found,) = heading_runs(*([pose] for pose in worn(70.0)))
    assert np.degrees(found.turn) == pytest.approx(np.full(len(found.turn), -70.0), abs=3.0)
    assert (found.start_s, found.end_s) == (0.0, pytest.approx(60.0, abs=0.3))


def test_a_drift_is_followed() -> None:
    drift_deg = 170.0 + 0.3 * T_S  # through 180 degrees, where angles jump
    turn = np.degrees(turn_at(heading_runs(*([pose] for pose in worn(drift_deg))), T_S)[0])
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


def angles_of(drift_deg: FloatArray, headings: bool) -> list[Record]:
    """What comes to Join, the upper sensor's rows first."""
    upper, lower = worn(drift_deg)
    marks = [Mark(0.0, "sensor", {"sensor": s, "role": r}) for s, r in (("U", "upper"), ("L", "lower"))]
    if headings:
        marks.append(Mark(0.0, HEADINGS, value_of(heading_runs([upper], [lower]))))
    items: list[Record] = [*marks]
    for pose, mount in ((upper, SENSOR_TO_BODY), (lower, OTHER_MOUNT)):
        items += TrunkAngles(pose.imu.sensor).push([mount_mark(mount, sensor=pose.imu.sensor), pose])
    return items


def lumbar_rotation(drift_deg: FloatArray, headings: bool) -> FloatArray:
    records = run(Join, whole(angles_of(drift_deg, headings)))
    return np.concatenate([r.rotation_deg for r in records if isinstance(r, LumbarBlock)])


def test_rotation_between_two_sensors_does_not_drift_where_the_headings_are_known() -> None:
    drift_deg = 40.0 + 0.3 * T_S
    truth = TWIST_DEG
    known = lumbar_rotation(drift_deg, headings=True)
    assert np.median(np.abs(known - truth)) < 2.5


def test_live_it_does_not_drift_once_a_few_bends_were_seen() -> None:
    drift_deg = 40.0 + 0.3 * T_S
    live = lumbar_rotation(drift_deg, headings=False)
    assert np.isnan(live[: int(RATE_HZ)]).all(), "never still, and not a second has passed"
    early = np.abs(live - TWIST_DEG)[: int(10 * RATE_HZ)]
    assert np.nanmax(early) < 20.0, "off by as much as it was twisted in the first steady second"
    late = slice(int(25 * RATE_HZ), None)
    assert np.abs(live[late] - TWIST_DEG[late]).max() < 12.0, "half a minute of drift behind, and no more"
    steady = lumbar_rotation(np.full(N, 40.0), headings=False)
    off = np.abs(steady[late] - TWIST_DEG[late])
    assert off.max() < 8.0, "half of what it was twisted in the first steady second"
    assert np.median(off[-500:]) < np.median(off[:500]), "and less and less"


def test_live_the_same_bits_however_the_rows_come() -> None:
    items = read_only(angles_of(40.0 + 0.3 * T_S, headings=False))
    upper, lower = (item for item in items if isinstance(item, TrunkBlock))
    others = [item for item in items if not isinstance(item, TrunkBlock)]
    stream = [*others, upper, lower]
    in_turn = [take(b, slice(i, i + 7)) for i in range(0, N, 7) for b in (lower, upper)]
    ways = {"whole": whole(stream), "in turn": alone([*others, *in_turn]), "rows": row_by_row(stream)}
    assert cut_breaches(Join, ways | {"random": at_random(stream, 3)}) == []


def test_which_of_the_two_rolls_back_in_a_slump_does_not_matter() -> None:
    """The pelvis rolls back while the chest goes forward, for a third of the time: the axis is the same."""
    sense = np.where(T_S < 40.0, 1.0, -1.0)
    upper = drifting(exact_pose(trunk(SWAY_DEG, BEND_DEG, n=N), RATE_HZ, sensor="U"), 70.0)
    lower = exact_pose(trunk(SWAY_DEG * sense, BEND_DEG * sense, n=N), RATE_HZ, OTHER_MOUNT, sensor="L")
    (found,) = heading_runs([upper], [lower])
    assert np.degrees(found.turn) == pytest.approx(np.full(len(found.turn), -70.0), abs=5.0)


def swung(
    live: LiveHeading, start_s: float, end_s: float, size: float, turn: float, breaks: float = 0.0
) -> None:
    """Both sides sway about one axis, in rad/s; the lower one's earth turned by `turn` rad."""
    t_s = np.arange(start_s, end_s, 0.02)
    rate = size * np.sin(2 * np.pi * 0.3 * t_s) * (1 + 0j)
    unknown = np.full(len(t_s), np.nan + 0j)
    live.add(0, t_s, rate, unknown, np.zeros(len(t_s)), 1)
    live.add(1, t_s, rate * np.exp(1j * turn), unknown, np.full(len(t_s), breaks), 1)


def held(
    live: LiveHeading,
    start_s: float,
    end_s: float,
    turn: float,
    mounts: int = 1,
    rate_rad_s: float = 0.0,
    forward_sd_deg: float = 0.0,
) -> None:
    """Both level rates as given; the upper one's forward along x, the lower one's `turn` rad to the left of it."""
    t_s = np.arange(start_s, end_s, 0.02)
    rate, ahead = np.full(len(t_s), rate_rad_s + 0j), np.ones(len(t_s), complex)
    turned, none = np.exp(1j * turn), np.zeros(len(t_s))
    live.add(0, t_s, rate, ahead, none, mounts, forward_sd_deg)
    live.add(1, t_s, rate * turned, ahead * turned, none, 1, forward_sd_deg)


def asked(live: LiveHeading, t_s: float, breaks: float = 0.0) -> tuple[float, float]:
    turn, sd_deg = live.at(np.array([t_s]), np.zeros(1), np.array([breaks]))
    return float(turn[0]), float(sd_deg[0])


def test_what_was_seen_long_ago_is_less_sure() -> None:
    live = LiveHeading()
    swung(live, 0.0, 30.0, 0.5, 0.4)
    swung(live, 30.0, 300.0, 1e-4, 0.4)
    turns, sds = zip(*(asked(live, t_s) for t_s in (30.5, 60.5, 90.5)), strict=True)
    assert turns == pytest.approx((0.4, 0.4, 0.4), abs=1e-3)
    assert sds[0] < sds[1] < sds[2] < asked(live, 299.5)[1]


def test_what_was_seen_before_a_filter_began_anew_says_nothing_of_after() -> None:
    live = LiveHeading()
    swung(live, 0.0, 30.0, 0.5, 0.4)
    swung(live, 31.0, 60.0, 0.5, -0.9, breaks=1.0)
    assert asked(live, 29.5)[0] == pytest.approx(0.4, abs=1e-3)
    assert np.isnan(asked(live, 31.5, breaks=1.0)).all(), "not a second has passed"
    assert asked(live, 59.5, breaks=1.0)[0] == pytest.approx(-0.9, abs=1e-3)


def test_nothing_that_comes_later_changes_what_was_known() -> None:
    short, long = LiveHeading(), LiveHeading()
    swung(short, 0.0, 30.0, 0.5, 0.4)
    swung(long, 0.0, 30.0, 0.5, 0.4)
    swung(long, 30.0, 60.0, 2.0, 1.2)
    assert asked(short, 28.3) == asked(long, 28.3)
    assert asked(long, 59.5)[0] > 0.7, "negative control: it does change what is known later"


def test_a_trunk_at_rest_is_taken_to_be_untwisted_from_the_first_second_on() -> None:
    live = LiveHeading()
    held(live, 0.0, 2.1, 0.7)
    assert np.isnan(asked(live, 0.9)).all()
    turn, sd_deg = asked(live, 1.5)
    assert turn == pytest.approx(0.7) and sd_deg == pytest.approx(REST_TWIST_SD_DEG)


def test_the_first_rest_outweighs_what_was_seen_in_motion() -> None:
    live = LiveHeading()
    held(live, 0.0, 10.0, 1.0, rate_rad_s=0.5)
    moving, sd_deg = asked(live, 9.5)
    held(live, 10.0, 12.1, 0.7)
    assert moving == pytest.approx(1.0) and sd_deg > REST_TWIST_SD_DEG
    assert abs(asked(live, 11.5)[0] - 0.7) < 0.5 * abs(moving - 0.7)


def test_a_twist_that_is_held_for_seconds_does_not_become_the_zero() -> None:
    live = LiveHeading()
    held(live, 0.0, 10.0, 0.7)
    held(live, 10.0, 15.1, 1.2)
    assert asked(live, 14.5)[0] == pytest.approx(0.7, abs=0.2 * 0.5)
    held(live, 15.1, 300.0, 1.2)
    assert asked(live, 299.5)[0] == pytest.approx(1.2, abs=0.05), (
        "negative control: one held for minutes does"
    )


def test_a_new_mount_has_a_new_forward() -> None:
    live = LiveHeading()
    held(live, 0.0, 60.0, 0.7)
    held(live, 60.0, 63.0, 1.2, mounts=2)
    assert asked(live, 62.5)[0] == pytest.approx(1.2, abs=1e-3)
    same = LiveHeading()
    held(same, 0.0, 60.0, 0.7)
    held(same, 60.0, 63.0, 1.2)
    assert asked(same, 62.5)[0] < 0.8, "negative control: under the same mount it was a twist"


def test_little_motion_leaves_the_pass_less_sure() -> None:
    upper, lower = worn(70.0)
    (sure,) = heading_runs([upper], [lower])
    slow = [replace(p, imu=replace(p.imu, gyr=p.imu.gyr * 0.4)) for p in (upper, lower)]
    (unsure,) = heading_runs([slow[0]], [slow[1]])
    assert (unsure.sd_deg > sure.sd_deg).all() and (sure.sd_deg >= AXES_SD_DEG).all()


def test_the_less_alike_the_axes_are_from_second_to_second_the_less_sure_is_what_they_tell() -> None:
    alike, other = LiveHeading(), LiveHeading()
    for k in range(30):
        swung(alike, k, k + 1.0, 0.5, 0.4)
        swung(other, k, k + 1.0, 0.5, 0.4 + (0.5 if k % 2 else -0.5))
    (turn, sure), (same, unsure) = (asked(live, 28.5) for live in (alike, other))
    assert same == pytest.approx(turn, abs=0.1) and unsure > sure + 1.0


@pytest.mark.parametrize("turn", [0.7, 2.5, -2.0])
def test_rest_and_motion_agree_however_far_the_headings_are_apart(turn: float) -> None:
    """An axis tells it up to half a turn: what rest says must not be averaged with the other half."""
    live = LiveHeading()
    held(live, 0.0, 20.0, turn, rate_rad_s=0.5)
    held(live, 20.0, 22.1, turn)
    off = asked(live, 21.5)[0] - turn
    assert abs((off + np.pi / 2) % np.pi - np.pi / 2) < 1e-6


def test_forwards_that_are_less_sure_leave_the_shared_axis_less_to_say() -> None:
    """Rest and motion say different things; which is believed is known of the mounts."""

    def turn(forward_sd_deg: float) -> float:
        live = LiveHeading()
        held(live, 0.0, 20.0, 1.0, rate_rad_s=0.5, forward_sd_deg=forward_sd_deg)
        held(live, 20.0, 22.1, 0.7, forward_sd_deg=forward_sd_deg)
        return asked(live, 21.5)[0]

    assert 0.7 < turn(8.0) < turn(4.0) < turn(0.0) < 1.0
