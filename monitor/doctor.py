"""What this machine offers supple, one line each, with the way to mend it. Looks only: no scan, no file written."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monitor.core.errors import SuppleError
from monitor.sinks.notifier import desktop_sender
from monitor.sources.ble.errors import diagnose
from monitor.sources.ble.host import look
from monitor.store import paired
from monitor.store.places import Places, places, synced_by
from monitor.window.display import display_available

BYTES_PER_HOUR = 20_000_000
"""A session file of one sensor at 100 Hz: 12 bytes a sample, packet headers and the database around them, rounded up."""
LOW_DISK_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """`says` is a sentence; `fix` is empty where `ok`, or where nothing needs mending."""

    name: str
    ok: bool
    says: str
    fix: str


def checks(where: Places | None = None) -> list[Check]:
    """Every check, in the order in which they matter. Never raises; takes about a second."""
    folders = where or places()
    parts: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("bluetooth", bluetooth),
        ("sensors", lambda: sensors(folders.config)),
        ("window", window),
        ("notifications", notifications),
        ("disk", lambda: disk(folders.recordings)),
        ("settings folder", lambda: folder("settings folder", folders.config)),
        ("recordings folder", lambda: folder("recordings folder", folders.recordings)),
    )
    return [_surely(name, part) for name, part in parts]


def bluetooth() -> Check:
    """From what the system shows without asking it; a scan tells the rest."""
    host = look()
    if host is None:
        return Check("bluetooth", True, "This system's own Bluetooth is used; `supple scan` tries it.", "")
    problem = diagnose(host)
    if problem is not None:
        return Check("bluetooth", False, problem.sentence, problem.next_step)
    return Check("bluetooth", True, f"Bluetooth adapter {', '.join(host.adapters)} is there.", "")


def sensors(config: Path) -> Check:
    """Whether a sensor is paired."""
    try:
        names = [sensor.name for sensor in paired.load(config)]
    except SuppleError as problem:
        return Check("sensors", False, problem.sentence, problem.next_step)
    if not names:
        return Check("sensors", True, "No sensor is paired yet (supple pair).", "")
    return Check("sensors", True, f"Paired: {', '.join(names)}.", "")


def window() -> Check:
    """Whether the window can open; asked of Qt in a process of its own."""
    if importlib.util.find_spec("PySide6") is None or importlib.util.find_spec("pyqtgraph") is None:
        return Check(
            "window",
            False,
            "The window's libraries are not installed.",
            "pip install --force-reinstall supple",
        )
    available, reason = display_available()
    if available:
        return Check("window", True, "The window can open.", "")
    return Check("window", False, "The window cannot open here; the terminal view works.", reason)


def notifications() -> Check:
    """Whether the desktop can show a prompt; the window and the terminal show it in any case."""
    if desktop_sender() is not None:
        return Check("notifications", True, "Prompts are also shown by the desktop.", "")
    if not sys.platform.startswith("linux"):
        return Check("notifications", True, "Prompts appear in the window and the terminal.", "")
    says = "The desktop cannot be asked to show prompts; they appear in the window and the terminal."
    return Check("notifications", False, says, "sudo apt install libnotify-bin")


def disk(recordings: Path) -> Check:
    """Room for recordings, in hours."""
    free = shutil.disk_usage(_existing(recordings)).free
    says = f"Room for about {free // BYTES_PER_HOUR:,} hours of recording."
    if free < LOW_DISK_BYTES:
        return Check(
            "disk",
            False,
            says,
            f"Free some space on the disk of {recordings}, or record with --record elsewhere.",
        )
    return Check("disk", True, says, "")


def folder(name: str, path: Path) -> Check:
    """Whether it can be written, or made; and whether a cloud service would copy it away."""
    there = _existing(path)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Check(name, False, f"{path} cannot be written.", f"Change the rights of {there}.")
    synced = synced_by(path)
    if synced is not None:
        fix = "Keep health data out of it: record with --record in another folder."
        return Check(name, False, f"{path} lies in {synced}, which copies it to the cloud.", fix)
    return Check(name, True, str(path), "")


def _surely(name: str, part: Callable[[], Check]) -> Check:
    """A check that fails itself is a finding, not a crash."""
    try:
        return part()
    except Exception as problem:
        return Check(name, False, f"Could not be checked ({problem}).", "Please report this.")


def _existing(path: Path) -> Path:
    """The path or its nearest parent that exists."""
    return next(step for step in (path, *path.parents) if step.exists())
