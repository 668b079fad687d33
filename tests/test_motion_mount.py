"""The mount: found within a few degrees however the sensor sits, refused with a reason where there is no evidence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from motion_fixtures import SENSOR_TO_BODY, bump, exact_pose, measured, oriented, trunk
from scipy.spatial.transform import Rotation

from monitor.core.errors import MountError, SettingsError
from monitor.motion.mount.find import USUAL_QUALITY, Mount, find_mount, mount_from_axes, usual_mount

RATE_HZ = 50.0


def apart_deg(mount: Mount, truth: Rotation) -> float:
    return float(np.degrees((Rotation.from_quat(mount.quat, scalar_first=True) * truth.inv()).magnitude()))


def seconds(duration: float) -> np.ndarray:
    return np.arange(round(duration * RATE_HZ)) / RATE_HZ


def two_bends(lateral=0.0) -> Rotation:
    t = seconds(20)
    first, second = bump(t, 5, 8, 40), bump(t, 11, 14, 50)
    return trunk(first + second, lateral * (first + second), 20.0, len(t))


def walking(duration: float = 20.0, step_hz: float = 1.8, lean: float = 4.0):
    """Steps: forward acceleration leads the vertical by 98 deg, sideways at half the frequency."""
    t = seconds(duration)
    turn = 2 * np.pi * step_hz * t
    extra = np.stack(
        (1.2 * np.cos(turn + np.radians(98)), 0.9 * np.cos(turn / 2 + 0.5), 2.0 * np.cos(turn)), axis=1
    )
    return trunk(lean, 0.0, 0.0, len(t)), extra


ORIENTATIONS = [
    Rotation.from_matrix(m)
    for m in (
        np.array([[a * (i == p[0]), b * (i == p[1]), c * (i == p[2])] for i in range(3)], float)
        for p in itertools.permutations(range(3))
        for a, b, c in itertools.product((1, -1), repeat=3)
    )
    if np.linalg.det(m) > 0
]


def test_there_are_24_ways_to_wear_a_box():
    assert len(ORIENTATIONS) == 24


@pytest.mark.parametrize("worn", range(24))
def test_two_bends_find_the_mount_in_each_of_24_orientations(worn):
    tilted = Rotation.from_euler("ZYX", (4.0, -7.0, 5.0), degrees=True) * ORIENTATIONS[worn]
    mount = find_mount([exact_pose(two_bends(), RATE_HZ, tilted)], "upper_back")
    assert mount.forward_known and mount.source == "bends" and mount.quality > 0.8
    assert apart_deg(mount, tilted) < 1.0


@pytest.mark.parametrize("worn", range(24))
def test_walking_finds_the_mount_in_each_of_24_orientations(worn):
    body, extra = walking(lean=0.0)
    mount = find_mount([exact_pose(body, RATE_HZ, ORIENTATIONS[worn], extra)], "lower_back")
    assert mount.forward_known and mount.source == "gait"
    assert apart_deg(mount, ORIENTATIONS[worn]) < 5.0


def test_the_lean_of_walking_is_upright():
    body, extra = walking(lean=6.0)
    pose = exact_pose(body, RATE_HZ, extra=extra)
    mount = find_mount([pose], "waist")
    cranial = Rotation.from_quat(mount.quat, scalar_first=True).apply(pose.up[0])
    assert cranial == pytest.approx((0, 0, 1), abs=1e-6)


def test_the_whole_way_from_raw_rows_finds_the_mount_with_and_without_a_gyroscope():
    for gyr, within_deg in ((True, 1.5), (False, 3.0)):
        mount = find_mount([oriented(measured(two_bends(), RATE_HZ, gyr=gyr))], "lower_back")
        assert apart_deg(mount, SENSOR_TO_BODY) < within_deg


def refusal(*args, **kwargs) -> MountError:
    with pytest.raises(MountError) as raised:
        find_mount(*args, **kwargs)
    assert raised.value.sentence.endswith(".") and raised.value.next_step.endswith(".")
    return raised.value


def test_no_rows_and_three_seconds_are_too_short():
    assert refusal([], "waist").datum == "too_short"
    assert refusal([exact_pose(trunk(n=150))], "waist").datum == "too_short"


def test_never_still_and_never_walking_is_moving():
    t = seconds(20)
    body = trunk(50 * np.sin(2 * t), 20 * np.sin(1.3 * t), 0.0, len(t))
    assert refusal([exact_pose(body)], "lower_back").datum == "moving"


def test_where_no_mount_is_found_the_usual_pose_is_up_and_says_how_little_that_is():
    t = seconds(20)
    rocking = 10.0 + 6.0 * np.sin(2 * np.pi * 0.7 * t)
    mount = usual_mount([exact_pose(trunk(rocking, 0.0, 0.0, len(t)))])
    cranial = Rotation.from_quat(mount.quat, scalar_first=True).inv().apply([0, 0, 1])
    upright = SENSOR_TO_BODY.inv().apply([0, 0, 1])
    assert np.degrees(np.arccos(cranial @ upright)) == pytest.approx(10.0, abs=2.0)
    assert (mount.quality, mount.forward_known, mount.source) == (USUAL_QUALITY, False, "usual")


def test_poses_held_far_apart_disagree():
    body = trunk(np.repeat((0.0, 40.0, 80.0), 300), 0.0, 0.0, 900)
    assert refusal([exact_pose(body)], "lower_back").datum == "disagree"


def test_bends_to_two_sides_disagree():
    t = seconds(20)
    body = trunk(bump(t, 5, 8, 40), bump(t, 11, 14, 40), 0.0, len(t))
    assert refusal([exact_pose(body)], "lower_back").datum == "disagree"


def test_walking_and_bending_in_two_directions_disagree():
    steps, extra = walking(10.0)
    t = seconds(20)
    sideways = trunk(4.0, -(bump(t, 5, 8, 40) + bump(t, 11, 14, 40)), 0.0, len(t))
    poses = [exact_pose(steps, RATE_HZ, extra=extra), exact_pose(sideways)]
    assert refusal(poses, "lower_back").datum == "disagree"


def test_standing_still_gives_no_forward():
    pose = exact_pose(trunk(n=1000))
    assert refusal([pose], "lower_back").datum == "no_forward"
    mount = find_mount([pose], "lower_back", need_forward=False)
    assert not mount.forward_known
    cranial = Rotation.from_quat(mount.quat, scalar_first=True).apply(pose.up[0])
    assert cranial == pytest.approx((0, 0, 1), abs=1e-9)


@pytest.mark.parametrize("placement", ["upper_back", "sternum"])
def test_gait_does_not_tell_forward_at_the_chest(placement):
    body, extra = walking()
    assert refusal([exact_pose(body, RATE_HZ, extra=extra)], placement).datum == "thoracic_gait"


def test_one_bend_is_not_enough():
    t = seconds(20)
    assert refusal([exact_pose(trunk(bump(t, 5, 8, 40), n=len(t)))], "sternum").datum == "no_forward"


@pytest.mark.parametrize(
    "text, forward, up", [("forward=+z,up=+x", 2, 0), ("up=-y, forward=-x", 0, 1), ("forward=-z,up=+y", 2, 1)]
)
def test_axes_give_the_mount(text, forward, up):
    mount = mount_from_axes(text)
    turn = Rotation.from_quat(mount.quat, scalar_first=True)
    signs = {part.strip().split("=")[0]: 1 if "+" in part else -1 for part in text.split(",")}
    assert turn.apply(signs["forward"] * np.eye(3)[forward]) == pytest.approx((1, 0, 0))
    assert turn.apply(signs["up"] * np.eye(3)[up]) == pytest.approx((0, 0, 1))
    assert mount.forward_known and mount.source == "axes"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "up=+x",
        "forward=+x,up=-x",
        "forward=+x,up=x",
        "forward=+w,up=+x",
        "up=+x,up=+y",
        "left=+x,up=+y",
        "a,b,c",
    ],
)
def test_nonsense_axes_are_refused(text):
    with pytest.raises(SettingsError):
        mount_from_axes(text)


def test_a_bend_held_for_longer_than_the_standing_around_it_is_not_upright():
    """What a take begins and ends with is upright, though people come back some degrees from where they were."""
    t = seconds(16)
    held = 95 * np.clip(np.minimum((t - 3) / 1.5, (13 - t) / 1.5), 0, 1) + np.interp(t, (3, 13), (0, 12))
    mount = find_mount([exact_pose(trunk(held, n=len(t)))], "waist", need_forward=False)
    assert apart_from_upright_deg(mount) < 9.0


def test_what_a_long_recording_begins_and_ends_with_may_be_lying():
    t = seconds(120)
    lying = 90 * (1 - np.clip(np.minimum((t - 15) / 2, (100 - t) / 2), 0, 1))
    mount = find_mount([exact_pose(trunk(lying, n=len(t)))], "waist", need_forward=False)
    assert apart_from_upright_deg(mount) < 1.0


def apart_from_upright_deg(mount: Mount) -> float:
    cranial = Rotation.from_quat(mount.quat, scalar_first=True).inv().apply((0, 0, 1))
    return float(np.degrees(np.arccos(cranial @ SENSOR_TO_BODY.inv().apply((0, 0, 1)))))
