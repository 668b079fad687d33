"""The client keeps a sensor streaming through whatever links do, and leaves nothing behind when it stops."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import ble_peripheral as toy
import pytest
from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError
from bumble import att

from firmware_sim.controller import RepairedController
from monitor.core.inputs import Input, Mark, Packet, Tick
from monitor.core.protocols import Driver, Read, Write
from monitor.sources.ble.client import LinkState, SensorClient, Target
from monitor.sources.ble.radio import Radio, open_radio
from monitor.sources.ble.source import BleSource
from monitor.sources.ble.virtual_client import VirtualClient
from monitor.sources.ble.watch import Watch
from monitor.sources.virtual_time import run_virtual


@dataclass
class Stage:
    """One air with a peripheral and a radio; `inputs` and `said` are what came out."""

    air: toy.Air
    peripheral: toy.Peripheral
    radio: Radio
    host: RepairedController
    inputs: list[Input] = field(default_factory=list)
    said: list[tuple[float, str]] = field(default_factory=list)

    def source(self, *targets: Target, duration_s: float | None = None) -> BleSource:
        return BleSource(
            self.radio,
            targets or (Target("a", toy.driver()),),
            start_wall_s=1e9,
            utc_offset_s=3600,
            duration_s=duration_s,
            say=lambda _key, text: self.said.append((asyncio.get_running_loop().time(), text)),
        )

    async def collect(self, source: BleSource) -> None:
        async for inputs in source:
            self.inputs += inputs

    def packets(self, channel: str) -> list[Packet]:
        return [i for i in self.inputs if isinstance(i, Packet) and i.channel == channel]

    def numbers(self) -> list[int]:
        return [int.from_bytes(p.payload, "little") for p in self.packets("live")]

    def texts(self) -> list[str]:
        return [text for _, text in self.said]


def on_stage(play: Callable[[Stage], Coroutine[Any, Any, None]]) -> Stage:
    """Run `play` under virtual time; afterwards only Bumble's own tasks may be left."""

    async def main() -> Stage:
        air = toy.Air()
        peripheral = toy.Peripheral(air)
        await peripheral.on()
        host = toy.host_controller(air)
        async with open_radio(host) as radio:
            stage = Stage(air, peripheral, radio, host)
            await play(stage)
            ours = [t for t in asyncio.all_tasks() if "monitor" in str(t) and t is not asyncio.current_task()]
            assert ours == []
        await peripheral.off()
        return stage

    return run_virtual(main())


def test_packets_come_in_order_with_marks_ticks_and_what_was_written() -> None:
    async def play(stage: Stage) -> None:
        await stage.collect(stage.source(duration_s=5.0))

    stage = on_stage(play)
    assert stage.numbers() == list(range(len(stage.numbers())))
    assert len(stage.numbers()) >= 45
    kinds = [i.channel if isinstance(i, Packet) else type(i).__name__ for i in stage.inputs]
    assert [k for k in kinds if k != "live"] == [
        "Tick",
        "Mark",
        "info",
        "ctrl_tx",
        "ctrl",
        *["Tick"] * 5,
        "ctrl_tx",
        "ctrl",
    ]
    times = [i.t_host_s for i in stage.inputs if not isinstance(i, Mark)]
    assert times == sorted(times)


def test_a_tick_a_second_carries_wall_clock_zone_and_who_is_connected() -> None:
    async def play(stage: Stage) -> None:
        await stage.collect(stage.source(duration_s=3.0))

    ticks = [i for i in on_stage(play).inputs if isinstance(i, Tick)]
    assert [t.t_host_s for t in ticks] == pytest.approx([0, 1, 2, 3])
    assert [t.wall_s - 1e9 for t in ticks] == pytest.approx([0, 1, 2, 3])
    assert {t.utc_offset_s for t in ticks} == {3600}
    assert [t.connected for t in ticks] == [(), ("a",), ("a",), ("a",)]


def test_stopping_writes_stop_and_disconnects() -> None:
    async def play(stage: Stage) -> None:
        await stage.collect(stage.source(duration_s=2.0))
        assert stage.host.le_connections == {}

    stage = on_stage(play)
    assert stage.peripheral.written == [toy.START, toy.STOP]
    assert stage.packets("ctrl_tx")[-1].payload == toy.STOP


def test_a_lost_link_is_connected_again_within_a_second() -> None:
    async def play(stage: Stage) -> None:
        asyncio.get_running_loop().call_later(3.05, stage.peripheral.lose)
        await stage.collect(stage.source(duration_s=6.0))

    stage = on_stage(play)
    assert stage.peripheral.written == [toy.START, toy.START, toy.STOP]
    assert any("connection was lost" in text for text in stage.texts())
    live = [p.t_host_s for p in stage.packets("live")]
    assert max(b - a for a, b in pairwise(live)) < 1.0


def test_a_link_without_data_is_stale_at_2_s_and_connected_anew_at_10_s() -> None:
    async def play(stage: Stage) -> None:
        stage.peripheral.silent = True
        await stage.collect(stage.source(duration_s=15.0))

    stage = on_stage(play)
    at = {text.split(":")[0].split(",")[0]: t for t, text in reversed(stage.said)}
    assert at["stale"] - at["streaming"] == pytest.approx(2.0, abs=0.3)
    assert at["waiting"] - at["streaming"] == pytest.approx(10.0, abs=0.3)
    assert stage.peripheral.written == [toy.START, toy.STOP, toy.START, toy.STOP]


def test_stale_ends_when_data_come_back() -> None:
    async def play(stage: Stage) -> None:
        def silence(value: bool) -> None:
            stage.peripheral.silent = value

        asyncio.get_running_loop().call_later(2, silence, True)
        asyncio.get_running_loop().call_later(7, silence, False)
        await stage.collect(stage.source(duration_s=10.0))

    assert on_stage(play).texts()[-4:] == ["streaming", "stale", "streaming", "stopped"]


def test_a_sensor_that_walks_away_is_streaming_again_soon_after_it_is_back() -> None:
    async def walk(stage: Stage) -> None:
        await asyncio.sleep(5)
        stage.peripheral.vanish()
        await asyncio.sleep(600)
        stage.peripheral.come_back()

    async def play(stage: Stage) -> None:
        walking = asyncio.create_task(walk(stage))
        await stage.collect(stage.source(duration_s=615.0))
        await walking

    stage = on_stage(play)
    back = [p.t_host_s for p in stage.packets("live") if p.t_host_s > 600]
    assert back[0] < 605.0 + 5.0
    assert "scanning: not in reach, or connected to another program" in stage.texts()


def test_values_of_an_earlier_connection_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[Callable[[bytearray], None]] = []
    start_notify = VirtualClient.start_notify

    async def remember(
        self: VirtualClient,
        characteristic: BleakGATTCharacteristic,
        callback: Callable[[bytearray], None],
        **kw: Any,
    ) -> None:
        if characteristic.uuid == toy.DATA:
            late.append(callback)
        await start_notify(self, characteristic, callback, **kw)

    monkeypatch.setattr(VirtualClient, "start_notify", remember)

    async def play(stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(2, stage.peripheral.lose)
        loop.call_later(4, lambda: late[0](bytearray(b"late")))
        await stage.collect(stage.source(duration_s=5.0))

    stage = on_stage(play)
    assert len(late) == 2
    assert b"late" not in [p.payload for p in stage.packets("live")]


def test_another_sensor_of_the_same_kind_is_left_alone_and_the_right_one_found() -> None:
    async def play(stage: Stage) -> None:
        right = toy.Peripheral(stage.air, "C0:00:00:00:00:02", uid="mine")
        await right.on()
        await stage.collect(stage.source(Target("a", toy.driver(), identity="mine"), duration_s=5.0))
        assert right.written == [toy.START, toy.STOP]
        await right.off()

    stage = on_stage(play)
    assert stage.peripheral.written == []
    assert {p.payload for p in stage.packets("info")} == {b"mine"}
    assert Mark in [type(i) for i in stage.inputs]


def test_nothing_of_a_wrong_sensor_is_recorded() -> None:
    async def play(stage: Stage) -> None:
        await stage.collect(stage.source(Target("a", toy.driver(), identity="mine"), duration_s=20.0))

    stage = on_stage(play)
    assert [i for i in stage.inputs if not isinstance(i, Tick)] == []
    assert any("another sensor" in text for text in stage.texts())
    assert len(stage.peripheral.connections) == 1


def test_once_connected_a_sensor_is_not_replaced_by_another() -> None:
    async def play(stage: Stage) -> None:
        async def swap() -> None:
            await asyncio.sleep(3)
            stage.peripheral.vanish()
            await other.on()

        other = toy.Peripheral(stage.air, "C0:00:00:00:00:02", uid="other")
        swapping = asyncio.create_task(swap())
        await stage.collect(stage.source(duration_s=40.0))
        await swapping
        assert other.written == []
        await other.off()

    assert {p.payload for p in on_stage(play).packets("info")} == {b"uid-1"}


def test_an_address_that_rotated_is_recognised_by_the_sensors_identity() -> None:
    async def play(stage: Stage) -> None:
        target = Target("a", toy.driver(), address="C0:FF:FF:FF:FF:FF", identity="uid-1")
        await stage.collect(stage.source(target, duration_s=20.0))

    assert len(on_stage(play).numbers()) > 50


def test_a_connection_that_fails_five_times_is_made_at_the_sixth(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [TimeoutError(), BleakError("busy"), OSError(5, "I/O"), EOFError(), AssertionError()]
    connect = VirtualClient.connect

    async def failing(self: VirtualClient, pair: bool, **kw: Any) -> None:
        if problems:
            raise problems.pop(0)
        await connect(self, pair, **kw)

    monkeypatch.setattr(VirtualClient, "connect", failing)

    async def play(stage: Stage) -> None:
        await stage.collect(stage.source(duration_s=20.0))

    stage = on_stage(play)
    assert len(stage.numbers()) > 20
    assert len([t for t in stage.texts() if t.startswith("waiting")]) == 5


def test_a_connect_that_never_returns_is_given_up_after_20_s(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, calls = VirtualClient.connect, []

    async def hanging(self: VirtualClient, pair: bool, **kw: Any) -> None:
        calls.append(asyncio.get_running_loop().time())
        if len(calls) == 1:
            await asyncio.get_running_loop().create_future()
        await connect(self, pair, **kw)

    monkeypatch.setattr(VirtualClient, "connect", hanging)

    async def play(stage: Stage) -> None:
        await stage.collect(stage.source(duration_s=25.0))

    stage = on_stage(play)
    assert calls[1] - calls[0] == pytest.approx(20.0, abs=1.0)
    assert len(stage.numbers()) > 20


def test_pauses_double_up_to_30_s_and_say_why() -> None:
    async def play(stage: Stage) -> None:
        stage.peripheral.refuse = att.ATT_UNLIKELY_ERROR_ERROR
        await stage.collect(stage.source(duration_s=600.0))

    stage = on_stage(play)
    waits = [t for t, text in stage.said if text.startswith("waiting")]
    pauses = [b - a for a, b in pairwise(waits)]
    assert pauses[0] < 1.0
    assert 20.0 < max(pauses) < 31.0
    assert pauses[:7] == sorted(pauses[:7])
    assert len(waits) < 30
    assert any("Unlikely Error" in text for text in stage.texts())


def test_a_flapping_sensor_gets_longer_pauses_and_half_a_minute_of_data_resets_them() -> None:
    async def play(stage: Stage) -> None:
        async def flap() -> None:
            for _ in range(60):
                await asyncio.sleep(0.5)
                stage.peripheral.lose()
            await asyncio.sleep(80)
            stage.peripheral.lose()

        flapping = asyncio.create_task(flap())
        await stage.collect(stage.source(duration_s=115.0))
        await flapping

    waits = [float(text.split()[4]) for text in on_stage(play).texts() if text.startswith("waiting")]
    assert 4 <= len(waits) <= 12
    assert max(waits[:-1]) > 3
    assert waits[-1] < 0.5


def test_cancelling_the_consumer_plays_stop_and_leaves_no_task() -> None:
    async def play(stage: Stage) -> None:
        source = stage.source()
        consumer = asyncio.create_task(stage.collect(source))
        await asyncio.sleep(3)
        consumer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consumer
        await source.aclose()
        assert stage.host.le_connections == {}

    assert on_stage(play).peripheral.written == [toy.START, toy.STOP]


def test_a_crash_of_the_consumer_plays_stop_too() -> None:
    async def play(stage: Stage) -> None:
        source = stage.source()
        with pytest.raises(ZeroDivisionError):
            try:
                async for _ in source:
                    if source.now_s() > 2:
                        raise ZeroDivisionError
            finally:
                await source.aclose()

    assert on_stage(play).peripheral.written == [toy.START, toy.STOP]


def test_closing_a_source_whose_sensor_answers_nothing_takes_at_most_two_seconds() -> None:
    async def play(stage: Stage) -> None:
        source = stage.source()
        consumer = asyncio.create_task(stage.collect(source))
        await asyncio.sleep(3)
        stage.peripheral.deaf = True
        before_s = asyncio.get_running_loop().time()
        await source.aclose()
        await consumer
        assert asyncio.get_running_loop().time() - before_s <= 2.0

    on_stage(play)


def test_closing_during_a_scan_and_before_the_start_is_clean() -> None:
    async def play(stage: Stage) -> None:
        await stage.peripheral.off()
        source = stage.source()
        consumer = asyncio.create_task(stage.collect(source))
        await asyncio.sleep(3)
        await source.aclose()
        await source.aclose()
        await consumer
        unused = stage.source()
        await unused.aclose()
        await stage.collect(unused)
        assert not stage.host.le_scan_enable

    on_stage(play)


def test_repeated_steps_are_played_on_time_and_a_refusal_does_not_disconnect() -> None:
    every = ((2.0, Write("ctrl", toy.CTRL, toy.PING)), (3.0, Read("info", toy.INFO)))

    async def play(stage: Stage) -> None:
        def refuse() -> None:
            stage.peripheral.refuse = att.ATT_UNLIKELY_ERROR_ERROR

        asyncio.get_running_loop().call_later(4, refuse)
        await stage.collect(stage.source(Target("a", toy.driver(every=every)), duration_s=11.0))

    stage = on_stage(play)
    assert stage.peripheral.written == [toy.START, *[toy.PING] * 5, toy.STOP]
    assert len(stage.packets("info")) == 2
    assert len(stage.peripheral.connections) == 1


def test_an_unanswered_repeated_step_does_not_hide_the_silence() -> None:
    every = ((3.0, Write("ctrl", toy.CTRL, toy.PING)),)

    async def play(stage: Stage) -> None:
        async def hang() -> None:
            await asyncio.sleep(2)
            stage.peripheral.silent = stage.peripheral.deaf = True

        hanging = asyncio.create_task(hang())
        await stage.collect(stage.source(Target("a", toy.driver(every=every)), duration_s=14.0))
        await hanging

    stage = on_stage(play)
    assert stage.peripheral.written.count(toy.PING) == 1
    at = {text.split(":")[0].split(",")[0]: t for t, text in reversed(stage.said)}
    assert at["stale"] - at["streaming"] == pytest.approx(4.0, abs=0.5)
    assert at["waiting"] - at["stale"] == pytest.approx(9.0, abs=0.3), (
        "8 s, and 1 s of goodbye to a deaf sensor"
    )


def test_an_optional_read_may_fail_and_a_missing_characteristic_is_named() -> None:
    optional = (*toy.driver().start, Read("extra", toy.ABSENT, optional=True))
    demanded = (*toy.driver().start, Read("extra", toy.ABSENT))

    def play_with(driver: Driver) -> Stage:
        async def play(stage: Stage) -> None:
            await stage.collect(stage.source(Target("a", driver), duration_s=5.0))

        return on_stage(play)

    assert len(play_with(toy.driver(start=optional)).numbers()) > 20
    assert any(toy.ABSENT in text for text in play_with(toy.driver(start=demanded)).texts())


def test_a_sensor_that_wants_pairing_is_paired_with_once_and_then_streams() -> None:
    async def play(stage: Stage) -> None:
        stage.peripheral.refuse = att.ATT_INSUFFICIENT_ENCRYPTION_ERROR

        def accept(_connection: object) -> None:
            stage.peripheral.refuse = None

        stage.peripheral.device.on(
            "connection", lambda c: c.on("connection_encryption_change", partial(accept, c))
        )
        await stage.collect(stage.source(duration_s=5.0))

    stage = on_stage(play)
    assert len(stage.numbers()) > 30
    assert len(stage.peripheral.connections) == 1


def test_two_sensors_stream_side_by_side_and_one_going_does_not_stop_the_other() -> None:
    async def play(stage: Stage) -> None:
        second = toy.Peripheral(stage.air, "C0:00:00:00:00:02", uid="uid-2")
        await second.on()
        targets = [Target(uid, toy.driver(), identity=uid) for uid in ("uid-1", "uid-2")]

        async def leave() -> None:
            await asyncio.sleep(10)
            second.vanish()

        leaving = asyncio.create_task(leave())
        await stage.collect(stage.source(*targets, duration_s=60.0))
        await leaving

    stage = on_stage(play)
    last = {
        key: max(p.t_host_s for p in stage.packets("live") if p.sensor == key) for key in ("uid-1", "uid-2")
    }
    assert last["uid-1"] > 59
    assert 9 < last["uid-2"] < 11
    first = [p.t_host_s for p in stage.packets("live") if p.sensor == "uid-1"]
    assert max(b - a for a, b in pairwise(first)) < 0.5


def test_the_state_machine_passes_through_its_states_in_order() -> None:
    states: list[LinkState] = []

    async def play(stage: Stage) -> None:
        client: list[SensorClient] = []
        loop = asyncio.get_running_loop()
        client.append(
            SensorClient(
                stage.radio,
                Watch(stage.radio),
                Target("a", toy.driver()),
                now_s=loop.time,
                deliver=stage.inputs.append,
                say=lambda _text: states.append(client[0].state),
            )
        )
        loop.call_later(5, stage.peripheral.lose)
        running = asyncio.create_task(client[0].run())
        await asyncio.sleep(8)
        running.cancel()
        await asyncio.wait({running})

    on_stage(play)
    S = LinkState  # noqa: N806
    once = [S.SCANNING, S.CONNECTING, S.STREAMING]
    assert states == [*once, S.BACKOFF, *once, S.IDLE]


def test_bleaks_own_client_class_is_what_streams() -> None:
    async def play(stage: Stage) -> None:
        made: list[object] = []
        original = BleakClient.__init__

        def note(self: BleakClient, *args: Any, **kwargs: Any) -> None:
            made.append(kwargs["backend"])
            original(self, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BleakClient, "__init__", note)
            await stage.collect(stage.source(duration_s=1.0))
        assert made == [VirtualClient]

    on_stage(play)


@pytest.mark.slow
def test_an_hour_of_streaming_costs_less_than_15_s() -> None:
    import time

    async def play(stage: Stage) -> None:
        await stage.collect(stage.source(duration_s=3600.0))

    before_s = time.process_time()
    stage = on_stage(play)
    assert time.process_time() - before_s < 15.0
    assert len(stage.numbers()) > 35_900
