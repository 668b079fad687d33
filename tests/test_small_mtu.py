"""Where the radio gives 23 bytes a value: one sample a frame, a short STATE, and the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firmware_sim import peripheral
from firmware_sim.direct import run_direct
from monitor.core.blocks import ImuBlock, TrunkBlock
from monitor.core.events import Fault, Gap
from monitor.core.inputs import Packet
from monitor.devices.spine1 import DRIVER
from tests.live_runs import record_live, replay

SECONDS = 20.0


def rows(mtu: int) -> tuple[np.ndarray, np.ndarray, list[Fault]]:
    """Times, accelerations and faults of the same wearer over a radio with this MTU."""
    packets = [
        Packet(t_s, "a", channel, payload)
        for t_s, channel, payload in run_direct("desk", 0, SECONDS, mtu=mtu)
    ]
    decoder = DRIVER.decoder("a")
    records = [*decoder.push(packets), *decoder.close()]
    blocks = [record for record in records if isinstance(record, ImuBlock)]
    faults = [record for record in records if isinstance(record, Fault)]
    return np.concatenate([b.t_s for b in blocks]), np.concatenate([b.acc for b in blocks]), faults


def test_every_sample_comes_through_the_smallest_radio() -> None:
    t_s, small, faults = rows(23)
    _, large, _ = rows(247)
    assert faults == []
    assert len(t_s) == pytest.approx(SECONDS * 100, abs=60)
    assert np.array_equal(small[: len(large)], large[: len(small)])
    assert np.diff(t_s) == pytest.approx(0.01, abs=2e-4)


def test_notifications_fit_the_radio_they_are_sent_over() -> None:
    packets = [p for _, channel, p in run_direct("desk", 0, 5.0, mtu=23) if channel == "live"]
    assert {len(payload) for payload in packets} == {20}


@pytest.mark.parametrize(("mtu", "frame_bytes"), [(23, 20), (64, 56), (247, 140)])
def test_the_whole_path_takes_the_mtu_as_it_comes(
    mtu: int, frame_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peripheral, "MAX_MTU", mtu)
    digest, live = record_live(tmp_path / "session.supple", "desk", 30.0)
    frames = [p for p in live.of(Packet) if p.channel == "live"]
    assert {len(p.payload) for p in frames[:-1]} == {frame_bytes}
    assert live.of(Fault) == []
    assert live.of(Gap) == []
    assert sum(len(block) for block in live.of(TrunkBlock)) == pytest.approx(2950, abs=60)
    assert replay(tmp_path / "session.supple")[0] == digest
