"""Lumbar angles waiting for the rows of a table that they belong to."""

from __future__ import annotations

import numpy as np

from monitor.core.blocks import LumbarBlock
from monitor.core.inputs import FloatArray

LUMBAR = ("lumbar_flexion_deg", "lumbar_lateral_deg", "lumbar_rotation_deg")


class LumbarColumns:
    """LumbarBlocks in order of time; `at` gives them for other rows, `forget` drops what no later row asks for."""

    def __init__(self) -> None:
        self._times = np.empty(0)
        self._angles = np.empty((len(LUMBAR), 0))
        self._blocks: list[LumbarBlock] = []

    def push(self, block: LumbarBlock) -> None:
        self._blocks.append(block)

    def at(self, t_s: FloatArray, within_s: float) -> FloatArray:
        """(3,n) columns of `LUMBAR`: those of the nearest row, NaN where none is within `within_s`."""
        self._join()
        if not len(self._times):
            return np.full((len(LUMBAR), len(t_s)), np.nan)
        right = np.clip(np.searchsorted(self._times, t_s), 1, max(len(self._times) - 1, 1))
        right = np.minimum(right, len(self._times) - 1)
        left = np.maximum(right - 1, 0)
        nearer_left = t_s - self._times[left] <= self._times[right] - t_s
        nearest = np.where(nearer_left, left, right)
        near = np.abs(self._times[nearest] - t_s) <= within_s
        return np.where(near, self._angles[:, nearest], np.nan)

    def forget(self, before_s: float) -> None:
        """Drop the rows up to `before_s`, except the last, which may be the nearest to what comes."""
        self._join()
        first = max(int(np.searchsorted(self._times, before_s, side="right")) - 1, 0)
        self._times, self._angles = self._times[first:].copy(), self._angles[:, first:].copy()

    def _join(self) -> None:
        if self._blocks:
            blocks = self._blocks
            angles = [np.stack((b.flexion_deg, b.lateral_deg, b.rotation_deg)) for b in blocks]
            self._times = np.concatenate([self._times, *(b.t_s for b in blocks)])
            self._angles = np.concatenate([self._angles, *angles], axis=1)
            self._blocks = []
