"""Short simulated stretches of a day whose sensor turns on the skin, through one sensor's chain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from firmware_sim.body import Wearer
from firmware_sim.direct import run_direct
from firmware_sim.scenario import parse
from firmware_sim.worn import put_on
from monitor.core.events import MountSet, Slip
from monitor.core.inputs import FloatArray, Mark, Packet
from monitor.core.quaternion import conjugate, multiply, rotate
from monitor.motion.angles import TrunkAngles
from monitor.motion.orient import Orient
from monitor.motion.timeline import Timeline
from monitor.pipeline import drivers

FORWARD, TO_THE_SIDE, OVER = (0.0, 8.0, 0.0), (8.0, 0.0, 0.0), (180.0, 0.0, 0.0)
"""Turns of the sensor, as rotation vectors in body axes, deg."""
MOUNT = (20.0, -70.0, 110.0)
_SENSOR = {"sensor": "A", "driver": "spine1", "role": "single", "primary": True}
Turn = tuple[float, tuple[float, float, float], float]
"""When, which way, and for how many seconds."""


def inputs(
    activities: str, turns: Sequence[Turn] = (), marks: Sequence[Mark] = (), rate_hz: float = 50.0
) -> list[Any]:
    """Inputs of a sensor worn through `activities`; its mount is right until it turns."""
    duration_s, script = _script(activities, tuple(turns), rate_hz)
    mount = {"sensor": "A", "quat": list(true_mount(activities)), "quality": 1.0, "source": "truth"}
    packets = [Packet(t_s, "A", channel, raw) for t_s, channel, raw in run_direct(script, 5, duration_s)]
    opening = [Mark(0.0, "sensor", {**_SENSOR, "placement": "lower_back"}), Mark(0.0, "mount", mount)]
    return sorted([*opening, *marks, *packets], key=lambda item: item.t_host_s)


def poses(items: Sequence[Any]) -> list[Any]:
    """The inputs as TrunkAngles gets them."""
    out = list(items)
    for stage in (drivers()["spine1"].decoder("A"), Timeline(), Orient()):
        out = [*stage.push(out), *stage.close()]
    return out


def worn(activities: str, turns: Sequence[Turn] = (), marks: Sequence[Mark] = ()) -> list[Any]:
    """What TrunkAngles tells of it."""
    stage = TrunkAngles()
    return [*stage.push(poses(inputs(activities, turns, marks))), *stage.close()]


def slips(records: Sequence[Any]) -> list[Slip]:
    return [record for record in records if isinstance(record, Slip)]


def tilt_off_deg(records: Sequence[Any], activities: str, turns: Sequence[Turn] = ()) -> float:
    """How far up of the last mount told is from the truth at the end."""
    x, y, z = rotate(_off(records, activities, turns), np.array((0.0, 0.0, 1.0))).tolist()
    return float(np.degrees(np.arctan2(np.hypot(x, y), z)))


def forward_off_deg(records: Sequence[Any], activities: str, turns: Sequence[Turn] = ()) -> float:
    """How far its forward is from the truth, about up."""
    off = _off(records, activities, turns)
    return abs((float(np.degrees(2.0 * np.arctan2(off[3], off[0]))) + 180.0) % 360.0 - 180.0)


def _off(records: Sequence[Any], activities: str, turns: Sequence[Turn]) -> FloatArray:
    told = [record for record in records if isinstance(record, MountSet)][-1]
    return multiply(np.array(told.quat), conjugate(np.array(true_mount(activities, turns, 1e6))))


@cache
def true_mount(
    activities: str, turns: Sequence[Turn] = (), t_s: float = 0.0
) -> tuple[float, float, float, float]:
    """Sensor -> body at a time."""
    _, script = _script(activities, tuple(turns), 50.0)
    return put_on(script, 5)[1][0].imu.mount_at(t_s)


@cache
def _script(activities: str, turns: tuple[Turn, ...], rate_hz: float) -> tuple[float, Any]:
    """Length and scenario. Turns are given in body axes, the simulator takes them in the sensor's."""
    plain = _parsed(activities, "", rate_hz)
    quat: FloatArray = np.array(put_on(plain, 5)[1][0].imu.mount)
    listed = ""
    for at_s, turn_deg, seconds in turns:
        x, y, z = rotate(conjugate(quat), np.array(turn_deg)).tolist()
        listed += f"{{ at_s = {at_s}, turn_deg = [{x}, {y}, {z}], seconds = {seconds} }}, "
    script = _parsed(activities, f"slips = [{listed}]", rate_hz)
    return Wearer(script, 5).round_s, script


def _parsed(activities: str, slips: str, rate_hz: float) -> Any:
    text = (
        f"[sensor]\nmount_euler_deg = {list(MOUNT)}\n{slips}\n[firmware]\nrate_hz = {rate_hz}\n"
        f"[[block]]\nactivities = [{activities}]"
    )
    return parse(text.encode(), "stretch")
