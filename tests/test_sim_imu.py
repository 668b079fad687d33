"""The simulated chip: counts that follow from the body's motion, its errors, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firmware_sim.body import GRAVITY_M_S2, Wearer
from firmware_sim.imu import CHIPS, IDEAL, Imu, ImuParams
from firmware_sim.scenario import ScenarioError, parse

STILL = '{ do = "off_body", seconds = 400 }'


def chip(
    activities: str, params: ImuParams = IDEAL, seed: int = 1, sensor: str = "", placement: str = "lower_back"
) -> Imu:
    return Imu(wearer(activities, sensor), placement, params, seed)


def wearer(activities: str, sensor: str = "") -> Wearer:
    content = f"[sensor]\n{sensor}\n[wearer]\nskin_share = 0\n[[block]]\nactivities = [{activities}]"
    return Wearer(parse(content.encode(), "test"), 3)


def rotate(q: tuple[float, ...], v: np.ndarray) -> np.ndarray:
    w, u = q[0], np.array(q[1:])
    c = np.cross(u, v)
    return v + 2 * (w * c + np.cross(u, c))


def in_si(imu: Imu, acc: np.ndarray, gyr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = imu.params
    return (
        acc * (p.acc_full_scale_g * GRAVITY_M_S2 / 32768),
        gyr * (np.radians(p.gyr_full_scale_deg_s) / 32768),
    )


@pytest.mark.parametrize("placement", ["lower_back", "upper_back", "sternum", "waist"])
def test_an_ideal_chip_turned_by_its_mount_measures_the_truth_to_half_a_count(placement: str) -> None:
    activities = '{ do = "walk", seconds = 20 }, { do = "bend", reps = 2 }'
    imu = chip(activities, placement=placement)
    t = np.arange(0.0, 30.0, 0.01)
    counts_acc, counts_gyr, clipped = imu.sample(t)
    acc, gyr = in_si(imu, counts_acc, counts_gyr)
    truth = wearer(activities).truth(t, placement)
    assert not clipped.any()
    acc_lsb, gyr_lsb = 8 * GRAVITY_M_S2 / 32768, np.radians(1000) / 32768
    # Rounding, not truncation: the error of each axis is uniform within half a count and has no mean.
    acc_error = np.array([rotate(_inverse(imu.mount), v) for v in truth.acc]) - acc
    gyr_error = np.array([rotate(_inverse(imu.mount), v) for v in truth.rate]) - gyr
    assert np.max(np.abs(acc_error)) < 0.501 * acc_lsb
    assert np.max(np.abs(gyr_error)) < 0.501 * gyr_lsb
    assert np.all(np.abs(acc_error.mean(axis=0)) < 0.05 * acc_lsb)


def _inverse(q: tuple[float, ...]) -> tuple[float, ...]:
    return q[0], -q[1], -q[2], -q[3]


def test_however_the_samples_are_cut_the_bits_are_the_same() -> None:
    activities = '{ do = "walk", seconds = 30 }, { do = "sit_upright", seconds = 90 }'
    slips = "slips = [{ at_s = 40, turn_deg = [10, 0, 5] }]"
    t = np.arange(0.0, 120.0, 0.01)
    whole = chip(activities, ImuParams(), sensor=slips).sample(t)
    cut = chip(activities, ImuParams(), sensor=slips)
    edges = np.cumsum(np.random.default_rng(2).integers(1, 300, 300))
    parts = [cut.sample(piece) for piece in np.split(t, edges[edges < len(t)])]
    for column in range(3):
        assert np.concatenate([part[column] for part in parts]).tobytes() == whole[column].tobytes()


def test_the_same_seed_is_the_same_chip_and_another_seed_is_not() -> None:
    t = np.arange(0.0, 20.0, 0.01)
    rows = [chip(STILL, ImuParams(), seed).sample(t)[0].tobytes() for seed in (1, 1, 2)]
    assert rows[0] == rows[1]
    assert rows[0] != rows[2]


def test_noise_at_rest_is_the_data_sheet_s() -> None:
    imu = chip(STILL, ImuParams())
    acc, gyr = in_si(imu, *imu.sample(np.arange(1000.0, 1030.0, 0.01))[:2])
    p = imu.params
    expected_acc = p.acc_noise_ug_sqrt_hz * 1e-6 * GRAVITY_M_S2 * np.sqrt(p.bandwidth_hz)
    expected_gyr = np.radians(p.gyr_noise_mdeg_s_sqrt_hz * 1e-3) * np.sqrt(p.bandwidth_hz)
    assert acc.std(axis=0) == pytest.approx(expected_acc, rel=0.15)
    assert gyr.std(axis=0) == pytest.approx(expected_gyr, rel=0.15)


def test_offsets_differ_from_chip_to_chip_and_stay_within_reason() -> None:
    offsets = []
    for seed in range(12):
        imu = chip(STILL, ImuParams(), seed)
        _, gyr = in_si(imu, *imu.sample(np.arange(0.0, 5.0, 0.01))[:2])
        offsets.append(np.degrees(gyr.mean(axis=0)))
    assert 0.25 < np.std(offsets) < 1.0


def test_a_warming_chip_wanders_and_the_ideal_one_does_not() -> None:
    def moved(params: ImuParams) -> float:
        imu = chip(STILL, params)
        _, cold = in_si(imu, *imu.sample(np.arange(10.0, 20.0, 0.01))[:2])
        _, warm = in_si(imu, *imu.sample(np.arange(2000.0, 2010.0, 0.01))[:2])
        return float(np.max(np.abs(np.degrees(warm.mean(axis=0) - cold.mean(axis=0)))))

    assert moved(ImuParams()) > 0.02
    assert moved(IDEAL) < 1e-9
    imu = chip(STILL, ImuParams())
    assert imu.temperature_c(0.0) == pytest.approx(24.0, abs=1)
    assert imu.temperature_c(6000.0) == pytest.approx(32.0, abs=1)


def test_what_is_too_large_is_clipped_flagged_and_never_the_reserved_count() -> None:
    imu = chip(
        '{ do = "walk", seconds = 30 }', replace(IDEAL, acc_full_scale_g=1.0, gyr_full_scale_deg_s=10.0)
    )
    acc, gyr, clipped = imu.sample(np.arange(0.0, 30.0, 0.01))
    counts = np.hstack((acc, gyr))
    assert counts.dtype == np.int16
    assert clipped.any()
    assert not clipped.all()
    assert counts.min() == -32767
    assert counts.max() == 32767
    inside = np.abs(counts.astype(int)).max(axis=1) < 32767
    assert not np.any(clipped & inside)


def test_a_mount_in_euler_angles_turns_about_x_then_y_then_z() -> None:
    imu = chip(STILL, sensor="mount_euler_deg = [0, 0, 90]")
    assert rotate(imu.mount, np.array((1.0, 0.0, 0.0))) == pytest.approx((0, 1, 0), abs=1e-12)
    imu = chip(STILL, sensor="mount_euler_deg = [90, 90, 0]")
    assert rotate(imu.mount, np.array((0.0, 1.0, 0.0))) == pytest.approx((1, 0, 0), abs=1e-12)


def test_a_mount_that_is_not_given_is_random_and_of_unit_length() -> None:
    mounts = [chip(STILL, seed=seed).mount for seed in range(20)]
    assert np.linalg.norm(mounts, axis=1) == pytest.approx(1.0)
    assert np.std(mounts) > 0.3


def test_a_slip_turns_the_readings_and_the_gyroscope_feels_it() -> None:
    imu = chip(STILL, sensor="slips = [{ at_s = 10, turn_deg = [0, 20, 0] }]")
    t = np.arange(0.0, 20.0, 0.005)
    acc, gyr = in_si(imu, *imu.sample(t)[:2])
    assert np.sum(gyr, axis=0) * 0.005 == pytest.approx((0, np.radians(20), 0), abs=0.005)
    before, after = rotate(imu.mount_at(9.0), acc[1000]), rotate(imu.mount_at(11.0), acc[3000])
    assert after == pytest.approx(before, abs=0.01)
    assert np.linalg.norm(acc[3000] - acc[1000]) > 1.0


def test_two_sensors_on_one_wearer_measure_one_body() -> None:
    content = b'[[block]]\nactivities = [{ do = "bend", reps = 3, peak_deg = 80 }]'
    body = Wearer(parse(content, "test"), 4)
    lower, upper = (Imu(body, place, IDEAL, 4) for place in ("lower_back", "upper_back"))
    t = np.arange(0.0, 20.0, 0.01)
    turns = []
    for imu in (lower, upper):
        parts = [imu.sample(piece) for piece in np.split(t, 7 * 100 * np.arange(1, 3))]
        gyr = np.concatenate([part[1] for part in parts])
        turns.append(np.linalg.norm(in_si(imu, gyr, gyr)[1], axis=1))
    assert lower.mount != upper.mount
    assert np.corrcoef(turns[0], turns[1])[0, 1] > 0.9
    assert turns[1].max() > 1.3 * turns[0].max()


def test_skin_motion_is_felt_and_is_not_truth() -> None:
    def worst(share: float) -> float:
        text = f'[wearer]\nskin_share = {share}\n[[block]]\nactivities = [{{ do = "bend", peak_deg = 100 }}]'
        body = Wearer(parse(text.encode(), "test"), 1)
        t = np.arange(0.0, 10.0, 0.01)
        rate, _ = body.felt(t, "upper_back")
        return float(np.max(np.abs(np.stack(rate, axis=-1) - body.truth(t, "upper_back").rate)))

    assert worst(0.0) == 0.0
    assert 0.01 < worst(0.05) < 0.2


def test_every_chip_a_scenario_may_name_exists() -> None:
    assert CHIPS["bmi270"] == ImuParams()
    assert CHIPS["ideal"] is IDEAL


def test_an_unknown_placement_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match="lower_back, upper_back, sternum, waist"):
        chip(STILL, placement="knee")
