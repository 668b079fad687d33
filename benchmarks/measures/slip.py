"""Slips, re-attachment and an upside-down sensor on simulated working days: found when, and how often where there is none.

The days are those of the scenario `mixed_day`: people who differ, lean on counters, perch, ride in cars. The sensor turns at
a random moment: for a slip by 8 deg about a random level axis, re-attached to a random mounting.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from figure import Figure, over_people

from firmware_sim.body import Wearer
from firmware_sim.direct import run_direct
from firmware_sim.scenario import Scenario, load
from firmware_sim.scenario import Slip as Turn
from firmware_sim.truth import STATE_NAMES
from firmware_sim.worn import put_on
from monitor.core.events import MountSet, Record, Slip
from monitor.core.inputs import FloatArray, Input, Mark, Packet
from monitor.core.quaternion import conjugate, multiply, rotate
from monitor.motion.attachment.follow import REATTACHED_DEG, UPSIDE_DOWN_DEG
from monitor.pipeline import Pipeline

PLACEMENT = "lower_back"
DAY_S = 8 * 3600.0
DAYS, QUICK_DAYS = 24, 1
EARLIEST_S, LATEST_S = 1800.0, 6.0 * 3600
AFTERWARDS_S = 2.0 * 3600
BLOCK_S = 60.0
SLIP_DEG = 8.0
HANDLING_S = 6.0
"""Taking the sensor off and putting it on again."""
STAND_S = 60.0
"""A quiet stand lasts as long as the slip may take to be found in it,"""
UPRIGHT_DEG, WALKING_FLEXION_DEG = 5.0, 1.0
"""the trunk no further than this from how simulated people walk: not leaning on something."""
FOUND_WITHIN_S = 60.0
KINDS = ("none", "slipped", "reattached", "upside_down")
STANDING = STATE_NAMES.index("standing")


@dataclass(frozen=True)
class Day:
    """`found` the first slip told after the sensor moved, `late_s` after the next quiet stand began (inf: never, NaN: there
    was no such stand), `false` those told beside it in `hours`. `tilt_deg`, `forward_deg`: how far the mount in force at
    the end is off (NaN: unknown). `name`: what a turn of upright by so much is called.
    """

    kind: str
    name: str
    found: Slip | None
    late_s: float
    false: int
    hours: float
    tilt_deg: float
    forward_deg: float


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """Simulated people only: no recording says where its sensor slipped."""
    seeds = range(QUICK_DAYS if quick else DAYS)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        done = {kind: list(pool.map(partial(_day, kind), seeds)) for kind in KINDS}
    yield from _false(done["none"])
    yield from _slipped(done["slipped"])
    for kind in KINDS[2:]:
        yield from _put_on_again(kind.replace("_", " "), done[kind])


def _false(days: Sequence[Day]) -> Iterator[Figure]:
    rates = [20.0 * day.false / day.hours for day in days]
    low, high = over_people(rates)
    what = "slips told per 20 h without any"
    yield _figure(what, days, float(np.mean(rates)), "", "less", must=1.0, low=low, high=high)


def _slipped(days: Sequence[Day]) -> Iterator[Figure]:
    stood = [day for day in days if not math.isnan(day.late_s)]
    if stood:
        what = "8 deg slip told within 60 s of the next quiet stand"
        yield _figure(
            what, stood, float(np.mean([day.late_s <= FOUND_WITHIN_S for day in stood])), "", must=0.95
        )
    yield _figure("8 deg slip told within 2 h", days, _told(days))
    yield _figure("tilt left after it, p95", days, _p95(day.tilt_deg for day in days), "deg", "less")


def _put_on_again(name: str, days: Sequence[Day]) -> Iterator[Figure]:
    yield _figure(f"{name}: told within 2 h", days, _told(days), must=1.0)
    right = [day.found is not None and day.found.slip.value == day.name for day in days]
    yield _figure(f"{name}: called by its size", days, float(np.mean(right)))
    yield _figure(f"{name}: tilt left, p95", days, _p95(day.tilt_deg for day in days), "deg", "less")
    forward = [day.forward_deg for day in days if not math.isnan(day.forward_deg)]
    yield _figure(f"{name}: forward known again", days, len(forward) / len(days))
    if forward:
        yield _figure(f"{name}: error of forward, p95", days, _p95(forward), "deg", "less")


def _figure(
    what: str,
    days: Sequence[Day],
    value: float,
    unit: str = "",
    better: Literal["less", "more"] = "more",
    must: float | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Figure:
    return Figure(what, "simulated days", len(days), value, unit, better, must, low=low, high=high)


def _told(days: Sequence[Day]) -> float:
    return float(np.mean([day.found is not None for day in days]))


def _p95(values: Iterator[float] | Sequence[float]) -> float:
    return float(np.quantile(list(values), 0.95))


def _day(kind: str, seed: int) -> Day:
    """One simulated day with (or without) one turn of the sensor."""
    script = _without_turns(load("mixed_day"))
    rng = np.random.default_rng((seed, KINDS.index(kind)))
    at_s, end_s, name = math.inf, DAY_S, kind
    if kind != "none":
        at_s = float(rng.uniform(EARLIEST_S, LATEST_S))
        end_s = at_s + AFTERWARDS_S
        quat = np.array(_worn_mount(script, seed))
        seconds = 0.5 if kind == "slipped" else HANDLING_S
        turn = Turn(at_s, _turn_deg(kind, quat, rng), seconds)
        script = replace(script, sensor=replace(script.sensor, slips=(turn,)))
        name = _name(quat, np.array(_worn_mount(script, seed, end_s)))
    told = list(_told_by_the_pipeline(script, seed, end_s))
    slips = [record for record in told if isinstance(record, Slip)]
    found = next((slip for slip in slips if slip.decided_s > at_s), None)
    late_s = math.nan
    if (stand_s := _next_quiet_stand_s(script, seed, at_s, end_s)) is not None:
        late_s = math.inf if found is None else found.decided_s - stand_s
    tilt_deg, forward_deg = _mount_error(script, seed, told, end_s)
    false = len(slips) - (found is not None)
    return Day(kind, name, found, late_s, false, end_s / 3600.0, tilt_deg, forward_deg)


def _without_turns(script: Scenario) -> Scenario:
    return replace(script, sensor=replace(script.sensor, slips=()))


def _worn_mount(script: Scenario, seed: int, t_s: float = 0.0) -> tuple[float, float, float, float]:
    (worn, *_) = put_on(script, seed, placements=(PLACEMENT,))[1]
    return worn.imu.mount_at(t_s)


def _turn_deg(kind: str, quat: FloatArray, rng: np.random.Generator) -> tuple[float, float, float]:
    """Rotation vector in sensor axes. `quat` is the mount before, sensor -> body."""
    if kind == "slipped":
        way = rng.uniform(0.0, 2.0 * math.pi)
        turn = rotate(conjugate(quat), SLIP_DEG * np.array((math.cos(way), math.sin(way), 0.0)))
    else:
        over = np.array((0.0, 1.0, 0.0, 0.0))
        after = rng.standard_normal(4) if kind == "reattached" else multiply(over, quat)
        turn = _rotation_vector_deg(multiply(conjugate(quat), after / np.sqrt(np.sum(after * after))))
    x, y, z = turn.tolist()
    return x, y, z


def _name(before: FloatArray, after: FloatArray) -> str:
    """By how far upright turned in sensor axes."""
    up = np.array((0.0, 0.0, 1.0))
    cosine = float(np.sum(rotate(conjugate(before), up) * rotate(conjugate(after), up)))
    tilt_deg = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    return KINDS[1 + int(tilt_deg >= REATTACHED_DEG) + int(tilt_deg >= UPSIDE_DOWN_DEG)]


def _rotation_vector_deg(quat: FloatArray) -> FloatArray:
    w, v = float(quat[0]), quat[1:]
    size = float(np.sqrt(np.sum(v * v)))
    angle = 2.0 * math.atan2(size, abs(w))
    vector: FloatArray = np.degrees(angle) * math.copysign(1.0, w) * v / size
    return vector


def _told_by_the_pipeline(script: Scenario, seed: int, end_s: float) -> Iterator[Record]:
    sensor = {"sensor": "sim", "driver": "spine1", "role": "single", "placement": PLACEMENT, "primary": True}
    mount = {"sensor": "sim", "quat": list(_worn_mount(script, seed)), "quality": 1.0, "source": "truth"}
    pipeline = Pipeline()
    block: list[Input] = [Mark(0.0, "sensor", sensor), Mark(0.0, "mount", mount)]
    pushed_s = 0.0
    for t_s, channel, payload in run_direct(script, seed, end_s, placement=PLACEMENT):
        block.append(Packet(t_s, "sim", channel, payload))
        if t_s - pushed_s >= BLOCK_S:
            yield from _kept(pipeline.push(block))
            block, pushed_s = [], t_s
    yield from _kept([*pipeline.push(block), *pipeline.close()])


def _kept(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if isinstance(record, (Slip, MountSet))]


def _next_quiet_stand_s(script: Scenario, seed: int, at_s: float, end_s: float) -> float | None:
    """When the next quiet stand of at least STAND_S begins; `at_s` where one is under way."""
    if not math.isfinite(at_s):
        return None
    t_s = np.arange(at_s, end_s, 1.0)
    truth = Wearer(script, seed).truth(t_s, PLACEMENT)
    off = np.hypot(truth.flexion_deg - WALKING_FLEXION_DEG, truth.lateral_deg)
    stands = np.concatenate(([False], truth.state == STANDING, [False]))
    edges = np.flatnonzero(stands[1:] != stands[:-1])
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end - start >= STAND_S and float(np.median(off[start:end])) <= UPRIGHT_DEG:
            return float(t_s[start])
    return None


def _mount_error(script: Scenario, seed: int, told: Sequence[Record], end_s: float) -> tuple[float, float]:
    """How far the last mount's up, and its forward about up, are from the truth, deg."""
    mounts = [record for record in told if isinstance(record, MountSet)]
    true = np.array(_worn_mount(script, seed, end_s))
    off = multiply(np.array(mounts[-1].quat), conjugate(true))
    x, y, z = rotate(off, np.array((0.0, 0.0, 1.0))).tolist()
    forward = math.degrees(2.0 * math.atan2(float(off[3]), float(off[0])))
    forward = abs((forward + 180.0) % 360.0 - 180.0)
    return math.degrees(math.atan2(math.hypot(x, y), z)), forward if mounts[-1].forward_known else math.nan
