"""Gravity as a witness: at rest the accelerometer must read it, and where it does not for long the user hears so."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import ImuBlock, take
from monitor.core.events import Gap, Notice, Record
from monitor.core.inputs import FloatArray, Mark
from monitor.motion.chip.ellipsoid import GRAVITY_M_S2

LOOK_S = 0.1
"""Every tenth of a second one row is looked at: what drifts over weeks needs no more."""
FRAME_LOOKS = 10
ACC_QUIET_M_S2 = 0.3
"""Spread within a frame of a trunk that keeps still and breathes."""
RATE_QUIET_RAD_S = math.radians(6.0)
"""Turning so slowly, a sensor 0.3 m from its pivot feels 0.003 m/s2 of it; the gyroscope's own bias is below."""
LONG_FRAMES = 120
"""So many quiet seconds are averaged before anything is said."""
DRIFT_SHARE = 0.01
"""A calibrated accelerometer this far off gravity has drifted: calibration is good to 0.5 %, gravity itself differs by
0.3 % over the earth, a warm day brings 0.2 %."""
UNTRIMMED_SHARE = 0.05
"""One that nobody calibrated: two and a half times what data sheets allow (20 mg). Inclination is then off by up to 3 deg."""

DRIFTED = (
    "At rest the accelerometer reads {share:.1f} % {way} than gravity: its calibration has drifted. "
    "Do it again:  supple calibrate sensor"
)
UNTRIMMED = (
    "At rest the accelerometer reads {share:.1f} % {way} than gravity: angles can be some degrees off. "
    "Calibrate it:  supple calibrate sensor"
)


class GravityCheck:
    """Passes everything on. After LONG_FRAMES quiet seconds that read more than a share off gravity: one Notice, once."""

    def __init__(self) -> None:
        self._calibrated: set[str] = set()
        self._looks: dict[str, _Looks] = {}

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        for item in items:
            if isinstance(item, ImuBlock) and len(item):
                out += self._look(item)
                continue
            if isinstance(item, Gap) and item.sensor in self._looks:
                self._looks[item.sensor].interrupt()
            elif isinstance(item, Mark) and item.kind == "device_calibration":
                sensor = str(item.value.get("sensor"))
                self._calibrated.add(sensor)
                self._looks.pop(sensor, None)
            out.append(item)
        return out

    def close(self) -> list[Record]:
        return []

    def _look(self, block: ImuBlock) -> list[Record]:
        """The block; cut behind the row that settles a Notice, which goes between: its place is then the same in any cutting."""
        if block.rate_hz is None:
            raise ValueError("rows without a rate: the timeline comes first")
        looks = self._looks.setdefault(block.sensor, _Looks())
        if looks.said:
            return [block]
        calibrated = block.sensor in self._calibrated
        found = looks.push(block, block.rate_hz, DRIFT_SHARE if calibrated else UNTRIMMED_SHARE)
        if found is None:
            return [block]
        t_s, share = found
        words = (DRIFTED if calibrated else UNTRIMMED).format(
            share=100 * abs(share), way="more" if share > 0 else "less"
        )
        end = int(np.searchsorted(block.t_s, t_s, side="right"))
        parts: list[Record] = [take(block, slice(0, end)), Notice(t_s, "gravity_off", words, block.sensor)]
        return parts if end == len(block) else [*parts, take(block, slice(end, len(block)))]


class _Looks:
    """The rows looked at of one sensor, and what their quiet frames read."""

    def __init__(self) -> None:
        self.said = False
        self._rate_hz = 0.0
        self._sum = 0.0
        self._frames = 0
        self._next = 0
        self._waiting: FloatArray = np.empty((0, 6))

    def interrupt(self) -> None:
        """Rows are missing here."""
        self._next, self._waiting = 0, self._waiting[:0]

    def push(self, block: ImuBlock, rate_hz: float, off_share: float) -> tuple[float, float] | None:
        """The time and the share off gravity where it is settled that this is more than `off_share`."""
        if rate_hz != self._rate_hz:
            self._rate_hz = rate_hz
            self.interrupt()
        step = max(1, round(LOOK_S * rate_hz))
        rows = slice(self._next, None, step)
        n = len(block.t_s[rows])
        self._next += n * step - len(block)
        looked = np.empty((n, 6))
        looked[:, 0] = block.t_s[rows]
        looked[:, 1:4] = block.acc[rows]
        looked[:, 4] = 0.0 if block.gyr is None else np.sqrt(_squares(block.gyr[rows]))
        looked[:, 5] = block.ok[rows]
        looked = np.concatenate((self._waiting, looked))
        frames = len(looked) // FRAME_LOOKS
        self._waiting = looked[frames * FRAME_LOOKS :].copy()
        return self._judge(looked[: frames * FRAME_LOOKS].reshape(frames, FRAME_LOOKS, 6), off_share)

    def _judge(self, frames: FloatArray, off_share: float) -> tuple[float, float] | None:
        if not len(frames):
            return None
        # Look by look: the order of a sum must not depend on how many frames there are.
        acc = frames[:, :, 1:4]
        total, squares = acc[:, 0].copy(), acc[:, 0] * acc[:, 0]
        for k in range(1, FRAME_LOOKS):
            total += acc[:, k]
            squares += acc[:, k] * acc[:, k]
        mean = total / FRAME_LOOKS
        spread = squares / FRAME_LOOKS - mean * mean
        quiet = (spread < ACC_QUIET_M_S2**2).all(axis=1)
        quiet &= (frames[:, :, 4] < RATE_QUIET_RAD_S).all(axis=1) & (frames[:, :, 5] > 0).all(axis=1)
        lengths = np.sqrt(_squares(mean[quiet])) / GRAVITY_M_S2 - 1.0
        for t_s, share in zip(frames[quiet, -1, 0].tolist(), lengths.tolist(), strict=True):
            self._sum += share
            self._frames += 1
            if self._frames == LONG_FRAMES:
                mean_share = self._sum / LONG_FRAMES
                self._sum, self._frames = 0.0, 0
                if abs(mean_share) > off_share:
                    self.said = True
                    return t_s, mean_share
        return None


def _squares(v: FloatArray) -> FloatArray:
    squares: FloatArray = v[:, 0] * v[:, 0] + v[:, 1] * v[:, 1] + v[:, 2] * v[:, 2]
    return squares
