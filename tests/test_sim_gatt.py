"""The simulated sensor over Bluetooth, seen by an independent central, in virtual time."""

import asyncio
import itertools
import struct
import time

import pytest
from bumble import att, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement
from sim_world import (
    ADDRESS,
    Central,
    TinyAir,
    TinyPlan,
    connect,
    power_on_host,
    tiny_world,
)

from firmware_sim.gatt import BULK, CTRL, INFO, LIVE, SERVICE, STATE
from monitor.sources.virtual_time import run_virtual

START = struct.pack("<BIH", 2, 1, 0)
STOP = struct.pack("<BI", 3, 2)
WALK = TinyAir(out_of_range=((20.0, 50.0),))


async def streaming(world, **kwargs) -> Central:
    central = await connect(await power_on_host(world.host_controller), **kwargs)
    await central.discover()
    await central.subscribe_all()
    await central.ctrl(START)
    return central


def seqs(frames: list[bytes]) -> list[int]:
    return [struct.unpack_from("<I", frame, 6)[0] for frame in frames]


def test_a_scan_sees_the_service_in_the_advertisement_name_and_battery_in_the_scan_response() -> None:
    async def main() -> list[Advertisement]:
        async with tiny_world() as world:
            host = await power_on_host(world.host_controller)
            heard: list[Advertisement] = []
            host.on("advertisement", heard.append)
            await host.start_scanning(active=True)
            await asyncio.sleep(1.0)
            return heard

    heard = run_virtual(main())
    last = heard[-1]
    assert str(last.address) == f"{ADDRESS}"
    assert UUID(SERVICE) in last.data.get(AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS)
    assert last.data.get(AdvertisingData.COMPLETE_LOCAL_NAME) == "supple-1234"
    assert last.data.get(AdvertisingData.SERVICE_DATA_16_BIT_UUID) == (UUID.from_16_bits(0x180F), b"\x50")
    assert last.rssi == -60
    assert 8 <= len(heard) <= 11  # every 100 ms plus 0 to 10 ms


def test_the_table_of_services_is_the_documented_one() -> None:
    async def main() -> dict[str, tuple[str, list[str]]]:
        async with tiny_world() as world:
            central = await connect(await power_on_host(world.host_controller))
            await central.discover()
            table = {}
            for uuid in (INFO, STATE, LIVE, BULK, CTRL):
                found = central.find(uuid)
                table[uuid[:8]] = (str(found.properties), [d.type.to_hex_str() for d in found.descriptors])
            services = {s.uuid.to_hex_str() for s in central.client.services}
            assert {"180A", "180F", UUID(SERVICE).to_hex_str()} <= services
            return table

    table = run_virtual(main())
    assert {name: properties for name, (properties, _) in table.items()} == {
        "e6c90002": "READ",
        "e6c90003": "READ|NOTIFY",
        "e6c90004": "NOTIFY",
        "e6c90005": "NOTIFY",
        "e6c90006": "WRITE|INDICATE",
    }
    assert all("2901" in descriptors for _, descriptors in table.values())


def test_info_state_battery_and_serial_number_can_be_read() -> None:
    async def main() -> tuple[bytes, ...]:
        async with tiny_world() as world:
            central = await connect(await power_on_host(world.host_controller))
            await central.discover()
            return tuple(
                [bytes(await central.find(uuid).read_value()) for uuid in (INFO, STATE, "2A19", "2A25")]
            )

    info, state, battery, serial = run_virtual(main())
    assert (len(info), len(state), battery, serial) == (32, 36, b"\x50", b"0000000000001234")


@pytest.mark.parametrize("mtu", [23, 247])
def test_long_values_are_read_whole_at_any_mtu(mtu: int) -> None:
    async def main() -> tuple[int, int]:
        async with tiny_world() as world:
            central = await connect(await power_on_host(world.host_controller), mtu=mtu)
            await central.discover()
            return len(await central.find(INFO).read_value()), len(await central.find(STATE).read_value())

    assert run_virtual(main()) == (32, 36)


def test_start_streams_frames_and_states_until_stop() -> None:
    async def main() -> Central:
        async with tiny_world() as world:
            central = await streaming(world)
            await asyncio.sleep(10.0)
            assert await central.ctrl(STOP) == struct.pack("<BBI", 0x83, 1, 2)
            after = len(central.of("live"))
            await asyncio.sleep(5.0)
            assert len(central.of("live")) == after
            assert world.statuses[-2:] == ["supple-1234 streams at 100 Hz", "supple-1234 stopped"]
            return central

    central = run_virtual(main())
    frames = central.of("live")
    assert len(frames) == pytest.approx(100, abs=2)
    first = seqs(frames)[0]
    assert seqs(frames[:-1]) == [first + 10 * k for k in range(len(frames) - 1)]
    assert {len(f) for f in frames[:-1]} == {140}
    assert 14 <= len(central.of("state")) <= 17


def test_identify_blinks_and_says_so() -> None:
    async def main() -> tuple[bytes, list[str]]:
        async with tiny_world() as world:
            central = await connect(await power_on_host(world.host_controller))
            await central.discover()
            await central.subscribe_all()
            return await central.ctrl(struct.pack("<BI", 0x08, 9)), list(world.statuses)

    answer, statuses = run_virtual(main())
    assert answer == struct.pack("<BBI", 0x88, 1, 9)
    assert statuses[-1] == "supple-1234 blinks"


def test_two_time_pings_are_apart_by_the_ticks_between_them() -> None:
    async def main() -> list[tuple[float, bytes]]:
        async with tiny_world() as world:
            central = await streaming(world)
            answers = []
            for nonce in (10, 11):
                asked_s = asyncio.get_running_loop().time()
                answers.append((asked_s, await central.ctrl(struct.pack("<BI", 0x07, nonce))))
                await asyncio.sleep(10.0)
            return answers

    (first_s, first), (second_s, second) = run_virtual(main())
    assert (first[:6], second[:6]) == (struct.pack("<BBI", 0x87, 1, 10), struct.pack("<BBI", 0x87, 1, 11))
    (rx, tx), (later, _) = (struct.unpack("<II", answer[6:]) for answer in (first, second))
    assert 0 <= (tx - rx) / 32768 <= 0.0075
    assert ((later - rx) % 2**32) / 32768 == pytest.approx(second_s - first_s, abs=0.0075)


def test_at_mtu_23_compact_frames_come_and_states_are_cut_to_the_mtu() -> None:
    async def main() -> Central:
        async with tiny_world() as world:
            central = await streaming(world, mtu=23)
            await asyncio.sleep(2.0)
            return central

    central = run_virtual(main())
    assert len(central.of("live")) == pytest.approx(200, abs=3)
    assert {len(p) for p in central.of("live") + central.of("state")} == {20}


def test_tx_delta_names_the_connection_event_that_carried_the_frame() -> None:
    async def main() -> list[tuple[float, bytes]]:
        async with tiny_world(TinyAir(interval_s=0.05)) as world:
            central = await streaming(world)
            arrived: list[tuple[float, bytes]] = []
            loop = asyncio.get_running_loop()
            await central.find(LIVE).subscribe(lambda value: arrived.append((loop.time(), bytes(value))))
            await asyncio.sleep(5.0)
            return [(world.firmware.tick(t) - struct.unpack_from("<IH", f, 10)[0], f) for t, f in arrived]

    for ticks, frame in run_virtual(main()):
        assert struct.unpack_from("<H", frame, 14)[0] == pytest.approx(ticks, abs=2)


def test_the_same_seed_gives_the_same_notifications() -> None:
    async def main() -> list[tuple[str, bytes]]:
        async with tiny_world(TinyAir(loss=0.05, adv_loss=0.3, rssi_sd_db=4.0), seed=5) as world:
            central = await streaming(world)
            await asyncio.sleep(60.0)
            return central.notified

    first = run_virtual(main())
    assert len(first) > 500
    assert run_virtual(main()) == first


def test_lost_notifications_leave_gaps_in_seq_and_nothing_else() -> None:
    async def main() -> Central:
        async with tiny_world(TinyAir(loss=0.2)) as world:
            central = await streaming(world)
            await asyncio.sleep(60.0)
            return central

    got = seqs(run_virtual(main()).of("live"))
    assert len(got) == pytest.approx(480, abs=40)
    assert {(b - a) % 10 for a, b in itertools.pairwise(got)} == {0}


# --- refusals ----------------------------------------------------------------------------------------------------


async def _error(work) -> int:
    with pytest.raises(att.ATT_Error) as caught:
        await work
    return caught.value.error_code


def test_a_control_write_without_subscription_is_refused_with_0xfd() -> None:
    async def main() -> int:
        async with tiny_world() as world:
            central = await connect(await power_on_host(world.host_controller))
            await central.discover()
            return await _error(central.find(CTRL).write_value(START, with_response=True))

    assert run_virtual(main()) == 0xFD


def test_a_second_control_write_before_the_answer_is_refused_with_0xfe() -> None:
    async def main() -> tuple[int, bytes]:
        async with tiny_world() as world:
            central = await connect(await power_on_host(world.host_controller))
            await central.discover()
            await central.subscribe_all()
            ctrl = central.find(CTRL)
            confirm = central.client.send_confirmation
            central.client.send_confirmation = lambda confirmation: None
            await ctrl.write_value(START, with_response=True)
            await central.answers.get()
            code = await _error(ctrl.write_value(START, with_response=True))
            central.client.send_confirmation = confirm
            confirm(att.ATT_Handle_Value_Confirmation())
            await asyncio.sleep(0.1)
            return code, await central.ctrl(STOP)

    assert run_virtual(main()) == (0xFE, struct.pack("<BBI", 0x83, 1, 2))


@pytest.mark.parametrize(
    ("uuid", "write", "code"), [(LIVE, False, 0x02), (CTRL, False, 0x02), (INFO, True, 0x03)]
)
def test_what_a_characteristic_does_not_offer_is_refused(uuid: str, write: bool, code: int) -> None:
    async def main() -> int:
        async with tiny_world() as world:
            central = await connect(await power_on_host(world.host_controller))
            await central.discover()
            found = central.find(uuid)
            return await _error(found.write_value(b"x", with_response=True) if write else found.read_value())

    assert run_virtual(main()) == code


def test_where_encryption_is_on_only_an_encrypted_link_may_subscribe() -> None:
    async def main() -> tuple[list[int], int, int]:
        async with tiny_world(secure=True) as world:
            central = await connect(await power_on_host(world.host_controller))
            await central.discover()
            refused = [await _error(central.subscribe("x", uuid)) for uuid in (STATE, LIVE, BULK)]
            refused.append(await _error(central.find(CTRL).subscribe(print, prefer_notify=False)))
            info = len(await central.find(INFO).read_value())
            await central.connection.pair()
            await central.subscribe_all()
            await central.ctrl(START)
            await asyncio.sleep(1.0)
            return refused, info, len(central.of("live"))

    refused, info, frames = run_virtual(main())
    assert refused == [0x0F] * 4
    assert info == 32
    assert frames >= 9


# --- the air -----------------------------------------------------------------------------------------------------


def test_out_of_reach_ends_the_link_on_both_sides_and_the_memory_goes_on() -> None:
    async def main() -> tuple[int, float, list[str], list[int], list[int]]:
        loop = asyncio.get_running_loop()
        async with tiny_world(WALK) as world:
            central = await streaming(world)
            reason = await central.gone
            lost_s = loop.time()
            before = seqs(central.of("live"))
            back = await connect(central.connection.device, timeout=60.0)
            back_s = loop.time()
            assert 50.0 <= back_s < 50.5
            await back.discover()
            await back.subscribe_all()
            await back.ctrl(START)
            await asyncio.sleep(2.0)
            return reason, lost_s, world.statuses, before, seqs(back.of("live"))

    reason, lost_s, statuses, before, after = run_virtual(main())
    assert reason == hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
    assert lost_s == pytest.approx(24.0, abs=0.1)  # the supervision timeout the sensor asked for: 4 s
    assert "supple-1234 disconnected, reason 0x08" in statuses
    assert before[-1] == pytest.approx(2000, abs=20)
    assert after[0] > 5000


def test_a_short_absence_delays_and_loses_nothing() -> None:
    async def main() -> Central:
        async with tiny_world(TinyAir(latency_spikes=((10.0, 3.0),))) as world:
            central = await streaming(world)
            await asyncio.sleep(20.0)
            assert central.connection.device.connections
            return central

    got = seqs(run_virtual(main()).of("live"))
    assert got == list(range(got[0], got[-1] + 1, 10))


def test_nobody_hears_an_advertisement_out_of_reach() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        async with tiny_world(TinyAir(out_of_range=((1.0, 3.0),))) as world:
            host = await power_on_host(world.host_controller)
            heard: list[float] = []
            host.on("advertisement", lambda _: heard.append(loop.time()))
            await host.start_scanning()
            await asyncio.sleep(4.0)
            return heard

    heard = run_virtual(main())
    assert any(t < 1.0 for t in heard)
    assert any(t > 3.0 for t in heard)
    assert not [t for t in heard if 1.0 <= t < 3.0]


def test_a_lost_share_of_advertisements_is_lost() -> None:
    async def main() -> int:
        async with tiny_world(TinyAir(adv_loss=0.5)) as world:
            host = await power_on_host(world.host_controller)
            heard: list[object] = []
            host.on("advertisement", heard.append)
            await host.start_scanning()
            await asyncio.sleep(105.0)
            return len(heard)

    assert run_virtual(main()) == pytest.approx(500, abs=60)


def test_a_power_cycle_drops_the_link_and_starts_a_new_boot() -> None:
    async def main() -> tuple[bytes, bytes]:
        async with tiny_world() as world:
            central = await streaming(world)
            before = bytes(await central.find(STATE).read_value())
            world.sensor.power_cycle()
            await central.gone
            back = await connect(central.connection.device)
            await back.discover()
            return before[:4], bytes(await back.find(STATE).read_value())[:4]

    before, after = run_virtual(main())
    assert before != after


def test_tampering_reaches_the_client() -> None:
    async def main() -> list[bytes]:
        async with tiny_world() as world:
            central = await streaming(world)
            world.air.tamper = lambda packet: (
                packet,
                packet,
            )  # everything twice, as BlueZ does after a reconnect
            await asyncio.sleep(3.0)
            return central.of("live")

    got = seqs(run_virtual(main()))
    assert len(got) > len(set(got)) * 1.5


def test_a_notification_costs_both_ends_together_less_than_a_millisecond() -> None:
    async def main() -> tuple[int, float]:
        async with tiny_world(TinyAir(interval_s=0.03), TinyPlan(ring_samples=360_000)) as world:
            central = await streaming(world)
            before = time.process_time()
            await asyncio.sleep(300.0)
            return len(central.notified), time.process_time() - before

    notifications, cpu_s = run_virtual(main())
    per_notification_ms = cpu_s / notifications * 1e3
    assert notifications > 3200
    assert per_notification_ms < 1.0, f"{per_notification_ms:.3f} ms"
