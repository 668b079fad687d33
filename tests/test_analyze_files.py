"""Analysis is the same pipeline over many files: same bits, one bad file alone, nothing half done."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.cohort import analyze
from monitor.cohort.analyze import Outcome, analyze_files, analyze_one, exit_code, quality
from monitor.cohort.overview import write_overview
from monitor.cohort.tools import AnalyzeOptions
from monitor.commands.analysis_tools import DOUBTED, DOUBTED_QUALITY, analysis_tools, open_input
from monitor.core.blocks import PoseBlock, TrunkBlock
from monitor.core.errors import MountError, SettingsError, StorageError
from monitor.core.events import Posture
from monitor.core.inputs import FloatArray, Input, Mark
from monitor.devices.spine1 import DRIVER
from monitor.motion.mount.find import Mount
from monitor.pipeline import Pipeline
from monitor.store.session_file import SessionWriter, new_header
from tests.law_fixtures import SENSOR_TO_BODY, Motion, Spine1, in_force, in_order, motion, opening, ticks

NAMES = ["t_s", *(f"acc_{a}_m_s2" for a in "xyz"), *(f"gyr_{a}_rad_s" for a in "xyz")]
START_S = 5_000.0
TOOLS = analysis_tools()


def table(moved: Motion, gyroscope: bool = True) -> pa.Table:
    columns = np.column_stack((moved.t_s + START_S, moved.acc, moved.gyr))
    return pa.table({name: columns[:, k] for k, name in enumerate(NAMES[: 7 if gyroscope else 4])})


def table_file(folder: Path, name: str = "a", seconds: float = 60.0, gyroscope: bool = True) -> Path:
    path = folder / f"{name}.parquet"
    pq.write_table(table(motion(seconds, 100.0), gyroscope), path)
    return path


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


def one(path: Path, folder: Path, **options: Any) -> tuple[Outcome, pa.Table]:
    (outcome,) = analyze_files([path], folder, AnalyzeOptions(**options), TOOLS)
    assert outcome.problem == "" and outcome.exit_code == 0
    return outcome, pq.read_table(folder / f"{path.stem}.parquet")


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


# --- what comes out ----------------------------------------------------------------------------------------------


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


# --- many files --------------------------------------------------------------------------------------------------


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    good = [table_file(tmp_path, name, 20.0) for name in ("a", "c")]
    bad = tmp_path / "b.csv"
    bad.write_text("t_s,acc_x_g\n1,2\n")
    heard: list[Path] = []
    paths = [good[0], bad, good[1]]
    outcomes = analyze_files(
        paths, tmp_path / "out", AnalyzeOptions(jobs=2), TOOLS, lambda o: heard.append(o.path)
    )
    assert [outcome.path for outcome in outcomes] == paths
    assert sorted(heard) == sorted(paths)
    assert [outcome.quality == "failed" for outcome in outcomes] == [False, True, False]
    assert "only 1 of the 3" in outcomes[1].problem and outcomes[1].next_step
    assert exit_code(outcomes) == 2 and exit_code(outcomes[::2]) == 0
    assert not [path for path in (tmp_path / "out").iterdir() if path.stem == "b" or path.suffix == ".part"]


def test_a_pool_and_a_single_process_give_the_same_files(tmp_path: Path) -> None:
    paths = [table_file(tmp_path, name, seconds) for name, seconds in (("a", 20.0), ("b", 30.0))]
    for jobs in (1, 2):
        analyze_files(paths, tmp_path / str(jobs), AnalyzeOptions(jobs=jobs), TOOLS)
    for path in sorted((tmp_path / "1").iterdir()):
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


def deadly_input(path: Path, options: AnalyzeOptions) -> Iterator[list[Input]]:
    if path.stem == "deadly":
        os._exit(7)
    return open_input(path, options)


def test_a_file_that_kills_its_process_costs_only_itself(tmp_path: Path) -> None:
    paths = [table_file(tmp_path, name, 15.0) for name in ("a", "deadly", "c")]
    tools = replace(TOOLS, open_input=deadly_input)
    outcomes = analyze_files(paths, tmp_path / "out", AnalyzeOptions(jobs=2), tools)
    assert [outcome.quality == "failed" for outcome in outcomes] == [False, True, False]
    assert "ended the process" in outcomes[1].problem


def deaf_input(path: Path, options: AnalyzeOptions) -> Iterator[list[Input]]:
    if signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        raise SettingsError("heard", "", path.stem)
    return open_input(path, options)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("deaf", [True, False])
def test_a_terminals_ctrl_c_meets_no_worker_however_early_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf: bool
) -> None:
    if not deaf:
        monkeypatch.setattr(analyze, "deaf_to_ctrl_c", nullcontext)
    paths = [table_file(tmp_path, name, 15.0) for name in "ab"]
    tools = replace(TOOLS, open_input=deaf_input)
    outcomes = analyze_files(paths, tmp_path / "out", AnalyzeOptions(jobs=2), tools)
    assert [outcome.problem for outcome in outcomes] == ["" if deaf else "heard"] * 2
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def broken_input(path: Path, options: AnalyzeOptions) -> Iterator[list[Input]]:
    yield [Mark(0.0, "sensor", {"sensor": "rows", "driver": "rows", "placement": "waist", "primary": True})]
    raise ZeroDivisionError("planted")


def test_a_defect_of_the_program_is_an_outcome_too_and_leaves_nothing(tmp_path: Path) -> None:
    outcome = analyze_one(
        tmp_path / "x.csv",
        tmp_path,
        AnalyzeOptions(mount="forward=+x,up=+z"),
        replace(TOOLS, open_input=broken_input),
    )
    assert outcome.exit_code == 1 and "ZeroDivisionError: planted" in outcome.problem
    assert list(tmp_path.iterdir()) == []


def test_results_that_would_overwrite_each_other_are_refused_first(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="named a"):
        analyze_files(
            [tmp_path / "a.csv", tmp_path / "b" / "A.parquet"], tmp_path / "out", AnalyzeOptions(), TOOLS
        )
    with pytest.raises(SettingsError):
        analyze_files([tmp_path / "a.csv"], tmp_path / "out", AnalyzeOptions(mount="up=north"), TOOLS)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        analyze_files([tmp_path / "a.csv"], tmp_path / "file", AnalyzeOptions(), TOOLS)
    assert not (tmp_path / "out").exists()


def test_results_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        one(table_file(tmp_path, seconds=15.0), tmp_path / "out")
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}


# --- the overview ------------------------------------------------------------------------------------------------


def summary(coverage: float = 1.0, flexion: bool = True, inclination: bool = True) -> dict[str, Any]:
    angles = {"p50": 3.0, "p95": 30.0}
    return {
        "mounts": [],
        "duration_s": 100.0,
        "coverage": coverage,
        "state_s": {state.value: 20.0 for state in Posture},
        "state_s_low": {state.value: 15.0 for state in Posture},
        "state_s_high": {state.value: 25.0 for state in Posture},
        "bout_statistics": {"count": 1, "mean_min": 0.5, "usual_min": 0.5, "longest_min": 0.5},
        "transitions": 4,
        "ranges": {
            "inclination_deg": angles if inclination else None,
            "flexion_deg": angles if flexion else None,
        },
        "gaps": {"count": 1, "seconds": 2.0},
        "warnings": ["=1+1", "b"],
    }


def test_quality_follows_coverage_and_evidence() -> None:
    assert quality(summary()) == "good"
    assert quality(summary(coverage=0.8)) == quality(summary(flexion=False)) == "fair"
    assert quality(summary(coverage=0.69)) == quality(summary(inclination=False)) == "poor"


def test_the_overview_has_a_harmless_line_for_each_file(tmp_path: Path) -> None:
    outcomes = [
        Outcome(Path("good.csv"), "good", summary()),
        Outcome(Path('=HYPERLINK("x").csv'), "poor", summary(coverage=0.5)),
        Outcome(Path("-1.csv"), "failed", {}, "@problem, with a comma", "Next.", 2),
    ]
    with write_overview(outcomes, tmp_path, {}).open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["file"] for line in lines] == ["good.csv", '\'=HYPERLINK("x").csv', "'-1.csv"]
    assert [line["quality"] for line in lines] == ["good", "poor", "failed"]
    assert lines[0]["sitting_s"] == "20.0" and lines[0]["usual_bout_min"] == "0.5"
    assert (lines[0]["sitting_low_s"], lines[0]["sitting_high_s"]) == ("15.0", "25.0")
    assert lines[0]["warnings"] == "'=1+1 b"
    assert lines[1]["sitting_s"] == "" and lines[1]["coverage"] == "0.5", "no score below 70 % coverage"
    assert lines[2]["problem"] == "'@problem, with a comma"
    with pytest.raises(StorageError):
        write_overview(outcomes, tmp_path / "none", {})
