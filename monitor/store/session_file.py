"""One session, one file: written as it happens by `SessionWriter`, read back by `SessionReader`."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

import numpy as np

from monitor.core.events import Gap
from monitor.core.inputs import FloatArray, Input, Mark, Packet
from monitor.store import schema
from monitor.store.collector import expect_many_inputs
from monitor.store.identity_order import Moves, find_moves
from monitor.store.rows import (
    CHUNK_ROWS,
    Chunk,
    HeadArray,
    chunks,
    damaged,
    last_row,
    open_database,
    write_locked,
)
from monitor.store.schema import CRC, MARK, PACKET, ROW
from monitor.store.writer import Identify, SessionWriter, new_header

__all__ = ["Identify", "SessionReader", "SessionSummary", "SessionWriter", "new_header"]

Order = Literal["arrival", "identity"]


class SessionSummary(NamedTuple):
    """What a file holds, without decoding it."""

    packets: int
    marks: int
    ticks: int
    duration_s: float
    closed_cleanly: bool


class SessionReader:
    """A session file, opened for reading only; also one that is still being written or was cut off.

    Raises InputFileError with one sentence for anything that is no session file. `header` holds what was known at the
    start and, after a clean end, `digest` and how many packets came late. `damaged` counts the rows that the last
    pass of `inputs` had to leave out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = open_database(path)
        try:
            self.header = self._read_header()
            self._seed: int = self.header.pop("seed")
            self._read_names()
        except (sqlite3.DatabaseError, ValueError, KeyError, TypeError, RecursionError) as error:
            self._db.close()
            raise damaged(path) from error
        self.damaged = 0

    def __enter__(self) -> SessionReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def closed_cleanly(self) -> bool:
        return "closed_wall_s" in self.header

    @property
    def recording(self) -> bool:
        """Whether its recorder still lives. The file is left as it is."""
        return not self.closed_cleanly and write_locked(self._path)

    @property
    def duration_s(self) -> float:
        """Host time of the last readable row, s since the session's start; 0 without rows."""
        last = last_row(self._db, self._path)
        for end in range(last, -1, -CHUNK_ROWS):
            chunk = next(chunks(self._db, self._seed, max(0, end - CHUNK_ROWS + 1), end))
            if len(chunk.heads):
                return float(chunk.heads["t_host_s"].max())
        return 0.0

    @property
    def summary(self) -> SessionSummary:
        try:
            counts = dict(self._db.execute("SELECT kind, count(*) FROM input GROUP BY kind"))
        except sqlite3.DatabaseError as error:
            raise damaged(self._path) from error
        packets, marks, ticks = (counts.get(kind, 0) for kind in (PACKET, MARK, schema.TICK))
        return SessionSummary(packets, marks, ticks, self.duration_s, self.closed_cleanly)

    def inputs(self, order: Order = "arrival", block_s: float = 300.0) -> Iterator[list[Input]]:
        """Inputs in lists of about `block_s` of host time.

        `identity` order moves a packet that came late (its seq below one already seen of its sensor, boot and stream)
        right before the first packet with a larger seq; everything else keeps its place.
        """
        expect_many_inputs()
        last = last_row(self._db, self._path)
        self._read_names()
        nothing_late = self.header.get("late_packets") == 0
        moves = find_moves(self._chunks(last)) if order == "identity" and not nothing_late else None
        self.damaged = 0
        pending: list[Input] = []
        edge_s = -math.inf
        for chunk in self._chunks(last):
            heads, items = self._items(chunk)
            self.damaged += chunk.damaged + len(chunk.heads) - len(heads)
            if not items:
                continue
            start = 0
            for stop in _cuts(heads["t_host_s"], edge_s, block_s):
                pending += self._arranged(heads, items, start, stop, moves)
                if pending:
                    yield pending
                pending, start = [], stop
            pending += self._arranged(heads, items, start, len(items), moves)
            edge_s = max(edge_s, float(heads["t_host_s"].max()))
        if pending:
            yield pending

    def marks(self) -> list[Mark]:
        """All readable marks, in order, without reading the packets."""
        try:
            numbers = [
                n for (n,) in self._db.execute("SELECT n FROM input WHERE kind = ? ORDER BY n", (MARK,))
            ]
        except sqlite3.DatabaseError as error:
            raise damaged(self._path) from error
        items = (item for n in numbers for item in self._row(n))
        return [item for item in items if isinstance(item, Mark)]

    def gaps(self) -> list[Gap]:
        """What the live pipeline found missing."""
        return [
            Gap(*row)
            for row in self._db.execute("SELECT sensor, start_s, end_s, reason FROM gap ORDER BY rowid")
        ]

    def close(self) -> None:
        self._db.close()

    def _chunks(self, last: int) -> Iterator[Chunk]:
        return chunks(self._db, self._seed, 0, last)

    def _row(self, n: int) -> list[Input]:
        """The input of one row, or nothing."""
        return [item for chunk in chunks(self._db, self._seed, n, n) for item in self._items(chunk)[1]]

    def _arranged(
        self, heads: HeadArray, items: list[Input], start: int, stop: int, moves: Moves | None
    ) -> list[Input]:
        """Items start..stop-1, with those moved away left out and those moved here put in."""
        if moves is None:
            return items[start:stop]
        out: list[Input] = []
        for n, item in zip(heads["n"][start:stop].tolist(), items[start:stop], strict=True):
            for source in moves.before.get(n, ()):
                out += self._row(source)
            if n not in moves.away:
                out.append(item)
        return out

    def _items(self, chunk: Chunk) -> tuple[HeadArray, list[Input]]:
        """Inputs beside their heads, without rows this version cannot understand. Column by column: a day has a million."""
        heads = chunk.heads
        t_host_s = heads["t_host_s"].tolist()
        sensors = self._texts[heads["sensor"]].tolist()
        channels = self._texts[heads["channel"]].tolist()
        payloads = [body[ROW.size : -CRC.size] for body in chunk.bodies]
        items: list[Any] = list(
            map(tuple.__new__, repeat(Packet), zip(t_host_s, sensors, channels, payloads, strict=True))
        )
        kinds = heads["kind"]
        for i in np.flatnonzero(kinds != PACKET).tolist():
            items[i] = schema.other_input(int(kinds[i]), t_host_s[i], payloads[i])
        good = np.isfinite(heads["t_host_s"])
        good &= (kinds != PACKET) | (self._named[heads["sensor"]] & self._named[heads["channel"]])
        if None in items:
            good &= [item is not None for item in items]
        if not good.all():
            return heads[good], [item for item, kept in zip(items, good.tolist(), strict=True) if kept]
        return heads, items

    def _read_header(self) -> dict[str, Any]:
        rows = list(self._db.execute("SELECT key, value, crc FROM header"))
        good = [value for key, value, crc in rows if key == "seed" and crc == schema.text_crc(0, key, value)]
        seed = json.loads(good[0]) if good else None
        if not isinstance(seed, int):
            raise TypeError("seed")
        kept = {
            key: json.loads(value) for key, value, crc in rows if crc == schema.text_crc(seed, key, value)
        }
        return {**kept, "seed": seed}

    def _read_names(self) -> None:
        """Texts by the number that the heads of rows give, and which of them there are."""
        self._texts = np.full(schema.NAME_IDS, None, dtype=object)
        self._named = np.zeros(schema.NAME_IDS, dtype=bool)
        for id, text, crc in self._db.execute("SELECT id, text, crc FROM name LIMIT ?", (schema.NAMES_MAX,)):
            if 0 <= id < schema.NAME_IDS and crc == schema.text_crc(self._seed, id, text):
                self._texts[id], self._named[id] = text, True


def _cuts(t_host_s: FloatArray, edge_s: float, block_s: float) -> list[int]:
    """Before which of some rows a new block of `block_s` begins; `edge_s` is the latest time before them."""
    reached = np.floor(edge_s / block_s)
    if np.floor(t_host_s.max() / block_s) <= reached:
        return []
    blocks = np.floor(np.maximum.accumulate(t_host_s) / block_s)
    cuts: list[int] = np.flatnonzero(np.diff(np.maximum(blocks, reached), prepend=reached) > 0).tolist()
    return cuts
