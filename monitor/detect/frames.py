"""Frames: rows of the primary sensor cut into equal frames, aligned to the first row after a gap, whatever the blocks.

A detector is a `FrameLogic` run by `FrameStage`. What a frame settles is given out *before* the block that holds the
frame's last row. So a later detector that is handed a block has already been handed every event with `decided_s` up
to the block's end, and none after it: it reaches the same answer for any cut of the stream.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import REZEROED, Beat, Gap, MountSet, Posture, PostureState, Record, Slip
from monitor.core.inputs import BoolArray, FloatArray, Mark

LOST_AFTER_S = 2.0  # a gap longer than this leaves the posture unknown [I]
ROUNDING = 1e-6  # a frame is never longer than asked for, so that delays counted in frames hold
MEASURED_SHARE = 0.5  # a frame with fewer measured rows than this is no evidence [I]


class Frames(NamedTuple):
    """`start_s`, `end_s` (m,) time of the first and last row; `x` (c, m, k) columns; `measured` (m,); `frame_s` length."""

    start_s: FloatArray
    end_s: FloatArray
    x: FloatArray
    measured: BoolArray
    frame_s: float


class FrameLogic(Protocol):
    """What a detector does with frames. Sums over the last axis of `Frames.x` keep the cut law, others may not."""

    frame_s: float

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        """The columns (n,) this logic looks at, elementwise from the block."""
        ...

    def frames(self, frames: Frames) -> list[Record]:
        """Take the next whole frames, in order."""
        ...

    def notice(self, record: Record) -> None:
        """See any record but rows, gaps and beats, in its place; a mount after `lost`."""
        ...

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:
        """Evidence ends at `t_s`: a long gap, or (`mount_too`) a sensor that slipped, was re-attached or re-mounted."""
        ...

    def close(self, t_s: float) -> list[Record]:
        """No more will come; `t_s` is the last row's time."""
        ...


class FrameStage:
    """A Stage around a FrameLogic. Short gaps are bridged with unmeasured copies of the last frame."""

    def __init__(self, logic: FrameLogic) -> None:
        self._logic = logic
        self._primary = ""
        self._rate_hz = math.nan
        self._held: FloatArray | None = None
        self._last_frame: FloatArray | None = None
        self._frame_end_s = math.nan
        self._row_s = math.nan

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        for item in items:
            if isinstance(item, Beat):
                pass
            elif isinstance(item, TrunkBlock):
                if self._is_primary(item.sensor) and len(item):
                    out.extend(self._block(item))
            elif isinstance(item, Gap):
                if self._is_primary(item.sensor):
                    out.extend(self._gap(item))
            elif isinstance(item, (MountSet, Slip)):
                if self._is_primary(item.sensor):
                    if isinstance(item, Slip) or item.source != REZEROED:
                        out.extend(self._lose(self._row_s, mount_too=True))
                    self._logic.notice(item)
            else:
                if isinstance(item, Mark):
                    out.extend(self._mark(item))
                self._logic.notice(item)
            out.append(item)
        return out

    def close(self) -> list[Record]:
        return [] if math.isnan(self._row_s) else self._logic.close(self._row_s)

    def _is_primary(self, sensor: str) -> bool:
        return not self._primary or sensor == self._primary

    def _mark(self, mark: Mark) -> list[Record]:
        if mark.kind == "sensor" and mark.value.get("primary"):
            self._primary = str(mark.value["sensor"])
        if mark.kind == "attached" and self._is_primary(str(mark.value.get("sensor", self._primary))):
            return self._lose(self._row_s, mount_too=True)
        return []

    def _lose(self, t_s: float, *, mount_too: bool) -> list[Record]:
        self._held = self._last_frame = None
        return [] if math.isnan(t_s) else self._logic.lost(t_s, mount_too=mount_too)

    def _gap(self, gap: Gap) -> list[Record]:
        self._held = None
        if gap.end_s - gap.start_s > LOST_AFTER_S:
            return self._lose(gap.start_s, mount_too=False)
        if self._last_frame is None:
            return []
        frame_s = self._last_frame.shape[2] / self._rate_hz
        count = int((gap.end_s - self._frame_end_s) / frame_s)
        if count < 1:
            return []
        end_s = self._frame_end_s + frame_s * np.arange(1, count + 1)
        self._frame_end_s = float(end_s[-1])
        copies = np.ascontiguousarray(np.repeat(self._last_frame, count, axis=1))
        return self._logic.frames(Frames(end_s - frame_s, end_s, copies, np.zeros(count, bool), frame_s))

    def _block(self, block: TrunkBlock) -> list[Record]:
        if block.rate_hz != self._rate_hz:
            self._rate_hz = block.rate_hz
            self._held = self._last_frame = None
        self._row_s = float(block.t_s[-1])
        columns = (block.t_s, block.ok, *self._logic.columns(block))
        held = 0 if self._held is None else self._held.shape[1]
        rows = np.empty((len(columns), held + len(block)))
        if self._held is not None:
            rows[:, :held] = self._held
        for row, column in zip(rows, columns, strict=True):
            row[held:] = column
        k = max(1, int(self._logic.frame_s * block.rate_hz + ROUNDING))
        count = rows.shape[1] // k
        if not count:
            self._held = rows
            return []
        self._held = rows[:, count * k :].copy()
        x = rows[:, : count * k].reshape(len(rows), count, k)
        measured = x[1].sum(axis=1) >= MEASURED_SHARE * k
        start_s, end_s = x[0, :, 0].copy(), x[0, :, -1].copy()
        self._frame_end_s = float(end_s[-1])
        self._last_frame = x[2:, -1:].copy()
        return self._logic.frames(Frames(start_s, end_s, x[2:], measured, k / block.rate_hz))


class PendingStates(deque[PostureState]):
    """Posture states waiting for the row time at which they were decided. They arrive, and are taken, in that order."""

    def due(self, t_s: float) -> list[PostureState]:
        """Take out the states decided up to `t_s`."""
        out: list[PostureState] = []
        while self and self[0].decided_s <= t_s:
            out.append(self.popleft())
        return out


class PostureFollower:
    """The posture known at a frame's end, from the PostureState events seen so far."""

    def __init__(self) -> None:
        self._pending = PendingStates()
        self.state = Posture.UNKNOWN

    def notice(self, record: Record) -> None:
        if isinstance(record, PostureState):
            self._pending.append(record)

    def at(self, t_s: float) -> Posture:
        """The state settled by `t_s`. Call with times that do not decrease."""
        if self._pending and self._pending[0].decided_s <= t_s:
            self.state = self._pending.due(t_s)[-1].state
        return self.state


@lru_cache(maxsize=1)
def sizes(block: TrunkBlock) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(|acc|, |acc|^2, |rate|^2) of each row, kept for the detectors that look at the same block one after the other."""
    acc, rate = block.acc, block.rate_deg_s
    square = acc[:, 0] * acc[:, 0] + acc[:, 1] * acc[:, 1] + acc[:, 2] * acc[:, 2]
    rate2 = rate[:, 0] * rate[:, 0] + rate[:, 1] * rate[:, 1] + rate[:, 2] * rate[:, 2]
    found = (np.sqrt(square), square, rate2)
    for column in found:
        column.flags.writeable = False
    return found


def column_sums(x: FloatArray) -> FloatArray:
    """Sums over the last axis of (..., k), row by row: keeps the cut law and is quick where k is small."""
    total: FloatArray = x[..., 0].copy()
    for row in range(1, x.shape[-1]):
        total += x[..., row]
    return total


def unit_mean(x: FloatArray) -> FloatArray:
    """Mean directions (3, m) of unit vectors (3, m, k)."""
    mean = x.sum(axis=2)
    norm = np.sqrt(mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2])
    with np.errstate(invalid="ignore", divide="ignore"):
        direction: FloatArray = mean / norm
    return direction
