"""The two longer texts: what to read after "I want to crack it" and after "Pain". Content only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.window.model import REFRACTORY_S, WindowModel
from monitor.window.texts import duration, text

Role = Literal["title", "heading", "body", "bullet", "note"]

_URGENT = ("bladder", "saddle", "nerve", "legs", "fever", "weight", "fall", "history")


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph and the part it plays on the page."""

    role: Role
    text: str


def urge_lines(model: WindowModel) -> tuple[Line, ...]:
    """No pop is needed, what may feel good, what the urge may mean, whom to ask. No exercise: that needs a self-check."""
    lines = [Line("title", text("urge.title")), Line("body", text("urge.sound"))]
    if model.silenced:
        return (*lines, Line("body", text("urge.silenced")), *_asking())
    left_s = model.refractory_left_s()
    if left_s > 0:
        ago, left = duration(REFRACTORY_S - left_s), duration(max(60.0, left_s))
        lines.append(Line("body", text("urge.window", ago=ago, left=left)))
    lines.append(Line("heading", text("urge.options")))
    lines += [Line("bullet", text(f"urge.{option}")) for option in ("breathe", "walk", "heat")]
    lines += [Line("heading", text("urge.meaning")), Line("body", text("urge.meaning.text"))]
    return (*lines, *_asking())


def _asking() -> tuple[Line, Line]:
    return Line("heading", text("urge.ask")), Line("body", text("urge.ask.text"))


def pain_lines() -> tuple[Line, ...]:
    """Stop, rest, whom to ask, and the list that asks for urgent help: the same words whatever was measured."""
    lines = [
        Line("title", text("pain.title")),
        Line("body", text("pain.stop")),
        Line("body", text("pain.ask")),
    ]
    lines.append(Line("heading", text("pain.urgent")))
    lines += [Line("bullet", text(f"pain.urgent.{sign}")) for sign in _URGENT]
    return (*lines, Line("body", text("pain.soon")), Line("note", text("pain.note")))


def stop_lines() -> tuple[Line, ...]:
    return (Line("title", text("stop.title")), Line("body", text("stop.text")))


def stopping_lines() -> tuple[Line, ...]:
    return (Line("title", text("stop.running")),)
