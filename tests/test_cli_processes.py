"""The command as a process of its own: interrupted, killed, cut off, out of disk. What was recorded stays."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.store.session_file import SessionReader
from tests.door import homes
from tests.inertial_tables import ACC, GYR, table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and limits"),
]

SUPPLE = [sys.executable, "-c", "from monitor.cli import main; main()"]
END_WITHIN_S = 3.0
"""A session that is asked to end says goodbye to its sensor and closes its file in this time (fault table, row 77)."""
LOST_AT_MOST_S = 2.0
"""One second between two commits (fault table, row 57), and one between two lines of angles."""
DESK = ("live", "--sim", "desk", "--no-window", "--json")


class Running:
    """One `supple` process; its lines of standard output as they come."""

    def __init__(self, home: Path, *words: object, **more: Any) -> None:
        self.process = subprocess.Popen(
            [*SUPPLE, *map(str, words)],
            env={**os.environ, **homes(home)},
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )
        self.lines: list[str] = []
        self.said: list[str] = []
        self._new: Queue[str] = Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.lines)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.said)),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, into: list[str]) -> None:
        for line in stream:
            into.append(line)
            self._new.put(line)

    def until(self, pattern: str, within_s: float = 30.0) -> str:
        """The next new line, of output or error, in which `pattern` is found."""
        end_s = time.monotonic() + within_s
        while (left_s := end_s - time.monotonic()) > 0:
            with contextlib.suppress(Empty):
                line = self._new.get(timeout=left_s)
                if re.search(pattern, line):
                    return line
        raise AssertionError(f"{pattern!r} never came: {self.lines[-5:]} {self.said[-5:]}")

    def end(self, number: int | None = None, within_s: float = 30.0) -> int:
        """Send a signal if there is one; the exit code and all lines once it has ended."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(within_s)
        for reader in self._readers:
            reader.join(5)
        return code

    def records(self) -> list[dict[str, Any]]:
        """Every whole line of JSON."""
        return [json.loads(line) for line in self.lines if line.endswith("}\n")]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:

        def starting(*words: object, **more: Any) -> Running:
            running = Running(tmp_path, *words, **more)
            stack.callback(running.close)
            return running

        yield starting


def replayed(start: Any, path: Path) -> list[dict[str, Any]]:
    replay = start("replay", path, "--json")
    assert replay.end() == 0, replay.said
    records: list[dict[str, Any]] = replay.records()
    return records


def last_angle_s(records: list[dict[str, Any]]) -> float:
    return max((float(record["t_s"]) for record in records if record["kind"] == "angles"), default=0.0)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_the_digest_of_a_run_is_that_of_its_replay(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.supple"
    live = start(*DESK, "--speed", "max", "--duration", "120", "--record", path)
    assert live.end() == 0, live.said
    end = live.records()[-1]
    assert end["kind"] == "end" and re.fullmatch("[0-9a-f]{64}", end["digest"])
    assert replayed(start, path)[-1] == end


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_session_ends_cleanly_and_soon(
    start: Any, tmp_path: Path, number: int, code: int
) -> None:
    path = tmp_path / "run.supple"
    live = start(*DESK, "--record", path)
    live.until('"angles"')
    asked_s = time.monotonic()
    assert live.end(number) == code
    assert time.monotonic() - asked_s < END_WITHIN_S
    end = live.records()[-1]
    assert end["kind"] == "end"
    assert not any("Traceback" in line for line in live.said)
    with SessionReader(path) as reader:
        assert reader.closed_cleanly
    assert replayed(start, path)[-1] == end


@pytest.mark.parametrize(
    ("number", "code", "jobs", "whole_group"),
    [
        (signal.SIGTERM, 143, 1, False),
        (signal.SIGTERM, 143, 2, False),
        (signal.SIGTERM, 143, 2, True),
        (signal.SIGINT, 130, 2, True),
    ],
)
def test_an_interrupted_analysis_leaves_nothing_half_done(
    start: Any, tmp_path: Path, number: int, code: int, jobs: int, whole_group: bool
) -> None:
    files = [long_table(tmp_path / f"{name}.parquet") for name in "ab"]
    more = ("--mount", "forward=+x,up=+z", "--jobs", jobs)
    analysis = start("analyze", *files, "--out", tmp_path / "out", *more, start_new_session=True)
    until_s = time.monotonic() + 30.0
    while not any((tmp_path / "out").glob("*.part")):
        assert time.monotonic() < until_s and analysis.process.poll() is None, analysis.said
        time.sleep(0.01)
    if whole_group:
        os.killpg(analysis.process.pid, number)
        number = 0
    assert analysis.end(number or None) == code
    assert list((tmp_path / "out").iterdir()) == []
    assert not any("Traceback" in line for line in analysis.said)


def long_table(path: Path) -> Path:
    """Eight hours of somebody swaying upright: long enough to be interrupted in."""
    names = ["t_s", *ACC, *GYR]
    pq.write_table(pa.table(dict(zip(names, table(1_440_000).T, strict=True))), path)
    return path


def test_an_interruption_before_the_sensor_is_found_ends_as_cleanly(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.supple"
    live = start(*DESK, "--record", path)
    live.until('"hello"')
    assert live.end(signal.SIGINT, END_WITHIN_S) == 130
    assert not any("Traceback" in line for line in live.said)
    with SessionReader(path) as reader:
        assert reader.closed_cleanly


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_session_loses_two_seconds_at_most(start: Any, tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.supple"
    live = start(*DESK, "--record", path)
    live.until('"angles"')
    time.sleep(random.Random(seed).uniform(1.0, 5.0))
    live.end(signal.SIGKILL)
    shown_s = last_angle_s(live.records())
    with SessionReader(path) as reader:
        assert not reader.closed_cleanly and reader.damaged == 0
    records = replayed(start, path)
    assert last_angle_s(records) >= shown_s - LOST_AT_MOST_S
    assert records[-1]["kind"] == "end"


def test_a_killed_simulator_is_found_again_and_so_is_a_killed_session(start: Any, tmp_path: Path) -> None:
    port = free_port()
    serve = ("sim", "walk", "--hci", f"tcp-server:127.0.0.1:{port}")
    listen = ("live", "--radio", f"tcp-client:127.0.0.1:{port}", "--no-window", "--json", "--no-record")
    first = start(*serve)
    first.until("listening")
    live = start(*listen)
    live.until('"angles"')
    first.end(signal.SIGKILL)
    live.until("waiting")
    second = start(*serve)
    second.until("listening")
    live.until("streaming")
    live.until('"angles"')
    live.end(signal.SIGKILL)
    again = start(*listen)
    again.until('"angles"')
    assert again.end(signal.SIGINT, END_WITHIN_S) == 130
    assert second.end(signal.SIGINT) == 130


def test_a_sensor_is_scanned_paired_and_streamed_from_by_its_name(start: Any, tmp_path: Path) -> None:
    port = free_port()
    radio = ("--radio", f"tcp-client:127.0.0.1:{port}")
    start("sim", "desk", "--hci", f"tcp-server:127.0.0.1:{port}").until("listening")
    scan = start("scan", *radio, "--timeout", "2", "--json")
    assert scan.end() == 0
    (found,) = scan.records()
    pair = start("pair", found["address"], "--name", "mine", *radio, "--timeout", "2")
    assert pair.end() == 0, pair.said
    (kept,) = json.loads((tmp_path / "config" / "supple" / "sensors.json").read_text())["sensors"]
    assert kept["name"] == "mine" and kept["identity"] and kept["mount"] is None
    live = start("live", "--device", "mine", *radio, "--no-window", "--json")
    live.until("Calibrating in the first 20 s")
    live.until('"kind": ?"mount_set"', 40)
    assert live.end(signal.SIGINT, END_WITHIN_S) == 130
    (kept,) = json.loads((tmp_path / "config" / "supple" / "sensors.json").read_text())["sensors"]
    assert kept["mount"]["quality"] > 0.5
    assert kept["last_used_wall_s"] == pytest.approx(time.time(), abs=60)


def test_two_sensors_named_once_are_opened_together_from_then_on_and_replay_alike(
    start: Any, tmp_path: Path
) -> None:
    port = free_port()
    radio = ("--radio", f"tcp-client:127.0.0.1:{port}")
    start("sim", "mobility", "--two", "--hci", f"tcp-server:127.0.0.1:{port}").until("listening")
    scan = start("scan", *radio, "--timeout", "2", "--json")
    assert scan.end() == 0
    by_number = {found["name"][-1]: found["address"] for found in scan.records()}
    for name, number, place in (("low", "1", "lower_back"), ("high", "2", "upper_back")):
        pair = start(
            "pair", by_number[number], "--name", name, "--placement", place, *radio, "--timeout", "2"
        )
        assert pair.end() == 0, pair.said
    path = tmp_path / "two.supple"
    live = start(
        *("live", "--device", "high", "--device", "low", *radio, "--no-window", "--json"),
        *("--mount", "forward=+z,up=+x", "--duration", "8", "--record", path),
    )
    assert live.end() == 0, live.said
    records = live.records()
    told = [record for record in records if record["kind"] == "lumbar"]
    assert len(told) >= 4 and any(line["lumbar_flexion_deg"] is not None for line in told)
    assert replayed(start, path)[-1] == records[-1]
    again = start("live", "--no-window", "--json", "--no-record", "--duration", "1")
    again.until("worn together: low .lower back. and high .upper back.")


def test_a_full_disk_ends_the_session_in_a_sentence_and_keeps_what_was_recorded(
    start: Any, tmp_path: Path
) -> None:
    import resource

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

    path = tmp_path / "run.supple"
    live = start(*DESK, "--speed", "max", "--duration", "3600", "--record", path, preexec_fn=little_room)
    assert live.end() == 4
    (sentence, step) = [line for line in live.said if line.startswith(("supple:", "   "))]
    assert str(path) in sentence and step.strip()
    assert not any("Traceback" in line for line in live.said)
    with SessionReader(path) as reader:
        assert not reader.closed_cleanly
    assert last_angle_s(replayed(start, path)) > 10.0


@pytest.mark.parametrize("words", [DESK, (*DESK, "--speed", "max", "--duration", "600")])
def test_a_reader_that_leaves_ends_the_session_quietly(tmp_path: Path, words: tuple[str, ...]) -> None:
    live = subprocess.Popen(
        [*SUPPLE, *words],
        env={**os.environ, **homes(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with live:
        assert live.stdout is not None and live.stderr is not None
        assert '"hello"' in live.stdout.readline()
        live.stdout.close()
        try:
            live.wait(20)
        finally:
            live.kill()
        said = live.stderr.read()
    assert "Traceback" not in said and "Exception ignored" not in said
    (path,) = (tmp_path / "data" / "supple" / "recordings").iterdir()
    with SessionReader(path) as reader:
        assert reader.closed_cleanly
