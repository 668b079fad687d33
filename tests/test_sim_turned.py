"""A sensor turned by hand: still where it lies, gravity everywhere, the rate that belongs to each turn."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.body import GRAVITY_M_S2
from firmware_sim.imu import CHIPS, Imu
from firmware_sim.noise import FloatArray
from firmware_sim.scenario import ScenarioError, load, parse
from firmware_sim.turned import Turned
from firmware_sim.worn import put_on

SLOT_S = 7.5


def felt(t_s: FloatArray, seed: int = 1) -> tuple[FloatArray, FloatArray]:
    rate, force = Turned(load("turned"), seed).felt(t_s, "lower_back")
    return np.stack(rate, axis=1), np.stack(force, axis=1)


def test_each_pose_is_still_and_reads_gravity() -> None:
    for number in range(14):
        rate, force = felt(number * SLOT_S + np.linspace(0.0, 4.99, 50))
        assert np.all(rate == 0.0)
        assert np.ptp(force, axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
        assert np.linalg.norm(force[0]) == pytest.approx(GRAVITY_M_S2, rel=1e-12)


def test_the_first_six_are_the_six_sides_and_the_others_are_tilted() -> None:
    _, force = felt(np.arange(14) * SLOT_S + 1.0)
    largest = np.max(np.abs(force), axis=1) / GRAVITY_M_S2
    assert np.all(largest[:6] > np.cos(np.radians(12.0)))
    assert np.all(largest[6:] < np.cos(np.radians(25.0)))
    sides = {(int(k), bool(row[k] > 0)) for row in force[:6] for k in [np.argmax(np.abs(row))]}
    assert len(sides) == 6


def test_the_rate_turns_the_vertical_as_it_is_seen() -> None:
    step_s = 1e-3
    t_s = np.arange(0.0, 14 * SLOT_S, step_s)
    rate, force = felt(t_s)
    # The hand's shaking is along the axis of the turn: what is across it is gravity's share.
    turning = np.linalg.norm(rate, axis=1) > 0.3
    axis = rate[turning] / np.linalg.norm(rate[turning], axis=1)[:, None]
    up = force[turning] - np.sum(force[turning] * axis, axis=1)[:, None] * axis
    assert np.linalg.norm(up, axis=1) == pytest.approx(GRAVITY_M_S2, rel=1e-9)
    change = np.gradient(force / GRAVITY_M_S2, step_s, axis=0)[turning]
    across = change - np.sum(change * axis, axis=1)[:, None] * axis
    wanted = np.cross(up / GRAVITY_M_S2, rate[turning])
    inside = np.linalg.norm(rate[turning], axis=1) > 0.5
    assert np.max(np.abs(across - wanted)[inside]) < 0.01


def test_it_begins_again_and_another_seed_lays_it_otherwise() -> None:
    _, once = felt(np.array([1.0]))
    _, again = felt(np.array([1.0 + 14 * SLOT_S]))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, felt(np.array([1.0]), seed=2)[1])


def test_however_the_samples_are_cut_the_bits_are_the_same() -> None:
    t_s = np.arange(0.0, 60.0, 0.01)
    script = load("turned")
    whole, cut = (Imu(Turned(script, 3), "lower_back", CHIPS["poor"], 3) for _ in range(2))
    parts = [cut.sample(piece)[0] for piece in np.split(t_s, [1, 700, 701, 4000])]
    assert np.array_equal(whole.sample(t_s)[0], np.concatenate(parts))


def test_a_chip_keeps_its_serial_whatever_is_done_with_it() -> None:
    desk = parse(b'[sensor]\nchip = "poor"\n[[block]]\nactivities = [{ do = "stand" }]', "mine")
    (turned,), (worn,) = put_on("turned", 4)[1], put_on(desk, 4)[1]
    (other,) = put_on("desk", 4)[1]
    assert turned.imu.serial == worn.imu.serial != other.imu.serial


def test_a_scenario_says_what_it_accepts_of_a_turned_sensor() -> None:
    with pytest.raises(ScenarioError, match="a whole number from 0 to 26"):
        parse(b'[turned]\nposes = 27\n[[block]]\nactivities = [{ do = "stand" }]', "mine")
