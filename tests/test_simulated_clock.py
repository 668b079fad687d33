"""A simulated session's header and its ticks tell one time."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.inputs import Tick
from monitor.store.session_file import SessionReader
from tests.door import asking
from tests.live_runs import NINE_O_CLOCK_S


def test_a_simulated_day_starts_at_nine_in_the_header_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = asking(tmp_path, monkeypatch, capsys)
    path = tmp_path / "desk.supple"
    assert ask("live", "--sim", "desk", "--speed", "max", "--duration", "5", "--record", path).code == 0
    with SessionReader(path) as reader:
        header = reader.header
        ticks = [item for block in reader.inputs() for item in block if isinstance(item, Tick)]
    assert header["wall_start_s"] == NINE_O_CLOCK_S
    assert header["utc_offset_s"] == ticks[0].utc_offset_s == 0
    assert ticks[0].wall_s - ticks[0].t_host_s == pytest.approx(header["wall_start_s"], abs=0.01)
    assert header["made_wall_s"] > header["wall_start_s"], "and when it was made is kept beside it"
