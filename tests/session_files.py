"""Session files for tests: what goes in, and what comes out again."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path

from monitor.core.inputs import Input, Mark, Packet, Tick
from monitor.store.session_file import SessionReader, SessionWriter, new_header

SAMPLES_PER_PACKET = 10


def identify(packet: Packet) -> tuple[int, int, int] | None:
    """Boot and seq from the payload's first bytes; nothing on channels without samples."""
    if packet.channel != "live":
        return None
    boot, seq = struct.unpack_from("<II", packet.payload)
    return boot, 0, seq


def live(t_s: float, seq: int, boot: int = 7, sensor: str = "sim") -> Packet:
    return Packet(float(t_s), sensor, "live", struct.pack("<II", boot, seq) + bytes(range(120)))


def minutes_of_inputs(seconds: int) -> list[Input]:
    inputs: list[Input] = [
        Mark(0.0, "sensor", {"sensor": "sim", "driver": "spine1", "nested": {"a": [1, 0.1]}})
    ]
    for s in range(seconds):
        inputs += [live(s + k / 10, (s * 10 + k) * SAMPLES_PER_PACKET) for k in range(10)]
        inputs.append(Tick(s + 0.95, 1.7e9 + s if s % 7 else math.nan, 3600, ("sim",) if s % 5 else ()))
    return inputs


def write(path: Path, inputs: Sequence[Input], **header: object) -> Path:
    writer = SessionWriter(
        path, {**new_header("simulated", "1.2.3", 1.7e9, 3600, "Europe/Paris"), **header}, identify
    )
    writer.append(inputs)
    writer.close()
    return path


def read(path: Path, order: str = "arrival", block_s: float = 60.0) -> list[Input]:
    with SessionReader(path) as reader:
        return [item for block in reader.inputs(order, block_s) for item in block]  # type: ignore[arg-type]


def bits(inputs: Sequence[Input]) -> list[str]:
    """Equal texts mean equal bits: repr of a float is exact, and NaN equals NaN here."""
    return [repr(item) for item in inputs]
