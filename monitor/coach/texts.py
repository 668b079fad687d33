"""The catalogue of what the wearer may be told: an observation and an option, in plain words, each with a stable id."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "move.walk": "You have been sitting for {minutes} minutes. A short walk may feel good. Stop if it hurts.",
    "creep.walk": "You have been leaning forward for a while. A short walk may feel good. Stop if it hurts.",
    "static.walk": "{minutes} minutes in one position. A short walk may feel good. Stop if it hurts.",
}


def render(text_id: str, values: Mapping[str, float]) -> str:
    """The text with its numbers rounded to whole ones. Raises KeyError for an unknown id or a missing number."""
    return TEXTS[text_id].format_map({name: round(value) for name, value in values.items()})
