"""One individual: the scenario's wearer with a spread drawn from the seed, and the postures this body takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from firmware_sim.noise import FloatArray, derive_seed
from firmware_sim.people import PeoplePlan
from firmware_sim.plan import C, Values
from firmware_sim.scenario import WearerPlan

STAND_SWAY_LEVER_M = 0.95
"""Standing sways about the ankles: height of the lower back above them [I]."""
STAND_AXIAL_SWAY, SIT_AXIAL_SWAY, SWIVEL_AXIAL_SWAY, LIE_AXIAL_SWAY = 1.9, 0.45, 1.2, 0.4
"""Turning about the vertical as a share of swaying to one side: legs let a pelvis turn, a seat holds it, an office chair that
turns does less [I]. Rates from 0.1 to 2 Hz as in public recordings at the waist: turning 1.4 times all tilting while
standing, 0.3 times while sitting; above 2 Hz there is mostly the sensor's noise."""


@dataclass(frozen=True, slots=True)
class Posture:
    """A posture: its family decides the way into it, `state` what it is called, `values` where the coordinates are."""

    family: str
    state: str
    values: Values


@dataclass(frozen=True, slots=True)
class Person:
    """Who is simulated: `plan` and what follows it are this seed's individual values."""

    plan: WearerPlan
    people: PeoplePlan
    sit_tilt_deg: float
    sit_thorax_deg: float
    stand_pelvis_deg: float
    stand_thorax_deg: float
    cadence_hz: float
    gait_phase_deg: float
    pace: float
    """Factor on the time of this person's movements."""
    placement_share: float
    """What is added to the lumbar share of a sensor below the thorax, for it is not stuck on just where it is meant to be."""

    gait_turned_deg: float
    bend_aside_deg: float
    seat_aside_deg: float
    """How far this person walks to the left of where the pelvis faces, and bends and leans over a seat to the right of it."""

    turning: float
    """Factor on this person's turning about the vertical, whatever the posture."""

    @classmethod
    def draw(cls, plan: WearerPlan, people: PeoplePlan, seed: int) -> Person:
        """The individual of this seed."""
        z = _spread(seed, "person", 7)
        body = _spread(seed, "body", 6)
        ways = _spread(seed, "ways", 3)
        return cls(
            plan=replace(
                plan,
                sway_stand_deg=plan.sway_stand_deg * float(np.exp(people.sway_spread * body[0])),
                sway_sit_deg=plan.sway_sit_deg * float(np.exp(people.sway_spread * body[1])),
                skin_share=plan.skin_share * float(np.exp(people.skin_spread * body[2])),
                seat_drop_m=plan.seat_drop_m * float(np.exp(people.seat_spread * body[3])),
            ),
            people=people,
            sit_tilt_deg=max(0.0, plan.sit_tilt_deg + people.sit_tilt_sd_deg * float(z[0])),
            sit_thorax_deg=2.0 + 2.0 * float(z[1]),
            stand_pelvis_deg=people.stand_sd_deg * float(z[2]),
            stand_thorax_deg=people.stand_sd_deg * float(z[3]),
            cadence_hz=plan.cadence_hz * (1.0 + 0.03 * float(z[4])),
            gait_phase_deg=plan.gait_phase_deg + people.gait_phase_sd_deg * float(z[5]),
            pace=1.0 + 0.08 * float(z[6]),
            gait_turned_deg=plan.gait_turned_deg + people.gait_turned_sd_deg * float(ways[0]),
            bend_aside_deg=people.bend_aside_sd_deg * float(ways[1]),
            seat_aside_deg=people.seat_aside_sd_deg * float(ways[2]),
            placement_share=people.placement_sd * float(body[4]),
            turning=float(np.exp(people.turning_spread * body[5])),
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

    def perching(self, pelvis_deg: float) -> Posture:
        """A high stool: pelvis near neutral (facts S.3)."""
        return self._seat(pelvis_deg, 1.0, -0.35 * self.plan.seat_drop_m)

    def leaning(self, pelvis_deg: float, thorax_deg: float, lateral_deg: float) -> Posture:
        """Standing against a table, a counter or a wall: the support takes half of the sway [I]."""
        values = self._trunk(pelvis_deg, thorax_deg, -0.02, stand=True)
        lean: Values = {C.PELVIS_LAT: lateral_deg, C.SWAY_DEG: 0.5 * self.plan.sway_stand_deg}
        return Posture("stand", "standing", values | lean)

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
        return values | {C.PELVIS_AXIAL: roll_deg, C.SWAY_DEG: 0.015, C.AXIAL_SWAY: LIE_AXIAL_SWAY}

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
            C.AXIAL_SWAY: STAND_AXIAL_SWAY if stand else SIT_AXIAL_SWAY,
        }


def _spread(seed: int, name: str, count: int) -> FloatArray:
    """Unit normal numbers, none beyond two: bodies have no outliers."""
    rng = np.random.default_rng(derive_seed(seed, name))
    return np.clip(rng.standard_normal(count), -2.0, 2.0)
