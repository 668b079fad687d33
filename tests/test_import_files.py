"""CSV and Parquet become rows in SI; what cannot be inertial data is refused in one sentence."""

from __future__ import annotations

import gzip
import math
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.errors import InputFileError
from monitor.core.inputs import FloatArray, Mark, Rows
from monitor.sources.importers import plausible as plausible_module
from monitor.sources.importers.csv_parquet import BLOCK_ROWS, NOTE, read_inputs
from monitor.sources.importers.mapping import ColumnMap, load_map
from monitor.sources.importers.suggest import dry_run

G = 9.80665
ACC = ["acc_x_m_s2", "acc_y_m_s2", "acc_z_m_s2"]
GYR = ["gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s"]


def table(n: int = 1_000, rate_hz: float = 50.0, start_s: float = 100.0) -> FloatArray:
    """Columns t_s, acc, gyr of somebody swaying upright."""
    t = np.arange(n) / rate_hz
    tilt = 0.3 * np.sin(t)
    columns = (
        start_s + t,
        G * np.sin(tilt),
        0.1 * np.cos(3 * t),
        G * np.cos(tilt),
        0 * t,
        0.3 * np.cos(t),
        0 * t,
    )
    return np.stack(columns, axis=1)


def csv_text(
    values: FloatArray, names: list[str], delimiter: str = ",", decimal: str = ".", end: str = "\n"
) -> str:
    lines = [delimiter.join(names)]
    lines += [delimiter.join(repr(cell).replace(".", decimal) for cell in row) for row in values.tolist()]
    return end.join(lines) + end


def written(tmp_path: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def imported(path: Path, columns: ColumnMap | None = None) -> tuple[FloatArray, list[str]]:
    """All rows of a file as one table, and the notes about it."""
    blocks, notes = [], []
    for inputs in read_inputs(path, "sternum", columns):
        for item in inputs:
            if isinstance(item, Rows):
                gyr = np.empty((len(item.t_s), 0)) if item.gyr is None else item.gyr
                blocks.append(np.column_stack((item.t_s, item.acc, gyr)))
            elif isinstance(item, Mark) and item.kind == NOTE:
                notes.append(str(item.value["text"]))
    return np.concatenate(blocks), notes


def test_a_csv_in_si_comes_through_to_the_bit_in_blocks(tmp_path: Path) -> None:
    values = table(2 * BLOCK_ROWS + 100)
    path = written(tmp_path, csv_text(values, ["t_s", *ACC, *GYR]))
    lists = list(read_inputs(path, "sternum"))
    assert lists[0] == [
        Mark(
            100.0,
            "sensor",
            {"sensor": "rows", "driver": "rows", "role": "single", "placement": "sternum", "primary": True},
        )
    ]
    rows = [item for inputs in lists[1:] for item in inputs if isinstance(item, Rows)]
    assert [len(block.t_s) for block in rows] == [BLOCK_ROWS, BLOCK_ROWS, 100]
    assert not any(block.acc.flags.writeable for block in rows)
    again, notes = imported(path)
    assert np.array_equal(again, values)
    assert notes == []


@pytest.mark.parametrize("type_", [pa.float64(), pa.float32(), pa.decimal128(12, 6)])
def test_a_parquet_file_is_read_whatever_its_numbers(tmp_path: Path, type_: pa.DataType) -> None:
    values = np.round(table(3_000, start_s=0.0), 6)
    arrays = {
        name: pa.array(values[:, k]).cast(type_, safe=False) for k, name in enumerate(["t_s", *ACC, *GYR])
    }
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({**arrays, "label": pa.array(["x"] * 3_000)}), path, row_group_size=700)
    again, _ = imported(path)
    assert np.allclose(again, values, atol=1e-5)


def test_units_in_the_names_are_converted(tmp_path: Path) -> None:
    values = table()
    names = ["t_s", "acc_x_g", "acc_y_mg", "acc_z_g", *(f"gyr_{a}_deg_s" for a in "xyz")]
    other = values / np.array((1, G, G / 1e3, G, *[math.pi / 180] * 3))
    again, _ = imported(written(tmp_path, csv_text(other, names)))
    assert np.allclose(again, values, rtol=1e-12)


def test_without_a_gyroscope_there_are_rows_without_one(tmp_path: Path) -> None:
    again, _ = imported(written(tmp_path, csv_text(table()[:, :4], ["t_s", *ACC])))
    assert again.shape == (1_000, 4)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_ends_of_line_delimiters_and_byte_order_marks_are_found_out(
    tmp_path: Path, end: str, delimiter: str, bom: bytes
) -> None:
    values = table(200)
    text = csv_text(values, ["t_s", *ACC, *GYR], delimiter, end=end)
    again, _ = imported(written(tmp_path, bom + text.encode()))
    assert np.array_equal(again, values)


def test_a_decimal_comma_is_found_out(tmp_path: Path) -> None:
    values = table(200)
    for delimiter in (";", "\t"):
        again, _ = imported(written(tmp_path, csv_text(values, ["t_s", *ACC, *GYR], delimiter, ",")))
        assert np.array_equal(again, values)


def test_mixed_ends_of_line_are_read(tmp_path: Path) -> None:
    lines = csv_text(table(200), ["t_s", *ACC, *GYR]).splitlines()
    text = "".join(line + ("\r\n" if k % 3 else "\n") for k, line in enumerate(lines))
    again, _ = imported(written(tmp_path, text))
    assert np.array_equal(again, table(200))


def test_names_in_another_encoding_do_no_harm(tmp_path: Path) -> None:
    text = csv_text(np.column_stack((table(200), table(200)[:, 0])), ["t_s", *ACC, *GYR, "température °C"])
    again, _ = imported(written(tmp_path, text.encode("cp1252")))
    assert np.array_equal(again, table(200))


def test_irregular_stamps_gaps_and_holes_are_normal(tmp_path: Path) -> None:
    values = table()
    values[:, 0] += np.random.default_rng(0).uniform(-0.005, 0.005, len(values))
    values[500:, 0] += 60.0
    values[20:30, 2] = np.nan
    text = csv_text(values, ["t_s", *ACC, *GYR]).replace("nan", "")
    again, notes = imported(written(tmp_path, text))
    assert np.array_equal(again, values, equal_nan=True)
    assert notes == []


def test_rows_that_are_no_rows_are_left_out_and_said(tmp_path: Path) -> None:
    lines = csv_text(table(), ["t_s", *ACC, *GYR]).splitlines()
    lines[100] = lines[100] + ",7"
    lines[200] = "," + lines[200].split(",", 1)[1]
    lines[300] = lines[299].split(",", 1)[0] + "," + lines[300].split(",", 1)[1]
    text = "\n".join(lines) + "\n103.5,1.0"
    again, notes = imported(written(tmp_path, text))
    assert len(again) == 997
    assert [note.split()[:2] for note in notes] == [["2", "lines"], ["1", "rows"], ["1", "rows"]]


def test_a_map_reads_a_preamble_and_foreign_names(tmp_path: Path) -> None:
    values = table()
    foreign = values / np.array((1e-6, G, G, G, *[math.pi / 180] * 3))
    names = ["Stamp (us)", "A X", "A Y", "A Z", "G X", "G Y", "G Z"]
    text = "Device: 7; x\nRate: 50\n" + csv_text(foreign, names, ";", ",")
    map_path = written(
        tmp_path,
        """
        skip_rows = 2
        delimiter = ";"
        decimal = ","
        [time]
        column = "Stamp (us)"
        unit = "us"
        [acc]
        columns = ["A X", "A Y", "A Z"]
        unit = "g"
        [gyr]
        columns = ["G X", "G Y", "G Z"]
        unit = "deg_s"
        """,
        "map.toml",
    )
    again, _ = imported(written(tmp_path, text), load_map(map_path))
    assert np.allclose(again, values, rtol=1e-9)


# --- refusals ----------------------------------------------------------------------------------------------------


def swapped(values: FloatArray) -> FloatArray:
    values[[400, 401]] = values[[401, 400]]
    return values


def standing_clock(values: FloatArray) -> FloatArray:
    values[:, 0] = np.floor(values[:, 0])
    return values


def linear(values: FloatArray) -> FloatArray:
    values[:, 1:4] -= values[:, 1:4] + 0.02
    return values


def in_g(values: FloatArray) -> FloatArray:
    values[:, 1:4] /= G
    return values


def in_mg(values: FloatArray) -> FloatArray:
    values[:, 1:4] *= 1_000 / G
    return values


def no_values(values: FloatArray) -> FloatArray:
    values[:, 1] = np.nan
    return values


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (swapped, "time is not increasing: 108.0+ s comes after 108.02"),
        (standing_clock, "time is not increasing: 980 of 1000"),
        (lambda values: values[:90], "1.78 s of data"),
        (linear, r"linear acceleration \(gravity removed\)"),
        (in_g, "or is in g"),
        (in_mg, "unit is wrong"),
        (no_values, "no acceleration values"),
        (lambda values: values[:0], "0.00 s of data"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_rows_that_cannot_be_what_they_are_given_as_are_refused(
    tmp_path: Path, spoil: Callable[[FloatArray], FloatArray], words: str, suffix: str
) -> None:
    values = spoil(table())
    names = ["t_s", *ACC, *GYR]
    path = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        path.write_text(csv_text(values, names).replace("nan", ""))
    else:
        pq.write_table(pa.table({name: values[:, k] for k, name in enumerate(names)}), path)
    with pytest.raises(InputFileError, match=words) as refusal:
        imported(path)
    assert "\n" not in refusal.value.sentence and refusal.value.next_step


def test_a_disorder_between_two_blocks_is_seen_too(tmp_path: Path) -> None:
    values = table(200_000, rate_hz=100.0)
    values[120_000:, 0] -= 500.0
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({name: values[:, k] for k, name in enumerate(["t_s", *ACC, *GYR])}), path)
    with pytest.raises(InputFileError, match="not increasing"):
        imported(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n\n ", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "binary"),
        (gzip.compress(b"t_s,acc_x_g\n" * 100), "binary"),
        (b"t_s,acc_x_m_s2\x00,acc_y_m_s2\n1,2,3\n", "binary"),
        (os.urandom(3_000) + b"\x00", "binary"),
        (b"x" * 100_000, "line of more than"),
        (b"1.0,0.1,0.2,9.8\n2.0,0.1,0.2,9.8\n", "no line of names"),
        (",".join(f"c{k}" for k in range(3_000)).encode() + b"\n1\n", "3000 columns"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    for suffix in ("csv", "parquet"):
        path = written(tmp_path, content, f"a.{suffix}")
        with pytest.raises(
            InputFileError, match=words if suffix == "csv" else "empty|cannot be read"
        ) as refusal:
            imported(path)
        assert "\n" not in refusal.value.sentence and len(refusal.value.sentence) < 500


def test_words_among_the_numbers_are_refused(tmp_path: Path) -> None:
    text = csv_text(table(), ["t_s", *ACC, *GYR]).replace("102.0,", "'=cmd()',", 1)
    with pytest.raises(InputFileError, match="cannot be read as a table"):
        imported(written(tmp_path, text))


def test_a_number_of_400_digits_is_no_value(tmp_path: Path) -> None:
    lines = csv_text(table(), ["t_s", *ACC, *GYR]).splitlines()
    cells = lines[500].split(",")
    lines[500] = ",".join((cells[0], "9" * 400, *cells[2:]))
    try:
        again, _ = imported(written(tmp_path, "\n".join(lines)))
    except InputFileError:
        return
    assert not np.isfinite(again[499, 1])


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    text = csv_text(table(), ["t_s", *ACC, *GYR]) + "1" * 9_000_000
    with pytest.raises(InputFileError):
        imported(written(tmp_path, text))


def test_more_rows_than_anybody_records_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plausible_module, "ROWS_MAX", 500)
    with pytest.raises(InputFileError, match="more than 500 rows"):
        imported(written(tmp_path, csv_text(table(), ["t_s", *ACC, *GYR])))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    values = np.round(table(400_000, rate_hz=100.0), 4)
    path = written(tmp_path, csv_text(values, ["t_s", *ACC, *GYR]))
    tracemalloc.start()
    n = sum(
        len(item.t_s) for inputs in read_inputs(path, "waist") for item in inputs if isinstance(item, Rows)
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n == len(values)
    assert peak < values.nbytes * 0.9, "less than the table itself, in Python's and numpy's memory"
    assert pa.default_memory_pool().max_memory() < 200e6


# --- dry run -----------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_was_understood(tmp_path: Path) -> None:
    found = dry_run(written(tmp_path, csv_text(table()[:, :4], ["t_s", *ACC])))
    assert not found.problem and not found.suggested_map
    assert any("1000 rows" in fact and "50.0 Hz" in fact for fact in found.facts)
    assert any("No gyroscope" in fact for fact in found.facts)


FOREIGN = [
    ["Timestamp (us)", "Accelerometer X (g)", "Accelerometer Y (g)", "Accelerometer Z (g)"],
    ["epoch (ms)", "x-axis (g)", "y-axis (g)", "z-axis (g)"],
    ["time", "ax", "ay", "az"],
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
