"""Bad accelerometers of simulated chips, turned by hand and calibrated: how far off gravity they read before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from figure import Figure

from firmware_sim.chip import POOR
from firmware_sim.imu import Imu
from firmware_sim.scenario import load
from firmware_sim.turned import Turned
from monitor.core.blocks import ImuBlock
from monitor.core.inputs import BoolArray, FloatArray
from monitor.motion.chip.ellipsoid import GRAVITY_M_S2, fit_ellipsoid, refusal
from monitor.motion.chip.rest_poses import RestPoses, gyroscope_at_rest

CHIPS, CHIPS_QUICK = 200, 4
POSES = (6, 8, 10, 14)
MUST_PERCENT = 0.5
RATE_HZ = 100.0
LOOKS = 26
TRUTH_SEED = 7


class Outcome(NamedTuple):
    """Of one chip: the largest error of |acc| over directions before and after, %, and of the gyroscope, deg/s."""

    before_percent: float
    after_percent: float
    gyr_before_deg_s: float
    gyr_after_deg_s: float
    refused: bool


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001 - simulated chips alone
    chips = CHIPS_QUICK if quick else CHIPS
    for poses in POSES:
        outcomes = [calibrated(seed, poses) for seed in range(chips)]
        after = [o.after_percent for o in outcomes if not o.refused]
        refused = sum(o.refused for o in outcomes)
        yield Figure(
            f"accelerometer off gravity in its worst direction, {poses} poses, p95 of chips",
            "simulated poor chips",
            chips,
            float(np.quantile(after, 0.95)),
            "%",
            "less",
            must=MUST_PERCENT,
            peers={
                "before, p50": float(np.median([o.before_percent for o in outcomes])),
                "after, p50": float(np.median(after)),
                "after, largest": float(np.max(after)),
            },
            note=f"{refused} refused",
        )
    yield Figure(
        "gyroscope off at rest, same temperature, p95 of chips",
        "simulated poor chips",
        chips,
        float(np.quantile([o.gyr_after_deg_s for o in outcomes], 0.95)),
        "deg/s",
        "less",
        peers={"before, p50": float(np.median([o.gyr_before_deg_s for o in outcomes]))},
    )


def calibrated(seed: int, poses: int) -> Outcome:
    """One chip through its calibration; the truth is what it reads in directions the calibration never saw, noise left out."""
    script = load("turned")
    script = replace(script, turned=replace(script.turned, poses=poses))
    hand = Turned(script, seed)
    imu = Imu(hand, "lower_back", POOR, seed)
    t_s = np.arange(0.0, hand.round_s, 1.0 / RATE_HZ)
    acc, gyr, clipped = in_si(imu, t_s)
    rest = RestPoses()
    rest.push(ImuBlock("sim", t_s, acc, gyr, ~clipped, RATE_HZ))
    rest.interrupt()
    found = np.array([pose.acc for pose in rest.found])
    fit = fit_ellipsoid(found, rest.turns)
    bias, _, _ = gyroscope_at_rest(rest.rests)
    # The same specimen without noise, drift and warmth, held in directions of its own.
    quiet = replace(
        POOR, acc_noise_ug_sqrt_hz=0.0, gyr_noise_mdeg_s_sqrt_hz=0.0, acc_drift_mg=0.0, gyr_drift_deg_s=0.0
    )
    other = Turned(
        replace(script, turned=replace(script.turned, poses=LOOKS, tilt_deg=15.0)), seed + TRUTH_SEED
    )
    slot_s = script.turned.hold_s + script.turned.turn_s
    looked_s: FloatArray = slot_s * np.arange(float(LOOKS)) + 1.0
    acc, gyr, _ = in_si(Imu(other, "lower_back", quiet, seed), looked_s)
    corrected = (acc - fit.bias_m_s2) @ fit.matrix.T
    return Outcome(
        off_percent(acc),
        off_percent(corrected),
        float(np.degrees(np.max(np.abs(gyr)))),
        float(np.degrees(np.max(np.abs(gyr[:10] - bias)))),
        refusal(fit, found) is not None,
    )


def in_si(imu: Imu, t_s: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """What the chip reads, in SI, and which rows are clipped."""
    acc, gyr, clipped = imu.sample(t_s)
    acc_unit = imu.params.acc_full_scale_g * GRAVITY_M_S2 / 32_768.0
    gyr_unit = float(np.radians(imu.params.gyr_full_scale_deg_s)) / 32_768.0
    return acc.astype(np.float64) * acc_unit, gyr.astype(np.float64) * gyr_unit, clipped


def off_percent(acc: FloatArray) -> float:
    return 100.0 * float(np.max(np.abs(np.linalg.norm(acc, axis=1) / GRAVITY_M_S2 - 1.0)))
