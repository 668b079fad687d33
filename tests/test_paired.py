"""Paired sensors are remembered by their owner alone, whole or not at all, and a damaged list says what to do."""

import json
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.core.errors import SensorNotFoundError, SettingsError, StorageError
from monitor.store.paired import (
    FILE_NAME,
    MAX_SENSORS,
    Mount,
    PairedSensor,
    find,
    forget,
    load,
    remember,
    used,
)

DESK = PairedSensor(
    name="desk-sensor",
    driver="spine1",
    address="C0:01:02:03:04:05",
    identity="53504e3100000001",
    mount=Mount((0.5, 0.5, -0.5, 0.5), 0.93, True, 1_700_000_000.0, 2.1),
    last_used_wall_s=1_700_000_100.5,
)
SPARE = PairedSensor(
    name="spare", driver="witmotion", address="12345678-1234-1234-1234-123456789ABC", role="upper"
)


def test_nothing_is_paired_at_first(tmp_path: Path) -> None:
    assert load(tmp_path / "not-there") == []


def test_what_is_remembered_comes_back_whole_and_in_order(tmp_path: Path) -> None:
    for sensor in (DESK, SPARE):
        remember(tmp_path, sensor)
    assert load(tmp_path) == [DESK, SPARE]


def test_the_same_name_is_replaced_not_doubled(tmp_path: Path) -> None:
    remember(tmp_path, DESK)
    remember(tmp_path, SPARE)
    moved = replace(DESK, placement="waist", mount=None)
    remember(tmp_path, moved)
    assert load(tmp_path) == [moved, SPARE]


def test_a_sensor_is_found_by_name_or_by_address_in_any_case(tmp_path: Path) -> None:
    remember(tmp_path, DESK)
    assert find(tmp_path, "desk-sensor") == find(tmp_path, "c0:01:02:03:04:05") == DESK
    with pytest.raises(SensorNotFoundError) as caught:
        find(tmp_path, "kitchen")
    assert "desk-sensor" in caught.value.next_step


def test_a_forgotten_sensor_leaves_no_trace_in_the_file(tmp_path: Path) -> None:
    remember(tmp_path, DESK)
    remember(tmp_path, SPARE)
    assert forget(tmp_path, "desk-sensor") == DESK
    assert load(tmp_path) == [SPARE]
    text = (tmp_path / FILE_NAME).read_text()
    assert "desk" not in text
    assert DESK.address not in text
    with pytest.raises(SensorNotFoundError):
        forget(tmp_path, "desk-sensor")


def test_use_notes_the_time_and_keeps_the_calibration_unless_there_is_a_new_one(tmp_path: Path) -> None:
    remember(tmp_path, DESK)
    used(tmp_path, "desk-sensor", 2e9)
    assert find(tmp_path, "desk-sensor") == replace(DESK, last_used_wall_s=2e9)
    new = Mount((1.0, 0.0, 0.0, 0.0), 0.5, False, 2e9)
    used(tmp_path, "desk-sensor", 2e9, new)
    assert find(tmp_path, "desk-sensor").mount == new


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_file_and_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        remember(tmp_path / "settings", DESK)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "settings").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "settings" / FILE_NAME).stat().st_mode) == 0o600


def test_a_failed_save_leaves_the_old_list_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(tmp_path, DESK)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        remember(tmp_path, SPARE)
    assert load(tmp_path) == [DESK]
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


MOUNT = {"quat": [1, 0, 0, 0], "quality": 1, "forward_known": True, "wall_s": 0}
GOOD = {"name": "a", "driver": "spine1", "address": "C0:01:02:03:04:05"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'{"format": 1}',
        b'{"format": "one", "sensors": []}',
        b"[" * 100_000,
        b" " * 1_000_001,
        json.dumps({"format": 1, "sensors": [GOOD] * (MAX_SENSORS + 1)}).encode(),
        *(
            json.dumps({"format": 1, "sensors": [{**GOOD, **wrong}]}).encode()
            for wrong in (
                {"name": "../../etc/passwd"},
                {"name": 7},
                {"placement": "knee"},
                {"role": "middle"},
                {"address": "\x1b[31m"},
                {"identity": ["a"]},
                {"extra": 1},
                {"last_used_wall_s": "now"},
                {"mount": {"quat": [1, 0, 0], "quality": 1, "forward_known": True, "wall_s": 0}},
                {"mount": {"quat": [2, 0, 0, 0], "quality": 1, "forward_known": True, "wall_s": 0}},
                {"mount": {"quat": [1, 0, 0, 0], "quality": 9, "forward_known": True, "wall_s": 0}},
                {"mount": {**MOUNT, "forward_sd_deg": -1}},
                {"mount": {**MOUNT, "forward_sd_deg": "much"}},
            )
        ),
    ],
)
def test_a_damaged_list_is_an_error_with_a_next_step_and_is_not_overwritten(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        load(tmp_path)
    assert caught.value.datum == path
    assert "pair" in caught.value.next_step
    with pytest.raises(StorageError):
        remember(tmp_path, DESK)
    assert path.read_bytes() == content


def test_a_list_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"format": 2, "sensors": []}')
    with pytest.raises(StorageError, match="newer"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["", "-x", "a/b", "a b", "x" * 41, "naïve\u202e"])
def test_names_that_do_not_fit_a_command_line_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be called"):
        remember(tmp_path, replace(DESK, name=name))


def test_there_is_a_most_to_what_can_be_paired(tmp_path: Path) -> None:
    for number in range(MAX_SENSORS):
        remember(tmp_path, replace(DESK, name=f"s{number}"))
    with pytest.raises(SettingsError, match="the most"):
        remember(tmp_path, DESK)
