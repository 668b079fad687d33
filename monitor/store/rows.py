"""Checked rows of a session file, in chunks, past any damage."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.core.errors import InputFileError
from monitor.store import schema
from monitor.store.schema import BODY_MAX_BYTES, CRC, RESIDUE, ROW, ROW_DTYPE

CHUNK_ROWS = 1024
"""Rows fetched at once: bounds the memory at CHUNK_ROWS * BODY_MAX_BYTES even for a hostile file."""
_ROW_MIN_BYTES = ROW.size + CRC.size

HeadArray = npt.NDArray[Any]


class Chunk(NamedTuple):
    """Rows that passed their check: `heads` (n,) of ROW_DTYPE beside their whole bodies; `damaged` rows did not."""

    heads: HeadArray
    bodies: list[bytes]
    damaged: int


def open_database(path: Path) -> sqlite3.Connection:
    """Open a session file for reading only. Raises InputFileError with one sentence for anything else."""
    _check_first_bytes(path)
    try:
        db = _connect(path)
    except sqlite3.Error as error:
        raise InputFileError(
            f"{path} cannot be opened ({error}).", "Copy it to another folder, then try again.", path
        ) from error
    try:
        _check_schema(db, path)
    except InputFileError:
        db.close()
        raise
    except sqlite3.Error as error:
        db.close()
        raise damaged(path) from error
    return db


def damaged(path: Path) -> InputFileError:
    """The refusal of a session file whose head cannot be trusted."""
    return InputFileError(f"{path} is damaged beyond reading.", "Take a copy of it from a backup.", path)


def write_locked(path: Path) -> bool:
    """Whether a writer holds the file. Call it while the file is open for reading: then nothing is tidied up behind it."""
    try:
        probe = sqlite3.connect(
            path.absolute().as_uri() + "?mode=rw", uri=True, timeout=0, isolation_level=None
        )
    except sqlite3.Error:
        return False
    try:
        probe.execute("BEGIN IMMEDIATE")
        probe.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        # A file on a read-only disk has another error, and no writer.
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    except sqlite3.DatabaseError:
        return False
    finally:
        probe.close()
    return False


def last_row(db: sqlite3.Connection, path: Path) -> int:
    """The number of the last row, -1 without any. Where the file's end is damaged: a number not below it."""
    with suppress(sqlite3.DatabaseError):
        found = db.execute("SELECT max(n) FROM input").fetchone()[0]
        return -1 if found is None else int(found)
    last = -1
    for first in range(0, path.stat().st_size // _ROW_MIN_BYTES + CHUNK_ROWS, CHUNK_ROWS):
        with suppress(sqlite3.DatabaseError):
            if db.execute("SELECT n FROM input WHERE n = ?", (first,)).fetchone():
                last = first + CHUNK_ROWS - 1
    return last


def chunks(db: sqlite3.Connection, seed: int, first: int, last: int) -> Iterator[Chunk]:
    """All readable rows from `first` to `last`, in order. A row that cannot be read or fails its check is only counted."""
    for start in range(first, last + 1, CHUNK_ROWS):
        stop = min(start + CHUNK_ROWS, last + 1)
        bodies = _fetch(db, start, stop)
        yield _checked(bodies, seed, start, stop)


def _fetch(db: sqlite3.Connection, start: int, stop: int) -> list[bytes]:
    """Bodies of rows start..stop-1, without those on pages that cannot be read: halve until they are cornered."""
    try:
        return list(
            chain.from_iterable(db.execute("SELECT body FROM input WHERE n >= ? AND n < ?", (start, stop)))
        )
    except sqlite3.DatabaseError:
        if stop - start <= 1:
            return []
    middle = (start + stop) // 2
    return _fetch(db, start, middle) + _fetch(db, middle, stop)


def _checked(bodies: list[bytes], seed: int, start: int, stop: int) -> Chunk:
    expected = stop - start
    try:
        whole = set(map(zlib.crc32, bodies, repeat(seed))) <= {RESIDUE}
    except TypeError:
        whole = False
    if not whole:
        bodies = [body for body in bodies if _passes(body, seed)]
    heads = np.frombuffer(b"".join([body[: ROW.size] for body in bodies]), ROW_DTYPE)
    if not np.array_equal(heads["n"], np.arange(start, stop)):
        n = heads["n"].astype(np.int64)
        in_place = (n >= start) & (n < stop) & (np.diff(n, prepend=-1) > 0)
        bodies = [body for body, good in zip(bodies, in_place, strict=True) if good]
        heads = heads[in_place]
    return Chunk(heads, bodies, expected - len(bodies))


def _passes(body: object, seed: int) -> bool:
    return isinstance(body, bytes) and len(body) >= _ROW_MIN_BYTES and zlib.crc32(body, seed) == RESIDUE


def _check_first_bytes(path: Path) -> None:
    if path.is_dir():
        raise InputFileError(
            f"{path} is a folder, not a session file.",
            f"Give a file in it; this lists them:  supple sessions {path}",
            path,
        )
    try:
        with path.open("rb") as file:
            first = file.read(len(schema.MAGIC))
    except OSError as error:
        raise InputFileError(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its rights.", path
        ) from error
    if not first:
        raise InputFileError(f"{path} is empty.", "Give a session file (.supple).", path)
    if first != schema.MAGIC:
        raise _foreign(path)


def _connect(path: Path) -> sqlite3.Connection:
    """A read-only connection, past the lost end of a truncated file too, that takes nothing large from a hostile one."""
    db = sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True, check_same_thread=False)
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, BODY_MAX_BYTES)
    db.execute("PRAGMA trusted_schema=OFF")
    # SQLite refuses a file shorter than its header says, unless told that the schema is being repaired.
    db.execute("PRAGMA writable_schema=ON")
    return db


def _check_schema(db: sqlite3.Connection, path: Path) -> None:
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if application != schema.APPLICATION_ID:
        raise _foreign(path)
    if version > schema.FORMAT_VERSION:
        raise InputFileError(
            f"{path} was written by a newer version of supple (format {version}, this one reads {schema.FORMAT_VERSION}).",
            "Install the newer version.",
            path,
        )
    tables = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'view')"))
    if any(tables.get(name) != statement for name, statement in schema.TABLES.items()):
        raise _foreign(path)


def _foreign(path: Path) -> InputFileError:
    return InputFileError(f"{path} is not a session file.", "Give a session file (.supple).", path)
