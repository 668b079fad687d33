"""What the wearer may set about prompts, with hard limits: settings can ask for fewer prompts, never for too many."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.core.errors import SettingsError
from monitor.core.protocols import Rule

QUIET_SPAN_MIN_H = 8.0  # quiet hours may be moved (night work), not made shorter than a night's sleep [I]
RULE_LOWEST = 0.5  # a rule's number may be set from half its default [I]
RULE_HIGHEST = 4.0  # to four times it [I]


@dataclass(frozen=True, slots=True)
class Limit:
    """A setting's default and the range it must stay in."""

    default: float
    lowest: float
    highest: float


LIMITS: Mapping[str, Limit] = {
    "min_gap_min": Limit(
        30.0, 15.0, 240.0
    ),  # at most one prompt in 30 min [I, safety H2]; never more often than 15 [I]
    "per_day": Limit(8.0, 0.0, 8.0),  # at most 8 a day [I, safety H2]
    "quiet_start_h": Limit(21.0, 0.0, 24.0),  # quiet hours 21-08 local time [I]
    "quiet_end_h": Limit(8.0, 0.0, 24.0),
}


@dataclass(frozen=True, slots=True)
class PromptSettings:
    """Checked settings. `rules` holds each rule's numbers; `rules_off` those the wearer switched off."""

    enabled: bool = True
    min_gap_s: float = LIMITS["min_gap_min"].default * 60.0
    per_day: int = int(LIMITS["per_day"].default)
    quiet_start_h: float = LIMITS["quiet_start_h"].default
    quiet_end_h: float = LIMITS["quiet_end_h"].default
    rules: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    rules_off: frozenset[str] = frozenset()


def parse_settings(value: Mapping[str, Any], rules: Mapping[str, Rule]) -> PromptSettings:
    """Check the value of a `settings` mark: its table `prompts` against `LIMITS` and the rules' own settings.

    A rule's name takes a table of its numbers, or false to switch it off. Raises SettingsError naming key and range.
    """
    table = value.get("prompts", {})
    if not isinstance(table, Mapping):
        raise SettingsError(
            "The settings 'prompts' must be a table.", "Write [prompts] above them.", "prompts"
        )
    known = ("enabled", *LIMITS, *rules)
    for key in table:
        _known("prompts", str(key), known)
    enabled = table.get("enabled", True)
    if not isinstance(enabled, bool):
        raise SettingsError("prompts.enabled must be true or false.", "", "prompts.enabled")
    numbers = {key: _number(f"prompts.{key}", table, key, limit) for key, limit in LIMITS.items()}
    span_h = (numbers["quiet_end_h"] - numbers["quiet_start_h"]) % 24.0
    if span_h < QUIET_SPAN_MIN_H:
        raise SettingsError(
            f"prompts.quiet_start_h to prompts.quiet_end_h is {span_h:g} h; quiet hours last {QUIET_SPAN_MIN_H:g} to 24 h.",
            "Move them, or make them longer.",
            "prompts.quiet_end_h",
        )
    own = {name: table.get(name, {}) for name in rules}
    return PromptSettings(
        enabled=enabled,
        min_gap_s=numbers["min_gap_min"] * 60.0,
        per_day=int(numbers["per_day"]),
        quiet_start_h=numbers["quiet_start_h"],
        quiet_end_h=numbers["quiet_end_h"],
        rules={name: _rule_numbers(rule, own[name]) for name, rule in rules.items()},
        rules_off=frozenset(name for name in rules if own[name] is False),
    )


def _rule_numbers(rule: Rule, table: Any) -> Mapping[str, float]:
    name = f"prompts.{rule.name}"
    if table is False or table is True:
        return dict(rule.settings)
    if not isinstance(table, Mapping):
        raise SettingsError(f"{name} must be a table of its numbers, or false.", "", name)
    for key in table:
        _known(name, str(key), rule.settings)
    return {
        key: _number(
            f"{name}.{key}", table, key, Limit(default, RULE_LOWEST * default, RULE_HIGHEST * default)
        )
        for key, default in rule.settings.items()
    }


def _number(name: str, table: Mapping[str, Any], key: str, limit: Limit) -> float:
    value = table.get(key, limit.default)
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not limit.lowest <= value <= limit.highest:
        raise SettingsError(
            f"{name} is {value!r}; it must be a number from {limit.lowest:g} to {limit.highest:g}.",
            f"The default is {limit.default:g}.",
            name,
        )
    return float(value)


def _known(table: str, key: str, known: Iterable[str]) -> None:
    names = list(known)
    if key in names:
        return
    near = difflib.get_close_matches(key, names, n=1)
    hint = f"Did you mean {table}.{near[0]}?" if near else f"Known: {', '.join(names)}."
    raise SettingsError(f"There is no setting {table}.{key}.", hint, f"{table}.{key}")
