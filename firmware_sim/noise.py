"""Chance that is a pure function of (seed, stream, index): the same whatever is asked for, in whatever order.

SplitMix64 (Steele, Lea, Flood 2014) hashes the index; the sum of four 16-bit uniforms makes a bell that is bounded at 3.5
standard deviations: bodies have no outliers.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX_1 = np.uint64(0xBF58_476D_1CE4_E5B9)
_MIX_2 = np.uint64(0x94D0_49BB_1331_11EB)
_LOW_16 = np.uint64(0xFFFF)
_SUM_MEAN = 4 * 65535 / 2
_SUM_SD = float(np.sqrt(4 * (65536.0**2 - 1) / 12))
_SPLINE_POWER = 151 / 315
"""Mean variance of a cubic B-spline over unit white coefficients: the sum of its squared weights, averaged."""


def derive_seed(seed: int, *names: object) -> int:
    """A 63-bit seed for a named purpose."""
    text = "|".join((str(seed), *(str(name) for name in names)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def normal_at(seed: int, index: IntArray) -> FloatArray:
    """Unit white noise at integer positions."""
    with np.errstate(over="ignore"):
        x = (index.astype(np.uint64) + np.uint64(seed)) * _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _MIX_1
        x = (x ^ (x >> np.uint64(27))) * _MIX_2
        x ^= x >> np.uint64(31)
    total = (
        (x & _LOW_16)
        + ((x >> np.uint64(16)) & _LOW_16)
        + ((x >> np.uint64(32)) & _LOW_16)
        + (x >> np.uint64(48))
    )
    unit: FloatArray = (total.astype(np.float64) - _SUM_MEAN) / _SUM_SD
    return unit


def smooth_at(seed: int, first: int, count: int, step: int) -> FloatArray:
    """Unit noise at positions first .. first + count - 1 that keeps its value over about `step` positions.

    A cubic B-spline over white coefficients `step` apart: band-limited, twice differentiable.
    `first` and `count` are multiples of `step`, or `step` of `count` and `first` a multiple of `count`.
    """
    if step > count:
        part = first % step
        return smooth_at(seed, first - part, step, step)[part : part + count]
    coarse = normal_at(seed, np.arange(first // step - 1, (first + count) // step + 2, dtype=np.int64))
    weights = basis(np.arange(step) / step) / np.sqrt(_SPLINE_POWER)
    out = np.zeros((count // step, step))
    for j in range(4):
        out += coarse[j : j + count // step, None] * weights[j]
    return out.ravel()


def basis(u: FloatArray) -> FloatArray:
    """The four cubic B-spline weights (4, n) at fractions u (n,) of an interval."""
    v = 1.0 - u
    return (
        np.stack(
            (v * v * v, 4.0 - 6.0 * u * u + 3.0 * u * u * u, 4.0 - 6.0 * v * v + 3.0 * v * v * v, u * u * u)
        )
        / 6.0
    )
