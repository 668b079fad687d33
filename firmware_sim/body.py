"""The wearer: what the body does at any time, and the truth it implies at any placement."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from firmware_sim.choreography import choreograph
from firmware_sim.kinematics import (
    Angle,
    Columns,
    Motion,
    about_vertical,
    at_lever,
    quaternion,
    swing_down,
    swing_twist,
    swing_up,
)
from firmware_sim.motions import CHUNK_KNOTS, KNOT_S, Motions, Track
from firmware_sim.noise import FloatArray
from firmware_sim.person import Person
from firmware_sim.placements import PLACEMENT_GEOMETRY, SKIN_LAG_KNOTS, Placement, oriented_tracks
from firmware_sim.scenario import Scenario
from firmware_sim.tables import ScenarioError
from firmware_sim.truth import Truth, TruthEvent

GRAVITY_M_S2 = 9.80665
_CHUNKS_KEPT, _TABLES_KEPT = 4, 8
_POSITIONS = [Track.FORWARD, Track.LEFT, Track.UP]
_SHAKES = [Track.SHAKE_FORWARD, Track.SHAKE_LEFT, Track.SHAKE_UP]


class _Rows(NamedTuple):
    """The motion of one placement's segment, its angles (rad) and the specific force at the sensor, for some rows."""

    motion: Motion
    rotation: FloatArray
    lateral: FloatArray
    flexion: FloatArray
    force: Columns


@dataclass(frozen=True, slots=True)
class _Place:
    """A placement's geometry, and how many of its table's rows are angles (3, or 6 with the pelvis under the thorax)."""

    geometry: Placement
    on_pelvis_m: tuple[float, float, float]
    on_thorax_m: tuple[float, float, float] | None
    angle_rows: int


class Wearer:
    """One person living one scenario. Everything is a pure function of (scenario, seed, time), however it is asked for."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.seed = seed
        self.person = Person.draw(scenario.wearer, scenario.people, seed)
        self.plan = choreograph(scenario, self.person, seed)
        self._motions = Motions(self.plan, self.person, seed)
        self._chunks: OrderedDict[int, FloatArray] = OrderedDict()
        self._tables: OrderedDict[tuple[int, str, bool], FloatArray] = OrderedDict()
        self._places = {name: self._place(geometry) for name, geometry in PLACEMENT_GEOMETRY.items()}
        self._start_rad: dict[str, float] = {}

    @property
    def round_s(self) -> float:
        """Length of one round of the scenario; after it the wearer starts again."""
        return self.plan.length_s

    def truth(self, times_s: FloatArray, placement: str) -> Truth:
        """What really happens at `times_s` (n,), s, not decreasing, at `placement`: where a sensor may sit, `pelvis` or `thorax`.

        ValueError for times that decrease; ScenarioError for an unknown placement.
        """
        parts = [
            (quaternion(rows.motion, rows.rotation), rows.motion.rate, rows.force, rows)
            for rows in self._rows(times_s, placement, skin=False)
        ]
        start = self._rotation_at_start(placement)
        lateral = np.degrees(np.concatenate([rows.lateral for *_, rows in parts]))
        flexion = np.degrees(np.concatenate([rows.flexion for *_, rows in parts]))
        rotation = np.degrees(np.concatenate([rows.rotation for *_, rows in parts]) - start)
        return Truth(
            t_s=times_s,
            quat=np.concatenate([quat for quat, *_ in parts]),
            rate=np.concatenate([np.stack(rate, axis=-1) for _, rate, *_ in parts]),
            acc=np.concatenate([np.stack(force, axis=-1) for _, _, force, _ in parts]),
            inclination_deg=np.sqrt(lateral * lateral + flexion * flexion),
            flexion_deg=flexion,
            lateral_deg=lateral,
            rotation_deg=rotation,
            state=self.plan.states(times_s),
        )

    def felt(self, times_s: FloatArray, placement: str) -> tuple[Columns, Columns]:
        """Angular rate (rad/s) and specific force (m/s2), three columns each, in body axes carried by the skin."""
        parts = list(self._rows(times_s, placement, skin=True))
        rate = tuple(np.concatenate([rows.motion.rate[i] for rows in parts]) for i in range(3))
        force = tuple(np.concatenate([rows.force[i] for rows in parts]) for i in range(3))
        return (rate[0], rate[1], rate[2]), (force[0], force[1], force[2])

    def events(self, start_s: float, end_s: float) -> list[TruthEvent]:
        """Events with start_s <= t_s < end_s, in order of t_s."""
        found = []
        first = max(0, int(start_s // self.round_s) - 1)
        for number in range(first, int(max(end_s, 0.0) // self.round_s) + 1):
            shift = number * self.round_s
            found += [_shifted(e, shift) for e in self.plan.events if start_s <= e.t_s + shift < end_s]
        return sorted(found, key=lambda event: event.t_s)

    def _place(self, geometry: Placement) -> _Place:
        on_pelvis, on_thorax = geometry.lever_m(self.person.plan)
        stuck = geometry.misplaced(self.person.placement_share)
        return _Place(stuck, on_pelvis, on_thorax, 3 if on_thorax is None else 6)

    def _rotation_at_start(self, placement: str) -> float:
        if placement not in self._start_rad:
            first = next(self._rows(np.zeros(1), placement, skin=False))
            self._start_rad[placement] = float(first.rotation[0])
        return self._start_rad[placement]

    def _rows(self, times_s: FloatArray, placement: str, *, skin: bool) -> Iterator[_Rows]:
        """The rows, in one part per chunk of knots they fall into; one empty part where there are none."""
        if placement not in self._places:
            allowed = ", ".join(self._places)
            raise ScenarioError(f"There is no placement {placement!r}; allowed are {allowed}.")
        knot = times_s * (1.0 / KNOT_S)
        index = np.floor(knot).astype(np.int64)
        u = knot - index
        chunk = index // CHUNK_KNOTS
        if len(chunk) and (chunk[0] > chunk[-1] or np.any(index[1:] < index[:-1])):
            raise ValueError("times must not decrease")
        numbers = range(int(chunk[0]), int(chunk[-1]) + 1) if len(chunk) else range(1)
        for number in numbers:
            lo, hi = np.searchsorted(chunk, (number, number + 1))
            if hi > lo or len(numbers) == 1:
                table = self._table(number, placement, skin)
                yield self._evaluate(
                    table, index[lo:hi] - number * CHUNK_KNOTS, u[lo:hi], self._places[placement]
                )

    def _evaluate(
        self,
        table: FloatArray,
        index: np.ndarray[tuple[int], np.dtype[np.int64]],
        u: FloatArray,
        place: _Place,
    ) -> _Rows:
        tracks = table.shape[0] // 4
        gathered = np.take(table, index, axis=1).reshape(4, tracks, len(index))
        n = place.angle_rows
        value, first, second = _derivatives(gathered[:, :n], u)
        angles: list[Angle] = [(value[i], first[i], second[i]) for i in range(n)]
        push = _second(gathered[:, n : n + 3], u)
        others = _value(gathered[:, n + 3 :], u)
        motion = swing_twist(angles[0], angles[1], angles[2])
        level = about_vertical(others[0], (push[0] + others[1], push[1] + others[2], push[2] + others[3]))
        if place.on_thorax_m is None:
            own_lever = place.on_pelvis_m
        else:
            own_lever = place.on_thorax_m
            relative = angles[3]
            turn = angles[0]
            pelvis_turn = (relative[0] + turn[0], relative[1] + turn[1], relative[2] + turn[2])
            pelvis = swing_twist(pelvis_turn, angles[4], angles[5])
            carried = about_vertical(relative[0], swing_up(pelvis, at_lever(pelvis, place.on_pelvis_m)))
            level = (level[0] + carried[0], level[1] + carried[1], level[2] + carried[2])
        lever = at_lever(motion, own_lever)
        body = swing_down(motion, (level[0], level[1], level[2] + GRAVITY_M_S2))
        force = (body[0] + lever[0], body[1] + lever[1], body[2] + lever[2])
        return _Rows(motion, angles[0][0], angles[1][0], angles[2][0], force)

    def _table(self, number: int, placement: str, skin: bool) -> FloatArray:
        """Cubic pieces of a chunk, (4 * tracks, CHUNK_KNOTS): angles, positions, turn to the heading, vibration."""
        key = (number, placement, skin)
        if key not in self._tables:
            self._tables[key] = self._make_table(number, self._places[placement], skin)
            if len(self._tables) > _TABLES_KEPT:
                self._tables.popitem(last=False)
        return self._tables[key]

    def _make_table(self, number: int, place: _Place, skin: bool) -> FloatArray:
        raw = np.concatenate(
            (
                self._chunk(number - 1)[:, -SKIN_LAG_KNOTS - 1 :],
                self._chunk(number),
                self._chunk(number + 1)[:, :2],
            ),
            axis=1,
        )
        share = self.person.plan.skin_share if skin else 0.0
        angles = oriented_tracks(raw, place.geometry, share)
        now = raw[:, SKIN_LAG_KNOTS:]
        rows = [angles]
        if place.on_thorax_m is not None:
            pelvis = oriented_tracks(raw, PLACEMENT_GEOMETRY["pelvis"], 0.0)
            pelvis[0] -= angles[0]
            rows.append(pelvis)
        rows += [now[_POSITIONS], now[Track.HEADING][None] - angles[:1], now[_SHAKES]]
        return _pieces(np.concatenate(rows))

    def _chunk(self, number: int) -> FloatArray:
        if number not in self._chunks:
            self._chunks[number] = self._motions.chunk(number)
            if len(self._chunks) > _CHUNKS_KEPT:
                self._chunks.popitem(last=False)
        return self._chunks[number]


def _pieces(knots: FloatArray) -> FloatArray:
    """The cubic of each interval from its four B-spline coefficients: constant, linear, square, cube, (tracks, n) each."""
    c0, c1, c2, c3 = knots[:, :-3], knots[:, 1:-2], knots[:, 2:-1], knots[:, 3:]
    return np.concatenate(
        (
            (c0 + 4.0 * c1 + c2) / 6.0,
            (c2 - c0) / 2.0,
            (c0 - 2.0 * c1 + c2) / 2.0,
            (c3 - c0 + 3.0 * (c1 - c2)) / 6.0,
        )
    )


def _value(a: FloatArray, u: FloatArray) -> FloatArray:
    out: FloatArray = ((a[3] * u + a[2]) * u + a[1]) * u + a[0]
    return out


def _second(a: FloatArray, u: FloatArray) -> FloatArray:
    out: FloatArray = (6.0 * a[3] * u + 2.0 * a[2]) * (1.0 / KNOT_S**2)
    return out


def _derivatives(a: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    first: FloatArray = ((3.0 * a[3] * u + 2.0 * a[2]) * u + a[1]) * (1.0 / KNOT_S)
    return _value(a, u), first, _second(a, u)


def _shifted(event: TruthEvent, by_s: float) -> TruthEvent:
    return replace(event, t_s=event.t_s + by_s, start_s=event.start_s + by_s, end_s=event.end_s + by_s)
