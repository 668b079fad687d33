"""The sessions in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from monitor.core.errors import InputFileError
from monitor.store.schema import SUFFIX
from monitor.store.session_file import SessionReader


class Entry(NamedTuple):
    """One file. `problem` is the sentence why it cannot be read, empty where it can; the rest is empty then."""

    path: Path
    header: dict[str, Any]
    duration_s: float
    closed_cleanly: bool
    size_bytes: int
    problem: str


def list_sessions(folder: Path) -> list[Entry]:
    """All session files directly in `folder`, oldest first, unreadable ones (with their problem) last."""
    paths = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    return sorted(map(_entry, paths), key=_age)


def _age(entry: Entry) -> tuple[bool, float]:
    start = entry.header.get("wall_start_s")
    return bool(entry.problem), float(start) if isinstance(start, (int, float)) else 0.0


def _entry(path: Path) -> Entry:
    try:
        size = path.stat().st_size
        with SessionReader(path) as reader:
            return Entry(path, reader.header, reader.duration_s, reader.closed_cleanly, size, "")
    except InputFileError as error:
        return Entry(path, {}, 0.0, False, 0, error.sentence)
    except OSError as error:
        return Entry(path, {}, 0.0, False, 0, f"{path} cannot be read ({error.strerror}).")
