"""The tilt over a movement in hindsight: turned by the gyroscope, held by the accelerometer of before and after.

While one moves, a causal filter is tilted by the acceleration of the moving, and at the start of a recording by a bias not yet
known. Some seconds later both can be told from gravity: in axes that turn with the gyroscope alone, the specific force
averaged around each moment, not only before it, is the vertical.
"""

from __future__ import annotations

import math

import numpy as np

from monitor.core.inputs import FloatArray
from monitor.core.quaternion import conjugate, multiply, rotate
from monitor.detect.frames import ROUNDING

BEFORE_S = 3.0  # of rest or other movement that is looked at as well [I]
AFTER_S = 4.0  # the same behind it; the posture is waited for as long [I]
AVERAGE_SD_S = (
    2.0  # of a Gaussian: spans the acceleration of a bend, and a bias of 1 deg/s turns by 2 deg in it [I]
)
MEAN_S = 0.1  # over which means are taken: no trunk turns far in it
GAP_ROWS = 1.5  # on an even grid rows follow each other by one
LEAST_ROWS = 20  # fewer tell of no movement
TAILS_SD = 3.0  # beyond which a Gaussian is not summed


def up_rows(t_s: FloatArray, up: FloatArray, rate_deg_s: FloatArray, acc: FloatArray) -> FloatArray | None:
    """The vertical (n,3) of rows `up` in body axes, put right; None where the rows do not tell it: a gap, no gyroscope.

    It differs from that of the rows by what goes slowly only, so peaks keep their shape.
    """
    if len(t_s) < LEAST_ROWS:
        return None
    lag_s = np.diff(t_s)
    row_s = float(np.median(lag_s))
    if lag_s.max() > GAP_ROWS * row_s:
        return None
    rate_hz = 1.0 / row_s
    rows = max(1, int(MEAN_S * rate_hz + ROUNDING))
    count, step_s = len(up) // rows, rows / rate_hz
    known, rate, force = (
        each[: count * rows].reshape(count, rows, 3).mean(axis=1) for each in (up, rate_deg_s, acc)
    )
    turned = _turned(np.radians(rate), step_s)
    later = rotate(conjugate(turned), _averaged(rotate(turned, force), step_s))
    later /= np.sqrt(np.sum(later * later, axis=1, keepdims=True))
    correction = later - known
    if not np.isfinite(correction).all():
        return None
    at, middle = np.arange(len(up)), (np.arange(count) + 0.5) * rows - 0.5
    slowly = np.stack([np.interp(at, middle, each) for each in correction.T], axis=1)
    corrected: FloatArray = up + slowly
    return corrected


def _turned(rate_rad_s: FloatArray, step_s: float) -> FloatArray:
    """Orientation (m,4) of each step's middle against the first's from the mean rates (m,3)."""
    half = 0.25 * step_s * (rate_rad_s[1:] + rate_rad_s[:-1])
    size = np.sqrt(np.sum(half * half, axis=1))
    sinc = np.sinc(size / math.pi)
    turned = np.zeros((len(rate_rad_s), 4))
    turned[0, 0] = 1.0
    turned[1:, 0] = np.cos(size)
    turned[1:, 1:] = half * sinc[:, None]
    reach = 1
    while reach < len(turned):  # products of twice as many steps each time
        turned[reach:] = multiply(turned[:-reach], turned[reach:])
        reach *= 2
    return turned


def _averaged(vectors: FloatArray, step_s: float) -> FloatArray:
    """Means (m,3) of the vectors around each, by Gaussian weights; at the ends of those there are."""
    reach = int(TAILS_SD * AVERAGE_SD_S / step_s)
    lag_s = np.arange(-reach, reach + 1) * step_s
    weight = np.exp(-0.5 * (lag_s / AVERAGE_SD_S) ** 2)
    inside = slice(reach, reach + len(vectors))
    total = np.convolve(np.ones(len(vectors)), weight)[inside]
    return np.stack([np.convolve(column, weight)[inside] / total for column in vectors.T], axis=1)
