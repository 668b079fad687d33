"""JSON lines: strict, one object each, the same however the stream is cut."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitor.core.blocks import TrunkBlock, take
from monitor.core.events import (
    Beat,
    Creep,
    Direction,
    Movement,
    Notice,
    Posture,
    PostureState,
    Prompt,
    Record,
    SittingBout,
    StaticHold,
    Transition,
)
from monitor.core.inputs import Mark
from monitor.sinks.event_json import event_object
from monitor.sinks.lines import LinesSink
from monitor.sinks.tables import _DEVIATIONS as DEVIATIONS

SENSOR = Mark(0.0, "sensor", {"sensor": "A", "primary": True})


def trunk(start_s: float, seconds: float, sensor: str = "A", rate_hz: float = 50.0) -> TrunkBlock:
    n = round(seconds * rate_hz)
    t_s = start_s + np.arange(n) / rate_hz
    wide = np.zeros((n, 3))
    angles = (t_s * 1.5, np.full(n, np.nan), -t_s, t_s * 0)
    return TrunkBlock(
        sensor, t_s, np.zeros((n, 4)), wide, *angles, wide, wide, t_s * 0 + 1, np.ones(n, bool), rate_hz
    )


def strict(line: str) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    found: dict[str, Any] = json.loads(line, parse_constant=refuse)
    return found


def lines_of(pushes: Sequence[Sequence[Record]], digest: str | None = None) -> list[dict[str, Any]]:
    out = io.StringIO()
    sink = LinesSink(out, "replay", {"file": "a.supple", "odd": math.nan})
    for records in pushes:
        sink.push(records)
    if digest:
        sink.end(digest)
    sink.close()
    return [strict(line) for line in out.getvalue().splitlines()]


def test_hello_says_the_mode_and_end_the_digest() -> None:
    lines = lines_of([], digest="d")
    assert lines == [
        {"kind": "hello", "mode": "replay", "file": "a.supple", "odd": None},
        {"kind": "end", "digest": "d"},
    ]


def test_one_line_of_angles_a_second_its_last_row_of_the_primary_sensor() -> None:
    lines = lines_of([[SENSOR, trunk(0.0, 3.5), trunk(0.0, 3.5, sensor="B")]])
    angles = [line for line in lines if line["kind"] == "angles"]
    assert [line["t_s"] for line in angles] == [0.98, 1.98, 2.98, 3.48]
    assert angles[1]["inclination_deg"] == pytest.approx(1.98 * 1.5)
    assert angles[1]["flexion_deg"] is None


def test_the_lines_do_not_depend_on_the_cutting() -> None:
    block = trunk(0.0, 10.0)
    whole = lines_of([[SENSOR, block]])
    for step in (1, 7, 50, 149):
        cut = [[take(block, slice(k, k + step))] for k in range(0, len(block), step)]
        assert lines_of([[SENSOR], *cut]) == whole


def test_what_is_told_each_second_is_written_only_when_it_got_on() -> None:
    holds = [StaticHold(float(k), float(k), float(k)) for k in range(200)]
    creep = [Creep(float(k), k / 1_000, float(k)) for k in range(350)]
    beats = [Beat("A", float(k), float(k), 0, True, float(k)) for k in range(100)]
    kinds = [line["kind"] for line in lines_of([holds, creep, beats])]
    assert kinds.count("static_hold") == 3
    assert kinds.count("creep") == 3
    assert kinds.count("beat") == 0


def test_events_have_kind_and_time_and_the_fields_of_their_kind() -> None:
    transition = Transition(5.0, Posture.SITTING, Posture.STANDING, 0.9, 8.0)
    assert event_object(transition) == {
        "kind": "transition",
        "t_s": 5.0,
        "from": "sitting",
        "to": "standing",
        "confidence": 0.9,
        "decided_s": 8.0,
    }
    bout = event_object(SittingBout(1.0, 9.0, 0.5, False, 30.0))
    assert bout is not None and bout["t_s"] == bout["start_s"] == 1.0 and bout["end_s"] == 9.0
    movement = event_object(Movement(Direction.FLEXION, 1.0, 2.0, 30.0, 31.0, math.inf, 2.5))
    assert movement is not None and movement["direction"] == "flexion" and movement["peak_rate_deg_s"] is None
    prompt = event_object(Prompt(3.0, "r", "id", "text", {"sitting_s": math.nan}))
    assert prompt is not None and prompt["reason"] == {"sitting_s": None}
    assert event_object(SENSOR) is None


def test_a_name_cannot_break_a_line() -> None:
    lines = lines_of(
        [[Notice(1.0, "x", 'a\n{"kind": "end"}\u2028\x1b[31m')], [PostureState(2.0, Posture.LYING, 1.0, 3.0)]]
    )
    assert [line["kind"] for line in lines] == ["hello", "notice", "posture_state", "end"]


def test_every_angle_comes_with_its_standard_deviation_as_in_the_tables() -> None:
    block = trunk(0.0, 2.0)
    stated = replace(
        block,
        **{f"{name}_sd_deg": np.full(len(block), sd) for name, sd in (("flexion", 2.0), ("lateral", 0.5))},
        rotation_sd_deg=np.full(len(block), math.nan),
    )
    (_, _, line, *_) = lines_of([[SENSOR, stated]])
    told = {name: line[name] for name in DEVIATIONS}
    assert told == dict(zip(DEVIATIONS, (1.0, 2.0, 0.5, None), strict=True))
    (_, _, line, *_) = lines_of([[SENSOR, block]])
    assert [line[name] for name in DEVIATIONS] == [1.0, None, None, None], "None where nobody states it"
