"""`supple calibrate sensor`, as a person meets it: guided, refused with a reason, kept, and used by the next session."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.core.inputs import Mark
from monitor.store.paired import PairedSensor, remember
from monitor.store.profiles import find_profile, read_profile
from monitor.store.session_file import SessionReader
from tests.door import Ask, asking, refused

SERIAL = "simulated-poor-0-lower_back"
SIM = ("calibrate", "sensor", "--sim", "turned", "--speed", "max")
WORN = (
    b'[sensor]\nchip = "poor"\n[[block]]\nactivities = [{ do = "stand", seconds = 30, shifts_per_min = 0 }]\n'
)


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(tmp_path, monkeypatch, capsys)


def config(folder: Path) -> Path:
    return folder / "config" / "supple"


def test_a_simulated_sensor_is_guided_through_its_poses_and_calibrated(ask: Ask, tmp_path: Path) -> None:
    answer = ask(*SIM)
    assert answer.code == 0 and answer.out == ""
    assert "Still missing: " in answer.err and "That is enough." in answer.err
    kept = find_profile(config(tmp_path), SERIAL)
    assert kept is not None and len(kept.poses) >= 8
    assert kept.residual_m_s2 < 0.05 < kept.before_m_s2
    assert f"{SERIAL}.json" in answer.err and "supple live" in answer.err
    assert (config(tmp_path) / "calibrations" / kept.capture).exists()


def test_with_six_sides_it_says_how_well_the_reading_is_known_and_which_pose_would_help(
    ask: Ask, tmp_path: Path
) -> None:
    said = ask(*SIM, "--out", tmp_path / "a.json").err
    assert re.search(
        r"Pose 6: .*All six sides: with [xyz, updown]+ the reading is known to 0\.\d %\. Add 2 such", said
    )
    counted = ask(*SIM, "--sensor", "witmotion", "--out", tmp_path / "b.json").err
    assert counted.count("Pose ") > said.count("Pose "), "without a clock of its own its turns tell nothing"
    assert "That is enough." in counted


def worn_marks_and_lengths(ask: Ask, tmp_path: Path, name: str) -> tuple[list[Mark], str]:
    scenario, path = tmp_path / "worn.toml", tmp_path / f"{name}.supple"
    scenario.write_bytes(WORN)
    words = ("live", "--sim", scenario, "--speed", "max", "--duration", "20", "--record", path)
    live = ask(*words)
    assert live.code == 0 and ("its own calibration of" in live.err) == (name == "after")
    replayed = ask("replay", path, "--json")
    assert replayed.code == 0
    with SessionReader(path) as reader:
        assert json.loads(replayed.out.splitlines()[-1])["digest"] == reader.header["digest"]
        return [mark for mark in reader.marks() if mark.kind == "device_calibration"], reader.header["digest"]


def test_the_next_session_with_the_same_chip_uses_it_and_replays_alike(ask: Ask, tmp_path: Path) -> None:
    none, before = worn_marks_and_lengths(ask, tmp_path, "before")
    assert none == []
    assert ask(*SIM).code == 0
    (mark,), after = worn_marks_and_lengths(ask, tmp_path, "after")
    assert mark.value["serial"] == SERIAL and mark.t_host_s == 0.0
    assert before != after


def test_a_worn_bad_chip_is_told_of_and_a_calibrated_one_is_not(ask: Ask, tmp_path: Path) -> None:
    scenario = tmp_path / "worn.toml"
    x_up = b'[sensor]\nchip = "poor"\nmount_euler_deg = [0, -90, 0]\n'
    scenario.write_bytes(x_up + WORN.split(b"\n", 2)[2].replace(b"seconds = 30", b"seconds = 300"))
    words = ("live", "--sim", scenario, "--speed", "max", "--duration", "200", "--no-record", "--json")

    def told() -> list[str]:
        lines = [json.loads(line) for line in ask(*words).out.splitlines()]
        return [str(line["text"]) for line in lines if line.get("id") == "gravity_off"]

    (text,) = told()
    assert "% less than gravity" in text and "supple calibrate sensor" in text
    assert ask(*SIM).code == 0
    assert told() == []


def test_a_recording_of_a_turned_sensor_gives_the_same_calibration(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "turned.supple"
    words = ("live", "--sim", "turned", "--speed", "max", "--duration", "105", "--record", path)
    assert ask(*words).code == 0
    assert ask("calibrate", "sensor", "--from", path, "--out", tmp_path / "from.json").code == 0
    assert ask(*SIM, "--out", tmp_path / "live.json").code == 0
    profiles = [read_profile(tmp_path / name) for name in ("from.json", "live.json")]
    first, second = (np.array(profile.acc_matrix) for profile in profiles)
    assert first == pytest.approx(second, abs=0.003)
    assert np.max(np.abs(first - np.eye(3))) > 0.01
    assert find_profile(config(tmp_path), SERIAL) is None, "--out keeps it out of the settings"


def test_the_raw_capture_gives_its_profile_again(ask: Ask, tmp_path: Path) -> None:
    assert ask(*SIM, "--out", tmp_path / "a.json").code == 0
    remember(config(tmp_path), PairedSensor("mine", "spine1", "C0:00:00:00:00:01", "0102030405060708"))
    assert ask("calibrate", "sensor", "--from", tmp_path / "a.csv", "--device", "mine").code == 0
    one, again = read_profile(tmp_path / "a.json"), find_profile(config(tmp_path), "0102030405060708")
    assert again is not None and len(again.poses) == len(one.poses)
    assert np.array(again.acc_matrix) == pytest.approx(np.array(one.acc_matrix), abs=1e-4)
    assert again.acc_bias_m_s2 == pytest.approx(one.acc_bias_m_s2, abs=1e-3)


def test_a_sensor_that_is_warmed_gives_its_gyroscopes_course(ask: Ask, tmp_path: Path) -> None:
    cool = ask(*SIM, "--out", tmp_path / "cool.json")
    assert "this was" in cool.err
    warm = ask(*SIM, "--warm", "--out", tmp_path / "warm.json")
    assert warm.code == 0 and "mdeg/s per K" in warm.err
    profile = read_profile(tmp_path / "warm.json")
    assert profile.temperature_c is not None and profile.gyr_bias_rad_s_per_k is not None
    assert profile.temperature_c[1] - profile.temperature_c[0] >= 3.0
    first, last = profile.rests[0], profile.rests[-1]
    assert first[0] is not None and last[0] is not None
    change = (np.array(last[1]) - np.array(first[1])) / (last[0] - first[0])
    assert np.array(profile.gyr_bias_rad_s_per_k) == pytest.approx(change, abs=2e-4)


def test_it_says_itself_in_json(ask: Ask, tmp_path: Path) -> None:
    answer = ask(*SIM, "--json")
    (line,) = answer.out.splitlines()
    table: dict[str, Any] = json.loads(line)
    assert table["serial"] == SERIAL and len(table["acc_matrix"]) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sim", "turned", "--radio", "x"), ("--sim", "--radio")),
        (("--sim", "nosuch"), ("nosuch", "turned")),
        (("--sim", "turned", "--speed", "2"), ("--speed",)),
        (("--speed", "max"), ("--speed max", "--sim turned")),
        (("--from", "none.csv"), ("none.csv",)),
        (("--from", "none.csv", "--radio", "x"), ("--from",)),
        (("--sim", "turned", "--sensor", "acme"), ("acme", "witmotion")),
        (("--sim", "turned", "--speed", "max", "--duration", "20"), ("still poses", "six sides")),
        (("--sim", "walk", "--speed", "max", "--duration", "15"), ("never lay still", "table")),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    ask: Ask, words: tuple[str, ...], said: tuple[str, ...]
) -> None:
    answer = ask("calibrate", "sensor", *words)
    assert answer.code == 2 and answer.out == ""
    assert "Traceback" not in answer.err
    for word in said:
        assert word in answer.err


def test_a_table_that_names_no_sensor_is_refused_before_it_is_lost(ask: Ask, tmp_path: Path) -> None:
    assert ask(*SIM, "--out", tmp_path / "a.json").code == 0
    refused(ask("calibrate", "sensor", "--from", tmp_path / "a.csv"), 2, "a.csv", "--device", "--out")
    refused(ask(*SIM, "--out", tmp_path / "a.json"), 4, "a.json exists already")


def test_without_a_sensor_it_says_how_to_come_by_one(ask: Ask) -> None:
    refused(ask("calibrate", "sensor"), 3, "supple pair", "--sim turned")


def test_a_damaged_profile_stops_a_session_with_its_name(ask: Ask, tmp_path: Path) -> None:
    assert ask(*SIM).code == 0
    path = config(tmp_path) / "calibrations" / f"{SERIAL}.json"
    path.write_text("{")
    scenario = tmp_path / "worn.toml"
    scenario.write_bytes(WORN)
    refused(ask("live", "--sim", scenario, "--no-record"), 4, str(path), "supple calibrate sensor")


def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing_half_written(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("monitor.store.profiles.os.fsync", full)
    (tmp_path / "out").mkdir()
    answer = ask(*SIM, "--out", tmp_path / "out" / "p.json")
    assert answer.code == 4
    assert "cannot be saved" in answer.err and "Free some space" in answer.err
    assert "Traceback" not in answer.err and list((tmp_path / "out").iterdir()) == []
