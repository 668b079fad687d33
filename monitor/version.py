"""The version, from the installed distribution: it is written once, in pyproject.toml."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

VERSION = version("supple")
_DECIDE = ("core", "devices", "motion", "detect", "coach")
_COMPUTE = ("numpy", "scipy", "vqf")


@lru_cache(maxsize=1)
def build_version() -> str:
    """The version with a mark of all that records depend on: `0.1.0+3fa29c41`. Two of a kind give the same bits.

    The mark is of the sources that turn inputs into records and of the versions of what they compute with.
    """
    found = hashlib.sha256(" ".join(version(name) for name in _COMPUTE).encode())
    here = Path(__file__).parent
    rooms = (path for room in _DECIDE for path in (here / room).rglob("*.py"))
    for path in [here / "pipeline.py", *sorted(rooms)]:
        found.update(path.relative_to(here).as_posix().encode())
        found.update(path.read_bytes())
    return f"{VERSION}+{found.hexdigest()[:8]}"
