"""Analysis is the same pipeline over files: same bits, and what comes out of one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.cohort.analyze import Outcome, analyze_files
from monitor.cohort.tools import AnalyzeOptions
from monitor.commands.analysis_tools import DOUBTED, DOUBTED_QUALITY, open_input
from monitor.core.blocks import PoseBlock, TrunkBlock
from monitor.core.errors import MountError
from monitor.core.inputs import FloatArray, Input
from monitor.devices.spine1 import DRIVER
from monitor.motion.mount.find import Mount
from monitor.pipeline import Pipeline
from monitor.store.session_file import SessionWriter, new_header
from tests.analyzed import START_S, TOOLS, one, table, table_file
from tests.law_fixtures import SENSOR_TO_BODY, Spine1, in_force, in_order, motion, opening, ticks


def session_file(folder: Path, name: str = "s", mounted: bool = True) -> Path:
    marks = [mark for mark in opening() if mounted or mark.kind != "mount"]
    inputs = in_order([*marks, *in_force()], Spine1().packets(motion(60.0, 100.0)), ticks(60.0))
    path = folder / f"{name}.supple"
    writer = SessionWriter(
        path,
        new_header("simulated", "1", 0.0, 0, "UTC"),
        lambda packet: DRIVER.row_identity(packet.channel, packet.payload),
    )
    writer.append(inputs)
    writer.close()
    return path


def piped(inputs: Sequence[Sequence[Input]]) -> tuple[FloatArray, FloatArray]:
    """Times and inclinations the pipeline gives for inputs."""
    pipeline = Pipeline()
    records = [record for block in inputs for record in pipeline.push(block)] + pipeline.close()
    blocks = [record for record in records if isinstance(record, TrunkBlock)]
    return np.concatenate([b.t_s for b in blocks]), np.concatenate([b.inclination_deg for b in blocks])


def up_on_sensor(written: pa.Table) -> FloatArray:
    """The vertical in sensor axes, from the quaternions of a result."""
    w, x, y, z = (
        written[name].to_numpy().astype(np.float64) for name in ("quat_w", "quat_x", "quat_y", "quat_z")
    )
    up: FloatArray = np.stack((2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)), axis=1)
    return up


def true_up() -> FloatArray:
    found: FloatArray = SENSOR_TO_BODY.inv().apply((0.0, 0.0, 1.0))
    return found


def test_a_session_gives_the_angles_its_replay_gives(tmp_path: Path) -> None:
    path = session_file(tmp_path)
    _, written = one(path, tmp_path / "out")
    t_s, inclination = piped(list(open_input(path, AnalyzeOptions())))
    assert np.array_equal(written["t_s"].to_numpy(), t_s)
    assert np.array_equal(
        written["inclination_deg"].to_numpy(), inclination.astype(np.float32), equal_nan=True
    )


def test_a_table_is_analysed_in_its_own_time_base(tmp_path: Path) -> None:
    outcome, written = one(table_file(tmp_path), tmp_path / "out")
    t_s = written["t_s"].to_numpy()
    assert START_S <= t_s[0] < START_S + 0.02 and START_S + 59.9 < t_s[-1] < START_S + 60.01
    assert outcome.summary["start_s"] == t_s[0]
    assert outcome.summary["sensors"][0]["placement"] == "lower_back"
    events = [json.loads(line) for line in (tmp_path / "out" / "a.events.jsonl").read_text().splitlines()]
    assert {"mount_set", "movement", "posture_state"} <= {event["kind"] for event in events}
    assert all(event["t_s"] >= START_S for event in events if event["kind"] != "fault")
    summary = json.loads((tmp_path / "out" / "a.json").read_text())
    assert summary == json.loads(json.dumps(outcome.summary))
    assert sum(summary["state_s"].values()) == pytest.approx(60.0, abs=0.1)
    assert set(summary["versions"]) == {"supple", "numpy", "scipy", "vqf", "pyarrow"}


def test_the_mount_is_found_in_the_data(tmp_path: Path) -> None:
    outcome, written = one(table_file(tmp_path), tmp_path / "out")
    (mount,) = outcome.summary["mounts"]
    assert mount["forward_known"] and mount["source"] in ("bends", "gait+bends")
    w, x, y, z = mount["quat"]
    found = SENSOR_TO_BODY.from_quat((x, y, z, w))
    # More than half of the fixture is spent slumped by 17 degrees: that is the pose a wearer is seen to rest in.
    assert np.degrees((found * SENSOR_TO_BODY.inv()).magnitude()) < 17.0 + 3.0
    # Of its bends the deepest is 95 degrees beyond the slump, the backward one 18 short of upright.
    flexion = written["flexion_deg"].to_numpy()
    assert np.nanmax(flexion) == pytest.approx(95.0, abs=5.0)
    assert np.nanmin(flexion) == pytest.approx(-18.0 - 17.0, abs=5.0)


def test_walking_does_not_tell_forward_at_the_breastbone_and_the_warning_says_what_would(
    tmp_path: Path,
) -> None:
    outcome, written = one(table_file(tmp_path), tmp_path / "out", placement="sternum")
    assert not outcome.summary["mounts"][0]["forward_known"]
    assert written["flexion_deg"].null_count == written.num_rows > written["inclination_deg"].null_count
    (why,) = (text for text in outcome.summary["warnings"] if "could not be found" in text)
    assert "end straight forward twice" in why and "walk" not in why


def test_a_given_mount_outrules_the_recorded_one(tmp_path: Path) -> None:
    path = session_file(tmp_path)
    _, recorded = one(path, tmp_path / "recorded")
    outcome, given = one(path, tmp_path / "given", mount="forward=+x,up=+z")
    assert [mount["source"] for mount in outcome.summary["mounts"]] == ["axes"]
    tilt_deg = np.degrees(np.arccos(true_up()[2]))
    assert tilt_deg > 30.0, "else the two mounts could not be told apart"
    assert np.nanmedian(recorded["inclination_deg"].to_numpy()) < 20.0
    assert np.nanmedian(given["inclination_deg"].to_numpy()) == pytest.approx(tilt_deg, abs=20.0)


def test_a_session_without_a_mount_has_one_found(tmp_path: Path) -> None:
    outcome, written = one(session_file(tmp_path, mounted=False), tmp_path / "out")
    assert len(outcome.summary["mounts"]) == 1
    assert written["inclination_deg"].null_count < 5


def tumbling_file(folder: Path) -> Path:
    """Somebody who is never upright, still or walking."""
    moved = motion(60.0, 100.0)
    turn = 0.7 * moved.t_s
    acc = 9.81 * np.stack((0 * turn, np.sin(turn), np.cos(turn)), axis=1)
    tumbling = replace(moved, acc=acc, gyr=np.tile((0.7, 0.0, 0.0), (len(turn), 1)))
    pq.write_table(table(tumbling), folder / "a.parquet")
    return folder / "a.parquet"


def test_without_an_upright_moment_the_angles_are_called_poor(tmp_path: Path) -> None:
    outcome, written = one(tumbling_file(tmp_path), tmp_path / "out")
    assert outcome.quality == "poor" and outcome.summary["coverage"] > 0.99
    assert written["flexion_deg"].null_count == written.num_rows
    assert any("not to a calibrated upright" in text for text in outcome.summary["warnings"])


def no_mount(_poses: Sequence[PoseBlock], _placement: str) -> Mount:
    raise MountError("You moved all the time.", "Stand still.", "moving")


def test_without_a_mount_no_angle_is_made_up(tmp_path: Path) -> None:
    tools = replace(TOOLS, find_mount=no_mount)
    outcome = analyze_files([table_file(tmp_path)], tmp_path / "out", AnalyzeOptions(), tools)[0]
    written = pq.read_table(
        tmp_path / "out" / "a.parquet", columns=["inclination_deg", "flexion_deg", "quat_w"]
    )
    assert outcome.quality == "poor"
    assert written["inclination_deg"].null_count == written["flexion_deg"].null_count == written.num_rows
    assert written["quat_w"].null_count == 0
    assert any("could not be found in the data: You moved" in text for text in outcome.summary["warnings"])


@pytest.mark.parametrize("factor", [0.0, 1.0 / 57.3])
def test_a_mount_found_with_a_wrong_gyroscope_is_capped_and_says_why(factor: float, tmp_path: Path) -> None:
    def found(factor: float, name: str) -> Outcome:
        moved = motion(60.0, 100.0)
        path = tmp_path / f"{name}.parquet"
        pq.write_table(table(replace(moved, gyr=factor * moved.gyr)), path)
        return one(path, tmp_path / "out")[0]

    wrong, right = found(factor, "wrong"), found(1.0, "right")
    (mount,) = wrong.summary["mounts"]
    assert mount["quality"] <= DOUBTED_QUALITY
    assert mount["doubt"] == DOUBTED and DOUBTED in wrong.summary["warnings"]
    assert wrong.quality == "poor"
    (mount,) = right.summary["mounts"]
    assert mount["quality"] > DOUBTED_QUALITY and "doubt" not in mount, "negative control"
    assert 0.0 < mount["forward_sd_deg"] < 10.0 and "forward_sd_deg" not in wrong.summary["mounts"][0]


def test_an_accelerometer_alone_gives_inclination_and_says_so(tmp_path: Path) -> None:
    outcome, written = one(table_file(tmp_path, gyroscope=False), tmp_path / "out")
    assert written["inclination_deg"].null_count < 10
    assert written["quat_w"].null_count == written["rotation_deg"].null_count == written.num_rows
    assert any("no gyroscope" in text for text in outcome.summary["warnings"])


def test_offline_angles_are_near_the_causal_ones_and_not_the_same(tmp_path: Path) -> None:
    path = table_file(tmp_path)
    _, causal = one(path, tmp_path / "causal")
    _, offline = one(path, tmp_path / "offline", offline=True)
    assert np.array_equal(causal["t_s"].to_numpy(), offline["t_s"].to_numpy())
    assert causal["state"].to_pylist() == offline["state"].to_pylist()
    assert np.array_equal(
        causal["rotation_deg"].to_numpy(), offline["rotation_deg"].to_numpy(), equal_nan=True
    )
    difference = np.abs(causal["inclination_deg"].to_numpy() - offline["inclination_deg"].to_numpy())
    assert 0.01 < np.nanmedian(difference) < 2.0
    apart_deg = np.degrees(
        np.arccos(np.clip(np.sum(up_on_sensor(causal) * up_on_sensor(offline), axis=1), -1, 1))
    )
    assert 0.01 < np.median(apart_deg) < 2.0, "quaternions lead from sensor to earth in both"


def test_offline_starts_anew_after_a_gap(tmp_path: Path) -> None:
    moved = motion(60.0, 100.0)
    late = replace(moved, t_s=moved.t_s + 30.0 * (moved.t_s > 30.0))
    pq.write_table(table(late), tmp_path / "a.parquet")
    _, causal = one(tmp_path / "a.parquet", tmp_path / "causal")
    outcome, offline = one(tmp_path / "a.parquet", tmp_path / "offline", offline=True)
    assert outcome.summary["gaps"]["count"] == 1
    assert np.array_equal(causal["t_s"].to_numpy(), offline["t_s"].to_numpy())
    assert np.nanmedian(np.abs(causal["flexion_deg"].to_numpy() - offline["flexion_deg"].to_numpy())) < 2.0


def test_damaged_rows_of_a_session_are_said(tmp_path: Path) -> None:
    path = session_file(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE input SET body = zeroblob(100) WHERE n IN (500, 501)")
    db.close()
    outcome, _ = one(path, tmp_path / "out")
    assert any(text.startswith("Left out: 2 damaged rows") for text in outcome.summary["warnings"])
