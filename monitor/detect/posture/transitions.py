"""Sit-to-stand and stand-to-sit from the waveform of one trunk sensor. Pure functions on fine frames of 0.1 s.

A movement is what lies between two rests. Integrating its vertical acceleration twice, the velocity being zero at either
rest and the accelerometer's offset known there, gives by how much it sank or rose. Who sits down sinks by a seat's height;
the trunk leans forward meanwhile and *comes back*, while who squats or bends goes straight to where he stays; a seat stops
the fall; and the pelvis ends rolled back. With rest on one side only (walking up to a chair) the velocity is known there
alone; with none at all (up and down again and again) only a vigorous lobe of the velocity tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from monitor.core.inputs import BoolArray, FloatArray
from monitor.detect.posture.changes import SEAT_DROP_MIN_M, Change
from monitor.detect.posture.rests import MOVEMENT_FRAMES, REST_FRAMES, REST_LOOK_FRAMES, Span, spans
from monitor.detect.reference import Direction3

IndexArray: TypeAlias = npt.NDArray[np.intp]

FINE_FRAME_S = 0.1  # length of a fine frame; shorter where the rate asks for it [I]

SEAT_SHARE = (
    0.6  # the seat is lost and found where the velocity passes this share of its peak (seat force plate) [I]
)
SPENT_SHARE = 0.2  # a velocity down to this share of its peak has ended there [I]
LOBE_RADIUS_FRAMES = 20  # velocity without any rest: from the acceleration within 2 s on either side [I]
LOBE_FRAMES = 15  # a lobe of it lasts no longer than 1.5 s [I]
LOBE_SPEED_M_S = 0.2  # half the speed of rising quickly from a seat (seat force plate: 0.45) [I]
LOBE_RISE_M = 0.13  # and six tenths of its area (seat force plate: 0.22) [I]
LOBE_ENDS_FRAMES = (13, 21)  # where the trunk was and ends: 1.3 to 2.0 s from the largest velocity [I]

BIAS_SD_M_S2, LEVEL_SD_M_S2 = (
    0.5,
    0.05,
)  # an uncalibrated accelerometer's bias (50 mg), and how well a rest shows it [I]

REACH_FRAMES = MOVEMENT_FRAMES[1] + 2 * (REST_FRAMES + REST_LOOK_FRAMES) + 2 * LOBE_RADIUS_FRAMES
"""How far back `find_changes` looks from the first frame it is to decide at."""
_LOBE = 0.5 * np.cos(np.pi * np.arange(1, LOBE_RADIUS_FRAMES + 1) / (2 * LOBE_RADIUS_FRAMES + 1)) ** 2


def find_changes(
    up: FloatArray,
    rise_m_s2: FloatArray,
    resting: BoolArray,
    still: BoolArray,
    first: int,
    stop: int,
    frame_s: float,
    *,
    coarse: bool = False,
) -> list[Change]:
    """The movements that are settled by the frames [first, stop), each `frame_s` long, in the order in which they are.

    `up` (3, m) mean vertical in body axes, `rise_m_s2` (m,) mean levelled vertical acceleration, `resting` and `still`
    (m,) of `rests`: a movement between rests of either kind counts. The arrays reach `REACH_FRAMES` before `first`. NaN
    gives nothing. `coarse`: a frame holds so few rows that a jolt between two of them spoils the integral from rest to rest.
    """
    ways = dict.fromkeys((*spans(resting, first, stop), *spans(still, first, stop)))
    found = [
        change for span in ways if (change := _measure(up, rise_m_s2, span, frame_s, coarse)) is not None
    ]
    found += _lobes(up, rise_m_s2, resting, first - LOBE_RADIUS_FRAMES, stop - LOBE_RADIUS_FRAMES, frame_s)
    return sorted(found, key=lambda change: (change.settled, change.frame))


def _measure(up: FloatArray, rise: FloatArray, span: Span, frame_s: float, coarse: bool) -> Change | None:
    """What moved in a span; None where one rest is not enough to say."""
    settled, start, end, before, after = span
    if before is not None and after is not None:
        ends = _direction(up, *before), _direction(up, *after)
        offset = _offset(up[:, start:end], *ends, _level(rise, before), _level(rise, after))
        velocity = np.cumsum(rise[start:end] - offset) * frame_s
        velocity -= velocity[-1] * (np.arange(end - start) + 1.0) / (end - start)
        change = _change(velocity, up, settled, start, ends, frame_s, rests=2, at=1.0)
        return replace(change, rise_m=_lobe_rise_m(rise[start:end], frame_s)) if coarse else change
    known = before or after
    assert known is not None
    way = rise[start:end] - _level(rise, known)
    velocity = np.cumsum(way if before else way[::-1]) * frame_s
    length = _spent(velocity)
    if length is None:
        return None
    if before:
        last = start + length
        ends = _direction(up, *before), _direction(up, last, last + REST_LOOK_FRAMES)
        velocity = velocity[:length]
    else:
        start = end - length
        ends = _direction(up, start - REST_LOOK_FRAMES, start), _direction(up, *known)
        velocity = -velocity[:length][::-1]
    change = _change(velocity, up, settled, start, ends, frame_s, rests=1, at=1.0 if before else 0.0)
    return change if abs(change.rise_m) >= SEAT_DROP_MIN_M else None


def _offset(
    up: FloatArray, before: Direction3, after: Direction3, level_before: float, level_after: float
) -> FloatArray:
    """The accelerometer's offset along the vertical on the way between two rests, (n,) m/s2, for `up` (3, n).

    A bias goes with the direction of the vertical in body axes: what differs between the rests is put down to the way
    between them, as far as that is long enough to show one, and the rest of it to time.
    """
    way = [b - a for a, b in zip(before, after, strict=True)]
    length2 = way[0] * way[0] + way[1] * way[1] + way[2] * way[2]
    shown2 = length2 + (LEVEL_SD_M_S2 / BIAS_SD_M_S2) ** 2
    along = sum((up[i] - before[i]) * way[i] for i in range(3)) / shown2
    n = up.shape[1]
    late = (np.arange(n) + 0.5) / n
    offset: FloatArray = level_before + (level_after - level_before) * (
        along + (1.0 - length2 / shown2) * late
    )
    return offset


def _lobe_rise_m(rise: FloatArray, frame_s: float) -> float:
    """Displacement in the largest lobe of the velocity: what it is made of lies within 2 s, whatever came before."""
    kernel = np.concatenate((-_LOBE[::-1], (0.0,), _LOBE)) * frame_s
    velocity = np.convolve(
        rise - np.sum(rise.copy()) / len(rise), kernel, "same" if len(rise) >= len(kernel) else "full"
    )
    peak = int(np.argmax(np.abs(velocity)))
    against = np.flatnonzero(velocity * velocity[peak] <= 0.0)
    low = against[against < peak].max(initial=-1) + 1
    high = against[against > peak].min(initial=len(velocity))
    return float(np.sum(velocity[low:high].copy())) * frame_s


def _spent(velocity: FloatArray) -> int | None:
    """How many frames it takes until the largest velocity is spent; None where it is not."""
    size = np.abs(velocity)
    peak = int(np.argmax(size))
    over = np.flatnonzero(velocity[peak:] * np.sign(velocity[peak]) < SPENT_SHARE * size[peak])
    return peak + int(over[0]) + 1 if len(over) and peak else None


def _change(
    velocity: FloatArray,
    up: FloatArray,
    settled: int,
    start: int,
    ends: tuple[Direction3, Direction3],
    frame_s: float,
    *,
    rests: int,
    at: float,
) -> Change:
    """From the velocity (n,) from frame `start` on, each `at` within its frame: 0 where it begins, 1 where it ends."""
    rise_m = float(np.sum(velocity.copy())) * frame_s
    along = velocity if rise_m > 0 else -velocity
    frame, within = _seat(along, sinking=rise_m < 0.0, at=at)
    stop_m_s = max(0.0, -float(along.min()))
    span = (start, start + len(velocity))
    signs = (*_lean(up[:, slice(*span)], ends, sinking=rise_m < 0.0), stop_m_s)
    return Change(settled, start + frame, within, span, rise_m, *signs, *ends, rests)


def _seat(along: FloatArray, *, sinking: bool, at: float) -> tuple[int, float]:
    """When the seat is lost or found: the frame, and where within it (0..1).

    That is where the velocity along the movement passes SEAT_SHARE of its peak, `at` says where in a frame it holds.
    """
    peak = int(np.argmax(along))
    under = along <= SEAT_SHARE * along[peak]
    passed = np.flatnonzero(under[peak:]) + peak - 1 if sinking else np.flatnonzero(under[:peak])[::-1]
    if not len(passed) or not along[peak] > 0.0:
        return peak, at
    k = int(passed[0])
    here, then = along[k : k + 2].tolist()
    share = (SEAT_SHARE * float(along[peak]) - here) / (then - here)
    whole = math.floor(at + share)
    return k + whole, at + share - whole


def _lean(up: FloatArray, ends: tuple[Direction3, Direction3], *, sinking: bool) -> tuple[float, float]:
    """How far the directions `up` (3, n) come off the great circle between the ends, and how far the trunk rolled back.

    That is by how much the seated end lies on the other side of the standing one than the lean (less than 0: on its side).
    """
    before, after = ends
    way = [b - a for a, b in zip(before, after, strict=True)]
    from_start = [up[i] - before[i] for i in range(3)]
    length2 = way[0] * way[0] + way[1] * way[1] + way[2] * way[2]
    share = from_start[0] * way[0] + from_start[1] * way[1] + from_start[2] * way[2]
    share = np.clip(share / length2, 0.0, 1.0) if length2 > 0.0 else share * 0.0
    # The chord lies below the circle: by this much at each share of it.
    below = np.sqrt(1.0 - share * (1.0 - share) * length2)
    off = [up[i] - (before[i] + share * way[i]) / below for i in range(3)]
    off2 = off[0] * off[0] + off[1] * off[1] + off[2] * off[2]
    most = int(np.argmax(off2))
    stood = before if sinking else after
    lean = [float(up[i, most]) - stood[i] for i in range(3)]
    along = (lean[0] * way[0] + lean[1] * way[1] + lean[2] * way[2]) * (-1.0 if sinking else 1.0)
    size = math.sqrt(lean[0] * lean[0] + lean[1] * lean[1] + lean[2] * lean[2])
    return math.degrees(math.sqrt(float(off2[most]))), math.degrees(along / size) if size else 0.0


def _lobes(
    up: FloatArray, rise: FloatArray, resting: BoolArray, first: int, stop: int, frame_s: float
) -> Iterator[Change]:
    """Lobes of the velocity that end in the frames [first, stop), as far as 2 s on either side tell it."""
    radius = LOBE_RADIUS_FRAMES
    low, high = max(radius, first - LOBE_FRAMES - 1), stop
    if high <= low or resting[low - radius : high + radius].all():
        return
    velocity = np.zeros(high - low)
    for k in range(1, radius + 1):
        velocity += _LOBE[k - 1] * (rise[low - k : high - k] - rise[low + k : high + k])
    velocity *= frame_s
    fast = np.abs(velocity) >= LOBE_SPEED_M_S
    if not fast.any():
        return
    near, far = LOBE_ENDS_FRAMES
    edges = np.flatnonzero(np.diff(np.sign(velocity), prepend=0.0, append=0.0))
    starts, ends = edges[:-1], edges[1:]
    known = np.concatenate(((0,), np.cumsum(fast)))
    likely = (first - low <= ends) & (ends < stop - low) & (ends - starts <= LOBE_FRAMES)
    likely &= known[ends] > known[starts]
    for a, b in zip(starts[likely].tolist(), ends[likely].tolist(), strict=True):
        lobe = velocity[a:b].copy()
        rise_m = float(lobe.sum()) * frame_s
        if not abs(rise_m) >= LOBE_RISE_M or resting[low + a - radius : low + b + radius].all():
            continue
        along = np.abs(lobe)
        peak = int(np.argmax(along))
        centre = low + a + peak
        beside = (
            _direction(up, centre - far + 1, centre - near + 1),
            _direction(up, centre + near, centre + far),
        )
        lean = _lean(up[:, max(0, centre - near) : centre + near + 1], beside, sinking=rise_m < 0.0)
        span = (low + a, low + b)
        frame, within = _seat(along, sinking=rise_m < 0.0, at=0.5)
        yield Change(low + b + radius + 1, low + a + frame, within, span, rise_m, *lean, 0.0, *beside, 0)


def _level(x: FloatArray, span: tuple[int, int]) -> float:
    return float(np.sum(x[span[0] : span[1]].copy())) / (span[1] - span[0])


def _direction(up: FloatArray, first: int, stop: int) -> Direction3:
    """Mean direction over the frames [first, stop)."""
    x, y, z = (float(np.sum(axis[max(0, first) : stop].copy())) for axis in up)
    norm = math.sqrt(x * x + y * y + z * z)
    return (x / norm, y / norm, z / norm) if norm else (math.nan, math.nan, math.nan)
