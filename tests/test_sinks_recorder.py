"""The recorder drops nothing, commits in time, and says once that it cannot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.core.errors import StorageError
from monitor.core.events import Beat, Gap
from monitor.core.inputs import Input, Mark, Packet, Tick
from monitor.sinks import recorder as recorder_module
from monitor.sinks.recorder import COMMIT_EVERY_S, Recorder
from monitor.store.session_file import SessionReader, SessionWriter, new_header


class Disk(SessionWriter):
    """A writer with a slow or failing disk beneath it."""

    def __init__(self, path: Path, delay_s: float = 0.0, fail_at: int | None = None) -> None:
        super().__init__(path, new_header("live", "1", 0.0, 0, "UTC"), lambda _packet: None)
        self._delay_s, self._fail_at, self._calls = delay_s, fail_at, 0

    def append(self, inputs: Sequence[Input]) -> None:
        self._calls += 1
        time.sleep(self._delay_s)
        if self._calls == self._fail_at:
            raise StorageError("The disk is full.", "Free some space.", "path")
        super().append(inputs)


def tick(k: int) -> Tick:
    return Tick(float(k), float(k), 0, ())


def recorded(path: Path) -> list[Input]:
    with SessionReader(path) as reader:
        return [item for block in reader.inputs() for item in block]


@pytest.mark.parametrize("inline", [False, True])
def test_inputs_and_gaps_are_kept_in_order_and_nothing_else(tmp_path: Path, inline: bool) -> None:
    path = tmp_path / "a.supple"
    sink = Recorder(Disk(path), inline)
    inputs: list[Input] = [Mark(0.0, "sensor", {"sensor": "s"}), Packet(0.5, "s", "live", b"x"), tick(1)]
    sink.push(inputs)
    sink.push([Beat("s", 1.0, 1.0, 0, True, 0.5), Gap("s", 0.1, 0.4, "missing")])
    sink.push([tick(2)])
    sink.set_header("digest", "d")
    sink.close()
    assert recorded(path) == [*inputs, tick(2)]
    with SessionReader(path) as reader:
        assert reader.gaps() == [Gap("s", 0.1, 0.4, "missing")]
        assert reader.header["digest"] == "d"
        assert reader.closed_cleanly


def test_a_slow_disk_makes_push_wait_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "QUEUE_PUSHES", 4)
    path = tmp_path / "a.supple"
    sink = Recorder(Disk(path, delay_s=0.01))
    start = time.monotonic()
    for k in range(60):
        sink.push([tick(k)])
    assert time.monotonic() - start > 0.4, "push must have waited for the disk"
    sink.close()
    assert recorded(path) == [tick(k) for k in range(60)]


def test_it_is_durable_within_the_time_promised_also_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.supple"
    sink = Recorder(Disk(path))
    sink.push([tick(0)])
    time.sleep(COMMIT_EVERY_S + 0.4)
    assert recorded(path) == [tick(0)]
    sink.close()


@pytest.mark.parametrize("inline", [False, True])
def test_a_failing_disk_is_said_once_and_never_blocks(
    tmp_path: Path, inline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "QUEUE_PUSHES", 4)
    path = tmp_path / "a.supple"
    sink = Recorder(Disk(path, fail_at=3), inline)
    said = 0
    for k in range(100):
        try:
            sink.push([tick(k)])
        except StorageError:
            said += 1
        time.sleep(0.001)
    sink.close()
    assert said == 1
    with SessionReader(path) as reader:
        assert not reader.closed_cleanly


def test_a_failure_nobody_heard_of_comes_out_at_the_end(tmp_path: Path) -> None:
    sink = Recorder(Disk(tmp_path / "a.supple", fail_at=1))
    sink.push([tick(0)])
    with pytest.raises(StorageError, match="disk is full"):
        sink.close()
