"""Where the trunk rests, and the movements in between. Pure functions on fine frames of 0.1 s.

Rest is judged twice: who fidgets rests in the one sense and never in the other, and who sits down slowly begins while the
trunk still rests in the first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray

REST_RATE_DEG_S = 13.0  # root mean square rate over half a second below which the trunk rests [I]
STILL_TURN_DEG = (
    2.0  # and turned on by less within it, the trunk is still: who moves slowly is below the other [I]
)
REST_SD_M_S2 = (
    0.45  # SD of the vertical acceleration over half a second at rest: three quarters of slow walking's [I]
)
REST_RADIUS_FRAMES = 2  # half a second
REST_FRAMES = 8  # a rest lasts 0.8 s: at the deepest lean the trunk stops too, but shorter [I]
BRIEF_REST_FRAMES = 4  # one stops for less on the way from walking to a seat [I]
PAUSE_FRAMES = 12  # and at the deepest lean for up to this long: such a rest may lie within a movement [I]
REST_LOOK_FRAMES = 8  # the level of a rest is the mean over this much of it [I]
MOVEMENT_FRAMES = (4, 48)  # a movement from rest to rest lasts 0.4 to 3.6 s [I]
EDGE_FRAMES = 2  # its edges belong to it: rest is judged over half a second
ONE_SIDE_FRAMES = 25  # with rest on one side only: what happens within 2.5 s of it [I]


def rests(up: FloatArray, rise_m_s2: FloatArray, squared_rate: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Where the trunk rests, and where it is still, (m,) each: turning slowly, and not going anywhere either.

    `up` (3, m) mean vertical in body axes, `rise_m_s2` (m,) mean levelled vertical acceleration, `squared_rate` (m,) mean
    (deg/s)^2; m is 5 at least. The last `REST_RADIUS_FRAMES` are not known yet and said not to, the first as many are as the
    one after them.
    """
    length = 2 * REST_RADIUS_FRAMES + 1
    count = len(rise_m_s2) - length + 1
    square = rise_m_s2 * rise_m_s2
    total, total2, rate2 = rise_m_s2[:count].copy(), square[:count].copy(), squared_rate[:count].copy()
    for shift in range(1, length):
        total += rise_m_s2[shift : shift + count]
        total2 += square[shift : shift + count]
        rate2 += squared_rate[shift : shift + count]
    total /= length
    total2 /= length
    total2 -= total * total
    resting = (total2 < REST_SD_M_S2**2) & (rate2 < length * REST_RATE_DEG_S**2)
    x, y, z = up[:, length - 1 :] - up[:, :count]
    still = resting & (x * x + y * y + z * z < math.radians(STILL_TURN_DEG) ** 2)
    return _with_edges(resting), _with_edges(still)


def _with_edges(inner: BoolArray) -> BoolArray:
    edge = np.zeros(REST_RADIUS_FRAMES, np.bool_)
    return np.concatenate((edge | inner[:1], inner, edge))


class Span(NamedTuple):
    """Frames [start, end) with a rest before and after them; one of the rests may be None."""

    settled: int
    start: int
    end: int
    before: tuple[int, int] | None
    after: tuple[int, int] | None


def spans(resting: BoolArray, first: int, stop: int) -> Iterator[Span]:
    """The movements between rests (m,) that are settled by the frames [first, stop), in the order of their rests."""
    shortest, longest = MOVEMENT_FRAMES
    low = max(0, first - longest - 2 * REST_FRAMES - REST_LOOK_FRAMES)
    if resting[low:stop].all():
        return
    edges = np.flatnonzero(np.diff(resting[low:stop].astype(np.int8), prepend=0, append=0)) + low
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    kept = [(a, b) for a, b in runs if b - a >= REST_FRAMES]
    for i, (a, b) in enumerate(kept):
        before = kept[i - 1] if i else None
        follows = kept[i + 1][0] if i + 1 < len(kept) else stop + longest
        if first < a + REST_FRAMES <= stop and a > low:
            rest = (a + EDGE_FRAMES, a + REST_LOOK_FRAMES)
            far = _stop_before(runs, a, before)
            if before is None or a - before[1] > longest:
                if far is None:
                    yield Span(a + REST_FRAMES, max(0, a - ONE_SIDE_FRAMES), a + EDGE_FRAMES, None, rest)
            elif a - before[1] >= shortest:
                yield _between(before, a, rest)
            if far is not None:
                yield _between(far, a, rest)
        settled = b + longest + REST_FRAMES
        if first < settled <= stop and follows > b + longest:
            left = b - EDGE_FRAMES
            look = (max(a, left - REST_LOOK_FRAMES), left)
            yield Span(settled, left, b + ONE_SIDE_FRAMES, look, None)


def _stop_before(
    runs: list[tuple[int, int]], start: int, before: tuple[int, int] | None
) -> tuple[int, int] | None:
    """The first stop, be it brief, from which one movement may have led to the rest at `start`; None if it is `before`."""
    shortest, longest = MOVEMENT_FRAMES
    first = None
    for a, b in reversed(runs):
        if b > start - shortest:
            continue
        if b < start - longest:
            break
        if b - a >= BRIEF_REST_FRAMES:
            first = (a, b)
        if b - a > PAUSE_FRAMES:
            break
    return None if first == before else first


def _between(before: tuple[int, int], start: int, rest: tuple[int, int]) -> Span:
    """From the rest `before` to the one at `start`, of which `rest` is looked at."""
    left = before[1] - EDGE_FRAMES
    look = (max(before[0], left - REST_LOOK_FRAMES), left)
    return Span(start + REST_FRAMES, left, start + EDGE_FRAMES, look, rest)
