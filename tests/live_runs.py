"""Whole runs for tests: a scenario through Bluetooth, pipeline and recorder, under virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.core.events import Record
from monitor.core.inputs import Mark, Packet
from monitor.pipeline import drivers
from monitor.session import Session
from monitor.sinks.recorder import Recorder
from monitor.sources.gather import Gathered
from monitor.sources.replay import ReplaySource
from monitor.sources.simulated import SimulatedSource
from monitor.sources.virtual_time import run_virtual
from monitor.store.session_file import SessionWriter, new_header

NINE_O_CLOCK_S = 1_767_603_600.0


class Witness:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def push(self, records: Sequence[Record]) -> None:
        self.records += records

    def close(self) -> None:
        pass

    def of(self, kind: type) -> list[Any]:
        return [record for record in self.records if isinstance(record, kind)]


def opening(source: SimulatedSource, device: str = "spine1", mounted: bool = True) -> list[Mark]:
    """Opening marks for the sensors of `source`, as `supple live` would give them."""
    marks = []
    for number, sensor in enumerate(source.sensors):
        role = (
            "single"
            if len(source.sensors) == 1
            else ("upper" if sensor.placement == "upper_back" else "lower")
        )
        value = {"sensor": sensor.key, "driver": device, "role": role, "placement": sensor.placement}
        marks.append(Mark(0.0, "sensor", {**value, "primary": number == 0}))
        if mounted:
            mount = {"sensor": sensor.key, "quat": list(sensor.mount), "quality": 1.0}
            marks.append(Mark(0.0, "mount", {**mount, "forward_known": True, "source": "truth"}))
    return [*marks, Mark(0.0, "settings", {}), Mark(0.0, "seed", {"seed": 0})]


def record_live(
    path: Path,
    scenario: str,
    seconds: float,
    *,
    seed: int = 0,
    device: str = "spine1",
    placements: Sequence[str] = (),
    mounted: bool = True,
    gathered: bool = False,
) -> tuple[str, Witness]:
    """Run `scenario` live and record it to `path`; the digest and everything that was pushed to sinks."""
    source = SimulatedSource(
        scenario,
        seed,
        drivers()[device],
        duration_s=seconds,
        placements=placements,
        start_wall_s=NINE_O_CLOCK_S,
        utc_offset_s=0,
    )
    source.begin_with(opening(source, device, mounted))
    identities = drivers()[device].row_identity

    def identify(packet: Packet) -> tuple[int, int, int] | None:
        return identities(packet.channel, packet.payload)

    writer = SessionWriter(path, new_header("simulated", "test", NINE_O_CLOCK_S, 0, "UTC"), identify)
    recorder, witness = Recorder(writer, inline=True), Witness()
    session = Session(
        Gathered(source, 1.0) if gathered else source,
        [recorder, witness],
        lambda digest: recorder.set_header("digest", digest),
    )
    return run_virtual(session.run()), witness


def replay(path: Path, block_s: float = 60.0) -> tuple[str, Witness]:
    """Run a recording again; the digest and everything pushed to sinks."""
    witness = Witness()
    return run_virtual(Session(ReplaySource(path, block_s=block_s), [witness]).run()), witness
