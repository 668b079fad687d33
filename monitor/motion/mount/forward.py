"""Forward about a known cranial direction: what walking, the sensor's arm, bends and leans say of it together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.core.errors import MountError
from monitor.core.inputs import BoolArray, FloatArray
from monitor.motion.mount.arm import Arm, find_arm
from monitor.motion.mount.bends import MIN_BENDS, bends_along, bends_witness, find_bends, leans_witness
from monitor.motion.mount.gait import STEP_SD_DEG, Walking, gait_witness
from monitor.motion.mount.upright import G_M_S2
from monitor.motion.mount.witness import Witness, agreed, within

LONG_WALK_S, STRAY_SDS = 20.0, 3.0
"""Who walks this long was not just calibrating: leans further than so many deviations from the walk's forward are then
whatever the wearer did, lying down for one, and are left out. In a short take they mean that something is wrong [I]."""
MAX_FORWARD_SD_DEG = 10.0
"""A forward known no better is refused: at twice it a bend would show a third of itself as side bend [I]."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Rows in sensor axes, `acc` m/s2, `gyr` rad/s (NaN without a gyroscope), `up` (n,3); `walking` where there was some."""

    acc: FloatArray
    gyr: FloatArray
    up: FloatArray
    rate_hz: float
    walking: Walking | None
    placement: str


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """`direction` (3,) in sensor axes with one standard deviation about the cranial axis; `source`: its signed witnesses."""

    direction: FloatArray
    sd_deg: float
    source: str


def find_forward(seen: Evidence, cranial: FloatArray, most_sd_deg: float) -> Forward:
    """Refused where it is known no better than `most_sd_deg`.

    Raises MountError, `datum` being `no_forward`, `thoracic_gait` or `disagree`."""
    e1, e2 = level_axes(cranial)
    axes = np.stack((e1, e2, cranial))
    free = np.ones(len(seen.acc), bool) if seen.walking is None else ~seen.walking.rows
    linear = np.einsum("ij,kj->ik", seen.acc - G_M_S2 * seen.up, axes)
    up = np.einsum("ij,kj->ik", seen.up, axes)
    rate = np.einsum("ij,kj->ik", seen.gyr, axes)
    gait: Witness | None = None
    if seen.walking is not None and seen.placement in STEP_SD_DEG:
        gait = gait_witness(linear[:, 2], linear[:, :2], seen.walking, seen.rate_hz, seen.placement)
    arm = find_arm(linear, rate, up, free, seen.rate_hz, seen.placement)
    by_arm = None if arm is None else arm.witness(seen.placement)
    signed = [witness for witness in (gait, by_arm) if witness is not None]
    witnesses = [*signed, *_leaning(seen, up, free, signed, arm)]
    together = agreed(witnesses)
    if together is None:
        raise MountError(
            "Walking, bending and where the sensor sits point in opposite directions.",
            "Fix the sensor firmly and calibrate again, bending straight forward.",
            "disagree",
        )
    angle, sd = together
    if math.degrees(sd) > most_sd_deg:
        walk = ", walk straight on for 10 s" if seen.placement in STEP_SD_DEG else ""
        raise MountError(
            f"Forward is known to {math.degrees(sd):.0f} degrees only.",
            f"Fix the sensor firmly{walk} and bend straight forward twice.",
            "disagree",
        )
    source = "+".join(w.name for w in witnesses if w.signed)
    return Forward(math.cos(angle) * e1 + math.sin(angle) * e2, math.degrees(sd), source)


def level_axes(cranial: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two sensor axes square to `cranial` and to each other, the first from the sensor axis that is most level."""
    axis = np.zeros(3)
    axis[int(np.argmin(np.abs(cranial)))] = 1.0
    level = axis - np.sum(axis * cranial) * cranial
    first: FloatArray = level / np.sqrt(np.sum(level * level))
    return first, np.cross(cranial, first)


def _leaning(
    seen: Evidence, up: FloatArray, free: BoolArray, signed: list[Witness], arm: Arm | None
) -> list[Witness]:
    """What bends and leans add to the `signed` witnesses, or, without one, the bends that tell the sign themselves."""
    tilt_deg = np.degrees(np.arccos(np.clip(up[:, 2], -1.0, 1.0)))
    directions, bending = find_bends(up[:, :2], tilt_deg, free, seen.rate_hz)
    sign = signed[0] if signed else None
    by_arm = sign.angle_rad if sign is not None and sign.name == "arm" else None
    if by_arm is not None:
        bends = bends_along(directions, by_arm, seen.placement)
    else:
        bends = bends_witness(directions, seen.placement)
    if sign is None and (bends is None or len(directions) < MIN_BENDS):
        raise _nothing_signed(len(directions), seen.walking, seen.placement)
    if sign is None and bends is not None and arm is not None and arm.opposes(bends.angle_rad):
        raise MountError(
            "You seem to have leaned back, not forward.",
            f"Stand up and bend straight forward twice{', or walk for 10 s' if seen.placement in STEP_SD_DEG else ''}.",
            "disagree",
        )
    leans = leans_witness(up[:, :2], tilt_deg, free & ~bending, seen.rate_hz, seen.placement, by_arm)
    # Who bends crookedly leans so: the two are no witnesses of their own. Without a sign the bends are needed.
    both = [witness for witness in (bends, leans) if witness is not None]
    leaning = [bends] if sign is None and bends is not None else sorted(both, key=lambda w: w.sd_rad)[:1]
    walked_s = 0.0 if seen.walking is None else float(seen.walking.rows.sum()) / seen.rate_hz
    if sign is not None and sign.name == "gait" and walked_s >= LONG_WALK_S:
        leaning = [witness for witness in leaning if within(witness, sign, STRAY_SDS)]
    return leaning


def _nothing_signed(bends: int, walking: Walking | None, placement: str) -> MountError:
    if bends >= MIN_BENDS:
        return MountError(
            "The bends went in different directions.", "Bend straight forward twice, gently.", "disagree"
        )
    if walking is not None and placement in STEP_SD_DEG:
        return MountError(
            "The steps do not look like walking forward on the level.",
            "Walk straight on, not on stairs, or bend forward twice, gently.",
            "disagree",
        )
    if walking is not None:
        return MountError(
            "At the upper back or chest walking does not tell which way is forward.",
            "Bend forward twice, gently.",
            "thoracic_gait",
        )
    walk = ", or walk for 10 s" if placement in STEP_SD_DEG else ""
    return MountError(
        "Nothing told which way is forward.", f"Bend forward twice, gently{walk}.", "no_forward"
    )
