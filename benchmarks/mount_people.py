"""Short calibration takes of simulated people: what their sensors measure, and where forward truly is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from firmware_sim.scenario import parse
from firmware_sim.worn import put_on
from monitor.core.inputs import FloatArray
from monitor.core.quaternion import rotate
from monitor.motion.bends import BENDING_SD_DEG

G_M_S2 = 9.80665
COUNTS = 32_768.0
LENGTH_S = 20.0
KINDS = ("walk", "bends", "walk, bends", "walk, seat")
CADENCE_HZ, VERTICAL_M_S2, PHASE_DEG = (1.5, 2.1), (1.2, 4.0), (92.0, 128.0)
"""Of a person's means; the simulator's own spread of 12 deg widens the phase to 80-140 deg."""
UNEVEN, UNEVEN_SPREAD = {"lower_back": 0.032, "waist": 0.08}, 0.6
"""Median of gait_uneven and the spread of its logarithm: the axes turn as far as in recordings (monitor.motion.gait)."""
CROOKED_DEG, CROOKED_EACH_DEG, CROOKED_SPREAD = BENDING_SD_DEG, 1.8, 0.6
"""Standard deviation of the way of bending between people; its median between bends of one, and the spread of the logarithm
of that (monitor.motion.bends)."""


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
    """One take each of `count` people with random mounts, the seeds 0 to count - 1. At the thorax people only bend."""
    for seed in range(count):
        placement = placements[seed % len(placements)]
        kind = KINDS[seed // len(placements) % len(KINDS)] if placement in UNEVEN else "bends"
        yield _taken(kind, placement, seed, np.random.default_rng((seed, 1)))


def _taken(kind: str, placement: str, seed: int, rng: np.random.Generator) -> Take:
    cadence, vertical, phase = (rng.uniform(*limits) for limits in (CADENCE_HZ, VERTICAL_M_S2, PHASE_DEG))
    uneven = min(0.3, UNEVEN.get(placement, 0.0) * math.exp(UNEVEN_SPREAD * rng.standard_normal()))
    script = f"""
        title = "take"
        [wearer]
        cadence_hz = {cadence}
        gait_vertical_m_s2 = {vertical}
        gait_phase_deg = {phase}
        gait_uneven = {uneven}
        [[block]]
        activities = [{", ".join(_activities(kind, placement, rng))}]
    """
    scenario, (worn, *_) = put_on(parse(script.encode(), "take"), seed, placements=(placement,))
    params, rate_hz = worn.imu.params, scenario.firmware.rate_hz
    t_s = np.arange(round(LENGTH_S * rate_hz)) / rate_hz
    acc_counts, gyr_counts, _ = worn.imu.sample(t_s)
    acc = acc_counts.astype(np.float64) * (params.acc_full_scale_g * G_M_S2 / COUNTS)
    gyr = gyr_counts.astype(np.float64) * math.radians(params.gyr_full_scale_deg_s / COUNTS)
    to_sensor = np.array(worn.imu.mount) * (1.0, -1.0, -1.0, -1.0)
    return Take(kind, placement, t_s, acc, gyr, rotate(to_sensor, np.array((1.0, 0.0, 0.0))))


def _activities(kind: str, placement: str, rng: np.random.Generator) -> Iterator[str]:
    """20 s: standing, then what the kind says, then standing."""
    yield '{ do = "stand", seconds = 4, shifts_per_min = 0 }'
    if "walk" in kind:
        yield f'{{ do = "walk", seconds = {rng.uniform(5.0, 8.0)}, turns_per_min = 6 }}'
    if "seat" in kind:
        yield f'{{ do = "sit_down" }}, {{ do = "sit_upright", seconds = {rng.uniform(1.0, 2.0)} }}, {{ do = "rise" }}'
    if "bends" in kind:
        crooked = CROOKED_DEG[placement] * rng.standard_normal()
        each = CROOKED_EACH_DEG * math.exp(CROOKED_SPREAD * rng.standard_normal())
        for _ in range(2 if "walk" in kind else 3):
            aside = float(np.clip(crooked + each * rng.standard_normal(), -40, 40))
            peak, move = rng.uniform(40.0, 80.0), rng.uniform(1.2, 1.9)
            yield (
                f'{{ do = "bend", reps = 1, aside_deg = {aside}, peak_deg = {peak}, move_s = {move}, '
                "hold_s = 0.5, pause_s = 0.5 }"
            )
    yield '{ do = "stand", seconds = 20, shifts_per_min = 0 }'
