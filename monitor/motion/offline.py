"""Angles once more, from a filter that sees the future of each row too; in bounded memory, ten minutes behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from vqf import offlineVQF

from monitor.core.blocks import TrunkBlock, freeze, take
from monitor.core.events import Gap, MountSet, Record
from monitor.core.inputs import FloatArray
from monitor.core.quaternion import multiply, to_matrix, up_in_source
from monitor.motion.orient import BIAS_WANDERS_IN_S, ROWS_BEFORE, mean_rate
from monitor.motion.tilt import DEG_PER_RAD, tilt_deg
from monitor.motion.turn import turned

WINDOW_S = 600.0
OVERLAP_S = 300.0
"""Half of it on either side of a seam: there the filter's own ends, some minutes long, have faded."""
SHORTEST_S = 2.0
"""Shorter pieces keep their causal angles: there is no future to learn from."""
BIAS_LEFT_DEG_S = 0.05
"""What the causal filter, whose bias is taken out already, leaves. A window that believes more finds its own at its ends."""
_PARAMETERS = {"biasSigmaInit": BIAS_LEFT_DEG_S, "biasForgettingTime": BIAS_WANDERS_IN_S}


class OfflineAngles:
    """TrunkBlock -> TrunkBlock, as late as a window is long, with orientation, inclination, flexion and lateral bend from
    the non-causal filter, fed the same mean rate as the causal one, under the mount that was in force at each row. What
    was told live stands beside them in `live_deg`. The uncertainty stays the causal one: most of it is the skin's.

    Rotation and rates stay causal: rotation is counted from still moments, which do not change. So do all columns of rows
    without a gyroscope and of pieces shorter than 2 s. Everything but trunk blocks passes at once, in its place; a Gap or
    the end gives out what was held of its sensor.
    """

    def __init__(self, window_s: float = WINDOW_S, overlap_s: float = OVERLAP_S) -> None:
        """`overlap_s` < `window_s`."""
        self._window_s, self._overlap_s = window_s, overlap_s
        self._mounts: dict[str, MountSet] = {}
        self._pieces: dict[str, _Piece] = {}

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        for item in items:
            if isinstance(item, TrunkBlock):
                if len(item):
                    self._block(item, out)
                continue
            if isinstance(item, MountSet):
                self._mounts[item.sensor] = item
            elif isinstance(item, Gap) and item.sensor in self._pieces:
                self._pieces.pop(item.sensor).finish(out)
            out.append(item)
        return out

    def close(self) -> list[Record]:
        out: list[Record] = []
        for piece in self._pieces.values():
            piece.finish(out)
        self._pieces.clear()
        return out

    def _block(self, block: TrunkBlock, out: list[Record]) -> None:
        piece = self._pieces.get(block.sensor)
        if piece is None or piece.rate_hz != block.rate_hz:
            if piece is not None:
                piece.finish(out)
            piece = _Piece(block.rate_hz, self._window_s, self._overlap_s)
            self._pieces[block.sensor] = piece
        piece.push(block, self._mounts.get(block.sensor), out)


@dataclass(eq=False)
class _Held:
    """Rows waiting, and what the filter is fed of them: rate and specific force in sensor axes."""

    block: TrunkBlock
    mount: MountSet | None
    rate: FloatArray
    acc: FloatArray


@dataclass(eq=False)
class _Piece:
    """Rows of one sensor without a gap. The next window begins at row `_next_window` of those held; the first `_given` have
    gone out already, `_seam` being the orientation of the next.
    """

    rate_hz: float
    window_s: float
    overlap_s: float
    _held: list[_Held] = field(default_factory=list)
    _rows: int = 0
    _given: int = 0
    _next_window: int = 0
    _before: FloatArray | None = None
    _seam: FloatArray | None = None

    def push(self, block: TrunkBlock, mount: MountSet | None, out: list[Record]) -> None:
        if not np.isfinite(block.rate_deg_s[0, 0]):
            out.append(_refined(block, mount, None))  # no gyroscope: and so is every row up to the next gap
            return
        window, overlap = round(self.window_s * self.rate_hz), round(self.overlap_s * self.rate_hz)
        rate, acc = _in_sensor_axes(block, mount)
        if self._before is None:
            self._before = np.repeat(rate[:1], ROWS_BEFORE, axis=0)
        rate = np.concatenate((self._before, rate))
        self._before = rate[-ROWS_BEFORE:].copy()
        rate = mean_rate(rate, self.rate_hz)
        while len(block):
            n = min(self._next_window + window - self._rows, len(block))
            now, block = take(block, slice(0, n)), take(block, slice(n, None))
            self._held.append(_Held(now, mount, rate[:n], acc[:n]))
            rate, acc = rate[n:], acc[n:]
            self._rows += n
            if self._rows == self._next_window + window:
                # What lies before the window stays until it is full: at the end of the piece it is the last one's past.
                self._forget(self._next_window)
                self._settle(window - overlap // 2, out)
                self._next_window = window - overlap

    def finish(self, out: list[Record]) -> None:
        """Everything held goes out."""
        if self._rows > self._given:
            self._settle(self._rows, out)

    def _settle(self, until: int, out: list[Record]) -> None:
        """Give out the rows of the window up to `until`, those behind being the future they are told from."""
        quat = None if self._rows < SHORTEST_S * self.rate_hz else self._filtered()
        start = 0
        for held in self._held:
            stop = start + len(held.block)
            rows = slice(max(start, self._given), min(stop, until))
            if rows.start < rows.stop:
                block = take(held.block, slice(rows.start - start, rows.stop - start))
                out.append(_refined(block, held.mount, None if quat is None else quat[rows]))
            start = stop
        self._given = until
        if quat is not None:
            self._seam = quat[until : until + 1].copy()

    def _filtered(self) -> FloatArray:
        """Sensor -> earth of the window's rows, its heading that of the rows given out before."""
        rate = np.concatenate([held.rate for held in self._held])
        acc = np.concatenate([held.acc for held in self._held])
        quat: FloatArray = offlineVQF(rate, acc, None, 1.0 / self.rate_hz, _PARAMETERS)["quat6D"]
        known, row = (self._held[0].block.quat[:1], 0) if self._seam is None else (self._seam, self._given)
        between = multiply(known, quat[row] * np.array((1.0, -1.0, -1.0, -1.0)))
        half = np.arctan2(between[0, 3], between[0, 0])
        return multiply(np.array((np.cos(half), 0.0, 0.0, np.sin(half))), quat)

    def _forget(self, rows: int) -> None:
        """The window moves on by so many rows."""
        left: list[_Held] = []
        start = 0
        for held in self._held:
            stop = start + len(held.block)
            if stop > rows:
                kept = slice(max(rows - start, 0), None)
                left.append(_Held(take(held.block, kept), held.mount, held.rate[kept], held.acc[kept]))
            start = stop
        self._held = left
        self._rows -= rows
        self._given -= rows


def _in_sensor_axes(block: TrunkBlock, mount: MountSet | None) -> tuple[FloatArray, FloatArray]:
    """Rate in rad/s and specific force, (n,3) each, so that a new mount is no jump."""
    back = np.eye(3) if mount is None or not _is_mounted(block) else to_matrix(np.array(mount.quat)).T
    return turned(back / DEG_PER_RAD, block.rate_deg_s), np.ascontiguousarray(turned(back, block.acc))


def _is_mounted(block: TrunkBlock) -> bool:
    """Without a mount in force there is no inclination, and the vectors are in sensor axes."""
    return bool(np.isfinite(block.inclination_deg[0]))


def _refined(block: TrunkBlock, mount: MountSet | None, quat: FloatArray | None) -> TrunkBlock:
    """The rows with sensor -> earth as the future tells it, None where there is none."""
    live = np.stack((block.inclination_deg, block.flexion_deg, block.lateral_deg), axis=1)
    if quat is None:
        return freeze(replace(block, live_deg=live))
    up = up_in_source(quat)
    if mount is None or not _is_mounted(block):
        return freeze(replace(block, quat=quat.copy(), up=up, live_deg=live))
    up = turned(to_matrix(np.array(mount.quat)), up)
    inclination, flexion, lateral = tilt_deg(up)
    known = np.isfinite(block.flexion_deg)
    return freeze(
        replace(
            block,
            quat=quat.copy(),
            up=up,
            inclination_deg=inclination,
            flexion_deg=np.where(known, flexion, np.nan),
            lateral_deg=np.where(known, lateral, np.nan),
            live_deg=live,
        )
    )
