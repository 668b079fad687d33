"""Small building blocks of the window: cards, labels by role, buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QPushButton, QVBoxLayout, QWidget

from monitor.window.texts import text


def card(tone: str = "plain") -> tuple[QFrame, QVBoxLayout]:
    """A white rounded frame and its column."""
    frame = QFrame()
    frame.setObjectName("card")
    frame.setProperty("tone", tone)
    box = QVBoxLayout(frame)
    box.setContentsMargins(18, 14, 18, 14)
    box.setSpacing(6)
    return frame, box


def label(role: str, sentence: str = "", *, wraps: bool = False) -> QLabel:
    """A label styled by `role` (a name of the style sheet). Plain text always: records may carry any characters."""
    made = QLabel(sentence)
    made.setObjectName(role)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wraps)
    return made


def button(text_id: str, pressed: Callable[[], object] | None = None, *, main: bool = False) -> QPushButton:
    """A button named by a text whose `&` marks its key. `main` is the one thing to do next."""
    made = QPushButton(text(text_id))
    made.setAccessibleName(text(text_id).replace("&", ""))
    if main:
        made.setObjectName("main")
    if pressed is not None:
        made.clicked.connect(lambda _checked=False: pressed())
    return made


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property the style sheet looks at, and restyle only on change."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def say(target: QLabel, sentence: str) -> None:
    """Change a label's text only when it differs: an unchanged label is not laid out again."""
    if target.text() != sentence:
        target.setText(sentence)


def bullet(sentence: str) -> QWidget:
    """A point of a list, its lines indented together."""
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(2, 0, 0, 0)
    row.setSpacing(9)
    row.addWidget(label("soft", "•"), 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(label("body", sentence, wraps=True), 1)
    return made


def empty_layout(layout: QLayout) -> None:
    """Remove and delete everything in `layout`."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.setParent(None)
            widget.deleteLater()
