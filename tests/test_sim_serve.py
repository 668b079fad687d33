"""The simulated world as a whole: in this process, without Bluetooth, and as a process of its own."""

import asyncio
import itertools
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bumble.hci import Address
from bumble.transport import open_transport
from sim_world import Central, connect, power_on_host

from firmware_sim.assemble import SimulatedWorld
from firmware_sim.direct import RECONNECT_S, SUPERVISION_TIMEOUT_S, connections, run_direct
from firmware_sim.gatt import CTRL
from firmware_sim.radio import clear_of, next_event_s
from firmware_sim.scenario import load
from firmware_sim.witmotion import NOTIFY, UNLOCK, WRITE
from firmware_sim.worn import put_on
from monitor.sources.virtual_time import run_virtual

START = struct.pack("<BIH", 2, 1, 0)


def samples(frames: list[bytes]) -> dict[int, bytes]:
    """seq -> sample of LIVE frames."""
    out = {}
    for frame in frames:
        n, seq = frame[3], struct.unpack_from("<I", frame, 6)[0]
        out.update({seq + k: frame[16 + 12 * k : 28 + 12 * k] for k in range(n)})
    return out


async def stream(world: SimulatedWorld, seconds: float) -> list[Central]:
    host = await power_on_host(world.host_controller)
    centrals = []
    for address in world.addresses:
        central = await connect(host, address)
        await central.discover()
        await central.subscribe_all()
        await central.ctrl(START)
        centrals.append(central)
    await asyncio.sleep(seconds)
    return centrals


# --- the radio's arithmetic --------------------------------------------------------------------------------------


def test_connection_events_are_on_their_grid_and_outside_the_windows() -> None:
    assert next_event_s(0.101, 0.0, 0.03) == pytest.approx(0.12)
    assert next_event_s(0.12, 0.0, 0.03) == pytest.approx(0.15)
    assert next_event_s(0.1205, 0.0, 0.03, open_s=0.002) == 0.1205
    assert next_event_s(0.101, 0.0, 0.03, ((0.11, 0.2),)) == pytest.approx(0.21)


def test_a_moment_in_a_window_is_moved_to_its_end() -> None:
    assert [clear_of(((1.0, 2.0), (2.0, 3.0)), t) for t in (0.5, 1.0, 2.9, 3.0)] == [0.5, 3.0, 3.0, 3.0]


def test_only_a_long_absence_ends_a_connection() -> None:
    windows = ((10.0, 12.0), (20.0, 50.0))
    lost_s, back_s = 20.0 + SUPERVISION_TIMEOUT_S, 50.0 + RECONNECT_S
    assert list(connections(windows, 100.0)) == [(0.0, lost_s), (back_s, 100.0)]
    assert list(connections(windows, 15.0)) == [(0.0, 15.0)]
    assert list(connections(((0.0, 60.0),), 100.0)) == [(60.0, 100.0)]


# --- a world in this process -------------------------------------------------------------------------------------


def test_a_world_streams_and_knows_its_true_mounts() -> None:
    async def main() -> tuple[Central, dict, tuple[str, ...]]:
        world = SimulatedWorld("desk", 3)
        await world.start()
        (central,) = await stream(world, 10.0)
        await world.stop()
        return central, world.mounts, world.addresses

    central, mounts, addresses = run_virtual(main())
    assert len(central.of("live")) == pytest.approx(100, abs=2)
    (mount,) = (mounts[address] for address in addresses)
    assert np.linalg.norm(mount) == pytest.approx(1.0)


def test_two_sensors_stream_beside_each_other_under_their_own_names() -> None:
    async def main() -> list[Central]:
        world = SimulatedWorld("desk", 3, placements=("lower_back", "upper_back"))
        await world.start()
        centrals = await stream(world, 5.0)
        await world.stop()
        return centrals

    low, high = run_virtual(main())
    assert len(low.of("live")) >= 50
    assert len(high.of("live")) >= 49
    both = samples(low.of("live")), samples(high.of("live"))
    shared = set(both[0]) & set(both[1])
    assert len(shared) > 300
    assert not [seq for seq in shared if both[0][seq] == both[1][seq]]


def test_the_same_world_twice_is_the_same_to_the_byte() -> None:
    async def main() -> list[tuple[str, bytes]]:
        world = SimulatedWorld("bad_link", 11)
        await world.start()
        (central,) = await stream(world, 20.0)
        await world.stop()
        return central.notified

    assert run_virtual(main()) == run_virtual(main())


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ValueError, match="spine1, witmotion"):
        SimulatedWorld("desk", 1, device="toaster")


def test_a_world_has_no_controller_before_its_start() -> None:
    with pytest.raises(RuntimeError):
        _ = SimulatedWorld("desk", 1).host_controller


def test_a_witmotion_is_found_by_name_set_to_50_hz_and_heard() -> None:
    async def main() -> tuple[Central, str | None]:
        world = SimulatedWorld("desk", 3, device="witmotion")
        await world.start()
        host = await power_on_host(world.host_controller)
        name = world.peripherals[0].name
        central = await connect(host, world.addresses[0])
        await central.discover()
        for command in (UNLOCK, bytes.fromhex("FFAA030800")):
            await central.find(WRITE).write_value(command, with_response=False)
        await central.subscribe("live", NOTIFY)
        await asyncio.sleep(10.0)
        await central.find(WRITE).write_value(bytes.fromhex("FFAA276400"), with_response=True)
        await asyncio.sleep(0.2)
        await world.stop()
        return central, name

    central, name = run_virtual(main())
    assert "WT" in name
    frames = [p for p in central.of("live") if p[:2] == b"\x55\x61"]
    assert len(frames) == pytest.approx(510, abs=5)
    acc_g = np.array([struct.unpack_from("<3h", f, 2) for f in frames]) / 32768 * 16
    assert np.median(np.linalg.norm(acc_g, axis=1)) == pytest.approx(1.0, abs=0.1)
    assert [p[:4].hex() for p in central.of("live") if p[:2] == b"\x55\x71"] == ["55716400"]


# --- without Bluetooth -------------------------------------------------------------------------------------------


def test_direct_gives_the_samples_that_come_over_the_air() -> None:
    async def main() -> list[bytes]:
        world = SimulatedWorld("desk", 3)
        await world.start()
        (central,) = await stream(world, 10.0)
        await world.stop()
        return central.of("live")

    over_the_air = samples(run_virtual(main()))
    direct = samples([payload for _, channel, payload in run_direct("desk", 3, 15.0) if channel == "live"])
    assert len(over_the_air) > 900
    assert over_the_air.items() <= direct.items()


def test_direct_begins_with_info_state_and_start_and_keeps_host_time_in_order() -> None:
    received = list(run_direct("desk", 3, 10.0))
    assert [channel for _, channel, _ in received[:5]] == ["info", "state", "ctrl_tx", "ctrl", "state"]
    times = [t_s for t_s, _, _ in received]
    assert all(a <= b for a, b in itertools.pairwise(times))
    assert sum(channel == "state" for _, channel, _ in received) == 11
    assert times[-1] <= 10.0


def test_direct_loses_the_link_out_of_reach_and_starts_again_after_it() -> None:
    scenario = load("desk")
    away = replace(
        scenario, link=replace(scenario.link, out_of_range=((20.0, 50.0),), latency_spikes=(), loss=0.0)
    )
    received = list(run_direct(away, 3, 80.0))
    assert [t_s for t_s, channel, _ in received if channel == "info"] == [0.0, 50.0 + RECONNECT_S]
    assert not [t_s for t_s, _, _ in received if 20.0 <= t_s < 50.0]
    got = samples([payload for _, channel, payload in received if channel == "live"])
    missing = sorted(set(range(min(got), max(got))) - set(got))
    assert missing[0] == pytest.approx(2000, abs=15)
    assert missing[-1] == pytest.approx(5100, abs=5)


def test_direct_is_the_same_for_the_same_seed() -> None:
    assert list(run_direct("bad_link", 4, 60.0)) == list(run_direct("bad_link", 4, 60.0))
    assert list(run_direct("bad_link", 4, 60.0)) != list(run_direct("bad_link", 5, 60.0))


def test_direct_witmotion_is_set_to_50_hz_and_asked_for_its_battery() -> None:
    received = list(run_direct("desk", 3, 130.0, device="witmotion"))
    assert next(payload for _, channel, payload in received[:2] if channel == "config_tx") == UNLOCK
    replies = [
        payload for _, channel, payload in received if channel == "live" and payload[:2] == b"\x55\x71"
    ]
    assert [r[:4].hex() for r in replies] == ["55716400"] * 2
    assert sum(len(p) // 20 for _, c, p in received if c == "live") == pytest.approx(130 * 50, abs=15)


def test_the_whole_wearer_follows_from_the_seed() -> None:
    _, (first,) = put_on("desk", 3)
    _, (again,) = put_on("desk", 3)
    _, (other,) = put_on("desk", 4)
    assert first.imu.mount == again.imu.mount != other.imu.mount
    assert first.address == again.address == other.address


# --- a process of its own ----------------------------------------------------------------------------------------

_SERVER = """
import asyncio, sys
from firmware_sim.serve import serve
asyncio.run(serve("desk", 1, sys.argv[1], on_status=lambda text: print(text, flush=True)))
"""
_CLIENT = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from bumble.transport import open_transport
from sim_world import connect, power_on_host
from test_sim_serve import START
async def main():
    transport = await open_transport(sys.argv[1])
    host = await power_on_host(transport.source, transport.sink)
    central = await connect(host, sys.argv[3])
    await central.discover()
    await central.subscribe_all()
    await central.ctrl(START)
    while len(central.of("live")) < 3:
        await asyncio.sleep(0.05)
    print("streaming", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.slow
def test_after_kill_9_of_a_client_the_next_one_streams(unused_tcp_port: int) -> None:
    here = str(Path(__file__).parent)
    (address,) = (worn.address for worn in put_on("desk", 1)[1])

    def client() -> subprocess.Popen[str]:
        arguments = [f"tcp-client:127.0.0.1:{unused_tcp_port}", here, address]
        return subprocess.Popen(
            [sys.executable, "-c", _CLIENT, *arguments], stdout=subprocess.PIPE, text=True
        )

    server_arguments = [sys.executable, "-c", _SERVER, f"tcp-server:127.0.0.1:{unused_tcp_port}"]
    with subprocess.Popen(server_arguments, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout.readline().startswith("listening on tcp-server")
            for _ in range(2):
                with client() as one:
                    assert one.stdout.readline() == "streaming\n"
                    one.kill()
        finally:
            server.kill()
        said = server.stdout.read()
    assert said.count("connected to") == 2
    assert "disconnected, reason 0x08" in said
    assert said.count("streams at 100 Hz") == 2


async def test_serving_ends_cleanly_when_cancelled(tmp_path: Path) -> None:
    from firmware_sim.serve import serve

    heard: list[str] = []
    hci = f"unix-server:{tmp_path}/hci"
    serving = asyncio.create_task(serve("desk", 1, hci, on_status=heard.append))
    while not heard:
        await asyncio.sleep(0.01)
    transport = await open_transport(f"unix-client:{tmp_path}/hci")
    host = await power_on_host(transport.source, transport.sink)
    connection = await host.connect(Address(put_on("desk", 1)[1][0].address), timeout=5.0)
    await connection.gatt_client.discover_service(CTRL.replace("0006", "0001"))
    await transport.close()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert heard[0] == f"listening on {hci}"
