"""Every stage, detector and prompt rule there is keeps the four laws: cut, purity, silence, replay."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import law_events
import law_fixtures as fixtures
import pytest
import slip_days
from laws import (
    alone,
    at_random,
    cut_breaches,
    cuts,
    differences,
    purity_breaches,
    read_only,
    replay_breaches,
    row_by_row,
    run,
    silence_breaches,
    whole,
)

from firmware_sim.direct import run_direct
from monitor.coach import rules
from monitor.coach.stage import Coach
from monitor.core.blocks import LumbarBlock, TrunkBlock
from monitor.core.digest import StreamDigest
from monitor.core.events import REZEROED, Gap, MountSet, PostureState, Prompt, Slip, SlipKind, StaticHold
from monitor.core.inputs import Mark, Packet
from monitor.core.registry import discover
from monitor.motion.angles import TrunkAngles
from monitor.motion.chip.calibrate import DeviceCalibration
from monitor.motion.chip.gravity_check import GravityCheck
from monitor.motion.join import Join
from monitor.motion.orient import Orient
from monitor.motion.timeline import Timeline
from monitor.pipeline import Pipeline, detectors, drivers
from monitor.store.session_file import SessionReader, SessionWriter, new_header


@dataclass(frozen=True)
class Case:
    """A stage and a stream to try it on, already read-only."""

    build: Callable[[], Any]
    stream: Callable[[], Sequence[Any]]


class Chain:
    """Stages in a row, as one stage."""

    def __init__(self, *stages: Any) -> None:
        self._stages = stages

    def push(self, items: Sequence[Any]) -> list[Any]:
        out = list(items)
        for stage in self._stages:
            out = stage.push(out)
        return out

    def close(self) -> list[Any]:
        out: list[Any] = []
        for stage in self._stages:
            out = [*stage.push(out), *stage.close()]
        return out


def chain(driver: str, length: int, sensor: str = "A") -> Chain:
    """The first `length` stages of one sensor's chain."""
    stages = (
        drivers()[driver].decoder(sensor),
        Timeline(),
        DeviceCalibration(),
        GravityCheck(),
        Orient(),
        TrunkAngles(),
    )
    return Chain(*stages[:length])


@cache
def inputs(driver: str) -> list[Any]:
    """One rich session as a sensor of this driver gives it. A new driver says here what its wire looks like."""
    moved = fixtures.motion(60.0, 100.0)
    match driver:
        case "spine1":
            return read_only(fixtures.one_sensor())
        case "witmotion":
            packets = fixtures.troubled(fixtures.witmotion_packets("A", "live", moved))
        case "rows":
            packets = fixtures.rows_inputs("A", moved)
        case "rows without gyroscope":
            packets = fixtures.rows_inputs("A", moved, gyroscope=False)
    marks = [*fixtures.opening(driver=driver.split()[0]), *fixtures.in_force(), *fixtures.marks_in_between()]
    return read_only(fixtures.in_order(marks, fixtures.ticks(60.0), packets))


@cache
def after(length: int, driver: str = "spine1") -> list[Any]:
    """What the first `length` stages of a chain give, cut as finely as packets come."""
    return read_only(run(lambda: chain(driver, length), alone(inputs(driver))))


@cache
def two_joined() -> list[Any]:
    """Trunk blocks of two sensors before they are joined, each sensor's in order."""
    stream = fixtures.two_sensors(1)
    chains = {sensor: chain("spine1", 6, sensor) for sensor in ("A", "B")}
    out: list[Any] = []
    for item in stream:
        mine = getattr(item, "sensor", None)
        for sensor in (mine,) if mine else chains:
            out += [got for got in chains[sensor].push([item]) if got is not item]
        out += [item] if isinstance(item, Mark) else []
    return read_only([*out, *(got for one in chains.values() for got in one.close())])


@cache
def before_detector(name: str) -> list[Any]:
    earlier = []
    for detector in detectors():
        if detector.name == name:
            break
        earlier.append(detector.build())
    return read_only(run(lambda: Chain(Join(), *earlier), alone(after(6))))


@cache
def before_coach() -> list[Any]:
    return read_only(run(lambda: Chain(Join(), *(d.build() for d in detectors())), alone(after(6))))


@cache
def an_afternoon() -> list[Any]:
    return law_events.afternoon()


@cache
def an_hour_at_a_desk() -> list[Any]:
    """An hour of the simulated wearer, as packets, ticks and a change of mind in the middle."""
    received = [Packet(t_s, "A", channel, raw) for t_s, channel, raw in run_direct("desk", 3, 3600.0)]
    marks = [
        *fixtures.opening(),
        *fixtures.in_force(),
        Mark(1800.2, "calibrate", {"sensor": "A", "seconds": 20.0}),
    ]
    return read_only(fixtures.in_order(marks, received, fixtures.ticks(3600.0)))


@cache
def a_sensor_that_moves() -> list[Any]:
    """Poses through creep, slip, an upside-down sensor and one put back on, so that the mount is followed and found anew."""
    walk, stand = '{ do = "walk", seconds = 45 }', '{ do = "stand", seconds = 40, shifts_per_min = 0 }'
    creep = tuple((80.0 + 5.0 * k, (0.0, 0.6, 0.0), 4.0) for k in range(6))
    moved = (*creep, (340.0, slip_days.FORWARD, 0.5), (380.0, slip_days.OVER, 5.0))
    day = f"{', '.join(7 * [walk])}, {stand}, {walk}, {walk}, {stand}, {walk}"
    put_back_on = Mark(470.0, "attached", {"sensor": "A"})
    return read_only(slip_days.poses(slip_days.inputs(day, moved, [put_back_on], rate_hz=25.0)))


def cases() -> dict[str, Case]:
    found = {f"decoder {name}": _chain_case(name, 1) for name in drivers()}
    found |= {f"chain {name}": _chain_case(name, 6) for name in (*drivers(), "rows without gyroscope")}
    for place, stage in enumerate((Timeline, DeviceCalibration, GravityCheck, Orient, TrunkAngles), start=1):
        found[stage.__name__] = Case(stage, partial(after, place))
    found["TrunkAngles, a sensor that moves"] = Case(TrunkAngles, a_sensor_that_moves)
    found["Join, one sensor"] = Case(Join, partial(after, 6))
    found["Join, two sensors"] = Case(Join, two_joined)
    for detector in detectors():
        found[f"detector {detector.name}"] = Case(detector.build, partial(before_detector, detector.name))
    found["Coach after the detectors"] = Case(Coach, before_coach)
    for name, rule in RULES.items():
        found[f"rule {name}"] = Case(partial(Coach, {name: rule}), an_afternoon)
    found["Pipeline"] = Case(Pipeline, partial(inputs, "spine1"))
    return found


def _chain_case(name: str, length: int) -> Case:
    return Case(partial(chain, name.split()[0], length), partial(inputs, name))


RULES = discover(rules, "RULE")
CASES = cases()
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@each_case
def test_however_the_stream_is_cut_the_outputs_are_the_same_bits(case):
    assert cut_breaches(case.build, cuts(case.stream())) == []


@each_case
def test_rows_one_by_one_give_the_same_bits(case):
    stream = case.stream()
    assert cut_breaches(case.build, {"whole": whole(stream), "row by row": row_by_row(stream)}) == []


@each_case
def test_inputs_are_never_altered_and_outputs_never_change(case):
    assert silence_breaches(case.build, at_random(case.stream(), 4)) == []


@each_case
def test_no_clock_file_environment_or_chance_is_reached(case):
    assert purity_breaches(case.build, at_random(case.stream(), 5)) == []


@each_case
def test_the_same_inputs_give_the_same_outputs_beside_another_of_the_kind(case):
    assert replay_breaches(case.build, at_random(case.stream(), 6)) == []


@pytest.mark.parametrize("jitter_seed", [2, 3, 4])
def test_how_two_sensors_packets_interleave_changes_nothing(jitter_seed):
    first, second = (alone(fixtures.two_sensors(seed)) for seed in (1, jitter_seed))
    assert differences(run(Pipeline, first), run(Pipeline, second)) == []


def test_two_sensors_in_one_push_give_the_bits_of_packets_one_by_one():
    stream = read_only(fixtures.two_sensors(1))
    assert cut_breaches(Pipeline, cuts(stream)) == []


def test_the_digest_of_a_session_does_not_depend_on_how_it_was_cut():
    stream = read_only(fixtures.two_sensors(1))
    ways = (whole(stream), alone(stream), at_random(stream, 1))
    assert len({_digest(run(Pipeline, pushes)) for pushes in ways}) == 1


def test_the_session_the_laws_are_tried_on_is_rich():
    """A law kept over an empty stream says nothing."""
    records = run(Pipeline, alone(inputs("spine1")))
    trunk = [r for r in records if isinstance(r, TrunkBlock)]
    assert sum(len(block) for block in trunk) > 4500
    assert any(not block.ok.all() for block in trunk)
    assert {r.reason for r in records if isinstance(r, Gap)} == {"missing", "reboot"}
    assert sum(isinstance(r, MountSet) for r in records) >= 3
    kinds = {r.kind for r in records if type(r).__name__ == "Fault"}
    assert {"crc", "length", "duplicate"} <= kinds
    assert any(isinstance(r, PostureState) for r in records)
    assert any(isinstance(r, LumbarBlock) for r in run(Pipeline, alone(fixtures.two_sensors(1))))


def test_the_sensor_that_moves_is_followed_in_every_way():
    records = run(TrunkAngles, whole(a_sensor_that_moves()))
    assert {r.slip for r in records if isinstance(r, Slip)} == {SlipKind.SLIPPED, SlipKind.UPSIDE_DOWN}
    assert {r.source for r in records if isinstance(r, MountSet)} == {"truth", REZEROED, "gait"}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_speaks_on_the_afternoon_it_is_tried_on(name):
    said = run(partial(Coach, {name: RULES[name]}), whole(an_afternoon()))
    assert any(isinstance(record, Prompt) for record in said)


@pytest.mark.slow
def test_an_hour_at_a_desk_is_the_same_in_minutes_in_seconds_and_in_packets():
    stream = an_hour_at_a_desk()
    ways = {"minutes": _every(stream, 60.0), "seconds": _every(stream, 1.0), "whole": whole(stream)}
    assert cut_breaches(Pipeline, ways) == []
    records = run(Pipeline, ways["minutes"])
    assert any(isinstance(record, StaticHold) for record in records)
    assert any(isinstance(record, Prompt) for record in records)
    first = [item for item in stream if item.t_host_s < 600]
    assert cut_breaches(Pipeline, {"whole": whole(first), "packets": alone(first)}) == []


def test_a_recorded_session_replays_to_the_same_records(tmp_path):
    stream = inputs("spine1")
    identity = drivers()["spine1"].row_identity
    header = new_header("simulated", "law", fixtures.WALL_AT_START_S, 3600, "Europe/Berlin")
    writer = SessionWriter(tmp_path / "s.supple", header, lambda p: identity(p.channel, p.payload))
    for items in at_random(stream, 8):
        writer.append(items)
    writer.close()
    with SessionReader(tmp_path / "s.supple") as reader:
        read_back = list(reader.inputs())
    live, replayed = run(Pipeline, alone(stream)), run(Pipeline, read_back)
    assert differences(live, replayed) == []
    assert _digest(live) == _digest(replayed)


def test_fresh_processes_with_other_hash_seeds_and_homes_agree(tmp_path):
    script = (
        "import law_fixtures, laws; from monitor.core.digest import StreamDigest; from monitor.pipeline import Pipeline;"
        "digest = StreamDigest(); digest.push(laws.run(Pipeline, laws.whole(law_fixtures.one_sensor())));"
        "print(digest.hexdigest())"
    )
    said = set()
    for seed in ("0", "7"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "HOME": str(tmp_path / seed), "TZ": f"UTC+{seed}"}
        env["PYTHONPATH"] = str(Path(__file__).parent)
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
        )
        said.add(done.stdout)
    assert said == {f"{_digest(run(Pipeline, whole(fixtures.one_sensor())))}\n"}


def _every(stream: Sequence[Any], seconds: float) -> list[list[Any]]:
    """Cut by host time."""
    return [list(group) for _, group in groupby(stream, lambda item: item.t_host_s // seconds)]


def _digest(records: Sequence[Any]) -> str:
    digest = StreamDigest()
    digest.push(records)
    return digest.hexdigest()
