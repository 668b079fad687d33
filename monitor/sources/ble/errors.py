"""Whatever the Bluetooth stack raises -> one RadioError with a sentence, a next step and a stable name.

Names (`datum`): `no_dbus`, `no_daemon`, `no_adapter`, `off`, `blocked`, `permission`, `no_simulator`, `other`.
"""

from __future__ import annotations

import os

from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakDBusError

from monitor.core.errors import RadioError
from monitor.sources.ble.host import HostView, look

SIMULATOR = "Or try the simulated sensor, which needs no Bluetooth: supple live --sim desk"

_SAYS = {
    "no_dbus": (
        "Bluetooth cannot be reached: the system's D-Bus, through which BlueZ is spoken to, is not running here.",
        "Start it (sudo systemctl start dbus bluetooth).",
    ),
    "no_dbus_container": (
        "Bluetooth cannot be reached: this is a container without the host's D-Bus.",
        "Pass the socket in (-v /run/dbus/system_bus_socket:/run/dbus/system_bus_socket), or run outside it.",
    ),
    "no_daemon": (
        "Bluetooth cannot be reached: the Bluetooth service (bluetoothd) is not running.",
        "Install BlueZ if it is missing (sudo apt install bluez), then: sudo systemctl enable --now bluetooth",
    ),
    "no_adapter": (
        "This computer has no Bluetooth Low Energy adapter.",
        "Plug in a Bluetooth 4.0 or newer USB adapter and try again.",
    ),
    "off": (
        "Bluetooth is switched off.",
        "Switch it on in the system settings (Linux: bluetoothctl power on) and try again.",
    ),
    "blocked": (
        "Bluetooth is blocked, by a hardware switch or by flight mode.",
        "Release the switch, or: rfkill unblock bluetooth",
    ),
    "permission": (
        "This program may not use Bluetooth.",
        "Allow it in the system's privacy settings (Linux: sudo usermod -aG bluetooth $USER, then log in again).",
    ),
}

_REASONS = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: "no_adapter",
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: "no_adapter",
    BleakBluetoothNotAvailableReason.POWERED_OFF: "off",
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: "permission",
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: "permission",
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: "permission",
}

_DBUS_NAMES = {
    "org.freedesktop.DBus.Error.ServiceUnknown": "no_daemon",
    "org.freedesktop.DBus.Error.NameHasNoOwner": "no_daemon",
    "org.freedesktop.DBus.Error.NoReply": "no_daemon",
    "org.freedesktop.DBus.Error.AccessDenied": "permission",
    "org.freedesktop.DBus.Error.NoServer": "no_dbus",
    "org.freedesktop.DBus.Error.Disconnected": "no_dbus",
    "org.bluez.Error.NotReady": "off",
    "org.bluez.Error.NotAuthorized": "permission",
}


def explain(problem: BaseException, host: HostView | None = None) -> RadioError:
    """The RadioError for what a scan or connection raised. `host` refines it (left out: this machine is looked at)."""
    if isinstance(problem, RadioError):
        return problem
    view = host if host is not None else look()
    case = _case(problem)
    if case == "off" and view is not None and view.rfkill_blocked:
        case = "blocked"
    if case == "other":
        said = str(problem) or type(problem).__name__
        return RadioError(
            f"Bluetooth failed: {said}.", f"Switch Bluetooth off and on, then try again. {SIMULATOR}", case
        )
    in_container = case == "no_dbus" and view is not None and view.in_container
    return radio_error(case, "no_dbus_container" if in_container else case)


def radio_error(case: str, wording: str | None = None) -> RadioError:
    """The error of a known case. `wording` picks another text for the same case."""
    sentence, next_step = _SAYS[wording or case]
    return RadioError(sentence, f"{next_step} {SIMULATOR}", case)


def diagnose(host: HostView) -> RadioError | None:
    """What the look at the machine already tells; None where nothing speaks against Bluetooth."""
    if host.bus == "absent":
        return radio_error("no_dbus", "no_dbus_container" if host.in_container else None)
    if host.bus == "denied":
        return radio_error("permission")
    if host.rfkill_blocked:
        return radio_error("blocked")
    if not host.adapters:
        return radio_error("no_adapter")
    return None


def no_simulator(spec: str, problem: BaseException) -> RadioError:
    """Nobody answers at a virtual radio's address."""
    # The event loop's own words for a refused connection hold numbers and brackets.
    number = problem.errno if isinstance(problem, OSError) else None
    why = os.strerror(number) if number else problem or type(problem).__name__
    return RadioError(
        f"No virtual radio answers at {spec} ({why}).",
        f"Start one with: supple sim desk --hci {spec.replace('-client', '-server')}   {SIMULATOR}",
        "no_simulator",
    )


def _case(problem: BaseException) -> str:
    match problem:
        case BleakBluetoothNotAvailableError():
            return _REASONS.get(problem.reason, "other")
        case BleakDBusError():
            if "rfkill" in (problem.dbus_error_details or "").lower():
                return "blocked"
            return _DBUS_NAMES.get(problem.dbus_error, "other")
        case PermissionError():
            return "permission"
        # bleak hands on what connecting to the bus socket raised: no file, nobody listening, or a bus that hung up.
        case FileNotFoundError() | ConnectionError() | EOFError():
            return "no_dbus"
        case _:
            return "other"
