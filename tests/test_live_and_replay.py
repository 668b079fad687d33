"""One path, from the radio to the prompt: what ran live runs again from its recording, to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.body import Wearer
from firmware_sim.scenario import builtin_names, load
from monitor.core.blocks import LumbarBlock, TrunkBlock
from monitor.core.events import DeviceStatus, Gap, MountSet, Posture, PostureState, Prompt
from monitor.core.inputs import Packet
from monitor.store.session_file import SessionReader
from tests.live_runs import NINE_O_CLOCK_S, Witness, record_live, replay

SECONDS = 90.0


def column(blocks: Sequence[TrunkBlock], name: str) -> np.ndarray:
    return np.concatenate([getattr(block, name) for block in blocks])


@pytest.mark.parametrize("scenario", builtin_names())
def test_a_replay_gives_the_digest_of_the_live_run(scenario: str, tmp_path: Path) -> None:
    path = tmp_path / "session.supple"
    digest, live = record_live(path, scenario, SECONDS)
    assert column(live.of(TrunkBlock), "t_s")[-1] > SECONDS - 2
    for block_s in (60.0, 7.0):
        again, _ = replay(path, block_s)
        assert again == digest
    with SessionReader(path) as reader:
        assert reader.header["digest"] == digest
        assert reader.closed_cleanly


def test_gathering_inputs_changes_nothing(tmp_path: Path) -> None:
    alone, _ = record_live(tmp_path / "alone.supple", "sit_stand", 40.0)
    gathered, _ = record_live(tmp_path / "gathered.supple", "sit_stand", 40.0, gathered=True)
    assert alone == gathered


def test_another_wearer_has_another_digest(tmp_path: Path) -> None:
    """Negative control: the digest is not blind to the data."""
    digest, live = record_live(tmp_path / "a.supple", "desk", 20.0)
    other, _ = record_live(tmp_path / "b.supple", "desk", 20.0, seed=1)
    assert digest != other
    assert len(live.of(Packet)) > 200


def test_the_same_seed_gives_the_same_bytes_over_the_air(tmp_path: Path) -> None:
    first = record_live(tmp_path / "a.supple", "bad_link", 30.0, seed=5)
    second = record_live(tmp_path / "b.supple", "bad_link", 30.0, seed=5)
    assert first[1].of(Packet) == second[1].of(Packet)
    assert first[0] == second[0]


def test_the_file_holds_the_anchors_between_the_sensors_clock_and_the_hosts(tmp_path: Path) -> None:
    path = tmp_path / "session.supple"
    record_live(path, "desk", 35.0)
    again = replay(path)[1].of(Packet)
    for channel, first_byte in (("ctrl_tx", 0x07), ("ctrl", 0x87)):
        assert len([p for p in again if p.channel == channel and p.payload[0] == first_byte]) == 3


def test_a_witmotion_runs_at_50_hz_for_the_session_only_tells_its_battery_and_replays_alike(
    tmp_path: Path,
) -> None:
    path = tmp_path / "session.supple"
    digest, live = record_live(path, "desk", SECONDS, device="witmotion")
    times = column(live.of(TrunkBlock), "t_s")
    assert (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(50.0, rel=0.02)
    (status,) = live.of(DeviceStatus)
    assert 0 < status.battery_percent <= 100
    written = {p.payload for p in live.of(Packet) if p.channel == "config_tx"}
    assert bytes.fromhex("FFAA030800") in written
    save = bytes.fromhex("FFAA00")
    assert not any(payload.startswith(save) for payload in written)
    assert replay(path)[0] == digest


@pytest.mark.parametrize("device", ["spine1", "witmotion"])
def test_inclination_follows_the_wearer(device: str, tmp_path: Path) -> None:
    """Both kinds of sensor, over Bluetooth, against the simulator's truth at the placement.

    The bound leaves room for skin motion and, for the sensor without a clock, for arrival time fitted to counts.
    """
    _, live = record_live(tmp_path / "s.supple", "sit_stand", SECONDS, device=device)
    blocks = live.of(TrunkBlock)
    t_s, measured = column(blocks, "t_s"), column(blocks, "inclination_deg")
    truth = Wearer(load("sit_stand"), 0)
    errors = []
    for late_s in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4):  # the radio's delay is part of host time
        shifted = t_s - late_s
        use = shifted > 10.0
        errors.append(
            np.sqrt(
                np.nanmean((truth.truth(shifted[use], "lower_back").inclination_deg - measured[use]) ** 2)
            )
        )
    assert min(errors) < 1.5, errors


def test_without_a_calibration_nothing_is_said_of_angles(tmp_path: Path) -> None:
    _, live = record_live(tmp_path / "s.supple", "walk", 60.0, mounted=False)
    blocks = live.of(TrunkBlock)
    assert np.isnan(column(blocks, "flexion_deg")).all()
    assert np.isnan(column(blocks, "inclination_deg")).all()
    assert live.of(MountSet) == []


def test_two_sensors_give_relative_angles_and_replay_alike(tmp_path: Path) -> None:
    path = tmp_path / "two.supple"
    digest, live = record_live(path, "mobility", SECONDS, placements=("lower_back", "upper_back"))
    relative = np.concatenate([block.flexion_deg for block in live.of(LumbarBlock)])
    assert np.isfinite(relative).mean() > 0.9
    assert np.nanmax(np.abs(relative)) > 5.0
    assert replay(path)[0] == digest


def test_a_bad_link_leaves_gaps_that_are_listed_and_an_unknown_posture(tmp_path: Path) -> None:
    _, live = record_live(tmp_path / "s.supple", "bad_link", 1200.0, gathered=True)
    gaps = [gap for gap in live.of(Gap) if gap.end_s - gap.start_s > 2.0]
    assert gaps
    states = live.of(PostureState)
    for gap in gaps:
        after = [state.state for state in states if gap.start_s - 0.5 <= state.t_s <= gap.end_s + 0.5]
        assert Posture.UNKNOWN in after


@pytest.fixture(scope="module")
def working_hour(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    return record_live(tmp_path_factory.mktemp("desk") / "hour.supple", "desk", 3600.0, gathered=True)[1]


def test_a_working_hour_brings_a_prompt_to_move_and_never_too_many(working_hour: Witness) -> None:
    prompts = working_hour.of(Prompt)
    assert 1 <= len(prompts) <= 2
    assert all(b.t_s - a.t_s >= 1800.0 for a, b in pairwise(prompts))
    assert NINE_O_CLOCK_S % 86_400 == 9 * 3600


def test_sitting_time_of_a_working_hour_is_near_the_truth(working_hour: Witness) -> None:
    states = working_hour.of(PostureState)
    edges = [*[state.t_s for state in states], 3600.0]
    sat_s = sum(
        end - state.t_s
        for state, end in zip(states, edges[1:], strict=True)
        if state.state is Posture.SITTING
    )
    wearer = Wearer(load("desk"), 0)
    truth = wearer.truth(np.arange(0.5, 3600.0), "lower_back")
    true_s = float(np.sum(np.array(truth.state_names) == "sitting"))
    assert sat_s == pytest.approx(true_s, rel=0.1)
