"""Still poses are found in what a hand does with a sensor: each once, none while it moves or trembles."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.blocks import ImuBlock
from monitor.core.inputs import FloatArray
from monitor.motion.chip.rest_poses import (
    REST_EVERY_S,
    TEMPERATURE_SPAN_K,
    Rest,
    RestPoses,
    gyroscope_at_rest,
)

G = 9.80665
RATE_HZ = 100.0
BIAS_RAD_S = np.array((0.02, -0.01, 0.03))


def lying(up: tuple[float, float, float], seconds: float, noise: float = 0.02) -> FloatArray:
    """acc, gyr (n,6) of a sensor that lies."""
    n = round(seconds * RATE_HZ)
    dice = np.random.default_rng(len(up) + n)
    unit = np.array(up) / np.linalg.norm(up)
    return np.hstack(
        (G * unit + noise * dice.standard_normal((n, 3)), BIAS_RAD_S + 0.001 * dice.standard_normal((n, 3)))
    )


def carried(seconds: float) -> FloatArray:
    n = round(seconds * RATE_HZ)
    t = np.arange(n)[:, None] / RATE_HZ
    wave = np.sin(2 * np.pi * np.array((1.0, 7.0, 3.0)) * t)
    return np.hstack((G * np.array((0.5, 0.5, 0.7)) + wave, 1.5 * wave))


def found(*parts: FloatArray, cut: int = 77) -> RestPoses:
    rest = RestPoses()
    rows = np.concatenate(parts)
    for start in range(0, len(rows), cut):
        part = rows[start : start + cut]
        t_s = (start + np.arange(len(part))) / RATE_HZ
        rest.push(ImuBlock("A", t_s, part[:, :3], part[:, 3:], np.ones(len(part), dtype=bool), RATE_HZ))
    rest.interrupt()
    return rest


def test_each_pose_is_found_once_with_its_means() -> None:
    rest = found(lying((0, 0, 1), 5), carried(2), lying((0, 1, 0), 4), carried(1), lying((1, 0, 0), 30))
    assert [np.argmax(np.abs(pose.acc)) for pose in rest.found] == [2, 1, 0]
    for pose in rest.found:
        assert np.linalg.norm(pose.acc) == pytest.approx(G, abs=0.01)
        assert pose.gyr == pytest.approx(BIAS_RAD_S, abs=5e-4)


@pytest.mark.parametrize("cut", [1, 25, 100, 5000])
def test_however_the_rows_come_the_poses_are_the_same(cut: int) -> None:
    parts = (lying((0, 0, 1), 5), carried(2), lying((0, 1, 1), 4.3), carried(1), lying((1, 0, 0), 3.4))
    one, other = found(*parts), found(*parts, cut=cut)
    assert len(one.found) == len(other.found) == 3
    for a, b in zip(one.found, other.found, strict=True):
        assert (a.start_s, a.end_s) == (b.start_s, b.end_s) and np.array_equal(a.acc, b.acc)


def test_too_short_a_rest_a_trembling_hand_and_a_slow_turn_are_no_poses() -> None:
    assert found(carried(2), lying((0, 0, 1), 2.0), carried(2)).found == []
    assert found(lying((0, 0, 1), 10, noise=0.2)).found == []
    t = np.arange(1000) / RATE_HZ
    angle = 0.05 * t
    turning = np.column_stack((G * np.sin(angle), 0 * t, G * np.cos(angle), 0 * t, 0 * t + 0.05, 0 * t))
    assert found(turning).found == []


def test_the_same_side_again_is_no_new_pose_but_the_gyroscope_is_heard_again() -> None:
    rest = found(lying((0, 0, 1), 5), carried(2), lying((0, 0.05, 1), 5))
    assert len(rest.found) == 1 and len(rest.rests) == 2
    assert len(found(lying((0, 0, 1), 4 + 2 * REST_EVERY_S)).rests) == 3


def test_rows_that_are_missing_end_a_pose() -> None:
    rest = RestPoses()
    for _ in range(4):
        rows = lying((0, 0, 1), 2.0)
        t_s = np.arange(len(rows)) / RATE_HZ
        rest.push(ImuBlock("A", t_s, rows[:, :3], rows[:, 3:], np.ones(len(rows), dtype=bool), RATE_HZ))
        rest.interrupt()
    assert rest.found == []


def test_the_gyroscopes_course_with_temperature_is_found_where_there_is_one() -> None:
    slope = np.array((0.001, -0.002, 0.0005))

    def rests(*warmth: float | None) -> list[Rest]:
        return [Rest(BIAS_RAD_S + slope * ((w if w is not None else 20.0) - 20.0), w) for w in warmth]

    bias, course, span = gyroscope_at_rest(rests(20.0, 22.0, 26.0))
    assert span == (20.0, 26.0)
    assert course == pytest.approx(slope) and bias == pytest.approx(BIAS_RAD_S + 3.0 * slope)
    bias, course, span = gyroscope_at_rest(rests(20.0, 20.0 + 0.9 * TEMPERATURE_SPAN_K))
    assert course is None and span is not None
    assert gyroscope_at_rest(rests(20.0, None))[1:] == (None, None)
    assert np.array_equal(gyroscope_at_rest([])[0], np.zeros(3))
