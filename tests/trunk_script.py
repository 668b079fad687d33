"""Trunk rows written as a script: stand, sit down, sit, rise, walk, lie, bend. Plain mechanics, no simulator.

The trunk turns in the sagittal plane and to the side; the sensor moves up and down with the hips.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.core.blocks import TrunkBlock, freeze
from monitor.core.inputs import FloatArray, Mark
from monitor.detect.posture.logic import DETECTOR

G_M_S2 = 9.81
SIT_DOWN_M = 0.38
PELVIS_SITTING_DEG = -17.0


def sensor_mark(placement: str = "lower_back") -> Mark:
    value = {"sensor": "A", "driver": "rows", "role": "single", "placement": placement, "primary": True}
    return Mark(0.0, "sensor", value)


def posture_records(items: Sequence[Any]) -> list[Any]:
    """What the posture stage makes of them, alone."""
    stage = DETECTOR.build()
    return [*stage.push(items), *stage.close()]


class Script:
    """Append phases, then `block()`. Angles in deg, rows at `rate_hz`."""

    def __init__(self, rate_hz: float = 50.0, start_s: float = 0.0, flexion_deg: float = 0.0) -> None:
        self.rate_hz = rate_hz
        self.start_s = start_s
        self._flexion: list[FloatArray] = []
        self._lateral: list[FloatArray] = []
        self._rotation: list[FloatArray] = []
        self._height: list[FloatArray] = []
        self._bounce: list[FloatArray] = []
        self._at_deg = flexion_deg
        self._at_m = 0.0
        self.seconds = 0.0

    def hold(self, seconds: float) -> Script:
        """Stay as one is, swaying like a living being."""
        return self._add(seconds)

    def walk(self, seconds: float) -> Script:
        t = self._time(seconds)
        return self._add(
            seconds,
            flexion=2.0 * np.sin(2 * math.pi * 1.9 * t),
            rotation=5.0 * np.sin(2 * math.pi * 0.95 * t),
            bounce=2.5 * np.sin(2 * math.pi * 1.9 * t),
        )

    def sit_down(self, seconds: float = 2.4) -> Script:
        return self._change(seconds, 35.0, PELVIS_SITTING_DEG - self._at_deg, -SIT_DOWN_M)

    def rise(self, seconds: float = 2.4) -> Script:
        return self._change(seconds, 35.0, -self._at_deg, SIT_DOWN_M)

    def lie_down(self, seconds: float = 4.0) -> Script:
        return self._change(seconds, 0.0, -90.0 - self._at_deg, -0.5)

    def lean(self, to_deg: float, seconds: float = 2.0) -> Script:
        """Turn the trunk to an absolute flexion and stay there."""
        return self._change(seconds, 0.0, to_deg - self._at_deg, 0.0)

    def bend(self, by_deg: float, seconds: float = 3.0, plane: str = "flexion") -> Script:
        """Away and back in one smooth curve; `plane` flexion, lateral or rotation."""
        curve = by_deg * np.sin(math.pi * self._time(seconds) / seconds) ** 2
        return self._add(seconds, **{plane: curve})

    def block(self) -> TrunkBlock:
        """All rows, frozen; `flexion_deg` etc. as the trunk stage gives them."""
        flexion = np.concatenate(self._flexion)
        lateral = np.concatenate(self._lateral)
        rotation = np.concatenate(self._rotation)
        n = len(flexion)
        dt_s = 1.0 / self.rate_hz
        t = self.start_s + np.arange(n) * dt_s
        inclination = np.hypot(flexion, lateral)
        h = np.sin(np.radians(inclination))
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.where(inclination > 0, h / inclination, 0.0)
        up = np.stack((-flexion * scale, lateral * scale, np.cos(np.radians(inclination))), axis=1)
        height = np.concatenate(self._height)
        rise = np.gradient(np.gradient(height, dt_s), dt_s) + np.concatenate(self._bounce)
        noise = np.random.default_rng(7).normal(0.0, 0.03, (2, n, 3))
        acc = up * (G_M_S2 + rise)[:, None] + noise[0]
        rate = np.stack([np.gradient(x, dt_s) for x in (lateral, flexion, rotation)], axis=1) + 5.0 * noise[1]
        quat = np.tile((1.0, 0.0, 0.0, 0.0), (n, 1))
        return freeze(
            TrunkBlock(
                "A",
                t,
                quat,
                up,
                inclination,
                flexion,
                lateral,
                rotation,
                rate,
                acc,
                np.full(n, 1.5),
                np.ones(n, bool),
                self.rate_hz,
            )
        )

    def _time(self, seconds: float) -> FloatArray:
        return np.arange(round(seconds * self.rate_hz)) / self.rate_hz

    def _add(self, seconds: float, **extra: FloatArray) -> Script:
        t = self.seconds + self._time(seconds)
        zero = np.zeros(len(t))
        sway = 0.3 * np.sin(0.9 * t)
        self._flexion.append(self._at_deg + sway + extra.get("flexion", zero))
        self._lateral.append(0.2 * np.sin(0.7 * t) + extra.get("lateral", zero))
        self._rotation.append(0.2 * np.sin(0.4 * t) + extra.get("rotation", zero))
        self._height.append(self._at_m + extra.get("height", zero))
        self._bounce.append(extra.get("bounce", zero))
        self.seconds += len(t) / self.rate_hz
        return self

    def _change(self, seconds: float, lean_deg: float, by_deg: float, by_m: float) -> Script:
        s = self._time(seconds) / seconds
        smooth = s**3 * (10 - 15 * s + 6 * s**2)
        flexion = by_deg * smooth + lean_deg * np.sin(math.pi * s) ** 2
        self._add(seconds, flexion=flexion, height=by_m * smooth)
        self._at_deg += by_deg
        self._at_m += by_m
        return self
