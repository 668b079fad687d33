"""Scenarios: what comes with the program can be played, and what cannot be understood is refused in one clear sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firmware_sim.activities import ACTIVITIES
from firmware_sim.body import Wearer
from firmware_sim.imu import CHIPS, Imu
from firmware_sim.scenario import LinkPlan, ScenarioError, builtin_names, load, parse
from firmware_sim.truth import STATE_NAMES

NAMES = ["bad_link", "commute", "desk", "mixed_day", "mobility", "sit_stand", "slouch", "turned", "walk"]


def test_the_scenarios_that_come_with_the_program() -> None:
    assert builtin_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_scenario_gives_the_same_bytes_for_a_seed_and_others_for_another(name: str) -> None:
    def rows(seed: int) -> bytes:
        body = Wearer(load(name), seed)
        imu = Imu(body, "lower_back", CHIPS[body.scenario.sensor.chip], seed)
        return b"".join(column.tobytes() for column in imu.sample(np.arange(0.0, 120.0, 0.01)))

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


@pytest.mark.parametrize("name", NAMES)
def test_each_scenario_stays_within_what_a_body_can_do(name: str) -> None:
    body = Wearer(load(name), 5)
    for placement in ("lower_back", "upper_back"):
        truth = body.truth(np.arange(0.0, min(body.round_s, 4000.0), 0.05), placement)
        assert np.max(np.linalg.norm(truth.acc, axis=1)) < 30
        assert np.degrees(np.max(np.abs(truth.rate))) < 300
        assert np.max(truth.inclination_deg) < 125
        np.testing.assert_allclose(np.linalg.norm(truth.quat, axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize("name", ["desk", "slouch", "sit_stand", "bad_link"])
def test_a_scenario_at_a_desk_begins_with_evidence_for_calibration(name: str) -> None:
    body = Wearer(load(name), 1)
    states = body.truth(np.arange(0.0, 40.0, 0.1), "lower_back").state_names
    first = [state for state, before in zip(states, ["", *states], strict=False) if state != before][:4]
    assert first == ["standing", "walking", "standing", "sitting"]
    assert 8 < states.index("walking") / 10 < 13
    assert 4 < states.count("walking") / 10 < 10


def test_desk_is_a_working_hour_of_mostly_sitting() -> None:
    body = Wearer(load("desk"), 1)
    state = body.truth(np.arange(0.0, body.round_s, 1.0), "lower_back").state
    assert 3300 < body.round_s < 3900
    assert 0.8 < np.mean(state == STATE_NAMES.index("sitting")) < 0.95
    assert any(event.exercise == "bend" for event in body.events(0, body.round_s))


def test_mixed_day_is_eight_hours_with_every_everyday_state() -> None:
    body = Wearer(load("mixed_day"), 1)
    assert 7.5 < body.round_s / 3600 < 8.7
    states = set(body.truth(np.arange(0.0, body.round_s, 5.0), "lower_back").state_names)
    assert {"sitting", "standing", "walking", "lying"} <= states


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_mixed_day_has_what_one_sensor_confuses(seed: int) -> None:
    body = Wearer(load("mixed_day"), seed)
    t_s = np.arange(0.0, body.round_s, 1.0)
    truth = body.truth(t_s, "lower_back")
    states = np.array(truth.state_names)
    sitting, standing = states == "sitting", states == "standing"
    assert np.sum(sitting & (truth.flexion_deg > -5.0)) > 900, "sat for a quarter of an hour as if standing"
    assert np.sum(standing & (np.abs(truth.flexion_deg) > 5.0)) > 300, "stood for minutes as if leaning"
    assert np.sum(sitting & (truth.flexion_deg < -30.0)) > 300, "reclined"
    assert _longest(standing) > 1000
    assert states[-600] == "other", "the sensor lies on the desk at the end"


def test_the_order_of_a_mixed_day_is_the_seed_s() -> None:
    days = [Wearer(load("mixed_day"), seed) for seed in (1, 2)]
    first, second = (
        [(e.from_state, e.to_state) for e in day.events(0.0, day.round_s) if e.kind == "transition"]
        for day in days
    )
    assert first != second


def test_people_of_a_mixed_day_differ_and_sit_down_differently_each_time() -> None:
    days = [Wearer(load("mixed_day"), seed) for seed in range(12)]
    assert np.ptp([day.person.sit_tilt_deg for day in days]) > 5.0
    assert np.ptp([day.person.gait_phase_deg for day in days]) > 20.0
    assert len({day.person.plan.sway_stand_deg for day in days}) == len(days)
    ways = [e for e in days[0].events(0.0, days[0].round_s) if e.to_state == "sitting"]
    assert np.std([way.end_s - way.start_s for way in ways]) > 0.1


def test_people_are_alike_where_a_scenario_asks_for_nothing_else() -> None:
    desk = load("desk")
    assert [Wearer(desk, seed).person.plan for seed in (1, 2)] == [desk.wearer] * 2


def _longest(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    """Length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int(np.max(edges[1::2] - edges[::2]))


def test_mobility_has_every_exercise() -> None:
    body = Wearer(load("mobility"), 1)
    exercises = {event.exercise for event in body.events(0, body.round_s) if event.kind == "repetition"}
    assert exercises == {"bend", "side_bend", "twist", "cat_cow", "press_up", "pelvic_tilt", "supine_twist"}


def test_bad_link_has_a_bad_link() -> None:
    link = load("bad_link").link
    assert link.loss > 0
    assert link.adv_loss > 0
    assert link.out_of_range
    assert link.latency_spikes
    assert load("desk").link == LinkPlan()


def test_asked_for_longer_a_scenario_starts_again() -> None:
    body = Wearer(load("walk"), 1)
    t = np.arange(0.0, body.round_s, 1.0)
    again = body.truth(t + 3 * body.round_s, "lower_back")
    assert np.array_equal(body.truth(t, "lower_back").state, again.state)


@pytest.mark.parametrize("activity", sorted(ACTIVITIES))
def test_every_activity_can_stand_alone(activity: str) -> None:
    body = Wearer(parse(f'[[block]]\nactivities = [{{ do = "{activity}" }}]'.encode(), "one"), 1)
    truth = body.truth(np.arange(0.0, 2 * body.round_s, 0.05), "upper_back")
    assert np.all(np.isfinite(truth.acc))
    assert np.max(np.linalg.norm(truth.acc, axis=1)) < 25


def test_repeats_are_played_and_their_seconds_vary() -> None:
    text = b'vary = 0.3\n[[block]]\nrepeat = 5\nactivities = [{ do = "stand", seconds = 20 }, { do = "walk", seconds = 20 }]'
    body = Wearer(parse(text, "repeat"), 1)
    walks = [e.t_s for e in body.events(0, body.round_s) if e.to_state == "walking"]
    assert len(walks) == 5
    assert np.std(np.diff(walks)) > 0.5


def test_a_scenario_of_the_user_s_own_is_read_from_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[sensor]\nplacements = ["sternum", "waist"]\n[firmware]\nrate_hz = 50\nuid = 0x1234\n'
        '[[block]]\nactivities = [{ do = "stand" }]'
    )
    scenario = load(file)
    assert (scenario.name, scenario.sensor.placements) == ("mine", ("sternum", "waist"))
    assert (scenario.firmware.rate_hz, scenario.firmware.uid, scenario.firmware.clock_ppm) == (
        50.0,
        0x1234,
        20.0,
    )


REFUSED = {
    "unknown activity": (
        '[[block]]\nactivities = [{ do = "fly" }]',
        r"no activity 'fly'; allowed are sit_upright",
    ),
    "unknown parameter": (
        '[[block]]\nactivities = [{ do = "walk", speed = 2 }]',
        r"no key 'speed'; allowed are seconds",
    ),
    "value too large": (
        '[[block]]\nactivities = [{ do = "bend", peak_deg = 400 }]',
        r"peak_deg = 400 is not a number from 5 to 120",
    ),
    "not a number": (
        '[[block]]\nactivities = [{ do = "walk", seconds = "ten" }]',
        r"seconds = 'ten' is not a number",
    ),
    "truth for a number": (
        '[[block]]\nactivities = [{ do = "walk", seconds = true }]',
        r"is not a number from 3",
    ),
    "NaN": ('[[block]]\nactivities = [{ do = "walk", seconds = nan }]', r"seconds = nan is not a number"),
    "unknown choice": (
        '[[block]]\nactivities = [{ do = "lie", side = "up" }]',
        r"is not one of supine, left, right, prone",
    ),
    "fraction for a count": (
        '[[block]]\nactivities = [{ do = "bend", reps = 1.5 }]',
        r"is not a whole number",
    ),
    "number for a flag": ('[[block]]\nactivities = [{ do = "bend", seated = 1 }]', r"is not true or false"),
    "unknown table": ("[weather]\nrain = 1\n", r"no key 'weather'; allowed are title"),
    "unknown key": (
        '[link]\nspeed = 1\n[[block]]\nactivities = [{ do = "stand" }]',
        r"\[link\] has no key 'speed'",
    ),
    "unknown placement": (
        '[sensor]\nplacements = ["knee"]\n[[block]]\nactivities = [{ do = "stand" }]',
        r"names out of lower_back, upper_back",
    ),
    "unknown chip": (
        '[sensor]\nchip = "x"\n[[block]]\nactivities = [{ do = "stand" }]',
        r"one of bmi270, ideal",
    ),
    "window backwards": (
        '[link]\nout_of_range = [[5, 4]]\n[[block]]\nactivities = [{ do = "stand" }]',
        r"must end after it starts",
    ),
    "window of three": (
        '[link]\nout_of_range = [[5, 4, 3]]\n[[block]]\nactivities = [{ do = "stand" }]',
        r"is not a list of pairs of seconds",
    ),
    "no block": ('title = "empty"', r"at least one \[\[block\]\]"),
    "no activities": ("[[block]]\nrepeat = 2", r"needs a list of activities"),
    "activity without do": ("[[block]]\nactivities = [{ seconds = 2 }]", r"with `do`, one of"),
    "slip out of range": (
        '[sensor]\nslips = [{ at_s = -1 }]\n[[block]]\nactivities = [{ do = "stand" }]',
        r"slip 1: at_s = -1",
    ),
    "table that is a number": (
        'wearer = 3\n[[block]]\nactivities = [{ do = "stand" }]',
        r"\[wearer\] must be a table",
    ),
    "mount of two angles": (
        '[sensor]\nmount_euler_deg = [1, 2]\n[[block]]\nactivities = [{ do = "stand" }]',
        r"is not a list of 3 numbers",
    ),
    "not TOML": ("[[[", r"is not valid TOML"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_is_not_understood_is_refused_with_what_would_be(case: str) -> None:
    text, sentence = REFUSED[case]
    with pytest.raises(ScenarioError, match=sentence):
        parse(text.encode(), "bad")


def test_a_scenario_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="there are bad_link, commute, desk"):
        load("dinner")
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(tmp_path / "none.toml")
