"""Short calibration takes of simulated people: what their sensors measure, and where forward truly is.

Everything is drawn per person: whether and for how long they walk, how weakly, scattered and often turning, how often, deep and
fast they bend, and how the strap holds.

Crooked people walk and bend to a side of their own, as far as people in recordings do; straight people do not, whatever else
they do: what is found of them errs by the method alone.
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
from monitor.motion.mount.bends import BENDING_SD_DEG, LEAN_SD_DEG, LEANING_SD_DEG
from monitor.motion.mount.gait import STEP_SD_DEG, TRAVEL_SD_DEG

G_M_S2 = 9.80665
COUNTS = 32_768.0
STANDS_S = (2.0, 5.0)
"""Before and after."""
WALK_S, SHORT_WALK_S = (5.0, 30.0), (3.0, 4.0)
"""How long a walk on the level is, drawn evenly over the logarithm."""
TURNS_PER_MIN = (0.0, 12.0)
BENDS, BEND_DEG, BEND_MOVE_S = (2, 4), (15.0, 70.0), (0.9, 2.0)
"""As many bends forward, all as likely; a person bends to a depth in this range, give or take BEND_EACH."""
BEND_EACH = 0.15
"""Standard deviation of a bend's depth and pace as a share of the person's own."""
CADENCE_HZ, VERTICAL_M_S2, PHASE_DEG = (1.4, 2.1), (0.8, 4.0), (92.0, 128.0)
"""Of a person's means; the simulator's own spread of 12 deg widens the phase to 80-140 deg."""
UNEVEN_PER_DEG = 0.0155
"""Of gait_uneven, for a standard deviation of the axes of steps and sway between people."""
TURNED_PER_DEG = 1.3
"""Of gait_turned_sd_deg, for the turn of the axes that a sensor sees: gravity in a nodding pelvis goes with the pelvis."""
SCATTER, SCATTER_SPREAD = 0.045, 0.35
"""Median of gait_scatter and the spread of its logarithm: the axes of 3 s scatter by 2.3 deg within 5 s, and between people by
that factor, as in recordings of walking."""
SITS, SITTING_S = 0.3, 8.5
"""Share of the takes in which one sits down and rises as well, and how long that takes with a pause."""
SKIN_SPREAD = 0.5
"""Of the logarithm of the skin's share between people [I]."""
CROOKED_EACH_DEG, CROOKED_SPREAD = 1.2, 0.7
"""Median of the standard deviation between bends of one person, and the spread of its logarithm: root mean square 2.0,
as of three bends each of 20 people (monitor.motion.mount.bends)."""

WILD_DEG, WILD_GAIT = 20.0, 0.2
"""The standard deviation of the ways of wild bends, and how far wild steps limp and scatter (gait_uneven, gait_scatter)."""
WALKING, BENDING, BOTH = "walk", "bends", "walk, bends"
LITTLE, WILD = "too little", "wild"
_OTHER_PEOPLE = 100_000


@dataclass(frozen=True)
class Take:
    """Rows in SI in sensor axes; `forward` (3,) the body's forward in them at the start."""

    kind: str
    placement: str
    t_s: FloatArray
    acc: FloatArray
    gyr: FloatArray
    forward: FloatArray


def simulated(count: int, placements: Sequence[str], *, crooked: bool = True) -> Iterator[Take]:
    """One take each of `count` people with random mounts, the seeds 0 to count - 1: some walk, some bend, some do both. At
    the thorax nobody is asked to walk.
    """
    for seed in range(count):
        rng = np.random.default_rng((seed, 1))
        placement = placements[seed % len(placements)]
        kind = str(rng.choice((WALKING, BENDING, BOTH))) if placement in STEP_SD_DEG else BENDING
        yield _taken(placement, kind, seed, crooked, rng)


def simulated_bad(count: int, placements: Sequence[str]) -> Iterator[Take]:
    """The same of takes that are no good: too little in them, or wild bends and steps."""
    for seed in range(count):
        rng = np.random.default_rng((seed, 2))
        kind = str(rng.choice((LITTLE, WILD)))
        yield _taken(placements[seed % len(placements)], kind, _OTHER_PEOPLE + seed, True, rng)


def _taken(placement: str, kind: str, seed: int, crooked: bool, rng: np.random.Generator) -> Take:
    cadence, vertical, phase, turns = (
        rng.uniform(*limits) for limits in (CADENCE_HZ, VERTICAL_M_S2, PHASE_DEG, TURNS_PER_MIN)
    )
    uneven = UNEVEN_PER_DEG * STEP_SD_DEG.get(placement, 0.0) * crooked
    scatter = SCATTER * math.exp(SCATTER_SPREAD * rng.standard_normal())
    if kind == WILD:
        uneven = scatter = WILD_GAIT
    activities, length_s = _activities(placement, kind, turns, rng)
    script = f"""
        title = "take"
        [wearer]
        cadence_hz = {cadence}
        gait_vertical_m_s2 = {vertical}
        gait_phase_deg = {phase}
        gait_uneven = {uneven}
        gait_scatter = {scatter}
        [people]
        gait_turned_sd_deg = {TURNED_PER_DEG * TRAVEL_SD_DEG * crooked}
        bend_aside_sd_deg = {BENDING_SD_DEG[placement] * crooked}
        seat_aside_sd_deg = {LEANING_SD_DEG[placement] * crooked}
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


def _activities(placement: str, kind: str, turns: float, rng: np.random.Generator) -> tuple[list[str], float]:
    """The script, and its length (s)."""
    walk_s, bends = _amounts(placement, kind, rng)
    sits = rng.random() < SITS
    before_s, after_s = rng.uniform(*STANDS_S, 2)
    script = [_stand(before_s)]
    length_s = before_s + walk_s + after_s
    if walk_s:
        script += [f'{{ do = "walk", seconds = {walk_s}, turns_per_min = {turns} }}']
    if bends:
        script += [_stand(1.0)]
        length_s += 1.0
    each = WILD_DEG if kind == WILD else CROOKED_EACH_DEG * math.exp(CROOKED_SPREAD * rng.standard_normal())
    own_deg, own_s = rng.uniform(*BEND_DEG), rng.uniform(*BEND_MOVE_S)
    for _ in range(bends):
        aside = float(np.clip(each * rng.standard_normal(), -40, 40))
        peak, move = np.array((own_deg, own_s)) * np.clip(1.0 + BEND_EACH * rng.standard_normal(2), 0.6, 1.4)
        script += [
            f'{{ do = "bend", reps = 1, aside_deg = {aside}, peak_deg = {peak}, move_s = {move}, '
            "hold_s = 0.5, pause_s = 0.5 }"
        ]
        length_s += move + 1.0
    if sits:
        aside_deg = np.clip(LEAN_SD_DEG * rng.standard_normal(2), -40, 40)
        script += [
            f'{{ do = "sit_down", aside_deg = {aside_deg[0]} }}',
            '{ do = "sit_upright", seconds = 3, fidgets_per_min = 0 }',
            f'{{ do = "rise", aside_deg = {aside_deg[1]} }}',
        ]
        length_s += SITTING_S
    return [*script, _stand(after_s + 30.0)], length_s


def _amounts(placement: str, kind: str, rng: np.random.Generator) -> tuple[float, int]:
    """Seconds of walking and number of bends."""
    walks = placement in STEP_SD_DEG and kind != BENDING
    if kind == LITTLE:
        return (rng.uniform(*SHORT_WALK_S) if walks else 0.0), int(rng.integers(0, 2))
    walk_s = math.exp(rng.uniform(*np.log(WALK_S))) if walks else 0.0
    return walk_s, 0 if kind == WALKING else int(rng.integers(BENDS[0], BENDS[1] + 1))


def _stand(seconds: float) -> str:
    return f'{{ do = "stand", seconds = {seconds}, shifts_per_min = 0 }}'
