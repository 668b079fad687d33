"""Still moments of the trunk, and the heading since the last one."""

from __future__ import annotations

import math

import numpy as np

from monitor.core.inputs import FloatArray

STILL_DEG_S = 3.0
STILL_S = 1.0
_TURN = 2.0 * math.pi
_NO_TURN = 3.0
"""Headings this close have no whole turn between them (rad)."""


class Still:
    """Still: an angular rate below 3 deg/s for at least 1 s. Carries what it needs from block to block of one segment."""

    def __init__(self) -> None:
        self._row = 0
        self._moved = -1
        self._still = -1
        self._zero = math.nan
        self._last_heading = math.nan
        self._turns = 0

    def rows(
        self, rate_deg_s: FloatArray, heading: FloatArray, rate_hz: float
    ) -> tuple[FloatArray, FloatArray]:
        """Per row: seconds since the last still row (inf: none yet), and radians turned since it, unwrapped (NaN: none).

        `rate_deg_s` (n,3); `heading` (n,) rad. NaN rates are never still.
        """
        if not len(heading):
            return np.empty(0), np.empty(0)
        first, n = self._row, len(heading)
        still_rows = math.ceil(STILL_S * rate_hz)
        x, y, z = rate_deg_s[:, 0], rate_deg_s[:, 1], rate_deg_s[:, 2]
        # Runs: each begins with a row that moves, but for the first, which goes on from the block before.
        loud = first + np.flatnonzero(~(x * x + y * y + z * z < STILL_DEG_S**2))
        moves = np.concatenate(((self._moved,), loud))
        ended = np.where(loud - moves[:-1] > still_rows, loud - 1, -1)
        stills = np.maximum.accumulate(np.concatenate(((self._still,), ended)))
        unwrapped = self._unwrap(heading)
        zeros = np.where(stills >= first, unwrapped[np.maximum(stills - first, 0)], self._zero)
        lengths = np.diff(np.concatenate(((first,), loud, (first + n,))))
        row = first + np.arange(n)
        still_now = row - np.repeat(moves, lengths) >= still_rows
        since_s = (row - np.repeat(stills, lengths)) / rate_hz
        if self._still < 0:
            since_s[np.repeat(stills < 0, lengths)] = math.inf
        since_s[still_now] = 0.0
        zero = np.where(still_now, unwrapped, np.repeat(zeros, lengths))
        self._row += n
        self._moved, self._zero = int(moves[-1]), float(zero[-1])
        self._still = first + n - 1 if still_now[-1] else int(stills[-1])
        return since_s, unwrapped - zero

    def forget_heading(self) -> None:
        """The mount changed: headings before and after do not compare."""
        self._zero = self._last_heading = math.nan

    def _unwrap(self, heading: FloatArray) -> FloatArray:
        """Whole turns are counted, never summed as angles: rounding cannot pile up."""
        before = np.concatenate(([self._last_heading], heading[:-1]))
        steps = heading - before
        self._last_heading = float(heading[-1])
        if not (np.abs(steps) > _NO_TURN).any():
            within: FloatArray = heading + _TURN * self._turns
            return within
        known = np.isfinite(steps)
        turns = self._turns - np.cumsum(np.where(known, np.rint(np.where(known, steps, 0.0) / _TURN), 0.0))
        self._turns = int(turns[-1])
        unwrapped: FloatArray = heading + _TURN * turns
        return unwrapped
