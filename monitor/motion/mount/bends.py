"""Forward seen in leaning: bends forward tell it with its sign, quick leans such as rising from a seat its axis."""

from __future__ import annotations

import math

import numpy as np

from monitor.core.inputs import BoolArray, FloatArray
from monitor.motion.mount.witness import Witness, axis_of, folded, pooled, wrapped

BEND_FROM_DEG, BEND_PEAK_DEG, BEND_MOST_DEG = 10.0, 15.0, 110.0
"""A gentle bend of the trunk by 30 deg turns the pelvis by 16 (lumbar share 0.47)."""
BEND_S = (1.0, 10.0)
"""Shorter is a step on the stairs, longer more than one movement: out and back take 4.6 to 6.4 s (Laird 2019) and a hold."""
STRAIGHT = 0.35
"""Largest ratio of the short to the long axis of a way that goes along a line: a sway of 20 deg to either side."""
FREE_SHARE = 0.7
"""Walking is known to a second or so: a bend right after it overlaps."""
MIN_BENDS = 2
BENDS_WITHIN_DEG = 50.0
"""Bends that far from their mean go in different directions."""
BEND_SD_DEG = 2.0
"""Between bends of one person (belt recordings of 20 people: 2 deg; pelvis in squats, cameras: 1.7)."""
BENDING_SD_DEG = {"lower_back": 2.0, "waist": 5.0, "upper_back": 5.0, "sternum": 5.0}
"""Between people bending forward as they will. Lower back: pelvis by cameras, squats and rising. Waist: belt recordings,
against their own walking and sitting down. Thorax by cameras: 3 in rising, 11 in squats."""
LEAN_DEG_S, LEAN_DEG, LEAN_MOST_DEG = 15.0, 15.0, 70.0
LEAN_S = (0.5, 4.0)
SHORT_LEAN_S = 0.4
"""Where steps and nods need not be feared: forward is known roughly, from leaning itself."""
LEAN_SD_DEG = 5.0
"""Between sitting down and rising of one person (the same belt recordings; pelvis by cameras: 2.7)."""
LEANING_SD_DEG = {"lower_back": 2.0, "waist": 3.3, "upper_back": 4.0, "sternum": 4.0}
"""Between people sitting down and rising; sources as for bends."""
MIN_LEANS = 2
LEANS_AGREE = 0.8
"""Least mean resultant length of the leans' doubled angles; less means leaning to all sides."""
SAGITTAL_DEG = 40.0
"""A lean nearer than this to the forward that is roughly known goes forward or back: half way to a side bend, less the
error of that forward."""


def find_bends(
    level: FloatArray, tilt_deg: FloatArray, free: BoolArray, rate_hz: float
) -> tuple[list[float], BoolArray]:
    """Angle (rad) towards which the trunk leaned in each excursion from upright and back that is `free` for the most part,
    and the rows (n,) that belong to them.

    `level` (n,2): the vertical along two level axes fixed to the sensor.
    """
    directions, rows = [], np.zeros(len(tilt_deg), bool)
    for start, end in _runs(tilt_deg > BEND_FROM_DEG):
        part = slice(start, end)
        whole = start > 0 and end < len(tilt_deg) and float(np.mean(free[part])) >= FREE_SHARE
        peak_deg, lasted_s = float(np.max(tilt_deg[part])), (end - start) / rate_hz
        thin = axis_of(np.einsum("ni,nj->ij", level[part], level[part]))[1]
        deep_enough = BEND_PEAK_DEG <= peak_deg <= BEND_MOST_DEG
        if whole and deep_enough and thin <= STRAIGHT and BEND_S[0] <= lasted_s <= BEND_S[1]:
            # Leaning forward brings the vertical behind the body: forward is where it went away from.
            away = -np.sum(level[part][tilt_deg[part] >= 0.5 * peak_deg], axis=0)
            directions.append(math.atan2(away[1], away[0]))
            rows[part] = True
    return directions, rows


def bends_witness(directions: list[float], placement: str) -> Witness | None:
    """What bends say together; None where there is none or they go in different directions."""
    if not directions:
        return None
    middle = math.atan2(sum(map(math.sin, directions)), sum(map(math.cos, directions)))
    offsets = [wrapped(direction - middle) for direction in directions]
    if max(map(abs, offsets)) > math.radians(BENDS_WITHIN_DEG):
        return None
    mean, sd = pooled(np.array(offsets), np.full(len(offsets), math.radians(BEND_SD_DEG)), known=False)
    return Witness("bends", middle + mean, math.hypot(sd, math.radians(BENDING_SD_DEG[placement])), True)


def bends_along(directions: list[float], forward: float, placement: str) -> Witness | None:
    """The axis of bends forward or back, where forward (rad) is known roughly; None where there is none."""
    offsets = np.array([folded(direction - forward) for direction in directions])
    sagittal = offsets[np.abs(offsets) <= math.radians(SAGITTAL_DEG)]
    if not len(sagittal):
        return None
    mean, sd = pooled(sagittal, np.full(len(sagittal), math.radians(BEND_SD_DEG)), known=False)
    return Witness("bends", forward + mean, math.hypot(sd, math.radians(BENDING_SD_DEG[placement])), False)


def leans_witness(
    level: FloatArray,
    tilt_deg: FloatArray,
    free: BoolArray,
    rate_hz: float,
    placement: str,
    forward: float | None = None,
) -> Witness | None:
    """The axis along which the trunk leans quickly and straight while `free`; None where there is no one axis.

    Where `forward` (rad) is known roughly, leans to the sides do no harm beside those forward and back, of which one
    is enough.
    """
    steps = np.diff(level, axis=0, prepend=level[:1])
    quick = np.sqrt(np.einsum("ij,ij->i", steps, steps)) * rate_hz > math.radians(LEAN_DEG_S)
    axes, shortest_s = [], LEAN_S[0] if forward is None else SHORT_LEAN_S
    for start, end in _runs(quick & free & (tilt_deg < LEAN_MOST_DEG)):
        if not shortest_s <= (end - start) / rate_hz <= LEAN_S[1]:
            continue
        angle, thin = axis_of(np.einsum("ni,nj->ij", steps[start:end], steps[start:end]))
        travelled = math.degrees(float(np.sum(np.abs(steps[start:end] @ (math.cos(angle), math.sin(angle))))))
        if travelled >= LEAN_DEG and thin <= STRAIGHT:
            axes.append(angle)
    if forward is not None:
        axes = [axis for axis in axes if abs(folded(axis - forward)) <= math.radians(SAGITTAL_DEG)]
    if len(axes) < (MIN_LEANS if forward is None else 1):
        return None
    doubled = np.mean(np.exp(2j * np.array(axes)))
    if abs(doubled) < LEANS_AGREE:
        return None
    between_deg = (LEANING_SD_DEG if forward is None else BENDING_SD_DEG)[placement]
    middle = 0.5 * float(np.angle(doubled))
    offsets = np.array([folded(axis - middle) for axis in axes])
    mean, sd = pooled(offsets, np.full(len(axes), math.radians(LEAN_SD_DEG)), known=False)
    return Witness("leans", middle + mean, math.hypot(sd, math.radians(between_deg)), False)


def _runs(flags: BoolArray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
