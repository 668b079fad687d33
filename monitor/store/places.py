"""Where the program keeps things on this machine, readable by their owner alone."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platformdirs import PlatformDirs

from monitor.core.errors import StorageError
from monitor.store.schema import SUFFIX

PRIVATE_UMASK = 0o077
PRIVATE_FOLDER_MODE = 0o700
NAME_MAX_CHARS = 80

_SYNCED_FOLDERS = (
    "dropbox",
    "onedrive",
    "icloud",
    "google drive",
    "googledrive",
    "nextcloud",
    "mobile documents",
)
_RESERVED_NAMES = {"con", "prn", "aux", "nul", *(f"{port}{k}" for port in ("com", "lpt") for k in range(10))}
"""File names Windows keeps for itself, with any suffix."""


@dataclass(frozen=True, slots=True)
class Places:
    """Absolute folders: settings, everything the program keeps, and within that the session files."""

    config: Path
    state: Path
    recordings: Path


def places() -> Places:
    """The folders of this user on this platform. Nothing is created."""
    dirs = PlatformDirs("supple", appauthor=False)
    data = Path(dirs.user_data_dir).absolute()
    return Places(config=Path(dirs.user_config_dir).absolute(), state=data, recordings=data / "recordings")


def keep_private() -> None:
    """From now on this process creates files that only their owner can read."""
    os.umask(PRIVATE_UMASK)


def private_folder(folder: Path) -> Path:
    """Create `folder` and its missing parents for the owner alone, and return it. Raises StorageError."""
    try:
        for step in reversed((folder, *folder.parents)):
            if not step.exists():
                step.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {folder} cannot be created ({error.strerror}).", "Choose another one.", folder
        ) from error
    check_folder(folder)
    return folder


def check_folder(folder: Path) -> None:
    """Refuse, before a session starts, a folder that cannot take its file. Raises StorageError."""
    if not folder.exists():
        raise StorageError(
            f"The folder {folder} does not exist.", "Create it, or choose another one.", folder
        )
    if not folder.is_dir():
        raise StorageError(f"{folder} is a file, not a folder.", "Choose a folder.", folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(
            f"The folder {folder} cannot be written.", "Choose another one, or change its rights.", folder
        )


def check_new_file(path: Path) -> Path:
    """`path`, where a file can be made. Raises StorageError where its folder cannot take it or it exists already."""
    check_folder(path.parent)
    if path.exists():
        raise StorageError(f"{path} exists already.", "Choose another name.", path)
    return path


def synced_by(folder: Path) -> str | None:
    """The part of the path that a cloud service most likely copies away, if there is one."""
    for part in folder.absolute().parts:
        if part.lower().startswith(_SYNCED_FOLDERS):
            return part
    return None


def slug(name: str) -> str:
    """`name` as a harmless file name: letters, digits, dots, dashes; never empty, never hidden, never reserved."""
    plain = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip(".-_")[:NAME_MAX_CHARS].rstrip(".-_")
    if not plain or plain.split(".")[0].lower() in _RESERVED_NAMES:
        return f"session-{plain}" if plain else "session"
    return plain


def recording_path(folder: Path, wall_s: float, utc_offset_s: int, name: str = "") -> Path:
    """A session file not yet there, named after the local time of its start (and `name`), inside `folder`."""
    local = datetime.fromtimestamp(wall_s, UTC) + timedelta(seconds=utc_offset_s)
    stem = local.strftime("%Y-%m-%d_%H-%M-%S") + (f"_{slug(name)}" if name else "")
    candidates = (folder / f"{stem}{f'-{k}' if k else ''}{SUFFIX}" for k in range(1_000))
    return next(path for path in candidates if not path.exists())
