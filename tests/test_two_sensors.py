"""Two sensors of one wearer: who is meant, each with its own link, and the angle between them never older than it looks."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bumble import hci, ll
from bumble.controller import Controller

from firmware_sim.assemble import SimulatedWorld
from firmware_sim.peripheral import Peripheral
from monitor.commands.opening import Worn, opening_marks, who_is_meant, worn_sensors
from monitor.commands.options import LiveOptions
from monitor.core.blocks import LumbarBlock, TrunkBlock
from monitor.core.errors import SettingsError
from monitor.core.inputs import Packet
from monitor.core.snapshot import Snapshot
from monitor.devices.spine1 import DRIVER
from monitor.motion.mount.find import Mount
from monitor.session import Session
from monitor.sinks.recorder import Recorder
from monitor.sources.ble.client import Target
from monitor.sources.ble.radio import open_radio
from monitor.sources.ble.source import BleSource
from monitor.sources.simulated import SimulatedSource
from monitor.sources.virtual_time import run_virtual
from monitor.store.paired import PairedSensor, load, remember, sides, wear_together, worn_together
from monitor.store.places import places
from monitor.store.session_file import SessionReader, SessionWriter, new_header
from tests.live_runs import NINE_O_CLOCK_S, Witness, replay

LOW = PairedSensor(
    "low", "spine1", "CE:31:00:00:00:01", "53504e3100000001", "lower_back", last_used_wall_s=1.0
)
HIGH = PairedSensor(
    "high", "spine1", "CE:31:00:00:00:02", "53504e3100000002", "upper_back", last_used_wall_s=2.0
)
BOTH = LiveOptions(devices=("high", "low"))


@pytest.fixture
def paired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings folder of a home in which LOW and HIGH are paired."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    for sensor in (LOW, HIGH):
        remember(places().config, sensor)
    return places().config


def named(worn: Sequence[Worn]) -> list[tuple[str, str]]:
    return [(sensor.name, sensor.role) for sensor in worn]


# --- who is meant ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("paired")
def test_two_named_sensors_are_lower_and_upper_by_their_placement_whatever_the_order() -> None:
    expected = [("low", "lower"), ("high", "upper")]
    assert named(worn_sensors(BOTH, None)) == expected
    assert named(worn_sensors(LiveOptions(devices=("low", "high")), None)) == expected
    marks = [m for m in opening_marks(BOTH, worn_sensors(BOTH, None), True) if m.kind == "sensor"]
    assert [(m.value["sensor"], m.value["role"], m.value["primary"]) for m in marks] == [
        ("low", "lower", True),
        ("high", "upper", False),
    ]


@pytest.mark.usefixtures("paired")
def test_without_a_name_the_last_used_is_meant_until_two_were_named_together() -> None:
    before = worn_sensors(LiveOptions(), None)
    assert named(before) == [("high", "single")]
    assert "--device low --device high" in who_is_meant(LiveOptions(), before)
    worn_sensors(BOTH, None)
    after = worn_sensors(LiveOptions(), None)
    assert named(after) == [("low", "lower"), ("high", "upper")]
    assert "worn together: low (lower back) and high (upper back)" in who_is_meant(LiveOptions(), after)


@pytest.mark.usefixtures("paired")
def test_one_of_a_pair_named_alone_is_alone() -> None:
    worn_sensors(BOTH, None)
    alone = LiveOptions(devices=("high",))
    assert named(worn_sensors(alone, None)) == [("high", "single")]
    assert who_is_meant(alone, worn_sensors(alone, None)) == ""


def test_there_is_one_pair_at_most_and_pairing_one_anew_ends_it(paired: Path) -> None:
    chest = PairedSensor("chest", "spine1", "CE:31:00:00:00:03", placement="sternum")
    remember(paired, chest)
    wear_together(paired, "low", "high")
    wear_together(paired, "chest", "low")
    assert [(s.name, s.role) for s in load(paired)] == [
        ("low", "lower"),
        ("high", "single"),
        ("chest", "upper"),
    ]
    remember(paired, LOW)
    assert worn_together(paired) is None


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (PairedSensor("belt", "spine1", "CE:31:00:00:00:09", placement="waist"), "both the lower one"),
        (LOW, "same sensor"),
        (PairedSensor("twin", "spine1", LOW.address.lower(), placement="upper_back"), "same sensor"),
        (PairedSensor("moved", "spine1", "X", LOW.identity, placement="upper_back"), "same sensor"),
    ],
)
def test_two_that_are_no_pair_are_refused(other: PairedSensor, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        sides(LOW, other)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (LiveOptions(devices=("a", "b", "c")), "3 sensors are too many"),
        (LiveOptions(two=True), "--two adds a second simulated sensor"),
    ],
)
def test_more_than_two_and_two_of_none_are_refused(options: LiveOptions, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        options.check()


# --- two links on one air ----------------------------------------------------------------------------------------

AWAY_S, BACK_S, END_S = 20.0, 40.0, 70.0


def two_live(path: Path, worn: Sequence[Worn], upper_goes: bool) -> Witness:
    """Both over bleak's client on one air, recorded to `path`; on demand the upper one is out of reach for 20 s."""

    async def main() -> Witness:
        world = SimulatedWorld("mobility", 3, placements=("lower_back", "upper_back"))
        await world.start()
        mounted = [replace(sensor, mount=_true_mount(world, sensor)) for sensor in worn]
        identify = mounted[0].driver.row_identity
        writer = SessionWriter(
            path,
            new_header("live", "test", NINE_O_CLOCK_S, 0, "UTC"),
            lambda packet: identify(packet.channel, packet.payload),
        )
        recorder, witness = Recorder(writer, inline=True), Witness()
        async with open_radio(world.host_controller) as radio:
            source = BleSource(
                radio,
                [Target(s.key, s.driver, s.address, s.identity) for s in mounted],
                start_wall_s=NINE_O_CLOCK_S,
                utc_offset_s=0,
                opening=opening_marks(BOTH, mounted, False),
                duration_s=END_S,
            )
            session = Session(source, [recorder, witness], lambda d: recorder.set_header("digest", d))
            running = asyncio.create_task(session.run())
            if upper_goes:
                await asyncio.sleep(AWAY_S)
                vanish(world, world.peripherals[1])
                await asyncio.sleep(BACK_S - AWAY_S)
                del world.air.send_advertising_pdu  # type: ignore[misc]
            await running
        await world.stop()
        return witness

    return run_virtual(main())


def vanish(world: SimulatedWorld, gone: Peripheral) -> None:
    """Out of reach: its link times out and nobody hears it advertise."""
    heard = world.air.send_advertising_pdu

    def send(sender: Controller, packet: ll.AdvertisingPdu) -> None:
        if sender is not gone.controller:
            heard(sender, packet)

    world.air.send_advertising_pdu = send  # type: ignore[method-assign]
    world.air.drop_links(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR, of=gone.address)


def _true_mount(world: SimulatedWorld, sensor: Worn) -> Mount:
    w, x, y, z = (float(value) for value in world.mounts[sensor.address or ""])
    return Mount((w, x, y, z), 1.0, True, "the simulated wearer's own")


@pytest.mark.usefixtures("paired")
def test_the_upper_one_goes_and_comes_back_while_the_lower_one_streams_on(tmp_path: Path) -> None:
    path = tmp_path / "two.supple"
    live = two_live(path, worn_sensors(BOTH, None), upper_goes=True)
    arrived = [p.t_host_s for p in live.of(Packet) if p.sensor == "low" and p.channel == "live"]
    assert arrived[-1] > END_S - 1 and max(np.diff(arrived)) < 0.5
    upper = np.concatenate([b.t_s for b in live.of(TrunkBlock) if b.sensor == "high"])
    assert not ((upper > AWAY_S + 1) & (upper < BACK_S)).any()
    assert upper[-1] > END_S - 2
    blocks = live.of(LumbarBlock)
    t_s = np.concatenate([b.t_s for b in blocks])
    known = np.isfinite(np.concatenate([b.flexion_deg for b in blocks]))
    assert known[t_s < AWAY_S - 1].mean() > 0.8
    assert not ((t_s > AWAY_S + 1) & (t_s < BACK_S)).any()
    assert known[t_s > BACK_S + 15].mean() > 0.9
    assert replay(path)[0] == _digest(path)


@pytest.mark.usefixtures("paired")
def test_while_one_is_away_the_angle_between_them_is_unknown_and_not_frozen(tmp_path: Path) -> None:
    live = two_live(tmp_path / "two.supple", worn_sensors(BOTH, None), upper_goes=True)
    now, stale, where = Snapshot(), {}, {}
    for record in live.records:
        now.push([record])
        second = math.floor(now.t_host_s)
        stale[second], where[second] = now.lumbar_stale, now.away
    assert not stale[int(AWAY_S) - 2] and where[int(AWAY_S) - 2] == ()
    assert stale[int(AWAY_S) + 4] and where[int(AWAY_S) + 4] == ("upper_back",)
    assert not stale[int(END_S) - 2]
    assert now.two and not now.stale


@pytest.mark.usefixtures("paired")
def test_a_pair_of_which_neither_goes_has_no_such_hole(tmp_path: Path) -> None:
    """Negative control of the two tests above."""
    live = two_live(tmp_path / "two.supple", worn_sensors(BOTH, None), upper_goes=False)
    t_s = np.concatenate([b.t_s for b in live.of(LumbarBlock)])
    assert max(np.diff(t_s)) < 0.5


def _digest(path: Path) -> str:

    with SessionReader(path) as reader:
        return str(reader.header["digest"])


def test_a_place_is_named_in_words() -> None:
    simulated = SimulatedSource(
        "desk", 1, DRIVER, duration_s=1.0, start_wall_s=NINE_O_CLOCK_S, utc_offset_s=0
    )
    (worn,) = worn_sensors(LiveOptions(scenario="desk"), simulated)
    assert worn.name == "simulated wearer, lower back"
