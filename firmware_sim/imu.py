"""The inertial chip: what it makes of the body's motion, in counts."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from firmware_sim.chip import CHIPS, IDEAL, ImuParams, NoiseTape, Specimen
from firmware_sim.kinematics import Columns
from firmware_sim.noise import FloatArray, derive_seed
from firmware_sim.plan import min_jerk
from firmware_sim.scenario import PLACEMENTS, Scenario, Slip
from firmware_sim.tables import ScenarioError

MAX_COUNT = 32_767
_TEMPERATURE_WAVE_C, _TEMPERATURE_WAVE_S = 0.4, 1800.0
"""Clothing and rooms: a slow wave on the chip's temperature [I]."""

__all__ = ["CHIPS", "IDEAL", "Imu", "ImuParams"]

Counts = npt.NDArray[np.int16]
Quaternion = tuple[float, float, float, float]


class Carrier(Protocol):
    """What the chip is fixed to: a wearer (body.Wearer), or a hand and a table (turned.Turned)."""

    @property
    def scenario(self) -> Scenario: ...

    def felt(self, times_s: FloatArray, placement: str) -> tuple[Columns, Columns]:
        """Angular rate (rad/s) and specific force (m/s2), three columns each, in the axes of what carries it."""
        ...


class Imu:
    """One chip on one wearer. `sample` may be cut as one likes: noise is counted in samples, everything else goes by time.

    ScenarioError for an unknown placement.
    """

    def __init__(self, wearer: Carrier, placement: str, params: ImuParams, seed: int) -> None:
        if placement not in PLACEMENTS:
            raise ScenarioError(f"There is no placement {placement!r}; allowed are {', '.join(PLACEMENTS)}.")
        self.params = params
        self._wearer = wearer
        self._placement = placement
        self.serial = f"simulated-{wearer.scenario.sensor.chip}-{seed}-{placement}"
        """One specimen has one: the same chip of the same seed at the same place, whatever is done with it."""
        self._seed = derive_seed(seed, "imu", placement)
        rng = np.random.default_rng(self._seed)
        plan = wearer.scenario.sensor
        random_mount = _unit(rng.standard_normal(4))
        self._mount = random_mount if plan.mount_euler_deg is None else _from_euler(plan.mount_euler_deg)
        self._slips = sorted(plan.slips, key=lambda slip: slip.at_s)
        self._chip = Specimen.draw(params, rng)
        self._noise = NoiseTape(params, wearer.scenario.firmware.rate_hz, self._seed)
        self._wave_rad = float(rng.uniform(0.0, 2.0 * np.pi))

    @property
    def mount(self) -> Quaternion:
        """The true rotation sensor -> body at the start, w x y z."""
        return self.mount_at(0.0)

    def mount_at(self, t_s: float) -> Quaternion:
        """The true rotation sensor -> body at some time: it changes where the scenario lets the sensor slip."""
        q = self._mount
        for slip in self._slips:
            turn = np.radians(slip.turn_deg) * min_jerk(np.array([(t_s - slip.at_s) / slip.seconds]))[0]
            q = _product(q, _from_vector(turn))
        return float(q[0]), float(q[1]), float(q[2]), float(q[3])

    def temperature_c(self, t_s: float) -> float:
        """Temperature of the chip."""
        return float(self._temperatures(np.array([t_s]))[0])

    def sample(self, times_s: FloatArray) -> tuple[Counts, Counts, npt.NDArray[np.bool_]]:
        """Counts (n,3) of acceleration and rate, within +-32767, and which rows are clipped (n,).

        `times_s` (n,) s, not decreasing, later than those of earlier calls.
        """
        rate, force = self._wearer.felt(times_s, self._placement)
        warmth = self._temperatures(times_s) - self.params.calibration_c
        noise = self._noise.take(len(times_s))
        to_sensor = _inverse_matrix(self._mount)
        acc, gyr = _apply(to_sensor, force), _apply(to_sensor, rate)
        for slip in self._slips:
            acc, gyr = _slipped(times_s, acc, gyr, slip)
        chip = self._chip
        out = np.empty((6, len(times_s)))
        for row, value in enumerate((*_apply(chip.acc_matrix, acc), *_apply(chip.gyr_matrix, gyr))):
            measured = value + chip.offset[row] + chip.offset_per_k[row] * warmth + noise[row]
            out[row] = np.rint(measured * chip.counts_per_unit[row])
        clipped = np.any(np.abs(out) > MAX_COUNT, axis=0)
        counts = np.clip(out, -MAX_COUNT, MAX_COUNT).astype(np.int16)
        return np.ascontiguousarray(counts[:3].T), np.ascontiguousarray(counts[3:].T), clipped

    def _temperatures(self, times_s: FloatArray) -> FloatArray:
        p = self.params
        warm = p.skin_c - (p.skin_c - p.ambient_c) * np.exp(-times_s / p.warm_up_s)
        wave = np.sin(times_s * (2.0 * np.pi / _TEMPERATURE_WAVE_S) + self._wave_rad)
        out: FloatArray = warm + _TEMPERATURE_WAVE_C * wave
        return out


def _slipped(times_s: FloatArray, acc: Columns, gyr: Columns, slip: Slip) -> tuple[Columns, Columns]:
    """Readings in the axes of a sensor that turns by the slip's rotation vector; the turning itself is sensed too."""
    vector = np.radians(slip.turn_deg)
    angle = float(np.sqrt(np.sum(vector * vector)))
    if angle == 0.0 or not len(times_s) or times_s[-1] <= slip.at_s:
        return acc, gyr
    axis = vector / angle
    s = np.clip((times_s - slip.at_s) / slip.seconds, 0.0, 1.0)
    c, sn = np.cos(angle * min_jerk(s)), -np.sin(angle * min_jerk(s))
    speed = 30.0 * s * s * (1.0 - s) * (1.0 - s) * (angle / slip.seconds)

    def turned(v: Columns) -> Columns:
        ax, ay, az = axis
        along = (ax * v[0] + ay * v[1] + az * v[2]) * (1.0 - c)
        return (
            v[0] * c + (ay * v[2] - az * v[1]) * sn + ax * along,
            v[1] * c + (az * v[0] - ax * v[2]) * sn + ay * along,
            v[2] * c + (ax * v[1] - ay * v[0]) * sn + az * along,
        )

    rate = turned(gyr)
    return turned(acc), (rate[0] + axis[0] * speed, rate[1] + axis[1] * speed, rate[2] + axis[2] * speed)


def _apply(m: FloatArray, v: Columns) -> Columns:
    """m v, element by element, so that rows do not depend on their neighbours."""
    rows = [m[i, 0] * v[0] + m[i, 1] * v[1] + m[i, 2] * v[2] for i in range(3)]
    return rows[0], rows[1], rows[2]


def _unit(q: FloatArray) -> FloatArray:
    unit: FloatArray = q / np.sqrt(np.sum(q * q))
    return unit


def _from_vector(turn_rad: FloatArray) -> FloatArray:
    """Quaternion of a rotation vector."""
    angle = float(np.sqrt(np.sum(turn_rad * turn_rad)))
    axis = turn_rad / angle if angle > 0.0 else turn_rad
    return np.array((np.cos(0.5 * angle), *(np.sin(0.5 * angle) * axis)))


def _from_euler(degrees: tuple[float, float, float]) -> FloatArray:
    """Turning about x, then y, then z of the fixed frame."""
    roll, pitch, yaw = (
        _from_vector(np.radians(d) * axis) for d, axis in zip(degrees, np.eye(3), strict=True)
    )
    return _product(yaw, _product(pitch, roll))


def _product(p: FloatArray, q: FloatArray) -> FloatArray:
    pv, qv = p[1:], q[1:]
    return np.concatenate(([p[0] * q[0] - np.sum(pv * qv)], p[0] * qv + q[0] * pv + np.cross(pv, qv)))


def _inverse_matrix(q: FloatArray) -> FloatArray:
    """Matrix of the inverse rotation."""
    w, x, y, z = (float(v) for v in q)
    return np.array(
        (
            (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
            (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
            (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
        )
    )
