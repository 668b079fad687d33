"""A scripted hour at a desk for tests of the window: trunk blocks and events without a pipeline."""

from __future__ import annotations

import math

import numpy as np

from monitor.core.blocks import TrunkBlock, freeze
from monitor.core.events import Beat, DeviceStatus, MountSet, Posture, PostureState, Prompt, Record
from monitor.core.inputs import FloatArray, Mark

SENSOR = "sim"
RATE_HZ = 100
WALL_S = 1_760_000_000.0
PROMPT_TEXT = "You have been in one position for 40 min. A short walk may feel good. Stop if it hurts."


def opening(placement: str = "lower_back") -> list[Record]:
    value = {"sensor": SENSOR, "driver": "spine1", "role": "single", "placement": placement, "primary": True}
    return [Mark(0.0, "sensor", value)]


def mounted(t_s: float = 0.0, forward_known: bool = True) -> MountSet:
    return MountSet(SENSOR, t_s, (1.0, 0.0, 0.0, 0.0), 0.95, forward_known, "poses")


def beat(t_s: float, data_s: float | None = None, connected: bool = True) -> Beat:
    return Beat(SENSOR, t_s, WALL_S + t_s, 3600, connected, t_s if data_s is None else data_s)


def prompt(t_s: float, text: str = PROMPT_TEXT) -> Prompt:
    return Prompt(t_s, "static", "static.move", text, {"static_s": 2400.0})


def trunk(
    start_s: float, end_s: float, forward_known: bool = True, ok: bool = True, scale: float = 1.0
) -> TrunkBlock:
    """Rows [start, end) of a smooth made-up wearer: breathing, a reach forward now and then, slow leaning and turning."""
    t = np.arange(round(start_s * RATE_HZ), round(end_s * RATE_HZ)) / RATE_HZ
    reach = 24.0 * np.exp(-(((t + 13.0) % 37.0 - 18.0) ** 2) / 8.0) - 9.0 * np.exp(
        -(((t + 30.0) % 53.0 - 18.0) ** 2) / 6.0
    )
    flexion = scale * (11.0 + reach + 1.2 * np.sin(t * 0.31) + 0.4 * np.sin(2 * math.pi * 0.25 * t))
    lateral = scale * (3.0 * np.sin(t * 0.17) + 9.0 * np.exp(-(((t + 8.0) % 41.0 - 18.0) ** 2) / 5.0))
    turn = scale * (22.0 * np.exp(-(((t + 20.0) % 45.0 - 18.0) ** 2) / 7.0) + 2.0 * np.sin(t * 0.4))
    return block(t, flexion, lateral, turn, forward_known, ok)


def still(start_s: float, end_s: float, flexion_deg: float, lateral_deg: float = 0.0) -> TrunkBlock:
    t = np.arange(round(start_s * RATE_HZ), round(end_s * RATE_HZ)) / RATE_HZ
    return block(t, np.full(len(t), flexion_deg), np.full(len(t), lateral_deg), np.zeros(len(t)), True, True)


def block(
    t: FloatArray, flexion: FloatArray, lateral: FloatArray, turn: FloatArray, forward_known: bool, ok: bool
) -> TrunkBlock:
    n = len(t)
    empty = np.full(n, np.nan)
    return freeze(
        TrunkBlock(
            sensor=SENSOR,
            t_s=t,
            quat=np.tile((1.0, 0.0, 0.0, 0.0), (n, 1)),
            up=np.tile((0.0, 0.0, 1.0), (n, 1)),
            inclination_deg=np.hypot(flexion, lateral),
            flexion_deg=flexion if forward_known else empty,
            lateral_deg=lateral if forward_known else empty,
            rotation_deg=turn,
            rate_deg_s=np.zeros((n, 3)),
            acc=np.zeros((n, 3)),
            uncertainty_deg=np.full(n, 0.9),
            ok=np.full(n, ok),
            rate_hz=float(RATE_HZ),
        )
    )


def sitting(t_s: float) -> PostureState:
    return PostureState(t_s, Posture.SITTING, 0.95, t_s + 5.0)


def at_the_desk(end_s: float = 2520.0, start_s: float = 0.0) -> list[Record]:
    """Opened, calibrated and sitting since `start_s`, with rows and beats up to `end_s`."""
    records: list[Record] = [*opening(), mounted(start_s), sitting(start_s)]
    t = start_s
    while t < end_s:
        step = min(t + 10.0, end_s)
        records += [trunk(t, step), beat(step, step - 0.01)]
        t = step
    records.append(DeviceStatus(SENSOR, end_s, 82.0, 31.0, 0))
    return records
