"""The bytes of spine1 (docs/protocol.md): fixed records and frames, without state."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

TICK_HZ = 32768
SCHEMA = crc32(b"spine1 acc3 gyr3 i16")
FRAME_VERSION = 1
FRAME_OVERHEAD = 20
SAMPLE_BYTES = 12
COMPACT_BYTES = 20
RETX = 0x01
CLIPPED = 0x02
NO_TX_DELTA = 0xFFFF
NO_SEQ = 0xFFFFFFFF
RESERVED_I16 = -32768
CLIPPED_I16 = 32767
OP_START = 0x02
OP_STOP = 0x03
OP_TIME_PING = 0x07
RESULT_SUCCESS = 1
ANSWER = 0x80
CRC_RESIDUE = 0x2144DF1C
"""CRC-32 of any message followed by its own CRC-32, whatever the initial value."""

_INFO = struct.Struct("<BBHIQHHHHII")
_STATE = struct.Struct("<IIIIIIHhIHBB")
_SHORT_STATE = struct.Struct("<IIIII")
STATE_ERRORS = ("sensor_error", "memory_error", "battery_low", "overheated")

Int16Array = npt.NDArray[np.int16]
Int64Array = npt.NDArray[np.int64]


class Info(NamedTuple):
    """What the sensor is: scales in units per count, rate in Hz."""

    uid: int
    acc_g_per_count: float
    gyr_deg_s_per_count: float
    rate_hz: float


class Health(NamedTuple):
    """The part of STATE that only its whole form has. `errors` are bits, named in STATE_ERRORS."""

    temperature_c: float
    clip_count: int
    errors: int
    battery_percent: int


class State(NamedTuple):
    """How the sensor is. `rate_hz` 0: not sampling, or not said. `health` is None in the short form of MTU 23."""

    boot: int
    tick: int
    newest_seq: int
    rate_hz: float
    health: Health | None


def parse_info(payload: bytes) -> Info | str:
    """INFO, or the kind of fault that makes it unusable."""
    if len(payload) != _INFO.size:
        return "length"
    major, _, flags, schema, uid, acc_g, gyr_deg_s, rate, _, _, _ = _INFO.unpack(payload)
    if major != 1:
        return "version"
    if schema != SCHEMA:
        return "schema"
    if flags & 1:
        return "authenticated"
    if not (acc_g and gyr_deg_s and rate):
        return "scale"
    return Info(uid, acc_g / 32768, gyr_deg_s / 32768, rate / 100)


def parse_state(payload: bytes) -> State | str:
    """STATE whole, or the first 20 bytes of it that MTU 23 leaves; else the kind of fault that makes it unusable."""
    if len(payload) == _SHORT_STATE.size:
        boot, tick, _, newest, _ = _SHORT_STATE.unpack(payload)
        return State(boot, tick, newest, 0.0, None)
    if len(payload) != _STATE.size:
        return "length"
    boot, tick, _, newest, _, _, rate, temperature, clips, errors, battery, _ = _STATE.unpack(payload)
    return State(boot, tick, newest, rate / 100, Health(temperature / 100, clips, errors, battery))


def started_rate_hz(payload: bytes) -> float | None:
    """The rate of a successful START's answer, else None."""
    if len(payload) < 8 or payload[0] != ANSWER | OP_START or payload[1] != RESULT_SUCCESS:
        return None
    rate: int = struct.unpack_from("<H", payload, 6)[0]
    return rate / 100 if rate else None


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Good frames of one boot in the order they arrived.

    `index` where each was among the payloads given; `seq`, `tick` (32 bits), `n`, `tx` (ticks, -1 unknown), `retx`,
    `clipped`, one value per frame; `samples` (sum of n, 6) counts, acc then gyr. A compact frame has its low 16 bits
    only in `seq` and `tick`, and is marked in `compact`.
    """

    index: Int64Array
    seq: Int64Array
    tick: Int64Array
    n: Int64Array
    tx: Int64Array
    retx: npt.NDArray[np.bool_]
    clipped: npt.NDArray[np.bool_]
    compact: npt.NDArray[np.bool_]
    samples: Int16Array

    def only(self, chosen: npt.NDArray[np.bool_]) -> Frames:
        """The chosen frames with their samples."""
        rows = np.repeat(chosen, self.n)
        return Frames(
            self.index[chosen],
            self.seq[chosen],
            self.tick[chosen],
            self.n[chosen],
            self.tx[chosen],
            self.retx[chosen],
            self.clipped[chosen],
            self.compact[chosen],
            self.samples[rows],
        )


def parse_frames(payloads: Sequence[bytes], boot: int) -> tuple[Frames, list[tuple[int, str]]]:
    """All good frames, and (index, kind of fault) of each bad one: `length`, `version`, `n`, `stream`, `boot`, `crc`."""
    alike = _all_alike(payloads, boot)
    if alike is not None:
        return alike, []
    total = len(payloads)
    lengths = np.fromiter(map(len, payloads), dtype=np.int64, count=total)
    head = np.zeros((total, 7), dtype=np.int64)
    head[:, 4] = -1
    kinds = np.full(total, "", dtype="U8")
    parts: list[tuple[Int64Array, Int16Array]] = []
    whole_crc = np.fromiter(map(crc32, payloads, repeat(boot)), dtype=np.int64, count=total)
    for length in np.unique(lengths).tolist():
        index = np.flatnonzero(lengths == length)
        count, rest = divmod(length - FRAME_OVERHEAD, SAMPLE_BYTES)
        if length < COMPACT_BYTES or rest:
            kinds[index] = "length"
            continue
        chosen = payloads if len(index) == total else [payloads[i] for i in index.tolist()]
        raw = np.frombuffer(b"".join(chosen), dtype=_frame_type(count))
        if count:
            _full(raw, index, count, boot & 0xFFFF, head, kinds)
        else:
            head[index, 0], head[index, 1], head[index, 2], head[index, 6] = raw["seq"], raw["tick"], 1, 1
        kinds[index] = np.where((kinds[index] == "") & (whole_crc[index] != CRC_RESIDUE), "crc", kinds[index])
        parts.append((index, raw["samples"]))
    good = kinds == ""
    faults = [(i, str(kinds[i])) for i in np.flatnonzero(~good).tolist()]
    kept = head[good]
    tx, retx, clipped = kept[:, 4], (kept[:, 3] & RETX) > 0, (kept[:, 3] & CLIPPED) > 0
    samples = _in_order(parts, head[:, 2], good)
    index = np.flatnonzero(good)
    return Frames(
        index, kept[:, 0], kept[:, 1], kept[:, 2], tx, retx, clipped, kept[:, 6] > 0, samples
    ), faults


def _all_alike(payloads: Sequence[bytes], boot: int) -> Frames | None:
    """The frames where all are good, full and of one length, as nearly always; None where one is not."""
    total, length = len(payloads), len(payloads[0])
    count, rest = divmod(length - FRAME_OVERHEAD, SAMPLE_BYTES)
    if count < 1 or rest or set(map(len, payloads)) != {length}:
        return None
    if set(map(crc32, payloads, repeat(boot))) != {CRC_RESIDUE}:
        return None
    raw = np.frombuffer(b"".join(payloads), dtype=_frame_type(count))
    as_told = ((raw["boot"] == boot & 0xFFFF) & (raw["stream"] == 0)) & (
        (raw["n"] == count) & (raw["version"] == FRAME_VERSION)
    )
    if not as_told.all():
        return None
    return Frames(
        index=np.arange(total),
        seq=raw["seq"].astype(np.int64),
        tick=raw["tick"].astype(np.int64),
        n=np.full(total, count, dtype=np.int64),
        tx=np.where(raw["tx"] == NO_TX_DELTA, -1, raw["tx"].astype(np.int64)),
        retx=(raw["flags"] & RETX) > 0,
        clipped=(raw["flags"] & CLIPPED) > 0,
        compact=np.zeros(total, dtype=bool),
        samples=raw["samples"].reshape(-1, 6),
    )


def _full(raw: Any, index: Int64Array, count: int, boot_lo: int, head: Int64Array, kinds: Any) -> None:
    head[index, 0], head[index, 1], head[index, 2], head[index, 3] = (
        raw["seq"],
        raw["tick"],
        count,
        raw["flags"],
    )
    head[index, 4] = np.where(raw["tx"] == NO_TX_DELTA, -1, raw["tx"].astype(np.int64))
    checks = (
        ("boot", raw["boot"] != boot_lo),
        ("stream", raw["stream"] != 0),
        ("n", raw["n"] != count),
        ("version", raw["version"] != FRAME_VERSION),
    )
    for kind, bad in checks:
        if bad.any():
            kinds[index[bad]] = kind


def _in_order(
    parts: list[tuple[Int64Array, Int16Array]], n: Int64Array, good: npt.NDArray[np.bool_]
) -> Int16Array:
    """The samples of the good frames, one below the other in the order of arrival."""
    if len(parts) == 1 and good.all():
        return parts[0][1].reshape(-1, 6)
    rows = np.where(good, n, 0)
    starts = np.cumsum(rows) - rows
    out = np.empty((int(rows.sum()), 6), dtype=np.int16)
    for index, samples in parts:
        chosen = good[index]
        place = starts[index[chosen]][:, None] + np.arange(samples.shape[1])
        out[place.ravel()] = samples[chosen].reshape(-1, 6)
    return out


@cache
def _frame_type(count: int) -> np.dtype[Any]:
    if count == 0:
        return np.dtype([("seq", "<u2"), ("tick", "<u2"), ("samples", "<i2", (1, 6)), ("tag", "<u4")])
    return np.dtype(
        [
            ("version", "u1"),
            ("flags", "u1"),
            ("stream", "u1"),
            ("n", "u1"),
            ("boot", "<u2"),
            ("seq", "<u4"),
            ("tick", "<u4"),
            ("tx", "<u2"),
            ("samples", "<i2", (count, 6)),
            ("tag", "<u4"),
        ]
    )
