"""Many files: one bad file alone, nothing half done, a line for each in the overview."""

from __future__ import annotations

import csv
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.cohort import analyze
from monitor.cohort.analyze import Outcome, analyze_files, analyze_one, exit_code, quality
from monitor.cohort.overview import write_overview
from monitor.cohort.tools import AnalyzeOptions
from monitor.commands.analysis_tools import open_input
from monitor.core.errors import SettingsError, StorageError
from monitor.core.events import Posture
from monitor.core.inputs import Input, Mark
from tests.analyzed import TOOLS, one, table_file


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
