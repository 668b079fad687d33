"""How long a table lasts, from its ends alone: for progress, where an estimate is enough."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from monitor.sources.importers.mapping import ColumnMap, canonical_map
from monitor.sources.importers.table_files import TextLook, is_parquet, look, parquet_names

TAIL_BYTES = 65_536


def span_s(path: Path, columns: ColumnMap | None = None) -> float:
    """Seconds between the first and the last row; 0 where the ends do not say. Raises InputFileError like the reading does."""
    if is_parquet(path):
        columns = columns or canonical_map(parquet_names(path), path)
        first, last = _parquet_ends(path, columns)
    else:
        text = look(path, columns.delimiter, columns.decimal, columns.skip_rows) if columns else look(path)
        columns = columns or canonical_map(text.names, path)
        first, last = _text_ends(path, columns, text)
    span = (last - first) * columns.time.factor
    return span if math.isfinite(span) and span > 0 else 0.0


def _text_ends(path: Path, columns: ColumnMap, text: TextLook) -> tuple[float, float]:
    """The time cells of the first row and of the last whole one; NaN where there is no number."""
    if columns.time.name not in text.names:
        return math.nan, math.nan
    place = text.names.index(columns.time.name)
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            tail = file.read(TAIL_BYTES)
    except OSError:
        return math.nan, math.nan
    lines = tail.decode(text.encoding, "replace").splitlines()
    rows = [line.split(text.delimiter) for line in lines]
    whole = [row for row in rows if len(row) == len(text.names)]
    return _number(text.sample[:1], place, text.decimal), _number(whole[-1:], place, text.decimal)


def _number(rows: list[list[str]] | tuple[tuple[str, ...], ...], place: int, decimal: str) -> float:
    try:
        return float(rows[0][place].strip().strip('"').replace(decimal, "."))
    except (IndexError, ValueError):
        return math.nan


def _parquet_ends(path: Path, columns: ColumnMap) -> tuple[float, float]:
    """The least and the largest time that the file's own statistics name; NaN where it has none."""
    try:
        with pq.ParquetFile(path) as file:
            place = file.schema.names.index(columns.time.name)
            groups = (0, file.metadata.num_row_groups - 1)
            first, last = (file.metadata.row_group(k).column(place).statistics for k in groups)
            return float(first.min), float(last.max)
    except (pa.ArrowException, OSError, ValueError, AttributeError, TypeError, IndexError):
        return math.nan, math.nan
