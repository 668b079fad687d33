"""A plan of movements: the wearer's coordinates over one round of a scenario, as minimum-jerk steps that add up.

Coordinates are functions of time; every change is a step 10 s^3 - 15 s^4 + 6 s^5 (Flash & Hogan 1985) from one value to
another, so the coordinates are smooth, and steps that overlap simply add.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from firmware_sim.noise import FloatArray
from firmware_sim.truth import STATE_NAMES, TruthEvent


class C(IntEnum):
    """The coordinates. Angles in degrees (flexion + forward, lateral + right, axial + left), lengths in metres.

    AXIAL_SWAY: how much the trunk sways about the vertical, as a share of SWAY_DEG.
    """

    HEADING = 0
    PELVIS_FLEX = 1
    PELVIS_LAT = 2
    PELVIS_AXIAL = 3
    LUMBAR_FLEX = 4
    LUMBAR_LAT = 5
    LUMBAR_AXIAL = 6
    FORWARD_M = 7
    UP_M = 8
    SWAY_DEG = 9
    SWAY_LEVER_M = 10
    BREATH = 11
    GAIT = 12
    VIBRATION = 13
    AXIAL_SWAY = 14


Values = dict[C, float]


@dataclass(frozen=True, slots=True)
class Step:
    """From `start_s`, over `seconds`, `changes` are added to the coordinates."""

    start_s: float
    seconds: float
    changes: Values


def aside(lean: Values, aside_deg: float) -> Values:
    """The flexions of a lean, or its shares, that goes `aside_deg` to the right of straight forward."""
    if aside_deg == 0.0:
        return lean
    ahead, across = float(np.cos(np.radians(aside_deg))), float(np.sin(np.radians(aside_deg)))
    lateral = {C.LUMBAR_FLEX: C.LUMBAR_LAT, C.PELVIS_FLEX: C.PELVIS_LAT}
    return {c: ahead * v for c, v in lean.items()} | {lateral[c]: across * v for c, v in lean.items()}


def min_jerk(s: FloatArray) -> FloatArray:
    """The minimum-jerk step at fractions s of its time."""
    c = np.clip(s, 0.0, 1.0)
    return c * c * c * (10.0 + c * (6.0 * c - 15.0))


class Plan:
    """One round, `length_s` long, repeated for ever. The heading goes on turning; all else ends where it began."""

    def __init__(
        self,
        initial: Values,
        steps: list[Step],
        states: list[tuple[float, str]],
        strides: list[tuple[float, float]],
        events: list[TruthEvent],
        length_s: float,
    ) -> None:
        """`states` (from when, state) and `strides` (from when, steps per second) are in order of time."""
        self.length_s = length_s
        self.events = sorted(events, key=lambda event: event.start_s)
        self._steps = sorted(steps, key=lambda step: step.start_s + step.seconds)
        self._ends = [step.start_s + step.seconds for step in self._steps]
        self._starts = np.array([step.start_s for step in self._steps])
        done = np.zeros((len(steps) + 1, len(C)))
        done[0] = [initial.get(c, 0.0) for c in C]
        for i, step in enumerate(self._steps):
            done[i + 1] = done[i]
            for coordinate, change in step.changes.items():
                done[i + 1, coordinate] += change
        self._done = done
        self._turned_deg = float(done[-1, C.HEADING] - done[0, C.HEADING])
        self._state_from = np.array([start for start, _ in states])
        self._state_code = np.array([STATE_NAMES.index(name) for _, name in states], dtype=np.int8)
        self._stride_from = np.array([start for start, _ in strides] or [0.0])
        self._stride_hz = np.array([hz for _, hz in strides] or [0.0])

    def coordinates(self, times_s: FloatArray) -> FloatArray:
        """(len(C), n) at increasing times; before 0 the wearer is as at 0."""
        out = np.empty((len(C), len(times_s)))
        rounds = np.floor(np.maximum(times_s, 0.0) / self.length_s)
        for number in range(int(rounds[0]), int(rounds[-1]) + 1) if len(times_s) else ():
            lo, hi = np.searchsorted(rounds, (number, number + 1))
            if lo < hi:
                local = np.maximum(times_s[lo:hi], 0.0) - number * self.length_s
                out[:, lo:hi] = self._one_round(local)
                out[C.HEADING, lo:hi] += number * self._turned_deg
        return out

    def step_phase(self, times_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Phase of the steps, rad, and steps per second; the phase is meaningful wherever C.GAIT is not 0."""
        local = np.maximum(times_s, 0.0) % self.length_s
        which = np.maximum(np.searchsorted(self._stride_from, local, side="right") - 1, 0)
        hz = self._stride_hz[which]
        return 2.0 * np.pi * hz * (local - self._stride_from[which]), hz

    def states(self, times_s: FloatArray) -> npt.NDArray[np.int8]:
        """State codes (n,)."""
        local = np.maximum(times_s, 0.0) % self.length_s
        codes: npt.NDArray[np.int8] = self._state_code[
            np.searchsorted(self._state_from, local, side="right") - 1
        ]
        return codes

    def _one_round(self, local_s: FloatArray) -> FloatArray:
        first = bisect_left(self._ends, float(local_s[0]))
        out = np.repeat(self._done[first][:, None], len(local_s), axis=1)
        for i in first + np.flatnonzero(self._starts[first:] < local_s[-1]):
            step = self._steps[i]
            lo, hi = np.searchsorted(local_s, (step.start_s, self._ends[i]))
            part = min_jerk((local_s[lo:hi] - step.start_s) / step.seconds)
            for coordinate, change in step.changes.items():
                out[coordinate, lo:hi] += change * part
                out[coordinate, hi:] += change
        return out
