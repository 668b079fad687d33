"""Smoothness of a movement: SPARC, the spectral arc length of its speed (Balasubramanian 2015). Nearer to 0 is smoother."""

from __future__ import annotations

import math

import numpy as np

from monitor.core.inputs import FloatArray

CUTOFF_HZ = 10.0  # nothing a trunk does on purpose is faster [I]; the method's usual setting
LEAST_SHARE = 0.05  # of the largest amplitude: the arc ends at the last frequency that has as much; the usual setting [I]
PADDING_LEVELS = 4  # the spectrum is sampled 16 times finer than the data give it; the usual setting [I]
ARRIVED_SHARE = 0.95  # of the way out: what follows is settling or lingering [I]
SLOW_SHARE = 0.05  # of the greatest rate: the usual end of a movement [I]
LEAST_ROWS = 5  # fewer say nothing of smoothness [I]


def sparc(speed: FloatArray, rate_hz: float) -> float:
    """SPARC of a speed profile (n,) in any unit. NaN for fewer than five rows, no speed at all or unknown values.

    -1.406 for a minimum-jerk movement of any duration at any rate from 25 Hz on.
    """
    if len(speed) < LEAST_ROWS:
        return math.nan
    size = 2 ** (math.ceil(math.log2(len(speed))) + PADDING_LEVELS)
    count = min(int(CUTOFF_HZ * size / rate_hz), size // 2) + 1
    amplitude = np.abs(np.fft.rfft(speed, size))[:count]
    largest = float(amplitude.max())
    if not largest > 0.0:
        return math.nan
    amplitude /= largest
    enough = np.flatnonzero(amplitude >= LEAST_SHARE)
    arc = amplitude[: enough[-1] + 1]
    if len(arc) < 2:
        return math.nan
    step = 1.0 / (len(arc) - 1)
    rise = np.diff(arc)
    return -float(np.sqrt(step * step + rise * rise).sum())


def outward(angle_deg: FloatArray, rate_deg_s: FloatArray) -> int:
    """How many rows of a movement lead out to its peak: up to where, all but there, its rate has died down or turned.

    `angle_deg` (n,) and `rate_deg_s` (n,) positive on the way out.
    """
    first, peak = float(angle_deg[0]), float(angle_deg.max())
    there = int(np.argmax(angle_deg >= first + ARRIVED_SHARE * (peak - first)))
    slow = rate_deg_s[there:] < SLOW_SHARE * rate_deg_s.max()
    return there + (int(np.argmax(slow)) + 1 if slow.any() else len(slow))
