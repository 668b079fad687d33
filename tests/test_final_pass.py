"""After a session its recording is looked over once more, and nobody is kept from leaving."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from monitor.cohort import analyze
from monitor.commands import final
from monitor.commands.final import final_pass
from monitor.devices.spine1 import DRIVER
from monitor.store.session_file import SessionWriter, new_header
from tests.law_fixtures import Spine1, in_force, in_order, motion, opening, ticks


def recording(folder: Path, seconds: float = 60.0) -> Path:
    path = folder / "monday.supple"
    writer = SessionWriter(
        path,
        new_header("live", "1", 0.0, 0, "UTC"),
        lambda packet: DRIVER.row_identity(packet.channel, packet.payload),
    )
    inputs = [[*opening(), *in_force()], Spine1().packets(motion(seconds, 100.0)), ticks(seconds)]
    writer.append(in_order(*inputs))
    writer.close()
    return path


def test_the_final_angles_lie_beside_the_recording_with_the_live_ones_beside_them(tmp_path, capsys):
    folder = final_pass(recording(tmp_path))
    assert folder == tmp_path / "monday.results"
    table = pq.read_table(folder / "monday.parquet")
    apart = np.abs(table["inclination_deg"].to_numpy() - table["live_inclination_deg"].to_numpy())
    assert 0.005 < np.nanmedian(apart) < 2.0
    said = capsys.readouterr().err
    assert "Ctrl-C leaves it" in said and "monday.parquet" in said


def test_a_trial_run_is_not_looked_over(tmp_path, capsys):
    assert final_pass(recording(tmp_path, 20.0)) is None
    assert [path.name for path in tmp_path.iterdir()] == ["monday.supple"]
    assert capsys.readouterr().err == ""


def test_so_long_a_session_is_left_for_later(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(final, "LONGEST_S", 40.0)
    path = recording(tmp_path)
    assert final_pass(path) is None
    assert f"supple analyze {path} --offline --out" in capsys.readouterr().err
    assert not (tmp_path / "monday.results").exists()


def test_ctrl_c_leaves_the_recording_and_nothing_else(tmp_path, capsys, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(analyze, "_stream", interrupted)
    path = recording(tmp_path)
    assert final_pass(path) is None
    assert f"later:  supple analyze {path} --offline" in capsys.readouterr().err
    assert [found.name for found in tmp_path.iterdir()] == ["monday.supple"]


def test_sigterm_while_it_looks_leaves_nothing_else_either(tmp_path, monkeypatch):
    def terminated(*_args, **_kwargs):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(analyze, "_stream", terminated)
    path = recording(tmp_path)
    with pytest.raises(SystemExit) as ended:
        final_pass(path)
    assert ended.value.code == 143
    assert [found.name for found in tmp_path.iterdir()] == ["monday.supple"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_results_that_are_there_are_not_touched(tmp_path):
    path = recording(tmp_path)
    (tmp_path / "monday.results").mkdir()
    (tmp_path / "monday.results" / "monday.parquet").write_text("mine")
    assert final_pass(path) is None
    assert (tmp_path / "monday.results" / "monday.parquet").read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"no session"])
def test_a_recording_that_cannot_be_read_is_no_reason_to_fail(tmp_path, content):
    path = tmp_path / "monday.supple"
    path.write_bytes(content)
    assert final_pass(path) is None
