"""Does the gyroscope turn as gravity does? A wrong unit or a dead chip looks like a quiet wearer otherwise."""

from __future__ import annotations

import numpy as np

from monitor.core.inputs import FloatArray
from monitor.sources.importers.mapping import STANDARD_GRAVITY_M_S2

WINDOW_S = 1.0
NEAR_GRAVITY = (0.9, 1.1)
"""A second's mean acceleration of this share of 1 g is gravity's, and so turns only with the sensor."""
TURNED_RAD = 0.2
"""From one second to the next: as much as a bend does and neither steps nor sway do."""
TURNED_TIMES_MIN = 3
"""So often, before anything is said: a knock or a ride may pretend one."""
TOLD_SHARE_MIN = 0.3
"""A gyroscope tells at least the whole of a turn of gravity; deg/s taken for rad/s, or none at all, tell a tenth at most."""
RATE_MAX_RAD_S = 12.0
"""Two turns a second on average over a second: no trunk does that, but rad/s made of deg/s do at every step."""

TOO_LITTLE = (
    "The gyroscope hardly turns where gravity does: its unit is wrong or it was off. Angles and postures are wrong "
    "while moving; say the unit in the names of the columns or with --map."
)
TOO_MUCH = (
    "The gyroscope turns faster than anybody can: its unit is wrong. Angles and postures are wrong; say the unit in the "
    "names of the columns or with --map."
)


class Turning:
    """Feed every block in order to `see`; `note` is then a sentence where the two disagree, else empty."""

    def __init__(self) -> None:
        self._turns = 0
        self._gravity_rad = 0.0
        self._told_rad = 0.0
        self._whirls = 0

    def see(self, t_s: FloatArray, acc: FloatArray, gyr: FloatArray) -> None:
        """`t_s` (n,) s, increasing; `acc` (n,3) m/s2 and `gyr` (n,3) rad/s, NaN allowed."""
        whole = np.isfinite(acc).all(axis=1) & np.isfinite(gyr).all(axis=1)
        seconds, starts, counts = np.unique(
            np.floor(t_s[whole] / WINDOW_S), return_index=True, return_counts=True
        )
        if not len(seconds):
            return
        mean = np.add.reduceat(acc[whole], starts, axis=0) / counts[:, None]
        rate = np.add.reduceat(np.sqrt(np.sum(gyr[whole] ** 2, axis=1)), starts) / counts
        self._whirls += int((rate > RATE_MAX_RAD_S).sum())
        length = np.sqrt(np.sum(mean**2, axis=1))
        still = np.abs(length / STANDARD_GRAVITY_M_S2 - sum(NEAR_GRAVITY) / 2) <= np.ptp(NEAR_GRAVITY) / 2
        pair = still[:-1] & still[1:] & (np.diff(seconds) == 1)
        between = np.sum(mean[:-1] * mean[1:], axis=1)[pair] / (length[:-1] * length[1:])[pair]
        turned = np.arccos(np.clip(between, -1.0, 1.0))
        told = (rate[:-1] + rate[1:])[pair] / 2 * WINDOW_S
        far = turned > TURNED_RAD
        self._turns += int(far.sum())
        self._gravity_rad += float(turned[far].sum())
        self._told_rad += float(told[far].sum())

    @property
    def note(self) -> str:
        if self._whirls >= TURNED_TIMES_MIN:
            return TOO_MUCH
        if self._turns >= TURNED_TIMES_MIN and self._told_rad < TOLD_SHARE_MIN * self._gravity_rad:
            return TOO_LITTLE
        return ""
