"""Sit-to-stand and stand-to-sit from the waveform of one trunk sensor. Pure functions on fine frames of 0.1 s.

A change of posture is a peak of the trunk's squared rate with a lean of the trunk around it. Its direction is told by
the net vertical displacement of the sensor and by the step in tilt from upright (recipe R1 of the reference systems:
the sign of the displacement alone is right in 90 % of sits and all rises when the centre is right).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from monitor.core.inputs import BoolArray, FloatArray
from monitor.detect.reference import Direction3, angle_deg

IndexArray: TypeAlias = npt.NDArray[np.intp]

FINE_FRAME_S = 0.1  # length of a fine frame; shorter where the rate asks for it [I]

SMOOTH_FRAMES = 9  # squared rate smoothed over 0.9 s (R1: 0.8 s, here odd so that it stays centred)
PEAK_RADIUS_FRAMES = 10  # a peak is the largest within 1 s on either side [I]
PEAK_RATE_DEG_S = 15.0  # root of the smoothed squared rate at a peak [I]
CENTROID_RADIUS_FRAMES = 20  # the centre is the centroid of squared rate within 2 s (R1)
CENTRE_SHIFT_FRAMES = 8  # and no further than 0.8 s from the peak, so that the delay stays bounded [I]
DISPLACEMENT_RADIUS_FRAMES = 10  # net vertical displacement over 2 s around the centre (R1)
DISPLACEMENT_SCALE_M = 0.2  # R1
TILT_SCALE_DEG = 10.0  # R1
VOTE_CLIP = 1.5  # R1
VOTE_MIN = 0.3  # R1
EXCURSION_MIN_DEG = 20.0  # R1
END_TILT_MAX_DEG = 70.0  # both ends upright enough not to be lying (R1)
END_FRAMES = (10, 21)  # the ends are judged 1.0 to 2.1 s from the centre [I]
END_RATE_DEG_S = 20.0  # root mean square rate below which an end is at rest (R1 asks for stillness) [I]

REACH_FRAMES = CENTRE_SHIFT_FRAMES + END_FRAMES[1] + 1  # what a peak needs on either side


@dataclass(frozen=True, slots=True)
class Change:
    """A movement that may be a change of posture, centred `within` (0..1) of frame `frame` of the arrays given.

    `rise_m` net vertical displacement; `before`, `after` the vertical in body axes on either side; `still_before`,
    `still_after` whether the trunk was at rest there.
    """

    frame: int
    within: float
    rise_m: float
    before: Direction3
    after: Direction3
    still_before: bool
    still_after: bool

    def vote(self, upright: Direction3, *, tilt_tells: bool) -> float:
        """+ rising, - sitting down, 0 neither. `upright` is the wearer's own vertical; `tilt_tells`: its step counts."""
        tilt_before, tilt_after = angle_deg(self.before, upright), angle_deg(self.after, upright)
        if max(tilt_before, tilt_after) >= END_TILT_MAX_DEG:
            return 0.0
        vote = _clip(self.rise_m / DISPLACEMENT_SCALE_M)
        if tilt_tells:
            vote -= _clip((tilt_after - tilt_before) / TILT_SCALE_DEG)
        # One rises from rest and sits down to rest; a bend half-way does neither.
        still = self.still_before if vote > 0.0 else self.still_after
        return vote if still and abs(vote) >= VOTE_MIN else 0.0


def find_changes(
    up: FloatArray, rise_m_s2: FloatArray, squared_rate: FloatArray, first: int, stop: int
) -> list[Change]:
    """The changes whose peak lies in frames [first, stop), with a lean of the trunk of at least `EXCURSION_MIN_DEG`.

    `up` (3, m) mean vertical in body axes, `rise_m_s2` (m,) mean levelled vertical acceleration, `squared_rate` (m,)
    mean squared rate, (deg/s)^2. The arrays reach `REACH_FRAMES` before `first` and as far beyond `stop`. NaN gives
    nothing.
    """
    peaks = _peaks(squared_rate, first, stop)
    if not len(peaks):
        return []
    # The shift stays apart from the index: their sum would round differently for every cut of the stream.
    shift = _centroid_shifts(squared_rate, peaks)
    whole = np.floor(shift)
    near = peaks + np.rint(shift).astype(np.intp)
    low, high = END_FRAMES
    before = _direction(up, near - high, high - low)
    after = _direction(up, near + low + 1, high - low)
    middle = _windows(up, near - low, 2 * low + 1)
    lean = np.minimum(_cosine(middle, before[:, :, None]), _cosine(middle, after[:, :, None])).min(axis=1)
    rise = _displacement_m(rise_m_s2, near)
    still_before = _still(squared_rate, near - high, high - low)
    still_after = _still(squared_rate, near + low + 1, high - low)
    good = lean <= math.cos(math.radians(EXCURSION_MIN_DEG))
    return [
        Change(
            int(peaks[i] + whole[i]),
            float(shift[i] - whole[i]),
            float(rise[i]),
            _triple(before[:, i]),
            _triple(after[:, i]),
            bool(still_before[i]),
            bool(still_after[i]),
        )
        for i in np.flatnonzero(good)
    ]


def _clip(x: float) -> float:
    return max(-VOTE_CLIP, min(VOTE_CLIP, x))


def _triple(x: FloatArray) -> Direction3:
    return (float(x[0]), float(x[1]), float(x[2]))


def _peaks(squared_rate: FloatArray, first: int, stop: int) -> IndexArray:
    radius = PEAK_RADIUS_FRAMES
    half = SMOOTH_FRAMES // 2
    start = first - radius
    count = stop - first + 2 * radius
    smooth = squared_rate[start - half : start - half + count].copy()
    for shift in range(1, SMOOTH_FRAMES):
        smooth += squared_rate[start - half + shift : start - half + shift + count]
    smooth /= SMOOTH_FRAMES
    here = smooth[radius : count - radius]
    peak = here >= PEAK_RATE_DEG_S * PEAK_RATE_DEG_S
    if not peak.any():
        return np.empty(0, np.intp)
    for shift in range(1, radius + 1):
        peak &= here > smooth[radius - shift : count - radius - shift]
        peak &= here >= smooth[radius + shift : count - radius + shift]
    found: IndexArray = np.flatnonzero(peak) + first
    return found


def _windows(x: FloatArray, first: IndexArray, length: int) -> FloatArray:
    """Windows (..., n, length) of x (..., m), contiguous so that a sum over the last axis keeps the cut law."""
    return np.ascontiguousarray(x[..., first[:, None] + np.arange(length)])


def _centroid_shifts(squared_rate: FloatArray, peaks: IndexArray) -> FloatArray:
    radius = CENTROID_RADIUS_FRAMES
    weights = _windows(squared_rate, peaks - radius, 2 * radius + 1)
    offsets = np.arange(-radius, radius + 1.0)
    shift = (weights * offsets).sum(axis=1) / weights.sum(axis=1)
    bounded: FloatArray = np.clip(shift, -CENTRE_SHIFT_FRAMES, CENTRE_SHIFT_FRAMES)
    return bounded


def _direction(up: FloatArray, first: IndexArray, length: int) -> FloatArray:
    """Mean directions (3, n) over windows of `up`."""
    mean = _windows(up, first, length).sum(axis=2)
    direction: FloatArray = mean / np.sqrt(mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2])
    return direction


def _still(squared_rate: FloatArray, first: IndexArray, length: int) -> BoolArray:
    still: BoolArray = (
        _windows(squared_rate, first, length).sum(axis=1) < length * END_RATE_DEG_S * END_RATE_DEG_S
    )
    return still


def _cosine(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cosines of the angles between directions along the first axis (3, ...)."""
    cosine: FloatArray = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return cosine


def _displacement_m(rise_m_s2: FloatArray, near: IndexArray) -> FloatArray:
    """Net vertical displacement (n,) over the window, its mean acceleration removed so that the end velocities are equal."""
    radius = DISPLACEMENT_RADIUS_FRAMES
    window = _windows(rise_m_s2, near - radius, 2 * radius + 1)
    length = 2 * radius + 1
    window = window - (window.sum(axis=1) / length)[:, None]
    # Integrating twice by parts: displacement = sum a (T - t), with both end velocities zero.
    left = (length - 0.5 - np.arange(length)) * FINE_FRAME_S
    displacement: FloatArray = (window * left).sum(axis=1) * FINE_FRAME_S
    return displacement
