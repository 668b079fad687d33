"""The last minute of angles, thinned to what a screen can show."""

from __future__ import annotations

import numpy as np

from monitor.core.blocks import LumbarBlock, TrunkBlock
from monitor.core.inputs import FloatArray

SPAN_S = 60.0
CELL_S = 0.05
"""One value per 0.05 s: a plot 600 pixels wide has one pixel per 0.1 s, and trunk movement ends below 10 Hz."""

BREAK_S = 0.2
"""A longer silence breaks the line (the filters restart after it too: the pipeline's gap rule)."""

_ON_EDGE = 1e-6
"""A row on the edge of a cell belongs to the cell it begins, whatever the division's last bit says."""

_COLUMNS = 4
_CAPACITY = int(SPAN_S / CELL_S) + 2


class MinuteRing:
    """Fold `push(block)` in time order. The first row of every 0.05 s cell is kept, however the rows were cut."""

    def __init__(self) -> None:
        # Twice the length: the live part is always one slice, moved to the front once a minute.
        self._t_s = np.full(2 * _CAPACITY, np.nan)
        self._deg = np.full((2 * _CAPACITY, _COLUMNS), np.nan)
        self._end = 0
        self._cell = -np.inf
        self._last_s = -np.inf

    def push(self, block: TrunkBlock | LumbarBlock) -> None:
        """Keep one row per cell; NaN where `ok` is False. A step back in time (a new recording) starts afresh."""
        if not len(block):
            return
        if block.t_s[0] < self._last_s:
            self.clear()
        if block.t_s[0] - self._last_s > BREAK_S and np.isfinite(self._last_s):
            self._append(np.array([self._last_s]), np.full((1, _COLUMNS), np.nan))
        self._last_s = float(block.t_s[-1])
        cells = np.floor(block.t_s / CELL_S + _ON_EDGE)
        keep = np.flatnonzero(np.diff(cells, prepend=self._cell) > 0)
        if not len(keep):
            return
        self._cell = float(cells[-1])
        # Between two sensors there is no inclination: its column stays empty.
        inclination = block.inclination_deg if isinstance(block, TrunkBlock) else np.full(len(block), np.nan)
        angles = (block.flexion_deg, block.lateral_deg, block.rotation_deg, inclination)
        deg = np.column_stack([column[keep] for column in angles])
        deg[~block.ok[keep]] = np.nan
        self._append(block.t_s[keep], deg)

    def clear(self) -> None:
        self._end = 0
        self._cell = self._last_s = -np.inf

    def window(self, present_s: float) -> tuple[FloatArray, FloatArray]:
        """Seconds before `present_s` (n,), ascending from -60 to at most 0, and degrees (n, 4).

        Columns: flexion, lateral bend, rotation, inclination. NaN breaks the line.
        """
        t_s, deg = self._t_s[: self._end], self._deg[: self._end]
        first = int(np.searchsorted(t_s, present_s - SPAN_S))
        last = int(np.searchsorted(t_s, present_s, side="right"))
        return t_s[first:last] - present_s, deg[first:last]

    def _append(self, t_s: FloatArray, deg: FloatArray) -> None:
        t_s, deg = t_s[-_CAPACITY:], deg[-_CAPACITY:]
        n = len(t_s)
        if self._end + n > len(self._t_s):
            kept = min(self._end, _CAPACITY)
            self._t_s[:kept] = self._t_s[self._end - kept : self._end].copy()
            self._deg[:kept] = self._deg[self._end - kept : self._end].copy()
            self._end = kept
        self._t_s[self._end : self._end + n] = t_s
        self._deg[self._end : self._end + n] = deg
        self._end += n
