"""What a session file is: an SQLite database, its tables, and the bytes of one row.

A row's `body` is header (`ROW`), payload, CRC-32 in this order. The CRC is seeded with the file's own random seed and
covers header and payload; running it over a whole body, CRC included, gives `RESIDUE`, so a check is one call. The
columns beside `body` repeat its identity for queries in SQL; readers trust `body` alone.
"""

from __future__ import annotations

import json
import struct
import zlib
from functools import lru_cache
from typing import Any

import numpy as np

from monitor.core.errors import StorageError
from monitor.core.inputs import Mark, Tick

SUFFIX = ".supple"
APPLICATION_ID = 0x53_50_4C_31
"""`SPL1` in the database header: tells a session file from any other SQLite database."""
FORMAT_VERSION = 1
MAGIC = b"SQLite format 3\x00"

TABLES = {
    "header": "CREATE TABLE header (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL)",
    "name": "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL, crc INTEGER NOT NULL)",
    "input": "CREATE TABLE input (n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, sensor INTEGER, boot INTEGER, "
    "stream INTEGER, seq INTEGER, body BLOB NOT NULL)",
    "gap": "CREATE TABLE gap (sensor TEXT NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL, reason TEXT NOT NULL)",
}

PACKET, MARK, TICK = 1, 2, 3

ROW = struct.Struct("<IBBHHBxdQQ")
"""n, kind, has identity, sensor name, channel name, stream, t_host_s, boot, seq."""
ROW_DTYPE = np.dtype(
    {
        "names": ["n", "kind", "identified", "sensor", "channel", "stream", "t_host_s", "boot", "seq"],
        "formats": ["<u4", "u1", "u1", "<u2", "<u2", "u1", "<f8", "<u8", "<u8"],
        "offsets": [0, 4, 5, 6, 8, 10, 12, 20, 28],
        "itemsize": 36,
    }
)
CRC = struct.Struct("<I")
TICK_HEAD = struct.Struct("<di")
RESIDUE = 0x2144DF1C
"""CRC-32 of anything followed by its own little-endian CRC-32, whatever the seed (a property of the polynomial)."""
BODY_MAX_BYTES = 65_536
"""A radio value has at most 512 bytes; marks are small. Larger rows are refused, on writing and on reading."""
NAMES_MAX = 4_096
NAME_IDS = 1 << 16
"""A head has 16 bits for each of its two names."""


def text_crc(seed: int, *parts: object) -> int:
    """Checksum of a row of text cells."""
    return zlib.crc32("\x00".join(str(part) for part in parts).encode(), seed)


def seal(header: bytes, payload: bytes, seed: int) -> bytes:
    """The body of a row. Raises StorageError where it would be too large to be read back."""
    bare = header + payload
    if len(bare) > BODY_MAX_BYTES - CRC.size - 64:
        raise StorageError(
            "A single input is too large to be recorded.", "Shorten the setting or note.", len(bare)
        )
    return bare + CRC.pack(zlib.crc32(bare, seed))


def mark_payload(mark: Mark) -> bytes:
    return json.dumps([mark.kind, dict(mark.value)]).encode()


def tick_payload(tick: Tick) -> bytes:
    return TICK_HEAD.pack(tick.wall_s, tick.utc_offset_s) + json.dumps(list(tick.connected)).encode()


def other_input(kind: int, t_host_s: float, payload: bytes) -> Mark | Tick | None:
    """The mark or tick of a checked row; None for a kind or content this version does not know."""
    try:
        if kind == MARK:
            name, value = json.loads(payload)
            return Mark(t_host_s, str(name), dict(value))
        if kind == TICK:
            wall_s, utc_offset_s = TICK_HEAD.unpack_from(payload)
            return Tick(t_host_s, wall_s, utc_offset_s, _connected(payload[TICK_HEAD.size :]))
    except (ValueError, TypeError, struct.error, RecursionError):
        return None
    return None


@lru_cache(maxsize=64)
def _connected(text: bytes) -> tuple[str, ...]:
    return tuple(json.loads(text))


HeaderValues = dict[str, Any]
