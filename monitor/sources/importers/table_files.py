"""CSV and Parquet files as batches of numeric columns, in bounded memory."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from monitor.core.errors import InputFileError
from monitor.core.inputs import FloatArray
from monitor.sources.importers.mapping import DELIMITERS, ColumnMap

PARQUET_SUFFIXES = (".parquet", ".pq")
HEAD_BYTES = 65_536
"""How much of a text file is looked at to find its delimiter, decimal sign and names."""
BLOCK_BYTES = 4 * 1024 * 1024
"""Text parsed at once; no line may be longer."""
COLUMNS_MAX = 1_024
BATCH_ROWS = 60_000
ROW_GROUP_ROWS_MAX = 50_000_000
_NULLS = ["", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "-"]
_DECIMAL_COMMA = re.compile(r"^\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*$")

Batch = list[FloatArray]
"""One array per column of the map, in its order; NaN where a cell is empty."""


@dataclass(frozen=True, slots=True)
class TextLook:
    """How a text file is written: found in its first lines, or said by the map."""

    encoding: str
    delimiter: str
    decimal: str
    skip_rows: int
    names: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]


def is_parquet(path: Path) -> bool:
    return path.suffix.lower() in PARQUET_SUFFIXES


def read_head(path: Path) -> bytes:
    """The first bytes. Raises InputFileError for a file that is empty or cannot be read."""
    if path.is_dir():
        raise InputFileError(
            f"{path} is a folder, not a file.", f"Give the files in it, such as {path / '*.csv'}.", path
        )
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InputFileError(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its rights.", path
        ) from error
    if not head.strip():
        raise InputFileError(f"{path} is empty.", "Give a file with data.", path)
    return head


def look(
    path: Path, delimiter: str | None = None, decimal: str | None = None, skip_rows: int = 0
) -> TextLook:
    """How a text file is written. Raises InputFileError for one that is empty, binary or far too wide."""
    head = read_head(path)
    if b"\x00" in head or head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"\x89PNG", b"%PDF")):
        raise InputFileError(
            f"{path} is a binary file, not a table of text.",
            "Give a CSV, Parquet or session file (unpacked).",
            path,
        )
    encoding, text = _decoded(head)
    lines = text.splitlines()
    if len(head) == HEAD_BYTES:
        if len(lines) < 2:
            raise InputFileError(
                f"{path} has a line of more than {HEAD_BYTES} characters.", "Give a CSV file.", path
            )
        lines.pop()
    lines = lines[skip_rows:]
    if not lines:
        raise InputFileError(
            f"{path} has no line of names after {skip_rows} skipped lines.", "Lower skip_rows.", path
        )
    delimiter = delimiter or max(DELIMITERS[:-1], key=lambda sign: lines[0].count(sign))
    rows = [tuple(row) for row in csv.reader(lines, delimiter=delimiter)]
    names = tuple(name.strip() for name in rows[0]) if rows else ()
    if len(names) > COLUMNS_MAX:
        raise InputFileError(
            f"{path} has {len(names)} columns; at most {COLUMNS_MAX} are read.", "Remove some.", path
        )
    if names and all(map(_is_number, names)):
        raise InputFileError(
            f"{path} has no line of names: its first line holds numbers.", "Add a line of names.", path
        )
    cells = [cell for row in rows[1:] for cell in row]
    comma = delimiter != "," and any(map(_DECIMAL_COMMA.match, cells))
    return TextLook(
        encoding, delimiter, decimal or ("," if comma else "."), skip_rows, names, tuple(rows[1:])
    )


def csv_batches(
    path: Path, columns: ColumnMap, text: TextLook, skipped: Callable[[], None]
) -> Iterator[Batch]:
    """The columns of a text file; `skipped` is called for each line with another number of fields, which is left out."""

    def invalid(_row: pa_csv.InvalidRow) -> str:
        skipped()
        return "skip"

    wanted = [column.name for column in columns.columns]
    with _refusing(path):
        reader = pa_csv.open_csv(
            path,
            read_options=pa_csv.ReadOptions(
                block_size=BLOCK_BYTES,
                encoding=text.encoding,
                column_names=_distinct(text.names),
                skip_rows=text.skip_rows + 1,
                use_threads=False,
            ),
            parse_options=pa_csv.ParseOptions(delimiter=text.delimiter, invalid_row_handler=invalid),
            convert_options=pa_csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.float64()),
                null_values=_NULLS,
                decimal_point=text.decimal,
            ),
        )
        with reader:
            for batch in reader:
                yield [_numbers(batch.column(name)) for name in wanted]


def parquet_names(path: Path) -> tuple[str, ...]:
    """Column names of a Parquet file. Raises InputFileError for anything else."""
    read_head(path)
    with _refusing(path), pq.ParquetFile(path) as file:
        names = tuple(str(name) for name in file.schema_arrow.names)
        groups = range(min(file.metadata.num_row_groups, 100_000))
        largest = max((file.metadata.row_group(k).num_rows for k in groups), default=0)
    if len(names) > COLUMNS_MAX:
        raise InputFileError(
            f"{path} has {len(names)} columns; at most {COLUMNS_MAX} are read.", "Remove some.", path
        )
    if largest > ROW_GROUP_ROWS_MAX:
        raise InputFileError(
            f"{path} holds {largest} rows in one group.", "Write it again in smaller row groups.", path
        )
    return names


def parquet_batches(path: Path, columns: ColumnMap) -> Iterator[Batch]:
    """The columns of a Parquet file."""
    wanted = [column.name for column in columns.columns]
    # Reading ahead would keep every row group that was read until the file is closed.
    with _refusing(path), pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=wanted, use_threads=False):
            yield [_numbers(batch.column(name).cast(pa.float64(), safe=False)) for name in wanted]


def _numbers(column: pa.Array) -> FloatArray:
    values: FloatArray = column.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return values


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _distinct(names: Sequence[str]) -> list[str]:
    """Names for the reader, which takes no name twice; those of the map are known to be there once."""
    return [name if names.index(name) == k else f"{name}\x00{k}" for k, name in enumerate(names)]


def _decoded(head: bytes) -> tuple[str, str]:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            # The last character may be cut in two.
            return encoding.removesuffix("-sig"), head.decode(
                encoding, "strict" if len(head) < HEAD_BYTES else "ignore"
            )
        except UnicodeDecodeError:
            continue
    return "latin-1", head.decode("latin-1")


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn what the reading library says about a file into one sentence."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputFileError(
            f"{path} cannot be read as a table: {reason}.", "Look at it with --dry-run.", path
        ) from error
