"""CSV and Parquet files of inertial rows as inputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from monitor.core.counted import counted
from monitor.core.inputs import FloatArray, Input, Mark, Rows
from monitor.sources.importers.mapping import Column, ColumnMap, canonical_map, check_present
from monitor.sources.importers.plausible import Plausibility
from monitor.sources.importers.table_files import (
    Batch,
    csv_batches,
    is_parquet,
    look,
    parquet_batches,
    parquet_names,
)
from monitor.sources.importers.turning import Turning

SENSOR = "rows"
BLOCK_ROWS = 12_000
NOTE = "import_note"
"""Kind of the marks that say what was left out or is amiss: value `text`, a whole sentence."""


def read_inputs(path: Path, placement: str, columns: ColumnMap | None = None) -> Iterator[list[Input]]:
    """Marks, then Rows of BLOCK_ROWS, in SI and in the file's own time base. `columns` None: canonical names.

    Raises InputFileError with one sentence, also late (after rows were given) for what only the whole file shows: take
    nothing of a file for done before its end. Memory stays bounded.
    """
    plausibility, turning, skipped = Plausibility(path), Turning(), _Count()
    columns, batches = _open(path, columns, skipped)
    opened = False
    last_s = 0.0
    for rows in _rows(batches, columns, plausibility):
        last_s = float(rows.t_s[-1])
        if rows.gyr is not None:
            turning.see(rows.t_s, rows.acc, rows.gyr)
        if not opened:
            opened = True
            yield _opening(float(rows.t_s[0]), placement)
        yield [rows]
    plausibility.finish()
    notes = list(_closing_notes(plausibility, turning, skipped.n))
    if notes:
        yield [Mark(last_s, NOTE, {"text": text}) for text in notes]


class _Count:
    """How often it was called."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self) -> None:
        self.n += 1


def _open(path: Path, columns: ColumnMap | None, skipped: _Count) -> tuple[ColumnMap, Iterator[Batch]]:
    if is_parquet(path):
        names = parquet_names(path)
        columns = columns or canonical_map(names, path)
        check_present(columns, names, path)
        return columns, parquet_batches(path, columns)
    if columns is None:
        text = look(path)
        columns = canonical_map(text.names, path)
    else:
        text = look(path, columns.delimiter, columns.decimal, columns.skip_rows)
    check_present(columns, text.names, path)
    return columns, csv_batches(path, columns, text, skipped)


def _rows(batches: Iterator[Batch], columns: ColumnMap, plausibility: Plausibility) -> Iterator[Rows]:
    """Blocks of BLOCK_ROWS rows, the last one shorter."""
    waiting: list[FloatArray] = []
    n = 0
    for batch in batches:
        table = _in_si(batch, columns)
        table = table[plausibility.check(table[:, 0], table[:, 1:4])]
        waiting.append(table)
        n += len(table)
        if n < BLOCK_ROWS:
            continue
        joined = np.concatenate(waiting)
        whole = n - n % BLOCK_ROWS
        for start in range(0, whole, BLOCK_ROWS):
            yield _block(joined[start : start + BLOCK_ROWS])
        waiting, n = [joined[whole:]], n - whole
    if n:
        yield _block(np.concatenate(waiting))


def _in_si(batch: Batch, columns: ColumnMap) -> FloatArray:
    return np.stack(
        [_scaled(values, column) for values, column in zip(batch, columns.columns, strict=True)], axis=1
    )


def _scaled(values: FloatArray, column: Column) -> FloatArray:
    """Times its factor, in a way that leaves SI values as they are to the bit."""
    return values if column.factor == 1.0 else values * column.factor


def _block(table: FloatArray) -> Rows:
    gyr = np.ascontiguousarray(table[:, 4:7]) if table.shape[1] > 4 else None
    rows = Rows(SENSOR, np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1:4]), gyr)
    for values in (rows.t_s, rows.acc, rows.gyr):
        if values is not None:
            values.flags.writeable = False
    return rows


def _opening(t_s: float, placement: str) -> list[Input]:
    sensor = {"sensor": SENSOR, "driver": "rows", "role": "single", "placement": placement, "primary": True}
    return [Mark(t_s, "sensor", sensor)]


def _closing_notes(seen: Plausibility, turning: Turning, skipped: int) -> Iterator[str]:
    if seen.rate_note:
        yield seen.rate_note
    if turning.note:
        yield turning.note
    if skipped:
        yield f"Left out: {counted(skipped, 'line')} with a wrong number of fields."
    if seen.untimed:
        yield f"Left out: {counted(seen.untimed, 'row')} without a time."
    if seen.repeated:
        yield f"Left out: {counted(seen.repeated, 'row')} with the time of the row before."
