"""A sensor turned from one rest to the next: its gyroscope measures the angle between what the accelerometer reads at either.

Six sides alone do not show how far a chip's axes are from square; the right angles between them do. What the gyroscope itself
is off by (scale, cross-axis, its axes against the accelerometer's) is unknown to the same fit, which holds it near data sheets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.core.inputs import FloatArray

PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""In this order the six numbers of a symmetric matrix are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """`before` and `after` (3,) m/s2 are readings at rest; `matrix` (3,3) takes a fixed direction as the sensor sees it from
    before to after. `slopes` (3,3,3): the rotation by which the true turn ends further, rad, in axes of the end, is
    slopes[:, i, j] times the gyroscope's error matrix [i, j]: rate = (1 + error) measured.
    """

    before: FloatArray
    after: FloatArray
    matrix: FloatArray
    slopes: FloatArray

    def equation(
        self, acc_matrix: FloatArray, acc_bias: FloatArray, gyr_error: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """How far apart (3,) rad the corrected reading after it and the turned one before it are; and the change (3, 18) of
        that with the matrix (PAIRS), the bias and the gyroscope's error, row by row.
        """
        before, from_before = _direction(self.before, acc_matrix, acc_bias)
        after, from_after = _direction(self.after, acc_matrix, acc_bias)
        seen, slopes = self.matrix @ before, self.slopes.reshape(3, 9)
        off = after - seen + np.cross(slopes @ gyr_error.ravel(), seen)
        return np.hstack((from_after - self.matrix @ from_before, np.cross(slopes.T, seen).T)), off


def turn_of(before: FloatArray, after: FloatArray, t_s: FloatArray, rate: FloatArray) -> Turn:
    """From `rate` (n,3) rad/s on the way, without bias, at `t_s` (n,) s, evenly spaced; at rest before and after."""
    period_s = float(t_s[-1] - t_s[0]) / (len(t_s) - 1)
    way = np.concatenate((np.zeros((1, 3)), rate, np.zeros((1, 3))))
    steps = 0.5 * (way[1:] + way[:-1]) * period_s
    # Backwards: what is left to turn after each step.
    left = np.eye(3)
    slopes = np.zeros((3, 3, 3))
    for step in steps[::-1]:
        slopes += left[:, :, None] * step
        left = left @ _undone(step)
    return Turn(before, after, left, slopes)


def _direction(reading: FloatArray, matrix: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The direction (3,) of a reading, corrected, and its change (3, 9) with the matrix (PAIRS) and the bias."""
    moved = reading - bias
    corrected = matrix @ moved
    size = float(np.sqrt(np.sum(corrected * corrected)))
    unit = corrected / size
    change = np.zeros((3, 9))
    for column, (i, j) in enumerate(PAIRS):
        change[i, column] += moved[j]
        if i != j:
            change[j, column] += moved[i]
    change[:, 6:] = -matrix
    return unit, (change - unit[:, None] * (unit @ change)) / size


def _undone(angle: FloatArray) -> FloatArray:
    """The matrix (3,3) that takes earth-fixed directions along when the sensor turns by the rotation vector `angle`."""
    size = float(np.sqrt(np.sum(angle * angle)))
    if size == 0.0:
        return np.eye(3)
    x, y, z = angle / size
    cross = np.array([(0.0, -z, y), (z, 0.0, -x), (-y, x, 0.0)])
    matrix: FloatArray = np.eye(3) - np.sin(size) * cross + (1.0 - np.cos(size)) * (cross @ cross)
    return matrix
