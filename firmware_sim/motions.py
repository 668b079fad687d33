"""From the plan to the body at knots 25 ms apart: the planned coordinates, and what a living body adds to them.

Added are breathing, sway, gait and vibration. The knots are the coefficients of cubic B-splines, so that every angle and
position has exact first and second derivatives at any time.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from firmware_sim.noise import FloatArray, derive_seed, normal_at, smooth_at
from firmware_sim.person import Person
from firmware_sim.plan import C, Plan

KNOT_S = 0.025
"""Fine enough for 15 Hz of vibration and for the fourth harmonic of steps (7 Hz)."""
CHUNK_KNOTS = 2048
"""Knots made at once (51.2 s)."""


class Track(IntEnum):
    """Rows of a chunk of knots: angles in rad, positions in m (along the heading, to the left, up), vibration in m/s2."""

    HEADING = 0
    PELVIS_AXIAL = 1
    PELVIS_LAT = 2
    PELVIS_FLEX = 3
    LUMBAR_AXIAL = 4
    LUMBAR_LAT = 5
    LUMBAR_FLEX = 6
    SWAY_AXIAL = 7
    SWAY_LAT = 8
    SWAY_FLEX = 9
    THORAX_LAT = 10
    THORAX_FLEX = 11
    BREATH = 12
    FORWARD = 13
    LEFT = 14
    UP = 15
    SHAKE_FORWARD = 16
    SHAKE_LEFT = 17
    SHAKE_UP = 18


# Knots over which each part of the wobble keeps its value: 25.6 s, 1.6 s, 0.4 s; and its share. Sway lies below 1 Hz [I].
_WOBBLE = ((1024, 0.6), (64, 0.7), (16, 0.4))
_FAST_WOBBLE = _WOBBLE[1:]
_THORAX_WOBBLE_SHARE = 0.5

# Harmonics of the step (vertical, forward) and of the stride (left): amplitude m/s2 as a share of the vertical first, phase deg.
# The forward phase is relative to the person's own gait phase. Orders of magnitude of lower-back recordings [I].
_GAIT_UP = ((1, 1.0, 0.0), (2, 0.40, 60.0), (3, 0.18, 150.0), (4, 0.08, -90.0))
_GAIT_FORWARD = ((1, 0.55, 0.0), (2, 0.20, 80.0), (3, 0.08, 10.0))
_GAIT_LEFT = ((1, 0.30, 20.0), (3, 0.22, -60.0))
# Rotations in walking, deg: axial and lateral at the stride, flexion at the step; the lumbar spine turns against the pelvis [I].
_GAIT_AXIAL_DEG, _GAIT_LAT_DEG, _GAIT_FLEX_DEG = 4.5, 2.5, 1.0
_GAIT_LUMBAR_AXIAL_DEG, _GAIT_LUMBAR_LAT_DEG, _GAIT_LUMBAR_FLEX_DEG = -7.0, -3.0, 0.6
_GAIT_PHASE_JITTER_RAD, _GAIT_AMPLITUDE_SD = 0.12, 0.08
_LIMP_SHARE = _GAIT_LEFT[0][1] / _GAIT_FORWARD[0][1]
"""What limps forward at the stride turns that axis as far as the whole to the side turns that of the steps."""
_SCATTER_KNOTS = 32
"""Steps 0.8 s apart scatter for themselves [I]."""

_SPINE_ASIDE_CHUNKS = 8
"""Over 7 min the spine keeps to its plane: longer than a bout of exercises [I]."""

_BREATH_JITTER_RAD = 0.8
_SHAKE_TAPS = 81
_SHAKE_SHARES = (0.35, 0.35, 1.0)
"""Vibration along, across and up, as shares of the vertical [I]."""


class Motions:
    """Chunks of knots, each a pure function of (plan, person, seed, chunk number)."""

    def __init__(self, plan: Plan, person: Person, seed: int) -> None:
        self._plan = plan
        self._person = person
        self._seed = {name: derive_seed(seed, "motions", name) for name in _STREAMS}
        self._kernel = _band_kernel()
        self._uneven = _unevenness(person.plan.gait_uneven, derive_seed(seed, "motions", "uneven"))

    def chunk(self, number: int) -> FloatArray:
        """Knots number * CHUNK_KNOTS onwards, (len(Track), CHUNK_KNOTS)."""
        first = number * CHUNK_KNOTS
        times_s: FloatArray = np.arange(first, first + CHUNK_KNOTS, dtype=np.float64) * KNOT_S
        planned = self._plan.coordinates(times_s)
        out = np.zeros((len(Track), CHUNK_KNOTS))
        out[Track.HEADING : Track.LUMBAR_FLEX + 1] = np.radians(planned[_PLANNED_ANGLES])
        out[Track.FORWARD] = planned[C.FORWARD_M]
        out[Track.UP] = planned[C.UP_M]
        self._turn_spine(out, first)
        self._add_sway(out, planned, first)
        self._add_breath(out, planned[C.BREATH], times_s, first)
        if np.any(planned[C.GAIT]):
            self._add_gait(out, planned[C.GAIT], times_s, first)
        if np.any(planned[C.VIBRATION]):
            self._add_shake(out, planned[C.VIBRATION], first)
        return out

    def _turn_spine(self, out: FloatArray, first: int) -> None:
        """Into the plane in which this person's spine bends by now."""
        if not self._person.people.spine_aside_sd_deg:
            return
        wander = smooth_at(self._seed["spine_aside"], first, CHUNK_KNOTS, _SPINE_ASIDE_CHUNKS * CHUNK_KNOTS)
        turn = np.radians(self._person.people.spine_aside_sd_deg) * wander
        cos, sin = np.cos(turn), np.sin(turn)
        lateral, flexion = out[Track.LUMBAR_LAT].copy(), out[Track.LUMBAR_FLEX].copy()
        out[Track.LUMBAR_LAT] = cos * lateral + sin * flexion
        out[Track.LUMBAR_FLEX] = cos * flexion - sin * lateral

    def _add_sway(self, out: FloatArray, planned: FloatArray, first: int) -> None:
        amplitude = np.radians(planned[C.SWAY_DEG])
        lever = planned[C.SWAY_LEVER_M]
        for track, name, position, sign in (
            (Track.SWAY_FLEX, "sway_flex", Track.FORWARD, 1.0),
            (Track.SWAY_LAT, "sway_lat", Track.LEFT, -1.0),
        ):
            fast = self._wobble(name, _FAST_WOBBLE, first) * amplitude
            out[track] = fast + self._wobble(name + "_slow", _WOBBLE[:1], first) * amplitude
            out[position] += sign * lever * fast
        axial = planned[C.AXIAL_SWAY] * amplitude
        out[Track.SWAY_AXIAL] = axial * self._wobble("sway_axial", _WOBBLE, first)
        thorax = _THORAX_WOBBLE_SHARE * amplitude
        out[Track.THORAX_FLEX] = thorax * self._wobble("thorax_flex", _WOBBLE, first)
        out[Track.THORAX_LAT] = thorax * self._wobble("thorax_lat", _WOBBLE, first)

    def _wobble(self, name: str, parts: tuple[tuple[int, float], ...], first: int) -> FloatArray:
        total = np.zeros(CHUNK_KNOTS)
        for step, share in parts:
            total += share * smooth_at(self._seed[name] + step, first, CHUNK_KNOTS, step)
        return total

    def _add_breath(self, out: FloatArray, weight: FloatArray, times_s: FloatArray, first: int) -> None:
        plan = self._person.plan
        jitter = _BREATH_JITTER_RAD * smooth_at(self._seed["breath"], first, CHUNK_KNOTS, 512)
        depth = 1.0 + 0.2 * smooth_at(self._seed["breath_depth"], first, CHUNK_KNOTS, 256)
        phase = 2.0 * np.pi * plan.breathing_hz * times_s + jitter
        out[Track.BREATH] = np.radians(plan.breathing_deg) * weight * depth * np.sin(phase)

    def _add_gait(self, out: FloatArray, weight: FloatArray, times_s: FloatArray, first: int) -> None:
        person = self._person
        phase, steps_hz = self._plan.step_phase(times_s)
        phase = phase + _GAIT_PHASE_JITTER_RAD * smooth_at(self._seed["gait_phase"], first, CHUNK_KNOTS, 32)
        weight = weight * (
            1.0 + _GAIT_AMPLITUDE_SD * smooth_at(self._seed["gait_size"], first, CHUNK_KNOTS, 64)
        )
        size = weight * person.plan.gait_vertical_m_s2
        ahead = np.radians(person.gait_phase_deg)
        out[Track.UP] += size * _displacement(_GAIT_UP, phase, 0.0, steps_hz)
        forward = size * _displacement(_GAIT_FORWARD, phase, ahead, steps_hz)
        left = size * _displacement(_GAIT_LEFT, 0.5 * phase, 0.0, 0.5 * steps_hz)
        plan = person.plan
        if plan.gait_uneven > 0.0:
            aside, limp = self._uneven
            left += size * _displacement((aside,), phase, 0.0, steps_hz)
            forward += size * _displacement((limp,), 0.5 * phase, 0.0, 0.5 * steps_hz)
        if plan.gait_scatter > 0.0:
            left += size * plan.gait_scatter * self._scattered("aside", phase, steps_hz, first)
            limp_share = plan.gait_scatter * _LIMP_SHARE
            forward += size * limp_share * self._scattered("limp", 0.5 * phase, 0.5 * steps_hz, first)
        turned = np.radians(person.gait_turned_deg)
        cos, sin = np.cos(turned), np.sin(turned)
        out[Track.FORWARD] += cos * forward - sin * left
        out[Track.LEFT] += sin * forward + cos * left
        stride_axial, stride_lat = np.cos(0.5 * phase - 0.6), np.cos(0.5 * phase + 0.9)
        # In step with the forward acceleration, so that the tilting of gravity does not turn its phase.
        nod = -np.cos(phase + ahead)
        for track, degrees, wave in (
            (Track.PELVIS_AXIAL, _GAIT_AXIAL_DEG, stride_axial),
            (Track.PELVIS_LAT, _GAIT_LAT_DEG, stride_lat),
            (Track.PELVIS_FLEX, _GAIT_FLEX_DEG, nod),
            (Track.LUMBAR_AXIAL, _GAIT_LUMBAR_AXIAL_DEG, stride_axial),
            (Track.LUMBAR_LAT, _GAIT_LUMBAR_LAT_DEG, stride_lat),
            (Track.LUMBAR_FLEX, _GAIT_LUMBAR_FLEX_DEG, nod),
        ):
            out[track] += np.radians(degrees) * weight * wave

    def _scattered(self, name: str, phase: FloatArray, base_hz: FloatArray, first: int) -> FloatArray:
        """Displacement of acceleration at `phase` that comes and goes, of root mean square size one over both phases."""
        total = np.zeros(CHUNK_KNOTS)
        for quarter, degrees in (("in", 0.0), ("out", 90.0)):
            wander = smooth_at(self._seed[f"scatter_{name}_{quarter}"], first, CHUNK_KNOTS, _SCATTER_KNOTS)
            total += wander * _displacement(((1, np.sqrt(0.5), degrees),), phase, 0.0, base_hz)
        return total

    def _add_shake(self, out: FloatArray, size_m_s2: FloatArray, first: int) -> None:
        reach = _SHAKE_TAPS // 2
        index = np.arange(first - reach, first + CHUNK_KNOTS + reach, dtype=np.int64)
        for axis, share in enumerate(_SHAKE_SHARES):
            white = normal_at(self._seed["shake"] + axis, index)
            out[Track.SHAKE_FORWARD + axis] = (
                share * size_m_s2 * np.convolve(white, self._kernel, mode="valid")
            )


_PLANNED_ANGLES = [
    C.HEADING,
    C.PELVIS_AXIAL,
    C.PELVIS_LAT,
    C.PELVIS_FLEX,
    C.LUMBAR_AXIAL,
    C.LUMBAR_LAT,
    C.LUMBAR_FLEX,
]
_STREAMS = (
    "sway_flex",
    "sway_flex_slow",
    "sway_lat",
    "sway_lat_slow",
    "sway_axial",
    "thorax_flex",
    "thorax_lat",
    "breath",
    "breath_depth",
    "gait_phase",
    "gait_size",
    "scatter_aside_in",
    "scatter_aside_out",
    "scatter_limp_in",
    "scatter_limp_out",
    "shake",
    "spine_aside",
)


_Harmonic = tuple[int, float, float]


def _unevenness(share: float, seed: int) -> tuple[_Harmonic, _Harmonic]:
    """What this person adds to the side at the step and forward at the stride."""
    sizes = np.random.default_rng(seed).normal(0.0, share / np.sqrt(2.0), (2, 2))
    aside, limp = (
        (1, part * float(np.hypot(*pair)), float(np.degrees(np.arctan2(pair[1], pair[0]))))
        for part, pair in zip((1.0, _LIMP_SHARE), sizes, strict=True)
    )
    return aside, limp


def _displacement(
    harmonics: tuple[_Harmonic, ...], phase: FloatArray, ahead: float, base_hz: FloatArray
) -> FloatArray:
    """Knots of the displacement whose acceleration is the sum of share * cos(k (phase) + ahead + own phase), unit size.

    The divisor is the B-spline's own second derivative of a sampled cosine, so that the spline's acceleration comes out right.
    """
    total = np.zeros(len(phase))
    for k, share, degrees in harmonics:
        turn = 2.0 * np.pi * k * base_hz * KNOT_S
        divisor = np.maximum((2.0 - 2.0 * np.cos(turn)) / KNOT_S**2, 1e-3)
        total -= share * np.cos(k * phase + ahead + np.radians(degrees)) / divisor
    return total


def _band_kernel() -> FloatArray:
    """FIR that makes white knots a vibration of 1-15 Hz, strongest at a seat's resonance of 3-6 Hz [I]."""
    t = (np.arange(_SHAKE_TAPS) - _SHAKE_TAPS // 2) * KNOT_S

    def band(low_hz: float, high_hz: float) -> FloatArray:
        wave: FloatArray = 2 * high_hz * np.sinc(2 * high_hz * t) - 2 * low_hz * np.sinc(2 * low_hz * t)
        return wave

    kernel = np.hanning(_SHAKE_TAPS) * (band(3.0, 6.0) + 0.5 * band(1.0, 15.0))
    unit: FloatArray = kernel / np.sqrt(np.sum(kernel * kernel))
    return unit
