"""One simulated day from the firmware to the summary: what was lived beside what was told."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_sim.body import Wearer
from firmware_sim.plan import C
from firmware_sim.scenario import load
from firmware_sim.truth import STATE_NAMES
from monitor.core.blocks import TrunkBlock
from monitor.core.events import Posture, PostureState, Prompt, Record, SittingBout
from monitor.core.inputs import FloatArray, Input, Mark, Tick
from monitor.pipeline import Pipeline, drivers
from monitor.sinks.tables import TableSink
from monitor.sources.simulated import direct_source

SCENARIO = "mixed_day"
RATE_HZ = 50.0
"""What the firmware is set to: half the work of 100 Hz, and fine frames of 0.1 s hold five rows."""
NOON_S = 1_767_614_400.0
DAY_S = 86_400.0
PROMPTS = {"prompts": {"static_posture": False, "time_to_move": {"creep_share": 2.6}}}
"""Only half an hour of sitting prompts: what is timed."""
SECONDS = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Lived:
    """The truth of each second: codes of STATE_NAMES, and whether the wearer sat in a moving car."""

    state: SECONDS
    shaken: npt.NDArray[np.bool_]

    def sits(self) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = self.state == STATE_NAMES.index("sitting")
        return found


@dataclass(frozen=True)
class Told:
    """What came out: codes of STATE_NAMES each second (0: unknown), bouts, prompts, the summary; and what peers look at.

    `bouts_s` (n, 2); `up` (rows, 3) the vertical in body axes, `rise` (rows,) vertical acceleration without gravity, m/s2,
    `turning` (rows,) squared rate, (deg/s)^2, at `t_s` (rows,).
    """

    state: SECONDS
    bouts_s: FloatArray
    prompts_s: FloatArray
    summary: dict[str, Any]
    t_s: FloatArray
    up: FloatArray
    rise: FloatArray
    turning: FloatArray


def live(seed: int, longest_s: float) -> tuple[Lived, Told]:
    """A day of this seed's person, cut at `longest_s`."""
    plain = load(SCENARIO)
    scenario = replace(plain, firmware=replace(plain.firmware, rate_hz=RATE_HZ))
    wearer = Wearer(scenario, seed)
    seconds_s = np.arange(0.0, min(wearer.round_s, longest_s))
    shaken = wearer.plan.coordinates(seconds_s)[C.VIBRATION] > 0.0
    source = direct_source(
        scenario,
        seed,
        drivers()["spine1"],
        duration_s=float(len(seconds_s)),
        start_wall_s=NOON_S,
        utc_offset_s=0,
    )
    sensor = source.sensors[0]
    worn = {"driver": "spine1", "role": "single", "placement": sensor.placement, "primary": True}
    source.begin_with(
        [
            Mark(0.0, "sensor", {"sensor": sensor.key, **worn}),
            Mark(0.0, "settings", PROMPTS),
            Mark(0.0, "calibrate", {"sensor": sensor.key, "seconds": 20.0}),
        ]
    )
    with tempfile.TemporaryDirectory() as folder:
        sink = TableSink(Path(folder), "day", {})
        listener = _Listener()
        asyncio.run(_run(source, sink, listener))
        summary = json.loads((Path(folder) / "day.json").read_text())
    return Lived(wearer.plan.states(seconds_s), shaken), listener.told(seconds_s, summary)


async def _run(source: Any, sink: TableSink, listener: _Listener) -> None:
    pipeline = Pipeline()
    async for inputs in source:
        due: list[Input] = [_another_day(item) if isinstance(item, Tick) else item for item in inputs]
        sink.push(due)
        listener.push(found := pipeline.push(due))
        sink.push(found)
    listener.push(found := pipeline.close())
    sink.push(found)
    sink.close()


def _another_day(tick: Tick) -> Tick:
    """The wall clock says noon of another day every hour: the cap on prompts a day is not what is measured."""
    return tick._replace(wall_s=NOON_S + DAY_S * (tick.t_host_s // 3600.0))


class _Listener:
    """Keeps what the scores need."""

    def __init__(self) -> None:
        self._states: list[PostureState] = []
        self._bouts: list[tuple[float, float]] = []
        self._prompts: list[float] = []
        self._rows: list[tuple[FloatArray, FloatArray, FloatArray, FloatArray]] = []

    def push(self, records: list[Record]) -> None:
        for record in records:
            match record:
                case TrunkBlock():
                    rise = np.einsum("ij,ij->i", record.acc, record.up) - 9.81
                    turning = np.einsum("ij,ij->i", record.rate_deg_s, record.rate_deg_s)
                    self._rows.append((record.t_s, record.up, rise, turning))
                case PostureState():
                    while self._states and self._states[-1].t_s >= record.t_s:
                        self._states.pop()
                    self._states.append(record)
                case SittingBout():
                    self._bouts.append((record.start_s, record.end_s))
                case Prompt():
                    self._prompts.append(record.t_s)
                case _:
                    pass

    def told(self, seconds_s: FloatArray, summary: dict[str, Any]) -> Told:
        starts = np.array([state.t_s for state in self._states])
        codes = [0, *(_code(state.state) for state in self._states)]
        t_s, up, rise, turning = (np.concatenate(column) for column in zip(*self._rows, strict=True))
        return Told(
            state=np.array(codes, np.int8)[np.searchsorted(starts, seconds_s, side="right")],
            bouts_s=np.array(self._bouts).reshape(-1, 2),
            prompts_s=np.array(self._prompts),
            summary=summary,
            t_s=t_s,
            up=up,
            rise=rise,
            turning=turning,
        )


def _code(state: Posture) -> int:
    return 0 if state is Posture.UNKNOWN else STATE_NAMES.index(state.value)
