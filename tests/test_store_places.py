"""Where things are kept: private, named harmlessly, listed truthfully."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from monitor.core.errors import StorageError
from monitor.core.inputs import Packet, Tick
from monitor.store.catalog import list_sessions
from monitor.store.places import keep_private, places, private_folder, recording_path, slug, synced_by
from monitor.store.session_file import SessionWriter, new_header


def nothing(_packet: Packet) -> None:
    return None


def test_all_places_are_absolute_and_follow_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    found = places()
    assert found.recordings.is_relative_to(found.state)
    assert all(path.is_absolute() for path in (found.config, found.state, found.recordings))
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert found.state == tmp_path / "data" / "supple"
        assert found.config == tmp_path / "config" / "supple"


def test_folders_and_files_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keep_private()
        folder = private_folder(tmp_path / "a" / "b")
        (folder / "file").write_text("")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a", folder, folder / "file")]
    assert modes == [0o700, 0o700, 0o600]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be created"):
        private_folder(tmp_path / "file" / "below")
    with pytest.raises(StorageError, match="is a file"):
        private_folder(tmp_path / "file")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "CON",
        "con.txt",
        "..",
        "",
        ".hidden",
        "a" * 300,
        "😀",
        "a/b\\c:d",
        "\x1b[31mred",
        "LPT1",
    ],
)
def test_a_name_from_outside_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    for path in (tmp_path / slug(name), recording_path(tmp_path, 0.0, 0, name)):
        assert path.resolve().parent == tmp_path.resolve()
        assert path.name.isprintable() and path.name.isascii()
        assert not path.name.startswith(".") and len(path.name) < 130
        assert path.name.split(".")[0].lower() not in {"con", "lpt1"}
        path.write_text("")


def test_a_recording_is_named_after_its_local_start_and_never_overwrites(tmp_path: Path) -> None:
    # 2026-03-29 10:30:05 UTC, in a zone two hours ahead.
    first = recording_path(tmp_path, 1_774_780_205.0, 7_200, "desk sensor")
    assert first.name == "2026-03-29_12-30-05_desk-sensor.supple"
    first.write_text("")
    assert recording_path(tmp_path, 1_774_780_205.0, 7_200, "desk sensor") not in {first}


def test_a_synced_folder_is_told() -> None:
    assert synced_by(Path("/home/a/Dropbox (Work)/supple")) == "Dropbox (Work)"
    assert synced_by(Path("/home/a/.local/share/supple")) is None


def test_the_list_is_oldest_first_and_names_what_cannot_be_read(tmp_path: Path) -> None:
    for name, wall_s in (("b", 100.0), ("a", 200.0)):
        writer = SessionWriter(
            tmp_path / f"{name}.supple", new_header("live", "1", wall_s, 0, "UTC"), nothing
        )
        writer.append([Tick(float(k), wall_s + k, 0, ()) for k in range(31)])
        writer.close(clean=name == "a")
    (tmp_path / "broken.supple").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no session")
    found = list_sessions(tmp_path)
    assert [entry.path.name for entry in found] == ["b.supple", "a.supple", "broken.supple"]
    assert [entry.closed_cleanly for entry in found] == [False, True, False]
    assert [entry.duration_s for entry in found] == [30.0, 30.0, 0.0]
    assert "is empty" in found[2].problem and not found[0].problem
    assert list_sessions(tmp_path / "none") == []


def test_what_is_still_recorded_is_told_from_what_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "now.supple"
    writer = SessionWriter(path, new_header("live", "1", 100.0, 0, "UTC"), nothing)
    for second in range(3):
        writer.append([Tick(float(second), 100.0 + second, 0, ())])
        writer.commit()
        (entry,) = list_sessions(tmp_path)
        assert entry.recording and not entry.closed_cleanly
    log = tmp_path / "now.supple-wal"
    assert entry.size_bytes == path.stat().st_size + log.stat().st_size > path.stat().st_size
    before = path.read_bytes(), log.read_bytes()
    list_sessions(tmp_path)
    assert (path.read_bytes(), log.read_bytes()) == before, "looking changes nothing"
    copied = tmp_path / "there"
    copied.mkdir()
    for part in (path, log):
        shutil.copy(part, copied)
    kept = (copied / log.name).read_bytes()
    (entry,) = list_sessions(copied)
    assert not entry.recording and not entry.closed_cleanly and entry.duration_s == 2.0
    assert (copied / log.name).read_bytes() == kept
    writer.close()
    (entry,) = list_sessions(tmp_path)
    assert entry.closed_cleanly and not entry.recording
