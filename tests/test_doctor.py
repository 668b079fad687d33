"""The doctor looks, never touches, never fails, and everything it finds wrong comes with a way to mend it."""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor import doctor
from monitor.store.places import Places


class Usage(NamedTuple):
    free: int


@pytest.fixture
def where(tmp_path: Path) -> Places:
    return Places(
        config=tmp_path / "config", state=tmp_path / "state", recordings=tmp_path / "state" / "recordings"
    )


def test_every_subject_has_one_line_and_every_problem_a_fix(where: Places) -> None:
    found = doctor.checks(where)
    assert [check.name for check in found] == [
        "bluetooth",
        "sensors",
        "window",
        "notifications",
        "disk",
        "settings folder",
        "recordings folder",
    ]
    assert all(check.says and (check.ok or check.fix) for check in found)


def test_looking_leaves_nothing_behind(where: Places, tmp_path: Path) -> None:
    doctor.checks(where)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="D-Bus is how Linux speaks to BlueZ")
def test_a_missing_bus_is_found_and_the_simulator_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    check = doctor.bluetooth()
    assert not check.ok
    assert "supple live --sim desk" in check.fix


def test_a_damaged_list_of_sensors_is_a_finding(where: Places) -> None:
    where.config.mkdir()
    (where.config / "sensors.json").write_text("{")
    check = doctor.sensors(where.config)
    assert not check.ok
    assert "pair" in check.fix


def test_little_space_is_told_in_hours(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(100_000_000))
    check = doctor.disk(where.recordings)
    assert not check.ok
    assert "5 hours" in check.says


def test_a_file_in_place_of_a_folder_cannot_be_written(where: Places) -> None:
    where.config.write_text("")
    assert not doctor.folder("settings folder", where.config).ok


def test_a_folder_that_is_copied_to_the_cloud_is_warned_of(tmp_path: Path) -> None:
    check = doctor.folder("recordings folder", tmp_path / "Dropbox" / "supple")
    assert not check.ok
    assert "Dropbox" in check.says


def test_a_check_that_crashes_is_a_finding_too(where: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash() -> doctor.Check:
        raise RuntimeError("boom")

    monkeypatch.setattr(doctor, "bluetooth", crash)
    first = doctor.checks(where)[0]
    assert (first.name, first.ok) == ("bluetooth", False)
    assert "boom" in first.says
