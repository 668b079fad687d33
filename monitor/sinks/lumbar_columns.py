"""Lumbar angles waiting for the rows of a table that they belong to."""

from __future__ import annotations

import numpy as np

from monitor.core.blocks import LumbarBlock
from monitor.core.inputs import FloatArray

_ANGLES = ("flexion_deg", "lateral_deg", "rotation_deg")
_DEVIATIONS = ("flexion_sd_deg", "lateral_sd_deg", "rotation_sd_deg")
LUMBAR = tuple(f"lumbar_{name}" for name in (*_ANGLES, *_DEVIATIONS))


class LumbarColumns:
    """LumbarBlocks in order of time; `at` gives them for other rows, `forget` drops what no later row asks for."""

    def __init__(self) -> None:
        self._times = np.empty(0)
        self._columns = np.empty((len(LUMBAR), 0))
        self._blocks: list[LumbarBlock] = []

    def push(self, block: LumbarBlock) -> None:
        self._blocks.append(block)

    def at(self, t_s: FloatArray, within_s: float) -> FloatArray:
        """(6,n) columns of `LUMBAR`: those of the nearest row, NaN where none is within `within_s`."""
        self._join()
        if not len(self._times):
            return np.full((len(LUMBAR), len(t_s)), np.nan)
        right = np.clip(np.searchsorted(self._times, t_s), 1, max(len(self._times) - 1, 1))
        right = np.minimum(right, len(self._times) - 1)
        left = np.maximum(right - 1, 0)
        nearer_left = t_s - self._times[left] <= self._times[right] - t_s
        nearest = np.where(nearer_left, left, right)
        near = np.abs(self._times[nearest] - t_s) <= within_s
        return np.where(near, self._columns[:, nearest], np.nan)

    def forget(self, before_s: float) -> None:
        """Drop the rows up to `before_s`, except the last, which may be the nearest to what comes."""
        self._join()
        first = max(int(np.searchsorted(self._times, before_s, side="right")) - 1, 0)
        self._times, self._columns = self._times[first:].copy(), self._columns[:, first:].copy()

    def _join(self) -> None:
        if self._blocks:
            blocks = self._blocks
            self._times = np.concatenate([self._times, *(b.t_s for b in blocks)])
            self._columns = np.concatenate([self._columns, *map(_columns, blocks)], axis=1)
            self._blocks = []


def _columns(block: LumbarBlock) -> FloatArray:
    unknown = np.full(len(block), np.nan)
    stated = (getattr(block, name) for name in _DEVIATIONS)
    deviations = (unknown if sd is None else np.round(sd, 2) for sd in stated)
    return np.stack((*(getattr(block, name) for name in _ANGLES), *deviations))
