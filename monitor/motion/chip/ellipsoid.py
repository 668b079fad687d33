"""An accelerometer's scale, misalignment and bias from still poses: at rest it must read gravity, whichever way it lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.core.counted import counted
from monitor.core.inputs import FloatArray
from monitor.motion.chip.turns import PAIRS, Turn

GRAVITY_M_S2 = 9.80665
"""By definition; local gravity differs by 0.3 % at most, which is taken for scale and cancels in every angle."""
POSE_NOISE_M_S2 = 0.01
"""How well a still pose is known: 1 mg, mostly the chip's own bend (non-linearity), for noise is averaged out."""
SCALE_PRIOR = 0.1
"""Scale errors are of this size at most: data sheets say 0.4 to 3 %, worn-out chips 5 %."""
BIAS_PRIOR_M_S2 = 2.0
CROSS_PRIOR = 0.003
"""Cross-axis errors as data sheets have them. Where neither tilted poses nor turns show them, they are taken to be so small."""
GYR_SCALE_PRIOR = 0.01
GYR_CROSS_PRIOR = 0.005
"""The gyroscope's own errors and its axes against the accelerometer's: data sheets say 0.4 to 1 %, and tenths of a percent."""
TURN_SD_RAD = math.radians(0.15)
"""How well the gyroscope knows a turn but for those: its bias differs with gravity by 0.1 deg/s per g, for some seconds."""
TURN_MISFIT = 4.0
"""A turn off by so many of these was knocked: it is left out."""
SCALE_MAX = 0.25
BIAS_MAX_M_S2 = 3.0
"""Beyond these it is not a worn-out chip, but a wrong unit or range."""
WORST_MAX_SHARE = 0.006
"""One standard deviation of the reading in the worst direction, as a share of gravity. Six sides alone come to 0.004, with the
turns between them to 0.0028."""
WELL_KNOWN_SHARE = 0.0025
"""And from here on it is good: two standard deviations are 0.5 %, 0.3 deg of inclination. Takes two tilted poses or more."""
WELL_KNOWN_POSES = 8
"""It takes some more than sides, or a pose that was not quite still would not show among so many unknowns."""
MISFIT_MAX_SHARE = 0.003
"""What the poses leave over, as a share of gravity: three times their noise. More means that one of them was not still."""
MIN_POSES = 6
_ROUNDS = 30
_SETTLED = 1e-12
POSE_UNKNOWNS = len(PAIRS) + 3
_PRIOR = np.array(
    (SCALE_PRIOR,) * 3
    + (CROSS_PRIOR,) * 3
    + (BIAS_PRIOR_M_S2,) * 3
    + (*(GYR_SCALE_PRIOR if row == column else GYR_CROSS_PRIOR for row in range(3) for column in range(3)),)
)
"""Of matrix (PAIRS), bias, and the gyroscope's error matrix, row by row."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """true = matrix @ (measured - bias_m_s2). `residual_m_s2` root mean square over the poses, `before_m_s2` without it.

    `misfit_m_s2` is the residual of one pose, allowing for what so many numbers can be bent to fit.
    `worst_share`: one standard deviation of a reading in the least known direction, as a share of gravity.
    `least_known` (3,) is that direction, as the sensor sees the vertical.
    """

    matrix: FloatArray
    bias_m_s2: FloatArray
    residual_m_s2: float
    misfit_m_s2: float
    before_m_s2: float
    worst_share: float
    least_known: FloatArray


def fit_ellipsoid(poses: FloatArray, turns: Sequence[Turn] = ()) -> Fit:
    """Least squares on | matrix (pose - bias) | = g over `poses` (n,3), m/s2, the mean reading in each still pose.

    `turns` between rests add the angles between readings. The matrix is symmetric: a rotation of the whole chip cannot be
    seen, and belongs to the mount. Few poses lean on what data sheets say (the priors), so that it is defined for any n;
    `worst_share` says what it is worth.
    """
    p, turns = _agreed(poses, turns)
    matrix, bias = _unpacked(p)
    left = _lengths(matrix, bias, poses) - GRAVITY_M_S2
    residual = _rms(left)
    misfit = math.sqrt(float(np.sum(left * left)) / max(1, len(poses) - POSE_UNKNOWNS))
    noise = max(1.0, misfit / POSE_NOISE_M_S2)
    system, _ = _equations(poses, turns, p)
    covariance = np.linalg.inv(system.T @ system)[:POSE_UNKNOWNS, :POSE_UNKNOWNS] * (noise * noise)
    around = _directions()
    slopes = _slopes(np.linalg.solve(matrix, GRAVITY_M_S2 * around.T).T + bias, matrix, bias)
    share = np.sqrt(np.einsum("ni,ij,nj->n", slopes, covariance, slopes)) / GRAVITY_M_S2
    worst = int(np.argmax(share))
    before = _rms(np.sqrt(np.einsum("ni,ni->n", poses, poses)) - GRAVITY_M_S2)
    return Fit(matrix, bias, residual, misfit, before, float(share[worst]), around[worst])


def _agreed(poses: FloatArray, turns: Sequence[Turn]) -> tuple[FloatArray, Sequence[Turn]]:
    """The solution, and the turns that agree with it: the worst goes first, for it also bends what the others are held to."""
    while True:
        p = _solved(poses, turns)
        off = [_turn_equation(turn, p)[1] for turn in turns]
        sizes = [math.sqrt(float(np.sum(each * each))) for each in off]
        if max(sizes, default=0.0) <= TURN_MISFIT * TURN_SD_RAD:
            return p, turns
        worst = sizes.index(max(sizes))
        turns = [turn for k, turn in enumerate(turns) if k != worst]


def _solved(poses: FloatArray, turns: Sequence[Turn]) -> FloatArray:
    p = np.zeros(len(_PRIOR))
    for _ in range(_ROUNDS):
        step = np.linalg.lstsq(*_equations(poses, turns, p), rcond=None)[0]
        p = p + step
        if float(np.max(np.abs(step))) < _SETTLED:
            break
    return p


def refusal(fit: Fit, poses: FloatArray) -> tuple[str, str] | None:
    """Why `fit` over `poses` (n,3) is not to be used, and what to do: two sentences; None where it is good."""
    if len(poses) < MIN_POSES:
        return (
            f"Only {counted(len(poses), 'still pose')} came, and it takes {MIN_POSES} or more.",
            "Lay the sensor on each of its six sides, three seconds and more each.",
        )
    scale = float(np.max(np.abs(fit.matrix - np.eye(3))))
    if scale > SCALE_MAX or float(np.max(np.abs(fit.bias_m_s2))) > BIAS_MAX_M_S2:
        return (
            f"The readings are {100 * scale:.0f} % from gravity, which no calibration mends.",
            "Check the unit and the range of the accelerometer.",
        )
    if fit.misfit_m_s2 > MISFIT_MAX_SHARE * GRAVITY_M_S2:
        without = [fit_ellipsoid(np.delete(poses, k, axis=0)).misfit_m_s2 for k in range(len(poses))]
        return (
            f"Pose {int(np.argmin(without)) + 1} of {len(poses)} does not fit the others "
            f"(they disagree by {100 * fit.misfit_m_s2 / GRAVITY_M_S2:.1f} %).",
            "It was not quite still, or something shook it: begin again, on a firm table.",
        )
    if fit.worst_share > WORST_MAX_SHARE:
        return (
            f"The poses are too much alike: with {_axis(fit.least_known)} the reading is known to "
            f"{100 * fit.worst_share:.1f} % only.",
            "Lay the sensor on the sides that were not down yet.",
        )
    return None


def missing_sides(poses: Sequence[FloatArray]) -> list[str]:
    """Which of the six sides no pose (3,) has shown yet, such as `x up`: within 30 deg of that axis."""
    seen = {side for pose in poses if (side := side_of(pose)) is not None}
    return [side for side in SIDES if side not in seen]


def side_of(pose: FloatArray) -> str | None:
    """The side a pose lies on, named by the axis that points up or down; None for a tilted one."""
    unit = pose / math.sqrt(float(np.sum(pose * pose)))
    axis = int(np.argmax(np.abs(unit)))
    if abs(float(unit[axis])) < _ON_A_SIDE:
        return None
    return f"{'xyz'[axis]} {'up' if unit[axis] > 0 else 'down'}"


SIDES = ("x up", "x down", "y up", "y down", "z up", "z down")
_ON_A_SIDE = math.cos(math.radians(30.0))


def _axis(direction: FloatArray) -> str:
    side = side_of(direction)
    return side if side is not None else "the sensor tilted"


def _equations(poses: FloatArray, turns: Sequence[Turn], p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gauss-Newton's system at `p`: rows for poses and turns in units of their noise, and a row per parameter for what is
    believed of it.
    """
    matrix, bias = _unpacked(p)
    left = _lengths(matrix, bias, poses) - GRAVITY_M_S2
    rows = [np.hstack((_slopes(poses, matrix, bias), np.zeros((len(poses), 9)))) / POSE_NOISE_M_S2]
    values = [left / POSE_NOISE_M_S2]
    for turn in turns:
        slopes, off = _turn_equation(turn, p)
        rows.append(slopes / TURN_SD_RAD)
        values.append(off / TURN_SD_RAD)
    rows.append(np.diag(1.0 / _PRIOR))
    values.append(p / _PRIOR)
    return np.concatenate(rows), -np.concatenate(values)


def _turn_equation(turn: Turn, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    return turn.equation(*_unpacked(p), p[POSE_UNKNOWNS:].reshape(3, 3))


def _slopes(poses: FloatArray, matrix: FloatArray, bias: FloatArray) -> FloatArray:
    """Change of the length of each corrected pose with each parameter, (n, 9)."""
    moved = poses - bias
    corrected = moved @ matrix.T
    unit = corrected / np.sqrt(np.einsum("ni,ni->n", corrected, corrected))[:, None]
    columns = [unit[:, i] * moved[:, j] + (unit[:, j] * moved[:, i] if i != j else 0.0) for i, j in PAIRS]
    return np.column_stack((*columns, -unit @ matrix))


def _unpacked(p: FloatArray) -> tuple[FloatArray, FloatArray]:
    matrix = np.eye(3)
    for value, (i, j) in zip(p[:6], PAIRS, strict=True):
        matrix[i, j] += value
        if i != j:
            matrix[j, i] += value
    return matrix, p[6:POSE_UNKNOWNS].copy()


def _lengths(matrix: FloatArray, bias: FloatArray, poses: FloatArray) -> FloatArray:
    corrected = (poses - bias) @ matrix.T
    lengths: FloatArray = np.sqrt(np.einsum("ni,ni->n", corrected, corrected))
    return lengths


def _rms(values: FloatArray) -> float:
    return math.sqrt(float(np.sum(values * values)) / max(1, len(values)))


def _directions() -> FloatArray:
    """Sides, edges and corners of a cube, as unit vectors (26, 3): where the errors of a quadratic form are largest."""
    grid = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z])
    unit: FloatArray = grid / np.sqrt(np.sum(grid * grid, axis=1))[:, None]
    return unit
