"""One individual: the scenario's wearer with a spread drawn from the seed, and the postures this body takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.noise import derive_seed
from firmware_sim.plan import C, Values
from firmware_sim.scenario import WearerPlan

SIT_TILT_SD_DEG = 1.5
"""Spread of the sitting pelvis between people, kept within +-3 deg: 10-16 deg at the default [I]."""
STAND_SD_DEG = 1.0
"""Spread of habitual standing against gait's upright: standing is not repeatable (facts 3: Schmidt 2018) [I]."""
GAIT_PHASE_SD_DEG = 6.0
"""Spread of the gait phase between people [I]."""
STAND_SWAY_LEVER_M = 0.95
"""Standing sways about the ankles: height of the lower back above them [I]."""


@dataclass(frozen=True, slots=True)
class Posture:
    """A posture: its family decides the way into it, `state` what it is called, `values` where the coordinates are."""

    family: str
    state: str
    values: Values


@dataclass(frozen=True, slots=True)
class Person:
    """Who is simulated: the plan's means with this seed's individual values."""

    plan: WearerPlan
    sit_tilt_deg: float
    sit_thorax_deg: float
    stand_pelvis_deg: float
    stand_thorax_deg: float
    cadence_hz: float
    gait_phase_deg: float
    pace: float
    """Factor on the time of this person's movements."""

    @classmethod
    def draw(cls, plan: WearerPlan, seed: int) -> Person:
        """The individual of this seed."""
        z = np.clip(np.random.default_rng(derive_seed(seed, "person")).standard_normal(7), -2.0, 2.0)
        return cls(
            plan=plan,
            sit_tilt_deg=max(0.0, plan.sit_tilt_deg + SIT_TILT_SD_DEG * float(z[0])),
            sit_thorax_deg=2.0 + 2.0 * float(z[1]),
            stand_pelvis_deg=STAND_SD_DEG * float(z[2]),
            stand_thorax_deg=STAND_SD_DEG * float(z[3]),
            cadence_hz=plan.cadence_hz * (1.0 + 0.03 * float(z[4])),
            gait_phase_deg=plan.gait_phase_deg + GAIT_PHASE_SD_DEG * float(z[5]),
            pace=1.0 + 0.08 * float(z[6]),
        )

    def standing(self) -> Posture:
        return Posture(
            "stand", "standing", self._trunk(self.stand_pelvis_deg, self.stand_thorax_deg, 0.0, stand=True)
        )

    def walking(self) -> Values:
        """The trunk of a walker: a slight lean, the same for everybody because gait defines upright."""
        return {
            C.PELVIS_FLEX: 1.0,
            C.LUMBAR_FLEX: 1.0,
            C.PELVIS_LAT: 0.0,
            C.LUMBAR_LAT: 0.0,
            C.LUMBAR_AXIAL: 0.0,
        }

    def sitting(self) -> Posture:
        return self._seat(-self.sit_tilt_deg, self.sit_thorax_deg, -self.plan.seat_drop_m)

    def slumped(self, pelvis_deg: float, thorax_deg: float) -> Posture:
        return self._seat(pelvis_deg, thorax_deg, -self.plan.seat_drop_m)

    def driving(self) -> Posture:
        """A car seat: pelvis and thorax lean back [I]."""
        return self._seat(-self.sit_tilt_deg - 10.0, -12.0, -self.plan.seat_drop_m)

    def perching(self) -> Posture:
        """A high stool: pelvis near neutral (facts S.3)."""
        return self._seat(-3.0, 1.0, -0.35 * self.plan.seat_drop_m)

    def reclining(self) -> Posture:
        return self._seat(-self.sit_tilt_deg - 25.0, -28.0, -self.plan.seat_drop_m)

    def lying(self, side: str) -> Posture:
        """Lying on a bed at seat height; `side` is supine, left, right or prone."""
        if side == "prone":
            return Posture("prone", "lying", self._flat(86.0, 90.0, 0.0, -0.85))
        roll = {"supine": 0.0, "left": 82.0, "right": -82.0}[side]
        return Posture("lie", "lying", self._flat(-86.0, -88.0, roll, -0.5))

    def hands_and_knees(self) -> Posture:
        values = self._trunk(80.0, 84.0, -0.45, stand=False)
        return Posture("floor", "other", values | {C.SWAY_DEG: 0.25})

    def off_body(self) -> Posture:
        """The sensor on a table, face up."""
        flat = self._flat(-90.0, -90.0, 0.0, -0.2)
        return Posture("off", "other", flat | {C.SWAY_DEG: 0.0, C.BREATH: 0.0})

    def _seat(self, pelvis_deg: float, thorax_deg: float, up_m: float) -> Posture:
        return Posture(
            "sit", "sitting", self._trunk(pelvis_deg, thorax_deg, up_m, stand=False) | {C.FORWARD_M: -0.3}
        )

    def _flat(self, pelvis_deg: float, thorax_deg: float, roll_deg: float, up_m: float) -> Values:
        values = self._trunk(pelvis_deg, thorax_deg, up_m, stand=False)
        return values | {C.PELVIS_AXIAL: roll_deg, C.SWAY_DEG: 0.015}

    def _trunk(self, pelvis_deg: float, thorax_deg: float, up_m: float, *, stand: bool) -> Values:
        return {
            C.PELVIS_FLEX: pelvis_deg,
            C.PELVIS_LAT: 0.0,
            C.PELVIS_AXIAL: 0.0,
            C.LUMBAR_FLEX: thorax_deg - pelvis_deg,
            C.LUMBAR_LAT: 0.0,
            C.LUMBAR_AXIAL: 0.0,
            C.FORWARD_M: 0.0,
            C.UP_M: up_m,
            C.SWAY_DEG: self.plan.sway_stand_deg if stand else self.plan.sway_sit_deg,
            C.SWAY_LEVER_M: STAND_SWAY_LEVER_M if stand else 0.0,
            C.BREATH: 1.0,
            C.GAIT: 0.0,
            C.VIBRATION: 0.0,
        }
