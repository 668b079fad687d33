"""Prompts reach the desktop of a live session, and nothing waits for the desktop."""

from __future__ import annotations

import stat
import threading
import time
from pathlib import Path

import pytest

from monitor.core.events import Notice, Prompt
from monitor.sinks import notifier as notifier_module
from monitor.sinks.notifier import Notifier, desktop_sender


def prompt(text: str) -> Prompt:
    return Prompt(1.0, "rule", "id", text, {})


class Desktop:
    def __init__(self, blocks: bool = False) -> None:
        self.shown: list[str] = []
        self.arrived = threading.Semaphore(0)
        self.go = threading.Event()
        if not blocks:
            self.go.set()

    def send(self, text: str) -> None:
        self.arrived.release()
        self.go.wait(5)
        self.shown.append(text)
        if text == "raise":
            raise OSError("no desktop")


def wait_for(desktop: Desktop, n: int) -> None:
    end = time.monotonic() + 5
    while len(desktop.shown) < n and time.monotonic() < end:
        time.sleep(0.005)


def test_only_prompts_of_a_live_session_are_shown() -> None:
    desktop = Desktop()
    live, other = Notifier(desktop.send, live=True), Notifier(desktop.send, live=False)
    other.push([prompt("replayed")])
    live.push([Notice(1.0, "x", "a notice"), prompt("now")])
    wait_for(desktop, 1)
    live.close()
    other.close()
    time.sleep(0.05)
    assert desktop.shown == ["now"]


def test_a_hanging_desktop_never_blocks_and_no_stale_prompts_pile_up() -> None:
    desktop = Desktop(blocks=True)
    sink = Notifier(desktop.send, live=True)
    sink.push([prompt("0")])
    assert desktop.arrived.acquire(timeout=5)
    start = time.monotonic()
    for k in range(1, 100):
        sink.push([prompt(str(k))])
    assert time.monotonic() - start < 0.5
    desktop.go.set()
    wait_for(desktop, 2)
    sink.close()
    assert desktop.shown == ["0", "99"]


def test_a_desktop_that_fails_is_asked_again_next_time() -> None:
    desktop = Desktop()
    sink = Notifier(desktop.send, live=True)
    sink.push([prompt("raise")])
    wait_for(desktop, 1)
    sink.push([prompt("again")])
    wait_for(desktop, 2)
    sink.close()
    assert desktop.shown == ["raise", "again"]


def test_without_a_notification_program_there_is_no_sender(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert desktop_sender() is None
    Notifier(None, live=True).push([prompt("nobody hears")])


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A notify-send that keeps its arguments, one a line, and then does what the file `then` says."""
    script = tmp_path / "notify-send"
    script.write_text(f'#!/bin/sh\nfor a in "$@"; do echo "$a" >> {tmp_path}/told; done\n. {tmp_path}/then\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "then").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def test_the_text_is_an_argument_and_nothing_more(program: Path) -> None:
    send = desktop_sender()
    assert send is not None
    send("--urgency=critical <b>; rm -rf $HOME")
    told = (program / "told").read_text().splitlines()
    assert told[-3:] == ["--", "supple", "--urgency=critical &lt;b&gt;; rm -rf $HOME"]


def test_a_program_that_hangs_is_given_up(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier_module, "SEND_TIMEOUT_S", 0.2)
    (program / "then").write_text("exec sleep 30\n")
    send = desktop_sender()
    assert send is not None
    start = time.monotonic()
    with pytest.raises(notifier_module.subprocess.TimeoutExpired):
        send("text")
    assert time.monotonic() - start < 5
