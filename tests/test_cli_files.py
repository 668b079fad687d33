"""The door to files: recordings listed and replayed, tables analysed, and each refusal with its reason."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from monitor.commands import recordings
from monitor.core.digest import StreamDigest
from monitor.version import build_version
from tests.door import Answer, Ask, asking, refused
from tests.inertial_tables import ACC, GYR, csv_text, table, written

INPUT = 2
NAMES = ["t_s", *ACC, *GYR]
G = 9.80665


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One simulated session of 30 s."""
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        path = folder / "desk.supple"
        answer = _record(folder, patch, path)
    assert answer == 0 and path.exists()
    return path


def _record(folder: Path, patch: pytest.MonkeyPatch, path: Path) -> int:
    import sys

    from monitor import cli
    from tests.door import homes

    for name, value in homes(folder).items():
        patch.setenv(name, value)
    patch.setattr(
        sys,
        "argv",
        ["supple", "live", "--sim", "desk", "--speed", "max", "--duration", "30", "--record", str(path)],
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def lines(answer: Answer) -> list[dict[str, object]]:
    return [json.loads(line) for line in answer.out.splitlines()]


def test_a_recording_is_listed_and_replayed_with_the_same_digest(ask: Ask, recording: Path) -> None:
    (entry,) = lines(ask("sessions", recording.parent, "--json"))
    assert entry["closed_cleanly"] is True and entry["problem"] is None
    assert entry["duration_s"] == pytest.approx(30.0, abs=1.5)
    listed = ask("sessions", recording.parent).out
    assert "desk.supple" in listed and "cleanly" in listed and "cut off" not in listed
    told = lines(ask("replay", recording, "--json"))
    digest = entry["header"]["digest"]  # type: ignore[index]
    assert told[0]["kind"] == "hello" and told[0]["mode"] == "replay"
    assert told[-1] == {"kind": "end", "digest": digest}
    said = ask("replay", recording)
    assert said.code == 0
    assert str(digest) in said.err and "to the bit" in said.err


def test_a_replay_that_differs_is_a_defect_only_of_the_version_that_recorded(
    ask: Ask, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = lines(ask("sessions", recording.parent, "--json"))
    made_by = entry["header"]["program_version"]  # type: ignore[index]
    assert made_by == build_version()
    monkeypatch.setattr(StreamDigest, "hexdigest", lambda _self: "0" * 64)
    said = ask("replay", recording)
    assert said.code == INPUT
    assert "differs from the live run" in said.err and f"{made_by}, so this is a defect" in said.err
    monkeypatch.setattr(recordings, "build_version", lambda: "0.1.0+00000000")
    said = ask("replay", recording)
    assert said.code == 0
    assert f"that was supple {made_by}, this is 0.1.0+00000000" in said.err and "defect" not in said.err


@pytest.mark.parametrize("folder", [".", "empty", "absent"])
def test_where_nothing_was_recorded_the_list_says_how_to_begin(ask: Ask, tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    answer = ask("sessions", folder)
    if folder == "absent":
        refused(answer, INPUT, "absent")
    else:
        assert answer.code == 0
        assert "No recordings" in answer.out and "supple live --sim desk" in answer.out


def test_before_the_first_recording_the_list_is_empty(ask: Ask) -> None:
    answer = ask("sessions")
    assert answer.code == 0 and "supple live --sim desk" in answer.out
    assert ask("sessions", "--json") == Answer(0, "", "")


def test_a_file_that_is_no_recording_is_listed_with_its_problem(
    ask: Ask, recording: Path, tmp_path: Path
) -> None:
    shutil.copy(recording, tmp_path / "good.supple")
    (tmp_path / "bad.supple").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    good, bad = lines(ask("sessions", tmp_path, "--json"))
    assert good["problem"] is None
    assert "bad.supple" in str(bad["problem"])


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n" + bytes(1_000), b"t_s,acc_x_m_s2\n1,2\n"],
    ids=["empty", "png", "csv"],
)
def test_replay_refuses_what_is_no_recording(ask: Ask, tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content, "x.supple")
    refused(ask("replay", path), INPUT, "x.supple")


def test_replay_refuses_what_is_not_there(ask: Ask, tmp_path: Path) -> None:
    refused(ask("replay", tmp_path / "no.supple"), INPUT, "no.supple")


@pytest.mark.parametrize("name", ["folder", "folder.supple", "folder.parquet"])
def test_a_folder_is_no_recording_and_no_table(ask: Ask, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    refused(ask("replay", folder), INPUT, f"{folder} is a folder", "supple sessions")
    answer = ask("analyze", folder, "--out", tmp_path / "out", "--jobs", "1")
    assert answer.code == INPUT
    assert f"{folder} is a folder" in answer.err and "Give " in answer.err
    answer = ask("analyze", folder, "--dry-run")
    assert answer.code == INPUT and f"{folder} is a folder" in answer.out


def test_replay_refuses_a_newer_format_and_says_to_update(ask: Ask, recording: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.supple"
    shutil.copy(recording, newer)
    with sqlite3.connect(newer) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute(f"PRAGMA user_version = {version + 1}")
    db.close()
    refused(ask("replay", newer), INPUT, "newer.supple", "newer")


def test_replay_refuses_a_window_without_a_pace(ask: Ask, recording: Path) -> None:
    refused(ask("replay", recording, "--window"), INPUT, "window", "--speed")
    refused(ask("replay", recording, "--speed", "0"), INPUT, "--speed")


def test_replay_without_a_screen_says_so_and_goes_on_in_the_terminal(ask: Ask, recording: Path) -> None:
    answer = ask("replay", recording, "--window", "--speed", "1000")
    assert answer.code == 0, answer
    assert "No window: There is no screen" in answer.err and "to the bit" in answer.err


def in_unknown_unit() -> str:
    return csv_text(table(), ["t_s", "acc_x_furlong", *NAMES[2:]])


def backwards() -> str:
    rows = table()
    rows[[500, 600], 0] = rows[[600, 500], 0]
    return csv_text(rows, NAMES)


def without_gravity() -> str:
    rows = table()
    rows[:, 1:4] *= 0.01
    return csv_text(rows, NAMES)


REFUSED = {
    "no time column": (lambda: csv_text(table()[:, 1:], NAMES[1:]), ("time column", "--map")),
    "unknown unit": (in_unknown_unit, ("acc_x_furlong", "unit")),
    "time not increasing": (backwards, ("not increasing",)),
    "too short": (lambda: csv_text(table(60), NAMES), ("s of data",)),
    "linear acceleration": (without_gravity, ("linear acceleration", "gravity")),
    "binary": (lambda: bytes(range(256)) * 40, ()),
    "empty": (lambda: b"", ("empty",)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_analyze_refuses_a_table_that_cannot_be_right(ask: Ask, tmp_path: Path, case: str) -> None:
    make, words = REFUSED[case]
    path = written(tmp_path, make(), "a.csv")
    answer = ask("analyze", path, "--out", tmp_path / "out", "--jobs", "1")
    assert answer.code == INPUT
    problem = answer.err.splitlines()[0]
    for word in (str(path), *words):
        assert word in problem
    assert problem.count(str(path)) == 1, "the file is named once"
    assert "Traceback" not in answer.err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["summary.csv"], "no half results"


def test_one_bad_file_does_not_stop_the_others_and_the_exit_code_says_so(ask: Ask, tmp_path: Path) -> None:
    good = [written(tmp_path, csv_text(table(), NAMES), name) for name in ("a.csv", "c.csv")]
    bad = written(tmp_path, b"", "b.csv")
    answer = ask("analyze", good[0], bad, good[1], "--out", tmp_path / "out", "--jobs", "1")
    assert answer.code == INPUT
    assert str(bad) in answer.err and "2 of 3" in answer.err
    for stem in ("a", "c"):
        assert (tmp_path / "out" / f"{stem}.json").exists()
    assert len((tmp_path / "out" / "summary.csv").read_text().splitlines()) == 4


def test_a_recording_and_a_table_are_analysed_side_by_side(ask: Ask, recording: Path, tmp_path: Path) -> None:
    path = written(tmp_path, csv_text(table(), NAMES), "a.csv")
    answer = ask("analyze", recording, path, "--out", tmp_path / "out", "--jobs", "1", "--json")
    assert answer.code == 0
    assert [line["problem"] for line in lines(answer)] == [None, None]


def test_analyze_needs_to_know_where_to(ask: Ask, tmp_path: Path) -> None:
    path = written(tmp_path, csv_text(table(), NAMES))
    refused(ask("analyze", path), INPUT, "--out")
    (tmp_path / "file").write_text("")
    refused(ask("analyze", path, "--out", tmp_path / "file"), 4, str(tmp_path / "file"))


def test_two_files_of_one_name_are_refused_before_either_is_read(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, second = written(tmp_path, b""), written(tmp_path / "other", b"")
    refused(ask("analyze", first, second, "--out", tmp_path / "out"), INPUT, "named a", "overwrite")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--placement", "left_ear"), ("left_ear", "lower_back")),
        (("--mount", "nonsense"), ("nonsense", "forward=")),
        (("--map", "absent.toml"), ("absent.toml",)),
    ],
)
def test_analyze_refuses_options_that_mean_nothing(
    ask: Ask, tmp_path: Path, words: tuple[str, ...], said: tuple[str, ...]
) -> None:
    path = written(tmp_path, csv_text(table(), NAMES))
    refused(ask("analyze", path, "--out", tmp_path / "out", *words), INPUT, *said)


FOREIGN = [
    "Zeit (ms)",
    "Acc X (g)",
    "Acc Y (g)",
    "Acc Z (g)",
    "Gyr X (deg/s)",
    "Gyr Y (deg/s)",
    "Gyr Z (deg/s)",
]


def foreign(tmp_path: Path) -> Path:
    """A table of other names and units, with `;` between the fields and a decimal comma."""
    rows = table()
    rows[:, 0] *= 1e3
    rows[:, 1:4] /= G
    rows[:, 4:] = np.degrees(rows[:, 4:])
    return written(tmp_path, csv_text(rows, FOREIGN, ";", ","), "foreign.csv")


def test_a_dry_run_suggests_a_map_and_writes_nothing(ask: Ask, tmp_path: Path) -> None:
    path = foreign(tmp_path)
    answer = ask("analyze", path, "--dry-run")
    assert answer.code == INPUT
    assert "[acc]" in answer.out and '"Acc X (g)"' in answer.out and 'unit = "g"' in answer.out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["foreign.csv"]


def test_a_map_names_foreign_columns_and_gives_the_same_angles(ask: Ask, tmp_path: Path) -> None:
    column_map = tmp_path / "map.toml"
    column_map.write_text(
        'delimiter = ";"\ndecimal = ","\n'
        '[time]\ncolumn = "Zeit (ms)"\nunit = "ms"\n'
        '[acc]\ncolumns = ["Acc X (g)", "Acc Y (g)", "Acc Z (g)"]\nunit = "g"\n'
        '[gyr]\ncolumns = ["Gyr X (deg/s)", "Gyr Y (deg/s)", "Gyr Z (deg/s)"]\nunit = "deg_s"\n'
    )
    own = written(tmp_path, csv_text(table(), NAMES), "own.csv")
    axes = ("--mount", "forward=+x,up=+z", "--jobs", "1", "--json", "--out", tmp_path / "out")
    (theirs,) = lines(ask("analyze", foreign(tmp_path), "--map", column_map, *axes))
    (ours,) = lines(ask("analyze", own, *axes))
    for found in (theirs, ours):
        assert found["problem"] is None
    ranges = [found["summary"]["ranges"]["flexion_deg"] for found in (theirs, ours)]  # type: ignore[index]
    assert ranges[0] == pytest.approx(ranges[1], abs=1e-3)
