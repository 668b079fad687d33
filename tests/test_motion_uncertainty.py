"""Each cause widens the interval of the angles it touches, and of no others."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.motion import uncertainty
from monitor.motion.mount.find import Mount
from monitor.motion.uncertainty import Deviations, deviations_deg

N = 4
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


def sd(
    source="gait",
    quality=1.0,
    forward_sd_deg=0.0,
    placement="lower_back",
    flexion=0.0,
    lateral=0.0,
    rotation=0.0,
    since_s=0.0,
    rate_deg_s=0.0,
    ok=True,
    gyroscope=True,
    rate_hz=50.0,
    pushed_m_s2=0.0,
) -> Deviations:
    """The same row four times."""
    tilt = tuple(np.full(N, angle) for angle in (np.hypot(flexion, lateral), flexion, lateral))
    mount = Mount(UPRIGHT, quality, True, source, forward_sd_deg)
    rate = np.full((N, 3), rate_deg_s / np.sqrt(3)) if gyroscope else None
    acc = np.full((N, 3), (uncertainty.GRAVITY_M_S2 + pushed_m_s2) / np.sqrt(3))
    columns = (np.full(N, ok), rate_hz, np.full(N, since_s), rate, acc, tilt, np.full(N, rotation))
    found = deviations_deg(mount, placement, *columns)
    assert all(len(np.unique(column)) == 1 for column in found)
    return Deviations(*(column[:1] for column in found))


REST = sd()


@pytest.mark.parametrize(
    "cause",
    [
        {"quality": 0.5},
        {"ok": False},
        {"since_s": 60.0},
        {"since_s": np.inf},
        {"rate_deg_s": 300.0},
        {"gyroscope": False},
        {"pushed_m_s2": 3.0},
        {"pushed_m_s2": -3.0},
    ],
)
def test_what_touches_the_vertical_widens_every_tilt(cause):
    wider = sd(**cause)
    assert wider.inclination > REST.inclination
    assert wider.flexion > REST.flexion
    assert wider.lateral > REST.lateral


def test_an_upright_by_definition_is_not_off_and_one_found_in_a_person_is():
    assert sd("axes").inclination == sd("usual", quality=0.1).inclination < REST.inclination
    assert REST.lateral < REST.flexion, "people differ in how they stand forward and back"
    assert sd(placement="upper_back").flexion > REST.flexion


def test_skin_moves_less_to_the_sides_and_no_push_is_more_than_the_largest():
    assert sd("axes").lateral < sd("axes").flexion == sd("axes").inclination
    assert sd(pushed_m_s2=50.0).flexion == sd(pushed_m_s2=30.0).flexion > sd(pushed_m_s2=1.0).flexion
    assert sd(pushed_m_s2=3.0, gyroscope=False).flexion == sd(gyroscope=False).flexion


def test_a_forward_that_is_off_shows_part_of_the_other_angle():
    bent = sd(flexion=60.0, forward_sd_deg=5.0)
    assert bent.lateral**2 - sd(flexion=60.0).lateral ** 2 == pytest.approx((60 * np.radians(5)) ** 2)
    assert bent.flexion == sd(flexion=60.0).flexion
    unstated = sd(flexion=60.0, forward_sd_deg=np.nan, quality=0.75)
    assert unstated.lateral > bent.lateral * 0.9


def test_rotation_grows_with_time_since_the_last_still_moment_and_with_the_turn():
    assert REST.rotation == pytest.approx(uncertainty.TURN_SKIN_DEG)
    assert sd(since_s=60.0).rotation > sd(since_s=10.0).rotation > REST.rotation
    assert sd(rotation=-90.0).rotation == sd(rotation=90.0).rotation > 1.5
    assert sd(quality=0.1).rotation == REST.rotation


def test_a_faster_sensor_knows_better_when_a_row_was_measured():
    assert sd(rate_deg_s=300.0, rate_hz=200.0).inclination < sd(rate_deg_s=300.0).inclination


def test_an_accelerometer_alone_says_its_error():
    assert sd("axes", gyroscope=False).inclination == pytest.approx(uncertainty.GRAVITY_ONLY_DEG)


def test_without_an_angle_there_is_no_deviation_of_it():
    mount = Mount(UPRIGHT, 1.0, False, "gait")
    tilt = (np.zeros(N), np.full(N, np.nan), np.full(N, np.nan))
    none = np.zeros((N, 3))
    columns = (np.ones(N, bool), 50.0, np.full(N, np.inf), none, none, tilt, np.full(N, np.nan))
    found = deviations_deg(mount, "waist", *columns)
    assert np.isfinite(found.inclination).all()
    assert np.isnan(found.flexion).all() and np.isnan(found.lateral).all() and np.isnan(found.rotation).all()
