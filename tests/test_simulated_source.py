"""The simulated sensor as a source: over the virtual radio, without it, paced, and refused with a next step."""

import asyncio
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitor.core.errors import RadioError, SettingsError
from monitor.core.inputs import Input, Mark, Packet, Tick
from monitor.core.protocols import Driver, Source
from monitor.devices import spine1, witmotion
from monitor.sources.pace import Paced
from monitor.sources.simulated import DirectSource, SimulatedSource, direct_source, scenario_names, serve
from monitor.sources.virtual_time import run_virtual

WALL_S = 1_700_000_000.0


def over_the_air(
    scenario: str = "desk", driver: Driver = spine1.DRIVER, seed: int = 1, s: float = 20.0
) -> SimulatedSource:
    return SimulatedSource(scenario, seed, driver, duration_s=s, start_wall_s=WALL_S, utc_offset_s=0)


def without_air(scenario: str = "desk", driver: Driver = spine1.DRIVER, s: float = 20.0) -> DirectSource:
    return direct_source(scenario, 1, driver, duration_s=s, start_wall_s=WALL_S, utc_offset_s=0)


async def all_of(source: Source) -> list[list[Input]]:
    return [inputs async for inputs in source]


def inputs_of(source: Source) -> list[Input]:
    return [item for inputs in run_virtual(all_of(source)) for item in inputs]


def packets(inputs: list[Input], channel: str) -> list[Packet]:
    return [item for item in inputs if isinstance(item, Packet) and item.channel == channel]


def rows(inputs: list[Input], driver: Driver) -> list[tuple[int, int, int]]:
    identities = [driver.row_identity("live", packet.payload) for packet in packets(inputs, "live")]
    return [identity for identity in identities if identity is not None]


def test_there_are_scenarios_to_choose_from() -> None:
    assert {"desk", "slouch", "walk"} <= set(scenario_names())


def test_the_same_seed_gives_the_same_session_to_the_byte_and_another_one_another() -> None:
    first, again, other = (inputs_of(over_the_air(seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert packets(first, "live") != packets(other, "live")


def test_every_sample_of_the_sensor_arrives_once_and_in_order() -> None:
    seqs = [seq for _, _, seq in rows(inputs_of(over_the_air()), spine1.DRIVER)]
    assert {b - a for a, b in pairwise(seqs)} == {10}


def test_opening_marks_come_first_and_the_identity_before_the_first_word_of_the_sensor() -> None:
    source = over_the_air(s=3.0)
    sensor = source.sensors[0]
    opening = [Mark(0.0, "mount", {"sensor": sensor.key, "quat": list(sensor.mount)})]
    source.begin_with(opening)
    inputs = inputs_of(source)
    assert inputs[:1] == opening
    kinds = [
        item.kind if isinstance(item, Mark) else item.channel for item in inputs if not isinstance(item, Tick)
    ]
    assert kinds[:3] == ["mount", "identity", "info"]


def test_stop_is_written_at_the_end() -> None:
    written = packets(inputs_of(over_the_air(s=3.0)), "ctrl_tx")
    assert [packet.payload[0] for packet in written] == [0x02, 0x03]


@pytest.mark.parametrize("built", [over_the_air, without_air])
def test_every_ten_seconds_an_anchor_pairs_the_sensors_ticks_with_host_time(built: Any) -> None:
    inputs = inputs_of(built(s=35.0))
    asked = [p for p in packets(inputs, "ctrl_tx") if p.payload[0] == 0x07]
    answers = [p for p in packets(inputs, "ctrl") if p.payload[0] == 0x87]
    assert len(asked) == len(answers) == 3
    ticks = [struct.unpack_from("<II", p.payload, 6) for p in answers]
    for ask, answer, (rx, tx) in zip(asked, answers, ticks, strict=True):
        assert ask.payload[1:5] == answer.payload[2:6]
        assert 0 <= (tx - rx) / 32768 <= answer.t_host_s - ask.t_host_s < 0.2
    ticked_s = (ticks[2][0] - ticks[0][0]) % 2**32 / 32768
    assert ticked_s == pytest.approx(asked[2].t_host_s - asked[0].t_host_s, abs=0.05)


def test_a_second_sensor_streams_under_its_own_key() -> None:
    source = SimulatedSource(
        "desk",
        1,
        spine1.DRIVER,
        duration_s=5.0,
        placements=("lower_back", "upper_back"),
        start_wall_s=WALL_S,
        utc_offset_s=0,
    )
    assert [sensor.placement for sensor in source.sensors] == ["lower_back", "upper_back"]
    live = packets(inputs_of(source), "live")
    assert {packet.sensor for packet in live} == {"sim", "sim2"}


def test_a_sensor_of_another_make_streams_too() -> None:
    inputs = inputs_of(over_the_air(driver=witmotion.DRIVER, s=5.0))
    assert len(packets(inputs, "live")) > 100


def test_the_direct_source_gives_the_bytes_that_came_over_the_air() -> None:
    air = {p.payload[6:10]: p.payload[16:-4] for p in packets(inputs_of(over_the_air()), "live")}
    direct = {p.payload[6:10]: p.payload[16:-4] for p in packets(inputs_of(without_air()), "live")}
    shared = air.keys() & direct.keys()
    assert len(shared) > 190
    assert all(air[seq] == direct[seq] for seq in shared)


def test_the_direct_source_ticks_every_second_and_says_when_the_link_is_up() -> None:
    inputs = inputs_of(without_air("bad_link", s=600.0))
    ticks = [item for item in inputs if isinstance(item, Tick)]
    assert [tick.t_host_s for tick in ticks] == [float(second) for second in range(601)]
    assert {tick.connected for tick in ticks} == {(), ("sim",)}
    times = [item.t_host_s for item in inputs]
    assert times == sorted(times)


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_pacing_gives_each_input_at_its_time(speed: float) -> None:
    late: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        paced = Paced(without_air(), speed)
        async for inputs in paced:
            late.extend(loop.time() * speed - item.t_host_s for item in inputs)

    run_virtual(main())
    assert len(late) > 200
    assert max(late) < 1e-6
    assert min(late) >= -0.021 * speed


def test_a_paced_source_has_a_clock_that_runs_between_inputs_and_can_be_closed_while_it_waits() -> None:
    async def main() -> tuple[float, int]:
        paced = Paced(without_air(s=600.0), 2.0)
        reading = asyncio.create_task(all_of(paced))
        await asyncio.sleep(30.0)
        now_s = paced.now_s()
        await paced.aclose()
        return now_s, len(await reading)

    now_s, lists = run_virtual(main())
    assert now_s == pytest.approx(60.0, abs=0.1)
    assert lists > 500


def test_pacing_loses_nothing() -> None:
    assert inputs_of(Paced(without_air(), 100.0)) == inputs_of(without_air())


def test_closing_the_simulated_source_early_stops_the_sensor_and_the_world() -> None:
    async def main() -> list[Input]:
        source = over_the_air(s=3600.0)
        got: list[Input] = []
        async for inputs in source:
            got += inputs
            if source.now_s() > 5:
                await source.aclose()
        assert [
            t for t in asyncio.all_tasks() if "monitor" in str(t) and t is not asyncio.current_task()
        ] == []
        return got

    inputs = run_virtual(main())
    assert packets(inputs, "ctrl_tx")[-1].payload[0] == 0x03


def test_an_unknown_scenario_names_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="desk"):
        over_the_air("disco")


async def test_serving_at_an_address_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(RadioError) as caught:
        await serve("desk", 1, f"unix-server:{tmp_path}/no/such/folder")
    assert caught.value.datum == "no_simulator"
    with pytest.raises(SettingsError):
        await serve("disco", 1, f"unix-server:{tmp_path}/hci")
