"""Inertial chips: their errors as a data sheet gives them, one specimen drawn from those, and its noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.body import GRAVITY_M_S2
from firmware_sim.noise import FloatArray, derive_seed
from firmware_sim.scenario import CHIP_NAMES

COUNTS_PER_FULL_SCALE = 32_768.0
_NOISE_ROWS = 4096


@dataclass(frozen=True, slots=True)
class ImuParams:
    """Errors of a chip. Spreads are one standard deviation between chips; a data sheet's typical value is read as that.

    Defaults: Bosch BMI270. Noise densities, ranges and the zero-rate offset as its data sheet (BST-BMI270-DS000) is quoted in
    public [S]; the other data-sheet values from memory [M]; drift and temperatures are orders of magnitude [I].
    """

    acc_full_scale_g: float = 8.0
    gyr_full_scale_deg_s: float = 1000.0
    acc_noise_ug_sqrt_hz: float = 160.0
    """[S]"""
    gyr_noise_mdeg_s_sqrt_hz: float = 7.0
    """[S] performance mode"""
    bandwidth_hz: float = 40.0
    """[M] normal filter at 100 Hz"""
    acc_offset_mg: float = 20.0
    """[M]"""
    gyr_offset_deg_s: float = 0.5
    """[S]"""
    acc_offset_mg_per_k: float = 0.25
    """[M]"""
    gyr_offset_deg_s_per_k: float = 0.02
    """[M]"""
    acc_scale_error: float = 0.004
    """[M]"""
    gyr_scale_error: float = 0.004
    """[M] after the vendor's component retrimming"""
    cross_axis: float = 0.003
    """[M]"""
    acc_drift_mg: float = 0.05
    """Wandering of the offset, root mean square [I]."""
    gyr_drift_deg_s: float = 0.003
    """About 10 deg/h [I]."""
    drift_s: float = 300.0
    """Correlation time of the wandering [I]."""
    calibration_c: float = 25.0
    """Temperature at which the offsets hold."""
    ambient_c: float = 24.0
    skin_c: float = 32.0
    warm_up_s: float = 600.0
    """From the room to the skin's warmth, first order [I]."""


IDEAL = ImuParams(
    acc_noise_ug_sqrt_hz=0.0,
    gyr_noise_mdeg_s_sqrt_hz=0.0,
    acc_offset_mg=0.0,
    gyr_offset_deg_s=0.0,
    acc_offset_mg_per_k=0.0,
    gyr_offset_deg_s_per_k=0.0,
    acc_scale_error=0.0,
    gyr_scale_error=0.0,
    cross_axis=0.0,
    acc_drift_mg=0.0,
    gyr_drift_deg_s=0.0,
)
POOR = ImuParams(acc_offset_mg=50.0, acc_scale_error=0.05, gyr_offset_deg_s=2.0, gyr_offset_deg_s_per_k=0.05)
"""A cheap or shaken chip that nobody trimmed: five times a data sheet's scale error and more than twice its offset [I]."""
CHIPS: dict[str, ImuParams] = dict(zip(CHIP_NAMES, (ImuParams(), IDEAL, POOR), strict=True))
"""By the name a scenario gives: a real chip, one that only rounds, and one to be calibrated."""


@dataclass(frozen=True, slots=True, eq=False)
class Specimen:
    """One specimen: gain matrices (3,3), offsets (6,) and their temperature course in SI, counts per SI unit (6,)."""

    acc_matrix: FloatArray
    gyr_matrix: FloatArray
    offset: FloatArray
    offset_per_k: FloatArray
    counts_per_unit: FloatArray

    @classmethod
    def draw(cls, p: ImuParams, rng: np.random.Generator) -> Specimen:
        mg, deg = GRAVITY_M_S2 * 1e-3, np.pi / 180.0

        def gain(scale_error: float) -> FloatArray:
            matrix = p.cross_axis * rng.standard_normal((3, 3))
            np.fill_diagonal(matrix, 1.0 + scale_error * rng.standard_normal(3))
            return matrix

        return cls(
            acc_matrix=gain(p.acc_scale_error),
            gyr_matrix=gain(p.gyr_scale_error),
            offset=_six(p.acc_offset_mg * mg, p.gyr_offset_deg_s * deg) * rng.standard_normal(6),
            offset_per_k=_six(p.acc_offset_mg_per_k * mg, p.gyr_offset_deg_s_per_k * deg)
            * rng.standard_normal(6),
            counts_per_unit=COUNTS_PER_FULL_SCALE
            / _six(p.acc_full_scale_g * GRAVITY_M_S2, p.gyr_full_scale_deg_s * deg),
        )


class NoiseTape:
    """White noise and wandering offsets of six channels, SI, made in pages of samples and read in order."""

    def __init__(self, p: ImuParams, rate_hz: float, seed: int) -> None:
        mg, deg = GRAVITY_M_S2 * 1e-3, np.pi / 180.0
        root = np.sqrt(p.bandwidth_hz)
        self._white = _six(
            p.acc_noise_ug_sqrt_hz * 1e-3 * mg * root, p.gyr_noise_mdeg_s_sqrt_hz * 1e-3 * deg * root
        )
        self._wander = _six(p.acc_drift_mg * mg, p.gyr_drift_deg_s * deg)
        self._keep = float(np.exp(-_NOISE_ROWS / rate_hz / p.drift_s))
        self._seed = seed
        self._page = 0
        self._used = 0
        self._level = self._fresh_level(0)
        self._rows = self._make()

    def take(self, n: int) -> FloatArray:
        """The next n samples, (6, n)."""
        parts = []
        while n > 0:
            if self._used == _NOISE_ROWS:
                self._page += 1
                self._used = 0
                self._rows = self._make()
            count = min(n, _NOISE_ROWS - self._used)
            parts.append(self._rows[:, self._used : self._used + count])
            self._used += count
            n -= count
        return np.concatenate(parts, axis=1) if parts else np.empty((6, 0))

    def _make(self) -> FloatArray:
        """One page. The wandering goes in a straight line from this page's level to the next one's, a first-order process."""
        rng = np.random.Generator(np.random.Philox(derive_seed(self._seed, "page", self._page)))
        rows = rng.standard_normal((6, _NOISE_ROWS)) * self._white[:, None]
        step = float(np.sqrt(1.0 - self._keep**2))
        following = self._keep * self._level + step * self._fresh_level(self._page + 1)
        rows += self._level[:, None] + (following - self._level)[:, None] * (
            np.arange(_NOISE_ROWS) / _NOISE_ROWS
        )
        self._level = following
        return rows

    def _fresh_level(self, page: int) -> FloatArray:
        rng = np.random.default_rng(derive_seed(self._seed, "level", page))
        return self._wander * rng.standard_normal(6)


def _six(acc: float, gyr: float) -> FloatArray:
    return np.array((acc, acc, acc, gyr, gyr, gyr))
