"""How each activity moves the body: from a scenario and a seed to a plan of one round."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

import numpy as np

from firmware_sim import activities as act
from firmware_sim import exercises
from firmware_sim.director import Director
from firmware_sim.noise import derive_seed
from firmware_sim.person import Person, Posture
from firmware_sim.plan import C, Plan, Values
from firmware_sim.scenario import Scenario

_GAIT_FADE_S = 1.2
"""Walking is reached and left over about two steps [I]."""
_TURN_S = 2.2
"""A turn while walking [I]."""
_EXERCISES = (act.Bend, act.SideBend, act.Twist, act.CatCow, act.PressUp, act.SupineTwist, act.PelvicTilt)


def choreograph(scenario: Scenario, person: Person, seed: int) -> Plan:
    """The plan of one round of the scenario for this person; `seed` draws what varies."""
    rng = np.random.default_rng(derive_seed(seed, "plan"))
    first = posture_of(scenario.blocks[0].activities[0][1], person)
    director = Director(person, first, rng, np.random.default_rng(derive_seed(seed, "habits")))
    order = np.random.default_rng(derive_seed(seed, "order"))
    for block in scenario.blocks:
        played = [activity for _, activity in block.activities * block.repeat]
        for place in order.permutation(len(played)) if block.shuffle else range(len(played)):
            perform(director, _varied(played[place], block.vary, rng))
    return director.finish(first)


def posture_of(activity: act.Activity, person: Person) -> Posture:
    """The posture an activity takes place in (where it begins, if it changes posture)."""
    match activity:
        case act.Stand() | act.Walk() | act.SitDown():
            return person.standing()
        case act.SitUpright() | act.Fidget() | act.Slouch() | act.Rise():
            return person.sitting()
        case act.Bend() | act.SideBend() | act.Twist():
            return person.sitting() if activity.seated else person.standing()
        case act.CatCow():
            return person.hands_and_knees()
        case act.PressUp():
            return person.lying("prone")
        case act.SupineTwist() | act.PelvicTilt():
            return person.lying("supine")
        case act.Lie():
            return person.lying(activity.side)
        case act.Car():
            return person.driving()
        case act.Perch():
            return person.perching(activity.pelvis_deg)
        case act.Lean():
            return person.leaning(activity.pelvis_deg, activity.thorax_deg, activity.lateral_deg)
        case act.Recline():
            return person.reclining()
        case act.OffBody():
            return person.off_body()
        case _:
            assert_never(activity)


def perform(director: Director, activity: act.Activity) -> None:
    """Write one activity into the plan."""
    posture = director.this_time(posture_of(activity, director.person))
    if isinstance(activity, act.Rise) and director.posture.family == "sit":
        posture = director.posture
    if posture.values != director.posture.values:
        director.go(posture)
    if not isinstance(activity, act.Rise | act.SitDown):
        director.settle()
    match activity:
        case act.SitUpright() | act.Fidget() | act.Perch() | act.Recline():
            _dwell(director, activity.seconds, activity.fidgets_per_min)
        case act.Slouch():
            _slouch(director, activity)
        case act.Stand() | act.Lean():
            _dwell(director, activity.seconds, activity.shifts_per_min)
        case act.Walk():
            _walk(director, activity)
        case act.SitDown():
            director.sit_down(
                director.person.sitting(), activity.seconds, activity.lean_deg, activity.aside_deg
            )
        case act.Rise():
            director.rise(activity.seconds, activity.lean_deg, activity.aside_deg)
        case act.Bend() | act.SideBend() | act.Twist():
            exercises.directional(director, activity)
        case act.CatCow():
            exercises.cat_cow(director, activity)
        case act.PressUp():
            exercises.press_up(director, activity)
        case act.SupineTwist():
            exercises.supine_twist(director, activity)
        case act.PelvicTilt():
            exercises.pelvic_tilt(director, activity)
        case act.Lie() | act.OffBody():
            director.wait(activity.seconds)
        case act.Car():
            _drive(director, activity)
        case _:
            assert_never(activity)


def _varied(activity: act.Activity, vary: float, rng: np.random.Generator) -> act.Activity:
    """The activity with its seconds spread; whole movements keep their own time."""
    if isinstance(activity, _EXERCISES):
        return activity
    factor = 1.0 + vary * float(rng.uniform(-1.0, 1.0))
    return replace(activity, seconds=max(3.0 if activity.seconds >= 3.0 else 1.0, activity.seconds * factor))


def _dwell(director: Director, seconds: float, shifts_per_min: float) -> None:
    """Stay for a while, shifting about the posture at random moments."""
    rng = director.rng
    end_s = director.t_s + seconds
    offset: Values = {}
    while shifts_per_min > 0:
        gap_s = 2.0 + float(rng.exponential(max(60.0 / shifts_per_min - 2.0, 0.5)))
        if director.t_s + gap_s + 6.0 > end_s:
            break
        director.wait(gap_s)
        if rng.random() < 0.35:
            _reach(director)
        else:
            offset = _shift(director, offset)
    director.wait(end_s - director.t_s)


def _shift(director: Director, offset: Values) -> Values:
    """Settle into a slightly different pose: a new offset from the posture, in place of the old one."""
    rng = director.rng
    scale = 0.5 if director.posture.family == "stand" else 1.0
    lateral, flexion, axial = (float(v) for v in rng.normal(0.0, (2.2 * scale, 2.0 * scale, 2.5 * scale)))
    new: Values = {
        C.PELVIS_LAT: lateral,
        C.LUMBAR_LAT: -0.7 * lateral,
        C.PELVIS_FLEX: flexion,
        C.LUMBAR_FLEX: -0.6 * flexion + float(rng.normal(0.0, 2.0 * scale)),
        C.PELVIS_AXIAL: axial,
        C.FORWARD_M: float(rng.normal(0.0, 0.015)),
    }
    seconds = float(rng.uniform(0.7, 1.6))
    director.by(seconds, {c: value - offset.get(c, 0.0) for c, value in new.items()})
    director.wait(seconds)
    return new


def _reach(director: Director) -> None:
    """Turn or lean to something for a moment, and back. Takes less than 6 s."""
    rng = director.rng
    side = -1.0 if rng.random() < 0.5 else 1.0
    there: Values = {
        C.LUMBAR_AXIAL: side * float(rng.uniform(4.0, 22.0)),
        C.PELVIS_AXIAL: side * float(rng.uniform(0.0, 5.0)),
        C.LUMBAR_FLEX: float(rng.uniform(0.0, 12.0)),
        C.PELVIS_FLEX: float(rng.uniform(0.0, 5.0)),
    }
    seconds = float(rng.uniform(0.8, 1.5))
    director.by(seconds, there)
    director.wait(seconds + float(rng.uniform(0.3, 2.0)))
    director.by(seconds, {c: -value for c, value in there.items()})
    director.wait(seconds)


def _slouch(director: Director, activity: act.Slouch) -> None:
    target = director.person.slumped(activity.pelvis_deg, activity.thorax_deg)
    drift_s = min(activity.drift_s, activity.seconds)
    start: Values = director.posture.values
    director.by(drift_s, {c: target.values[c] - start[c] for c in (C.PELVIS_FLEX, C.LUMBAR_FLEX)})
    _dwell(director, activity.seconds, activity.fidgets_per_min)
    director.posture = target


def _walk(director: Director, activity: act.Walk) -> None:
    rng = director.rng
    end_s = director.t_s + activity.seconds
    director.stride(activity.cadence_hz or director.person.cadence_hz)
    director.enter("walking", director.t_s, director.t_s + _GAIT_FADE_S)
    director.to(_GAIT_FADE_S, director.person.walking() | {C.GAIT: 1.0})
    director.wait(_GAIT_FADE_S)
    while activity.turns_per_min > 0:
        gap_s = 1.0 + float(rng.exponential(60.0 / activity.turns_per_min))
        if director.t_s + gap_s + _TURN_S + _GAIT_FADE_S > end_s:
            break
        director.wait(gap_s)
        director.by(_TURN_S, {C.HEADING: float(rng.choice((-1.0, 1.0)) * rng.uniform(30.0, 130.0))})
        director.wait(_TURN_S)
    director.wait(end_s - _GAIT_FADE_S - director.t_s)
    director.to(_GAIT_FADE_S, director.person.standing().values)
    director.enter("standing", director.t_s, end_s)
    director.wait(_GAIT_FADE_S)


def _drive(director: Director, activity: act.Car) -> None:
    director.to(2.0, {C.VIBRATION: activity.vibration_m_s2})
    _dwell(director, activity.seconds - 2.0, activity.fidgets_per_min)
    director.to(2.0, {C.VIBRATION: 0.0})
    director.wait(2.0)
