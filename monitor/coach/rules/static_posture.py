"""Static posture: the trunk in one position for long, sitting or standing."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.protocols import Proposal, Rule, Situation


def propose(situation: Situation, settings: Mapping[str, float]) -> Proposal | None:
    """A walk after `static_min` minutes in one position."""
    minutes = situation.static_s / 60.0
    if minutes < settings["static_min"]:
        return None
    return Proposal("static.walk", {"minutes": minutes})


RULE = Rule("static_posture", propose, {"static_min": 40.0})  # prolonged static positions, standing too [I]
