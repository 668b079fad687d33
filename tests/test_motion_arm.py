"""The sensor's own arm: on the back it tells forward whatever the wearer does, and says nothing where it cannot know."""

from __future__ import annotations

import numpy as np
import pytest
from motion_fixtures import SENSOR_TO_BODY, bump, measured, oriented, trunk
from scipy.spatial.transform import Rotation

from monitor.core.blocks import PoseBlock
from monitor.core.errors import MountError
from monitor.motion.mount.find import Mount, find_mount

RATE_HZ = 50.0
ON_THE_BACK = (-0.12, 0.0, 0.15)
T = np.arange(round(16 * RATE_HZ)) / RATE_HZ


def worn_at(body: Rotation, arm_m: tuple[float, float, float], moved=None, gyr: bool = True) -> PoseBlock:
    """A sensor so far from the axis about which `body` turns, which itself is `moved` (n,3) m in the earth frame."""
    place = body.apply(arm_m) + (0.0 if moved is None else moved)
    acceleration = np.gradient(np.gradient(place, axis=0), axis=0) * RATE_HZ**2
    return oriented(measured(body, RATE_HZ, acceleration, gyr=gyr))


def seated(*leans: tuple[float, float]) -> Rotation:
    """One lean of 2 s after the other from the third second on: (forward, right) deg."""
    parts = [bump(T, 3.0 + 2.5 * i, 5.0 + 2.5 * i, 1.0) for i in range(len(leans))]
    forward = sum(part * lean[0] for part, lean in zip(parts, leans, strict=True))
    right = sum(part * lean[1] for part, lean in zip(parts, leans, strict=True))
    return trunk(forward, right, 0.0, len(T))


def off_deg(mount: Mount) -> float:
    x, y, _ = (SENSOR_TO_BODY * Rotation.from_quat(mount.quat, scalar_first=True).inv()).apply(
        (1.0, 0.0, 0.0)
    )
    return float(np.degrees(np.arctan2(y, x)))


def refusal(pose: PoseBlock, placement: str = "lower_back") -> MountError:
    with pytest.raises(MountError) as raised:
        find_mount([pose], placement)
    return raised.value


@pytest.mark.parametrize("placement", ["lower_back", "upper_back"])
@pytest.mark.parametrize(
    "leans",
    [
        ((45, 0), (-50, 0), (0, -40), (0, 40)),
        ((-50, 0), (-50, 0), (0, 40), (0, -40)),
        ((0, 40), (0, -40), (30, 0)),
    ],
    ids=["forward, back and to the sides", "only back and to the sides", "to the sides, then forward"],
)
def test_seated_leaning_tells_forward_whichever_way_and_however_deep(leans, placement):
    mount = find_mount([worn_at(seated(*leans), ON_THE_BACK)], placement)
    assert mount.forward_known and mount.source == "arm"
    assert abs(off_deg(mount)) < 5.0


def test_one_bend_is_enough_where_the_arm_tells_the_sign():
    assert abs(off_deg(find_mount([worn_at(seated((45, 0)), ON_THE_BACK)], "lower_back"))) < 3.0


def test_a_sensor_on_the_axis_tells_no_side():
    once = seated((45, 0), (0, 40), (0, -40))
    assert refusal(worn_at(once, (0.0, 0.0, 0.15))).datum in ("no_forward", "disagree")


@pytest.mark.parametrize("placement", ["waist", "sternum"])
def test_where_it_is_not_known_which_side_the_sensor_is_on_the_arm_is_not_asked(placement):
    assert refusal(worn_at(seated((45, 0), (0, 40)), ON_THE_BACK), placement).datum == "disagree"


def test_without_a_gyroscope_there_is_no_arm():
    leans = seated((45, 0), (-50, 0), (0, 40), (0, -40))
    assert refusal(worn_at(leans, ON_THE_BACK, gyr=False)).datum == "disagree"


def test_two_leans_back_are_not_taken_for_bends_forward():
    """Seated people tilt their pelvis back by 30 deg: so a recording was mounted back to front."""
    weak = worn_at(seated((-30, 0), (-30, 0)), (-0.04, 0.0, 0.1))
    assert "leaned back" in refusal(weak).sentence
    assert find_mount([worn_at(seated((30, 0), (30, 0)), (-0.04, 0.0, 0.1))], "lower_back").source == "bends"


def test_who_rises_while_leaning_feigns_an_arm_in_front_and_is_not_believed():
    """Out of a seat the trunk leans forward and, as it comes back, is lifted."""
    lean = bump(T, 4.0, 6.0, 40.0) + bump(T, 9.0, 11.0, 40.0)
    height = 0.4 * (np.clip((T - 4.8) / 1.2, 0, 1) - np.clip((T - 9.0) / 1.2, 0, 1))
    smooth = np.convolve(np.pad(height, 15, mode="edge"), np.hanning(31) / np.hanning(31).sum(), mode="valid")
    moved = np.stack((0 * T, 0 * T, smooth), axis=1)
    mount = find_mount([worn_at(trunk(lean, 0.0, 0.0, len(T)), ON_THE_BACK, moved)], "lower_back")
    assert mount.source == "bends" and abs(off_deg(mount)) < 3.0


def test_an_accelerometers_offset_does_not_turn_the_arm():
    pose = worn_at(seated((45, 0), (-50, 0), (0, 40), (0, -40)), ON_THE_BACK)
    imu = pose.imu
    shifted = type(imu)(
        imu.sensor, imu.t_s, imu.acc + np.array((0.3, -0.3, 0.3)), imu.gyr, imu.ok, imu.rate_hz
    )
    assert abs(off_deg(find_mount([oriented(shifted)], "lower_back"))) < 8.0
