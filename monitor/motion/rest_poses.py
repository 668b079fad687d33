"""Still poses of a sensor that is turned by hand and laid down: what a device calibration is fitted to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.core.blocks import ImuBlock, take
from monitor.core.inputs import FloatArray

FRAME_S = 0.25
POSE_S = 3.0
"""Laid down for so long it is a pose: its mean is then good to a tenth of a mg at a chip's usual noise."""
ACC_QUIET_M_S2 = 0.06
"""Spread within a frame of a sensor that lies: 6 mg, above any chip's noise and below a hand's tremor."""
GYR_QUIET_RAD_S = math.radians(0.5)
TURNED_M_S2 = 0.08
"""A pose ends where the reading leaves its beginning by so much: half a degree."""
ALIKE_DEG = 8.0
"""Poses nearer than this to an earlier one tell nothing new."""


@dataclass(frozen=True, slots=True, eq=False)
class RestPose:
    """Means over a still stretch: `acc` (3,) m/s2, `gyr` (3,) rad/s (None without a gyroscope). `temperature_c` or None."""

    start_s: float
    end_s: float
    acc: FloatArray
    gyr: FloatArray | None
    temperature_c: float | None


class RestPoses:
    """Fold blocks of one sensor, before any calibration, with `push`; `found` are the poses that differ, in order."""

    def __init__(self) -> None:
        self.found: list[RestPose] = []
        self.temperature_c: float | None = None
        self._waiting: list[ImuBlock] = []
        self._run: list[tuple[float, float, FloatArray]] = []
        self._taken = False

    @property
    def still_s(self) -> float:
        """How long it has been lying as it lies now."""
        return self._run[-1][1] - self._run[0][0] if self._run else 0.0

    def push(self, block: ImuBlock) -> list[RestPose]:
        """The poses these rows settle that differ from the earlier ones."""
        if block.rate_hz is None:
            raise ValueError("rows without a rate: the timeline comes first")
        known = len(self.found)
        self._waiting.append(block)
        rows = max(2, round(FRAME_S * block.rate_hz))
        held = sum(map(len, self._waiting))
        if held < rows:
            return []
        t_s = np.concatenate([b.t_s for b in self._waiting])
        values = np.concatenate([_columns(b) for b in self._waiting])
        good = np.concatenate([b.ok for b in self._waiting])
        whole = held - held % rows
        for start in range(0, whole, rows):
            part = slice(start, start + rows)
            self._frame(t_s[part], values[part], bool(good[part].all()))
        kept = held - whole
        self._waiting = [_tail(block, kept)] if kept else []
        return self.found[known:]

    def interrupt(self) -> None:
        """Rows are missing here."""
        self._waiting, self._run, self._taken = [], [], False

    def _frame(self, t_s: FloatArray, values: FloatArray, good: bool) -> None:
        mean, spread = values.mean(axis=0), values.std(axis=0)
        quiet = good and bool((spread[:3] < ACC_QUIET_M_S2).all() and (spread[3:] < GYR_QUIET_RAD_S).all())
        if not quiet:
            self._run, self._taken = [], False
            return
        if self._run and bool((np.abs(mean[:3] - self._run[0][2][:3]) > TURNED_M_S2).any()):
            self._run, self._taken = [], False
        self._run.append((float(t_s[0]), float(t_s[-1]), mean))
        if len(self._run) >= POSE_S / FRAME_S and not self._taken:
            self._taken = True
            self._take()

    def _take(self) -> None:
        inside = self._run[1:]  # the first frame may still hold the laying down
        mean = np.mean([values for _, _, values in inside], axis=0)
        if any(_angle_deg(mean[:3], pose.acc) < ALIKE_DEG for pose in self.found):
            return
        gyr = mean[3:] if len(mean) > 3 else None
        self.found.append(RestPose(inside[0][0], inside[-1][1], mean[:3], gyr, self.temperature_c))


def gyroscope_at_rest(
    poses: list[RestPose],
) -> tuple[FloatArray, FloatArray | None, tuple[float, float] | None]:
    """Its bias (3,) rad/s, the change with temperature (3,) rad/s per K and the range of temperature (low, high), C.

    The bias holds at the middle of that range. No change where the range is less than TEMPERATURE_SPAN_K or unknown, and
    zeros without a gyroscope.
    """
    measured = [pose for pose in poses if pose.gyr is not None]
    if not measured:
        return np.zeros(3), None, None
    rates = np.array([pose.gyr for pose in measured])
    mean: FloatArray = rates.mean(axis=0)
    warm = [pose.temperature_c for pose in measured if pose.temperature_c is not None]
    if len(warm) < len(measured):
        return mean, None, None
    low, high = min(warm), max(warm)
    if high - low < TEMPERATURE_SPAN_K:
        return mean, None, (low, high)
    away = np.array(warm) - 0.5 * (low + high)
    fitted = np.linalg.lstsq(np.column_stack((np.ones(len(away)), away)), rates, rcond=None)[0]
    return fitted[0], fitted[1], (low, high)


TEMPERATURE_SPAN_K = 3.0
"""A smaller range tells noise from a slope too badly: 0.02 deg/s per K over 3 K is 0.06 deg/s."""


def _columns(block: ImuBlock) -> FloatArray:
    return block.acc if block.gyr is None else np.hstack((block.acc, block.gyr))


def _tail(block: ImuBlock, rows: int) -> ImuBlock:
    return take(block, slice(len(block) - rows, len(block)))


def _angle_deg(a: FloatArray, b: FloatArray) -> float:
    cosine = float(np.sum(a * b)) / math.sqrt(float(np.sum(a * a)) * float(np.sum(b * b)))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
