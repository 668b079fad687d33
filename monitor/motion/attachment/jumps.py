"""Jumps of the vertical in sensor axes: from one rest to another within half a second, as a sensor slips and no trunk moves."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from monitor.core.inputs import FloatArray

WITHIN_S = 0.4
"""A jump is this quick. Of a smooth movement of 0.7 s no more than 0.86 of the way lies in it."""
SHARE = 0.9
"""Least share of the whole way that lies in it [I]."""
LEAST_DEG, MOST_DEG = 4.5, 45.0
"""Of its way; beyond, something else than a slip happened [I]."""
REST_S = 0.8
"""The vertical rests for this long on either side [I]."""
APART_S = 0.2
"""Between the rests and the quick part [I]."""
REST_DEG = 1.2
"""Largest distance from its mean at rest [I]."""


class Jump(NamedTuple):
    """Mean verticals `before` and `after`, in sensor axes; it is known by frame `frame`."""

    frame: int
    before: tuple[float, float, float]
    after: tuple[float, float, float]


class Jumps:
    """Looks for jumps in frames of `frame_s`, each frame once."""

    def __init__(self, frame_s: float) -> None:
        self._quick = max(1, round(WITHIN_S / frame_s))
        self._rest = max(2, round(REST_S / frame_s))
        self._apart = max(1, round(APART_S / frame_s))
        self._back = self._rest + self._apart
        self._ahead = self._quick + self._apart + self._rest
        self._next = self._back + self._quick

    def find(self, up: FloatArray, first: int, stop: int) -> list[Jump]:
        """The jumps known by frame `stop`, exclusive. `up` (3, m) begins with frame `first`."""
        start, end = self._next, stop - self._ahead - self._quick
        if end <= start:
            return []
        self._next = end
        quick = self._quick
        low = start - quick - first
        n = end - start + 2 * quick
        near, far = up[:, low : low + n], up[:, low + quick : low + quick + n]
        cosine = near[0] * far[0] + near[1] * far[1] + near[2] * far[2]
        here = cosine[quick:-quick]
        likely = np.flatnonzero(here <= math.cos(math.radians(LEAST_DEG * SHARE)))
        if not len(likely):
            return []
        around = cosine[likely[:, None] + np.arange(2 * quick + 1)]
        # The quickest stretch of its neighbourhood, the first of equals.
        likely = likely[np.argmin(around, axis=1) == quick]
        return [jump for i in likely.tolist() if (jump := self._jump(up, start + i - first, start + i))]

    def _jump(self, up: FloatArray, at: int, frame: int) -> Jump | None:
        before = self._resting(up[:, at - self._back + 1 : at - self._apart + 1])
        far = at + self._quick + self._apart
        after = self._resting(up[:, far : far + self._rest])
        if before is None or after is None:
            return None
        way = _angle(before, after)
        quick = _angle(up[:, at], up[:, at + self._quick])
        if not (math.radians(LEAST_DEG) <= way <= math.radians(MOST_DEG) and quick >= SHARE * way):
            return None
        (a, b, c), (x, y, z) = before.tolist(), after.tolist()
        return Jump(frame + self._ahead + self._quick, (a, b, c), (x, y, z))

    def _resting(self, up: FloatArray) -> FloatArray | None:
        """The mean direction of frames at rest."""
        sums = np.ascontiguousarray(up).sum(axis=1)
        mean: FloatArray = sums / math.sqrt(float(sums[0] * sums[0] + sums[1] * sums[1] + sums[2] * sums[2]))
        off = up - mean[:, None]
        far = float((off[0] * off[0] + off[1] * off[1] + off[2] * off[2]).max())
        return mean if far <= math.radians(REST_DEG) ** 2 else None


def _angle(a: FloatArray, b: FloatArray) -> float:
    cosine = float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
    return math.acos(max(-1.0, min(1.0, cosine)))
