"""A sensor that nobody wears: laid down on one side after the other by hand, as for calibrating it."""

from __future__ import annotations

import numpy as np

from firmware_sim.body import GRAVITY_M_S2
from firmware_sim.kinematics import Columns
from firmware_sim.noise import FloatArray, derive_seed
from firmware_sim.plan import min_jerk
from firmware_sim.scenario import Scenario

_SHAKE_M_S2 = 0.8
_SHAKE_HZ = 7.0
"""A hand that carries something trembles at 6 to 10 Hz [I]."""


class Turned:
    """Takes the wearer's place under a chip (imu.Carrier). A pure function of (scenario, seed, time).

    The six sides come first, in an order the seed draws, then tilted poses; each is off by about `tilt_deg`, for tables
    are not level and hands not exact. After the last pose it begins again.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        plan = scenario.turned
        rng = np.random.default_rng(derive_seed(seed, "turned"))
        grid = np.array(
            [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z]
        )
        sides = rng.permutation(grid[np.sum(np.abs(grid), axis=1) == 1])
        tilted = rng.permutation(grid[np.sum(np.abs(grid), axis=1) > 1])
        wanted = np.concatenate((sides, tilted))[: plan.poses].astype(float)
        wanted /= np.sqrt(np.sum(wanted * wanted, axis=1))[:, None]
        self._up = wanted + np.radians(plan.tilt_deg) * rng.standard_normal(wanted.shape)
        self._up /= np.sqrt(np.sum(self._up * self._up, axis=1))[:, None]
        following = np.roll(self._up, -1, axis=0)
        axis = np.cross(self._up, following)
        # Opposite sides leave the way open: any axis across will do.
        across = np.cross(self._up, np.roll(self._up, 1, axis=1))
        opposite = np.sum(axis * axis, axis=1) < 1e-6
        axis[opposite] = across[opposite]
        self._axis = axis / np.sqrt(np.sum(axis * axis, axis=1))[:, None]
        self._angle = np.arccos(np.clip(np.sum(self._up * following, axis=1), -1.0, 1.0))

    @property
    def round_s(self) -> float:
        """Length of one round."""
        plan = self.scenario.turned
        return plan.poses * (plan.hold_s + plan.turn_s)

    def felt(self, times_s: FloatArray, placement: str) -> tuple[Columns, Columns]:  # noqa: ARG002 - as imu.Carrier
        """Angular rate (rad/s) and specific force (m/s2), three columns each. The same at every `placement`."""
        plan = self.scenario.turned
        slot = plan.hold_s + plan.turn_s
        number = np.floor(times_s / slot).astype(np.int64)
        share = np.clip((times_s - number * slot - plan.hold_s) / plan.turn_s, 0.0, 1.0)
        pose = number % plan.poses
        angle = self._angle[pose] * min_jerk(share)
        speed = self._angle[pose] * 30.0 * share * share * (1.0 - share) * (1.0 - share) / plan.turn_s
        up, axis = self._up[pose].T, self._axis[pose].T
        aside = np.cross(axis.T, up.T).T
        shake = _SHAKE_M_S2 * np.sin(np.pi * share) * np.sin(2.0 * np.pi * _SHAKE_HZ * times_s)
        cos, sin = np.cos(angle), np.sin(angle)
        force = [GRAVITY_M_S2 * (up[i] * cos + aside[i] * sin) + shake * axis[i] for i in range(3)]
        # The earth turns against the sensor: the vertical moves about `axis`, the sensor about its opposite.
        rate = [-speed * axis[i] for i in range(3)]
        return (rate[0], rate[1], rate[2]), (force[0], force[1], force[2])
