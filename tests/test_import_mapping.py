"""Which column is what: by its name, by a map, or refused with the reason."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import pytest

from monitor.core.errors import InputFileError, SettingsError
from monitor.sources.importers.mapping import canonical_map, check_present, load_map

PATH = Path("file.csv")
ACC = ["acc_x_m_s2", "acc_y_m_s2", "acc_z_m_s2"]
GYR = ["gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s"]


def test_canonical_names_need_no_map() -> None:
    found = canonical_map(["t_s", *GYR, "mag_x_uT", *ACC], PATH)
    assert found.time.name == "t_s"
    assert [column.name for column in found.acc] == ACC
    assert [column.factor for column in found.columns] == [1.0] * 7


def test_other_units_are_converted_each_for_itself() -> None:
    found = canonical_map(
        ["t_ms", "acc_x_g", "acc_y_mg", "acc_z_m_s2", *(f"gyr_{a}_deg_s" for a in "xyz")], PATH
    )
    assert found.time.factor == 1e-3
    assert [column.factor for column in found.acc] == [9.80665, pytest.approx(9.80665e-3), 1.0]
    assert found.gyr[0].factor == pytest.approx(math.pi / 180)


def test_a_gyroscope_may_be_missing() -> None:
    assert canonical_map(["t_s", *ACC], PATH).gyr == ()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["time", *ACC], "no time column"),
        (["t_s", "mag_x"], "no acceleration"),
        (["t_s", *ACC[:2]], "only 2 of the 3 acc"),
        (["t_s", *ACC, *GYR[1:]], "only 2 of the 3 gyr"),
        (["t_s", "acc_x_furlong", *ACC[1:]], "unit of column 'acc_x_furlong' is unknown"),
        (["t_s", "acc_x", *ACC[1:]], "unit of column 'acc_x' is unknown"),
        (["t_s", *ACC, "gyr_x_rpm", *GYR[1:]], "unit of column 'gyr_x_rpm' is unknown"),
        (["t_s", *ACC, "acc_x_g"], "not clear which"),
    ],
)
def test_what_is_not_clear_is_refused_with_the_column(names: list[str], words: str) -> None:
    with pytest.raises(InputFileError, match=words) as refusal:
        canonical_map(names, PATH)
    assert refusal.value.next_step


MAP = """
delimiter = ";"
decimal = ","
skip_rows = 3
[time]
column = "Timestamp (us)"
unit = "us"
[acc]
columns = ["Ax", "Ay", "Az"]
unit = "g"
[gyr]
columns = ["Gx", "Gy", "Gz"]
unit = "deg_s"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "map.toml"
    path.write_text(text)
    return path


def test_a_map_says_names_units_and_how_the_file_is_written(tmp_path: Path) -> None:
    found = load_map(written(tmp_path, MAP))
    assert (found.delimiter, found.decimal, found.skip_rows) == (";", ",", 3)
    assert [column.name for column in found.columns] == ["Timestamp (us)", "Ax", "Ay", "Az", "Gx", "Gy", "Gz"]
    assert found.time.factor == 1e-6 and found.acc[0].factor == 9.80665


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('unit = "us"', 'unit = "hours"', "time.unit"),
        ('unit = "g"', 'unit = "lb"', "acc.unit"),
        ('columns = ["Ax", "Ay", "Az"]', 'columns = ["Ax", "Ay"]', "acc.columns"),
        ('columns = ["Ax", "Ay", "Az"]', 'columns = ["Ax", "Ay", 3]', "acc.columns"),
        ("skip_rows = 3", "skip_rows = -1", "skip_rows"),
        ("skip_rows = 3", "skip_rows = true", "skip_rows"),
        ("skip_rows = 3", "skip_row = 3", "unknown key skip_row"),
        ('[time]\ncolumn = "Timestamp (us)"', "[time]\ncolumn = 1", "time.column"),
        ('delimiter = ";"', 'delimiter = "x"', "delimiter"),
        ('delimiter = ";"', "delimiter = ;", "not TOML"),
        ("[acc]", "[accel]", "unknown key accel"),
    ],
)
def test_a_map_with_a_mistake_names_it(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in MAP
    with pytest.raises(SettingsError, match=words):
        load_map(written(tmp_path, MAP.replace(old, new, 1)))


def test_a_map_that_is_absent_huge_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "png").write_bytes(b"\x89PNG\xff\xfe\x00")
    (tmp_path / "huge").write_text("#" * 100_000)
    for name in ("none", "png", "huge"):
        with pytest.raises(SettingsError):
            load_map(tmp_path / name)


def test_the_map_in_the_documentation_is_one(tmp_path: Path) -> None:
    from monitor.sources.importers import mapping

    assert mapping.__doc__ is not None
    text = mapping.__doc__.split("A map:")[1]
    assert load_map(written(tmp_path, text)).acc[0].name == "Ax"
    assert set(tomllib.loads(text)) == {"delimiter", "decimal", "skip_rows", "time", "acc", "gyr"}


def test_columns_of_a_map_must_be_in_the_file_once(tmp_path: Path) -> None:
    columns = load_map(written(tmp_path, MAP))
    names = [column.name for column in columns.columns]
    check_present(columns, [*names, "other", "other"], PATH)
    with pytest.raises(InputFileError, match="no column named 'Gz'"):
        check_present(columns, names[:-1], PATH)
    with pytest.raises(InputFileError, match="more than one column named 'Ax'"):
        check_present(columns, [*names, "Ax"], PATH)
