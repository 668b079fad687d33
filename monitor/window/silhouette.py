"""The back silhouette: two views that bend with the trunk, drawn from `figure`. Grey and upright where unknown."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.core.events import Posture
from monitor.core.inputs import FloatArray
from monitor.window import theme
from monitor.window.figure import Figure, rear_figure, side_figure
from monitor.window.texts import text

EASE = 0.35
"""Share of the way to the newest pose covered per frame: smooth at 30 frames a second, 0.2 s behind at most."""

_STILL_DEG = 0.05
_WIDTH, _TOP, _BOTTOM = 1.3, 1.58, -0.66
"""What a view shows at least, in trunk lengths: its width, and from below the hip to above the head."""

_LEG = 0.66
_HEAD_ROOM, _ARM_ROOM = 0.24, 0.22
_ARM_FOLLOWS = 0.6
"""Share of the trunk's lean that the arms take part in: the rest of them hangs."""

Pose = tuple[float, float] | None


class Silhouette(QWidget):
    """`show_pose` sets the aim, `step` moves one frame toward it and repaints only if something changed."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(260, 170)
        self._aim: Pose = None
        self._drawn: Pose = None
        self._placement = "lower_back"
        self._posture = Posture.UNKNOWN
        self._dirty = True

    def show_pose(self, pose: Pose, placement: str, posture: Posture) -> None:
        """Flexion and lateral bend in degrees (None: unknown), where the sensor sits, and what the legs do."""
        if (pose is None) != (self._aim is None) or (placement, posture) != (self._placement, self._posture):
            self._drawn, self._dirty = pose, True
        self._aim, self._placement, self._posture = pose, placement, posture

    def step(self) -> None:
        if self._aim is not None and self._drawn is not None and self._aim != self._drawn:
            gap = [aim - drawn for aim, drawn in zip(self._aim, self._drawn, strict=True)]
            if max(map(abs, gap)) > _STILL_DEG:
                flexion, lateral = (d + EASE * g for d, g in zip(self._drawn, gap, strict=True))
                self._drawn, self._dirty = (flexion, lateral), True
        if self._dirty:
            self._dirty = False
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        flexion, lateral = self._drawn or (0.0, 0.0)
        half = self.width() / 2.0
        caption = self.fontMetrics().height() + 6.0
        lying = self._posture is Posture.LYING and self._drawn is not None
        views = (
            (side_figure(flexion, self._placement, lying=lying), "side"),
            (rear_figure(lateral, self._placement, lying=lying), "rear"),
        )
        for column, (figure, name) in enumerate(views):
            area = QRectF(column * half, 0.0, half, self.height())
            self._caption(painter, area, caption, name)
            painter.save()
            _enter(painter, area.adjusted(0.0, 0.0, 0.0, -caption), figure, lying)
            _vertical(painter)
            draw_figure(
                painter, figure, known=self._drawn is not None, posture=self._posture, side=name == "side"
            )
            painter.restore()
        painter.end()

    def _caption(self, painter: QPainter, area: QRectF, height: float, name: str) -> None:
        painter.setPen(QColor(theme.INK_SOFT))
        box = QRectF(area.left(), area.bottom() - height, area.width(), height)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text(f"figure.{name}"))


def draw_figure(
    painter: QPainter, figure: Figure, *, known: bool, posture: Posture, side: bool, spine: bool = True
) -> None:
    """Draw one view in the figure's own units (y up). Grey with a dotted spine where the pose is not known."""
    body = QColor(theme.BODY if known else theme.BODY_UNKNOWN)
    line = QColor(theme.ACCENT if known else theme.UNKNOWN)
    _arms(painter, figure, body)
    _legs(painter, figure, body, posture, side)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(body)
    painter.drawPolygon(_polygon(figure.outline))
    _head(painter, figure, body, side)
    if spine:
        _spine(painter, figure, line, known)
    _sensor(painter, figure, known, side)


def _enter(painter: QPainter, area: QRectF, figure: Figure, lying: bool) -> None:
    """Map trunk lengths onto `area`. A figure that leans out of it is followed sideways, and made smaller at last."""
    legs = -_LEG * math.sin(math.radians(figure.hip_turn_deg)) if lying else 0.0
    arms = [x + out for (x, _), out in zip(figure.shoulders or (), (-_ARM_ROOM, _ARM_ROOM), strict=False)]
    reach = [*figure.outline[:, 0], figure.head[0] - _HEAD_ROOM, figure.head[0] + _HEAD_ROOM, *arms, legs]
    left, right = min(reach) - 0.03, max(reach) + 0.03
    scale = min(area.width() / max(_WIDTH, right - left), area.height() / (_TOP - _BOTTOM))
    half = area.width() / scale / 2.0
    follow = max(0.0, right - half) + min(0.0, left + half)
    spare = area.height() - (_TOP - _BOTTOM) * scale
    painter.setClipRect(area)
    painter.translate(area.center().x() - follow * scale, area.top() + _TOP * scale + 0.5 * spare)
    painter.scale(scale, -scale)


def _vertical(painter: QPainter) -> None:
    pen = QPen(QColor(theme.EDGE), 0.012, Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.drawLine(QPointF(0.0, 0.0), QPointF(0.0, 1.56))


def _legs(painter: QPainter, figure: Figure, body: QColor, posture: Posture, side: bool) -> None:
    """Thighs that fade out: forward when sitting, in line with the body when lying, down otherwise."""
    sitting = posture is Posture.SITTING
    clear = QColor(body)
    clear.setAlpha(0)
    painter.save()
    if posture is Posture.LYING:
        painter.rotate(-figure.hip_turn_deg)
    if side:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(body)
        painter.drawEllipse(QPointF(-0.03, -0.04), 0.19, 0.19)
    if side and sitting:
        _limb(painter, QRectF(0.0, -0.23, 0.82, 0.35), QPointF(1.0, 0.0), body, clear)
    else:
        length = 0.30 if sitting else _LEG
        for left, width in ((-0.19, 0.36),) if side else ((-0.303, 0.30), (0.003, 0.30)):
            _limb(painter, QRectF(left, -length, width, length), QPointF(0.0, -1.0), body, clear)
    painter.restore()


def _limb(painter: QPainter, box: QRectF, toward: QPointF, body: QColor, clear: QColor) -> None:
    """A box that fades out in the direction `toward`."""
    half = QPointF(toward.x() * box.width() / 2.0, toward.y() * box.height() / 2.0)
    shade = QLinearGradient(box.center() - half, box.center() + half)
    shade.setColorAt(0.45, body)
    shade.setColorAt(1.0, clear)
    painter.fillRect(box, shade)


def _arms(painter: QPainter, figure: Figure, body: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(body.darker(106), 0.125, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    path = QPainterPath(QPointF(0.0, -0.02))
    path.cubicTo(QPointF(0.13, -0.25), QPointF(0.16, -0.5), QPointF(0.12, -0.98))
    for (x, y), out in zip(figure.shoulders or (), (-1.0, 1.0), strict=False):
        painter.save()
        painter.translate(x, y)
        painter.rotate(-_ARM_FOLLOWS * figure.sensor_turn_deg)
        painter.scale(out, 1.0)
        painter.drawPath(path)
        painter.restore()


def _head(painter: QPainter, figure: Figure, body: QColor, side: bool) -> None:
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(body)
    painter.translate(QPointF(*figure.head))
    painter.rotate(-figure.head_turn_deg)
    painter.drawEllipse(QPointF(0.0, 0.0), 0.17 if side else 0.145, 0.2)
    if side:
        # A nose, so that one sees which way is forward.
        painter.drawPolygon(QPolygonF([QPointF(0.155, 0.03), QPointF(0.205, -0.045), QPointF(0.15, -0.06)]))
    painter.restore()


def _spine(painter: QPainter, figure: Figure, line: QColor, known: bool) -> None:
    style = Qt.PenStyle.SolidLine if known else Qt.PenStyle.DotLine
    painter.setPen(QPen(line, 0.022, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(_polygon(figure.spine))
    if known:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(line)
        for x, y in figure.spine:
            painter.drawEllipse(QPointF(x, y), 0.026, 0.026)


def _sensor(painter: QPainter, figure: Figure, known: bool, side: bool) -> None:
    painter.save()
    painter.translate(QPointF(*figure.sensor))
    painter.rotate(-figure.sensor_turn_deg)
    painter.setPen(Qt.PenStyle.NoPen if side else QPen(QColor(theme.CARD), 0.018))
    painter.setBrush(QColor(theme.INK if known else theme.UNKNOWN))
    half = 0.032 if side else 0.075
    painter.drawRoundedRect(QRectF(-half, -0.055, 2.0 * half, 0.11), 0.025, 0.025)
    painter.restore()


def _polygon(points: FloatArray) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in np.asarray(points).tolist()])
