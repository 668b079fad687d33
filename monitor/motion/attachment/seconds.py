"""Rows of one sensor told off in whole seconds: walking, quiet, or something else. Needs no mount."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from monitor.core.blocks import PoseBlock
from monitor.core.inputs import BoolArray, FloatArray
from monitor.motion.attachment.jumps import Jump, Jumps

FRAME_S = 0.1
"""Length of a frame; shorter where the rate asks for it [I]."""
SETTLING_S = 3
"""Seconds left out after a gap: the orientation filter starts anew, with a time constant of about 3 s."""
WALK_WINDOW_S = 4
"""Steps are looked for in this many seconds up to the present one: some seven of them [I]."""
WALK_SD_M_S2 = 0.06 * 9.80665
"""Standard deviation of the vertical acceleration in it (posture reference, R1, there of |acc|)."""
WALK_PERIODICITY = 0.45
"""Its autocorrelation at the best step time [I]."""
STEP_TIMES_S = (0.4, 1.3)
"""Step and stride times looked for [I]."""
QUIET_M_S2 = 0.02 * 9.80665
"""Largest standard deviation of the vertical acceleration in a quiet second (posture reference, R1)."""
QUIET_DEG = 1.5
"""Largest distance of the vertical from its mean within it [I]."""
KEPT_S = 16
"""History of frames, longer than any movement that is judged."""
ROUNDING = 1e-6


class Second(NamedTuple):
    """`row` of the block just given that ends it, at `t_s`; `up` mean vertical in sensor axes; `number` counts from the gap.

    `jumps`: those known since the second before, some two seconds old.
    """

    number: int
    row: int
    t_s: float
    up: tuple[float, float, float]
    walks: bool
    quiet: bool
    jumps: tuple[Jump, ...]


@dataclass(slots=True, eq=False)
class _Frames:
    """`vertical` (m,) specific force along the vertical, m/s2; `up` (3, m); the last whole second's end is the end."""

    vertical: FloatArray
    up: FloatArray


class Seconds:
    """One segment between gaps. `rows` gives the seconds that end in a block; `rise_m` looks back at their frames."""

    def __init__(self, rate_hz: float) -> None:
        self._k = max(1, int(FRAME_S * rate_hz + ROUNDING))
        self._frame_s = self._k / rate_hz
        self._per_second = max(1, round(1.0 / self._frame_s))
        self._held = np.empty(0)
        self._kept = _Frames(np.empty(0), np.empty((3, 0)))
        self._jumps = Jumps(self._frame_s)
        self._first_frame = 0
        self._number = 0

    def rows(self, pose: PoseBlock) -> Iterator[Second]:
        """The seconds that end in `pose`, in order. Take all of them before the next block."""
        k, s = self._k, self._per_second
        start = k - 1 - len(self._held)
        self._add(pose, start)
        held = self._number * s - self._first_frame
        count = (len(self._kept.vertical) - held) // s
        if not count:
            return
        frames = self._kept
        waiting = len(frames.vertical) - held - count * s
        new = slice(held, held + count * s)
        vertical = frames.vertical[new].reshape(count, s)
        up = frames.up[:, new].reshape(3, count, s)
        mean = _unit(up.sum(axis=2))
        quiet = self._quiet(vertical, up, mean)
        walks = self._walks(held, count)
        # The block's last whole frame is the last kept one; the rows of seconds are counted back from it.
        last_row = start + ((len(pose) - 1 - start) // k) * k
        jumps = self._jumps.find(frames.up, self._first_frame, (self._number + count) * s)
        rows = last_row - (waiting + s * np.arange(count - 1, -1, -1)) * k
        for row, t_s, (x, y, z), walking, still in zip(
            rows.tolist(),
            pose.imu.t_s[rows].tolist(),
            mean.T.tolist(),
            walks.tolist(),
            quiet.tolist(),
            strict=True,
        ):
            number = self._number
            self._number += 1
            settled = number >= SETTLING_S
            jumped = tuple(jump for jump in jumps if jump.frame // s == number) if jumps and settled else ()
            yield Second(number, row, t_s, (x, y, z), settled and walking, settled and still, jumped)
        spare = self._number * s - KEPT_S * s - self._first_frame
        if spare > 0:
            self._kept = _Frames(frames.vertical[spare:].copy(), frames.up[:, spare:].copy())
            self._first_frame += spare

    def rise_m(self, from_number: int, from_s: int, to_number: int) -> float:
        """How far the sensor rose from the `from_s` seconds from number `from_number` on to the second `to_number`.

        It is taken to be at no vertical speed in the mean over either; what is left of the accelerometer's errors is spread
        over the time between. NaN where the history does not reach back.
        """
        s, first = self._per_second, from_number * self._per_second - self._first_frame
        if first < 0 or to_number - from_number >= KEPT_S:
            return float("nan")
        force = self._kept.vertical[first : (to_number + 1) * s - self._first_frame].copy()
        before, n = from_s * s, len(force)
        speed = np.cumsum(force - force.sum() / n) * self._frame_s
        left, right = speed[:before].sum() / before, speed[n - s :].sum() / s
        middle = 0.5 * (before - 1.0)
        slope = (right - left) / (n - 0.5 * (s + 1.0) - middle)
        way = np.cumsum(speed - (left + slope * (np.arange(n) - middle))) * self._frame_s
        return float(way[n - s :].sum() / s - way[:before].sum() / before)

    def _add(self, pose: PoseBlock, start: int) -> None:
        """Whole frames onto the history; `start` is the row that ends the first one."""
        k = self._k
        acc, up = pose.imu.acc, pose.up
        rows = acc[:, 0] * up[:, 0] + acc[:, 1] * up[:, 1] + acc[:, 2] * up[:, 2]
        if len(self._held):
            rows = np.concatenate((self._held, rows))
        count = len(rows) // k
        self._held = rows[count * k :].copy()
        if count:
            frames = rows[: count * k].reshape(count, k).sum(axis=1) / k
            self._kept = _Frames(
                np.concatenate((self._kept.vertical, frames)),
                np.concatenate((self._kept.up, up[start::k].T), axis=1),
            )

    def _quiet(self, vertical: FloatArray, up: FloatArray, mean: FloatArray) -> BoolArray:
        s = vertical.shape[1]
        off = vertical - (vertical.sum(axis=1) / s)[:, None]
        moved = up - mean[:, :, None]
        far = (moved[0] * moved[0] + moved[1] * moved[1] + moved[2] * moved[2]).max(axis=1)
        quiet: BoolArray = ((off * off).sum(axis=1) / s <= QUIET_M_S2 * QUIET_M_S2) & (
            far <= np.radians(QUIET_DEG) ** 2
        )
        return quiet

    def _walks(self, held: int, count: int) -> BoolArray:
        """Whether each of `count` seconds ends a window of strong and periodic vertical acceleration."""
        s, window = self._per_second, WALK_WINDOW_S * self._per_second
        walks = np.zeros(count, bool)
        ends = held + s * np.arange(1, count + 1)
        whole = np.flatnonzero(ends >= window)
        if not len(whole):
            return walks
        # Sums over seconds, shared by the four windows they are in.
        first = int(ends[whole[0]]) - window
        force = self._kept.vertical[first : first + (len(whole) + WALK_WINDOW_S - 1) * s].reshape(-1, s)
        one, two = force.sum(axis=1), (force * force).sum(axis=1)
        sums, squares = one[: len(whole)].copy(), two[: len(whole)].copy()
        for i in range(1, WALK_WINDOW_S):
            sums += one[i : i + len(whole)]
            squares += two[i : i + len(whole)]
        mean = sums / window
        active = whole[squares / window - mean * mean >= WALK_SD_M_S2 * WALK_SD_M_S2]
        if len(active):
            rows = (ends[active] - window)[:, None] + np.arange(window)
            walks[active] = self._periodicity(self._kept.vertical[rows]) >= WALK_PERIODICITY
        return walks

    def _periodicity(self, x: FloatArray) -> FloatArray:
        """The largest normalised autocorrelation (n,) of each row of `x` over the step times."""
        length = x.shape[1]
        y = x - (x.sum(axis=1) / length)[:, None]
        power = (y * y).sum(axis=1) / length
        best = np.full(len(y), -1.0)
        low, high = (max(1, round(t / self._frame_s)) for t in STEP_TIMES_S)
        for lag in range(low, high + 1):
            shared = (y[:, : length - lag] * y[:, lag:]).sum(axis=1) / (length - lag)
            best = np.maximum(best, shared)
        ratio: FloatArray = best / power
        return ratio


def _unit(sums: FloatArray) -> FloatArray:
    """Directions (3, n) of sums of unit vectors."""
    x, y, z = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        unit: FloatArray = sums / np.sqrt(x * x + y * y + z * z)
    return unit
