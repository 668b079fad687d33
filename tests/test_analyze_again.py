"""A second analysis into the same folder: what is of the same file is replaced, what is of others stays."""

from __future__ import annotations

import csv
import errno
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.door import Ask, asking, refused
from tests.inertial_tables import ACC, GYR, csv_text, table, written

NAMES = ["t_s", *ACC, *GYR]
INPUT, STORAGE = 2, 4


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(tmp_path, monkeypatch, capsys)


def swaying(folder: Path, name: str, rows: int = 1_000) -> Path:
    folder.mkdir(exist_ok=True)
    return written(folder, csv_text(table(rows), NAMES), name)


def overview(out: Path) -> list[tuple[str, str, str]]:
    with (out / "summary.csv").open(newline="") as file:
        return [(line["file"], line["quality"], line["duration_s"]) for line in csv.DictReader(file)]


def test_the_lines_of_other_files_stay_and_those_of_the_same_are_replaced(ask: Ask, tmp_path: Path) -> None:
    out, files = tmp_path / "out", [swaying(tmp_path, f"{name}.csv") for name in "ab"]
    assert ask("analyze", *files, "--out", out, "--jobs", "1").code == 0
    (first_a, first_b) = overview(out)
    assert ask("analyze", swaying(tmp_path, "c.csv"), "--out", out).code == 0
    assert [line[0] for line in overview(out)] == ["a.csv", "b.csv", "c.csv"]
    assert ask("analyze", swaying(tmp_path, "b.csv", 2_000), "--out", out).code == 0
    again_a, again_b, _ = overview(out)
    assert again_a == first_a
    assert float(again_b[2]) == pytest.approx(40.0, abs=0.1) != float(first_b[2])


def test_a_name_that_looks_like_a_formula_has_one_line_however_often(ask: Ask, tmp_path: Path) -> None:
    path = swaying(tmp_path, "=1+1.csv")
    for _ in range(3):
        assert ask("analyze", path, "--out", tmp_path / "out").code == 0
    assert [line[0] for line in overview(tmp_path / "out")] == ["'=1+1.csv"]


def test_the_results_of_another_file_of_that_name_are_kept(ask: Ask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert ask("analyze", swaying(tmp_path, "a.csv"), "--out", out).code == 0
    before = (out / "a.json").read_bytes()
    other = swaying(tmp_path / "other", "a.txt", 2_000)
    refused(ask("analyze", other, "--out", out), INPUT, "result of a.csv", "another folder")
    assert (out / "a.json").read_bytes() == before


def test_a_table_is_never_overwritten_by_its_own_results(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(dict(zip(NAMES, table().T, strict=True))), path)
    before = path.read_bytes()
    refused(ask("analyze", path, "--out", tmp_path), INPUT, "overwrite a.parquet", "another folder")
    assert path.read_bytes() == before


def test_a_summary_that_is_somebody_elses_is_kept(ask: Ask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.csv").write_text("month,money\n1,2\n")
    refused(
        ask("analyze", swaying(tmp_path, "a.csv"), "--out", out), STORAGE, "summary.csv", "another folder"
    )
    assert (out / "summary.csv").read_text() == "month,money\n1,2\n"
    assert [path.name for path in out.iterdir()] == ["summary.csv"], "refused before anything was analysed"


def test_a_disk_that_is_full_by_then_keeps_the_lines_that_were_there(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert ask("analyze", swaying(tmp_path, "a.csv"), "--out", out).code == 0
    before = (out / "summary.csv").read_bytes()

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("monitor.cohort.overview.csv.DictWriter.writerows", full)
    answer = ask("analyze", swaying(tmp_path, "b.csv"), "--out", out)
    assert answer.code == STORAGE
    assert "the disk is full" in answer.err and "Free some space" in answer.err
    assert (out / "summary.csv").read_bytes() == before and list(out.glob("*.part")) == []
