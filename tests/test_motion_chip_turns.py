"""What a gyroscope saw between two rests tells the angle between the readings, and with it what six sides alone do not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from monitor.core.blocks import ImuBlock
from monitor.core.inputs import FloatArray
from monitor.motion.chip.ellipsoid import GRAVITY_M_S2, WORST_MAX_SHARE, fit_ellipsoid
from monitor.motion.chip.rest_poses import TURN_MAX_S, RestPoses
from monitor.motion.chip.turns import Turn, turn_of
from tests.test_motion_ellipsoid import SIX, Chip, worst

RATE_HZ = 100.0
TURN_S = 1.5
GYR_BIAS = np.array((0.02, -0.01, 0.03))


def way(before: FloatArray, after: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The vertical (n,3) as a sensor sees it that is turned smoothly from one pose to another, and its rate (n,3)."""
    axis = np.cross(before, after)
    if np.linalg.norm(axis) < 1e-6:
        axis = np.cross(before, np.roll(before, 1))
    axis /= np.linalg.norm(axis)
    angle = np.arccos(np.clip(before @ after, -1.0, 1.0))
    s = np.arange(round(TURN_S * RATE_HZ) + 1) / round(TURN_S * RATE_HZ)
    turned = angle * (10.0 - 15.0 * s + 6.0 * s * s) * s**3
    speed = angle * 30.0 * s * s * (1.0 - s) ** 2 / TURN_S
    up = np.cos(turned)[:, None] * before + np.sin(turned)[:, None] * np.cross(axis, before)
    return up, -speed[:, None] * axis


def turn(chip: Chip, before: FloatArray, after: FloatArray, gyr_error: FloatArray) -> Turn:
    """As `chip` reads it, beside a gyroscope that must be corrected by 1 + `gyr_error`."""
    _, rate = way(before, after)
    told = rate @ np.linalg.inv(np.eye(3) + gyr_error).T
    return turn_of(chip.reads(before), chip.reads(after), np.arange(len(rate)) / RATE_HZ, told)


def turns(chip: Chip, up: FloatArray, gyr_error: FloatArray) -> list[Turn]:
    return [turn(chip, a, b, gyr_error) for a, b in pairwise(up)]


def gyr_error(seed: int) -> FloatArray:
    """As data sheets have it, and nothing to do with the accelerometer's."""
    return 0.004 * np.random.default_rng(1000 + seed).standard_normal((3, 3))


def test_a_turn_takes_the_vertical_from_one_rest_to_the_next() -> None:
    x, y = np.eye(3)[:2]
    found = turn(Chip(0), x, y, np.zeros((3, 3)))
    assert found.matrix @ x == pytest.approx(y, abs=1e-4)
    assert found.matrix @ found.matrix.T == pytest.approx(np.eye(3), abs=1e-12)


def test_what_the_gyroscope_is_off_by_moves_the_end_as_the_slopes_say() -> None:
    chip, off = Chip(0), gyr_error(5)
    before, after = np.array((0.6, 0.0, 0.8)), np.array((0.0, 1.0, 0.0))
    right, wrong = (turn(chip, before, after, error) for error in (np.zeros((3, 3)), off))
    further = np.cross(np.einsum("lij,ij->l", wrong.slopes, off), wrong.matrix @ before)
    seen = wrong.matrix @ before - further
    assert seen == pytest.approx(right.matrix @ before, abs=1e-4)
    assert np.max(np.abs(wrong.matrix @ before - right.matrix @ before)) > 10 * 1e-4


def test_six_sides_and_the_turns_between_them_bring_it_within_half_a_percent() -> None:
    with_turns, without, said = [], [], []
    for seed in range(40):
        chip, dice = Chip(seed), np.random.default_rng(seed)
        up = dice.permutation(SIX) + 0.03 * dice.standard_normal((6, 3))
        up /= np.linalg.norm(up, axis=1)[:, None]
        poses, seen = chip.reads(up), turns(chip, up, gyr_error(seed))
        for found, fit in ((with_turns, fit_ellipsoid(poses, seen)), (without, fit_ellipsoid(poses))):
            found.append(worst(chip, fit.matrix, fit.bias_m_s2))
        said.append(fit_ellipsoid(poses, seen).worst_share)
    assert np.quantile(with_turns, 0.95) < 0.005 < np.quantile(without, 0.95)
    assert np.mean(np.array(with_turns) < 2.0 * np.array(said)) > 0.9
    assert max(said) < 0.7 * WORST_MAX_SHARE


def test_a_turn_that_was_knocked_is_left_out() -> None:
    chip = Chip(3)
    good = turns(chip, SIX, gyr_error(3))
    knocked = turn_of(good[2].before, good[2].after, np.arange(100) / RATE_HZ, np.full((100, 3), 1.0))
    right, fit = (fit_ellipsoid(chip.reads(SIX), seen) for seen in (good, [*good, knocked]))
    assert fit.matrix == pytest.approx(right.matrix, abs=1e-6)
    assert fit.bias_m_s2 == pytest.approx(right.bias_m_s2, abs=1e-5)


def seen(
    parts: Sequence[FloatArray], *, hole: bool = False, clipped: bool = False, own_clock: bool = True
) -> RestPoses:
    """What is found in rows (n,6) that follow each other; with a `hole` or a clipped row in the middle of the second part."""
    rest = RestPoses(own_clock=own_clock)
    start = 0
    for number, part in enumerate(parts):
        ok = np.ones(len(part), dtype=bool)
        ok[len(part) // 2] = not (clipped and number == 1)
        t_s = (start + np.arange(len(part))) / RATE_HZ
        rest.push(ImuBlock("A", t_s, part[:, :3], part[:, 3:], ok, RATE_HZ))
        if hole and number == 1:
            rest.interrupt()
        start += len(part)
    rest.interrupt()
    return rest


def lying(up: FloatArray, seconds: float = 5.0) -> FloatArray:
    return np.tile(np.hstack((GRAVITY_M_S2 * up, GYR_BIAS)), (round(seconds * RATE_HZ), 1))


def moving(before: FloatArray, after: FloatArray) -> FloatArray:
    up, rate = way(before, after)
    return np.hstack((GRAVITY_M_S2 * up, rate + GYR_BIAS))


def test_the_way_between_two_rests_is_found_without_the_gyroscopes_bias() -> None:
    x, y, _ = np.eye(3)
    (found,) = seen((lying(x), moving(x, y), lying(y, 20.0))).turns
    assert found.before == pytest.approx(GRAVITY_M_S2 * x) and found.after == pytest.approx(GRAVITY_M_S2 * y)
    assert found.matrix @ x == pytest.approx(y, abs=1e-3)
    wandering = np.tile(moving(x, y), (round(2 * TURN_MAX_S / TURN_S), 1))
    assert len(seen((lying(x), wandering, lying(y))).found) == 2
    assert seen((lying(x), wandering, lying(y))).turns == []


def test_a_way_with_rows_missing_or_clipped_is_no_turn() -> None:
    x, y, _ = np.eye(3)
    parts = (lying(x), moving(x, y), lying(y))
    assert len(seen(parts).turns) == 1
    assert seen(parts, own_clock=False).turns == []
    assert seen(parts, hole=True).turns == [] and len(seen(parts, hole=True).found) == 2
    assert seen(parts, clipped=True).turns == [] and len(seen(parts, clipped=True).found) == 2
