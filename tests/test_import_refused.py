"""What cannot be inertial data is refused in one sentence, within bounds."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.errors import InputFileError
from monitor.core.inputs import FloatArray, Rows
from monitor.sources.importers import plausible as plausible_module
from monitor.sources.importers.csv_parquet import read_inputs
from tests.inertial_tables import ACC, GYR, G, csv_text, imported, table, written


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


def milliseconds(values: FloatArray) -> FloatArray:
    values[:, 0] *= 1_000
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
        (milliseconds, "more than 1 s apart"),
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
