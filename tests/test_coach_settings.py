"""Prompt settings may ask for less, never for too much, and a wrong one is named with its range."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.coach import rules
from monitor.coach.settings import LIMITS, PromptSettings, parse_settings
from monitor.core.errors import SettingsError
from monitor.core.registry import discover

RULES = discover(rules, "RULE")


def parse(prompts: Any) -> PromptSettings:
    return parse_settings({"prompts": prompts}, RULES)


def test_the_defaults_are_those_of_the_safety_table() -> None:
    s = parse_settings({}, RULES)
    assert (s.enabled, s.min_gap_s, s.per_day, s.quiet_start_h, s.quiet_end_h) == (True, 1800.0, 8, 21.0, 8.0)
    assert s.rules["time_to_move"]["sitting_min"] == 30.0
    assert s.rules["static_posture"]["static_min"] == 40.0


@pytest.mark.parametrize("key", sorted(LIMITS))
def test_a_number_outside_its_range_is_refused_by_name(key: str) -> None:
    limit = LIMITS[key]
    for value in (limit.lowest - 0.5, limit.highest + 0.5, float("nan"), "5", True, None):
        with pytest.raises(SettingsError) as error:
            parse({key: value})
        assert error.value.datum == f"prompts.{key}"
        assert f"{limit.lowest:g} to {limit.highest:g}" in error.value.sentence


def test_caps_can_be_tightened_and_not_loosened() -> None:
    s = parse({"per_day": 3, "min_gap_min": 60, "quiet_start_h": 18})
    assert (s.per_day, s.min_gap_s, s.quiet_start_h) == (3, 3600.0, 18.0)
    for loose in ({"per_day": 9}, {"min_gap_min": 5}, {"quiet_start_h": 2, "quiet_end_h": 4}):
        with pytest.raises(SettingsError):
            parse(loose)


def test_an_unknown_key_gets_a_suggestion() -> None:
    with pytest.raises(SettingsError) as error:
        parse({"per_dya": 3})
    assert "prompts.per_day" in error.value.next_step
    with pytest.raises(SettingsError) as error:
        parse({"time_to_move": {"siting_min": 30}})
    assert "prompts.time_to_move.sitting_min" in error.value.next_step


def test_a_rule_takes_its_own_numbers_within_a_range_or_false() -> None:
    s = parse({"time_to_move": {"sitting_min": 45}, "static_posture": False})
    assert s.rules["time_to_move"]["sitting_min"] == 45.0
    assert s.rules_off == {"static_posture"}
    for wrong in ({"time_to_move": {"sitting_min": 5}}, {"time_to_move": 3}, {"enabled": 1}):
        with pytest.raises(SettingsError):
            parse(wrong)


def test_other_tables_are_somebody_elses_business() -> None:
    assert parse_settings({"window": {"theme": "dark"}}, RULES) == parse_settings({}, RULES)
