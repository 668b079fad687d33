"""Without Bluetooth every cause has its own sentence, a next step, and the way to the simulator.

Causes are brought about, not pretended: bleak itself runs into a missing bus, a bus without BlueZ (a real one), a
BlueZ without an adapter and one whose adapter is off.
"""

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from monitor.core.errors import RadioError
from monitor.sources.ble.client import Target
from monitor.sources.ble.errors import diagnose, explain
from monitor.sources.ble.host import HostView, look
from monitor.sources.ble.radio import open_radio
from monitor.sources.ble.scan import scan
from monitor.sources.ble.source import BleSource

linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="D-Bus is how Linux speaks to BlueZ"
)
needs_bus = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="no dbus-daemon to start a bus of one's own"
)
FINE = HostView(bus="present", adapters=("hci0",), rfkill_blocked=False, in_container=False)


async def failing_scan() -> RadioError:
    async with open_radio(None) as radio:
        with pytest.raises(RadioError) as caught:
            await scan(radio, [], 0.2)
    assert caught.value.exit_code == 3
    assert "supple live --sim desk" in caught.value.next_step
    assert "\n" not in caught.value.sentence
    return caught.value


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A D-Bus of one's own in the place of the system's, with nobody on it."""
    address = f"unix:path={tmp_path}/bus"
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address={address}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert daemon.stdout is not None
    daemon.stdout.readline()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    yield address
    daemon.terminate()
    daemon.wait()
    daemon.stdout.close()


@linux_only
async def test_without_a_bus_socket_the_bus_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    assert (await failing_scan()).datum == "no_dbus"


@linux_only
async def test_a_socket_nobody_listens_on_is_no_bus_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "bus"))
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
        assert (await failing_scan()).datum == "no_dbus"


@linux_only
@needs_bus
async def test_a_bus_without_bluez_means_the_service_is_not_running(bus: str) -> None:
    error = await failing_scan()
    assert error.datum == "no_daemon"
    assert "bluetoothd" in error.sentence


@linux_only
@needs_bus
@pytest.mark.parametrize(("powered", "case"), [(None, "no_adapter"), (False, "off")])
async def test_bluez_without_a_usable_adapter(bus: str, powered: bool | None, case: str) -> None:
    bluez = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).parent / "fake_bluez.py"), str(powered), stdout=subprocess.PIPE
    )
    assert bluez.stdout is not None
    await bluez.stdout.readline()
    try:
        assert (await failing_scan()).datum == case
    finally:
        bluez.terminate()
        await bluez.wait()


@linux_only
async def test_a_session_without_bluetooth_ends_at_once_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ble_peripheral import driver

    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    async with open_radio(None) as radio:
        source = BleSource(radio, [Target("a", driver())], start_wall_s=0.0, utc_offset_s=0)
        with pytest.raises(RadioError) as caught:
            async with asyncio.timeout(5):
                async for _ in source:
                    pass
    assert caught.value.datum == "no_dbus"


@pytest.mark.parametrize(
    ("problem", "case"),
    [
        (
            BleakBluetoothNotAvailableError("", BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE),
            "no_adapter",
        ),
        (BleakBluetoothNotAvailableError("", BleakBluetoothNotAvailableReason.DENIED_BY_USER), "permission"),
        (
            BleakBluetoothNotAvailableError("", BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM),
            "permission",
        ),
        (BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["no"]), "permission"),
        (BleakDBusError("org.bluez.Error.NotReady", ["Resource Not Ready"]), "off"),
        (BleakDBusError("org.bluez.Error.Failed", ["Blocked through rfkill"]), "blocked"),
        (BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"]), "other"),
        (PermissionError(13, "Permission denied"), "permission"),
        (EOFError(), "no_dbus"),
        (BleakError("something new"), "other"),
    ],
)
def test_each_thing_bleak_raises_has_its_case(problem: BaseException, case: str) -> None:
    error = explain(problem, FINE)
    assert error.datum == case
    assert "supple live --sim desk" in error.next_step


def test_an_unknown_problem_keeps_its_own_words() -> None:
    assert "something new" in explain(BleakError("something new"), FINE).sentence


def test_an_adapter_that_is_off_because_of_rfkill_says_so() -> None:
    off = BleakBluetoothNotAvailableError("", BleakBluetoothNotAvailableReason.POWERED_OFF)
    blocked = HostView("present", ("hci0",), rfkill_blocked=True, in_container=False)
    assert explain(off, FINE).datum == "off"
    assert "rfkill unblock" in explain(off, blocked).next_step


def test_the_sentences_of_all_cases_differ() -> None:
    views = [
        HostView("absent", (), False, False),
        HostView("absent", (), False, True),
        HostView("denied", (), False, False),
        HostView("present", ("hci0",), True, False),
        HostView("present", (), False, False),
    ]
    errors = [error for view in views if (error := diagnose(view)) is not None]
    assert [e.datum for e in errors] == ["no_dbus", "no_dbus", "permission", "blocked", "no_adapter"]
    assert len({e.sentence for e in errors}) == 5
    assert "container" in errors[1].sentence
    assert diagnose(FINE) is None


@linux_only
def test_looking_at_the_machine_reads_adapters_rfkill_and_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    bare = look(tmp_path)
    for name in ("hci0", "hci0:11"):
        (tmp_path / "sys/class/bluetooth" / name).mkdir(parents=True)
    for number, (kind, soft) in enumerate([("wlan", "0"), ("bluetooth", "1")]):
        switch = tmp_path / f"sys/class/rfkill/rfkill{number}"
        switch.mkdir(parents=True)
        for name, text in (("type", kind), ("soft", soft), ("hard", "0")):
            (switch / name).write_text(text + "\n")
    (tmp_path / ".dockerenv").touch()
    assert bare == HostView("absent", (), rfkill_blocked=False, in_container=False)
    assert look(tmp_path) == HostView("absent", ("hci0",), rfkill_blocked=True, in_container=True)
