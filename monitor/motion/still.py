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
        row = self._row + np.arange(len(heading))
        x, y, z = rate_deg_s[:, 0], rate_deg_s[:, 1], rate_deg_s[:, 2]
        quiet = x * x + y * y + z * z < STILL_DEG_S**2
        moved = np.maximum.accumulate(np.where(quiet, self._moved, row))
        still_now = row - moved >= math.ceil(STILL_S * rate_hz)
        still = np.maximum.accumulate(np.where(still_now, row, self._still))
        unwrapped = self._unwrap(heading)
        here = still - self._row
        zero = np.where(here >= 0, unwrapped[np.maximum(here, 0)], self._zero)
        since_s = np.where(still >= 0, (row - still) / rate_hz, np.inf)
        self._row += len(heading)
        self._moved, self._still, self._zero = int(moved[-1]), int(still[-1]), float(zero[-1])
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
