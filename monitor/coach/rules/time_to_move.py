"""Time to move: a long sitting bout, or much held flexion."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.events import Posture
from monitor.core.protocols import Proposal, Rule, Situation


def propose(situation: Situation, settings: Mapping[str, float]) -> Proposal | None:
    """A walk after `sitting_min` minutes of sitting, or once `creep_share` of the creep budget is used."""
    if situation.state is not Posture.SITTING:
        return None
    minutes = situation.sitting_s / 60.0
    if minutes >= settings["sitting_min"]:
        return Proposal("move.walk", {"minutes": minutes})
    if situation.creep >= settings["creep_share"]:
        return Proposal("creep.walk", {"creep": situation.creep})
    return None


RULE = Rule(
    "time_to_move",
    propose,
    {
        "sitting_min": 30.0,  # 30 min of sitting [I, the break length of a cluster trial, Waongenngarm 2021]
        "creep_share": 0.65,  # what 10 min of full flexion use: 1 - exp(-10 / 9.4) [I]
    },
)
