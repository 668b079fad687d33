"""The page of a first start: where the sensor goes (drawn), how the strap sits, connect, calibrate."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from monitor.core.events import Posture
from monitor.window import theme
from monitor.window.figure import SENSOR_HEIGHT, rear_figure, rear_half_width
from monitor.window.model import CALIBRATE_S
from monitor.window.parts import button, card, label, say, set_property
from monitor.window.silhouette import draw_figure
from monitor.window.texts import text
from monitor.window.view import Step, View

_STRAP = ("snug", "way", "cloth", "skin")
_FRONT = ("sternum", "waist")


class PlacementDrawing(QWidget):
    """A standing figure with the sensor on its strap and a ring around the place."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(220, 260)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._placement = "lower_back"

    def show_placement(self, placement: str) -> None:
        known = placement if placement in SENSOR_HEIGHT else "lower_back"
        self.setAccessibleName(text("setup.drawing.alt", place=text(f"placement.{known}")))
        if known != self._placement:
            self._placement = known
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        front = self._placement in _FRONT
        caption = self.fontMetrics().height() + 8.0
        painter.setPen(QColor(theme.INK_SOFT))
        box = QRectF(0.0, self.height() - caption, self.width(), caption)
        words = text("setup.drawing.front" if front else "setup.drawing.rear")
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        scale = min(self.width() / 1.5, (self.height() - caption) / 2.25)
        painter.translate(self.width() / 2.0, 1.58 * scale)
        painter.scale(scale, -scale)
        figure = rear_figure(0.0, self._placement)
        draw_figure(painter, figure, known=True, posture=Posture.STANDING, side=False, spine=not front)
        self._strap(painter, *figure.sensor)
        painter.setPen(QPen(QColor(theme.ACCENT), 0.018))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(*figure.sensor), 0.15, 0.15)
        self._arrow(painter, figure.sensor)
        painter.end()

    def _strap(self, painter: QPainter, x: float, height: float) -> None:
        """The strap round the body, to the left and right of the sensor."""
        half = rear_half_width(height)
        painter.setPen(QPen(QColor(theme.NOTICE), 0.04, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QPointF(-half, height), QPointF(x - 0.085, height))
        painter.drawLine(QPointF(x + 0.085, height), QPointF(half, height))

    def _arrow(self, painter: QPainter, sensor: tuple[float, float]) -> None:
        """The way up: the arrow of the sensor points to the head."""
        x, y = sensor
        painter.setPen(QPen(QColor(theme.CARD), 0.014, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(x, y - 0.028), QPointF(x, y + 0.028))
        for side in (-0.02, 0.02):
            painter.drawLine(QPointF(x, y + 0.028), QPointF(x + side, y + 0.008))


class _StepRow(QWidget):
    """A numbered step: done steps and later ones are quiet, the present one is marked."""

    def __init__(self, number: int, title: str) -> None:
        super().__init__()
        self._number = label("stepNumber", str(number))
        self._number.setFixedSize(28, 28)
        self._number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column = QVBoxLayout()
        self.column.setSpacing(4)
        self.column.addWidget(label("title", title))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 6, 0, 6)
        row.setSpacing(14)
        row.addWidget(self._number, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(self.column, 1)

    def add(self, sentence: str = "") -> QLabel:
        made = label("soft", sentence, wraps=True)
        self.column.addWidget(made)
        return made

    def show_now(self, now: bool) -> None:
        set_property(self._number, "now", now)


class SetupPage(QWidget):
    """Three steps and the drawing. `calibrate` asks for a calibration, `left` for the monitor page."""

    calibrate = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        words, frame = card()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(8, 0, 8, 0)
        column.setSpacing(4)
        # Scrolls where the window is small or the type large.
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        frame.addWidget(scroll)
        column.addWidget(label("state", text("setup.title")))
        column.addWidget(label("soft", text("setup.lead")))
        self._wear = _StepRow(1, text("setup.wear"))
        self._where = self._wear.add()
        for advice in _STRAP:
            self._wear.add(text(f"setup.strap.{advice}"))
        self._connect = _StepRow(2, text("setup.connect"))
        self._found = self._connect.add()
        self._calibrate = _StepRow(3, text("setup.calibrate"))
        self._how = self._calibrate.add()
        self._button = button("button.calibrate", self.calibrate.emit, main=True)
        self._back = button("setup.back", self.left.emit)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(0, 6, 0, 0)
        buttons.addWidget(self._button)
        buttons.addWidget(self._back)
        buttons.addStretch(1)
        self._calibrate.column.addLayout(buttons)
        for row in (self._wear, self._connect, self._calibrate):
            column.addWidget(row)
        column.addStretch(1)
        picture, beside = card()
        self.drawing = PlacementDrawing()
        beside.addWidget(self.drawing, 1)
        page = QHBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(14)
        page.addWidget(words, 3)
        page.addWidget(picture, 2)

    def show_view(self, view: View, placement: str) -> None:
        place = placement if placement in SENSOR_HEIGHT else "lower_back"
        self.drawing.show_placement(place)
        say(self._where, text(f"setup.wear.{place}"))
        connecting = view.step is Step.CONNECT
        self._wear.show_now(connecting)
        self._connect.show_now(connecting)
        self._calibrate.show_now(view.step is Step.CALIBRATE)
        missing = f"{view.empty}. {view.empty_next}"
        say(self._found, text("setup.connect.done") if view.link_up else missing)
        if view.calibrating:
            say(self._how, f"{view.empty}. {view.empty_next}")
        elif view.step is Step.DONE:
            say(self._how, text("setup.calibrate.done"))
        else:
            say(self._how, text("setup.calibrate.how", seconds=round(CALIBRATE_S)))
        self._button.setEnabled(view.may_calibrate)
