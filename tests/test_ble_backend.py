"""The virtual radio: bleak's own client and scanner over Bumble behave as bleak promises, errors included."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import ble_peripheral as toy
import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att
from bumble.transport import open_transport

from firmware_sim.assemble import SimulatedWorld
from firmware_sim.controller import RepairedController
from monitor.core.errors import RadioError, SettingsError
from monitor.pipeline import drivers
from monitor.sources.ble.radio import Radio, open_radio
from monitor.sources.ble.scan import Found, printable, scan
from monitor.sources.ble.virtual_scanner import MAX_SEEN, parse
from monitor.sources.virtual_time import run_virtual


@asynccontextmanager
async def world() -> AsyncIterator[tuple[Radio, toy.Peripheral]]:
    air = toy.Air()
    peripheral = toy.Peripheral(air)
    await peripheral.on()
    async with open_radio(toy.host_controller(air)) as radio:
        yield radio, peripheral
    await peripheral.off()


async def found(radio: Radio) -> BLEDevice:
    device = await BleakScanner.find_device_by_filter(
        lambda _, seen: toy.SERVICE in seen.service_uuids, timeout=5, **radio.scanner_kwargs
    )
    assert device is not None
    return device


def virtually(test: Callable[[Radio, toy.Peripheral], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with world() as (radio, peripheral):
            await test(radio, peripheral)

    run_virtual(main())


def test_a_scan_gives_the_name_of_the_scan_response_and_the_service() -> None:
    async def go(radio: Radio, _: toy.Peripheral) -> None:
        seen = await BleakScanner.discover(1.0, return_adv=True, **radio.scanner_kwargs)
        device, advertised = seen[toy.ADDRESS]
        assert (device.name, advertised.local_name) == ("Toy", "Toy")
        assert advertised.service_uuids == [toy.SERVICE]

    virtually(go)


def test_a_filter_for_another_service_sees_nobody() -> None:
    async def go(radio: Radio, _: toy.Peripheral) -> None:
        assert await BleakScanner.discover(1.0, service_uuids=["180d"], **radio.scanner_kwargs) == []

    virtually(go)


def test_reads_go_by_handle_where_two_services_share_a_uuid() -> None:
    async def go(radio: Radio, _: toy.Peripheral) -> None:
        async with BleakClient(await found(radio), **radio.client_kwargs) as client:
            twins = [c for c in client.services.characteristics.values() if c.uuid == toy.INFO]
            values = {c.service_uuid: bytes(await client.read_gatt_char(c)) for c in twins}
            assert values[toy.SERVICE] == b"uid-1"
            assert sorted(values.values()) == [b"another service's value", b"uid-1"]

    virtually(go)


def test_the_mtu_is_exchanged_to_247() -> None:
    async def go(radio: Radio, _: toy.Peripheral) -> None:
        async with BleakClient(await found(radio), **radio.client_kwargs) as client:
            assert client.mtu_size == 247
            data = client.services.get_characteristic(toy.DATA)
            assert data is not None
            assert data.max_write_without_response_size == 244

    virtually(go)


def test_indications_and_notifications_arrive_until_they_are_stopped() -> None:
    async def go(radio: Radio, peripheral: toy.Peripheral) -> None:
        values: list[bytes] = []
        answers: list[bytes] = []
        async with BleakClient(await found(radio), **radio.client_kwargs) as client:
            await client.start_notify(toy.CTRL, lambda _, value: answers.append(bytes(value)))
            await client.start_notify(toy.DATA, lambda _, value: values.append(bytes(value)))
            await client.write_gatt_char(toy.CTRL, toy.START, response=True)
            await asyncio.sleep(1.05)
            assert answers == [b"ok start"]
            assert values == [n.to_bytes(4, "little") for n in range(10)]
            await client.stop_notify(toy.DATA)
            await asyncio.sleep(1)
            assert len(values) == 10
            assert peripheral.sent > 10

    virtually(go)


def test_an_att_error_becomes_bleaks_protocol_error_with_its_code() -> None:
    async def go(radio: Radio, peripheral: toy.Peripheral) -> None:
        peripheral.refuse = att.ATT_INSUFFICIENT_ENCRYPTION_ERROR
        async with BleakClient(await found(radio), **radio.client_kwargs) as client:
            home = client.services.get_service(toy.SERVICE)
            assert home is not None
            info = home.get_characteristic(toy.INFO)
            assert info is not None
            with pytest.raises(BleakGATTProtocolError) as caught:
                await client.read_gatt_char(info)
            assert caught.value.code == 0x0F
            assert client.is_connected

    virtually(go)


def test_a_lost_link_ends_what_waits_on_it_and_calls_back_once() -> None:
    async def go(radio: Radio, peripheral: toy.Peripheral) -> None:
        calls: list[object] = []
        peripheral.deaf = True
        client = BleakClient(await found(radio), calls.append, **radio.client_kwargs)
        await client.connect()
        write = asyncio.create_task(client.write_gatt_char(toy.CTRL, toy.PING, response=True))
        await asyncio.sleep(0.5)
        peripheral.lose()
        with pytest.raises(BleakError, match="disconnected"):
            await write
        assert calls == [client]
        assert not client.is_connected
        with pytest.raises(BleakError):
            await client.read_gatt_char(toy.DATA)
        await client.disconnect()
        assert calls == [client]

    virtually(go)


def test_a_connection_to_somebody_who_left_times_out_and_the_next_one_works() -> None:
    async def go(radio: Radio, peripheral: toy.Peripheral) -> None:
        device = await found(radio)
        await peripheral.off()
        client = BleakClient(device, timeout=3, **radio.client_kwargs)
        with pytest.raises(TimeoutError):
            await client.connect()
        await peripheral.on()
        async with BleakClient(device, **radio.client_kwargs) as again:
            assert again.is_connected

    virtually(go)


def test_a_cancelled_connection_leaves_none_behind() -> None:
    async def go(radio: Radio, peripheral: toy.Peripheral) -> None:
        device = await found(radio)
        await peripheral.off()
        attempt = asyncio.create_task(BleakClient(device, **radio.client_kwargs).connect())
        await asyncio.sleep(1)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await peripheral.on()
        await asyncio.sleep(2)
        assert peripheral.connections == []

    virtually(go)


def test_a_scan_cancelled_at_any_moment_of_its_start_is_quiet_and_the_next_one_works() -> None:
    async def main() -> list[str]:
        loop, complaints = asyncio.get_running_loop(), []
        loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
        for turns in range(1, 120):
            async with world() as (radio, _):
                cut_off = asyncio.create_task(scan(radio, [toy.driver()], 1.0))
                for _turn in range(turns):
                    await asyncio.sleep(0)
                cut_off.cancel()
                await asyncio.wait({cut_off})
                if turns % 20 == 0:
                    assert len(await scan(radio, [toy.driver()], 1.0)) == 1
        return complaints

    assert run_virtual(main()) == []


def test_connecting_twice_and_subscribing_twice_are_refused() -> None:
    async def go(radio: Radio, _: toy.Peripheral) -> None:
        async with BleakClient(await found(radio), **radio.client_kwargs) as client:
            with pytest.raises(BleakError, match="already connected"):
                await client.connect()
            await client.start_notify(toy.DATA, lambda *_: None)
            with pytest.raises(BleakError, match="already started"):
                await client.start_notify(toy.DATA, lambda *_: None)

    virtually(go)


def test_pairing_works_and_is_forgotten_on_request() -> None:
    async def go(radio: Radio, _: toy.Peripheral) -> None:
        adapter = await radio.client_kwargs["radio"].device()
        client = BleakClient(await found(radio), **radio.client_kwargs)
        await client.connect()
        await client.pair()
        assert await adapter.keystore.get_all() != []
        await client.unpair()
        assert await adapter.keystore.get_all() == []
        assert not client.is_connected

    virtually(go)


def test_the_scan_names_the_kind_of_each_device_or_says_why_it_cannot_be_used() -> None:
    async def go(radio: Radio, _: toy.Peripheral) -> None:
        (usable,) = await scan(radio, [toy.driver()], 1.0)
        (unusable,) = await scan(radio, [], 1.0)
        assert (usable.kind, usable.driver, usable.why) == ("Toy sensor", "toy", "")
        assert unusable.kind is None
        assert "no driver" in unusable.why

    virtually(go)


@pytest.mark.parametrize(("device", "battery"), [("spine1", True), ("witmotion", False)])
def test_the_scan_lists_name_kind_signal_and_where_it_is_advertised_battery(
    device: str, battery: bool
) -> None:
    async def main() -> Found:
        sim = SimulatedWorld("desk", 1, device=device)
        await sim.start()
        async with open_radio(sim.host_controller) as radio:
            (one,) = await scan(radio, list(drivers().values()), 1.0)
        await sim.stop()
        return one

    seen = run_virtual(main())
    assert seen.driver == device
    assert seen.kind == drivers()[device].title
    assert seen.name != "(no name)"
    assert -100 < seen.rssi_dbm < -20
    assert (seen.battery_percent is not None and 0 < seen.battery_percent <= 100) == battery


def test_a_flood_of_advertisers_stays_bounded() -> None:
    async def go(radio: Radio, peripheral: toy.Peripheral) -> None:
        flood = asyncio.create_task(advertise_as_many(peripheral))
        seen = await scan(radio, [toy.driver()], 2.0)
        flood.cancel()
        assert len(seen) == MAX_SEEN

    async def advertise_as_many(peripheral: toy.Peripheral) -> None:
        for n in range(1000):
            peripheral.controller.random_address = type(peripheral.controller.random_address)(
                f"C0:00:00:00:{n // 256:02X}:{n % 256:02X}"
            )
            peripheral.controller.le_legacy_advertiser.send_advertising_data()
            await asyncio.sleep(0.001)

    virtually(go)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("line\nbreak", "line\\nbreak"),
        ("Zoë's sensor", "Zoë's sensor"),
        ("x" * 10_000, "x" * 64 + "..."),
        (None, ""),
    ],
)
def test_names_from_the_air_are_safe_to_print(raw: str | None, shown: str) -> None:
    assert printable(raw) == shown


def test_malformed_advertising_fields_are_left_out() -> None:
    structures = [
        (0x07, b"\x00" * 15),
        (0x02, b"\x0d\x18\x01"),
        (0xFF, b"\x01"),
        (0x0A, b""),
        (0x16, b"\x0f"),
    ]
    advertised = parse(structures, -60, None)
    assert advertised.service_uuids == ["0000180d-0000-1000-8000-00805f9b34fb"]
    assert (advertised.manufacturer_data, advertised.service_data, advertised.tx_power) == ({}, {}, None)


async def test_two_processes_worth_of_radio_meet_over_a_socket(tmp_path: Any) -> None:
    air = toy.Air()
    peripheral = toy.Peripheral(air)
    await peripheral.on()
    server = await open_transport(f"unix-server:{tmp_path}/hci")
    served = RepairedController("served", air, "AA:AA:AA:AA:AA:AA", server.source, server.sink)
    async with (
        open_radio(f"unix-client:{tmp_path}/hci") as radio,
        BleakClient(await found(radio), **radio.client_kwargs) as client,
    ):
        assert client.mtu_size == 247
    assert served.le_connections == {}
    await close(server)
    await peripheral.off()


@pytest.mark.parametrize(
    "spec",
    [
        "tcp-client:192.0.2.1:9600",
        "tcp-client:9600",
        "tcp-client:127.0.0.1:65536",
        "serial:/dev/ttyS0",
        "nonsense",
    ],
)
async def test_a_radio_elsewhere_or_of_another_kind_is_refused(spec: str) -> None:
    with pytest.raises(SettingsError, match="not a virtual radio"):
        async with open_radio(spec):
            pass


async def test_where_no_simulator_listens_the_error_says_how_to_start_one(tmp_path: Any) -> None:
    with pytest.raises(RadioError) as caught:
        async with open_radio(f"unix-client:{tmp_path}/nobody"):
            pass
    assert caught.value.datum == "no_simulator"
    assert "supple sim" in caught.value.next_step


async def test_a_radio_whose_socket_died_says_that_no_simulator_answers(tmp_path: Any) -> None:
    air = toy.Air()
    server = await open_transport(f"unix-server:{tmp_path}/hci")
    RepairedController("served", air, "AA:AA:AA:AA:AA:AA", server.source, server.sink)
    async with open_radio(f"unix-client:{tmp_path}/hci") as radio:
        assert await BleakScanner.discover(0.05, **radio.scanner_kwargs) == []
        await close(server)
        (tmp_path / "hci").unlink()
        with pytest.raises(RadioError) as caught:
            await BleakScanner.discover(0.05, **radio.scanner_kwargs)
    assert caught.value.datum == "no_simulator"


async def close(server: Any) -> None:
    """Bumble's own close leaves the listening socket open."""
    server.server.close()
    if server.sink.transport is not None:
        server.sink.transport.close()
    await server.close()
    await asyncio.sleep(0.05)
