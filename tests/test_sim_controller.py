"""Every defect of Bumble's virtual controller that is worked round: still there in Bumble, gone in ours.

A test that fails on its first half after an upgrade of Bumble says that the work-round can go.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import bumble.controller
import pytest
from bumble import core, gatt, hci
from bumble.core import AdvertisingData
from bumble.device import Device, DeviceConfiguration
from bumble.link import LocalLink
from bumble.transport import open_transport
from sim_world import ADDRESS, TinyAir, TinyPlan, connect, power_on_host, tiny_world

from firmware_sim.controller import RepairedController, RepairedLink, ask_parameters, start_each_client_clean
from monitor.sources.virtual_time import run_virtual

VALUE = "12345678-0000-4000-8000-000000000001"
PUBLIC = "02:00:00:00:00:01/P"


@dataclass
class Pair:
    """A client and a peripheral, both straight from Bumble, over the controllers under test."""

    link: LocalLink
    host_controller: bumble.controller.Controller
    host: Device
    peripheral: Device
    value: gatt.Characteristic


@asynccontextmanager
async def pair(repaired: bool) -> AsyncIterator[Pair]:
    if repaired:
        link: LocalLink = RepairedLink()
        near, far = (
            RepairedController(n, link, a) for n, a in (("host", PUBLIC[:-2]), ("far", "02:00:00:00:00:02"))
        )
    else:
        link = LocalLink()
        near = bumble.controller.Controller("host", link=link, public_address=PUBLIC)
        far = bumble.controller.Controller("far", link=link, public_address="02:00:00:00:00:02/P")
    config = DeviceConfiguration(
        name="far",
        address=hci.Address(ADDRESS),
        advertising_interval_min=100,
        advertising_interval_max=100,
        advertising_data=bytes(AdvertisingData([(AdvertisingData.FLAGS, b"\x06")])),
        scan_response_data=bytes(AdvertisingData([(AdvertisingData.COMPLETE_LOCAL_NAME, b"far")])),
    )
    peripheral = Device.from_config_with_hci(config, far, far)
    value = gatt.Characteristic(
        VALUE, gatt.Characteristic.Properties.NOTIFY, gatt.Characteristic.READABLE, b"v"
    )
    peripheral.add_service(gatt.Service("12345678-0000-4000-8000-000000000000", [value]))
    await peripheral.power_on()
    await peripheral.start_advertising(auto_restart=True)
    yield Pair(link, near, await power_on_host(near), peripheral, value)
    await peripheral.power_off()
    for advertiser in (far.le_legacy_advertiser, *far.advertising_sets.values()):
        advertiser.stop()


def both(observe: Callable[[Pair], Any]) -> tuple[Any, Any]:
    """What is seen with Bumble's own controllers, and with ours."""

    async def main(repaired: bool) -> Any:
        async with pair(repaired) as the_pair:
            return await observe(the_pair)

    return run_virtual(main(False)), run_virtual(main(True))


def test_1_a_long_notification_goes_in_one_piece() -> None:
    async def observe(p: Pair) -> int:
        return p.host.host.le_acl_packet_queue.max_packet_size

    assert both(observe) == (27, 251)


def test_2_data_length_and_phy_can_be_set() -> None:
    async def observe(p: Pair) -> tuple[bool, bool, int]:
        connection = await p.host.connect(hci.Address(ADDRESS))
        done = []
        for command in (
            p.host.set_data_length(connection, 251, 2120),
            p.host.set_connection_phy(connection, [hci.Phy.LE_2M], [hci.Phy.LE_2M]),
        ):
            try:
                async with asyncio.timeout(5):
                    await command
                done.append(True)
            except (hci.HCI_Error, TimeoutError):
                done.append(False)
        await asyncio.sleep(0.1)
        return *done, connection.data_length.max_tx_octets

    bumbles, ours = both(observe)
    assert not all(bumbles[:2])
    assert ours == (True, True, 251)


def test_3_a_reset_ends_the_connections_of_a_killed_client() -> None:
    async def observe(p: Pair) -> int:
        await p.host.connect(hci.Address(ADDRESS))
        await asyncio.sleep(0.5)
        await power_on_host(p.host_controller)  # a new client on the same controller begins with HCI Reset
        await asyncio.sleep(0.5)
        return len(p.peripheral.connections)

    assert both(observe) == (1, 0)


def test_4_a_central_on_its_public_address_is_heard() -> None:
    async def observe(p: Pair) -> bool:
        connection = await p.host.connect(hci.Address(ADDRESS), own_address_type=hci.OwnAddressType.PUBLIC)
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await connection.gatt_client.discover_services()
                return True
        return False

    assert both(observe) == (False, True)


def test_5_what_is_only_half_there_is_not_announced() -> None:
    async def observe(p: Pair) -> tuple[bool, bool]:
        features = p.host.host.local_le_features
        return (
            bool(features & hci.LeFeatureMask.LE_EXTENDED_ADVERTISING),
            bool(features & hci.LeFeatureMask.LL_PRIVACY),
        )

    assert both(observe) == ((True, True), (False, False))


def test_6_both_ends_are_told_the_same_connection_parameters() -> None:
    async def observe(p: Pair) -> bool:
        made: list[Any] = []
        p.peripheral.on("connection", made.append)
        connection = await p.host.connect(hci.Address(ADDRESS))
        await asyncio.sleep(0.1)
        return made[0].parameters == connection.parameters

    assert both(observe) == (False, True)


def test_6_the_scan_response_is_the_advertisers_own() -> None:
    async def observe(p: Pair) -> Any:
        heard: list[Any] = []
        p.host.on("advertisement", heard.append)
        await p.host.start_scanning(active=True)
        await asyncio.sleep(1.0)
        return heard[-1].data.get(AdvertisingData.COMPLETE_LOCAL_NAME)

    assert both(observe) == (None, "far")


def test_6_the_legacy_advertising_interval_is_in_its_own_unit() -> None:
    async def observe(p: Pair) -> int:
        far = p.peripheral.host.hci_sink
        for advertising_set in far.advertising_sets.values():
            advertising_set.stop()
        sent: list[Any] = []
        far.send_advertising_pdu = sent.append
        far.le_legacy_advertiser.advertising_interval_min = 160  # 100 ms
        far.le_legacy_advertiser.start()
        await asyncio.sleep(16.0)
        return len(sent)

    assert both(observe) == (pytest.approx(100, abs=1), pytest.approx(160, abs=1))


def test_7_a_cancelled_connection_attempt_makes_room_for_the_next() -> None:
    async def observe(p: Pair) -> bool:
        try:
            async with asyncio.timeout(20):
                with suppress(core.TimeoutError, TimeoutError, core.ConnectionError):
                    await p.host.connect(hci.Address("C0:00:00:00:00:99"), timeout=2.0)
                await p.host.connect(hci.Address(ADDRESS), timeout=5.0)
        except (TimeoutError, hci.HCI_Error, core.BaseBumbleError):
            return False
        return True

    assert both(observe) == (False, True)


def test_8_bumble_lets_everybody_read_what_only_notifies() -> None:
    """Ours refuses: tests/test_sim_gatt.py, `what_a_characteristic_does_not_offer` and `where_encryption_is_on`."""

    async def observe(p: Pair) -> bytes:
        client = (await p.host.connect(hci.Address(ADDRESS))).gatt_client
        await client.discover_services()
        await client.discover_characteristics([], None)
        (found,) = client.get_characteristics_by_uuid(core.UUID(VALUE))
        return bytes(await found.read_value())

    assert both(observe) == (b"v", b"v")


def test_9_controllers_are_served_in_the_order_in_which_they_came() -> None:
    async def main() -> None:
        link = RepairedLink()
        added = [RepairedController(str(k), link, f"02:00:00:00:01:{k:02X}") for k in range(64)]
        assert list(link.controllers) == added
        link.remove_controller(added[7])
        assert list(link.controllers) == added[:7] + added[8:]

    run_virtual(main())
    assert isinstance(LocalLink().controllers, set)


def test_10_no_packet_of_the_stream_is_rendered_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    async def observe(p: Pair) -> int:
        connection = await p.host.connect(hci.Address(ADDRESS))
        client = connection.gatt_client
        await client.discover_services()
        await client.discover_characteristics([], None)
        (found,) = client.get_characteristics_by_uuid(core.UUID(VALUE))
        got: list[bytes] = []
        await found.subscribe(got.append)
        painted: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(bumble.controller, "color", lambda text, _: painted.append(text) or text)
            for _ in range(10):
                await p.peripheral.notify_subscribers(p.value, b"x")
            await asyncio.sleep(0.5)
        assert len(got) == 10
        return len(painted)

    bumbles, ours = both(observe)
    assert bumbles >= 20
    assert ours == 0


def test_11_a_parameter_request_cut_off_by_the_link_does_not_block_the_next() -> None:
    async def main(ask: Callable[[Any], Any]) -> bool:
        async with tiny_world(TinyAir(), TinyPlan()) as world:
            central = await connect(await power_on_host(world.host_controller))
            await asyncio.sleep(1.0)
            world.air.tamper = lambda _: ()
            (near,) = world.sensor.device.connections.values()
            request = asyncio.create_task(ask(near))
            await asyncio.sleep(0.5)
            world.air.drop_links(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
            await central.gone
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)
            return world.sensor.device.l2cap_channel_manager.connection_parameters_update_response is None

    assert not run_virtual(main(lambda c: c.update_parameters(15, 30, 0, 4000, use_l2cap=True)))
    assert run_virtual(main(lambda c: ask_parameters(c, (15, 30), 4000)))


@pytest.mark.parametrize("repaired", [False, True])
def test_12_the_half_packet_of_a_killed_client_does_not_swallow_the_next_clients_first(
    repaired: bool, unused_tcp_port: int
) -> None:
    reset = bytes.fromhex("01030c00")

    async def main() -> list[bytes]:
        transport = await open_transport(f"tcp-server:127.0.0.1:{unused_tcp_port}")
        if repaired:
            start_each_client_clean(transport)
        got: list[bytes] = []

        class Sink:
            on_packet = got.append

        transport.source.set_packet_sink(Sink)
        for content in (reset + b"\x02\x40\x00\xff", reset):
            _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
            writer.write(content)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.05)
        await transport.close()
        transport.server.close()
        await transport.server.wait_closed()
        return got

    assert asyncio.run(main()) == ([reset, reset] if repaired else [reset])
