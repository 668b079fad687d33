"""The door: what is refused is refused in one sentence with a next step; what is asked for is done."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from monitor.store.paired import FILE_NAME, Mount, PairedSensor, load, remember
from tests.door import Ask, asking, refused

COMMANDS = (
    "live",
    "sim",
    "scan",
    "pair",
    "forget",
    "doctor",
    "sessions",
    "replay",
    "analyze",
    "calibrate",
    "norms",
)
USAGE = 2
RADIO = 3
STORAGE = 4
CONTRADICTIONS = [
    (("--sim", "nosuch"), ("nosuch", "desk")),
    (("--speed", "max"), ("--speed max", "--sim desk")),
    (("--sim", "desk", "--speed", "max", "--window"), ("window", "--no-window")),
    (("--sim", "desk", "--speed", "max"), ("--speed max", "--duration 3600")),
    (("--sim", "desk", "--radio", "tcp-client:127.0.0.1:9"), ("--sim", "--radio")),
    (("--sim", "desk", "--device", "x"), ("--sim", "--device")),
    (("--sim", "desk", "--speed", "0"), ("--speed", "'0'", "max")),
    (("--sim", "desk", "--speed", "fast"), ("--speed", "'fast'")),
    (("--sim", "desk", "--speed", "nan"), ("--speed", "'nan'")),
    (("--sim", "desk", "--speed", "2"), ("--speed", "replay")),
    (("--sim", "desk", "--json", "--window"), ("--json", "window")),
    (("--sim", "desk", "--record", "x.supple", "--no-record"), ("--record", "--no-record")),
    (("--sim", "desk", "--mount", "nonsense"), ("nonsense", "forward=")),
    (("--sim", "desk", "--mount", "forward=+x,up=-x"), ("forward=+x,up=-x",)),
    (("--sim", "desk", "--sensor", "acme"), ("acme", "witmotion")),
    (("--radio", "tcp-client:192.0.2.1:9600"), ("192.0.2.1", "127.0.0.1")),
    (("--two",), ("--two", "--device NAME --device NAME")),
    (("--device", "a", "--device", "b", "--device", "c"), ("3 sensors", "once or twice")),
    (("--radio", "nonsense"), ("nonsense", "tcp-client")),
]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(tmp_path, monkeypatch, capsys)


def test_without_a_terminal_the_bare_command_says_what_there_is(ask: Ask) -> None:
    answer = ask()
    assert answer.code == 0
    assert all(command in answer.out for command in COMMANDS)
    assert "supple live --sim desk" in answer.out


def test_the_list_of_commands_is_not_cut_off(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    commands = ask("--help").out.split("Commands:\n")[1]
    assert commands.count("\n  ") >= len(COMMANDS) - 1
    assert "..." not in commands


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(ask: Ask, command: str) -> None:
    answer = ask(command, "--help")
    assert answer.code == 0
    assert f"Example:  supple {command}" in answer.out


@pytest.mark.parametrize(
    "words", [("liv",), ("live", "--spped", "1"), ("live", "--duration", "0"), ("replay",)]
)
def test_what_is_no_command_is_answered_with_the_way_to_the_help(ask: Ask, words: tuple[str, ...]) -> None:
    answer = ask(*words)
    assert answer.code == USAGE
    assert "Try 'supple" in answer.err and "Error: " in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(("words", "said"), CONTRADICTIONS)
def test_live_refuses_what_cannot_be(ask: Ask, words: tuple[str, ...], said: tuple[str, ...]) -> None:
    refused(
        ask("live", "--no-record", *words) if "--record" not in words else ask("live", *words), USAGE, *said
    )


def test_live_without_a_sensor_says_how_to_come_by_one(ask: Ask) -> None:
    refused(ask("live"), RADIO, "supple scan", "supple pair", "supple live --sim desk")


def test_an_unknown_sensor_is_named_with_those_there_are(ask: Ask, tmp_path: Path) -> None:
    refused(ask("live", "--device", "nosuch"), RADIO, "nosuch", "none yet")
    remember(tmp_path / "config" / "supple", PairedSensor("mine", "spine1", "C0:00:00:00:00:01"))
    refused(ask("live", "--device", "nosuch"), RADIO, "nosuch", "mine")
    refused(ask("forget", "nosuch"), RADIO, "nosuch", "mine")


def test_a_virtual_radio_nobody_serves_is_named(ask: Ask) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"tcp-client:127.0.0.1:{free.getsockname()[1]}"
        refused(ask("live", "--no-record", "--radio", place), RADIO, place, "supple sim")
        refused(ask("pair", "--radio", place), RADIO, place)


def test_tables_that_are_not_there_leave_nothing_behind(ask: Ask, tmp_path: Path) -> None:
    refused(ask("analyze", tmp_path / "none.csv", "--out", tmp_path / "out"), 2, "none.csv")
    assert not (tmp_path / "out").exists()


def test_a_recording_is_never_overwritten(ask: Ask, tmp_path: Path) -> None:
    kept = tmp_path / "kept.supple"
    kept.write_bytes(b"mine")
    refused(ask("live", "--sim", "desk", "--record", kept), STORAGE, str(kept))
    assert kept.read_bytes() == b"mine"


def test_a_folder_that_is_not_there_is_named(ask: Ask, tmp_path: Path) -> None:
    refused(
        ask("live", "--sim", "desk", "--record", tmp_path / "no" / "x.supple"), STORAGE, str(tmp_path / "no")
    )


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="needs a user whom rights can stop")
def test_a_folder_that_cannot_be_written_is_named(ask: Ask, tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(0o500)
    refused(ask("live", "--sim", "desk", "--record", shut / "x.supple"), STORAGE, str(shut))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[prompt]\n", ("'prompt'", "[prompts]")),
        ("[prompts]\nper_dya = 3\n", ("prompts.per_dya", "prompts.per_day")),
        ("[prompts]\nper_day = 99\n", ("prompts.per_day", "99", "from 0 to 8")),
        ("[prompts]\nenabled = 1\n", ("prompts.enabled", "true or false")),
        ("[prompts\n", ("line 1",)),
    ],
)
def test_settings_that_are_wrong_are_named_by_file_and_key(
    ask: Ask, tmp_path: Path, text: str, said: tuple[str, ...]
) -> None:
    file = tmp_path / "config" / "supple" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    refused(ask("live", "--sim", "desk", "--no-record"), USAGE, str(file), *said)


def test_a_scenario_with_an_unknown_key_is_refused_by_its_name(ask: Ask, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('title = "mine"\n[[block]]\nactivities = [{ do = "stand", secnds = 10 }]\n')
    refused(ask("live", "--sim", mine, "--no-record"), USAGE, "mine.toml", "secnds")
    refused(ask("sim", mine), USAGE, "mine.toml", "secnds")
    refused(ask("sim", "walk", "--sensor", "acme"), USAGE, "acme", "witmotion")
    refused(ask("live", "--sim", tmp_path / "absent.toml", "--no-record"), USAGE, "absent.toml")


@pytest.mark.parametrize(
    "place",
    [
        "tcp-server:0.0.0.0:9600",
        "tcp-server:192.0.2.1:9600",
        "nonsense",
        "tcp-server:",
        "tcp-server:127.0.0.1:65536",
    ],
)
def test_the_virtual_radio_stays_on_this_machine(ask: Ask, place: str) -> None:
    refused(ask("sim", "walk", "--hci", place), USAGE, "tcp-server:127.0.0.1")


def test_sim_alone_lists_what_can_be_worn(ask: Ask) -> None:
    answer = ask("sim")
    assert answer.code == 0
    assert "desk" in answer.out and "walk" in answer.out


def test_pairing_refuses_a_place_nobody_wears_a_sensor_at(ask: Ask) -> None:
    refused(ask("pair", "--placement", "left_ear"), USAGE, "left_ear", "lower_back")


def test_pairing_refuses_a_bad_name_before_it_looks_for_the_sensor(ask: Ask) -> None:
    refused(ask("pair", "--name", "my sensor"), USAGE, "my sensor")


def test_forgetting_keeps_the_others(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "supple"
    mount = Mount((1.0, 0.0, 0.0, 0.0), 0.9, True, 1.0)
    for name in ("one", "two"):
        remember(folder, PairedSensor(name, "spine1", f"address of {name}", mount=mount))
    answer = ask("forget", "one")
    assert answer.code == 0 and "one" in answer.err
    assert [sensor.name for sensor in load(folder)] == ["two"]


@pytest.mark.parametrize("words", [("live",), ("forget", "one"), ("live", "--device", "one")])
def test_a_damaged_list_of_sensors_is_named_and_kept(
    ask: Ask, tmp_path: Path, words: tuple[str, ...]
) -> None:
    file = tmp_path / "config" / "supple" / FILE_NAME
    file.parent.mkdir(parents=True)
    file.write_text("{")
    refused(ask(*words), STORAGE, str(file), "supple pair")
    assert file.read_text() == "{"


def test_the_doctor_looks_and_never_fails(ask: Ask) -> None:
    answer = ask("doctor")
    assert answer.code in (0, 1)
    for name in ("bluetooth", "sensors", "window", "disk", "recordings folder"):
        assert name in answer.out


def test_who_looks_for_the_calibration_of_the_mount_is_led_to_it(ask: Ask) -> None:
    refused(ask("calibrate", "mount"), USAGE, "upright and forward", "supple live --calibrate")
