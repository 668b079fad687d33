"""Still poses of a sensor that is turned by hand and laid down: what a device calibration is fitted to."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from monitor.core.blocks import ImuBlock, take
from monitor.core.inputs import FloatArray
from monitor.motion.chip.turns import Turn, turn_of

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
REST_EVERY_S = 30.0
"""How often a sensor that is left lying tells its gyroscope's bias anew, for its temperature changes."""
TURN_MAX_S = 10.0
"""A turn that takes longer is left out: what the gyroscope's bias is off by adds up."""
TEMPERATURE_SPAN_K = 3.0
"""A smaller range tells a slope too badly: 0.02 deg/s per K over 3 K is 0.06 deg/s."""
_LEAST_FRAMES = round(POSE_S / FRAME_S) - 1
_FULL_FRAMES = _LEAST_FRAMES + 3
"""What lies on gives this much, so that its rows, read again, are a pose again wherever frames begin in them."""
_REST_FRAMES = round(REST_EVERY_S / FRAME_S)


@dataclass(frozen=True, slots=True, eq=False)
class RestPose:
    """Means over a still stretch: `acc` (3,) m/s2, `gyr` (3,) rad/s (None without a gyroscope). `temperature_c` or None."""

    start_s: float
    end_s: float
    acc: FloatArray
    gyr: FloatArray | None
    temperature_c: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """The gyroscope (3,) rad/s of a sensor that lay still, and its temperature."""

    gyr: FloatArray
    temperature_c: float | None


class _Frame(NamedTuple):
    t_s: FloatArray
    values: FloatArray
    mean: FloatArray
    good: bool


SETTLED_S = (_FULL_FRAMES + 1) * FRAME_S
"""So long it has to lie until its pose is taken without its being turned on."""


class RestPoses:
    """Fold blocks of one sensor, before any calibration, with `push`.

    `found` are the poses that differ, in order; `rests` one for each time it was laid down and each REST_EVERY_S after;
    `turns` lie between two rests that a gyroscope saw all the way. Set `temperature_c` as it becomes known.
    """

    def __init__(self, *, own_clock: bool = True) -> None:
        """`own_clock`: the sensor stamps its rows. Else their times are bent now and then, and a turn with them."""
        self._own_clock = own_clock
        self.found: list[RestPose] = []
        self.rests: list[Rest] = []
        self.turns: list[Turn] = []
        self.temperature_c: float | None = None
        self._waiting: list[ImuBlock] = []
        self._recent: deque[_Frame] = deque(maxlen=_FULL_FRAMES)
        self._left: FloatArray | None = None
        self._on_the_way: list[_Frame] = []
        self._anchor: FloatArray = np.empty(0)
        self._lying = 0

    @property
    def still_s(self) -> float:
        """How long it has been lying as it lies now."""
        return self._lying * FRAME_S

    def push(self, block: ImuBlock) -> None:
        if block.rate_hz is None:
            raise ValueError("rows without a rate: the timeline comes first")
        self._waiting.append(block)
        rows = max(2, round(FRAME_S * block.rate_hz))
        held = sum(map(len, self._waiting))
        if held < rows:
            return
        t_s = np.concatenate([b.t_s for b in self._waiting])
        values = np.concatenate([_columns(b) for b in self._waiting])
        good = np.concatenate([b.ok for b in self._waiting])
        whole = held - held % rows
        for start in range(0, whole, rows):
            part = slice(start, start + rows)
            self._frame(t_s[part], values[part], bool(good[part].all()))
        kept = held - whole
        self._waiting = [take(block, slice(len(block) - kept, len(block)))] if kept else []

    def interrupt(self) -> None:
        """Rows are missing here, or there will be no more."""
        self._waiting = []
        self._moved()
        self._left = None

    def _moved(self) -> None:
        if len(self._recent) >= _LEAST_FRAMES:
            if self._lying <= _FULL_FRAMES:
                self._take()
            self._left = self._mean()
            self._on_the_way = []
        else:
            self._on_the_way += self._recent
        self._recent.clear()
        self._lying = 0

    def _frame(self, t_s: FloatArray, values: FloatArray, good: bool) -> None:
        mean, spread = values.mean(axis=0), values.std(axis=0)
        quiet = good and bool((spread[:3] < ACC_QUIET_M_S2).all() and (spread[3:] < GYR_QUIET_RAD_S).all())
        frame = _Frame(t_s, values, mean, good)
        if not quiet:
            self._moved()
            self._on_the_way.append(frame)
            return
        if self._lying and bool((np.abs(mean[:3] - self._anchor) > TURNED_M_S2).any()):
            self._moved()
        if not self._lying:
            self._anchor = mean[:3]
        self._lying += 1
        # The first frame may still hold the laying down.
        if self._lying > 1:
            self._recent.append(frame)
        else:
            self._on_the_way.append(frame)
        if (since := self._lying - _FULL_FRAMES - 1) >= 0 and since % _REST_FRAMES == 0:
            self._take()

    def _take(self) -> None:
        mean = self._mean()
        gyr = mean[3:] if len(mean) > 3 else None
        if gyr is not None:
            self.rests.append(Rest(gyr, self.temperature_c))
            self._turned(mean)
        if any(_angle_deg(mean[:3], pose.acc) < ALIKE_DEG for pose in self.found):
            return
        start_s, end_s = float(self._recent[0].t_s[0]), float(self._recent[-1].t_s[-1])
        self.found.append(RestPose(start_s, end_s, mean[:3], gyr, self.temperature_c))

    def _mean(self) -> FloatArray:
        mean: FloatArray = np.concatenate([frame.values for frame in self._recent]).mean(axis=0)
        return mean

    def _turned(self, mean: FloatArray) -> None:
        """Arrived from the last rest: keep the way, where every row of it was measured."""
        left, way, self._left = self._left, self._on_the_way, None
        if not self._own_clock or left is None or not way or not all(frame.good for frame in way):
            return
        t_s = np.concatenate([frame.t_s for frame in way])
        if t_s[-1] - t_s[0] <= TURN_MAX_S:
            rate = np.concatenate([frame.values[:, 3:] for frame in way]) - 0.5 * (left[3:] + mean[3:])
            self.turns.append(turn_of(left[:3], mean[:3], t_s, rate))


def gyroscope_at_rest(
    rests: Sequence[Rest],
) -> tuple[FloatArray, FloatArray | None, tuple[float, float] | None]:
    """Its bias (3,) rad/s, the change with temperature (3,) rad/s per K and the range of temperature (low, high), C.

    The bias holds at the middle of that range. No change where the range is less than TEMPERATURE_SPAN_K or unknown, and
    zeros without a gyroscope.
    """
    if not rests:
        return np.zeros(3), None, None
    rates = np.array([rest.gyr for rest in rests])
    mean: FloatArray = rates.mean(axis=0)
    warm = [rest.temperature_c for rest in rests if rest.temperature_c is not None]
    if len(warm) < len(rests):
        return mean, None, None
    low, high = min(warm), max(warm)
    if high - low < TEMPERATURE_SPAN_K:
        return mean, None, (low, high)
    away = np.array(warm) - 0.5 * (low + high)
    fitted = np.linalg.lstsq(np.column_stack((np.ones(len(away)), away)), rates, rcond=None)[0]
    return fitted[0], fitted[1], (low, high)


def _columns(block: ImuBlock) -> FloatArray:
    return block.acc if block.gyr is None else np.hstack((block.acc, block.gyr))


def _angle_deg(a: FloatArray, b: FloatArray) -> float:
    cosine = float(np.sum(a * b)) / math.sqrt(float(np.sum(a * a)) * float(np.sum(b * b)))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
