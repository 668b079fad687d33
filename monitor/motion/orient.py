"""Orientation of the sensor: VQF fed the mean rate over each step; gravity alone without a gyroscope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from vqf import VQF

from monitor.core.blocks import ImuBlock, PoseBlock, freeze
from monitor.core.events import Gap, Record
from monitor.core.inputs import FloatArray
from monitor.core.quaternion import up_in_source

GRAVITY_CUTOFF_HZ = 0.5
"""Without a gyroscope the vertical is the low-passed specific force (posture reference, R1)."""
BIAS_AT_START_DEG_S = 0.15
"""How far off a gyroscope is believed to be before it was at rest. VQF's 0.5 lets it take the accelerations of a trunk that
moves from the first second for a bias; at rest even 1 deg/s is found within seconds."""
BIAS_WANDERS_IN_S = 25.0
"""In which the bias wanders by 0.1 deg/s: VQF's 100 s are for one temperature. On the body a chip warms by degrees a minute,
and errors of scale and alignment look like a bias that changes with the movement."""
ACC_AVERAGE_S = 3.5
"""Time constant of the vertical's correction by the accelerometer. With the bias followed as closely as that the gyroscope can
be trusted for longer than VQF's 3 s, and a person's pushes, bends and steps average out better."""
ROWS_BEFORE = 3
"""What `mean_rate` needs of the rows before."""


class Orient:
    """One sensor's ImuBlock on an even grid -> PoseBlock. Starts anew after a Gap and where rate or gyroscope change.

    The block inside carries the rate less the filter's estimate of the gyroscope's bias.
    """

    def __init__(self, sensor: str | None = None) -> None:
        """`sensor`: take only its blocks (None: a chain of one sensor, take all)."""
        self._sensor = sensor
        self._filter: _Fusion | _Gravity | None = None
        self._kind: tuple[float | None, bool] | None = None

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        for item in items:
            if isinstance(item, ImuBlock) and self._sensor in (None, item.sensor):
                if len(item):
                    out.append(self._pose(item))
                continue
            if isinstance(item, Gap) and self._sensor in (None, item.sensor):
                self._filter = None
            out.append(item)
        return out

    def close(self) -> list[Record]:
        return []

    def _pose(self, block: ImuBlock) -> PoseBlock:
        kind = (block.rate_hz, block.gyr is not None)
        if self._filter is None or kind != self._kind:
            if block.rate_hz is None:
                raise ValueError("rows without a rate: the timeline comes before orientation")
            build = _Gravity if block.gyr is None else _Fusion
            self._filter, self._kind = build(block.rate_hz), kind
        return freeze(self._filter.pose(block))


class _Fusion:
    """VQF 6D. Its rectangle rule costs more than its filter does, so it is fed the mean rate over the step before each
    row (fourth order from four rows, plus the coning term): 0.53 against 0.86 deg at 48 Hz on BROAD.
    """

    def __init__(self, rate_hz: float) -> None:
        self._vqf = VQF(
            1.0 / rate_hz,
            tauAcc=ACC_AVERAGE_S,
            biasSigmaInit=BIAS_AT_START_DEG_S,
            biasForgettingTime=BIAS_WANDERS_IN_S,
        )
        self._rate_hz = rate_hz
        self._last: FloatArray | None = None

    def pose(self, block: ImuBlock) -> PoseBlock:
        assert block.gyr is not None
        columns = np.empty((3, ROWS_BEFORE + len(block)))
        columns[:, :ROWS_BEFORE] = block.gyr[:1].T if self._last is None else self._last
        columns[:, ROWS_BEFORE:] = block.gyr.T
        self._last = columns[:, -ROWS_BEFORE:].copy()
        result = self._vqf.updateBatch(mean_rate(columns.T, self._rate_hz), np.ascontiguousarray(block.acc))
        unbiased = columns[:, ROWS_BEFORE:] - np.ascontiguousarray(result["bias"].T)
        # Column by column in memory, as everybody behind reads it.
        quat = np.ascontiguousarray(result["quat6D"].T).T
        return PoseBlock(freeze(replace(block, gyr=unbiased.T)), quat, up_in_source(quat))


class _Gravity:
    """Second-order Butterworth low-pass, begun at rest in the first row. The heading and so the quaternion are unknown."""

    def __init__(self, rate_hz: float) -> None:
        # Imported here: it takes 1.7 s, and a sensor with a gyroscope never asks for it.
        from scipy import signal

        self._sosfilt, self._zi = signal.sosfilt, signal.sosfilt_zi
        self._sos = signal.butter(2, GRAVITY_CUTOFF_HZ, fs=rate_hz, output="sos")
        self._carry: FloatArray | None = None

    def pose(self, block: ImuBlock) -> PoseBlock:
        if self._carry is None:
            self._carry = self._zi(self._sos)[:, :, None] * block.acc[0]
        low, self._carry = self._sosfilt(self._sos, block.acc, axis=0, zi=self._carry)
        x, y, z = low[:, 0], low[:, 1], low[:, 2]
        length = np.sqrt(x * x + y * y + z * z)
        up = low / np.where(length > 0, length, np.nan)[:, None]
        return PoseBlock(block, np.full((len(block), 4), np.nan), up)


def mean_rate(g: FloatArray, rate_hz: float) -> FloatArray:
    """Mean rate over the step before each row but the first three, to which only the rows before it and itself are needed.

    (9 g_i + 19 g_i-1 - 5 g_i-2 + g_i-3) / 24, exact for a rate that is a cubic in time, and dt/12 (g_i-1 x g_i) for coning.
    """
    now, one, two, three = g[3:].T, g[2:-1].T, g[1:-2].T, g[:-3].T
    mean = np.empty((now.shape[1], 3))
    step, term = np.empty((2, now.shape[1]))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        np.multiply(one[j], now[k], out=step)
        step -= np.multiply(one[k], now[j], out=term)
        step *= 2.0 / rate_hz
        step += np.multiply(now[i], 9.0, out=term)
        step += np.multiply(one[i], 19.0, out=term)
        step -= np.multiply(two[i], 5.0, out=term)
        step += three[i]
        np.divide(step, 24.0, out=mean[:, i])
    return mean
