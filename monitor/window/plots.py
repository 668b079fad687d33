"""The last minute of the three angles: one quiet strip each, the newest at the right edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from monitor.core.inputs import FloatArray
from monitor.window import theme
from monitor.window.ring import SPAN_S
from monitor.window.texts import text
from monitor.window.theme import sizes_pt
from monitor.window.view import Reading

_SPANS_DEG = {"flexion": (-15.0, 45.0), "lateral": (-30.0, 30.0), "rotation": (-45.0, 45.0)}
"""What each strip shows at least: everyday ranges of forward bend, side bend and turn. More is made room for."""

Curve: TypeAlias = tuple[FloatArray, FloatArray]
"""Seconds before now, and degrees."""
_NO_LUMBAR = (None, None, None)
_ROUND_DEG = 15.0
_TICKS_DEG, _TICK_ROOM_PX = (15, 30, 45, 90), 26
_INCLINATION = 3


class AngleStrip(QWidget):
    """A title, the present value in words, and the curve. `show_reading` and `show_curve` draw only what changed.

    With two sensors a second line of words and a second curve, in their own colour: the angle between them.
    """

    def __init__(self, span_deg: tuple[float, float], timed: bool) -> None:
        super().__init__()
        self._span = span_deg
        self._range = (math.nan, math.nan, 0)
        self._reading: Reading | None = None
        self._fresh: bool | None = None
        self._title, self._value = _label("heading"), _label("value")
        self._way, self._note = _label("soft"), _label("note")
        self._note.setToolTip(text("reading.uncertainty.tip"))
        head = QHBoxLayout()
        head.setSpacing(8)
        self._ways = _label("note")
        for label in (self._title, self._ways, self._value, self._way, self._note):
            head.addWidget(label, 0, Qt.AlignmentFlag.AlignBaseline)
        head.insertStretch(2)
        self._lumbar = _label("lumbar")
        self._lumbar.setToolTip(text("lumbar.tip"))
        self._lumbar.setVisible(False)
        self._between: Reading | None = None
        head.addWidget(self._lumbar, 0, Qt.AlignmentFlag.AlignBaseline)
        self._plot, self._curve, self._lumbar_curve = _plot(timed)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(head)
        box.addWidget(self._plot, 1)

    def show_reading(self, reading: Reading) -> None:
        if reading == self._reading:
            return
        self._reading = reading
        self._title.setText(reading.title)
        self._value.setText(reading.value)
        self._ways.setText(reading.ways)
        self._way.setText(reading.direction)
        self._way.setVisible(bool(reading.direction))
        self._note.setText(reading.note)
        self._value.setProperty("known", reading.known)
        self._value.style().polish(self._value)
        spoken = " ".join((reading.title, reading.value, reading.direction, reading.note))
        self._plot.setAccessibleName(spoken)

    def show_lumbar(self, reading: Reading | None) -> None:
        """None with one sensor: then there is nothing to say, and no room is taken."""
        if reading == self._between:
            return
        self._between = reading
        self._lumbar.setVisible(reading is not None)
        if reading is not None:
            words = (reading.title, reading.value if reading.known else "", reading.direction, reading.note)
            self._lumbar.setText(" ".join(word for word in words if word))
            self._lumbar.setProperty("known", reading.known)
            self._lumbar.style().polish(self._lumbar)

    def set_type(self, font: QFont) -> None:
        """The font of the axes: small type of the window's own."""
        small = QFont(font)
        small.setPointSizeF(sizes_pt(font.pointSizeF())["small"])
        for side in ("left", "bottom"):
            self._plot.getAxis(side).setTickFont(small)

    def show_curve(self, t_s: FloatArray, deg: FloatArray, fresh: bool, lumbar: Curve) -> None:
        """`lumbar`: seconds and degrees of the angle between two sensors, empty with one."""
        self._fit(np.concatenate((deg, lumbar[1])))
        self._lumbar_curve.setData(*lumbar, connect="finite")
        if fresh is not self._fresh:
            self._fresh = fresh
            self._curve.setPen(_pen(theme.ACCENT if fresh else theme.UNKNOWN))
        self._curve.setData(t_s, deg, connect="finite")

    def _fit(self, deg: FloatArray) -> None:
        finite = deg[np.isfinite(deg)]
        low, high = self._span
        if len(finite):
            low = min(low, _ROUND_DEG * math.floor(finite.min() / _ROUND_DEG))
            high = max(high, _ROUND_DEG * math.ceil(finite.max() / _ROUND_DEG))
        if (low, high, self._plot.height()) != self._range:
            self._range = (low, high, self._plot.height())
            self._plot.setYRange(low, high, padding=0.1)
            room = self._plot.height() / (high - low)
            step = next((s for s in _TICKS_DEG if s * room >= _TICK_ROOM_PX), _TICKS_DEG[-1])
            first = math.ceil(low / step) * step
            marks = [(float(v), f"{v}°") for v in range(first, int(high) + 1, step)]
            self._plot.getAxis("left").setTicks([marks])


class MinutePlots(QWidget):
    """Forward bend, side bend and turn over the last 60 s."""

    def __init__(self) -> None:
        super().__init__()
        self.strips = [AngleStrip(span, timed=name == "rotation") for name, span in _SPANS_DEG.items()]
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        for strip in self.strips:
            box.addWidget(strip, 1)

    def show_readings(self, readings: Sequence[Reading], lumbar: Sequence[Reading]) -> None:
        """One of each a strip; no `lumbar` with one sensor."""
        for strip, reading, between in zip(self.strips, readings, lumbar or _NO_LUMBAR, strict=True):
            strip.show_reading(reading)
            strip.show_lumbar(between)

    def set_type(self, font: QFont) -> None:
        for strip in self.strips:
            strip.set_type(font)

    def show_minute(self, trunk: Curve, lumbar: Curve, fresh: bool, by_inclination: bool) -> None:
        """Columns: flexion, lateral bend, rotation, inclination (which stands in while forward is unknown)."""
        for column, strip in enumerate(self.strips):
            chosen = _INCLINATION if by_inclination and column == 0 else column
            between = (lumbar[0], lumbar[1][:, column])
            strip.show_curve(trunk[0], trunk[1][:, chosen], fresh, between)


def _plot(timed: bool) -> tuple[pg.PlotWidget, pg.PlotDataItem, pg.PlotDataItem]:
    plot = pg.PlotWidget(background=theme.CARD)
    # Looked at only: the wheel scrolls the page and nothing can be dragged away.
    plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setMinimumHeight(56)
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setXRange(-SPAN_S, 0.0, padding=0.0)
    plot.showGrid(x=False, y=True, alpha=0.12)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(QColor(0, 0, 0, 0))
        axis.setTextPen(theme.INK_SOFT)
        axis.setStyle(tickLength=0)
    plot.getAxis("left").setWidth(40)
    seconds = [(float(-s), text("plot.seconds", seconds=-s)) for s in (15, 30, 45)]
    below = plot.getAxis("bottom")
    below.setTicks([[*seconds, (-2.2, text("plot.now"))]])
    below.setTickPen(pg.mkPen(None))
    plot.showAxis("bottom", timed)
    plot.addItem(pg.InfiniteLine(pos=0.0, angle=0, pen=pg.mkPen("#B9C5CF", width=1)))
    lumbar = plot.plot(pen=_pen(theme.LUMBAR), antialias=True, skipFiniteCheck=False)
    curve = plot.plot(pen=_pen(theme.ACCENT), antialias=True, skipFiniteCheck=False)
    return plot, curve, lumbar


def _pen(colour: str) -> object:
    return pg.mkPen(colour, width=1.6)


def _label(role: str) -> QLabel:
    label = QLabel()
    label.setObjectName(role)
    return label
