"""Tests of the real window: offscreen where there is no screen, skipped with the reason where Qt cannot load."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))


_SKIPPED = pytest.StashKey[str]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Once, at the end: why there was no window, and which packages bring it."""
    if _SKIPPED in config.stash:
        terminalreporter.section("the window was not tested")
        terminalreporter.line(config.stash[_SKIPPED])


@pytest.fixture(scope="session")
def app(request: pytest.FixtureRequest) -> Any:
    """The one application of the test run."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from monitor.window.display import display_available

    available, reason = display_available()
    if not available:
        request.config.stash[_SKIPPED] = reason
        pytest.skip(reason)
    from PySide6.QtWidgets import QApplication

    return QApplication.instance() or QApplication([])


@pytest.fixture
def loud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An exception inside a slot or a paint event, which Qt only prints, fails the test."""
    caught: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: caught.append(error))
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: caught.append(unraisable.exc_value))
    yield
    assert not caught, caught
