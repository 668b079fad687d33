"""A bad accelerometer is brought within half a percent by still poses, and a bad set of poses is refused with its reason."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.core.inputs import FloatArray
from monitor.motion.chip.ellipsoid import (
    GRAVITY_M_S2,
    SIDES,
    WELL_KNOWN_SHARE,
    WORST_MAX_SHARE,
    fit_ellipsoid,
    missing_sides,
    refusal,
    side_of,
)

SCALE, BIAS_M_S2, CROSS = 0.05, 0.05 * GRAVITY_M_S2, 0.003
GRID = np.array(
    [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z], dtype=float
)
SIX = GRID[np.sum(np.abs(GRID), axis=1) == 1]
ALL = GRID / np.linalg.norm(GRID, axis=1)[:, None]


class Chip:
    """measured = gain @ true + bias, a 5 % and 50 mg one."""

    def __init__(self, seed: int) -> None:
        self._dice = np.random.default_rng(seed)
        self.gain = np.eye(3) + CROSS * self._dice.standard_normal((3, 3))
        self.gain[np.diag_indices(3)] = 1.0 + SCALE * self._dice.choice((-1.0, 1.0), 3)
        self.bias = BIAS_M_S2 * self._dice.choice((-1.0, 1.0), 3)

    def reads(self, up: FloatArray, noise_m_s2: float = 0.0) -> FloatArray:
        noise = noise_m_s2 * self._dice.standard_normal(up.shape)
        return GRAVITY_M_S2 * up @ self.gain.T + self.bias + noise


def poses(number: int, seed: int) -> FloatArray:
    """The six sides and as many tilted poses as are left, each a few degrees off."""
    dice = np.random.default_rng(seed)
    tilted = dice.permutation(ALL[np.max(np.abs(ALL), axis=1) < 0.99])
    up = np.concatenate((SIX, tilted))[:number] + 0.05 * dice.standard_normal((number, 3))
    return up / np.linalg.norm(up, axis=1)[:, None]


def worst(chip: Chip, matrix: FloatArray, bias: FloatArray) -> float:
    """The largest error of |acc| at rest over all directions, as a share of gravity."""
    up = np.random.default_rng(0).standard_normal((4000, 3))
    up /= np.linalg.norm(up, axis=1)[:, None]
    corrected = (chip.reads(up) - bias) @ matrix.T
    return float(np.max(np.abs(np.linalg.norm(corrected, axis=1) / GRAVITY_M_S2 - 1.0)))


@pytest.mark.parametrize("seed", range(20))
def test_a_bad_accelerometer_is_brought_within_half_a_percent(seed: int) -> None:
    chip = Chip(seed)
    assert worst(chip, np.eye(3), np.zeros(3)) > 0.08
    measured = chip.reads(poses(12, seed), noise_m_s2=0.003)
    fit = fit_ellipsoid(measured)
    assert refusal(fit, measured) is None and fit.worst_share < WELL_KNOWN_SHARE
    assert worst(chip, fit.matrix, fit.bias_m_s2) < 0.005


def test_without_noise_the_chip_is_found_exactly_but_for_a_rotation() -> None:
    chip = Chip(1)
    fit = fit_ellipsoid(chip.reads(ALL))
    # What is left of matrix @ gain is a rotation: gravity's length is all that still poses tell.
    product = fit.matrix @ chip.gain
    assert product @ product.T == pytest.approx(np.eye(3), abs=1e-4)
    assert fit.bias_m_s2 == pytest.approx(chip.bias, abs=1e-3)
    assert fit.residual_m_s2 < 1e-3 < fit.before_m_s2


def test_the_angles_of_a_calibrated_chip_are_right() -> None:
    chip = Chip(2)
    fit = fit_ellipsoid(chip.reads(poses(14, 2)))
    up = ALL
    seen = (chip.reads(up) - fit.bias_m_s2) @ fit.matrix.T
    seen /= np.linalg.norm(seen, axis=1)[:, None]
    between = np.degrees(np.arccos(np.clip(seen @ seen.T, -1, 1)) - np.arccos(np.clip(up @ up.T, -1, 1)))
    raw = chip.reads(up) / np.linalg.norm(chip.reads(up), axis=1)[:, None]
    before = np.degrees(np.arccos(np.clip(raw @ raw.T, -1, 1)) - np.arccos(np.clip(up @ up.T, -1, 1)))
    assert np.max(np.abs(between)) < 0.5 < 3.0 < np.max(np.abs(before))


def test_what_it_says_of_its_worst_direction_is_about_right() -> None:
    said, true = [], []
    for seed in range(40):
        chip = Chip(seed)
        for number in (6, 8, 12):
            fit = fit_ellipsoid(chip.reads(poses(number, seed), noise_m_s2=0.003))
            said.append(fit.worst_share)
            true.append(worst(chip, fit.matrix, fit.bias_m_s2))
    assert np.mean(np.array(true) < 2.0 * np.array(said)) > 0.95
    assert np.corrcoef(said, true)[0, 1] > 0.5


def test_six_sides_are_taken_and_tilted_poses_make_it_better() -> None:
    chip = Chip(3)
    sides = chip.reads(poses(6, 3))
    few, many = fit_ellipsoid(sides), fit_ellipsoid(chip.reads(poses(12, 3)))
    assert refusal(few, sides) is None
    assert WELL_KNOWN_SHARE < few.worst_share < WORST_MAX_SHARE
    assert many.worst_share < 0.5 * few.worst_share


def refused(measured: FloatArray) -> str:
    found = refusal(fit_ellipsoid(measured), measured)
    assert found is not None
    sentence, step = found
    assert sentence.endswith(".") and step.endswith(".")
    return sentence


def test_each_bad_set_of_poses_is_refused_with_its_own_reason() -> None:
    chip = Chip(4)
    assert "5 still poses came, and it takes 6" in refused(chip.reads(poses(5, 4)))
    one_sided = np.array([(0.3, 0.1, 1), (0, 0, 1), (0.3, -0.3, 1), (-0.4, 0, 1), (0, 0.4, 1), (0.2, 0.2, 1)])
    one_sided /= np.linalg.norm(one_sided, axis=1)[:, None]
    assert "too much alike" in refused(chip.reads(one_sided))
    moved = chip.reads(poses(12, 4))
    moved[7] *= 1.02
    assert "Pose 8 of 12 does not fit" in refused(moved)
    assert "no calibration mends" in refused(2.0 * chip.reads(poses(12, 4)))


def test_a_side_is_named_by_the_axis_that_points_up_or_down() -> None:
    assert [side_of(GRAVITY_M_S2 * up) for up in np.eye(3)] == ["x up", "y up", "z up"]
    assert side_of(np.array((0.3, 0.2, -9.7))) == "z down"
    assert side_of(np.array((7.0, 0.0, 7.0))) is None
    assert missing_sides(list(SIX[:5])) == [side for side in SIDES if side == side_of(SIX[5])]
    assert missing_sides([]) == list(SIDES)
