"""The parts of the monitor page: banner, posture card, prompts and messages, buttons, long texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from monitor.window.info import Line
from monitor.window.parts import bullet, button, card, empty_layout, label, say, set_property
from monitor.window.silhouette import Silhouette
from monitor.window.texts import text
from monitor.window.view import View

SNOOZE_MINUTES = (5, 15, 60)


class Banner(QFrame):
    """Where the data come from, in the mode's own colour across the whole width; link, battery and coverage beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._mode, self._note = label("mode"), label("bannerNote")
        self._link, self._battery, self._coverage = label("link"), label("battery"), label("coverage")
        self._coverage.setToolTip(text("coverage.tip"))
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 9, 20, 9)
        row.setSpacing(14)
        row.addWidget(self._mode)
        row.addWidget(self._note)
        row.addStretch(1)
        for part in (self._link, self._battery, self._coverage):
            row.addWidget(part)

    def show_view(self, view: View, mode: str) -> None:
        set_property(self, "mode", mode)
        say(self._mode, view.banner)
        say(self._note, view.banner_note)
        say(self._link, f"{'●' if view.link_up else '○'} {view.link}")
        say(self._battery, view.battery)
        say(self._coverage, view.coverage)


class PostureCard(QWidget):
    """State, time sitting and the silhouette; a grey box with the next step where something is missing."""

    def __init__(self) -> None:
        super().__init__()
        frame, box = card()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._state, self._note = label("state"), label("soft")
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self._state, 0, Qt.AlignmentFlag.AlignBaseline)
        head.addWidget(self._note, 1, Qt.AlignmentFlag.AlignBaseline)
        box.addLayout(head)
        self._bout, self._sitting = label("heading"), label("heading")
        figures = QGridLayout()
        figures.setHorizontalSpacing(26)
        figures.setVerticalSpacing(0)
        for column, (name, value) in enumerate(
            (("sitting.title", self._bout), ("sitting.total", self._sitting))
        ):
            figures.addWidget(label("note", text(name)), 0, column)
            figures.addWidget(value, 1, column)
        figures.setColumnStretch(2, 1)
        box.addLayout(figures)
        self.silhouette = Silhouette()
        box.addWidget(self.silhouette, 1)
        self._place = label("note")
        self._place.setAlignment(Qt.AlignmentFlag.AlignCenter)
        box.addWidget(self._place)
        self._empty = QFrame()
        self._empty.setObjectName("empty")
        self._missing, self._next = label("heading", wraps=True), label("soft", wraps=True)
        inside = QVBoxLayout(self._empty)
        inside.setContentsMargins(14, 10, 14, 10)
        inside.setSpacing(2)
        inside.addWidget(self._missing)
        inside.addWidget(self._next)
        box.addWidget(self._empty)

    def show_view(self, view: View) -> None:
        say(self._state, view.state)
        set_property(self._state, "known", view.fresh and view.state != text("state.unknown"))
        say(self._note, view.state_note)
        say(self._bout, view.bout)
        say(self._sitting, view.sitting)
        say(self._place, view.place)
        say(self._missing, view.empty)
        say(self._next, view.empty_next)
        self._empty.setVisible(bool(view.empty))
        side, rear = (f"{r.title} {r.value} {r.direction}".strip() for r in view.readings[:2])
        self.silhouette.setAccessibleName(text("figure.alt", side=side, rear=rear))


class PromptCard(QWidget):
    """The newest prompt with Dismiss, or one quiet line why there is none; below, the last messages."""

    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._frame, box = card()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._frame)
        self._note, self._prompt = label("note"), label("title", wraps=True)
        self._dismiss = button("prompts.dismiss", self.dismissed.emit)
        row = QHBoxLayout()
        row.setSpacing(16)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._note)
        words.addWidget(self._prompt)
        row.addLayout(words, 1)
        row.addWidget(self._dismiss, 0, Qt.AlignmentFlag.AlignVCenter)
        box.addLayout(row)
        self._messages = label("note", wraps=True)
        box.addWidget(self._messages)

    def show_view(self, view: View) -> None:
        set_property(self._frame, "tone", "prompt" if view.prompt else "plain")
        say(self._note, view.prompt_note)
        say(self._prompt, view.prompt)
        self._prompt.setVisible(bool(view.prompt))
        self._dismiss.setVisible(bool(view.prompt))
        shown = view.messages[: 2 if view.prompt else 3]
        say(self._messages, "\n".join(f"{at}  {sentence}" for at, sentence in shown))
        self._messages.setVisible(bool(shown))


class ActionBar(QWidget):
    """Everything the user can say or do. Signals only; what follows is decided by the window."""

    marked = Signal(str)
    snoozed = Signal(float)
    calibrate = Signal()
    setup = Signal()
    stop = Signal()

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._marks = [
            button(f"button.{kind}", self._mark(kind))
            for kind in ("stiff", "urge", "popped", "pain", "attached")
        ]
        for made in self._marks:
            row.addWidget(made)
        row.addStretch(1)
        self._snooze = button("button.snooze")
        self._snooze.setMenu(self._menu())
        self._calibrate = button("button.calibrate", self.calibrate.emit)
        self._setup = button("button.setup", self.setup.emit)
        self._stop = button("button.stop", self.stop.emit)
        for made in (self._snooze, self._calibrate, self._setup, self._stop):
            row.addWidget(made)

    def show_view(self, view: View) -> None:
        for made in (*self._marks, self._snooze):
            made.setEnabled(view.may_mark)
        self._calibrate.setEnabled(view.may_calibrate)
        self._unsnooze.setVisible(view.snoozed)

    def _mark(self, kind: str) -> Callable[[], None]:
        return lambda: self.marked.emit(kind)

    def _menu(self) -> QMenu:
        """Minutes, infinity for until tomorrow, 0 for prompts on again."""
        menu = QMenu(self)
        for minutes in SNOOZE_MINUTES:
            self._add(menu, f"button.snooze.{minutes}", float(minutes))
        self._add(menu, "button.snooze.tomorrow", math.inf)
        self._unsnooze = self._add(menu, "button.snooze.off", 0.0)
        return menu

    def _add(self, menu: QMenu, text_id: str, minutes: float) -> QAction:
        action = menu.addAction(text(text_id))
        action.triggered.connect(lambda: self.snoozed.emit(minutes))
        return action


class InfoPanel(QWidget):
    """A longer text in place of the plots, until closed. `show_lines` fills it; an action button may be offered."""

    closed = Signal()
    accepted = Signal()

    def __init__(self) -> None:
        super().__init__()
        frame, box = card()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(4, 4, 12, 4)
        self._column.setSpacing(7)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(inside)
        box.addWidget(self._scroll, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        self._close = button("button.close", self.closed.emit)
        self._accept = button("stop.yes", self.accepted.emit, main=True)
        row.addWidget(self._close)
        row.addWidget(self._accept)
        box.addLayout(row)

    def show_lines(self, lines: Sequence[Line], close_id: str = "button.close", accept_id: str = "") -> None:
        empty_layout(self._column)
        for line in lines:
            made = bullet(line.text) if line.role == "bullet" else label(line.role, line.text, wraps=True)
            if line.role == "heading":
                made.setContentsMargins(0, 10, 0, 0)
            self._column.addWidget(made)
        self._column.addStretch(1)
        self._close.setText(text(close_id))
        self._accept.setVisible(bool(accept_id))
        if accept_id:
            self._accept.setText(text(accept_id))
        self._scroll.verticalScrollBar().setValue(0)
        self._close.setFocus()
