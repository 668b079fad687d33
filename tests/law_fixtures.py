"""Streams rich enough to break a careless stage: built from the wire's page alone, no simulator, no recording."""

from __future__ import annotations

import math
import random
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation

from monitor.core.inputs import FloatArray, Input, Mark, Packet, Rows, Tick

G_M_S2 = 9.80665
ACC_FULL_SCALE_G = 16
GYR_FULL_SCALE_DEG_S = 2000
TICK_HZ = 32768
LATENCY_S = 0.03
WALL_AT_START_S = 1_790_000_000.0

SENSOR_TO_BODY = Rotation.from_euler("ZYX", (140.0, -60.0, 25.0), degrees=True)

CALIBRATION = {
    "acc_matrix": [[1.01, 0.013, -0.021], [-0.017, 0.985, 0.011], [0.007, -0.019, 1.007]],
    "acc_bias_m_s2": [0.11, -0.07, 0.05],
    "gyr_bias_rad_s": [0.013, -0.021, 0.007],
}
"""No zeros: a zero hides an order of summation."""


@dataclass(frozen=True)
class Motion:
    """What the chip would measure on an even grid: `t_s` (n,), `acc` (n,3) m/s2, `gyr` (n,3) rad/s, sensor frame."""

    t_s: FloatArray
    acc: FloatArray
    gyr: FloatArray


def motion(duration_s: float, rate_hz: float, phase_s: float = 0.0, tilt: float = 1.0) -> Motion:
    """Upright, bends to all sides, turns, slumped stillness, a stretch of walking; noise from a fixed seed."""
    t = phase_s + np.arange(round(duration_s * rate_hz)) / rate_hz
    bend = _bump(t, 9, 13, 62) + _bump(t, 15, 17, -18) + _bump(t, 44, 47, 95) + _ramp(t, 24, 26, 17)
    side = _bump(t, 11, 14, 23) - _bump(t, 30, 33, 16)
    turn = _bump(t, 17, 20, 41) - _bump(t, 33, 37, 55) + 0.02 * t
    walking = ((t > 48) & (t < 58)).astype(float)
    sway = 0.4 * np.sin(1.3 * t) + walking * 3.0 * np.sin(2 * math.pi * 0.95 * t)
    trunk = Rotation.from_euler("ZYX", np.stack((turn, tilt * (bend + sway), side), axis=1), degrees=True)
    bounce = walking * 2.6 * np.sin(2 * math.pi * 1.9 * t)
    noise = np.random.default_rng(20).normal(size=(2, len(t), 3))
    # Walking as people do: forward leads the vertical by 98 degrees at the steps, and sways sideways at the strides.
    ahead = walking * 1.2 * np.sin(2 * math.pi * 1.9 * t + math.radians(98))
    aside = walking * 0.7 * np.sin(2 * math.pi * 0.95 * t)
    force_earth = np.stack((ahead, aside, G_M_S2 + bounce), axis=1)
    body_rate = (trunk[:-1].inv() * trunk[1:]).as_rotvec() * rate_hz
    body_rate = np.concatenate((body_rate, body_rate[-1:]))
    to_sensor = SENSOR_TO_BODY.inv()
    acc = to_sensor.apply(trunk.inv().apply(force_earth)) + 0.02 * noise[0]
    gyr = to_sensor.apply(body_rate) + 0.002 * noise[1] + np.array((0.01, -0.02, 0.004))
    return Motion(t, acc, gyr)


# --- the wire ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spine1:
    """A spine1 sensor as docs/protocol.md has it. `off_s` session time at boot."""

    sensor: str = "A"
    uid: int = 0x1122334455667788
    boot: int = 0xC0FFEE01
    off_s: float = 0.0
    per_frame: int = 7
    rate_hz: float = 100.0

    def info(self, t_s: float) -> Packet:
        schema = zlib.crc32(b"spine1 acc3 gyr3 i16")
        payload = struct.pack(
            "<BBHIQHHHHII",
            *(1, 0, 0, schema, self.uid, ACC_FULL_SCALE_G, GYR_FULL_SCALE_DEG_S),
            *(round(100 * self.rate_hz), 1, 60_000, 0),
        )
        return Packet(t_s, self.sensor, "info", payload)

    def state(self, t_s: float, newest: int) -> Packet:
        payload = struct.pack(
            "<IIIIIIHhIHBB",
            *(self.boot, self.tick(t_s), 0, newest, 0xFFFFFFFF, 0),
            *(round(100 * self.rate_hz), 3125, 2, 0, 81, 0),
        )
        return Packet(t_s, self.sensor, "state", payload)

    def tick(self, t_s: float) -> int:
        return round((t_s - self.off_s) * TICK_HZ) & 0xFFFFFFFF

    def frame(self, seq: int, t_s: float, acc: FloatArray, gyr: FloatArray, clipped: bool = False) -> Packet:
        acc_counts = np.round(acc / G_M_S2 / ACC_FULL_SCALE_G * 32768)
        gyr_counts = np.round(np.degrees(gyr) / GYR_FULL_SCALE_DEG_S * 32768)
        counts = np.clip(np.concatenate((acc_counts, gyr_counts), axis=1), -32767, 32767).astype("<i2")
        n = len(counts)
        delta = round((n - 1) / self.rate_hz * TICK_HZ) + 300
        head = struct.pack(
            "<BBBBHIIH", 1, 2 * clipped, 0, n, self.boot & 0xFFFF, seq, self.tick(t_s), min(delta, 0xFFFF)
        )
        body = head + counts.tobytes()
        tag = struct.pack("<I", zlib.crc32(body, self.boot))
        return Packet(t_s + (n - 1) / self.rate_hz + LATENCY_S, self.sensor, "live", body + tag)

    def packets(self, moved: Motion, first_seq: int = 0) -> list[Packet]:
        """INFO and STATE, then frames as they are measured and a STATE each second."""
        start_s = float(moved.t_s[0])
        out = [self.info(start_s), self.state(start_s, 0xFFFFFFFF)]
        next_state_s = start_s + 1
        for at in range(0, len(moved.t_s), self.per_frame):
            rows = slice(at, at + self.per_frame)
            t_s = float(moved.t_s[at])
            if t_s >= next_state_s:
                out.append(self.state(t_s, first_seq + at - 1))
                next_state_s += 1
            out.append(
                self.frame(first_seq + at, t_s, moved.acc[rows], moved.gyr[rows], clipped=at % 1400 == 700)
            )
        return out


def witmotion_packets(sensor: str, channel: str, moved: Motion) -> list[Packet]:
    """WT901BLE notifications of one to four 20-byte frames; one cut in the middle, one with noise before its header."""
    acc = np.round(moved.acc / G_M_S2 / 16 * 32768).clip(-32767, 32767).astype("<i2")
    gyr = np.round(np.degrees(moved.gyr) / 2000 * 32768).clip(-32767, 32767).astype("<i2")
    angles = np.zeros((len(acc), 3), "<i2")
    frames = [b"\x55\x61" + row.tobytes() for row in np.concatenate((acc, gyr, angles), axis=1)]
    out, at, dice = [], 0, random.Random(5)
    while at < len(frames):
        n = dice.choice((1, 2, 4))
        t_s = float(moved.t_s[min(at + n, len(frames)) - 1]) + LATENCY_S
        payload = b"".join(frames[at : at + n])
        if at % 50 == 1:
            out.append(Packet(t_s, sensor, channel, payload[:13]))
            payload = payload[13:]
        out.append(Packet(t_s, sensor, channel, (b"\x55\x00\x61" if at % 70 == 3 else b"") + payload))
        at += n
    return out


def rows_inputs(sensor: str, moved: Motion, gyroscope: bool = True) -> list[Rows]:
    """An imported file: uneven blocks, a NaN, a hole and a jittering clock."""
    t_s = moved.t_s + np.random.default_rng(3).uniform(-1e-3, 1e-3, len(moved.t_s))
    t_s[900:] += 0.7
    acc = moved.acc.copy()
    acc[500, 1] = math.nan
    edges = [0, 1, 2, 130, 131, 900, 1700, len(t_s)]
    return [
        Rows(sensor, t_s[a:b].copy(), acc[a:b].copy(), moved.gyr[a:b].copy() if gyroscope else None)
        for a, b in pairwise(edges)
        if b > a
    ]


# --- trouble -----------------------------------------------------------------------------------------------------


def troubled(packets: Sequence[Packet]) -> list[Packet]:
    """Lost frames (one, 0.5 s, 3 s), duplicates, a late repeat, flipped bits, cut and foreign frames."""
    out: list[Packet] = []
    for k, packet in enumerate(packets):
        t_s = packet.t_host_s
        live = packet.channel in {"live", "data"}
        if live and (k % 97 == 50 or 21.0 < t_s < 21.5 or 38.0 < t_s < 41.0):
            continue
        out.append(packet)
        if live and k % 41 == 7:
            out.append(packet)
        if live and k % 83 == 11 and len(out) > 4:
            out.append(out[-4]._replace(t_host_s=t_s))
        if live and k % 59 == 13:
            flipped = bytearray(packet.payload)
            flipped[len(flipped) // 2] ^= 0x10
            out.append(packet._replace(payload=bytes(flipped)))
        if live and k % 113 == 17:
            for bad in (
                b"",
                b"\x00",
                packet.payload[:-1],
                bytes(len(packet.payload)),
                b"\x09" + packet.payload[1:],
            ):
                out.append(packet._replace(payload=bad))
    return out


def opening(
    sensor: str = "A", driver: str = "spine1", role: str = "single", primary: bool = True
) -> list[Mark]:
    """The marks a session begins with, for one sensor."""
    x, y, z, w = SENSOR_TO_BODY.as_quat()
    mount = {"sensor": sensor, "quat": [w, x, y, z], "quality": 0.9, "forward_known": True, "source": "law"}
    place = {"sensor": sensor, "driver": driver, "role": role, "placement": "lower_back", "primary": primary}
    return [
        Mark(0.0, "sensor", place),
        Mark(0.0, "identity", {"sensor": sensor, "id": f"law-{sensor}"}),
        Mark(0.0, "mount", mount),
        Mark(0.0, "device_calibration", {"sensor": sensor, **CALIBRATION}),
    ]


def in_force() -> list[Mark]:
    """The marks of what else is in force at the start."""
    return [
        Mark(0.0, "settings", {"prompts": {}}),
        Mark(0.0, "today", {"prompts": 0, "last_prompt_wall_s": None}),
        Mark(0.0, "screening", {"level": 0}),
        Mark(0.0, "seed", {"seed": 7}),
    ]


def marks_in_between(sensor: str = "A") -> list[Mark]:
    """Mount change, calibration on stillness and on movement, snooze and the user's words."""
    turned = Rotation.from_euler("ZYX", (30.0, 7.0, -4.0), degrees=True) * SENSOR_TO_BODY
    x, y, z, w = turned.as_quat()
    return [
        Mark(2.51, "calibrate", {"sensor": sensor, "seconds": 5.0}),
        Mark(12.345, "stiff", {}),
        Mark(
            19.99,
            "mount",
            {"sensor": sensor, "quat": [w, x, y, z], "quality": 0.5, "forward_known": True, "source": "x"},
        ),
        Mark(22.0, "snooze", {"minutes": 1.0}),
        Mark(
            28.003,
            "device_calibration",
            {"sensor": sensor, **CALIBRATION, "gyr_bias_rad_s": [0.001, 0.002, -0.003]},
        ),
        Mark(31.7, "calibrate", {"sensor": sensor, "seconds": 4.0}),
        Mark(47.02, "attached", {"sensor": sensor}),
        Mark(53.1, "popped", {}),
        Mark(55.5, "pain", {}),
    ]


def ticks(until_s: float, connected: tuple[str, ...] = ("A",)) -> list[Tick]:
    """Once a second; the link is down from 38 s to 41 s, the wall clock steps back by 10 s at 30 s."""
    return [
        Tick(t, WALL_AT_START_S + t - 10.0 * (t >= 30), 3600, () if 38 < t < 41 else connected)
        for t in (float(k) + 0.015 for k in range(math.ceil(until_s)))
    ]


def in_order(*streams: Sequence[Input]) -> list[Input]:
    """Merge by host time; streams earlier in the call go first where times are equal. Rows count with their last row."""

    def when(item: Input) -> float:
        return float(item.t_s[-1]) if isinstance(item, Rows) else item.t_host_s

    return sorted((item for stream in streams for item in stream), key=when)


def rebooted(sensor: Spine1, moved: Motion, at_s: float) -> list[Packet]:
    """The sensor's packets with a power-up at `at_s`: new boot, seq and tick from zero."""
    before, after = moved.t_s < at_s, moved.t_s >= at_s + 0.4
    early = replace(moved, t_s=moved.t_s[before], acc=moved.acc[before], gyr=moved.gyr[before])
    late = replace(moved, t_s=moved.t_s[after], acc=moved.acc[after], gyr=moved.gyr[after])
    return [
        *sensor.packets(early, first_seq=3),
        *replace(sensor, boot=sensor.boot + 0x51, off_s=at_s).packets(late),
    ]


def one_sensor(duration_s: float = 60.0) -> list[Input]:
    """Everything at once on one spine1 sensor."""
    packets = troubled(rebooted(Spine1(), motion(duration_s, 100.0), at_s=35.0))
    return in_order([*opening(), *in_force()], packets, marks_in_between(), ticks(duration_s))


def two_sensors(jitter_seed: int, duration_s: float = 30.0) -> list[Input]:
    """Two spine1 sensors; the seed changes only how their packets interleave between ticks and marks."""
    lower = troubled(Spine1().packets(motion(duration_s, 100.0)))
    second = Spine1("B", uid=9, boot=77, off_s=-3.0, per_frame=10)
    upper = troubled(second.packets(motion(duration_s, 100.0, phase_s=0.0037, tilt=1.4)))
    marks = [*opening(role="lower"), *opening("B", role="upper", primary=False), *in_force()]
    stream = in_order(marks, marks_in_between(), ticks(duration_s, ("A", "B")), lower, upper)
    return _shuffled(stream, random.Random(jitter_seed))


def _shuffled(stream: Sequence[Input], dice: random.Random) -> list[Input]:
    """Runs of packets between ticks and marks, with the two sensors' packets interleaved anew."""
    out: list[Input] = []
    run: dict[str, list[Input]] = {}
    for item in [*stream, None]:
        if isinstance(item, Packet):
            run.setdefault(item.sensor, []).append(item)
            continue
        while run:
            sensor = dice.choice(sorted(run))
            out.append(run[sensor].pop(0))
            if not run[sensor]:
                del run[sensor]
        if item is not None:
            out.append(item)
    return out


def _bump(t_s: FloatArray, start_s: float, end_s: float, peak: float) -> FloatArray:
    """Up and back, once, as a raised cosine."""
    inside = np.clip((t_s - start_s) / (end_s - start_s), 0, 1)
    bump: FloatArray = peak * (1 - np.cos(2 * math.pi * inside)) / 2
    return bump


def _ramp(t_s: FloatArray, start_s: float, end_s: float, level: float) -> FloatArray:
    inside = np.clip((t_s - start_s) / (end_s - start_s), 0, 1)
    ramp: FloatArray = level * (1 - np.cos(math.pi * inside)) / 2
    return ramp
