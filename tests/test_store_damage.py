"""Kills, full disks, flipped bits and foreign files: what was kept stays true, the rest is said."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from monitor.core.errors import InputFileError, StorageError
from monitor.core.inputs import Mark, Packet, Tick
from monitor.store import schema
from monitor.store.session_file import SessionReader, SessionWriter, new_header
from tests.session_files import bits, identify, minutes_of_inputs, read, write

KILLED = """
    import sys, time
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from session_files import identify, minutes_of_inputs
    from monitor.core.inputs import Tick
    from monitor.sinks.recorder import Recorder
    from monitor.store.session_file import SessionWriter, new_header

    recorder = Recorder(SessionWriter(Path(sys.argv[1]), new_header("live", "1", 0.0, 0, "UTC"), identify))
    start = time.monotonic()
    n = 0
    print("ready", flush=True)
    while True:
        recorder.push([Tick(time.monotonic() - start, float(n), 0, ())])
        n += 1
        print(time.monotonic() - start, flush=True)
        time.sleep(0.01)
"""


@pytest.mark.parametrize("after_s", [0.05, 0.6, 1.3, 2.45])
def test_a_kill_costs_at_most_a_second(tmp_path: Path, after_s: float) -> None:
    path = tmp_path / "a.supple"
    script = textwrap.dedent(KILLED.format(tests=str(Path(__file__).parent)))
    child = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    told = child.stdout.read().splitlines()
    child.wait()
    child.stdout.close()
    with SessionReader(path) as reader:
        ticks = [item for block in reader.inputs() for item in block]
        assert not reader.closed_cleanly
        assert reader.damaged == 0
    assert [tick.wall_s for tick in ticks if isinstance(tick, Tick)] == [float(k) for k in range(len(ticks))]
    pushed_until_s = max((float(line) for line in told[:-1]), default=0.0)
    kept_until_s = ticks[-1].t_host_s if ticks else 0.0  # type: ignore[union-attr]
    # The second of the commit itself, and a slow disk.
    assert pushed_until_s - kept_until_s < 1.3


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bits_cost_only_the_rows_they_hit_and_never_change_one(tmp_path: Path, seed: int) -> None:
    import random

    dice = random.Random(seed)
    inputs = minutes_of_inputs(600)
    path = write(tmp_path / "a.supple", inputs)
    raw = bytearray(path.read_bytes())
    flips = 10
    for _ in range(flips):
        # Beyond the first pages: those hold the schema, without which the file is refused as a whole.
        at = dice.randrange(8 * 4096, len(raw))
        raw[at] ^= 1 << dice.randrange(8)
    path.write_bytes(raw)
    written = set(bits(inputs))
    with SessionReader(path) as reader:
        kept = [item for block in reader.inputs() for item in block]
        damaged = reader.damaged
    assert set(bits(kept)) <= written
    assert len(kept) + damaged == len(inputs)
    # A flip in the head of a page can hide the page: some 20 rows.
    assert 1 <= damaged <= flips * 30


def test_a_row_moved_to_another_place_is_not_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "a.supple", minutes_of_inputs(5))
    with sqlite3.connect(path) as db:
        rows = dict(db.execute("SELECT n, body FROM input WHERE n IN (5, 9)"))
        db.execute("UPDATE input SET body = ? WHERE n = 5", (rows[9],))
        db.execute("UPDATE input SET body = zeroblob(160) WHERE n = 20")
    db.close()
    with SessionReader(path) as reader:
        kept = [item for block in reader.inputs() for item in block]
        assert reader.damaged == 2
    assert len(kept) == len(minutes_of_inputs(5)) - 2


def test_the_length_is_that_of_the_last_row_left(tmp_path: Path) -> None:
    inputs = minutes_of_inputs(300)
    path = write(tmp_path / "a.supple", inputs)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE input SET body = zeroblob(160) WHERE n > 1100")
    db.close()
    with SessionReader(path) as reader:
        assert reader.duration_s == inputs[1_100].t_host_s  # type: ignore[union-attr]


def test_a_damaged_name_takes_its_packets_with_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.supple", minutes_of_inputs(5))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE name SET text = 'simm' WHERE text = 'sim'")
    db.close()
    with SessionReader(path) as reader:
        kept = [item for block in reader.inputs() for item in block]
        assert reader.damaged == 50
    assert not any(isinstance(item, Packet) for item in kept)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_file_gives_its_beginning_and_is_not_touched(tmp_path: Path, share: float) -> None:
    inputs = minutes_of_inputs(600)
    path = write(tmp_path / "a.supple", inputs)
    raw = path.read_bytes()
    cut = raw[: int(len(raw) * share)]
    path.write_bytes(cut)
    kept = bits(read(path))
    # Nearly a beginning: SQLite does not lay every page down in order.
    place = {item: k for k, item in enumerate(bits(inputs))}
    places = [place[item] for item in kept]
    assert places == sorted(places)
    assert places[-1] - len(kept) < 60
    assert len(kept) > 0.8 * share * len(inputs)
    assert path.read_bytes() == cut


def make_foreign(path: Path, content: str) -> None:
    match content:
        case "empty":
            path.write_bytes(b"")
        case "png":
            path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(5_000))
        case "text":
            path.write_text("t_s,acc_x_m_s2\n" * 100)
        case "other database":
            with sqlite3.connect(path) as db:
                db.execute("CREATE TABLE input (n INTEGER PRIMARY KEY, body BLOB)")
            db.close()
        case "view for a table":
            write(path, [])
            with sqlite3.connect(path) as db:
                db.execute("DROP TABLE gap")
                db.execute(
                    "CREATE VIEW gap AS SELECT 'x' AS sensor, 0.0 AS start_s, 1.0 AS end_s, 'y' AS reason"
                )
            db.close()
        case "magic only":
            path.write_bytes(schema.MAGIC + bytes(3_000))
        case "folder":
            path.mkdir()
        case "newer":
            write(path, [])
            with sqlite3.connect(path) as db:
                db.execute(f"PRAGMA user_version={schema.FORMAT_VERSION + 1}")
            db.close()
        case "no seed":
            write(path, [])
            with sqlite3.connect(path) as db:
                db.execute("DELETE FROM header WHERE key = 'seed'")
            db.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("empty", "is empty"),
        ("png", "not a session file"),
        ("text", "not a session file"),
        ("other database", "not a session file"),
        ("view for a table", "not a session file"),
        ("magic only", "damaged|not a session file"),
        ("folder", "is a folder"),
        ("newer", "newer version"),
        ("no seed", "damaged"),
        ("absent", "cannot be read"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "a.supple"
    make_foreign(path, content)
    with pytest.raises(InputFileError, match=words) as refusal:
        SessionReader(path)
    assert refusal.value.next_step
    assert "\n" not in refusal.value.sentence


def test_a_huge_row_is_refused_on_the_way_in_and_skipped_on_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.supple"
    writer = SessionWriter(path, new_header("live", "1", 0.0, 0, "UTC"), identify)
    with pytest.raises(StorageError, match="too large"):
        writer.append([Mark(0.0, "note", {"text": "x" * 100_000})])
    writer.append(minutes_of_inputs(2))
    writer.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE input SET body = zeroblob(50000000) WHERE n = 3")
    db.close()
    with SessionReader(path) as reader:
        kept = sum(len(block) for block in reader.inputs())
        assert reader.damaged + kept == 1 + len(minutes_of_inputs(2))
        assert reader.damaged <= 3


def test_no_session_starts_where_it_cannot_be_kept(tmp_path: Path) -> None:
    header = new_header("live", "1", 0.0, 0, "UTC")
    (tmp_path / "file").write_text("")
    taken = write(tmp_path / "a.supple", [])
    for path, words in (
        (tmp_path / "none" / "a.supple", "does not exist"),
        (tmp_path / "file" / "a.supple", "is a file"),
        (taken, "exists already"),
    ):
        with pytest.raises(StorageError, match=words):
            SessionWriter(path, header, identify)
    assert read(taken) == []


FULL = """
    import resource, signal, sys
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from session_files import identify, minutes_of_inputs
    from monitor.core.errors import StorageError
    from monitor.store.session_file import SessionWriter, new_header

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    writer = SessionWriter(Path(sys.argv[1]), new_header("live", "1", 0.0, 0, "UTC"), identify)
    inputs = minutes_of_inputs(600)
    kept = 0
    try:
        for start in range(0, len(inputs), 50):
            writer.append(inputs[start : start + 50])
            writer.commit()
            kept = start + 50
    except StorageError as error:
        print(kept, error.sentence)
    writer.close()
"""


def test_a_disk_that_takes_no_more_keeps_what_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "a.supple"
    script = textwrap.dedent(FULL.format(tests=str(Path(__file__).parent)))
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    kept, sentence = done.stdout.split(" ", 1)
    assert str(path) in sentence
    inputs = minutes_of_inputs(600)
    assert 100 < int(kept) < len(inputs)
    assert bits(read(path)) == bits(inputs[: int(kept)])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_called_by_its_name(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(tmp_path)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        writer = SessionWriter(tmp_path / "a.supple", new_header("live", "1", 0.0, 0, "UTC"), identify)
        kept = 0
        inputs = minutes_of_inputs(600)
        with pytest.raises(StorageError, match="disk is full"):
            for start in range(0, len(inputs), 50):
                writer.append(inputs[start : start + 50])
                writer.commit()
                kept = start + 50
        writer.close()
        assert bits(read(tmp_path / "a.supple")) == bits(inputs[:kept])
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
