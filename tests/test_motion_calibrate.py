"""Device calibration: the numbers of the profile, in force from its mark on."""

from __future__ import annotations

import numpy as np
import pytest
from motion_fixtures import measured, trunk

from monitor.core.errors import SettingsError
from monitor.core.inputs import Mark
from monitor.motion.chip.calibrate import DeviceCalibration

VALUE = {
    "sensor": "A",
    "acc_matrix": [[1.01, 0.02, -0.03], [0.04, 0.98, 0.05], [-0.06, 0.07, 1.03]],
    "acc_bias_m_s2": [0.1, -0.2, 0.3],
    "gyr_bias_rad_s": [0.01, 0.02, -0.03],
}


def test_rows_are_calibrated_from_the_mark_on_and_not_before():
    block = measured(trunk(20.0, n=40), 50.0)
    before, _, after = DeviceCalibration().push([block, Mark(0.0, "device_calibration", VALUE), block])
    assert before is block
    want = (block.acc - VALUE["acc_bias_m_s2"]) @ np.array(VALUE["acc_matrix"]).T
    assert np.allclose(after.acc, want, rtol=1e-12)
    assert np.allclose(after.gyr, block.gyr - VALUE["gyr_bias_rad_s"])


def test_the_calibration_of_another_sensor_is_not_used():
    block = measured(trunk(n=4), 50.0)
    assert (
        DeviceCalibration().push([Mark(0.0, "device_calibration", {**VALUE, "sensor": "B"}), block])[1]
        is block
    )


@pytest.mark.parametrize(
    "name, value",
    [("acc_matrix", [[1, 0], [0, 1]]), ("acc_bias_m_s2", [1, 2, float("nan")]), ("gyr_bias_rad_s", "x")],
)
def test_numbers_that_are_none_are_refused_by_name(name, value):
    with pytest.raises(SettingsError) as refused:
        DeviceCalibration().push([Mark(0.0, "device_calibration", {**VALUE, name: value})])
    assert refused.value.datum == name
