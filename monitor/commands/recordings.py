"""`supple sessions` and `supple replay`."""

from __future__ import annotations

import json as json_module
import math
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from monitor.commands.piped import Piped
from monitor.commands.progress import clock
from monitor.commands.run import Interruption, run_in_terminal
from monitor.commands.say import CHECKSUM, say
from monitor.commands.windowed import run_in_window
from monitor.core.counted import counted
from monitor.core.errors import InputFileError, SettingsError
from monitor.core.protocols import Sink
from monitor.session import Session
from monitor.sinks.lines import LinesSink
from monitor.sinks.terminal import TerminalSink
from monitor.sources.pace import Paced
from monitor.sources.replay import ReplaySource
from monitor.store.catalog import Entry, list_sessions
from monitor.store.places import places
from monitor.store.session_file import SessionReader
from monitor.version import build_version


def run_sessions(folder: Path | None, json: bool) -> int:
    if folder is not None and not folder.is_dir():
        raise InputFileError(
            f"{folder} is not a folder.", "Give a folder of recordings, or none for your own.", folder
        )
    folder = folder or places().recordings
    entries = list_sessions(folder)
    if json:
        for entry in entries:
            sys.stdout.write(json_module.dumps(_plain(entry)) + "\n")
        return 0
    if not entries:
        Console().print(f"No recordings in {folder}.  Make one:  supple live --sim desk", markup=False)
        return 0
    for line in _listed(folder, entries):
        Console().print(line, markup=False, highlight=False, soft_wrap=True)
    return 0


def run_replay(file: Path, speed: float, window: bool, json: bool) -> int:
    if window and (math.isinf(speed) or json):
        raise SettingsError(
            "The window shows a replay at a speed.", "Give --speed 1 (or 10, ...) and no --json.", "window"
        )
    window = window and _screen()
    header, damaged = SessionReader(file).header, 0
    lines: Piped | None = None

    @asynccontextmanager
    async def opening(sink: Sink) -> AsyncIterator[Session]:
        nonlocal damaged
        replay = ReplaySource(file)
        session = Session(replay if math.isinf(speed) else Paced(replay, speed), [sink], on_end)
        yield session if lines is None else lines.ends(session)
        damaged = replay.damaged

    on_end: Callable[[str], None] = _ignore
    if window:
        digest, interruption = run_in_window(opening, "replay")
    elif json:
        lines = Piped(LinesSink(sys.stdout, "replay", {"file": file.name, "header": header}))
        on_end = lines.end
        digest, interruption = run_in_terminal(opening(lines))
        lines.check()
    else:
        digest, interruption = run_in_terminal(
            opening(TerminalSink(Console(stderr=True), "replay", file.name))
        )
    return _verdict(file, header, damaged, digest, interruption)


def _screen() -> bool:
    """Whether a window can open here; says why where not."""
    from monitor.window.app import display_available

    available, reason = display_available()
    if not available:
        say(f"No window: {reason}")
    return available


def _verdict(
    file: Path, header: Mapping[str, Any], damaged: int, digest: str, interruption: Interruption | None
) -> int:
    """Say whether the replay met the live run, and the exit code."""
    if interruption is not None:
        return interruption.exit_code
    say(CHECKSUM.format(digest))
    if damaged:
        say(f"Left out: {counted(damaged, 'damaged row')} of {file.name}.")
    recorded, made_by = header.get("digest"), header.get("program_version", "?")
    if recorded is None:
        say(
            "The live run did not end cleanly, so there is no checksum to compare; all that was recorded was replayed."
        )
    elif recorded == digest:
        say("The same records as in the live run, to the bit.")
    elif made_by != build_version():
        say(
            f"The records differ from the live run's: that was supple {made_by}, this is {build_version()}. "
            "The same data, judged by another version."
        )
    else:
        raise InputFileError(
            f"The replay of {file.name} differs from the live run.",
            "Some of the file was damaged."
            if damaged
            else f"It was recorded by this very version, {made_by}, so this is a defect of supple: please report it.",
            str(file),
        )
    return 0


def _listed(folder: Path, entries: Sequence[Entry]) -> Iterator[str]:
    """A line each. The name comes last, where it can be as long as it likes."""
    yield str(folder)
    yield f"{'length':>9}  {'size':>9}  {'kind':<9}  {'ended':<9}  file"
    for entry in entries:
        if entry.problem:
            yield f"{'?':>9}  {'?':>9}  {'?':<9}  {'?':<9}  {entry.path.name}"
            continue
        ended = "cleanly" if entry.closed_cleanly else "recording" if entry.recording else "cut off"
        yield (
            f"{clock(entry.duration_s):>9}  {_size(entry.size_bytes):>9}  "
            f"{entry.header.get('source', '?')!s:<9}  {ended:<9}  {entry.path.name}"
        )
    if any(not (e.closed_cleanly or e.recording or e.problem) for e in entries):
        yield "cut off: ended without a goodbye; all up to its last second is there."
    yield from (entry.problem for entry in entries if entry.problem)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def _plain(entry: Entry) -> dict[str, object]:
    return {
        "file": str(entry.path),
        "header": entry.header,
        "duration_s": entry.duration_s,
        "closed_cleanly": entry.closed_cleanly,
        "recording": entry.recording,
        "size_bytes": entry.size_bytes,
        "problem": entry.problem or None,
    }


def _ignore(_digest: str) -> None:
    pass
