"""Lumbar angles: the upper trunk relative to the lower, on the upper's rows."""

from __future__ import annotations

import numpy as np
import pytest
from motion_fixtures import SENSOR_TO_BODY, exact_pose, mount_mark, trunk
from scipy.spatial.transform import Rotation

from monitor.core.blocks import LumbarBlock, TrunkBlock, take
from monitor.core.inputs import Mark
from monitor.motion.angles import TrunkAngles
from monitor.motion.join import Join

OPENING = [
    Mark(0.0, "sensor", {"sensor": "U", "role": "upper"}),
    Mark(0.0, "sensor", {"sensor": "L", "role": "lower"}),
]
OTHER_MOUNT = Rotation.from_euler("ZYX", (-20.0, 80.0, 130.0), degrees=True)


def angles(sensor: str, body: Rotation, worn=SENSOR_TO_BODY, forward: bool = True) -> TrunkBlock:
    stage = TrunkAngles(sensor)
    pose = exact_pose(body, 50.0, worn, sensor=sensor)
    return stage.push([mount_mark(worn, forward, sensor=sensor), pose])[-1]


def lumbar(records) -> LumbarBlock:
    found = [r for r in records if isinstance(r, LumbarBlock)]
    names = ("t_s", "flexion_deg", "lateral_deg", "rotation_deg", "ok")
    return LumbarBlock(*(np.concatenate([getattr(b, name) for b in found]) for name in names))


def joined(*items) -> LumbarBlock:
    stage = Join()
    return lumbar([*stage.push([*OPENING, *items]), *stage.close()])


@pytest.mark.parametrize(
    "pelvis_deg, flexion, lateral",
    [(59.0, 52.0, 0.0), (35.0, -15.0, 0.0), (0.0, 0.0, 20.0), (0.0, 30.0, -12.0), (-10.0, 40.0, 0.0)],
)
def test_the_bend_of_the_back_is_what_the_lower_sensor_does_not_do(pelvis_deg, flexion, lateral):
    """Standing flexion: the pelvis turns too; the headings of the two sensors' earths have nothing to do with each other."""
    pelvis = trunk(pelvis_deg, 0.0, 0.0, 200)
    back = trunk(flexion, lateral, 0.0, 200)
    upper = angles("U", Rotation.from_euler("Z", 120, degrees=True) * pelvis * back)
    lower = angles("L", Rotation.from_euler("Z", -50, degrees=True) * pelvis, OTHER_MOUNT)
    got = joined(upper, lower)
    assert got.flexion_deg == pytest.approx(np.full(200, flexion), abs=1e-6)
    assert got.lateral_deg == pytest.approx(np.full(200, lateral), abs=1e-6)
    assert got.ok.all()


def test_turning_the_upper_trunk_to_the_left_is_plus():
    turn = 40 * np.clip(np.arange(250) / 50 - 2, 0, 1)
    got = joined(angles("U", trunk(0.0, 0.0, turn, 250)), angles("L", trunk(n=250), OTHER_MOUNT))
    assert np.isnan(got.rotation_deg[:40]).all()
    assert got.rotation_deg[175] == pytest.approx(40, abs=0.5)


def test_an_upper_row_waits_for_the_lower_row_behind_it():
    upper, lower = angles("U", trunk(30.0, n=100)), angles("L", trunk(10.0, n=100))
    stage = Join()
    assert not [r for r in stage.push([*OPENING, upper]) if isinstance(r, LumbarBlock)]
    first = lumbar(stage.push([take(lower, slice(0, 60))]))
    assert len(first) == 60
    assert len(lumbar(stage.push([take(lower, slice(60, 100))]))) == 40
    assert first.flexion_deg == pytest.approx(np.full(60, 20.0), abs=1e-6)


def test_where_the_lower_is_missing_the_angles_are_too():
    upper, lower = angles("U", trunk(30.0, n=200)), angles("L", trunk(10.0, n=200))
    got = joined(upper, take(lower, slice(20, 80)), take(lower, slice(120, 180)))
    missing = np.isnan(got.flexion_deg)
    assert np.flatnonzero(missing).tolist() == [*range(20), *range(80, 120), *range(180, 200)]
    assert (got.ok == ~missing).all()


def test_between_the_lowers_rows_the_line_is_taken():
    lower = angles("L", trunk(np.arange(100) * 0.2, n=100))
    upper = angles("U", trunk(30.0, n=100))
    late = TrunkBlock(
        *(
            getattr(upper, f) + (0.01 if f == "t_s" else 0) if f == "t_s" else getattr(upper, f)
            for f in upper.__dataclass_fields__
        )
    )
    got = joined(late, lower)
    assert got.flexion_deg[:99] == pytest.approx(30 - (np.arange(99) + 0.5) * 0.2, abs=0.01)


def test_without_a_forward_on_either_side_there_is_no_flexion():
    got = joined(angles("U", trunk(30.0, n=200)), angles("L", trunk(n=200), forward=False))
    assert np.isnan(got.flexion_deg).all() and np.isnan(got.lateral_deg).all()
    assert np.isfinite(got.rotation_deg[60:]).all()


def test_one_sensor_alone_has_no_lumbar_angles():
    block = angles("U", trunk(n=50))
    stage = Join()
    single = Mark(0.0, "sensor", {"sensor": "U", "role": "single"})
    assert stage.push([single, block]) == [single, block] and stage.close() == []
