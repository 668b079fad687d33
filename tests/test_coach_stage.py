"""The coach speaks when it is sure and allowed to, and in every other case is silent."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.coach.stage import Coach
from monitor.core.events import (
    Beat,
    Creep,
    Gap,
    Posture,
    PostureState,
    Prompt,
    SittingBout,
    StaticHold,
    Vibration,
)
from monitor.core.inputs import Mark
from monitor.core.protocols import Proposal, Rule, Situation

NOON = 1_700_006_400.0 - 1_700_006_400.0 % 86400 + 12 * 3600.0
SIT = Posture.SITTING


def eager(situation: Situation, numbers: Mapping[str, float]) -> Proposal:
    return Proposal("static.walk", {"minutes": 40.0})


EAGER = {"eager": Rule("eager", eager)}


def beat(t_s: float, wall_s: float | None = None, offset_s: int = 0, **over: Any) -> Beat:
    wall = NOON + t_s if wall_s is None else wall_s
    return replace(Beat("A", t_s, wall, offset_s, True, t_s - 0.1), **over)


def state(kind: Posture, t_s: float) -> PostureState:
    return PostureState(t_s, kind, 0.95, t_s + 4.0)


def sensor() -> Mark:
    return Mark(0.0, "sensor", {"sensor": "A", "primary": True})


def prompts(items: Sequence[Any], rules: Mapping[str, Rule] | None = EAGER) -> list[Prompt]:
    coach = Coach(rules)
    return [r for r in [*coach.push([sensor(), *items]), *coach.close()] if isinstance(r, Prompt)]


def sitting(last: Beat, *between: Any) -> list[Any]:
    """A quiet session with every condition fulfilled long ago, then `between`, then `last`."""
    return [beat(0.0), state(SIT, 10.0), beat(60.0), *between, last]


# --- when it is silent -------------------------------------------------------------------------------------------


def test_an_undisturbed_sitter_is_prompted() -> None:
    """Negative control of every silence below."""
    (prompt,) = prompts(sitting(beat(1000.0)))
    assert prompt.t_s == 999.9
    assert prompt.text.startswith("40 minutes in one position.")
    assert prompt.reason["state"] == "sitting"


def test_only_fresh_certain_connected_and_recognised_moments_are_used_whatever_the_combination() -> None:
    """Exhaustive: of all combinations only the one with nothing wrong prompts."""
    spoken = []
    for kind, stale, linked, wall, recent in itertools.product(
        [*Posture, None], (False, True), (True, False), (True, False), (False, True)
    ):
        since = 960.0 if recent else 500.0
        events = [] if kind is None else [state(kind, since)]
        last = beat(1000.0, connected=linked)
        if stale:
            last = replace(last, data_s=997.9)
        if not wall:
            last = replace(last, wall_s=math.nan)
        if prompts([beat(0.0), beat(60.0), *events, last]):
            spoken.append((kind, stale, linked, wall, recent))
    assert spoken == [(SIT, False, True, True, False), (Posture.STANDING, False, True, True, False)]


def test_an_event_not_yet_settled_is_not_used() -> None:
    late = PostureState(900.0, Posture.WALKING, 0.9, 999.0)
    assert len(prompts(sitting(beat(1000.0), late))) == 1
    assert prompts(sitting(beat(1000.2), late)) == []


def test_nothing_in_the_first_five_minutes() -> None:
    assert prompts(sitting(beat(299.0))) == []
    assert len(prompts(sitting(beat(300.0)))) == 1


def test_nothing_in_the_two_minutes_after_a_reconnection_or_a_gap() -> None:
    drop = [beat(890.0, connected=False), beat(900.0)]
    assert prompts(sitting(beat(1019.0), *drop)) == []
    assert len(prompts(sitting(beat(1020.0), *drop))) == 1
    gap = Gap("A", 890.0, 900.0, "missing")
    assert prompts(sitting(beat(1019.0), gap)) == []
    assert len(prompts(sitting(beat(1022.0), gap))) == 1
    assert len(prompts(sitting(beat(1000.0), Gap("A", 899.0, 900.0, "missing")))) == 1


def test_nothing_in_a_moving_vehicle() -> None:
    shaken, calm = Vibration(500.0, True, 500.0), Vibration(800.0, False, 800.0)
    assert prompts(sitting(beat(1000.0), shaken)) == []
    assert len(prompts(sitting(beat(1000.0), shaken, calm))) == 1


def test_another_sensor_is_nothing_to_the_coach() -> None:
    assert prompts([*sitting(beat(60.5)), beat(1000.0, sensor="B")]) == []


def test_no_data_yet_is_silent() -> None:
    assert prompts([beat(0.0), beat(400.0, data_s=-math.inf)]) == []


# --- marks -------------------------------------------------------------------------------------------------------


def test_pain_stops_prompts_until_a_screening_is_passed() -> None:
    pain = Mark(500.0, "pain", {})
    assert prompts(sitting(beat(1000.0), pain)) == []
    for level, allowed in ((None, 0), (3, 0), (2, 0), (1, 1), (0, 1)):
        answer = Mark(600.0, "screening", {"level": level})
        assert len(prompts(sitting(beat(1000.0), pain, answer))) == allowed


@pytest.mark.parametrize("level, allowed", [(None, 1), (0, 1), (1, 1), (2, 0), (3, 0)])
def test_the_screening_level_a_session_opens_with_is_in_force(level: int | None, allowed: int) -> None:
    assert len(prompts([Mark(0.0, "screening", {"level": level}), *sitting(beat(1000.0))])) == allowed


def test_urge_and_popped_are_recorded_and_change_nothing() -> None:
    marks = [Mark(500.0, "urge", {}), Mark(510.0, "popped", {}), Mark(520.0, "stiff", {})]
    assert len(prompts(sitting(beat(1000.0), *marks))) == 1


def test_a_snooze_keeps_quiet_for_its_minutes_or_until_its_time() -> None:
    minutes = Mark(500.0, "snooze", {"minutes": 15})
    until = Mark(500.0, "snooze", {"until_wall_s": NOON + 1400.0})
    for snooze in (minutes, until):
        assert prompts(sitting(beat(1399.0), snooze)) == []
        assert len(prompts(sitting(beat(1400.0), snooze))) == 1


def test_settings_switch_prompts_or_one_rule_off() -> None:
    for table in ({"enabled": False}, {"eager": False}, {"per_day": 0}):
        assert prompts([Mark(0.0, "settings", {"prompts": table}), *sitting(beat(1000.0))]) == []


def test_quiet_hours_are_the_wearers_local_ones() -> None:
    night = NOON + 9.5 * 3600.0
    assert prompts(sitting(beat(1000.0, wall_s=night))) == []
    assert len(prompts(sitting(beat(1000.0, wall_s=night, offset_s=-3 * 3600)))) == 1
    assert prompts(sitting(beat(1000.0, wall_s=NOON, offset_s=-5 * 3600))) == []


def test_what_was_prompted_before_a_restart_counts() -> None:
    def after(n: int, ago_s: float | None) -> int:
        last = None if ago_s is None else NOON - ago_s
        return len(
            prompts([Mark(0.0, "today", {"prompts": n, "last_prompt_wall_s": last}), *sitting(beat(1000.0))])
        )

    assert (after(7, None), after(8, None)) == (1, 0)
    assert (after(1, 700.0), after(1, 900.0)) == (0, 1)


# --- caps over random days ---------------------------------------------------------------------------------------

DAY_S = 86400.0


@settings(max_examples=60, deadline=None)
@given(
    start_h=st.floats(0.0, 24.0),
    offsets_h=st.lists(st.integers(-11, 13), min_size=1, max_size=3),
    runs=st.lists(st.tuples(st.floats(0.2, 14.0), st.floats(0.0, 3.0)), min_size=1, max_size=6),
    step_s=st.sampled_from([0.0, 0.0, 3600.0, -3600.0]),
)
def test_caps_hold_over_random_days_restarts_and_changes_of_the_clocks(
    start_h: float, offsets_h: list[int], runs: list[tuple[float, float]], step_s: float
) -> None:
    """Someone sits for days with rules that always want to prompt; each run is a session opened with `today`."""
    wall_s = NOON - 12 * 3600.0 + start_h * 3600.0
    given_at: list[tuple[float, int]] = []
    for index, (hours, pause_h) in enumerate(runs):
        offset = offsets_h[index % len(offsets_h)] * 3600
        today = [w for w, _ in given_at if (w + offset) // DAY_S == (wall_s + offset) // DAY_S]
        last = max((w for w, _ in given_at), default=None)
        coach = Coach(EAGER)
        coach.push(
            [
                sensor(),
                Mark(0.0, "today", {"prompts": len(today), "last_prompt_wall_s": last}),
                state(SIT, 0.0),
            ]
        )
        begun_s = wall_s
        for i in range(int(hours * 12)):
            t_s = i * 300.0
            # Half-way the local clock changes, as in spring and autumn: Unix time does not.
            local = offset + (int(step_s) if t_s > hours * 1800.0 else 0)
            for record in coach.push([beat(t_s, wall_s=begun_s + t_s, offset_s=local)]):
                if isinstance(record, Prompt):
                    given_at.append((begun_s + t_s, local))
            wall_s = begun_s + t_s
        wall_s += pause_h * 3600.0
    walls = [w for w, _ in given_at]
    assert all(b - a >= 1800.0 for a, b in itertools.pairwise(walls))
    for wall, offset in given_at:
        assert 8.0 <= (wall + offset) % DAY_S / 3600.0 < 21.0
    for offset in {o for _, o in given_at}:
        days = [(w + o) // DAY_S for w, o in given_at if o == offset]
        assert all(days.count(day) <= 8 for day in days)


def test_a_wall_clock_set_back_does_not_silence_for_ever() -> None:
    today = Mark(0.0, "today", {"prompts": 1, "last_prompt_wall_s": NOON + 90 * DAY_S})
    assert prompts([today, *sitting(beat(1000.0))]) == []
    assert len(prompts([today, *sitting(beat(1900.0))])) == 1


def test_a_wall_clock_set_forward_does_not_shorten_the_gap() -> None:
    first = beat(1000.0)
    assert len(prompts([*sitting(first), beat(1300.0, wall_s=NOON + 5000.0)])) == 1


# --- the rules ---------------------------------------------------------------------------------------------------


def test_half_an_hour_of_sitting_prompts_and_less_does_not() -> None:
    assert prompts([*sitting(beat(1805.0))], None) == []
    (prompt,) = prompts([*sitting(beat(1812.0))], None)
    assert (prompt.rule, prompt.text_id) == ("time_to_move", "move.walk")
    assert "30 minutes" in prompt.text


def test_the_bout_goes_on_over_a_short_interruption_and_ends_with_a_real_one() -> None:
    short = [state(Posture.STANDING, 800.0), state(SIT, 815.0)]
    assert len(prompts(sitting(beat(1812.0), *short), None)) == 1
    ended = [
        state(Posture.STANDING, 800.0),
        SittingBout(10.0, 800.0, 0.0, False, 826.0),
        state(SIT, 900.0),
    ]
    assert prompts(sitting(beat(1812.0), *ended), None) == []


def test_a_bout_that_ended_after_the_next_began_does_not_hide_it() -> None:
    events = [
        state(Posture.STANDING, 800.0),
        state(SIT, 821.0),
        SittingBout(10.0, 800.0, 0.0, False, 826.0),
    ]
    assert prompts(sitting(beat(2600.0), *events), None) == []
    assert len(prompts(sitting(beat(2625.0), *events), None)) == 1


def test_forty_minutes_in_one_position_prompt_even_standing() -> None:
    def standing(minutes: float) -> list[Prompt]:
        held = StaticHold(2990.0, 60.0 * minutes, 2990.0)
        return prompts([beat(0.0), state(Posture.STANDING, 10.0), beat(60.0), held, beat(3000.0)], None)

    assert standing(39.9) == []
    (prompt,) = standing(40.0)
    assert (prompt.rule, prompt.text) == (
        "static_posture",
        "40 minutes in one position. A short walk may feel good. Stop if it hurts.",
    )


def test_a_used_up_creep_budget_prompts_before_the_half_hour() -> None:
    assert prompts(sitting(beat(1000.0), Creep(990.0, 0.64, 990.0)), None) == []
    (prompt,) = prompts(sitting(beat(1000.0), Creep(990.0, 0.66, 990.0)), None)
    assert prompt.text_id == "creep.walk"


def test_one_prompt_at_a_time() -> None:
    both = [StaticHold(2990.0, 2900.0, 2990.0)]
    assert [p.rule for p in prompts(sitting(beat(3000.0), *both), None)] == ["static_posture"]
