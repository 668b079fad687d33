"""The sessions in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from monitor.core.errors import InputFileError
from monitor.store.schema import SUFFIX
from monitor.store.session_file import SessionReader


class Entry(NamedTuple):
    """One file. `problem` is the sentence why it cannot be read, empty where it can; the rest is empty then.

    `size_bytes` counts what waits in the write-ahead log beside it. `recording`: somebody is still writing it.
    """

    path: Path
    header: dict[str, Any]
    duration_s: float
    closed_cleanly: bool
    size_bytes: int
    recording: bool
    problem: str


def list_sessions(folder: Path) -> list[Entry]:
    """All session files directly in `folder`, oldest first, unreadable ones (with their problem) last."""
    paths = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    return sorted(map(_entry, paths), key=_age)


def _age(entry: Entry) -> tuple[bool, float]:
    # A simulated day has its own clock: `made_wall_s` is the one on the wall.
    start = entry.header.get("made_wall_s", entry.header.get("wall_start_s"))
    return bool(entry.problem), float(start) if isinstance(start, (int, float)) else 0.0


def _entry(path: Path) -> Entry:
    try:
        log = path.with_name(f"{path.name}-wal")
        size = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
        with SessionReader(path) as reader:
            whole, recording = reader.closed_cleanly, reader.recording
            return Entry(path, reader.header, reader.duration_s, whole, size, recording, "")
    except InputFileError as error:
        return Entry(path, {}, 0.0, False, 0, False, error.sentence)
    except OSError as error:
        return Entry(path, {}, 0.0, False, 0, False, f"{path} cannot be read ({error.strerror}).")
