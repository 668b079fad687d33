"""A dry run says what was understood, and suggests a map that works."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from monitor.sources.importers.mapping import load_map
from monitor.sources.importers.suggest import dry_run
from tests.inertial_tables import ACC, G, csv_text, imported, table, written


def test_a_dry_run_says_what_was_understood(tmp_path: Path) -> None:
    found = dry_run(written(tmp_path, csv_text(table()[:, :4], ["t_s", *ACC])))
    assert not found.problem and not found.suggested_map
    assert any("1000 rows" in fact and "50.0 Hz" in fact for fact in found.facts)
    assert any("No gyroscope" in fact for fact in found.facts)


FOREIGN = [
    ["Timestamp (us)", "Accelerometer X (g)", "Accelerometer Y (g)", "Accelerometer Z (g)"],
    ["epoch (ms)", "x-axis (g)", "y-axis (g)", "z-axis (g)"],
    ["time", "ax", "ay", "az"],
    ["Zeit (s)", "ax (g)", "ay (g)", "az (g)"],
    ["Time (s)", "Acceleration x (m/s^2)", "Acceleration y (m/s^2)", "Acceleration z (m/s^2)"],
]
GYROSCOPES = [
    ["Gyroscope X (deg/s)", "Gyroscope Y (deg/s)", "Gyroscope Z (deg/s)"],
    ["gx", "gy", "gz"],
]


@pytest.mark.parametrize("names", FOREIGN)
@pytest.mark.parametrize("gyroscope", GYROSCOPES)
@pytest.mark.parametrize("preamble", ["", "sep=,\nFirmware:,2.0\n\n"])
def test_the_suggested_map_reads_the_file(
    tmp_path: Path, names: list[str], gyroscope: list[str], preamble: str
) -> None:
    values = table()
    in_names_unit = np.array(
        ({"us": 1e-6, "ms": 1e-3}.get(names[0][-3:-1], 1.0), *[1.0 if "m/s" in names[1] else G] * 3)
    )
    foreign = np.column_stack((values[:, :4] / in_names_unit, np.degrees(values[:, 4:])))
    path = written(tmp_path, preamble + csv_text(foreign, [*names, *gyroscope]))
    found = dry_run(path)
    assert "no time column" in found.problem
    columns = load_map(written(tmp_path, found.suggested_map, "map.toml"))
    again, _ = imported(path, columns)
    assert np.allclose(again, values, rtol=1e-9)
    assert not dry_run(path, columns).problem


def test_a_suggestion_warns_of_names_that_mean_no_gravity(tmp_path: Path) -> None:
    names = ["Time (s)", *(f"Linear Acceleration {a} (m/s^2)" for a in "xyz")]
    assert "without gravity" in dry_run(written(tmp_path, csv_text(table()[:, :4], names))).suggested_map


def test_a_dry_run_of_nonsense_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    for content in (b"", b"hello\nworld\n", os.urandom(500) + b"\x00", b'"\n"\n"\n'):
        assert dry_run(written(tmp_path, content)).problem
    for suffix in ("supple", "parquet"):
        assert dry_run(written(tmp_path, b"no such thing", f"a.{suffix}")).problem
    assert dry_run(tmp_path / "none.csv").problem
