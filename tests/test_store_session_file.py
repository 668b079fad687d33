"""A session file gives back exactly what was put in, or says what it cannot give."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import stat
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.core.errors import InputFileError, StorageError
from monitor.core.events import Gap
from monitor.core.inputs import Input, Mark, Packet, Tick
from monitor.store import schema
from monitor.store.rows import CHUNK_ROWS
from monitor.store.session_file import SessionReader, SessionWriter, new_header

SAMPLES_PER_PACKET = 10


def identify(packet: Packet) -> tuple[int, int, int] | None:
    """Boot and seq from the payload's first bytes; nothing on channels without samples."""
    if packet.channel != "live":
        return None
    boot, seq = struct.unpack_from("<II", packet.payload)
    return boot, 0, seq


def live(t_s: float, seq: int, boot: int = 7, sensor: str = "sim") -> Packet:
    return Packet(float(t_s), sensor, "live", struct.pack("<II", boot, seq) + bytes(range(120)))


def minutes_of_inputs(seconds: int) -> list[Input]:
    inputs: list[Input] = [
        Mark(0.0, "sensor", {"sensor": "sim", "driver": "spine1", "nested": {"a": [1, 0.1]}})
    ]
    for s in range(seconds):
        inputs += [live(s + k / 10, (s * 10 + k) * SAMPLES_PER_PACKET) for k in range(10)]
        inputs.append(Tick(s + 0.95, 1.7e9 + s if s % 7 else math.nan, 3600, ("sim",) if s % 5 else ()))
    return inputs


def write(path: Path, inputs: Sequence[Input], **header: object) -> Path:
    writer = SessionWriter(
        path, {**new_header("simulated", "1.2.3", 1.7e9, 3600, "Europe/Paris"), **header}, identify
    )
    writer.append(inputs)
    writer.close()
    return path


def read(path: Path, order: str = "arrival", block_s: float = 60.0) -> list[Input]:
    with SessionReader(path) as reader:
        return [item for block in reader.inputs(order, block_s) for item in block]  # type: ignore[arg-type]


def bits(inputs: Sequence[Input]) -> list[str]:
    """Equal texts mean equal bits: repr of a float is exact, and NaN equals NaN here."""
    return [repr(item) for item in inputs]


def test_what_is_read_is_what_was_written_to_the_bit(tmp_path: Path) -> None:
    inputs = minutes_of_inputs(1_000)
    inputs += [
        Packet(1_000.1 + 1e-13, "süß \x1b[31m", "info", b""),
        Packet(1_001.0, "sim", "state", bytes(500)),
    ]
    assert len(inputs) > 2 * CHUNK_ROWS
    path = write(tmp_path / "a.supple", inputs)
    again = read(path)
    assert bits(again) == bits(inputs)
    assert {type(item) for item in again} == {Packet, Mark, Tick}


def test_blocks_are_cut_by_time_and_lose_nothing(tmp_path: Path) -> None:
    inputs = minutes_of_inputs(900)
    path = write(tmp_path / "a.supple", inputs)
    with SessionReader(path) as reader:
        blocks = list(reader.inputs(block_s=7.0))
    assert len(blocks) == math.ceil(900 / 7)
    assert all(item.t_host_s // 7 == k for k, block in enumerate(blocks) for item in block)  # type: ignore[union-attr]
    assert bits([item for block in blocks for item in block]) == bits(inputs)


def test_a_mark_in_its_recorded_form_stays_as_it_is(tmp_path: Path) -> None:
    given = Mark(1, "settings", {"quiet": (22, 7), 3: None})
    mark = schema.canonical(given)
    assert mark.value == {"quiet": [22, 7], "3": None}
    assert bits(read(write(tmp_path / "a.supple", [mark]))) == bits([mark])


def test_header_summary_and_gaps_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.supple"
    writer = SessionWriter(path, new_header("live", "1.2.3", 1.7e9, 3600, "Europe/Paris"), identify)
    writer.append(minutes_of_inputs(20))
    writer.append_gaps([Gap("sim", 3.0, 4.5, "missing")])
    writer.set_header("digest", "abc")
    writer.close()
    with SessionReader(path) as reader:
        assert reader.header["source"] == "live"
        assert reader.header["zone"] == "Europe/Paris"
        assert reader.header["digest"] == "abc"
        assert reader.closed_cleanly
        assert reader.gaps() == [Gap("sim", 3.0, 4.5, "missing")]
        assert reader.summary == (200, 1, 20, pytest.approx(19.95), True)
        assert [mark.kind for mark in reader.marks()] == ["sensor"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.supple"], "a closed session is one file"


def test_only_the_owner_can_read_it_and_its_logs(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        writer = SessionWriter(tmp_path / "a.supple", new_header("live", "1", 0.0, 0, "UTC"), identify)
        writer.append(minutes_of_inputs(3))
        writer.commit()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        writer.close()
    finally:
        os.umask(before)
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


def test_a_reader_sees_a_consistent_beginning_while_it_is_recorded(tmp_path: Path) -> None:
    inputs = minutes_of_inputs(30)
    writer = SessionWriter(tmp_path / "a.supple", new_header("live", "1", 0.0, 0, "UTC"), identify)
    writer.append(inputs[:100])
    writer.commit()
    writer.append(inputs[100:])
    with SessionReader(tmp_path / "a.supple") as reader:
        assert not reader.closed_cleanly
        assert bits([item for block in reader.inputs() for item in block]) == bits(inputs[:100])
    writer.close()
    assert len(read(tmp_path / "a.supple")) == len(inputs)


# --- order -------------------------------------------------------------------------------------------------------


def test_identity_order_puts_late_packets_before_the_next_larger_one(tmp_path: Path) -> None:
    order = [0, 10, 50, 60, 40, 30, 70, 20, 60, 80]
    inputs: list[Input] = [live(k, seq) for k, seq in enumerate(order)]
    inputs.insert(5, Mark(4.5, "pain", {}))
    path = write(tmp_path / "a.supple", inputs)
    assert bits(read(path)) == bits(inputs)
    moved = [identify(item)[2] if isinstance(item, Packet) else "mark" for item in read(path, "identity")]  # type: ignore[index]
    # 60 again is late too: the next larger one is 70.
    assert moved == [0, 10, 20, 30, 40, 50, 60, "mark", 60, 70, 80]


def test_identity_order_keeps_sensors_and_boots_apart(tmp_path: Path) -> None:
    inputs: list[Input] = [
        live(0, 500, boot=1),
        live(1, 10, boot=2),
        live(2, 5, sensor="other"),
        live(3, 11, boot=2),
    ]
    inputs.append(Packet(4.0, "sim", "state", b"no identity"))
    path = write(tmp_path / "a.supple", inputs)
    assert bits(read(path, "identity")) == bits(inputs)


def test_identity_order_reaches_across_chunks(tmp_path: Path) -> None:
    inputs = minutes_of_inputs(1_200)
    late = [item for item in inputs if isinstance(item, Packet)][1_000:1_400]
    arrived = [item for item in inputs if item not in late] + late
    path = write(tmp_path / "a.supple", arrived)
    with SessionReader(path) as reader:
        assert reader.header["late_packets"] == 400
    packets = [item for item in read(path, "identity") if isinstance(item, Packet)]
    assert bits(packets) == bits([item for item in inputs if isinstance(item, Packet)])


# --- trouble -----------------------------------------------------------------------------------------------------

KILLED = """
    import sys, time
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from test_store_session_file import identify, minutes_of_inputs
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
        ("folder", "cannot be read"),
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
    from test_store_session_file import identify, minutes_of_inputs
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
