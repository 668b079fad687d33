"""A look at this machine's Bluetooth without touching it: files and sockets only, no D-Bus call, no scan."""

from __future__ import annotations

import os
import re
import socket
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

_SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"
"""Where the D-Bus specification puts the system bus (well-known address, /var/run being a link to /run)."""


@dataclass(frozen=True, slots=True)
class HostView:
    """What there is to see. `bus` is `present`, `absent` or `denied`; `adapters` kernel names such as `hci0`."""

    bus: str
    adapters: tuple[str, ...]
    rfkill_blocked: bool
    in_container: bool


def look(root: Path = Path("/")) -> HostView | None:
    """The view on Linux, None on other systems. `root` is where /sys and the container markers are looked for."""
    if not sys.platform.startswith("linux"):
        return None
    return HostView(
        bus=_bus(os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or _SYSTEM_BUS),
        adapters=_adapters(root),
        rfkill_blocked=_rfkill_blocked(root),
        in_container=any((root / marker).exists() for marker in (".dockerenv", "run/.containerenv")),
    )


def _bus(address: str) -> str:
    """A bus that is not a socket in the file system (abstract, tcp) cannot be seen here and counts as present."""
    match = re.search(r"unix:path=([^,;]+)", address)
    if match is None:
        return "present"
    path = Path(match[1])
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return "absent"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(0.5)
            probe.connect(str(path))
    except PermissionError:
        return "denied"
    except OSError:
        return "absent"
    return "present"


def _adapters(root: Path) -> tuple[str, ...]:
    try:
        # Connections appear beside the adapters as hci0:11.
        return tuple(sorted(p.name for p in (root / "sys/class/bluetooth").iterdir() if ":" not in p.name))
    except OSError:
        return ()


def _rfkill_blocked(root: Path) -> bool:
    """Whether every Bluetooth switch of the kernel is soft- or hard-blocked (and there is one)."""
    states = [_blocked(switch) for switch in sorted((root / "sys/class/rfkill").glob("*"))]
    known = [state for state in states if state is not None]
    return bool(known) and all(known)


def _blocked(switch: Path) -> bool | None:
    """None for a switch of another kind of radio."""
    try:
        if (switch / "type").read_text().strip() != "bluetooth":
            return None
        return any((switch / kind).read_text().strip() == "1" for kind in ("soft", "hard"))
    except OSError:
        return None
