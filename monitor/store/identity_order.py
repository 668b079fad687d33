"""Where packets that came late belong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.store.rows import Chunk
from monitor.store.schema import PACKET

Key = tuple[int, int, int]
"""Sensor name, boot, stream."""
IntArray = npt.NDArray[np.int64]


class Moves(NamedTuple):
    """Row numbers: `before[n]` go right before row n, in that order; `away` are left out at their own place."""

    before: dict[int, list[int]]
    away: frozenset[int]


def find_moves(chunks: Iterable[Chunk]) -> Moves:
    """One pass over a session. A late packet's place is the first arrival of a larger seq of the same key."""
    tracks: dict[Key, list[tuple[IntArray, IntArray]]] = {}
    for chunk in chunks:
        heads = chunk.heads[(chunk.heads["kind"] == PACKET) & (chunk.heads["identified"] == 1)]
        keys, members = np.unique(heads[["sensor", "boot", "stream"]], return_inverse=True)
        for k, key in enumerate(keys.tolist()):
            mine = heads[members == k]
            tracks.setdefault(key, []).append((mine["n"].astype(np.int64), mine["seq"].astype(np.int64)))
    before: dict[int, list[tuple[int, int]]] = {}
    for pieces in tracks.values():
        n = np.concatenate([piece[0] for piece in pieces])
        seq = np.concatenate([piece[1] for piece in pieces])
        highest = np.maximum.accumulate(seq)
        late = np.flatnonzero(seq < highest)
        targets = n[np.searchsorted(highest, seq[late], side="right")]
        for target, packet_seq, source in zip(
            targets.tolist(), seq[late].tolist(), n[late].tolist(), strict=True
        ):
            before.setdefault(target, []).append((packet_seq, source))
    ordered = {target: [source for _, source in sorted(sources)] for target, sources in before.items()}
    return Moves(ordered, frozenset(source for sources in ordered.values() for source in sources))
