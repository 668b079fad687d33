"""Run the window in the main thread. Importing this module does not import Qt."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from monitor.window.bridge import WindowSink
from monitor.window.display import display_available
from monitor.window.model import Mode, WindowModel

__all__ = ["Mode", "WindowSink", "display_available", "run_window"]

_ENDING = (signal.SIGINT, signal.SIGTERM)
LOOK_MS = 50
"""How often the loop looks whether a signal came."""


def run_window(
    bridge: WindowSink,
    send_mark: Callable[[str, Mapping[str, Any]], None],
    on_stop: Callable[[], None],
    mode: Mode | str,
) -> signal.Signals | None:
    """Show the window until it is closed; returns the signal that closed it, None without one. In the main thread.

    `bridge` is a sink of the session, which runs in another thread. `send_mark(kind, value)` and `on_stop()` must be
    safe to call from this thread and return at once; `on_stop` is called once at most, on Stop, on closing, on
    Ctrl-C or SIGTERM. After Stop the window stays until the session has closed the bridge. `mode` comes from the
    data's own header.
    """
    met: list[signal.Signals] = []
    # Before Qt is loaded, which takes seconds: a signal that comes meanwhile is not lost.
    before = {number: signal.signal(number, lambda n, _: met.append(signal.Signals(n))) for number in _ENDING}
    try:
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QApplication

        from monitor.window.window import MainWindow

        existing = QApplication.instance()
        app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
        window = MainWindow(WindowModel(Mode(mode)), bridge, send_mark, on_stop)
        # From the loop, never from the handler: a window closed before it is shown would be shown for good.
        ending = QTimer(interval=LOOK_MS)
        ending.timeout.connect(lambda: window.close() if met else None)
        ending.start()
        window.start()
        window.show()
        app.exec()
        return met[0] if met else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
