"""One SHA-256 for a stream of records, blind to how the stream was cut into blocks.

Per kind of record, sensor and column one running hash over the column's values in order; the digest is the hash of those
hashes in the order of their names. Inputs are left out: they carry their own checksums in the session file.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from monitor.core.blocks import ImuBlock, LumbarBlock, PoseBlock, TrunkBlock
from monitor.core.events import Record
from monitor.core.inputs import Mark, Packet, Rows, Tick

_LEFT_OUT = (Packet, Mark, Tick, Rows, ImuBlock, PoseBlock)


class StreamDigest:
    """Fold records with `push`; `hexdigest` at any moment."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, str], Any] = {}
        self._counts: dict[str, int] = {}

    def push(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, _LEFT_OUT):
                continue
            kind = type(record).__name__
            block = isinstance(record, (TrunkBlock, LumbarBlock))
            sensor = getattr(record, "sensor", None)
            if sensor is not None:
                # Two sensors' records interleave as the stream was cut; each sensor's own order does not.
                kind = f"{kind} {sensor}"
            for name in record.__dataclass_fields__:
                value = getattr(record, name)
                if isinstance(value, np.ndarray):
                    self._column(kind, name).update(np.ascontiguousarray(value).data)
                elif not block:
                    self._column(kind, name).update(_encode(value))
            rows = len(record) if isinstance(record, (TrunkBlock, LumbarBlock)) else 1
            self._counts[kind] = self._counts.get(kind, 0) + rows

    def by_kind(self) -> dict[str, str]:
        """Hex digest per kind of record."""
        out: dict[str, str] = {}
        for kind in sorted(self._counts):
            total = hashlib.sha256(str(self._counts[kind]).encode())
            for key in sorted(k for k in self._columns if k[0] == kind):
                total.update(key[1].encode() + self._columns[key].digest())
            out[kind] = total.hexdigest()
        return out

    def hexdigest(self) -> str:
        total = hashlib.sha256()
        for kind, digest in self.by_kind().items():
            total.update(f"{kind} {digest}\n".encode())
        return total.hexdigest()

    def _column(self, kind: str, name: str) -> Any:
        key = (kind, name)
        if key not in self._columns:
            self._columns[key] = hashlib.sha256()
        return self._columns[key]


def _encode(value: object) -> bytes:
    """Bytes of one cell, self-delimiting so that neighbouring cells cannot merge."""
    if isinstance(value, float):
        return b"f" + struct.pack("<d", value)
    if isinstance(value, bool):
        return b"t" if value else b"n"
    if isinstance(value, int):
        return b"i" + str(value).encode() + b";"
    if isinstance(value, Mapping):
        text = json.dumps(dict(value), sort_keys=True)
    else:
        text = "" if value is None else str(value)
    raw = text.encode()
    return b"s" + struct.pack("<I", len(raw)) + raw
