"""Which column of a table is what, in which unit: from canonical names, or from a map in TOML.

A map:

    delimiter = ";"          # left out: found out
    decimal = ","            # left out: found out
    skip_rows = 3            # lines before the line of names

    [time]
    column = "Timestamp (us)"
    unit = "us"

    [acc]
    columns = ["Ax", "Ay", "Az"]
    unit = "g"

    [gyr]                    # left out: inclination only
    columns = ["Gx", "Gy", "Gz"]
    unit = "deg_s"
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.core.errors import InputFileError, SettingsError

STANDARD_GRAVITY_M_S2 = 9.80665
"""By definition (CGPM 1901)."""
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
ACC_UNITS = {"m_s2": 1.0, "g": STANDARD_GRAVITY_M_S2, "mg": STANDARD_GRAVITY_M_S2 / 1e3}
GYR_UNITS = {"rad_s": 1.0, "deg_s": math.pi / 180.0, "dps": math.pi / 180.0}
DELIMITERS = (",", ";", "\t", "|", " ")
SKIP_ROWS_MAX = 1_000
MAP_MAX_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name in the file; its values times `factor` are SI."""

    name: str
    unit: str
    factor: float


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The columns that are read. `gyr` is empty without a gyroscope. None: find out from the file."""

    time: Column
    acc: tuple[Column, ...]
    gyr: tuple[Column, ...]
    delimiter: str | None = None
    decimal: str | None = None
    skip_rows: int = 0

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.time, *self.acc, *self.gyr)


def canonical_map(names: Sequence[str], path: Path) -> ColumnMap:
    """The map of a table whose columns are named `t_s`, `acc_x_m_s2` ... `gyr_z_rad_s` (also `_g`, `_mg`, `_deg_s`,
    `_dps`).

    Raises InputFileError naming the column that is missing or the unit that is unknown.
    """
    time = [name for name in names if name.startswith("t_") and name[2:] in TIME_UNITS]
    if not time:
        raise InputFileError(
            f"{path} has no time column: it needs one named t_s.",
            "Name the columns with --map (--dry-run suggests one).",
            path,
        )
    acc = _axes("acc", ACC_UNITS, names, path)
    if not acc:
        raise InputFileError(
            f"{path} has no acceleration columns: it needs acc_x_m_s2, acc_y_m_s2 and acc_z_m_s2 (or _g, _mg).",
            "Name the columns with --map (--dry-run suggests one).",
            path,
        )
    gyr = _axes("gyr", GYR_UNITS, names, path)
    return ColumnMap(Column(time[0], time[0][2:], TIME_UNITS[time[0][2:]]), acc, gyr)


def load_map(path: Path) -> ColumnMap:
    """Read a map. Raises SettingsError naming the key that is wrong."""
    try:
        with path.open("rb") as file:
            text = file.read(MAP_MAX_BYTES + 1)
        if len(text) > MAP_MAX_BYTES:
            raise SettingsError(f"{path} is too large for a map of columns.", "Give a map in TOML.", path)
        content = tomllib.loads(text.decode())
    except OSError as error:
        raise SettingsError(
            f"The map {path} cannot be read ({error.strerror}).", "Check the path.", path
        ) from error
    except ValueError as error:
        raise SettingsError(f"The map {path} is not TOML: {error}.", "Mend that line.", path) from error
    _known_keys(content, {"delimiter", "decimal", "skip_rows", "time", "acc", "gyr"}, "", path)
    skip_rows = content.get("skip_rows", 0)
    if not isinstance(skip_rows, int) or isinstance(skip_rows, bool) or not 0 <= skip_rows <= SKIP_ROWS_MAX:
        raise _wrong(path, "skip_rows", f"a whole number from 0 to {SKIP_ROWS_MAX}")
    return ColumnMap(
        time=_columns(content, "time", TIME_UNITS, path)[0],
        acc=_columns(content, "acc", ACC_UNITS, path),
        gyr=_columns(content, "gyr", GYR_UNITS, path) if "gyr" in content else (),
        delimiter=_one_of(content, "delimiter", DELIMITERS, path),
        decimal=_one_of(content, "decimal", (".", ","), path),
        skip_rows=skip_rows,
    )


def check_present(columns: ColumnMap, names: Sequence[str], path: Path) -> None:
    """Raise InputFileError where a column of the map is missing from the file, or there twice."""
    for column in columns.columns:
        found = list(names).count(column.name)
        if found != 1:
            problem = "has no column" if not found else "has more than one column"
            raise InputFileError(
                f"{path} {problem} named {column.name!r}.",
                "Look at it with --dry-run, then name the columns with --map.",
                path,
            )


def _axes(kind: str, units: Mapping[str, float], names: Sequence[str], path: Path) -> tuple[Column, ...]:
    found: list[Column] = []
    for axis in "xyz":
        prefix = f"{kind}_{axis}"
        mine = [name for name in names if name == prefix or name.startswith(f"{prefix}_")]
        for name in mine:
            if name[len(prefix) + 1 :] not in units:
                raise InputFileError(
                    f"{path}: the unit of column {name!r} is unknown; known are {', '.join('_' + u for u in units)}.",
                    "Rename it, or say the unit with --map.",
                    path,
                )
        if len(mine) > 1:
            raise InputFileError(
                f"{path} has {mine[0]!r} and {mine[1]!r}: it is not clear which to read.",
                "Say which with --map.",
                path,
            )
        found += [Column(name, name[len(prefix) + 1 :], units[name[len(prefix) + 1 :]]) for name in mine]
    if found and len(found) < 3:
        raise InputFileError(
            f"{path} has only {len(found)} of the 3 {kind} columns.", "Add the others, or use --map.", path
        )
    return tuple(found)


def _columns(
    content: Mapping[str, Any], key: str, units: Mapping[str, float], path: Path
) -> tuple[Column, ...]:
    table = content.get(key)
    if not isinstance(table, dict):
        raise _wrong(path, key, f"a table [{key}]")
    list_key = "column" if key == "time" else "columns"
    _known_keys(table, {list_key, "unit"}, f"{key}.", path)
    unit = table.get("unit")
    if not isinstance(unit, str) or unit not in units:
        raise _wrong(path, f"{key}.unit", f"one of {', '.join(units)}")
    names = [table.get("column")] if key == "time" else table.get("columns")
    wanted = 1 if key == "time" else 3
    if (
        not isinstance(names, list)
        or len(names) != wanted
        or not all(isinstance(name, str) for name in names)
    ):
        raise _wrong(path, f"{key}.{list_key}", "a name" if wanted == 1 else "a list of three names, x y z")
    return tuple(Column(name.strip(), unit, units[unit]) for name in names)


def _one_of(content: Mapping[str, Any], key: str, allowed: Sequence[str], path: Path) -> str | None:
    value = content.get(key)
    if value is not None and value not in allowed:
        raise _wrong(path, key, f"one of {', '.join(map(repr, allowed))}")
    return value


def _known_keys(table: Mapping[str, Any], known: set[str], prefix: str, path: Path) -> None:
    for key in table:
        if key not in known:
            raise SettingsError(
                f"The map {path} has an unknown key {prefix}{key}.",
                f"It may have: {', '.join(sorted(known))}.",
                key,
            )


def _wrong(path: Path, key: str, wanted: str) -> SettingsError:
    return SettingsError(f"The map {path} needs {key} to be {wanted}.", "Mend that line.", key)
