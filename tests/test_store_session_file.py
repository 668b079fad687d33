"""A session file gives back exactly what was put in, in the order asked for."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path

import pytest

from monitor.core.events import Gap
from monitor.core.inputs import Input, Mark, Packet, Tick
from monitor.store.rows import CHUNK_ROWS
from monitor.store.session_file import SessionReader, SessionWriter, new_header
from tests.session_files import bits, identify, live, minutes_of_inputs, read, write


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
        assert reader.duration_s == pytest.approx(899.95)
    assert len(blocks) == math.ceil(900 / 7)
    assert all(item.t_host_s // 7 == k for k, block in enumerate(blocks) for item in block)  # type: ignore[union-attr]
    assert bits([item for block in blocks for item in block]) == bits(inputs)


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
