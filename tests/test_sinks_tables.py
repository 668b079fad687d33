"""Tables: every row with its own state, nothing invented where there is no evidence."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.blocks import LumbarBlock, TrunkBlock, take
from monitor.core.errors import StorageError
from monitor.core.events import (
    Beat,
    Creep,
    Direction,
    Fault,
    Gap,
    Movement,
    Notice,
    Posture,
    PostureState,
    SittingBout,
    StaticHold,
    Transition,
)
from monitor.core.inputs import FloatArray, Mark
from monitor.sinks import tables as tables_module
from monitor.sinks.summary import Summary
from monitor.sinks.tables import TableSink

SENSOR = Mark(0.0, "sensor", {"sensor": "A", "primary": True})
START_S = 1_547_832_339.905
"""A file's own time base: Unix time, where float32 has steps of two minutes."""


def trunk(seconds: float, start_s: float = START_S, sensor: str = "A") -> TrunkBlock:
    n = round(seconds * 100)
    t_s = start_s + np.arange(n) / 100
    inclination: FloatArray = np.linspace(0.0, 90.0, n)
    quat = np.tile((1.0, 0.0, 0.0, 0.0), (n, 1))
    wide = np.zeros((n, 3))
    ok = np.arange(n) % 10 != 9
    return TrunkBlock(
        *(sensor, t_s, quat, wide, inclination, inclination / 2, -inclination, np.full(n, np.nan)),
        *(wide, wide, inclination, ok, 100.0),
    )


def state(after_s: float, posture: Posture) -> PostureState:
    return PostureState(START_S + after_s, posture, 0.9, START_S + after_s + 5.0)


def strict(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return found


def test_columns_types_and_compression_are_as_promised(tmp_path: Path) -> None:
    sink = TableSink(tmp_path, "a", {})
    sink.push([SENSOR, trunk(3.0)])
    sink.close()
    file = pq.ParquetFile(tmp_path / "a.parquet")
    schema = file.schema_arrow
    assert schema.names == [
        *("t_s", "ok", "quat_w", "quat_x", "quat_y", "quat_z"),
        *("inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg", "state"),
        *("inclination_sd_deg", "flexion_sd_deg", "lateral_sd_deg", "rotation_sd_deg"),
    ]
    assert schema.field("t_s").type == pa.float64()
    assert schema.field("inclination_deg").type == pa.float32()
    group = file.metadata.row_group(0)
    for k in range(group.num_columns):
        column = group.column(k)
        assert column.compression == "ZSTD"
        if column.path_in_schema not in ("ok", "state"):
            assert "BYTE_STREAM_SPLIT" in column.encodings
    assert "RLE_DICTIONARY" in group.column(10).encodings
    file.close()


def test_deviations_are_told_to_a_hundredth_and_are_null_where_nobody_states_them(tmp_path: Path) -> None:
    block = trunk(3.0)
    sink = TableSink(tmp_path, "a", {})
    sink.push([SENSOR, replace(block, flexion_sd_deg=np.full(len(block), 1.23456))])
    sink.close()
    table = pq.read_table(tmp_path / "a.parquet")
    assert table["flexion_sd_deg"].to_numpy() == pytest.approx(1.23)
    assert np.allclose(table["inclination_sd_deg"].to_numpy(), block.uncertainty_deg, atol=0.006)
    assert table["lateral_sd_deg"].null_count == table["rotation_sd_deg"].null_count == len(block)
    assert not [name for name in table.column_names if name.startswith("live_")]


def test_rows_of_the_final_pass_bring_the_live_angles_beside_them(tmp_path: Path) -> None:
    block = trunk(3.0)
    live = np.stack((block.inclination_deg + 1, block.flexion_deg + 2, block.lateral_deg + 3), axis=1)
    sink = TableSink(tmp_path, "a", {})
    sink.push([SENSOR, replace(block, live_deg=live)])
    sink.close()
    table = pq.read_table(tmp_path / "a.parquet")
    for name, more in (("inclination_deg", 1), ("flexion_deg", 2), ("lateral_deg", 3)):
        assert np.allclose(table[f"live_{name}"].to_numpy(), table[name].to_numpy() + more)


def test_time_stays_in_its_own_base_to_the_bit_and_unknown_is_null(tmp_path: Path) -> None:
    block = trunk(3.0)
    quat = block.quat.copy()
    quat[:] = np.nan
    sink = TableSink(tmp_path, "a", {})
    sink.push([SENSOR, replace(block, quat=quat), trunk(3.0, sensor="B")])
    sink.close()
    table = pq.read_table(tmp_path / "a.parquet")
    assert np.array_equal(table["t_s"].to_numpy(), block.t_s)
    assert table["ok"].to_pylist() == block.ok.tolist()
    assert table["rotation_deg"].null_count == table["quat_w"].null_count == 300
    assert table["inclination_deg"].null_count == 0
    assert np.allclose(table["lateral_deg"].to_numpy(), block.lateral_deg, atol=1e-4)


def pair(primary: str) -> list[Mark]:
    roles = {"A": "lower", "B": "upper"}
    return [
        Mark(0.0, "sensor", {"sensor": key, "role": role, "primary": key == primary})
        for key, role in roles.items()
    ]


def lumbar(t_s: FloatArray) -> LumbarBlock:
    angle = (t_s - START_S) * 10.0
    return LumbarBlock(t_s, angle, -angle, np.full(len(t_s), np.nan), np.ones(len(t_s), bool))


@pytest.mark.parametrize("group_rows", [1, 500, 10**9])
@pytest.mark.parametrize("shift_s", [0.0, 0.003, -0.004])
def test_of_two_sensors_each_row_has_the_lumbar_angles_of_its_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group_rows: int, shift_s: float
) -> None:
    monkeypatch.setattr(tables_module, "ROW_GROUP_ROWS", group_rows)
    block = trunk(30.0)
    joined = lumbar(block.t_s[500:-500] + shift_s)
    sink = TableSink(tmp_path, "a", {})
    sink.push(pair(primary="A"))
    for start in range(0, len(block), 250):
        sink.push([take(block, slice(start, start + 250))])
        sink.push([take(joined, slice(max(0, start - 500), max(0, start - 250)))])
    sink.close()
    table = pq.read_table(tmp_path / "a.parquet")
    flexion, lateral = (table[f"lumbar_{name}_deg"].to_numpy() for name in ("flexion", "lateral"))
    inside = slice(500, 2500)
    expected = (block.t_s[inside] - START_S) * 10.0
    assert np.abs(flexion[inside] - expected).max() <= 10.0 * abs(shift_s) + 1e-4
    assert np.array_equal(lateral[inside], -flexion[inside])
    assert (
        table["lumbar_flexion_deg"][:499].null_count == table["lumbar_flexion_deg"][2501:].null_count == 499
    )
    assert table["lumbar_rotation_deg"].null_count == len(block)


def test_two_sensors_that_never_met_give_empty_lumbar_angles(tmp_path: Path) -> None:
    sink = TableSink(tmp_path, "a", {})
    sink.push([*pair(primary="B"), trunk(3.0, sensor="B")])
    sink.close()
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.num_rows == table["lumbar_flexion_deg"].null_count == 300


def test_a_recording_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    sink = TableSink(tmp_path, "a", {})
    sink.push([SENSOR])
    sink.close()
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 0


@pytest.mark.parametrize("group_rows", [1, 500, 10**9])
@pytest.mark.parametrize("cut", [1, 130, 10**9])
def test_a_state_belongs_to_its_row_however_late_it_was_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group_rows: int, cut: int
) -> None:
    monkeypatch.setattr(tables_module, "ROW_GROUP_ROWS", group_rows)
    block = trunk(60.0 if cut > 1 else 16.0)
    changes = {4.0: Posture.SITTING, 9.0: Posture.STANDING, 31.0: Posture.WALKING}
    sink = TableSink(tmp_path, "a", {})
    sink.push([SENSOR])
    told: set[float] = set()
    for start in range(0, len(block), cut):
        piece = take(block, slice(start, start + cut))
        decided = [s for s in changes if s not in told and piece.t_s[-1] >= START_S + s + 5.0]
        told.update(decided)
        sink.push([piece, *(state(s, changes[s]) for s in decided)])
    sink.close()
    states = pq.read_table(tmp_path / "a.parquet")["state"].to_pylist()
    expected = [
        next((p.value for s, p in reversed(changes.items()) if s in told and t >= START_S + s), "unknown")
        for t in block.t_s.tolist()
    ]
    assert states == expected
    assert len(told) >= 2


def test_a_later_decision_about_an_earlier_moment_counts(tmp_path: Path) -> None:
    sink = TableSink(tmp_path, "a", {})
    sink.push([SENSOR, trunk(10.0), state(6.0, Posture.STANDING), state(2.0, Posture.LYING)])
    sink.close()
    states = pq.read_table(tmp_path / "a.parquet")["state"].to_pylist()
    assert states == ["unknown"] * 200 + ["lying"] * 800


def test_events_are_strict_lines_with_kind_and_time(tmp_path: Path) -> None:
    sink = TableSink(tmp_path, "a", {})
    sink.push(
        [
            SENSOR,
            Transition(5.0, Posture.SITTING, Posture.STANDING, 0.9, 8.0),
            SittingBout(1.0, 9.0, 0.5, True, 30.0),
            Movement(Direction.EXTENSION, 1.0, 2.0, 30.0, 31.0, math.nan, 2.5),
            *(Beat("A", 1.0, 1.0, 0, True, 0.5), StaticHold(1.0, 2.0, 3.0), Creep(1.0, 0.5, 1.0)),
        ]
    )
    sink.close()
    lines = [strict(line) for line in (tmp_path / "a.events.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["transition", "sitting_bout", "movement"]
    assert all("t_s" in line for line in lines)
    assert (lines[0]["from"], lines[0]["to"]) == ("sitting", "standing")
    assert (lines[1]["start_s"], lines[1]["end_s"]) == (1.0, 9.0)
    assert {"direction", "start_s", "end_s", "peak_deg", "peak_rate_deg_s"} <= lines[2].keys()


def test_the_summary_counts_what_the_rows_say(tmp_path: Path) -> None:
    sink = TableSink(tmp_path, "a", {"versions": {"supple": "1"}})
    sink.push(
        [
            SENSOR,
            trunk(10.0),
            trunk(10.0, START_S + 30.0),
            Gap("A", START_S + 10.0, START_S + 30.0, "missing"),
        ]
    )
    sink.push(
        [
            state(4.0, Posture.SITTING),
            Fault("A", 1.0, "nan", 3),
            Notice(1.0, "x", "Beware."),
            Notice(2.0, "x", "Beware."),
        ]
    )
    sink.push([SittingBout(START_S + 4.0, START_S + 40.0, 20.0, True, START_S + 40.0)])
    sink.close()
    events = [strict(line) for line in (tmp_path / "a.events.jsonl").read_text().splitlines()]
    assert {"kind": "fault", "t_s": 1.0, "sensor": "A", "fault": "nan", "count": 3} in events
    found = strict((tmp_path / "a.json").read_text())
    assert found["versions"] == {"supple": "1"}
    assert found["state_s"] == {
        "unknown": 4.0,
        "sitting": 16.0,
        "standing": 0.0,
        "walking": 0.0,
        "lying": 0.0,
    }
    # Nine rows of ten were measured, in half of the time.
    assert found["coverage"] == pytest.approx(0.45, abs=0.001)
    assert found["duration_s"] == pytest.approx(39.99)
    assert found["bouts"] == [
        {
            "start_s": START_S + 4,
            "end_s": START_S + 40,
            "interruptions_s": 20.0,
            "cut": True,
            "doubtful": False,
        }
    ]
    assert found["ranges"]["inclination_deg"]["p50"] == pytest.approx(45.0, abs=0.2)
    assert found["ranges"]["inclination_deg"]["max"] == pytest.approx(90.0, abs=0.2)
    assert found["gaps"] == {"count": 1, "seconds": 20.0}
    assert found["faults"] == {"nan": 3}
    assert found["warnings"] == ["Beware."]


def test_angles_without_evidence_are_warned_of() -> None:
    block = trunk(3.0)
    nothing = np.full(len(block), np.nan)
    no_forward = Summary()
    no_forward.rows(replace(block, flexion_deg=nothing, lateral_deg=nothing), {Posture.UNKNOWN: 300})
    assert no_forward.result()["ranges"]["flexion_deg"] is None
    assert any("forward" in text for text in no_forward.result()["warnings"])
    empty = Summary().result()
    assert empty["coverage"] == 0.0 and empty["rows"] == 0


def test_results_appear_only_when_whole(tmp_path: Path) -> None:
    kept, dropped = TableSink(tmp_path, "kept", {}), TableSink(tmp_path, "dropped", {})
    for sink in (kept, dropped):
        sink.push([SENSOR, trunk(3.0)])
    assert not [path for path in tmp_path.iterdir() if not path.name.endswith(".part")]
    kept.close()
    dropped.discard()
    assert {path.name for path in tmp_path.iterdir()} == {"kept.parquet", "kept.events.jsonl", "kept.json"}
    with pytest.raises(StorageError, match="cannot be written"):
        TableSink(tmp_path / "none", "a", {})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
@pytest.mark.parametrize("part", ["a.events.jsonl.part", "a.parquet.part", "a.json.part"])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, part: str) -> None:
    (tmp_path / part).symlink_to("/dev/full")
    sink = TableSink(tmp_path, "a", {})
    with pytest.raises(StorageError, match="the disk is full") as refusal:
        sink.push([SENSOR, state(0.0, Posture.SITTING), trunk(30.0)])
        sink.close()
    assert "Free some space" in refusal.value.next_step
    sink.discard()
    assert list(tmp_path.iterdir()) == []
