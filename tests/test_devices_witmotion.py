"""WitMotion: real bytes, resynchronising, and time from counting."""

from __future__ import annotations

import struct
import tomllib
from pathlib import Path

import numpy as np
import pytest
from laws import run

from monitor.core.blocks import ImuBlock
from monitor.core.events import Beat, DeviceStatus, Fault
from monitor.core.inputs import Packet, Tick
from monitor.core.protocols import Advertisement, Subscribe, Write
from monitor.devices.witmotion import DRIVER, WitMotionDecoder, split

GOLDEN = tomllib.loads((Path(__file__).parent / "golden" / "witmotion.toml").read_text())
REAL = bytes.fromhex(GOLDEN["real"]["hex"])
G = 9.80665
FE5 = "0000ffe5-0000-1000-8000-00805f9a34fb"


def data(row: int) -> bytes:
    return b"\x55\x61" + struct.pack("<9h", row % 1000, 0, 2048, 1, 2, 3, 0, 0, 0)


def stream(seconds: float, hz: float, per: int = 1, late=lambda t: 0.0, start_s: float = 0.0) -> list[Packet]:
    rows = int(seconds * hz)
    out = []
    for first in range(0, rows, per):
        t_s = start_s + (first + per - 1) / hz
        out.append(
            Packet(t_s + 0.02 + late(t_s), "A", "live", b"".join(data(r) for r in range(first, first + per)))
        )
    return out


def decoded(items) -> list:
    return run(lambda: WitMotionDecoder("A"), [list(items)])


def rows(records) -> tuple[np.ndarray, np.ndarray]:
    found = [r for r in records if isinstance(r, ImuBlock)]
    return np.concatenate([b.t_s for b in found]), np.concatenate([b.acc for b in found])


def test_a_real_notification_gives_its_four_rows():
    (block,) = [r for r in decoded([Packet(1.0, "A", "live", REAL)]) if isinstance(r, ImuBlock)]
    assert np.allclose(block.acc / G, GOLDEN["real"]["acc_g"], atol=1e-4)
    assert np.allclose(np.degrees(block.gyr), GOLDEN["real"]["gyr_deg_s"], atol=1e-3)
    assert block.ok.all()


@pytest.mark.parametrize("cut", range(0, 80, 7))
def test_a_notification_may_be_cut_anywhere(cut):
    records = decoded([Packet(1.0, "A", "live", REAL[:cut]), Packet(1.0, "A", "live", REAL[cut:])])
    assert len(rows(records)[0]) == 4
    assert not [r for r in records if isinstance(r, Fault)]


@pytest.mark.parametrize("noise", [b"\x00", b"\x55", b"\x55\x61", b"\x55\x71\x00\x55\x61", bytes(19)])
def test_bytes_that_are_no_frame_are_skipped_and_counted(noise):
    records = decoded([Packet(1.0, "A", "live", REAL[:40] + noise + REAL[40:])])
    assert sum(r.count for r in records if isinstance(r, Fault)) >= len(noise)
    assert 3 <= len(rows(records)[0]) <= 4
    assert {tuple(a) for a in np.round(rows(records)[1] / G, 3)} <= {
        tuple(np.round(a, 3)) for a in np.array(GOLDEN["real"]["acc_raw"]) / 2048
    }


def test_a_register_reply_is_no_row():
    reply = bytes.fromhex(GOLDEN["register"]["hex"])
    found, registers, skipped, rest = split(REAL[:20] + reply + REAL[20:])
    assert (found, registers, skipped, rest) == (REAL, [reply], 0, b"")


@pytest.mark.parametrize(
    "centivolts, percent", [(400, 100), (396, 100), (395, 90), (370, 20), (341, 5), (200, 0)]
)
def test_the_battery_is_read_from_volts(centivolts, percent):
    reply = b"\x55\x71\x64\x00" + struct.pack("<h", centivolts) + bytes(14)
    (status,) = decoded([Packet(3.0, "A", "live", reply)])
    assert status == DeviceStatus("A", 3.0, float(percent), None, None)


def test_clipped_rows_are_not_ok():
    clipped = b"\x55\x61" + struct.pack("<9h", 32767, 0, 0, 0, 0, 0, 0, 0, 0)
    records = decoded([Packet(1.0, "A", "live", REAL[:20] + clipped)])
    (block,) = [r for r in records if isinstance(r, ImuBlock)]
    assert block.ok.tolist() == [True, False]
    assert [(r.kind, r.count) for r in records if isinstance(r, Fault)] == [("clip", 1)]


@pytest.mark.parametrize(
    "nominal, true_hz, per", [(10.0, 10.05, 1), (50.0, 49.45, 1), (100.0, 99.26, 4), (200.0, 198.43, 8)]
)
def test_the_rate_is_found_and_times_follow_arrival(nominal, true_hz, per):
    records = decoded(stream(120.0, true_hz, per))
    t_s, _ = rows(records)
    assert [r.rate_hz for r in records if isinstance(r, ImuBlock)] == [nominal]
    assert (np.diff(t_s) > 0).all()
    assert np.abs(t_s - 0.02 - np.arange(len(t_s)) / true_hz).max() < 0.02


def test_a_stall_of_the_radio_moves_no_row():
    def late(t: float) -> float:
        return max(0.0, 20.8 - t) if 20.0 <= t < 20.8 else 0.0

    t_s, _ = rows(decoded(stream(40.0, 49.45, 1, late)))
    assert np.diff(t_s).max() < 0.03


@pytest.mark.parametrize("lost_s", [0.6, 5.0, 600.0])
def test_lost_notifications_are_a_hole_in_time(lost_s):
    packets = stream(60.0, 49.45)
    after = [p._replace(t_host_s=p.t_host_s + lost_s) for p in packets[1500:]]
    t_s, _ = rows(decoded([*packets[:1500], *after]))
    assert len(t_s) == len(packets)
    assert np.diff(t_s).max() == pytest.approx(lost_s + 0.02, abs=0.06)
    assert int(np.argmax(np.diff(t_s))) == 1499


def test_a_beat_counts_only_rows_whose_time_is_settled():
    packets = stream(3.0, 49.45)
    early, late = (Tick(t, 0.0, 0, ("A",)) for t in (0.5, 2.5))
    stream_ = sorted([*packets, early, late], key=lambda item: item.t_host_s)
    first, second = [r for r in decoded(stream_) if isinstance(r, Beat)]
    assert first.data_s == -np.inf
    assert 2.4 < second.data_s <= 2.5


def test_the_rate_is_set_for_the_session_only():
    writes = [s.payload for s in DRIVER.start if isinstance(s, Write)]
    assert writes == [bytes.fromhex("FFAA6988B5"), bytes.fromhex("FFAA030800")]
    assert isinstance(DRIVER.start[-1], Subscribe)
    assert bytes.fromhex("FFAA000000") not in writes
    ((_, read),) = DRIVER.every
    assert isinstance(read, Write) and read.payload == bytes.fromhex("FFAA276400")


@pytest.mark.parametrize(
    "name, uuids, matches",
    [
        ("WT901BLE67", (FE5,), True),
        ("WT901BLE67", (), False),
        ("Thermo", (FE5,), False),
        (None, (FE5,), False),
    ],
)
def test_name_and_service_together_match(name, uuids, matches):
    assert DRIVER.matches(Advertisement("x", name, uuids, {}, -60)) is matches
