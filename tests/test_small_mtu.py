"""Where the radio gives 23 bytes a value: one sample a frame, a short STATE, and the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.direct import run_direct
from monitor.core.blocks import ImuBlock
from monitor.core.events import Fault
from monitor.core.inputs import Packet
from monitor.devices.spine1 import DRIVER

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
