"""Writes a plan: keeps the clock and the present posture, and knows the ways from posture to posture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from firmware_sim.people import PeoplePlan
from firmware_sim.person import SWIVEL_AXIAL_SWAY, Person, Posture
from firmware_sim.plan import C, Plan, Step, Values, aside
from firmware_sim.truth import TruthEvent

_PARENT = {"stand": "", "sit": "stand", "lie": "sit", "floor": "stand", "prone": "floor", "off": "stand"}
"""Ways between families of postures form a tree: to lie down one sits down first, to rise from the floor one stands up."""
_ALIKE = PeoplePlan()
_WAY_S = 3.5
"""Lying down, getting up, going to hands and knees [I]."""
_SETTLE_S = 0.8
"""Pause between two ways in a row [I]."""
_REPOSE_S = 1.6
_ROLL_S = 2.8
"""From one posture to another of the same family; rolling over when lying [I]."""
SIT_DOWN_S, SIT_DOWN_LEAN_DEG = 2.2, 35.0
RISE_S, RISE_LEAN_DEG = 2.1, 40.0
"""Defaults of the activities of the same names, for ways the scenario does not spell out."""
_STANDING_SHARE = 0.5
"""How much less standing varies from time to time than sitting: the legs hold the pelvis [I]."""


class Director:
    """Steps are written at the present time `t_s`; `wait` moves it on."""

    def __init__(
        self, person: Person, first: Posture, rng: np.random.Generator, habits: np.random.Generator
    ) -> None:
        """`rng` draws what a scenario's activities leave open, `habits` how this person does them this time."""
        self.person = person
        self.rng = rng
        self._habits = habits
        self.t_s = 0.0
        self.posture = first
        self._now: Values = {c: first.values.get(c, 0.0) for c in C}
        self._initial = dict(self._now)
        self._steps: list[Step] = []
        self._states = [(0.0, first.state)]
        self._strides: list[tuple[float, float]] = []
        self._events: list[TruthEvent] = []

    def wait(self, seconds: float) -> None:
        self.t_s += seconds

    def to(self, seconds: float, targets: Values, delay_s: float = 0.0) -> None:
        """Take coordinates to `targets` over `seconds`, starting `delay_s` from now."""
        changes = {c: value - self._now[c] for c, value in targets.items() if value != self._now[c]}
        if changes:
            self._steps.append(Step(self.t_s + delay_s, seconds, changes))
            self._now.update(targets)

    def by(self, seconds: float, changes: Values, delay_s: float = 0.0) -> None:
        """Change coordinates by some amounts."""
        self.to(seconds, {c: self._now[c] + change for c, change in changes.items()}, delay_s)

    def note(self, event: TruthEvent) -> None:
        self._events.append(event)

    def stride(self, steps_hz: float) -> None:
        """From now on, walking steps have this rate."""
        self._strides.append((self.t_s, steps_hz))

    def enter(self, state: str, start_s: float, end_s: float) -> None:
        """The state changes in the middle of start_s .. end_s."""
        before = self._states[-1][1]
        if state != before:
            middle = 0.5 * (start_s + end_s)
            self._states.append((middle, state))
            self._events.append(
                TruthEvent("transition", middle, start_s, end_s, from_state=before, to_state=state)
            )

    def this_time(self, posture: Posture) -> Posture:
        """The posture as it is taken up this time: a little different from the last, pelvis and thorax together."""
        people = self.person.people
        if posture.family not in ("stand", "sit") or people == _ALIKE:
            return posture
        sits = posture.family == "sit"
        tilted_deg = (1.0 if sits else _STANDING_SHARE) * people.again_sd_deg * self._habit()
        swivels = sits and self._habits.random() < people.swivel_chance
        turning = SWIVEL_AXIAL_SWAY if swivels else posture.values[C.AXIAL_SWAY]
        turning *= self.person.turning * float(np.exp(people.turning_spread * self._habit()))
        this: Values = {C.PELVIS_FLEX: posture.values[C.PELVIS_FLEX] + tilted_deg, C.AXIAL_SWAY: turning}
        return replace(posture, values=posture.values | this)

    def go(self, target: Posture) -> None:
        """Take up a posture, by the ways a body has."""
        for family in _route(self.posture.family, target.family):
            self._way(target if family == target.family else self._waypoint(family))
            self.wait(_SETTLE_S)
        if self.posture is not target:
            seconds = (_ROLL_S if target.family == "lie" else _REPOSE_S) * self.person.pace
            self.to(seconds, target.values)
            self.wait(seconds)
            self.posture = target

    def settle(self) -> None:
        """Out of any shift, exactly into the present posture."""
        if any(self._now[c] != value for c, value in self.posture.values.items()):
            self.to(_REPOSE_S, self.posture.values)
            self.wait(_REPOSE_S)

    def sit_down(
        self,
        target: Posture,
        seconds: float = SIT_DOWN_S,
        lean_deg: float = SIT_DOWN_LEAN_DEG,
        aside_deg: float = 0.0,
    ) -> None:
        """Trunk leans while the hips sink, then straightens on the seat."""
        total = seconds * self.person.pace
        self.to(0.50 * total, self._over_seat(lean_deg, aside_deg))
        self.to(0.72 * total, {C.UP_M: target.values[C.UP_M]}, 0.10 * total)
        self.to(0.60 * total, {C.FORWARD_M: target.values[C.FORWARD_M]}, 0.15 * total)
        self.to(0.50 * total, target.values, 0.50 * total)
        self._arrive(target, total)

    def rise(self, seconds: float = RISE_S, lean_deg: float = RISE_LEAN_DEG, aside_deg: float = 0.0) -> None:
        """Trunk leans first; seat-off at about a third; hips go up and forward while the trunk straightens."""
        total = seconds * self.person.pace
        target = self.person.standing()
        self.to(0.45 * total, self._over_seat(lean_deg, aside_deg))
        self.to(0.62 * total, {C.UP_M: 0.0}, 0.33 * total)
        self.to(0.55 * total, {C.FORWARD_M: 0.0}, 0.25 * total)
        self.to(0.58 * total, target.values, 0.42 * total)
        self._arrive(target, total)

    def finish(self, first: Posture) -> Plan:
        """The plan, closed: back in the posture it began with."""
        self.go(first)
        self.settle()
        return Plan(self._initial, self._steps, self._states, self._strides, self._events, self.t_s)

    def _way(self, target: Posture) -> None:
        if (self.posture.family, target.family) == ("stand", "sit"):
            self.sit_down(target, SIT_DOWN_S * self._way_factor(), SIT_DOWN_LEAN_DEG * self._way_factor())
        elif (self.posture.family, target.family) == ("sit", "stand"):
            self.rise(RISE_S * self._way_factor(), RISE_LEAN_DEG * self._way_factor())
        else:
            self.to(_WAY_S * self.person.pace, target.values)
            self._arrive(target, _WAY_S * self.person.pace)

    def _over_seat(self, lean_deg: float, aside_deg: float) -> Values:
        pelvis = 0.6 * lean_deg
        lean: Values = {C.PELVIS_FLEX: pelvis, C.LUMBAR_FLEX: lean_deg - pelvis}
        return aside(lean, self.person.seat_aside_deg + aside_deg)

    def _arrive(self, target: Posture, seconds: float) -> None:
        self.enter(target.state, self.t_s, self.t_s + seconds)
        self.wait(seconds)
        self.posture = target

    def _way_factor(self) -> float:
        """On the time or the lean of one way."""
        return float(np.exp(self.person.people.ways_spread * self._habit()))

    def _habit(self) -> float:
        """A unit normal number, none beyond two."""
        return float(np.clip(self._habits.standard_normal(), -2.0, 2.0))

    def _waypoint(self, family: str) -> Posture:
        person = self.person
        return {"stand": person.standing, "sit": person.sitting, "floor": person.hands_and_knees}[family]()


def _route(start: str, end: str) -> list[str]:
    """Families to pass on the way from one to another, the last included; empty where they are the same."""
    up, down = [start], [end]
    while _PARENT[up[-1]]:
        up.append(_PARENT[up[-1]])
    while _PARENT[down[-1]]:
        down.append(_PARENT[down[-1]])
    while len(up) > 1 and len(down) > 1 and up[-2] == down[-2]:
        up.pop()
        down.pop()
    return up[1:] + down[-2::-1]
