"""The simulated sensor without its radio: bytes, clock, memory, packing, control point."""

import itertools
import math
import struct
import tomllib
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sim_world import UID, TinyChip, TinyPlan

from firmware_sim import wire
from firmware_sim.firmware import BOOT_S, Firmware
from firmware_sim.ring import Ring
from firmware_sim.sampler import Sampler
from firmware_sim.witmotion import UNLOCK, WitMotion

GOLDEN = tomllib.loads((Path(__file__).parent / "golden" / "spine1.toml").read_text())
WITMOTION = tomllib.loads((Path(__file__).parent / "golden" / "witmotion.toml").read_text())


def request(op: int, parameters: bytes = b"", nonce: int = 7) -> bytes:
    return struct.pack("<BI", op, nonce) + parameters


START = request(2, b"\0\0")
PLAN = TinyPlan()


def streaming(plan: TinyPlan = PLAN, chip: TinyChip | None = None, mtu: int = 247, **kwargs) -> Firmware:
    firmware = Firmware(chip or TinyChip(plan.rate_hz), plan, 1, **kwargs)
    firmware.on_connect(0.0, mtu)
    firmware.on_ctrl(START, 0.0)
    return firmware


def live(values) -> list[bytes]:
    return [payload for channel, payload in values if channel == "live"]


def states(values) -> list[bytes]:
    return [payload for channel, payload in values if channel == "state"]


def answer(values) -> bytes:
    (only,) = [payload for channel, payload in values if channel == "ctrl"]
    return only


def header(frame: bytes) -> tuple[int, ...]:
    return struct.unpack_from("<BBBBHIIH", frame)


def rows(frame: bytes) -> list[int]:
    """acc x of every sample: the row the tiny chip measured."""
    return [struct.unpack_from("<h", frame, 16 + 12 * k)[0] for k in range(frame[3])]


# --- bytes -------------------------------------------------------------------------------------------------------


def test_info_is_the_golden_info() -> None:
    g = GOLDEN["info"]
    info = wire.Info(
        g["uid"],
        g["acc_full_scale_g"],
        g["gyr_full_scale_deg_s"],
        g["rate_centihz"] / 100,
        "lower_back",
        g["ring_samples"],
    )
    assert wire.pack_info(info).hex() == g["hex"]


def test_state_is_the_golden_state() -> None:
    g = GOLDEN["state"]
    state = wire.State(
        g["boot_id"],
        g["tick"],
        g["oldest_seq"],
        g["newest_seq"],
        g["acked_seq"],
        g["evicted"],
        g["rate_centihz"] / 100,
        g["temperature_centideg_c"] / 100,
        g["clipped"],
        g["errors"],
        g["battery_percent"],
    )
    assert wire.pack_state(state).hex() == g["hex"]


def test_a_frame_is_the_golden_frame() -> None:
    g = GOLDEN["frame"]
    samples = b"".join(struct.pack("<6h", *row) for row in g["samples"])
    frame = wire.pack_frame(g["boot_id"], g["seq"], g["tick"], g["tx_delta"], samples, clipped=True)
    assert frame.hex() == g["hex"]


def test_a_compact_frame_is_the_golden_one() -> None:
    frame, g = GOLDEN["frame"], GOLDEN["compact"]
    compact = wire.pack_compact(
        g["boot_id"], frame["seq"], frame["tick"], struct.pack("<6h", *g["samples"][0])
    )
    assert compact.hex() == g["hex"]


@pytest.mark.parametrize("name", ["start", "stop", "hello"])
def test_control_writes_get_their_golden_answers(name: str) -> None:
    firmware = Firmware(TinyChip(), TinyPlan(), 1)
    firmware.on_connect(0.0, 247)
    g = GOLDEN[name]
    assert answer(firmware.on_ctrl(bytes.fromhex(g["hex"]), 0.0)).hex() == g["answer_hex"]


@pytest.mark.parametrize(
    ("mtu", "n"), [(23, 0), (34, 0), (35, 1), (185, 10), (143, 10), (142, 9), (247, 10), (517, 10)]
)
def test_a_frame_fits_the_mtu(mtu: int, n: int) -> None:
    assert wire.samples_per_frame(mtu) == n
    assert n == 0 or wire.FRAME_OVERHEAD_BYTES + 12 * n <= mtu - 3


# --- sampling and memory -----------------------------------------------------------------------------------------


def test_the_sampler_hands_out_every_row_once_whatever_the_calls() -> None:
    whole, cut = Sampler(TinyChip(), 100.0, 0.0), Sampler(TinyChip(), 100.0, 0.0)
    pieces = [cut.take(n) for n in (1, 7, 992, 3, 1997)]
    assert b"".join(p[0] for p in pieces) == whole.take(3000)[0]
    acc_x = np.frombuffer(whole.take(1)[0], "<i2")[0]
    assert acc_x == 3000


def test_a_row_is_due_exactly_at_its_time() -> None:
    sampler = Sampler(TinyChip(), 100.0, 37.0)
    for n in range(1, 3000):
        assert sampler.due_rows(sampler.due_s(n)) == n
        assert sampler.due_rows(math.nextafter(sampler.due_s(n), -1.0)) == n - 1


def test_a_sparser_stream_takes_every_nth_row() -> None:
    sampler = Sampler(TinyChip(), 100.0, 0.0)
    sampler.take(3)
    sampler.step = 4
    acc_x = np.frombuffer(sampler.take(600)[0], "<i2").reshape(-1, 6)[:, 0]
    np.testing.assert_array_equal(acc_x, 3 + 4 * np.arange(600))


def test_the_ring_gives_back_what_it_still_has_and_counts_what_it_lost() -> None:
    ring = Ring(10)
    everything = b"".join(struct.pack("<6h", *[k] * 6) for k in range(37))
    for first, last in ((0, 4), (4, 9), (9, 12), (12, 37)):
        ring.write(everything[12 * first : 12 * last], bytes(k % 2 for k in range(first, last)))
        oldest = max(0, last - 10)
        assert (ring.oldest_seq, ring.next_seq, ring.evicted) == (oldest, last, oldest)
        samples, flags = ring.read(oldest, last - oldest)
        assert samples == everything[12 * oldest : 12 * last]
        assert flags == bytes(k % 2 for k in range(oldest, last))
    with pytest.raises(ValueError, match="26"):
        ring.read(26, 1)


# --- the stream --------------------------------------------------------------------------------------------------


def test_a_frame_leaves_when_its_last_sample_is_taken() -> None:
    firmware = streaming()
    assert firmware.next_due_s() == pytest.approx(0.10)  # row 0 was taken before START: rows 1..10
    (frame,) = live(firmware.advance(0.10))
    assert rows(frame) == list(range(1, 11))


def test_frames_carry_consecutive_samples_with_a_valid_tag() -> None:
    firmware = streaming()
    frames = live(firmware.advance(60.0))
    assert [row for frame in frames for row in rows(frame)] == list(range(1, 10 * len(frames) + 1))
    assert [header(f)[5] for f in frames] == list(range(1, 10 * len(frames), 10))
    for frame in frames:
        assert len(frame) == 140
        assert zlib.crc32(frame[:-4], firmware.boot_id) == int.from_bytes(frame[-4:], "little")
        assert header(frame)[4] == firmware.boot_id & 0xFFFF


def test_however_time_is_cut_the_bytes_are_the_same() -> None:
    whole = streaming().advance(20.0)
    cut = streaming()
    pieces = [value for to_s in np.arange(0.013, 20.0, 0.013) for value in cut.advance(float(to_s))]
    assert whole[: len(pieces)] == pieces
    assert len(whole) - len(pieces) <= 2


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_boot() -> None:
    assert streaming().advance(5.0) == streaming().advance(5.0)
    assert Firmware(TinyChip(), TinyPlan(), 1).boot_id != Firmware(TinyChip(), TinyPlan(), 2).boot_id


@pytest.mark.parametrize("ppm", [-100.0, 0.0, 100.0])
def test_ticks_follow_the_sensors_own_clock(ppm: float) -> None:
    firmware = streaming(TinyPlan(clock_ppm=ppm))
    frames = live(firmware.advance(1000.0))
    ticks = [header(f)[6] for f in frames]
    steps = np.diff(ticks)
    assert set(steps) <= {
        3276,
        3277,
    }  # 10 samples at 100 Hz of its own clock: 3276.8 ticks, whatever true time says
    per_true_s = (firmware.tick(900.0) - firmware.tick(100.0)) / 800
    assert per_true_s == pytest.approx(32768 * (1 + ppm * 1e-6), abs=2 / 800)
    assert len(frames) == pytest.approx(10_000 * (1 + ppm * 1e-6), abs=1)


def test_the_tick_of_a_frame_is_the_clock_when_its_first_sample_was_taken() -> None:
    own_hz = 100.0 * (1 + 80e-6)
    firmware = streaming(TinyPlan(clock_ppm=80.0), TinyChip(own_hz))
    for frame in live(firmware.advance(300.0)):
        taken_s = rows(frame)[0] / own_hz
        assert abs(header(frame)[6] - firmware.tick(taken_s)) <= 1


def test_tx_delta_reaches_from_the_first_sample_to_the_radio_event() -> None:
    firmware = Firmware(TinyChip(), TinyPlan(), 1)
    firmware.on_connect(0.0, 247, lambda t: t + 0.02)
    firmware.on_ctrl(START, 0.0)
    (frame,) = live(firmware.advance(0.1))
    assert header(frame)[7] == pytest.approx((0.09 + 0.02) * 32768, abs=1)


def test_a_delta_that_does_not_fit_is_unknown() -> None:
    firmware = Firmware(TinyChip(), TinyPlan(), 1)
    firmware.on_connect(0.0, 247, lambda t: t + 2.0)
    firmware.on_ctrl(START, 0.0)
    assert header(live(firmware.advance(0.1))[0])[7] == 0xFFFF


def test_counters_wrap_at_32_bits() -> None:
    firmware = streaming(first_seq=2**32 - 50, first_tick=2**32 - 8000)
    frames = live(firmware.advance(2.0))
    assert [header(f)[5] for f in frames][:6] == [(2**32 - 49 + 10 * k) % 2**32 for k in range(6)]
    ticks = [header(f)[6] for f in frames]
    assert any(b < a for a, b in itertools.pairwise(ticks))
    assert {(b - a) % 2**32 for a, b in itertools.pairwise(ticks)} <= {3276, 3277}


def test_a_clipped_sample_flags_its_frame_and_is_counted() -> None:
    firmware = streaming(chip=TinyChip(clipped_rows=frozenset((25, 28))))
    flags = [header(f)[1] for f in live(firmware.advance(0.55))]
    assert flags == [0, 0, wire.FLAG_CLIPPED, 0, 0]
    assert struct.unpack_from("<I", firmware.state(0.55), 28) == (2,)


def test_at_mtu_23_every_sample_goes_alone_in_20_bytes() -> None:
    firmware = streaming(mtu=23, first_seq=0x1FFF8)
    frames = live(firmware.advance(0.2))
    assert len(frames) == 20
    for k, frame in enumerate(frames):
        seq, tick, acc_x = struct.unpack_from("<HHh", frame)
        assert len(frame) == 20
        assert seq == (0x1FFF9 + k) & 0xFFFF
        assert acc_x == k + 1
        assert abs(tick - (firmware.tick((k + 1) / 100) & 0xFFFF)) <= 1
        assert zlib.crc32(frame[:-4], firmware.boot_id) == int.from_bytes(frame[-4:], "little")


def test_a_larger_mtu_changes_the_next_frame() -> None:
    firmware = streaming(mtu=23)
    firmware.advance(0.05)
    firmware.on_mtu(247)
    assert [len(f) for f in live(firmware.advance(0.3))] == [140, 140]


# --- state, memory, power ----------------------------------------------------------------------------------------


def test_state_comes_once_a_second_and_says_what_is_in_memory() -> None:
    firmware = streaming(TinyPlan(ring_samples=256))
    told = states(firmware.advance(10.0))
    assert len(told) == 10
    boot, tick, oldest, newest, acked, evicted, rate, temperature = struct.unpack_from("<IIIIIIHh", told[-1])
    assert (boot, acked, rate, temperature) == (firmware.boot_id, 0xFFFFFFFF, 10000, 3127)
    assert (newest, oldest, evicted) == (1000, 745, 745)
    assert tick == firmware.tick(10.0)


def test_it_goes_on_measuring_into_memory_without_a_link() -> None:
    firmware = streaming()
    firmware.advance(1.0)
    firmware.on_disconnect()
    assert firmware.next_due_s() == math.inf
    assert firmware.advance(4.0) == []
    firmware.on_connect(5.0, 247)
    assert struct.unpack_from("<I", firmware.state(5.0), 12) == (500,)
    firmware.on_ctrl(START, 5.0)
    assert rows(live(firmware.advance(5.2))[0])[0] == 501


def test_a_reboot_starts_clock_and_counters_again_under_a_new_boot_id() -> None:
    firmware = streaming()
    firmware.advance(3.0)
    before = firmware.boot_id
    firmware.reboot(3.0)
    assert firmware.boot_id != before
    assert firmware.next_due_s() == math.inf
    firmware.on_connect(3.0, 247)
    firmware.on_ctrl(START, 3.0 + BOOT_S)
    (first, *_) = live(firmware.advance(4.0))
    assert header(first)[5] == 0
    assert header(first)[4] == firmware.boot_id & 0xFFFF
    assert rows(first)[0] > 300 + 100 * BOOT_S - 1


def test_a_bad_firmware_keeps_its_boot_id() -> None:
    firmware = streaming()
    before = firmware.boot_id
    firmware.reboot(3.0, keep_boot_id=True)
    assert firmware.boot_id == before


def test_the_battery_drains_and_says_so_when_it_changes() -> None:
    firmware = streaming(TinyPlan(battery_percent=10.9))
    values = firmware.advance(3600.0)
    told = [payload[0] for channel, payload in values if channel == "battery"]
    assert told == [10, 9, 8]
    (errors,) = struct.unpack_from("<H", states(values)[-1], 32)
    assert errors == wire.ERROR_BATTERY_LOW


def test_a_hung_firmware_sends_nothing_with_its_link_up() -> None:
    firmware = streaming()
    firmware.silent = True
    assert firmware.advance(5.0) == []
    firmware.silent = False
    assert header(live(firmware.advance(5.2))[0])[5] > 450


# --- control point -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [0x01, 0x04, 0x05, 0x06, 0x09, 0x77])
def test_what_it_cannot_do_it_answers_with_unknown_op(op: int) -> None:
    firmware = streaming()
    assert answer(firmware.on_ctrl(request(op, bytes(16), 0xABCD), 1.0)) == struct.pack(
        "<BBI", 0x80 | op, 2, 0xABCD
    )


@pytest.mark.parametrize(
    "payload", [b"\x02", b"", request(2), request(2, b"abc"), request(3, b"x"), request(7, b"x")]
)
def test_a_malformed_write_is_answered_with_invalid_parameter(payload: bytes) -> None:
    assert answer(streaming().on_ctrl(payload, 1.0))[1] == 3


def test_start_answers_the_rate_and_tells_the_state() -> None:
    firmware = Firmware(TinyChip(), TinyPlan(), 1)
    firmware.on_connect(0.0, 247)
    values = firmware.on_ctrl(START, 0.5)
    assert [channel for channel, _ in values] == ["ctrl", "state"]
    assert answer(values)[-2:] == (10000).to_bytes(2, "little")


def test_start_twice_changes_nothing() -> None:
    once, twice = streaming(), streaming()
    once.advance(0.25)
    twice.advance(0.25)
    twice.on_ctrl(START, 0.25)
    assert once.advance(2.0) == twice.advance(2.0)


def test_a_lower_rate_is_the_nearest_on_offer_and_keeps_seq_and_tick_true() -> None:
    firmware = streaming()
    firmware.advance(1.0)
    values = firmware.on_ctrl(request(2, (5200).to_bytes(2, "little")), 1.0)
    assert answer(values)[-2:] == (5000).to_bytes(2, "little")
    frames = live(firmware.advance(2.0))
    assert next(header(f)[5] for f in frames) == 101
    assert rows(frames[0]) == list(range(101, 121, 2))
    assert set(np.diff([header(f)[6] for f in frames])) <= {6553, 6554}


def test_stop_sends_what_was_measured_in_a_shorter_frame_first() -> None:
    firmware = streaming()
    values = firmware.on_ctrl(request(3), 0.145)
    frames = live(values)
    assert [rows(f) for f in frames] == [list(range(1, 11)), [11, 12, 13, 14]]
    assert values[-1] == ("ctrl", struct.pack("<BBI", 0x83, 1, 7))
    assert live(firmware.advance(1.0)) == []


def test_a_time_ping_gives_the_ticks_of_arrival_and_departure() -> None:
    firmware = Firmware(TinyChip(), TinyPlan(clock_ppm=50.0), 1)
    firmware.on_connect(0.0, 247, lambda t: t + 0.03)
    reply = answer(firmware.on_ctrl(request(7), 10.0))
    assert struct.unpack_from("<II", reply, 6) == (firmware.tick(10.0), firmware.tick(10.03))


def test_identify_blinks() -> None:
    firmware = streaming()
    firmware.on_ctrl(request(8), 1.0)
    assert firmware.blinks == 1


def test_info_says_what_the_chip_is() -> None:
    firmware = Firmware(TinyChip(), TinyPlan(), 1, placement="sternum")
    uid, acc_g, gyr_deg_s, rate, placement, memory = struct.unpack_from("<QHHHHI", firmware.info, 8)
    assert (uid, acc_g, gyr_deg_s, rate, placement, memory) == (UID, 8, 1000, 10000, 3, 1000)


# --- the WitMotion twin ------------------------------------------------------------------------------------------


def witmotion(**changes) -> WitMotion:
    sensor = WitMotion(TinyChip(200.0), replace(TinyPlan(), **changes))
    sensor.on_connect(0.0, 247)
    return sensor


def set_rate(sensor: WitMotion, code: int, t_s: float = 0.0) -> None:
    sensor.on_write(UNLOCK, t_s)
    sensor.on_write(bytes((0xFF, 0xAA, 0x03, code, 0x00)), t_s)


def test_witmotion_streams_10_hz_by_subscribing_alone() -> None:
    sensor = witmotion()
    assert sensor.advance(1.0) == []
    sensor.on_subscribe(True, 0.0)
    values = sensor.advance(10.0)
    assert len(values) == pytest.approx(100, abs=1)
    assert {len(payload) for _, payload in values} == {20}


@pytest.mark.parametrize(
    ("code", "hz", "frames"), [(0x07, 20, 1), (0x08, 50, 1), (0x09, 100, 4), (0x0B, 200, 8)]
)
def test_witmotion_sends_several_frames_at_once_at_high_rates(code: int, hz: int, frames: int) -> None:
    sensor = witmotion()
    sensor.on_subscribe(True, 0.0)
    set_rate(sensor, code)
    values = sensor.advance(10.0)
    assert {len(payload) for _, payload in values} == {20 * frames}
    assert sum(len(payload) // 20 for _, payload in values) == pytest.approx(10 * hz, abs=frames)
    acc_x = [struct.unpack_from("<h", p, 20 * k + 2)[0] for _, p in values for k in range(frames)]
    assert set(np.diff(acc_x)) == {200 // hz}


def test_witmotion_ignores_a_rate_written_without_unlocking() -> None:
    sensor = witmotion()
    sensor.on_write(bytes.fromhex("FFAA030900"), 0.0)
    assert sensor.rate_hz == 10.0


def test_witmotion_frames_have_the_layout_of_a_real_one() -> None:
    real = bytes.fromhex(WITMOTION["real"]["hex"])
    sensor = witmotion()
    sensor.on_subscribe(True, 0.0)
    set_rate(sensor, 0x09)
    (_, ours), *_ = sensor.advance(0.1)
    assert len(ours) == len(real)
    assert [ours[k : k + 2] for k in range(0, 80, 20)] == [real[k : k + 2] for k in range(0, 80, 20)]
    _, y, z, *gyr = struct.unpack_from("<6h", ours, 2)
    assert (y, z, gyr) == (-200, 4096, [1, -2, 3])
    roll = struct.unpack_from("<h", ours, 14)[0] / 32768 * 180
    assert roll == pytest.approx(math.degrees(math.atan2(-200, 4096)), abs=0.02)


def test_witmotion_answers_a_register_read_in_the_form_of_the_data_sheet() -> None:
    vector = WITMOTION["register"]
    sensor = witmotion()
    ((_, reply),) = sensor.on_write(bytes.fromhex(vector["request"]["hex"]), 0.0)
    assert (len(reply), reply[:4]) == (20, bytes.fromhex(vector["hex"])[:4])


def test_witmotion_tells_its_battery_voltage() -> None:
    sensor = witmotion(battery_percent=61.0)
    ((channel, reply),) = sensor.on_write(bytes.fromhex("FFAA276400"), 0.0)
    assert (channel, reply[:4].hex()) == ("live", "55716400")
    assert struct.unpack_from("<h", reply, 4) == (382,)
