"""Progress within a long file: how far its analysis is, told across processes, shown on a terminal alone."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from monitor.cohort.analyze import analyze_files
from monitor.cohort.meter import Meter, Phase, Reading
from monitor.cohort.tools import AnalyzeOptions
from monitor.commands.analysis_tools import analysis_tools, length_s
from monitor.commands.progress import clock, shown_progress
from tests.inertial_tables import ACC, GYR, csv_text, table, written

NAMES = ["t_s", *ACC, *GYR]


def hours_file(folder: Path, name: str, hours: float) -> Path:
    rows = table(int(hours * 180_000))
    path = folder / f"{name}.parquet"
    pq.write_table(pa.table({column: rows[:, k] for k, column in enumerate(NAMES)}), path)
    return path


def readings(paths: list[Path], out: Path, jobs: int) -> list[list[Reading]]:
    """For each file the different readings seen while it was analysed."""
    meter, ended = Meter(len(paths)), threading.Event()
    seen = [[meter[k]] for k in range(len(paths))]

    def watch() -> None:
        while not ended.is_set():
            for k, met in enumerate(seen):
                if meter[k] != met[-1]:
                    met.append(meter[k])
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        analyze_files(paths, out, AnalyzeOptions(jobs=jobs), analysis_tools(), meter=meter)
    finally:
        ended.set()
        watcher.join()
    assert [meter[k].phase for k in range(len(paths))] == [Phase.DONE] * len(paths)
    return seen


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_meter_moves_within_each_file_while_it_is_analysed(tmp_path: Path, jobs: int) -> None:
    paths = [hours_file(tmp_path, name, 1.5) for name in ("a", "b")]
    for met in readings(paths, tmp_path / "out", jobs):
        assert {reading.phase for reading in met} >= {Phase.MOUNTING, Phase.ANALYSING}
        running = [reading for reading in met if reading.phase is Phase.ANALYSING]
        done = [reading.done_s for reading in running]
        assert len(done) >= 5 and done == sorted(done)
        assert {round(reading.whole_s) for reading in running} == {5400}
        assert done[-1] == pytest.approx(5400, abs=61)


def test_the_length_of_a_table_is_found_from_its_ends(tmp_path: Path) -> None:
    rows = table(2_000)
    in_us = rows.copy()
    in_us[:, 0] = np.round(rows[:, 0] * 1e6)
    comma = csv_text(rows, NAMES).replace(",", ";").replace(".", ",")
    (tmp_path / "map.toml").write_text(
        'delimiter = ";"\ndecimal = ","\n[time]\ncolumn = "t_s"\nunit = "s"\n'
        f'[acc]\ncolumns = ["{ACC[0]}", "{ACC[1]}", "{ACC[2]}"]\nunit = "m_s2"\n'
    )
    cases = {
        "s.csv": (csv_text(rows, NAMES), None),
        "cut.csv": (csv_text(rows, NAMES) + "3", None),
        "us.csv": (csv_text(in_us, ["t_us", *NAMES[1:]]), None),
        "comma.csv": (comma, tmp_path / "map.toml"),
    }
    for name, (text, mapped) in cases.items():
        found = length_s(written(tmp_path, text, name), AnalyzeOptions(column_map=mapped))
        assert found == pytest.approx(39.98, abs=0.03), name
    assert length_s(hours_file(tmp_path, "p", 0.1), AnalyzeOptions()) == pytest.approx(360, abs=0.1)
    assert length_s(written(tmp_path, "", "empty.csv"), AnalyzeOptions()) == 0.0
    assert length_s(tmp_path / "none.supple", AnalyzeOptions()) == 0.0


@pytest.mark.parametrize("terminal", [True, False])
def test_bars_move_on_a_terminal_and_nowhere_else(terminal: bool) -> None:
    paths, meter, shown = [Path("monday.csv"), Path("tuesday.csv")], Meter(2), io.StringIO()
    console = Console(file=shown, force_terminal=terminal, width=80)
    with shown_progress(console, paths, meter) as say:
        meter.report(0)(Phase.DONE, 0.0, 0.0)
        for done_s in (600.0, 1200.0):
            meter.report(1)(Phase.ANALYSING, done_s, 3600.0)
            time.sleep(0.5)
        say(
            "a warning that is longer than the terminal is wide, as warnings about files and their columns are"
        )
    text = shown.getvalue()
    assert "as warnings about files and their columns are" in text, "nothing is cut off or drawn over"
    if not terminal:
        assert text.count("\n") == 1
        return
    for word in ("1 of 2 files", "tuesday.csv", "0:10:00 of 1:00:00", "0:20:00 of 1:00:00"):
        assert word in text
    assert "monday.csv" not in text, "what is done needs no bar"


def test_a_length_is_written_like_a_clock() -> None:
    assert [clock(s) for s in (0.4, 59.6, 3661.0, 360_000.0)] == [
        "0:00:00",
        "0:01:00",
        "1:01:01",
        "100:00:00",
    ]
