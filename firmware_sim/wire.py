"""spine1 as bytes, sending side: written from `docs/protocol.md` alone, like the receiver's own decoder.

All integers are little-endian; ticks are 1/32768 s of the sensor's clock.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

TICKS_PER_S = 32_768
SCHEMA = zlib.crc32(b"spine1 acc3 gyr3 i16")
NONE_YET = 0xFFFF_FFFF
"""A sequence number in STATE that does not exist yet."""
TX_DELTA_UNKNOWN = 0xFFFF

SAMPLE_BYTES = 12
FRAME_OVERHEAD_BYTES = 20
COMPACT_BYTES = 20
ATT_HEADER_BYTES = 3
MAX_SAMPLES_PER_FRAME = 10
STREAM_IMU = 0
FLAG_RETX = 0x01
FLAG_CLIPPED = 0x02

ERROR_SENSOR = 0x01
ERROR_MEMORY = 0x02
ERROR_BATTERY_LOW = 0x04
ERROR_OVERHEATED = 0x08

PLACEMENTS = {"any": 0, "lower_back": 1, "upper_back": 2, "sternum": 3, "waist": 4}

_INFO = struct.Struct("<BBHIQHHHHII")
_STATE = struct.Struct("<IIIIIIHhIHBB")
_FRAME_HEADER = struct.Struct("<BBBBHIIH")
_COMPACT_HEADER = struct.Struct("<HH")
_U32 = struct.Struct("<I")
_CTRL_REQUEST = struct.Struct("<BI")
_CTRL_ANSWER = struct.Struct("<BBI")


class Op(IntEnum):
    """Control operations."""

    HELLO = 0x01
    START = 0x02
    STOP = 0x03
    FETCH = 0x04
    ABORT = 0x05
    ACK = 0x06
    TIME_PING = 0x07
    IDENTIFY = 0x08
    ERASE = 0x09


class Result(IntEnum):
    """Results of a control operation."""

    SUCCESS = 1
    UNKNOWN_OP = 2
    INVALID_PARAMETER = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class Info:
    """What the sensor is. `rate_hz` is the nominal rate; a full scale is what the value 32768 stands for."""

    uid: int
    acc_full_scale_g: int
    gyr_full_scale_deg_s: int
    rate_hz: float
    placement: str
    ring_samples: int


@dataclass(frozen=True, slots=True)
class State:
    """How the sensor is. Sequence numbers are `NONE_YET` where there are none; `rate_hz` 0 where it is not sampling."""

    boot_id: int
    tick: int
    oldest_seq: int
    newest_seq: int
    acked_seq: int
    evicted: int
    rate_hz: float
    temperature_c: float
    clipped: int
    errors: int
    battery_percent: int


def pack_info(info: Info) -> bytes:
    """INFO, 32 bytes."""
    return _INFO.pack(
        1,
        0,
        0,
        SCHEMA,
        info.uid,
        info.acc_full_scale_g,
        info.gyr_full_scale_deg_s,
        round(info.rate_hz * 100),
        PLACEMENTS[info.placement],
        info.ring_samples,
        0,
    )


def pack_state(state: State) -> bytes:
    """STATE, 36 bytes."""
    return _STATE.pack(
        state.boot_id,
        state.tick,
        state.oldest_seq,
        state.newest_seq,
        state.acked_seq,
        state.evicted,
        round(state.rate_hz * 100),
        round(state.temperature_c * 100),
        state.clipped,
        state.errors,
        state.battery_percent,
        0,
    )


def samples_per_frame(mtu: int) -> int:
    """How many samples fit a frame at this MTU; 0 means that only compact frames do."""
    return max(0, min(MAX_SAMPLES_PER_FRAME, (mtu - ATT_HEADER_BYTES - FRAME_OVERHEAD_BYTES) // SAMPLE_BYTES))


def pack_frame(boot_id: int, seq: int, tick: int, tx_delta: int, samples: bytes, *, clipped: bool) -> bytes:
    """One LIVE frame around `samples` (n x 12 bytes, n >= 1)."""
    flags = FLAG_CLIPPED if clipped else 0
    n = len(samples) // SAMPLE_BYTES
    body = _FRAME_HEADER.pack(1, flags, STREAM_IMU, n, boot_id & 0xFFFF, seq, tick, tx_delta) + samples
    return body + _U32.pack(zlib.crc32(body, boot_id))


def pack_compact(boot_id: int, seq: int, tick: int, sample: bytes) -> bytes:
    """One compact frame, 20 bytes, around one sample of 12."""
    body = _COMPACT_HEADER.pack(seq & 0xFFFF, tick & 0xFFFF) + sample
    return body + _U32.pack(zlib.crc32(body, boot_id))


def unpack_request(payload: bytes) -> tuple[int, int, bytes] | None:
    """(op, nonce, parameters) of a control write, or None where it is too short to hold them."""
    if len(payload) < _CTRL_REQUEST.size:
        return None
    op, nonce = _CTRL_REQUEST.unpack_from(payload)
    return op, nonce, payload[_CTRL_REQUEST.size :]


def pack_answer(op: int, result: Result, nonce: int, values: bytes = b"") -> bytes:
    """The indication that answers a control write."""
    return _CTRL_ANSWER.pack(0x80 | op, result, nonce) + values
