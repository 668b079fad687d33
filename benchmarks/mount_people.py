"""Short calibration takes of simulated people: what their sensors measure, and where forward truly is.

Everything is drawn per person: whether and for how long they walk, how weakly and unevenly, how often, deep, fast and crookedly
they bend. Nobody sits down: the simulator's people do it straighter than anybody, which would flatter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from firmware_sim.scenario import parse
from firmware_sim.worn import put_on
from monitor.core.inputs import FloatArray
from monitor.core.quaternion import rotate
from monitor.motion.mount.bends import BENDING_SD_DEG

G_M_S2 = 9.80665
COUNTS = 32_768.0
STANDS_S = (2.0, 5.0)
"""Before and after."""
WALKS, WALK_S = 0.7, (3.0, 30.0)
"""Share of the takes with a walk on the level, and how long it is, drawn evenly over the logarithm."""
MOST_BENDS, BEND_DEG, BEND_MOVE_S = 4, (15.0, 70.0), (0.9, 2.0)
"""None to four bends forward, all as likely; a person bends to a depth in this range, give or take BEND_EACH."""
BEND_EACH = 0.15
"""Standard deviation of a bend's depth and pace as a share of the person's own."""
CADENCE_HZ, VERTICAL_M_S2, PHASE_DEG = (1.4, 2.1), (0.8, 4.0), (92.0, 128.0)
"""Of a person's means; the simulator's own spread of 12 deg widens the phase to 80-140 deg."""
UNEVEN, UNEVEN_SPREAD = {"lower_back": 0.032, "waist": 0.08}, 0.6
"""Median of gait_uneven and the spread of its logarithm: the axes turn as far as in recordings (monitor.motion.mount.gait)."""
SKIN_SPREAD = 0.5
"""Of the logarithm of the skin's share between people [I]."""
CROOKED_DEG, CROOKED_EACH_DEG, CROOKED_SPREAD = BENDING_SD_DEG, 1.8, 0.6
"""Standard deviation of the way of bending between people; its median between bends of one, and the spread of the logarithm
of that (monitor.motion.mount.bends)."""


@dataclass(frozen=True)
class Take:
    """Rows in SI in sensor axes; `forward` (3,) the body's forward in them at the start."""

    kind: str
    placement: str
    t_s: FloatArray
    acc: FloatArray
    gyr: FloatArray
    forward: FloatArray


def simulated(count: int, placements: Sequence[str]) -> Iterator[Take]:
    """One take each of `count` people with random mounts, the seeds 0 to count - 1. At the thorax nobody is asked to walk."""
    for seed in range(count):
        placement = placements[seed % len(placements)]
        yield _taken(placement, seed, np.random.default_rng((seed, 1)))


def _taken(placement: str, seed: int, rng: np.random.Generator) -> Take:
    cadence, vertical, phase = (rng.uniform(*limits) for limits in (CADENCE_HZ, VERTICAL_M_S2, PHASE_DEG))
    uneven = min(0.3, UNEVEN.get(placement, 0.0) * math.exp(UNEVEN_SPREAD * rng.standard_normal()))
    kind, activities, length_s = _activities(placement, rng)
    script = f"""
        title = "take"
        [wearer]
        cadence_hz = {cadence}
        gait_vertical_m_s2 = {vertical}
        gait_phase_deg = {phase}
        gait_uneven = {uneven}
        [people]
        skin_spread = {SKIN_SPREAD}
        [[block]]
        activities = [{", ".join(activities)}]
    """
    scenario, (worn, *_) = put_on(parse(script.encode(), "take"), seed, placements=(placement,))
    params, rate_hz = worn.imu.params, scenario.firmware.rate_hz
    t_s = np.arange(round(length_s * rate_hz)) / rate_hz
    acc_counts, gyr_counts, _ = worn.imu.sample(t_s)
    acc = acc_counts.astype(np.float64) * (params.acc_full_scale_g * G_M_S2 / COUNTS)
    gyr = gyr_counts.astype(np.float64) * math.radians(params.gyr_full_scale_deg_s / COUNTS)
    to_sensor = np.array(worn.imu.mount) * (1.0, -1.0, -1.0, -1.0)
    return Take(kind, placement, t_s, acc, gyr, rotate(to_sensor, np.array((1.0, 0.0, 0.0))))


def _activities(placement: str, rng: np.random.Generator) -> tuple[str, list[str], float]:
    """What there is to see in it, the script, and its length (s)."""
    walk_s = math.exp(rng.uniform(*np.log(WALK_S))) if placement in UNEVEN and rng.random() < WALKS else 0.0
    bends = int(rng.integers(0, MOST_BENDS + 1))
    before_s, after_s = rng.uniform(*STANDS_S, 2)
    script = [_stand(before_s)]
    length_s = before_s + walk_s + after_s
    if walk_s:
        script += [f'{{ do = "walk", seconds = {walk_s}, turns_per_min = 6 }}']
    if bends:
        script += [_stand(1.0)]
        length_s += 1.0
    crooked = CROOKED_DEG[placement] * rng.standard_normal()
    each = CROOKED_EACH_DEG * math.exp(CROOKED_SPREAD * rng.standard_normal())
    own_deg, own_s = rng.uniform(*BEND_DEG), rng.uniform(*BEND_MOVE_S)
    for _ in range(bends):
        aside = float(np.clip(crooked + each * rng.standard_normal(), -40, 40))
        peak, move = np.array((own_deg, own_s)) * np.clip(1.0 + BEND_EACH * rng.standard_normal(2), 0.6, 1.4)
        script += [
            f'{{ do = "bend", reps = 1, aside_deg = {aside}, peak_deg = {peak}, move_s = {move}, '
            "hold_s = 0.5, pause_s = 0.5 }"
        ]
        length_s += move + 1.0
    seen = (("walk", walk_s), ("bends", bends))
    kind = ", ".join(name for name, there in seen if there) or "nothing"
    return kind, [*script, _stand(after_s + 30.0)], length_s


def _stand(seconds: float) -> str:
    return f'{{ do = "stand", seconds = {seconds}, shifts_per_min = 0 }}'
