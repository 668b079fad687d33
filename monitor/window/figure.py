"""The shape of a back that bends: outlines of a trunk from the side and from behind, as points. No drawing.

Lengths are in trunk lengths (hip to the base of the neck). Origin at the hip, x to the right of the page, y up.
From the side the figure looks to the right, so forward bend leans right; from behind, right is right. Each view shows
its own angle alone. The shape is a picture, not anatomy: one sensor knows the tilt at its placement, nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.core.inputs import FloatArray

SENSOR_HEIGHT = {"lower_back": 0.20, "waist": 0.24, "upper_back": 0.78, "sternum": 0.74}
"""Where along the trunk each placement sits, 0 hip .. 1 base of the neck; read off body proportions, for drawing."""

BEND_SHOWN_MAX_DEG = 100.0
"""The drawing bends no further, or it would run into itself."""

_PELVIS_SHARE = 0.45
"""Share of the tilt drawn at the hip joint already: of 111 deg of standing flexion 52 are lumbar, 59 pelvis."""

_HEAD_S = 1.29
_STEPS = np.linspace(-0.05, 1.16, 62)

# Along the trunk: front and back depth seen from the side, half width seen from behind.
_S = np.array((-0.12, 0.00, 0.12, 0.26, 0.40, 0.56, 0.70, 0.80, 0.88, 0.94, 1.00, 1.06, 1.16))
_FRONT = np.array((0.150, 0.160, 0.178, 0.186, 0.178, 0.182, 0.202, 0.196, 0.160, 0.115, 0.070, 0.050, 0.060))
_BACK = np.array((0.190, 0.215, 0.205, 0.150, 0.120, 0.145, 0.180, 0.190, 0.180, 0.160, 0.130, 0.108, 0.075))
_WIDTH = np.array((0.290, 0.305, 0.300, 0.262, 0.238, 0.258, 0.300, 0.335, 0.350, 0.300, 0.165, 0.105, 0.098))
_SPINE_INSET = 0.055
_VERTEBRAE = np.linspace(0.05, 1.05, 17)


@dataclass(frozen=True, slots=True)
class Figure:
    """One view. `outline` (n,2) closed; `spine` (m,2) from hip to neck; `head` centre and `head_turn_deg` its lean
    (clockwise); `sensor` centre and `sensor_turn_deg`; `hip_turn_deg` the lean of the pelvis; `shoulders` left and
    right, where arms hang (rear view only).
    """

    outline: FloatArray
    spine: FloatArray
    head: tuple[float, float]
    head_turn_deg: float
    sensor: tuple[float, float]
    sensor_turn_deg: float
    hip_turn_deg: float
    shoulders: tuple[tuple[float, float], tuple[float, float]] | None


def side_figure(flexion_deg: float, placement: str, *, lying: bool = False) -> Figure:
    """Seen from the right-hand side, looking to the right. A lying body tilts as one, legs included."""
    line = _Line(flexion_deg, placement, lying)
    front = line.beside(_STEPS, _along(_STEPS, _FRONT))
    back = line.beside(_STEPS, -_along(_STEPS, _BACK))
    depth = _along(_VERTEBRAE, _BACK) - _SPINE_INSET
    at = SENSOR_HEIGHT.get(placement, SENSOR_HEIGHT["lower_back"])
    on_front = placement in ("sternum", "waist")
    skin = (
        _along(np.array([at]), _FRONT).item() + 0.02
        if on_front
        else -_along(np.array([at]), _BACK).item() - 0.02
    )
    return Figure(
        outline=np.concatenate((front, back[::-1])),
        spine=line.beside(_VERTEBRAE, -depth),
        head=line.point(_HEAD_S, 0.045),
        head_turn_deg=line.turn_deg(_HEAD_S),
        sensor=line.point(at, skin),
        sensor_turn_deg=line.turn_deg(at),
        hip_turn_deg=line.turn_deg(0.0),
        shoulders=None,
    )


def rear_figure(lateral_deg: float, placement: str, *, lying: bool = False) -> Figure:
    """Seen from behind: right on the page is the wearer's right."""
    line = _Line(lateral_deg, placement, lying)
    width = _along(_STEPS, _WIDTH)
    at = SENSOR_HEIGHT.get(placement, SENSOR_HEIGHT["lower_back"])
    return Figure(
        outline=np.concatenate((line.beside(_STEPS, width), line.beside(_STEPS, -width)[::-1])),
        spine=line.beside(_VERTEBRAE, np.zeros_like(_VERTEBRAE)),
        head=line.point(_HEAD_S, 0.0),
        head_turn_deg=line.turn_deg(_HEAD_S),
        sensor=line.point(at, 0.17 if placement == "waist" else 0.0),
        sensor_turn_deg=line.turn_deg(at),
        hip_turn_deg=line.turn_deg(0.0),
        shoulders=(line.point(0.875, -0.30), line.point(0.875, 0.30)),
    )


def rear_half_width(height: float) -> float:
    """Half the width of the trunk seen from behind at `height`, 0 hip .. 1 base of the neck."""
    return _along(np.array([height]), _WIDTH).item()


def _along(s: FloatArray, values: FloatArray) -> FloatArray:
    """`values` at the heights `_S`, read at `s` through a smooth (Catmull-Rom) curve: skin has no corners."""
    slope = np.gradient(values, _S)
    i = np.clip(np.searchsorted(_S, s, side="right") - 1, 0, len(_S) - 2)
    width = _S[i + 1] - _S[i]
    u = (s - _S[i]) / width
    rise = u * u * (3.0 - 2.0 * u)
    bend = width * (u * (1.0 - u) ** 2 * slope[i] - u * u * (1.0 - u) * slope[i + 1])
    smooth: FloatArray = values[i] * (1.0 - rise) + values[i + 1] * rise + bend
    return smooth


class _Line:
    """The centre line: its tangent turns from the hip up to the placement, where it has the measured tilt, then stays."""

    def __init__(self, bend_deg: float, placement: str, rigid: bool) -> None:
        bend = math.radians(max(-BEND_SHOWN_MAX_DEG, min(BEND_SHOWN_MAX_DEG, bend_deg)))
        # At the low back the measured tilt is reached early; the bend is spread at least this far to look like a back.
        reach = max(0.35, SENSOR_HEIGHT.get(placement, 0.0))
        self._s = np.linspace(-0.2, 1.4, 81)
        base = 1.0 if rigid else _PELVIS_SHARE
        share = base + (1.0 - base) * np.clip(self._s / reach, 0.0, 1.0)
        self._turn = bend * share
        step = self._s[1] - self._s[0]
        middle = 0.5 * (self._turn[1:] + self._turn[:-1])
        x = np.concatenate(([0.0], np.cumsum(np.sin(middle) * step)))
        y = np.concatenate(([0.0], np.cumsum(np.cos(middle) * step)))
        hip = int(np.searchsorted(self._s, -1e-9))
        self._x, self._y = x - x[hip], y - y[hip]

    def beside(self, s: FloatArray, across: FloatArray) -> FloatArray:
        """Points (n,2) at heights `s`, `across` to the right of the line as one walks up it."""
        turn = np.interp(s, self._s, self._turn)
        x = np.interp(s, self._s, self._x) + across * np.cos(turn)
        y = np.interp(s, self._s, self._y) - across * np.sin(turn)
        return np.column_stack((x, y))

    def point(self, s: float, across: float) -> tuple[float, float]:
        x, y = self.beside(np.array([s]), np.array([across]))[0]
        return float(x), float(y)

    def turn_deg(self, s: float) -> float:
        return math.degrees(float(np.interp(s, self._s, self._turn)))
