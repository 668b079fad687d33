"""Device calibration: scale, misalignment and bias of one sensor, in its own frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from monitor.core.blocks import ImuBlock, freeze
from monitor.core.errors import SettingsError
from monitor.core.events import Record
from monitor.core.inputs import FloatArray, Mark
from monitor.motion.turn import turned


@dataclass(frozen=True, slots=True, eq=False)
class _Calibration:
    acc_matrix: FloatArray
    acc_bias_m_s2: FloatArray
    gyr_bias_rad_s: FloatArray


class DeviceCalibration:
    """acc = matrix @ (acc - bias), gyr = gyr - bias, from the Mark `device_calibration` on; before it rows pass unchanged."""

    def __init__(self, sensor: str | None = None) -> None:
        """`sensor`: take only its blocks (None: each sensor's by its own calibration)."""
        self._sensor = sensor
        self._in_force: dict[str, _Calibration] = {}

    def push(self, items: Sequence[Record]) -> list[Record]:
        return [self._one(item) for item in items]

    def close(self) -> list[Record]:
        return []

    def _one(self, item: Record) -> Record:
        if isinstance(item, Mark) and item.kind == "device_calibration":
            self._in_force[str(item.value.get("sensor"))] = _Calibration(
                _numbers(item.value, "acc_matrix", (3, 3)),
                _numbers(item.value, "acc_bias_m_s2", (3,)),
                _numbers(item.value, "gyr_bias_rad_s", (3,)),
            )
        elif (
            isinstance(item, ImuBlock)
            and item.sensor in self._in_force
            and self._sensor in (None, item.sensor)
        ):
            known = self._in_force[item.sensor]
            acc = turned(known.acc_matrix, item.acc - known.acc_bias_m_s2)
            gyr = None if item.gyr is None else item.gyr - known.gyr_bias_rad_s
            return freeze(replace(item, acc=acc, gyr=gyr))
        return item


def _numbers(value: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> FloatArray:
    try:
        numbers = np.array(value[name], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        size = " x ".join(str(n) for n in shape)
        raise SettingsError(
            f"The device calibration needs {name} as {size} finite numbers.", "Fit the profile again.", name
        )
    return numbers
