"""Orientation: the vertical within a degree, biases found, nothing carried over a gap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_fixtures import G_M_S2, SENSOR_TO_BODY, bump, measured, oriented, trunk

from monitor.core.blocks import ImuBlock, take
from monitor.core.events import Gap
from monitor.motion.orient import Orient, mean_rate


def true_up(body) -> np.ndarray:
    return (body * SENSOR_TO_BODY).inv().apply((0.0, 0.0, 1.0))


def error_deg(up, body) -> np.ndarray:
    return np.degrees(np.arccos(np.clip(np.einsum("ij,ij->i", up, true_up(body)), -1, 1)))


def bends(rate_hz: float):
    t = np.arange(round(60 * rate_hz)) / rate_hz
    flexion = bump(t, 10, 13, 80) + bump(t, 20, 22, -25) + bump(t, 30, 34, 100)
    return trunk(flexion, bump(t, 40, 43, 30), bump(t, 45, 48, 60), len(t))


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
def test_the_vertical_is_followed_through_bends(rate_hz):
    body = bends(rate_hz)
    pose = oriented(measured(body, rate_hz))
    assert error_deg(pose.up, body)[50:].max() < 0.5
    assert np.allclose(np.sum(pose.quat**2, axis=1), 1)


def test_the_mean_rate_over_the_step_beats_the_last_rate_at_25_hz():
    """Coning: fast level circling of the axis. The plain filter is fed the same rows."""
    from vqf import VQF

    from monitor.core.quaternion import up_in_source

    t = np.arange(25 * 40) / 25.0
    fade = np.clip(t - 5, 0, 1)
    body = trunk(20 * fade * np.sin(9 * t), 20 * fade * np.sin(9 * t + 1.2), 0.0, len(t))
    block = measured(body, 25.0)
    plain = up_in_source(VQF(1 / 25.0).updateBatch(block.gyr, block.acc)["quat6D"])
    assert error_deg(oriented(block).up, body)[200:].mean() < 0.6 * error_deg(plain, body)[200:].mean()


def test_a_gyroscope_bias_is_taken_out_of_the_rate_and_out_of_the_vertical():
    body = trunk(n=50 * 60)
    pose = oriented(measured(body, 50.0, bias=np.radians((1.0, -1.5, 0.5))))
    assert np.degrees(np.abs(pose.imu.gyr[-500:])).max() < 0.05
    assert error_deg(pose.up, body)[-500:].max() < 0.2


def test_the_mean_rate_is_exact_for_a_rate_that_is_a_cubic_in_time():
    t = np.arange(12) / 50.0
    about_one_axis = np.outer(3 * t**3 - t**2 + 0.4 * t - 0.1, (1.0, -2.0, 0.5))
    turned = np.outer(3 * t**4 / 4 - t**3 / 3 + 0.2 * t**2 - 0.1 * t, (1.0, -2.0, 0.5))
    assert np.allclose(mean_rate(about_one_axis, 50.0), np.diff(turned, axis=0)[2:] * 50.0, atol=1e-12)


def test_a_trunk_that_moves_from_the_first_second_is_not_taken_for_a_bias():
    """An upper back swung about the hips, 0.4 m below: what the plain filter takes its accelerations for is seen by it."""
    from vqf import VQF

    t = np.arange(50 * 14) / 50.0
    angle = 35 * np.sin(1.9 * t) + 15 * np.sin(3.3 * t)
    body = trunk(angle, 0.0, 0.0, len(t))
    a = np.radians(angle)
    along = np.gradient(np.gradient(np.stack((np.sin(a), 0 * a, np.cos(a)), 1) * 0.4, t, axis=0), t, axis=0)
    block = measured(body, 50.0, extra=along)
    plain = VQF(1 / 50.0).updateBatch(mean_rate(block.gyr[[0] * 3 + list(range(len(t)))], 50.0), block.acc)
    taken = np.degrees(np.abs(block.gyr - oriented(block).imu.gyr)).max(axis=1)
    assert taken[100:].mean() < 0.7 * np.degrees(np.abs(plain["bias"])).max(axis=1)[100:].mean()


def test_a_bias_of_one_degree_a_second_is_found_without_a_rest_within_a_minute():
    t = np.arange(50 * 90) / 50.0
    body = trunk(30 * np.sin(1.9 * t), 12 * np.sin(1.3 * t), 0.0, len(t))
    pose = oriented(measured(body, 50.0, bias=np.radians((0.7, -0.6, 0.4))))
    found = error_deg(pose.up, body)
    assert found[200:600].mean() > 1.0
    assert found[3000:].mean() < 0.4


@pytest.mark.parametrize("ending", [Gap("A", 30.0, 31.0, "missing"), None])
def test_nothing_is_carried_over_a_gap(ending):
    """The sensor lies in another pose after the gap: with a gap it is right at once, without one it has to creep there."""
    body = trunk(n=1500)
    block = measured(body, 50.0)
    turned = replace(block, t_s=block.t_s + 31.0, acc=block.acc[:, [1, 2, 0]])
    stage = Orient()
    stage.push([block])
    after = stage.push([*([ending] if ending else []), turned])[-1]
    want = true_up(body)[0][[1, 2, 0]]
    apart = np.degrees(np.arccos(np.clip(after.up[0] @ want, -1, 1)))
    assert apart < 0.5 if ending else apart > 20


def test_without_a_gyroscope_the_vertical_is_smoothed_gravity_and_the_heading_unknown():
    body = trunk(flexion=30.0, n=1000)
    shake = np.random.default_rng(1).normal(size=(1000, 3)) * 2.0
    pose = oriented(measured(body, 50.0, extra=shake, gyr=False))
    assert np.isnan(pose.quat).all()
    assert np.allclose(np.sum(pose.up**2, axis=1), 1)
    raw = measured(body, 50.0, extra=shake).acc / G_M_S2
    assert (
        error_deg(pose.up, body)[100:].mean()
        < 0.4 * error_deg(raw / np.linalg.norm(raw, axis=1)[:, None], body).mean()
    )


def test_without_a_gyroscope_the_first_row_is_right_at_once():
    body = trunk(flexion=40.0, n=10)
    assert error_deg(oriented(measured(body, 50.0, gyr=False)).up, body).max() < 1e-4


def test_rows_without_a_rate_are_a_broken_program():
    block = take(measured(trunk(n=5), 50.0), slice(None))
    with pytest.raises(ValueError, match="timeline"):
        Orient().push([ImuBlock("A", block.t_s, block.acc, block.gyr, block.ok, None)])
