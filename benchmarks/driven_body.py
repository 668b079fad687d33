"""The simulated body driven by recorded angles of people: pelvis and thorax of any motion capture, felt by a simulated sensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from movement_rows import G_M_S2, tilt_from_start, vqf_up
from scipy.interpolate import CubicSpline

from firmware_sim.body import Wearer
from firmware_sim.imu import CHIPS, Imu
from firmware_sim.motions import Motions
from firmware_sim.plan import C, Plan
from firmware_sim.scenario import load
from firmware_sim.truth import Truth
from monitor.core.events import Movement, Record
from monitor.core.inputs import FloatArray, Mark, Rows
from monitor.pipeline import Pipeline

LEAD_S = 4.0
"""Standing still before and after, so that a filter may settle."""
RATE_HZ = 100.0
FULL_COUNT = 32768.0


@dataclass(frozen=True)
class Recorded:
    """Angles (n,) deg on an even grid of `rate_hz`: flexion, lateral bend and axial rotation of pelvis and thorax against
    the vertical (+ forward, right, left).
    """

    rate_hz: float
    pelvis: tuple[FloatArray, FloatArray, FloatArray]
    thorax: tuple[FloatArray, FloatArray, FloatArray]

    @property
    def seconds(self) -> float:
        return (len(self.pelvis[0]) - 1) / self.rate_hz


class _DrivenPlan(Plan):
    """A plan whose coordinates are the recorded ones; the wearer stands before and after."""

    def __init__(self, recorded: Recorded) -> None:
        length_s = recorded.seconds + 2.0 * LEAD_S
        super().__init__({}, [], [(0.0, "standing")], [], [], length_s)
        self._seconds = recorded.seconds
        pelvis, thorax = np.stack(recorded.pelvis), np.stack(recorded.thorax)
        t_s = np.arange(pelvis.shape[1]) / recorded.rate_hz
        # clamped: whoever stands still before and after begins and ends at rest
        self._pelvis = CubicSpline(t_s, pelvis, axis=1, bc_type="clamped")
        self._lumbar = CubicSpline(t_s, thorax - pelvis, axis=1, bc_type="clamped")

    def coordinates(self, times_s: FloatArray) -> FloatArray:
        out = np.zeros((len(C), len(times_s)))
        at_s = np.clip(times_s - LEAD_S, 0.0, self._seconds)
        out[[C.PELVIS_FLEX, C.PELVIS_LAT, C.PELVIS_AXIAL]] = self._pelvis(at_s)
        out[[C.LUMBAR_FLEX, C.LUMBAR_LAT, C.LUMBAR_AXIAL]] = self._lumbar(at_s)
        return out


class DrivenWearer(Wearer):
    """A wearer who does what was recorded, without sway or breath of its own."""

    def __init__(self, recorded: Recorded, seed: int) -> None:
        super().__init__(load("desk"), seed)
        self.plan = _DrivenPlan(recorded)
        self._motions = Motions(self.plan, self.person, seed)
        self.seconds = self.plan.length_s


def _worn(recorded: Recorded, placement: str, seed: int) -> tuple[Imu, Rows, Truth]:
    """The chip, its rows in sensor axes, and the truth."""
    wearer = DrivenWearer(recorded, seed)
    params = CHIPS[wearer.scenario.sensor.chip]
    imu = Imu(wearer, placement, params, seed)
    t_s = np.arange(int(wearer.seconds * RATE_HZ)) / RATE_HZ
    acc, gyr, _ = imu.sample(t_s)
    acc_m_s2 = np.asarray(acc * (params.acc_full_scale_g * G_M_S2 / FULL_COUNT), dtype=np.float64)
    gyr_rad_s = np.asarray(gyr * np.radians(params.gyr_full_scale_deg_s / FULL_COUNT), dtype=np.float64)
    return imu, Rows("A", t_s, acc_m_s2, gyr_rad_s), wearer.truth(t_s, placement)


def analysed(recorded: Recorded, placement: str, seed: int = 1) -> tuple[list[Movement], Truth]:
    """The movements the pipeline finds, the true mount being known; and the truth."""
    imu, rows, truth = _worn(recorded, placement, seed)
    sensor = {"sensor": "A", "driver": "rows", "role": "single", "placement": placement, "primary": True}
    mounted = {"sensor": "A", "quat": list(imu.mount), "quality": 1.0, "forward_known": True}
    pipeline = Pipeline()
    found: list[Record] = pipeline.push([Mark(0.0, "sensor", sensor), Mark(0.0, "mount", mounted), rows])
    found += pipeline.close()
    return [record for record in found if isinstance(record, Movement)], truth


def plain_tilt(recorded: Recorded, placement: str, seed: int = 1) -> FloatArray:
    """Inclination (n,) deg from the start by plain VQF on the same rows."""
    _, rows, _ = _worn(recorded, placement, seed)
    assert rows.gyr is not None
    return tilt_from_start(vqf_up(rows.acc, rows.gyr, RATE_HZ), RATE_HZ)
