"""Can a window open here? Asked in a process of its own, because Qt ends the whole program where it cannot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping

from monitor.window.texts import text

LIBRARY_PACKAGES: Mapping[str, str] = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
}
"""What importing Qt needs -> Debian package. Found by starting from a bare Debian 12 and adding what was asked for."""

SCREEN_PACKAGES = (
    "libxkbcommon-x11-0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-shape0",
)
"""What Qt's X11 plug-in needs on top (the same experiment)."""

PROBE_TIMEOUT_S = 20.0
_PROBE = "import pyqtgraph; from PySide6.QtWidgets import QApplication; QApplication([])"
_WITHOUT_SCREEN = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


def display_available() -> tuple[bool, str]:
    """(True, "") where a window can open, else (False, a sentence with the next step). Takes about half a second."""
    if not screen_set(os.environ, sys.platform):
        return False, text("display.none")
    try:
        # Fixed arguments, no shell; isolated so that the working directory cannot bring code in.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, text("display.slow", seconds=round(PROBE_TIMEOUT_S))
    return (True, "") if done.returncode == 0 else (False, refusal(done.stderr))


def screen_set(environment: Mapping[str, str], platform: str) -> bool:
    """Does anything name a screen? Only Linux and its kin need it said."""
    if platform in ("win32", "darwin"):
        return True
    if environment.get("QT_QPA_PLATFORM", "").split(":")[0] in _WITHOUT_SCREEN:
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def refusal(stderr: str) -> str:
    """The sentence for what Qt wrote before it gave up."""
    if absent := re.search(r"No module named '([\w.]+)'", stderr):
        return text("display.module", module=absent.group(1))
    missing = re.search(r"(lib[\w.+-]+\.so[.\d]*)", stderr)
    if missing and "ImportError" in stderr:
        packages = sorted({*LIBRARY_PACKAGES.values(), *SCREEN_PACKAGES})
        return text("display.library", library=missing.group(1), packages=" ".join(packages))
    if unreachable := re.search(r"could not connect to display (\S+)", stderr):
        return text("display.unreachable", display=unreachable.group(1))
    return text("display.plugin", packages=" ".join(SCREEN_PACKAGES))
