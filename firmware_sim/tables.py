"""Typed reading of TOML tables: frozen dataclasses whose fields carry their limits.

A field made with `number`, `whole`, `flag`, `choice`, `numbers` or `spans` knows what it accepts; anything else in the
table, or a value outside the limits, is a `ScenarioError` that says what would have been accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

T = TypeVar("T")
Span = tuple[float, float]


class ScenarioError(ValueError):
    """A scenario that cannot be understood. The message is one sentence naming the place and what is allowed."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a field accepts: `check` turns the TOML value into the field's value or raises ValueError; `allowed` in words."""

    check: Callable[[Any], Any]
    allowed: str


def number(default: float, low: float, high: float) -> Any:
    """A finite number in low..high."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError
        return float(value)

    return _field(default, check, f"a number from {low:g} to {high:g}")


def whole(default: int, low: int, high: int) -> Any:
    """A whole number in low..high."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return _field(default, check, f"a whole number from {low} to {high}")


def flag(default: bool) -> Any:
    """true or false."""

    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    return _field(default, check, "true or false")


def choice(default: str, *names: str) -> Any:
    """One of some names."""

    def check(value: Any) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return _field(default, check, "one of " + ", ".join(names))


def choices(default: tuple[str, ...], *names: str) -> Any:
    """A list of one or more different names."""

    def check(value: Any) -> tuple[str, ...]:
        if (
            not isinstance(value, list)
            or not value
            or len(set(value)) != len(value)
            or not set(value) <= set(names)
        ):
            raise ValueError
        return tuple(value)

    return _field(default, check, "a list of different names out of " + ", ".join(names))


def numbers(default: tuple[float, ...] | None, count: int, low: float, high: float) -> Any:
    """A list of exactly `count` numbers in low..high, or absent."""

    def check(value: Any) -> tuple[float, ...]:
        if not isinstance(value, list) or len(value) != count:
            raise ValueError
        if any(isinstance(v, bool) or not isinstance(v, int | float) or not low <= v <= high for v in value):
            raise ValueError
        return tuple(float(v) for v in value)

    return _field(default, check, f"a list of {count} numbers from {low:g} to {high:g}")


def spans(default: tuple[Span, ...] = ()) -> Any:
    """A list of pairs of seconds [first, second], none negative."""

    def check(value: Any) -> tuple[Span, ...]:
        pairs = []
        for pair in value if isinstance(value, list) else [None]:
            if not isinstance(pair, list) or len(pair) != 2:
                raise ValueError
            if any(isinstance(v, bool) or not isinstance(v, int | float) or not 0 <= v <= 1e7 for v in pair):
                raise ValueError
            pairs.append((float(pair[0]), float(pair[1])))
        return tuple(pairs)

    return _field(default, check, "a list of pairs of seconds")


def read_table(kind: type[T], table: Any, place: str) -> T:
    """An instance of the dataclass `kind` from a TOML table. `place` names it in errors."""
    if not isinstance(table, Mapping):
        raise ScenarioError(f"{place} must be a table.")
    accepted: dict[str, Accepted] = {
        f.name: f.metadata["accepted"]
        for f in fields(kind)  # type: ignore[arg-type]
        if "accepted" in f.metadata
    }
    values = {}
    for key, value in table.items():
        if key not in accepted:
            raise ScenarioError(f"{place} has no key {key!r}; allowed are {', '.join(accepted)}.")
        try:
            values[key] = accepted[key].check(value)
        except (ValueError, TypeError):
            raise ScenarioError(f"{place}: {key} = {value!r} is not {accepted[key].allowed}.") from None
    return kind(**values)


def _field(default: Any, check: Callable[[Any], Any], allowed: str) -> Any:
    return field(default=default, metadata={"accepted": Accepted(check, allowed)})
