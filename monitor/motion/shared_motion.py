"""Two sensors of one trunk: how the headings of their earths differ, from the motion that both share.

Without a magnetometer each sensor's earth has a heading of its own, which drifts. But a bend or a sway turns upper and
lower back about nearly the same level axis: the angle between that axis as one sensor sees it and as the other does is
the difference of their headings, whatever the mounts are and however the trunk is twisted meanwhile. Not always in the same
sense: slumping, the pelvis rolls back while the chest goes forward. So axes are compared, and the sense is that of most motion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from monitor.core.blocks import PoseBlock
from monitor.core.inputs import FloatArray
from monitor.core.quaternion import rotate

IntArray: TypeAlias = npt.NDArray[np.int64]
ComplexArray: TypeAlias = npt.NDArray[np.complex128]
_Part = TypeVar("_Part", float, FloatArray)

HEADINGS = "headings"
"""Kind of the Mark by which a pass over the whole recording tells what was found."""
BIN_S = 0.2
"""Rates are averaged over this: a trunk bends and sways below 2 Hz. What is faster is skin, steps and wheels, which the two
sensors do not share; and sensors at different rates then compare."""
PIECE_BINS = 5
"""A second: within it the two turn in one sense."""
TILE_S = 10.0
NEAR_TILES = (1.0, 2.0, 3.0, 2.0, 1.0)
"""One minute of motion around each moment: headings of a good chip drift apart by some degrees in that time."""
LEAST_SWING_RAD2_S = 0.5
"""Sum of the squared level rate over time: a bend of 45 deg in a second. Less says nothing: who sits and fidgets moves upper
and lower back each in its own way."""
LEAST_ALIKE = 0.4
"""Share of the level motion that both have about one axis: so far apart that the angle is off by 40 deg from second to second.
Below this the two do not move as one trunk. (The angle is doubled, so this is stricter than it looks.)"""
AXES_SD_DEG = 2.0
AXES_SHARE = 0.15
"""What the axes of upper and lower back differ by where they are one from second to second, and by which share of their spread
in addition: the seconds of a minute, by their weights, count as 43 (wheelchair trials, each against one mount of the person)."""
MOUNTS_SD_DEG = 2.3
"""What the axes of upper and lower back differ by from one series of bends to another, by cameras (wheelchair_trunk) [I]: so far
are they from forwards that are right, and a forward that was found in some bends or steps, no better ones, from being right."""
HOLE_S = 0.25
"""The filter begins anew after a hole longer than 0.2 s, and with it the heading; a step at 20 Hz is no hole."""


@dataclass(frozen=True, slots=True)
class HeadingRun:
    """A stretch in which neither filter began anew. From `start_s` to `end_s` turning the upper sensor's earth by `turn`
    (k,) rad at the times `t_s` (k,), straight in between, gives the lower one's; `sd_deg` (k,) its standard deviation."""

    start_s: float
    end_s: float
    t_s: FloatArray
    turn: FloatArray
    sd_deg: FloatArray


def heading_runs(upper: Iterable[PoseBlock], lower: Iterable[PoseBlock]) -> list[HeadingRun]:
    """Where the difference of the headings is known, in order of time. Memory: 5 values a second of each sensor."""
    one, other = _level_rates(upper), _level_rates(lower)
    if not len(one.number) or not len(other.number):
        return []
    _, i, k = np.intersect1d(one.number, other.number, assume_unique=True, return_indices=True)
    piece = one.piece[i] + 1j * other.piece[k]
    cuts = np.flatnonzero(np.diff(piece) != 0) + 1
    numbers, product = one.number[i], np.conj(one.rate[i]) * other.rate[k]
    above, below = np.abs(one.rate[i]) ** 2, np.abs(other.rate[k]) ** 2
    columns = (numbers, product, above, below)
    runs = (_run(*part) for part in zip(*(np.split(column, cuts) for column in columns), strict=True))
    return [run for run in runs if run is not None]


def value_of(runs: Sequence[HeadingRun]) -> dict[str, Any]:
    """The value of a Mark `headings`."""
    return {
        "runs": [
            {
                "start_s": r.start_s,
                "end_s": r.end_s,
                "t_s": r.t_s.tolist(),
                "turn_rad": r.turn.tolist(),
                "sd_deg": r.sd_deg.tolist(),
            }
            for r in runs
        ]
    }


def runs_of(value: Mapping[str, Any]) -> list[HeadingRun]:
    """The runs of a Mark `headings`."""
    return [
        HeadingRun(
            r["start_s"], r["end_s"], np.array(r["t_s"]), np.array(r["turn_rad"]), np.array(r["sd_deg"])
        )
        for r in value["runs"]
    ]


def turn_at(runs: Sequence[HeadingRun], t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """By how much (n,) rad the upper sensor's earth is to be turned at `t_s` to be the lower one's, and the standard deviation
    of that in degrees; NaN where unknown."""
    turn, sd_deg = np.full((2, len(t_s)), np.nan)
    for run in runs:
        inside = slice(*np.searchsorted(t_s, (run.start_s, run.end_s)).tolist())
        if inside.start < inside.stop:
            turn[inside] = np.interp(t_s[inside], run.t_s, run.turn)
            sd_deg[inside] = np.interp(t_s[inside], run.t_s, run.sd_deg)
    return turn, sd_deg


def axes_variance_deg2(vector: _Part, swing_rad2_s: _Part) -> FloatArray:
    """How far the axis of shared motion may be off. `vector`: length of the sum of all seconds' doubled axes, which is no more
    than the swing; motion that says nothing counts as unlike, so that one bend is not sure of itself.

    The spread is that of a wrapped normal distribution of this mean (Mardia, Jupp: Directional Statistics, 2000).
    """
    spread_rad2 = np.log(vector / (swing_rad2_s + LEAST_SWING_RAD2_S)) / -2.0
    variance: FloatArray = AXES_SD_DEG**2 + AXES_SHARE**2 * np.degrees(np.degrees(spread_rad2))
    return variance


@dataclass(frozen=True, slots=True)
class _LevelRates:
    """Per bin: its number, the number of the piece it lies in, and the level angular rate x + iy in rad/s."""

    number: IntArray
    piece: IntArray
    rate: ComplexArray


def _level_rates(poses: Iterable[PoseBlock]) -> _LevelRates:
    numbers, pieces, rates = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, complex)]
    piece, last_s = 0, np.inf
    for pose in poses:
        if not len(pose) or pose.imu.gyr is None:
            continue
        t_s = pose.imu.t_s
        piece += int(t_s[0] - last_s > HOLE_S)
        last_s = float(t_s[-1])
        earth = rotate(pose.quat, pose.imu.gyr)
        number, first, count = np.unique(
            np.floor(t_s / BIN_S).astype(np.int64), return_index=True, return_counts=True
        )
        level = np.add.reduceat(earth[:, 0] + 1j * earth[:, 1], first) / count
        numbers.append(number)
        pieces.append(np.full(len(number), piece))
        rates.append(level)
    number, piece_of, rate = map(np.concatenate, (numbers, pieces, rates))
    # A bin cut by two blocks came twice: its first part stands for it.
    number, first = np.unique(number, return_index=True)
    return _LevelRates(number, piece_of[first], rate[first])


def _run(numbers: IntArray, product: ComplexArray, above: FloatArray, below: FloatArray) -> HeadingRun | None:
    """None where no tile of the run has motion enough."""
    tile = (numbers * BIN_S // TILE_S).astype(np.int64)
    second = numbers // PIECE_BINS - numbers[0] // PIECE_BINS
    piece = np.bincount(second, product.real) + 1j * np.bincount(second, product.imag)
    piece_tile = (np.arange(len(piece)) + numbers[0] // PIECE_BINS) * (PIECE_BINS * BIN_S) // TILE_S
    piece_tile = np.minimum(piece_tile.astype(np.int64), tile[-1]) - tile[0]
    tile -= tile[0]
    axis = piece * piece / np.where(piece != 0.0, np.abs(piece), 1.0)  # twice the angle: without the sense
    vector = _nearby(piece_tile, axis.real) + 1j * _nearby(piece_tile, axis.imag)
    # The upper back moves more: sizes are compared by their geometric mean.
    swing = np.sqrt(_nearby(tile, above) * _nearby(tile, below))
    good = (swing >= LEAST_SWING_RAD2_S) & (np.abs(vector) >= LEAST_ALIKE * swing)
    if not good.any():
        return None
    start_s, end_s = float(numbers[0] * BIN_S), float((numbers[-1] + 1) * BIN_S)
    middle_s = (numbers[0] * BIN_S // TILE_S + np.flatnonzero(good) + 0.5) * TILE_S
    turn = np.unwrap(np.angle(vector[good])) / 2.0
    sense = piece * np.exp(-1j * np.interp(piece_tile, np.flatnonzero(good), turn))
    turn += np.pi if sense.real.sum() < 0.0 else 0.0
    variance = axes_variance_deg2(np.abs(vector[good]), swing[good])
    return HeadingRun(start_s, end_s, middle_s, turn, np.sqrt(variance))


def _nearby(tile: IntArray, part: FloatArray) -> FloatArray:
    """Per tile the weighted sum over time of it and its neighbours."""
    half = len(NEAR_TILES) // 2
    sums = np.convolve(np.bincount(tile, part), NEAR_TILES, "full") * BIN_S
    return sums[half : len(sums) - half]
