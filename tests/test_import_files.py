"""CSV and Parquet become rows in SI, whatever wrote them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.inputs import Mark, Rows
from monitor.motion import timeline
from monitor.sources.importers.csv_parquet import BLOCK_ROWS, read_inputs
from monitor.sources.importers.mapping import load_map
from monitor.sources.importers.plausible import RATE_HZ
from monitor.sources.importers.turning import TOO_LITTLE, TOO_MUCH
from tests.inertial_tables import ACC, GYR, G, csv_text, imported, table, written


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
    assert [note.split()[2:4] for note in notes] == [["2", "lines"], ["1", "row"], ["1", "row"]]


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


@pytest.mark.parametrize(
    ("rate_hz", "note"), [(5.0, "only 5 Hz"), (19.5, ""), (50.0, ""), (300.0, ""), (1000.0, "1000 Hz")]
)
def test_a_rate_the_pipeline_does_not_work_at_is_said(tmp_path: Path, rate_hz: float, note: str) -> None:
    _, notes = imported(written(tmp_path, csv_text(table(3_000, rate_hz), ["t_s", *ACC, *GYR])))
    assert len(notes) == (1 if note else 0)
    assert all(note in said for said in notes)


def test_stamps_in_bursts_are_no_high_rate(tmp_path: Path) -> None:
    values = table(3_000, 50.0)
    late = np.arange(3_000) % 10
    values[:, 0] += (9 - late) * 0.019
    _, notes = imported(written(tmp_path, csv_text(values, ["t_s", *ACC, *GYR])))
    assert notes == []


@pytest.mark.parametrize(
    ("factor", "note"), [(0.0, TOO_LITTLE), (np.pi / 180, TOO_LITTLE), (1.0, ""), (180 / np.pi, TOO_MUCH)]
)
def test_a_gyroscope_that_does_not_turn_as_gravity_does_is_said(
    tmp_path: Path, factor: float, note: str
) -> None:
    values = table(3_000)
    values[:, 4:] *= factor
    _, notes = imported(written(tmp_path, csv_text(values, ["t_s", *ACC, *GYR])))
    assert notes == ([note] if note else [])


def test_a_wearer_who_sits_still_is_no_dead_gyroscope(tmp_path: Path) -> None:
    values = table(3_000)
    values[:, 1:4] = (0.0, 0.0, 9.81)
    values[:, 4:] = 0.0
    _, notes = imported(written(tmp_path, csv_text(values, ["t_s", *ACC, *GYR])))
    assert notes == []


def test_the_rates_named_are_those_of_the_timeline() -> None:
    assert RATE_HZ == (timeline.MIN_RATE_HZ, timeline.MAX_RATE_HZ)


def test_a_long_parquet_file_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal((0, 0, 0, 9.81, 0, 0, 0), 0.1, (400_000, 7))
    values[:, 0] = np.arange(len(values)) / 100.0
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table(list(values.T), ["t_s", *ACC, *GYR]), path, row_group_size=20_000)
    before, most = pa.total_allocated_bytes(), 0
    for _ in read_inputs(path, "sternum"):
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 0.5 * path.stat().st_size
