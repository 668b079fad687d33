"""spine1: from golden bytes and from streams with every kind of trouble to rows, each once, at the right time."""

from __future__ import annotations

import math
import struct
import tomllib
import zlib
from pathlib import Path

import numpy as np
import pytest
from laws import cut_breaches, cuts, run

from monitor.core.blocks import ImuBlock
from monitor.core.events import Beat, DeviceStatus, Fault, Gap
from monitor.core.inputs import Mark, Packet, Tick
from monitor.core.protocols import Advertisement, Subscribe, Write
from monitor.devices.spine1 import DRIVER, Spine1Decoder

GOLDEN = tomllib.loads((Path(__file__).parent / "golden" / "spine1.toml").read_text())
G = 9.80665
BOOT = 0xC0FFEE01
TICK_HZ = 32768


def golden(name: str, key: str = "hex") -> bytes:
    return bytes.fromhex(GOLDEN[name][key])


def info() -> bytes:
    schema = zlib.crc32(b"spine1 acc3 gyr3 i16")
    return struct.pack("<BBHIQHHHHII", 1, 0, 0, schema, 0xAB, 8, 1000, 10000, 1, 60000, 0)


def state(
    tick: int,
    newest: int = 0xFFFFFFFF,
    boot: int = BOOT,
    battery: int = 80,
    errors: int = 0,
    rate: int = 10000,
) -> bytes:
    head = struct.pack("<IIIIII", boot, tick & 0xFFFFFFFF, 0, newest, 0xFFFFFFFF, 0)
    return head + struct.pack("<HhIHBB", rate, 3000, 0, errors, battery, 0)


def frame(
    seq: int, tick: int, samples=None, n: int = 10, boot: int = BOOT, flags: int = 0, tx: int = 3300
) -> bytes:
    rows = np.full((n, 6), seq % 1000, "<i2") if samples is None else np.array(samples, "<i2")
    head = struct.pack("<BBBBHIIH", 1, flags, 0, len(rows), boot & 0xFFFF, seq, tick & 0xFFFFFFFF, tx)
    body = head + rows.tobytes()
    return body + struct.pack("<I", zlib.crc32(body, boot))


def compact(seq: int, tick: int, sample) -> bytes:
    body = struct.pack("<HH6h", seq & 0xFFFF, tick & 0xFFFF, *sample)
    return body + struct.pack("<I", zlib.crc32(body, BOOT))


def live(t_s: float, payload: bytes) -> Packet:
    return Packet(t_s, "A", "live", payload)


def opened(tick: int = 0, t_s: float = 1.0) -> list[Packet]:
    return [Packet(t_s, "A", "info", info()), Packet(t_s, "A", "state", state(tick))]


def steady(count: int, start_tick: int = 0, latency_s: float = 0.02, t0_s: float = 1.0) -> list[Packet]:
    """`count` frames of 10 samples at 100 Hz, the sensor's tick 0 being session time `t0_s`."""
    out = []
    for k in range(count):
        tick = start_tick + round(k * 0.1 * TICK_HZ)
        out.append(live(t0_s + k * 0.1 + 0.09 + latency_s, frame(10 * k, tick)))
    return out


def decoded(items) -> list:
    return run(lambda: Spine1Decoder("A"), [list(items)])


def blocks(records) -> list[ImuBlock]:
    return [r for r in records if isinstance(r, ImuBlock)]


def times(records) -> np.ndarray:
    return np.concatenate([b.t_s for b in blocks(records)])


def faults(records) -> list[tuple[str, int]]:
    return [(r.kind, r.count) for r in records if isinstance(r, Fault)]


def golden_opening() -> list[Packet]:
    return [Packet(1.0, "A", "info", golden("info")), Packet(1.0, "A", "state", golden("state"))]


def test_the_golden_frame_gives_its_samples_in_si():
    (block,) = blocks(decoded([*golden_opening(), live(1.2, golden("frame"))]))
    counts = np.array(GOLDEN["frame"]["samples"], float)
    assert np.allclose(block.acc, counts[:, :3] * 8 / 32768 * G, rtol=1e-12)
    assert np.allclose(block.gyr, np.radians(counts[:, 3:] * 1000 / 32768), rtol=1e-12)
    assert block.ok.tolist() == [True, False]
    assert block.rate_hz == 100.0
    assert np.allclose(np.diff(block.t_s), 0.01)


def test_the_golden_compact_frame_gets_its_full_seq_and_tick_from_the_state():
    """The same sample twice, in a full and in a compact frame: the second is a duplicate, so seq was found."""
    near = struct.pack("<IIIIII", GOLDEN["state"]["boot_id"], 4294967040, 0, 74564, 0xFFFFFFFF, 0)
    near += golden("state")[24:]
    opening = [golden_opening()[0], Packet(1.0, "A", "state", near)]
    both = decoded([*opening, live(1.1, golden("frame")), live(1.2, golden("compact"))])
    assert ("duplicate", 1) in faults(both)
    (alone,) = blocks(decoded([*opening, live(1.1, golden("compact"))]))
    assert np.allclose(alone.acc[0], np.array([100, -200, 4096]) * 8 / 32768 * G)


def test_the_golden_identity_is_the_uid():
    assert DRIVER.identity({"info": golden("info")}) == f"{GOLDEN['info']['uid']:016x}"
    assert DRIVER.identity({"info": b"short"}) is None
    assert DRIVER.identity({}) is None


def test_the_golden_frame_names_its_rows():
    want = (GOLDEN["frame"]["boot_id"] & 0xFFFF, 0, GOLDEN["frame"]["seq"])
    assert DRIVER.row_identity("live", golden("frame")) == want
    assert DRIVER.row_identity("bulk", golden("frame")) == want
    assert DRIVER.row_identity("live", golden("compact")) is None
    assert DRIVER.row_identity("state", golden("state")) is None


def test_the_start_writes_start_last_and_after_every_subscription():
    *before, last = DRIVER.start
    assert isinstance(last, Write) and last.payload[0] == GOLDEN["start"]["op"]
    assert len(last.payload) == len(golden("start"))
    assert {s.channel for s in before if isinstance(s, Subscribe)} == {"state", "ctrl", "live"}
    (stop,) = DRIVER.stop
    assert isinstance(stop, Write) and stop.payload[0] == GOLDEN["stop"]["op"] and len(stop.payload) == 5


def test_the_service_uuid_is_what_matches():
    uuid = "e6c90001-c406-4b8b-b8c3-b892b6aa3107"
    assert DRIVER.matches(Advertisement("x", None, (uuid,), {}, -50))
    assert not DRIVER.matches(Advertisement("x", "supple", (), {}, -50))


@pytest.mark.parametrize("rate, want", [(5000, 50.0), (10000, 100.0)])
def test_the_answer_to_start_sets_the_rate(rate, want):
    answer = struct.pack("<BBIH", 0x82, 1, 1, rate)
    records = decoded([*opened(), Packet(1.1, "A", "ctrl", answer), live(1.2, frame(0, 0))])
    assert blocks(records)[0].rate_hz == want
    assert np.allclose(np.diff(times(records)), 1 / want)


def test_every_sample_comes_once_whatever_arrives_twice():
    packets = steady(20)
    twice = [p for p in packets for _ in range(2)]
    records = decoded([*opened(), *twice])
    assert len(times(records)) == 200
    assert faults(records).count(("duplicate", 1)) == 20


def test_of_two_frames_with_one_seq_the_first_is_kept():
    records = decoded([*opened(), live(1.2, frame(0, 0, [[1] * 6])), live(1.3, frame(0, 0, [[9] * 6]))])
    (block,) = blocks(records)
    assert block.acc[0, 0] == pytest.approx(8 / 32768 * G)
    assert faults(records) == [("duplicate", 1)]


def test_a_frame_packed_anew_gives_only_its_new_samples():
    records = decoded(
        [*opened(), live(1.2, frame(0, 0, n=5)), live(1.3, frame(3, round(0.03 * TICK_HZ), n=5))]
    )
    assert len(times(records)) == 8
    assert np.allclose(np.diff(times(records)), 0.01, atol=1e-4)


def test_a_frame_older_than_what_was_given_out_is_late_not_duplicate():
    a, b, c = steady(3)
    records = decoded([*opened(), a, c, b])
    assert faults(records) == [("late", 1)]
    assert len(times(records)) == 20


def test_lost_frames_leave_a_hole_in_time_of_their_length():
    packets = steady(50)
    t_s = times(decoded([*opened(), *packets[:10], *packets[30:]]))
    assert np.diff(t_s).max() == pytest.approx(2.01, abs=1e-3)


BAD = {
    "length": steady(1)[0].payload[:-1],
    "crc": bytes((b ^ (i == 40) for i, b in enumerate(steady(1)[0].payload))),
    "version": b"\x02" + steady(1)[0].payload[1:],
    "boot": frame(0, 0, boot=BOOT + 1),
    "stream": steady(1)[0].payload[:2] + b"\x01" + steady(1)[0].payload[3:],
    "n": steady(1)[0].payload[:3] + b"\x09" + steady(1)[0].payload[4:],
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_bytes_are_counted_by_kind_and_change_no_row(kind):
    packets = steady(30)
    bad = [packets[0], live(1.15, BAD[kind]), *packets[1:]]
    assert faults(decoded([*opened(), *bad])) == [(kind, 1)]
    assert np.array_equal(times(decoded([*opened(), *bad])), times(decoded([*opened(), *packets])))


@pytest.mark.parametrize("payload", [b"", b"\x00", bytes(20), bytes(140), b"\xff" * 140, bytes(32)])
def test_rubbish_is_never_a_frame(payload):
    records = decoded([*opened(), live(1.1, payload)])
    assert blocks(records) == [] and len(faults(records)) == 1


def test_frames_before_info_and_state_are_early():
    first, second = steady(2)
    records = decoded([first, opened()[0], first, opened()[1], second])
    assert faults(records) == [("early", 1), ("early", 1)]
    assert len(times(records)) == 10


@pytest.mark.parametrize(
    "at, byte, kind", [(0, 2, "version"), (4, 0xFF, "schema"), (2, 1, "authenticated"), (16, 0, "scale")]
)
def test_an_info_of_another_making_is_refused(at, byte, kind):
    payload = bytearray(info())
    payload[at] = byte
    records = decoded([Packet(1.0, "A", "info", bytes(payload)), opened()[1], *steady(1)])
    assert faults(records) == [(kind, 1), ("early", 1)]


def test_a_reserved_value_never_becomes_a_row():
    rows = [[100] * 6, [-32768, 0, 0, 0, 0, 0], [100] * 6]
    records = decoded([*opened(), live(1.2, frame(0, 0, rows))])
    assert len(times(records)) == 2 and faults(records) == [("reserved", 1)]


def test_clipped_samples_are_not_ok_and_counted():
    rows = [[100] * 6, [0, 0, 0, 32767, 0, 0], [-32767, 0, 0, 0, 0, 0]]
    records = decoded([*opened(), live(1.2, frame(0, 0, rows, flags=2))])
    assert blocks(records)[0].ok.tolist() == [True, False, False]
    assert faults(records) == [("clip", 2)]


@pytest.mark.parametrize("wraps", [0, 1, 2])
def test_the_tick_may_wrap(wraps):
    """The counter wraps every 36.4 h: 60 h in a stream with a frame every 10 min, begun near a wrap or not."""
    start = (1 << 32) - 30 * TICK_HZ if wraps else 5
    step_s = 600.0
    count = {0: 3, 1: 100, 2: 500}[wraps]
    packets = [
        live(
            1.0 + k * step_s,
            frame(k * 60_000, (start + round(k * step_s * TICK_HZ)) % (1 << 32), n=1, tx=0xFFFF),
        )
        for k in range(count)
    ]
    t_s = times(decoded([*opened(tick=start), *packets]))
    assert len(t_s) == count
    assert np.allclose(np.diff(t_s), step_s, atol=1e-3)


def test_a_reboot_is_a_gap_and_rows_go_on_after_it():
    second = [live(5.0 + k / 10, frame(10 * k, round(k * 0.1 * TICK_HZ), boot=77)) for k in range(5)]
    records = decoded([*opened(), *steady(10), Packet(4.9, "A", "state", state(0, boot=77)), *second])
    (gap,) = [r for r in records if isinstance(r, Gap)]
    t_s = times(records)
    assert gap.reason == "reboot"
    assert gap.start_s == t_s[99] and gap.end_s == t_s[100]
    assert len(t_s) == 150 and (np.diff(t_s) > 0).all()
    assert [type(r) for r in records if isinstance(r, ImuBlock | Gap)] == [ImuBlock, Gap, ImuBlock]


@pytest.mark.parametrize("jump_s", [1.0, -1.0, 3600.0])
def test_a_jump_of_the_sensors_clock_starts_a_new_segment_of_time(jump_s):
    start = 3600 * TICK_HZ
    before, after = steady(50, start), steady(100, start)[50:]
    jumped = [
        live(p.t_host_s, frame(10 * k, start + round((k * 0.1 + jump_s) * TICK_HZ)))
        for k, p in enumerate(after, 50)
    ]
    t_s = times(decoded([*opened(tick=start), *before, *jumped]))
    assert len(t_s) == 1000 and (np.diff(t_s) > 0).all()
    assert np.diff(t_s).max() < 0.1


def test_a_pause_of_the_sampling_is_a_pause_of_time():
    """Seq goes on where it stopped, tick and arrival are 20 s later."""
    later = [
        live(p.t_host_s + 20, frame(10 * k, round((k * 0.1 + 20) * TICK_HZ)))
        for k, p in enumerate(steady(20)[10:], 10)
    ]
    t_s = times(decoded([*opened(), *steady(10), *later]))
    assert np.diff(t_s).max() == pytest.approx(20.01, abs=0.01)


def test_compact_frames_give_the_rows_of_full_ones():
    samples = [[k % 300, -k % 200, 4000, k, 1, 2] for k in range(3000)]
    packets = []
    for k, sample in enumerate(samples):
        t_s = 1.0 + k / 100 + 0.02
        if k % 100 == 0 and k:
            packets.append(Packet(t_s, "A", "state", state(round(k * TICK_HZ / 100), newest=k - 1)))
        packets.append(live(t_s, compact(k, round(k * TICK_HZ / 100), sample)))
    records = decoded([*opened(), *packets])
    t_s = times(records)
    assert faults(records) == [] and len(t_s) == 3000
    assert np.allclose(np.diff(t_s), 0.01, atol=1e-4)
    stream = [*opened(), *packets, Mark(40.0, "stiff", {}), *opened()]
    assert cut_breaches(lambda: Spine1Decoder("A"), cuts(stream)) == []


def test_a_beat_says_how_far_the_data_had_come_when_the_tick_came():
    packets = steady(20)
    tick = Tick(2.0, 1e9, 3600, ("A",))
    stream = [*opened(), Tick(1.0, 1e9, 3600, ()), *packets[:10], tick, *packets[10:]]
    records = decoded(stream)
    first, second = [r for r in records if isinstance(r, Beat)]
    assert (first.connected, first.data_s) == (False, -math.inf)
    assert (second.connected, second.data_s) == (True, times(records)[99])
    assert records.index(second) > records.index(blocks(records)[-1])


def test_rows_before_a_mark_come_before_it():
    packets = steady(20)
    mark = Mark(2.0, "stiff", {})
    records = decoded([*opened(), *packets[:10], mark, *packets[10:]])
    kinds = [r for r in records if isinstance(r, ImuBlock | Mark)]
    assert kinds[1] is mark and [len(kinds[0]), len(kinds[2])] == [100, 100]


def test_what_is_of_another_sensor_passes():
    other = Packet(1.0, "B", "live", b"xx")
    assert decoded([other]) == [other]


def test_status_comes_at_most_every_half_minute_or_on_change():
    states = [
        Packet(float(t), "A", "state", state(t * TICK_HZ, battery=80 - (t > 70))) for t in range(1, 100)
    ]
    status = [r for r in decoded([opened()[0], *states]) if isinstance(r, DeviceStatus)]
    assert [(s.t_s, s.battery_percent) for s in status] == [(1, 80), (31, 80), (61, 80), (71, 79)]
    assert status[0].temperature_c == 30.0


def test_an_error_bit_is_told_once_while_it_stands():
    states = [Packet(float(t), "A", "state", state(t * TICK_HZ, errors=4 * (t > 3))) for t in range(1, 9)]
    assert faults(decoded([opened()[0], *states])) == [("battery_low", 1)]


@pytest.mark.parametrize("tx", [True, False])
def test_times_follow_a_clock_100_ppm_off_and_ignore_stalls(tx):
    """Ten minutes, latency 8 ms and more, stalls of up to 2 s: after one minute within 5 ms of the truth (30 without tx)."""
    dice = np.random.default_rng(1)
    packets = []
    for k in range(6000):
        device_s = k * 0.1
        true_s = 1.0 + device_s * (1 - 100e-6)
        wait_s = float(dice.exponential(0.01)) + (2.0 if k % 700 > 690 else 0.0)
        sent = device_s + 0.09 + wait_s
        delta = round((sent - device_s) * TICK_HZ)
        arrival = 1.0 + sent * (1 - 100e-6) + 0.008
        payload = frame(10 * k, round(device_s * TICK_HZ), tx=delta if tx and delta < 0xFFFF else 0xFFFF)
        packets.append((arrival, true_s, payload))
    arrivals = np.maximum.accumulate([a for a, _, _ in packets])
    records = decoded(
        [*opened(), *(live(float(a), p) for a, (_, _, p) in zip(arrivals, packets, strict=True))]
    )
    t_s = times(records)[::10]
    error = t_s - np.array([true for _, true, _ in packets]) - 0.008
    assert (np.diff(times(records)) > 0).all()
    assert np.quantile(np.abs(error[600:]), 0.95) < (0.005 if tx else 0.03)
