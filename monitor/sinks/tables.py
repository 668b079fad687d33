"""A recording as files for other programs: angles in Parquet, events as JSON lines, a summary in JSON."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitor.core.blocks import LumbarBlock, TrunkBlock, take
from monitor.core.errors import StorageError
from monitor.core.events import Beat, Creep, Posture, PostureState, Record, Slip, StaticHold
from monitor.core.inputs import FloatArray, Mark
from monitor.sinks.event_json import event_object, json_line
from monitor.sinks.lumbar_columns import LUMBAR, LumbarColumns
from monitor.sinks.summary import Summary

HOLD_S = 10.0
"""Rows wait this long for their state, which is decided up to 5 s late."""
ROW_GROUP_ROWS = 262_144
_STATES = tuple(Posture)
_CODES = {state: code for code, state in enumerate(_STATES)}
_ANGLES = ("inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg")
_DEVIATIONS = ("inclination_sd_deg", "flexion_sd_deg", "lateral_sd_deg", "rotation_sd_deg")
_LIVE = ("live_inclination_deg", "live_flexion_deg", "live_lateral_deg")
"""Beside the angles of the final pass: what was told while it happened."""
_QUATS = ("quat_w", "quat_x", "quat_y", "quat_z")
_RUNNING = (Beat, StaticHold, Creep)
"""What is told once a second is no event of a table."""
_PAIR = {"upper", "lower"}
"""Roles of the two sensors between which lumbar angles are."""


class TableSink:
    """Write `<stem>.parquet`, `<stem>.events.jsonl` and `<stem>.json` into `folder`, which exists.

    Rows are those of the primary sensor, each with the posture state it is in; quaternions are sensor -> earth. Two
    sensors add the columns `LUMBAR`, from the nearest row of the upper one; rows of the final pass add the angles as they
    were told live. The files appear under their names when `close` is through; `discard` leaves nothing. `about` goes into
    the summary.
    Raises StorageError where the folder cannot be written, also later, when the disk is full.
    """

    def __init__(self, folder: Path, stem: str, about: Mapping[str, Any]) -> None:
        self._targets = [folder / f"{stem}{suffix}" for suffix in (".parquet", ".events.jsonl", ".json")]
        self._parts = [path.with_name(path.name + ".part") for path in self._targets]
        self._about = dict(about)
        self._primary = ""
        self._waiting: list[TrunkBlock] = []
        self._n_waiting = 0
        self._from_s: list[float] = []
        self._codes: list[int] = []
        self._roles: set[str] = set()
        self._lumbar = LumbarColumns()
        self._summary = Summary()
        self._table: pq.ParquetWriter | None = None
        with _writing(folder):
            self._events = self._parts[1].open("w", encoding="utf-8")

    def push(self, records: Sequence[Record]) -> None:
        with _writing(self._targets[0].parent):
            self._push(records)

    def close(self) -> None:
        with _writing(self._targets[0].parent):
            self._close()

    def warn(self, text: str) -> None:
        """Put a sentence among the summary's warnings."""
        self._summary.warn(text)

    def result(self) -> dict[str, Any]:
        """The content of the summary."""
        return {**self._about, **self._summary.result()}

    def discard(self) -> None:
        """Stop without a result."""
        # What still waits to be written may not fit on the disk; nobody needs it.
        if self._table is not None:
            with suppress(OSError):
                self._table.close()
        with suppress(OSError):
            self._events.close()
        for part in self._parts:
            part.unlink(missing_ok=True)

    def _push(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, TrunkBlock):
                if record.sensor == self._primary and len(record):
                    self._waiting.append(record)
                    self._n_waiting += len(record)
            elif isinstance(record, LumbarBlock):
                self._lumbar.push(record)
            elif isinstance(record, Mark):
                if record.kind == "sensor":
                    self._open(record)
            else:
                self._event(record)
        if self._n_waiting >= ROW_GROUP_ROWS:
            self._settle(self._waiting[-1].t_s[-1] - HOLD_S)

    def _close(self) -> None:
        self._settle(np.inf)
        self._writer().close()
        self._events.close()
        text = json.dumps(self.result(), indent=1, ensure_ascii=False, allow_nan=False)
        self._parts[2].write_text(text + "\n", encoding="utf-8")
        for part, target in zip(self._parts, self._targets, strict=True):
            part.replace(target)

    def _open(self, mark: Mark) -> None:
        self._roles.add(str(mark.value.get("role")))
        if not self._primary or mark.value.get("primary"):
            self._primary = str(mark.value["sensor"])
            self._summary.worn(str(mark.value.get("placement", "")))

    def _writer(self, live: Sequence[str] = ()) -> pq.ParquetWriter:
        """The table, begun with the first rows: by then every sensor is open and so the columns are known."""
        if self._table is None:
            more = (*(LUMBAR if self._roles >= _PAIR else ()), *live)
            self._table = pq.ParquetWriter(
                self._parts[0],
                _schema(more),
                compression="zstd",
                use_dictionary=["state"],
                use_byte_stream_split=["t_s", *_QUATS, *_ANGLES, *_DEVIATIONS, *more],
                write_statistics=["t_s"],
            )
        return self._table

    def _event(self, record: Record) -> None:
        self._summary.event(record)
        if isinstance(record, Slip) and record.sensor == self._primary:
            self._summary.doubt(record.from_s, record.decided_s)
        if isinstance(record, PostureState):
            # A later decision about an earlier moment takes the place of what was thought from there on.
            while self._from_s and self._from_s[-1] >= record.t_s:
                self._from_s.pop()
                self._codes.pop()
            self._from_s.append(record.t_s)
            self._codes.append(_CODES[record.state])
        if isinstance(record, _RUNNING):
            return
        line = event_object(record)
        if line is not None:
            self._events.write(json_line(line))

    def _settle(self, until_s: float) -> None:
        """Write the waiting rows up to a time."""
        if not self._waiting:
            return
        joined = _joined(self._waiting)
        n = int(np.searchsorted(joined.t_s, until_s, side="right"))
        rows, rest = take(joined, slice(0, n)), take(joined, slice(n, None))
        self._waiting, self._n_waiting = ([rest], len(rest)) if len(rest) else ([], 0)
        index = np.searchsorted(np.array(self._from_s), rows.t_s, side="right")
        codes = np.array([_CODES[Posture.UNKNOWN], *self._codes], np.int8)[index]
        counts = np.bincount(codes, minlength=len(_STATES)).tolist()
        self._summary.rows(rows, dict(zip(_STATES, counts, strict=True)))
        more: Sequence[FloatArray] = ()
        if self._roles >= _PAIR and len(rows):
            more = tuple(self._lumbar.at(rows.t_s, 1.0 / rows.rate_hz))
            self._lumbar.forget(float(rows.t_s[-1]))
        live = () if rows.live_deg is None else _LIVE
        writer = self._writer(live)
        if len(rows):
            if rows.live_deg is not None:
                more = (*more, *rows.live_deg.T)
            writer.write_batch(_batch(rows, codes, more, writer.schema))


def _schema(more: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            pa.field("t_s", pa.float64(), nullable=False),
            pa.field("ok", pa.bool_(), nullable=False),
            *(pa.field(name, pa.float32()) for name in (*_QUATS, *_ANGLES)),
            pa.field("state", pa.dictionary(pa.int8(), pa.string()), nullable=False),
            *(pa.field(name, pa.float32()) for name in (*_DEVIATIONS, *more)),
        ]
    )


def _batch(
    rows: TrunkBlock,
    codes: np.ndarray[Any, np.dtype[np.int8]],
    more: Sequence[FloatArray],
    schema: pa.Schema,
) -> pa.RecordBatch:
    columns = [rows.quat[:, k] for k in range(4)] + [getattr(rows, name) for name in _ANGLES]
    stated = (rows.uncertainty_deg, rows.flexion_sd_deg, rows.lateral_sd_deg, rows.rotation_sd_deg)
    unknown = np.full(len(rows), np.nan)
    deviations = [unknown if sd is None else np.round(sd, 2) for sd in stated]
    state = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([state.value for state in _STATES]))
    arrays = [pa.array(rows.t_s), pa.array(rows.ok), *map(_nullable, columns), state]
    return pa.record_batch([*arrays, *map(_nullable, (*deviations, *more))], schema=schema)


def _nullable(values: FloatArray) -> pa.Array:
    return pa.array(values.astype(np.float32), from_pandas=True)


def _joined(blocks: Sequence[TrunkBlock]) -> TrunkBlock:
    if len(blocks) == 1:
        return blocks[0]
    columns = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in TrunkBlock.__dataclass_fields__
        if isinstance(getattr(blocks[0], name), np.ndarray)
    }
    return TrunkBlock(sensor=blocks[-1].sensor, rate_hz=blocks[-1].rate_hz, **columns)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What the system says against writing into `folder`, as a StorageError."""
    try:
        yield
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise StorageError(
            f"{folder} cannot be written ({'the disk is full' if full else error.strerror or error}).",
            "Free some space, or choose another folder." if full else "Choose another folder.",
            folder,
        ) from error
