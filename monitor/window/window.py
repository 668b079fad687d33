"""The main window: a 30 Hz frame takes what the bridge holds and redraws what changed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent, QFont, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from monitor.window import theme
from monitor.window.bridge import WindowSink
from monitor.window.info import Line, pain_lines, stop_lines, stopping_lines, urge_lines
from monitor.window.model import CALIBRATE_S, WindowModel
from monitor.window.panels import ActionBar, Banner, InfoPanel, PostureCard, PromptCard
from monitor.window.parts import card, label, say
from monitor.window.plots import MinutePlots
from monitor.window.setup_page import SetupPage
from monitor.window.texts import text
from monitor.window.view import Step, View, look

FRAME_MS = 33
PLOT_EVERY = 4
"""Plots are redrawn every fourth frame: 60 s over 600 pixels move one pixel in 0.1 s."""

WORDS_EVERY = 6
"""Words and numbers change 5 times a second at most: faster ones cannot be read."""

SMALLEST_TYPE_PT = 10.0
SIZE, SMALLEST = (1280, 800), (900, 600)

SendMark = Callable[[str, Mapping[str, Any]], None]


class MainWindow(QMainWindow):
    """Shows `model`, fed from `bridge`; `send_mark` and `on_stop` may be called once a frame at most and must not wait."""

    def __init__(
        self, model: WindowModel, bridge: WindowSink, send_mark: SendMark, on_stop: Callable[[], None]
    ) -> None:
        super().__init__()
        self._model, self._bridge, self._send, self._on_stop = model, bridge, send_mark, on_stop
        self._frame = 0
        self._view: View | None = None
        self._stopping = False
        self._chose_page = False
        self._scale = theme.SCALE_START
        self._base_pt = max(SMALLEST_TYPE_PT, QApplication.font().pointSizeF())
        self.setWindowTitle(text("app.title"))
        self.setMinimumSize(*SMALLEST)
        self.resize(*SIZE)
        self._build()
        self._wire()
        self._restyle()
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.on_frame)
        self.refresh()

    def start(self) -> None:
        """Begin to follow the bridge."""
        self._timer.start()

    def on_frame(self) -> None:
        """Take what waits; move the figure every frame, the plots every fourth, words every sixth."""
        now_s = time.monotonic()
        self._model.push(self._bridge.take(), now_s)
        if self._bridge.closed and not self._model.ended:
            self._model.end()
            if self._stopping:
                self.close()
                return
        self._frame += 1
        if self.isMinimized():
            return
        if self._frame % WORDS_EVERY == 0:
            self._show_words(now_s)
        if self._frame % PLOT_EVERY == 0:
            self._show_plots(now_s)
        self._show_figure(now_s)

    def refresh(self, now_s: float | None = None) -> None:
        """Draw everything for `now_s` (default: this moment) at once."""
        at_s = time.monotonic() if now_s is None else now_s
        self._show_words(at_s)
        self._show_plots(at_s)
        self._show_figure(at_s)

    def show_setup(self, shown: bool) -> None:
        self._chose_page = True
        self._pages.setCurrentWidget(self._setup if shown else self._monitor)

    def mark(self, kind: str) -> None:
        """What a mark button does: say it, and open the text that belongs to it."""
        self._send(kind, {})
        if kind == "pain":
            self._model.dismiss_all()
            self._inform(pain_lines())
        elif kind == "urge":
            self._inform(urge_lines(self._model))
        self.refresh()

    def snooze(self, minutes: float) -> None:
        """Pause prompts: minutes, infinity until the next midnight, 0 ends the pause."""
        if math.isinf(minutes):
            until = self._model.tomorrow_wall_s()
            self._send(
                "snooze", {"until_wall_s": until} if math.isfinite(until) else {"minutes": 24.0 * 60.0}
            )
        else:
            self._send("snooze", {"minutes": minutes})
        self._model.dismiss_all()

    def calibrate(self) -> None:
        snapshot = self._model.snapshot
        for sensor in snapshot.roles or [snapshot.primary]:
            self._send("calibrate", {"sensor": sensor, "seconds": CALIBRATE_S})

    def stop(self) -> None:
        """Ask the session to end; the window closes once everything is saved."""
        if not self._stopping:
            self._stopping = True
            self._inform(stopping_lines())
            self._send("stop", {})
            self._on_stop()
        if self._bridge.closed:
            self.close()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        if not self._stopping and not self._bridge.closed:
            self._stopping = True
            self._on_stop()
        self._timer.stop()
        event.accept()

    def _build(self) -> None:
        self._banner, self._posture, self._plots = Banner(), PostureCard(), MinutePlots()
        self._prompts, self._actions = PromptCard(), ActionBar()
        self._info, self._setup = InfoPanel(), SetupPage()
        self._escalation = label("escalation", wraps=True)
        self._right = QStackedWidget()
        self._charts = _plots_card(self._plots)
        self._right.addWidget(self._charts)
        self._right.addWidget(self._info)
        self._monitor = QWidget()
        columns = QHBoxLayout(self._monitor)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(14)
        right = QVBoxLayout()
        right.setSpacing(14)
        right.addWidget(self._right, 1)
        right.addWidget(self._prompts)
        columns.addWidget(self._posture, 9)
        columns.addLayout(right, 11)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._monitor)
        self._pages.addWidget(self._setup)
        page = QWidget()
        page.setObjectName("page")
        whole = QVBoxLayout(page)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._banner)
        whole.addWidget(self._escalation)
        inner = QVBoxLayout()
        inner.setContentsMargins(16, 14, 16, 14)
        inner.setSpacing(14)
        inner.addWidget(self._pages, 1)
        inner.addWidget(self._actions)
        whole.addLayout(inner, 1)
        self._escalation.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setCentralWidget(page)
        page.setFocus()

    def _wire(self) -> None:
        self._prompts.dismissed.connect(self._dismiss)
        self._actions.marked.connect(self.mark)
        self._actions.snoozed.connect(self.snooze)
        self._actions.calibrate.connect(self.calibrate)
        self._actions.setup.connect(lambda: self.show_setup(self._pages.currentWidget() is self._monitor))
        self._actions.stop.connect(self._ask_stop)
        self._setup.calibrate.connect(self.calibrate)
        self._setup.left.connect(lambda: self.show_setup(False))
        self._info.closed.connect(self._close_info)
        self._info.accepted.connect(self.stop)
        keys = {
            "Ctrl++": lambda: self.zoom(1),
            "Ctrl+=": lambda: self.zoom(1),
            "Ctrl+-": lambda: self.zoom(-1),
            "Ctrl+0": lambda: self.zoom(0),
            "Esc": self._close_info,
        }
        for key, act in keys.items():
            QShortcut(QKeySequence(key), self).activated.connect(act)

    def zoom(self, step: int) -> None:
        """All type one size up or down; 0 goes back to the system's size."""
        wanted = theme.SCALE_START if step == 0 else self._scale + step
        self._scale = max(0, min(len(theme.SCALES) - 1, wanted))
        self._restyle()

    def _restyle(self) -> None:
        base_pt = self._base_pt * theme.SCALES[self._scale]
        font = QFont()
        font.setFamilies(list(theme.FONTS))
        font.setPointSizeF(base_pt)
        self.setFont(font)
        self.setStyleSheet(theme.style_sheet(base_pt))
        self._plots.set_type(font)

    def _inform(self, lines: Sequence[Line], close_id: str = "button.close", accept_id: str = "") -> None:
        self._info.show_lines(lines, close_id, accept_id)
        self._right.setCurrentWidget(self._info)
        self._pages.setCurrentWidget(self._monitor)

    def _close_info(self) -> None:
        self._right.setCurrentWidget(self._charts)

    def _ask_stop(self) -> None:
        self._inform(stop_lines(), "stop.no", "stop.yes")

    def _dismiss(self) -> None:
        self._model.dismiss()
        self.refresh()

    def _show_words(self, now_s: float) -> None:
        view = look(self._model, now_s)
        if view == self._view:
            return
        if not self._chose_page and (self._view is None or view.step is not self._view.step):
            self._pages.setCurrentWidget(
                self._monitor if view.step is Step.DONE or not view.may_mark else self._setup
            )
        self._view = view
        self._banner.show_view(view, "ended" if self._model.ended else self._model.mode.value)
        say(self._escalation, view.escalation)
        self._escalation.setVisible(bool(view.escalation))
        self._posture.show_view(view)
        self._plots.show_readings(view.readings, view.lumbar)
        self._prompts.show_view(view)
        self._actions.show_view(view)
        self._setup.show_view(view, self._model.snapshot.placement)

    def _show_plots(self, now_s: float) -> None:
        present_s = self._model.present_s(now_s)
        trunk, lumbar = self._model.ring.window(present_s), self._model.lumbar_ring.window(present_s)
        by_inclination = self._view is not None and self._view.by_inclination
        self._plots.show_minute(trunk, lumbar, self._model.fresh(now_s), by_inclination)

    def _show_figure(self, now_s: float) -> None:
        snapshot = self._model.snapshot
        figure = self._posture.silhouette
        figure.show_pose(self._model.pose_deg(now_s), snapshot.placement, snapshot.shown_state)
        figure.step()


def _plots_card(plots: MinutePlots) -> QWidget:
    frame, box = card()
    box.addWidget(plots, 1)
    return frame
