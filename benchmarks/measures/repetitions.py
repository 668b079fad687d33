"""Are repetitions counted, and how well is the range of each known? Recorded people drive the simulated body.

Rehabilitation exercises (optical capture, ten repetitions one after the other) and exercise routines (mocap). Truth is what
the simulated body did at the sensor's place; the sensor has its noise, its bias and the skin under it. A repetition is a peak
of the true angle that stands out by half of what they do in the median: who leans once to rise and once to sit down bends
twice, whatever the exercise is called. Sequences whose repetitions go further about another axis now and then are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from driven_body import Recorded, analysed, plain_tilt
from figure import Figure, over_people
from movement_rows import excursions, share
from scipy.signal import find_peaks

from firmware_sim.plan import min_jerk
from monitor.core.events import Movement
from monitor.core.inputs import FloatArray

PLACEMENTS = ("upper_back", "lower_back")
TRUTH_RATE_HZ = 100.0
LEAST_DEG = 12.0
"""A sequence counts where each repetition goes at least so far about the sequence's own axis."""
STANDS_OUT = 0.5
"""Of the median repetition: a lesser peak is a wobble, a lesser movement is not counted either."""
OTHER_SIDE_DEG = 10.0
"""So far beyond neutral is a movement of its own."""
APART_S = 0.6
WITHIN_DEG = 3.0
MUST = 95.0
OFF_NEUTRAL_DEG = 5.0
"""A first repetition that begins further from where the others begin is left out: one would have to walk into it."""
UP_DEG, DOWN_DEG = 10.0, 5.0
"""The peer's thresholds on the inclination."""
JOIN_S = 1.0
DIRECTIONS = {"flexion": 0, "extension": 0, "lateral": 1, "rotation": 2}


@dataclass(frozen=True)
class _Sequence:
    """One person's repetitions: where they begin and end (s), their true ranges, the movements that count, the peer's count."""

    person: str
    ranges_deg: list[float]
    edges_s: list[float]
    counted: list[Movement]
    peer_count: int
    peer_errors_deg: list[float]
    own_axis: bool

    @property
    def errors_deg(self) -> list[tuple[float, float]]:
        """Of the repetitions with a movement in their middle: its error and the one it states."""
        found = []
        for (start_s, end_s), truth in zip(pairwise(self.edges_s), self.ranges_deg, strict=True):
            inside = [m for m in self.counted if start_s <= (m.start_s + m.end_s) / 2 < end_s]
            found += [(m.range_deg - truth, m.return_error_deg) for m in inside[:1]]
        return found


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """Sequences counted exactly, repetitions within 3 degrees."""
    if data is None:
        return
    for name, sequences in (
        ("rehabilitation exercises", list(_rehabilitation(data / "uiprmd_trunk", quick))),
        ("exercise routines", list(_routines(data / "cmu_mocap_trunk"))),
    ):
        if any(s.own_axis for s in sequences):
            yield from _figures(name, sequences)


def _figures(name: str, every: list[_Sequence]) -> Iterator[Figure]:
    sequences = [s for s in every if s.own_axis]
    people = sorted({s.person for s in sequences})
    errors = {who: [e for s in sequences if s.person == who for e, _ in s.errors_deg] for who in people}
    stated = [abs(e) <= claimed for s in sequences for e, claimed in s.errors_deg]
    everything = [e for each in errors.values() for e in each]
    plain = [e for s in sequences for e in s.peer_errors_deg]
    true, found, peer = (
        [len(s.ranges_deg) for s in sequences],
        [len(s.counted) for s in sequences],
        [s.peer_count for s in sequences],
    )
    yield Figure(
        *("sequences whose repetitions are counted exactly", name, len(people)),
        *(share(t == f for t, f in zip(true, found, strict=True)), "%", "more"),
        must=MUST,
        peers={"VQF, threshold": share(t == p for t, p in zip(true, peer, strict=True))},
        note=f"{len(sequences)} sequences, {sum(true)} repetitions, {sum(found)} counted; "
        f"{len(every) - len(sequences)} more mix axes",
    )
    low, high = over_people([share(abs(e) <= WITHIN_DEG for e in each) for each in errors.values() if each])
    yield Figure(
        *("range of a repetition within 3 deg", name, len(people)),
        *(share(abs(e) <= WITHIN_DEG for e in everything), "%", "more"),
        must=MUST,
        low=low,
        high=high,
        peers={"VQF's inclination": share(abs(e) <= WITHIN_DEG for e in plain)} if plain else {},
        note=f"median {np.median(everything):+.1f}, 90 % within {np.quantile(np.abs(everything), 0.9):.1f} deg",
    )
    yield Figure(*("return error covers the range", name, len(people), share(stated), "%", "more"), must=90.0)


def _scored(person: str, recorded: Recorded) -> Iterator[_Sequence]:
    """At each placement where the repetitions are large enough to be told from sway."""
    for placement in PLACEMENTS:
        scored = _scored_at(placement, person, recorded)
        if scored is not None:
            yield scored


def _scored_at(placement: str, person: str, recorded: Recorded) -> _Sequence | None:
    movements, truth = analysed(recorded, placement)
    angles = (truth.flexion_deg, truth.lateral_deg, truth.rotation_deg)
    axis = int(np.argmax([np.ptp(angle) for angle in angles]))
    peaks = _peaks(np.abs(angles[axis] - angles[axis][0]))
    ranges, edges_s = _ranges(angles[axis] - angles[axis][0], peaks)
    if not ranges or min(ranges) < LEAST_DEG:
        return None
    of_axis = [m for m in movements if DIRECTIONS[str(m.direction).split("_")[0]] == axis]
    least_deg = STANDS_OUT * float(np.median(ranges))
    counted = [
        m
        for m in of_axis
        if m.range_deg >= least_deg and edges_s[0] <= (m.start_s + m.end_s) / 2.0 < edges_s[-1]
    ]
    peer_count, peer_errors = _peer(recorded, placement, edges_s, ranges) if axis == 0 else (0, [])
    own_axis = _own(axis, angles, edges_s)
    return _Sequence(person, ranges, edges_s, counted, peer_count, peer_errors, own_axis)


def _own(axis: int, angles: tuple[FloatArray, ...], edges_s: list[float]) -> bool:
    """Whether each repetition goes furthest about this axis."""
    for start_s, end_s in pairwise(edges_s):
        rows = slice(round(start_s * TRUTH_RATE_HZ), round(end_s * TRUTH_RATE_HZ))
        if int(np.argmax([np.ptp(angle[rows]) for angle in angles])) != axis:
            return False
    return True


def _peaks(away: FloatArray) -> list[int]:
    """Rows furthest from neutral, of each repetition."""
    apart = int(APART_S * TRUTH_RATE_HZ)
    _, found = find_peaks(away, prominence=LEAST_DEG, distance=apart)
    if not len(found["prominences"]):
        return []
    least_deg = STANDS_OUT * float(np.median(found["prominences"]))
    peaks: list[int] = find_peaks(away, prominence=least_deg, distance=apart)[0].tolist()
    return peaks


def _ranges(angle: FloatArray, peaks: list[int]) -> tuple[list[float], list[float]]:
    """How far each repetition goes, from the lowest point since the one before, or from neutral where it went to the other
    side meanwhile; and the moments (s) nearest to neutral before, between and after them.
    """
    bounds = [0, *peaks, len(angle)]
    edges = [a + int(np.argmin(np.abs(angle[a:b]))) for a, b in pairwise(bounds)]
    ranges = []
    for before, peak, edge in zip(bounds, peaks, edges, strict=False):
        side = np.sign(angle[peak])
        other_side = np.min(side * angle[before : peak + 1]) <= -OTHER_SIDE_DEG
        ranges.append(float(np.max(side * (angle[peak] - angle[edge if other_side else before : peak + 1]))))
    return ranges, [edge / TRUTH_RATE_HZ for edge in edges]


def _peer(
    recorded: Recorded, placement: str, edges_s: list[float], ranges: list[float]
) -> tuple[int, list[float]]:
    """Runs of VQF's inclination beyond a threshold; their greatest less that at the repetition's start."""
    tilt = plain_tilt(recorded, placement)
    errors = []
    for (start_s, end_s), true in zip(pairwise(edges_s), ranges, strict=True):
        part = tilt[round(start_s * TRUTH_RATE_HZ) : round(end_s * TRUTH_RATE_HZ)]
        errors.append(float(part.max() - part[0]) - true)
    return len(excursions(tilt, UP_DEG, DOWN_DEG)), errors


def _joined(start: FloatArray) -> FloatArray:
    """From standing neutral to a first pose, (3, n)."""
    s = min_jerk(np.arange(int(JOIN_S * TRUTH_RATE_HZ)) / (JOIN_S * TRUTH_RATE_HZ))
    return start[:, None] * s[None]


def _rehabilitation(folder: Path, quick: bool) -> Iterator[_Sequence]:
    for path in folder.glob("*.npz"):
        with np.load(path) as file:
            episodes: dict[str, list[FloatArray]] = defaultdict(list)
            for key in sorted(file):
                if key.startswith("c_") and np.ptp(file[key][:, 0, 0]) > 1.0:
                    episodes[key.rsplit("_", 1)[0]].append(file[key].astype(float))
        for key, parts in list(episodes.items())[: 4 if quick else None]:
            neutral = np.median([part[0] for part in parts], axis=0)
            if np.abs(parts[0][0, 0, 0] - neutral[0, 0]) > OFF_NEUTRAL_DEG:
                parts = parts[1:]
            rows = np.concatenate(parts) - neutral
            thorax, pelvis = rows[:, 0].T, rows[:, 1].T
            thorax, pelvis = (np.concatenate((_joined(a[:, 0]), a), axis=1) for a in (thorax, pelvis))
            recorded = Recorded(TRUTH_RATE_HZ, _three(pelvis), _three(thorax))
            yield from _scored(key.split("_")[2], recorded)


def _routines(folder: Path) -> Iterator[_Sequence]:
    """Runs of one exercise: those whose trunk goes to and fro far enough to be counted."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            rate_hz = float(file["fs"])
            pelvis = np.unwrap(np.radians(file["root"][:, 3:6].astype(float)), axis=0)
            pelvis = np.degrees(pelvis)
            thorax = pelvis + sum(file[name].astype(float) for name in ("lowerback", "upperback", "thorax"))
            labels = np.repeat(file["label10hz"], round(rate_hz / 10.0))[: len(pelvis)]
        turns = np.flatnonzero(np.diff(labels)) + 1
        for first, stop in pairwise([0, *turns.tolist(), len(labels)]):
            if stop - first < 4.0 * rate_hz:
                continue
            parts = []
            for rows in (pelvis[first:stop], thorax[first:stop]):
                flexion, axial, lateral = (rows - rows[0]).T
                parts.append((flexion, lateral, axial))
            recorded = Recorded(rate_hz, parts[0], parts[1])
            yield from _scored(f"{path.stem} {first}", recorded)


def _three(rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    return rows[0], rows[1], rows[2]
