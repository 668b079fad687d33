"""Writing a session file: rows collect in a transaction, `commit` makes them durable."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from monitor.core.errors import StorageError
from monitor.core.events import Gap
from monitor.core.inputs import Input, Mark, Packet, Rows, Tick
from monitor.store import schema
from monitor.store.places import check_folder
from monitor.store.schema import MARK, PACKET, ROW, TICK

Identify = Callable[[Packet], tuple[int, int, int] | None]
"""(boot, stream, seq of the first sample) of a packet, each below 2**63, or None where its bytes carry none."""

_INSERT = "INSERT INTO input (n, kind, sensor, boot, stream, seq, body) VALUES (?, ?, ?, ?, ?, ?, ?)"


def new_header(
    source: str, program_version: str, wall_start_s: float, utc_offset_s: int, zone: str
) -> schema.HeaderValues:
    """The header of a new session. `source` is `live`, `simulated` or `import`; wall time is Unix time, s."""
    return {
        "session_id": secrets.token_hex(8),
        "source": source,
        "program_version": program_version,
        "wall_start_s": wall_start_s,
        "utc_offset_s": utc_offset_s,
        "zone": zone,
    }


class SessionWriter:
    """Creates `path` (readable by its owner alone; refused where it exists) and appends to it.

    Every method raises StorageError where the file cannot be written; what `commit` returned from is durable. Use it
    from one thread at a time. It holds the file's write lock until it is closed or its process dies, so that a list of
    sessions can tell one that is still recorded from one that was cut off (session_file.SessionReader.recording).
    """

    def __init__(self, path: Path, header: Mapping[str, Any], identify: Identify) -> None:
        check_folder(path.parent)
        self._path = path
        self._identify = identify
        self._seed = secrets.randbits(32)
        self._names: dict[str, int] = {}
        self._n = 0
        self._failed = False
        self._highest: dict[tuple[int, int, int], int] = {}
        self._late = 0
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except FileExistsError:
            raise StorageError(f"{path} exists already.", "Choose another name.", path) from None
        except (OSError, sqlite3.Error) as error:
            raise self._failure(error) from error
        try:
            self._create(header)
        except StorageError:
            self._db.close()
            path.unlink(missing_ok=True)
            raise

    @property
    def path(self) -> Path:
        return self._path

    def append(self, inputs: Sequence[Input]) -> None:
        """Add inputs in order. Imported rows are refused: their file is their recording."""
        try:
            self._begin()
            self._db.executemany(_INSERT, map(self._row, inputs))
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def append_gaps(self, gaps: Iterable[Gap]) -> None:
        """Add what the pipeline found missing, for readers that do not run it."""
        rows = [(gap.sensor, gap.start_s, gap.end_s, gap.reason) for gap in gaps]
        try:
            self._begin()
            self._db.executemany("INSERT INTO gap VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def set_header(self, key: str, value: object) -> None:
        """Set a header value (JSON-able) in the running transaction."""
        text = json.dumps(value)
        seed = 0 if key == "seed" else self._seed
        row = (key, text, schema.text_crc(seed, key, text))
        try:
            self._begin()
            self._db.execute("INSERT OR REPLACE INTO header VALUES (?, ?, ?)", row)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def commit(self) -> None:
        """Make everything so far durable."""
        try:
            if self._db.in_transaction:
                self._db.execute("COMMIT")
            self._begin()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def close(self, clean: bool = True) -> None:
        """Commit and close; `clean` says the session came to its end. Leaves a single file where nobody reads it.

        After a failure only what was committed before it is kept.
        """
        try:
            if not self._failed:
                if clean:
                    self.set_header("late_packets", self._late)
                    self.set_header("closed_wall_s", time.time())
                self.commit()
        finally:
            with suppress(sqlite3.Error):
                self._db.rollback()
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.close()

    def _create(self, header: Mapping[str, Any]) -> None:
        """Schema and header, durable in the main file before the write-ahead log is used at all."""
        try:
            self._db.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version={schema.FORMAT_VERSION}")
            self._db.execute("PRAGMA synchronous=FULL")
            self._begin()
            for statement in schema.TABLES.values():
                self._db.execute(statement)
            for key, value in {**header, "format": schema.FORMAT_VERSION, "seed": self._seed}.items():
                self.set_header(key, value)
            self.commit()
            self._db.execute("ROLLBACK")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._begin()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _row(self, item: Input) -> tuple[int, int, int | None, int | None, int | None, int | None, bytes]:
        n = self._n
        self._n += 1
        match item:
            case Packet():
                found = self._identify(item)
                boot, stream, seq = found or (0, 0, 0)
                sensor, channel = self._name(item.sensor), self._name(item.channel)
                head = ROW.pack(
                    n, PACKET, found is not None, sensor, channel, stream, item.t_host_s, boot, seq
                )
                body = schema.seal(head, item.payload, self._seed)
                if found is None:
                    return n, PACKET, sensor, None, None, None, body
                key = (sensor, boot, stream)
                highest = self._highest.setdefault(key, seq)
                self._late += seq < highest
                self._highest[key] = max(seq, highest)
                return n, PACKET, sensor, boot, stream, seq, body
            case Mark():
                kind, payload = MARK, schema.mark_payload(item)
            case Tick():
                kind, payload = TICK, schema.tick_payload(item)
            case Rows():
                raise StorageError(
                    "Rows of an imported file are not recorded again.", "Analyse the file itself.", self._path
                )
        head = ROW.pack(n, kind, False, 0, 0, 0, item.t_host_s, 0, 0)
        return n, kind, None, None, None, None, schema.seal(head, payload, self._seed)

    def _name(self, text: str) -> int:
        known = self._names.get(text)
        if known is not None:
            return known
        if len(self._names) >= schema.NAMES_MAX:
            raise StorageError(
                "Too many sensors and channels for one session.", "Start a new session.", self._path
            )
        new = len(self._names)
        self._db.execute(
            "INSERT INTO name VALUES (?, ?, ?)", (new, text, schema.text_crc(self._seed, new, text))
        )
        self._names[text] = new
        return new

    def _failure(self, error: Exception) -> StorageError:
        self._failed = True
        text = str(error)
        if "full" in text:
            return StorageError(
                f"The disk is full: recording to {self._path} stopped.",
                "Free some space, then start a new session.",
                self._path,
            )
        return StorageError(
            f"{self._path} cannot be written ({text}).",
            "Check the disk, or choose another folder.",
            self._path,
        )
