"""A version that two programs share promises the same records."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor import version


def built_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(version, "__file__", str(folder / "version.py"))
    version.build_version.cache_clear()
    return version.build_version()


def test_the_build_is_known_by_all_that_decides_records_and_by_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = version.build_version()
    copy = tmp_path / "monitor"
    shutil.copytree(Path(version.__file__).parent, copy)
    try:
        assert built_from(copy, monkeypatch) == ours
        assert ours.startswith(f"{version.VERSION}+")
        (copy / "sinks" / "terminal.py").write_text("")
        assert built_from(copy, monkeypatch) == ours, "what only shows records"
        for name in ("pipeline.py", "detect/slouch.py", "coach/rules/time_to_move.py", "core/blocks.py"):
            before = built_from(copy, monkeypatch)
            with (copy / name).open("a") as file:
                file.write("# another\n")
            assert built_from(copy, monkeypatch) != before, name
    finally:
        version.build_version.cache_clear()
