"""Rows of an imported file: already in SI, nothing to decode, only bad rows to count."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from monitor.core.blocks import ImuBlock, freeze
from monitor.core.events import Fault, Record
from monitor.core.inputs import BoolArray, FloatArray, Rows, Tick
from monitor.core.protocols import Driver
from monitor.devices.beats import beat


class RowsDecoder:
    """Rows -> ImuBlock without a declared rate. Rows with a NaN or an infinity are dropped.

    A run of consecutive bad rows is one Fault `nan` with its length, given in its place, at the time of the last
    good row before it (0 at the start).
    """

    def __init__(self, sensor: str) -> None:
        self._sensor = sensor
        self._last_s = -np.inf
        self._bad = 0

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        for item in items:
            if isinstance(item, Rows) and item.sensor == self._sensor:
                self._rows(item, out)
            elif isinstance(item, Tick):
                out.append(beat(self._sensor, item, self._last_s))
            else:
                out.append(item)
        return out

    def close(self) -> list[Record]:
        out: list[Record] = []
        self._settle(out)
        return out

    def _rows(self, rows: Rows, out: list[Record]) -> None:
        good = _finite(rows)
        edges = np.flatnonzero(np.diff(good)) + 1
        bounds = [0, *edges.tolist(), len(good)]
        for start, end in pairwise(bounds):
            if start == end:
                continue
            if not good[start]:
                self._bad += end - start
                continue
            self._settle(out)
            out.append(self._block(rows, slice(start, end)))
            self._last_s = float(rows.t_s[end - 1])

    def _block(self, rows: Rows, part: slice) -> ImuBlock:
        t_s, acc = _doubles(rows.t_s[part]), _doubles(rows.acc[part])
        gyr = None if rows.gyr is None else _doubles(rows.gyr[part])
        ok = np.ones(part.stop - part.start, dtype=bool)
        return freeze(ImuBlock(self._sensor, t_s, acc, gyr, ok, None))

    def _settle(self, out: list[Record]) -> None:
        if self._bad:
            out.append(Fault(self._sensor, max(self._last_s, 0.0), "nan", self._bad))
            self._bad = 0


def _finite(rows: Rows) -> BoolArray:
    good: BoolArray = np.isfinite(rows.t_s) & np.isfinite(rows.acc).all(axis=1)
    if rows.gyr is not None:
        good &= np.isfinite(rows.gyr).all(axis=1)
    return good


def _doubles(values: FloatArray) -> FloatArray:
    """A view of its own (the importer's array stays as it is), in doubles whatever the importer read."""
    return values.astype(np.float64, copy=False)[:]


DRIVER = Driver(
    name="rows",
    title="Imported file",
    matches=lambda _: False,
    start=(),
    stop=(),
    every=(),
    data_channels=(),
    decoder=RowsDecoder,
    identity=lambda _: None,
    row_identity=lambda _channel, _payload: None,
    service_uuid="",
)
