"""The coach: at each beat it looks at what is settled, asks the rules, and prompts if every cap allows.

It acts only on events decided at least a second before the data it has, in the order in which they were decided, so
that the way the stream was cut never changes what it says. It is silent whenever it is not sure: stale or no data, a
posture not positively sitting or standing, shaken as in a vehicle, just after a start, a reconnection or a gap.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.coach import rules as rules_package
from monitor.coach.caps import Caps
from monitor.coach.settings import PromptSettings, parse_settings
from monitor.coach.texts import render
from monitor.core.events import (
    Beat,
    Creep,
    Gap,
    Posture,
    PostureState,
    Prompt,
    Record,
    SittingBout,
    StaticHold,
    Vibration,
)
from monitor.core.inputs import Mark
from monitor.core.protocols import Rule, Situation
from monitor.core.registry import discover

SETTLED_S = 1.0  # an event is used this long after its decision: by then every cut has it
STALE_S = 2.0  # data older than this are no ground for a prompt [I, safety H3]
RECOGNISED_S = 60.0  # the posture must have been positively known this long [I, safety H3]
START_S = 300.0  # never in the first 5 min after a start [I, safety H2]
RECONNECT_S = 120.0  # nor in the 2 min after a reconnection or a gap [I]
GAP_S = 2.0  # a gap longer than this counts [I]
BOUT_PAUSE_S = 20.0  # a bout goes on over a pause of this length
MOVEMENT_OFF_LEVEL = 2  # from this screening level on nothing that moves is prompted [I]

_KINDS: Mapping[type, int] = {PostureState: 0, SittingBout: 1, StaticHold: 2, Creep: 3, Gap: 4, Vibration: 5}


class Coach:
    """Stage. `rules` by name; without them those found in `coach/rules`."""

    def __init__(self, rules: Mapping[str, Rule] | None = None) -> None:
        self._rules: Mapping[str, Rule] = discover(rules_package, "RULE") if rules is None else rules
        self._settings: PromptSettings = parse_settings({}, self._rules)
        self._caps = Caps()
        self._primary = ""
        self._waiting: list[tuple[float, int, int, Record]] = []
        self._arrived = 0
        self._off = False
        self._first_host_s = math.nan
        self._connected = False
        self._connected_host_s = math.nan
        self._gap_end_s = -math.inf
        self._state = Posture.UNKNOWN
        self._state_since_s = math.nan
        self._bout_s = math.nan
        self._last_sat_s = math.nan
        self._static_s = 0.0
        self._creep = 0.0
        self._shaken = False

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        for item in items:
            out.append(item)
            if isinstance(item, Beat):
                if self._is_primary(item.sensor):
                    out += self._beat(item)
            elif isinstance(item, Mark):
                self._mark(item)
            elif type(item) in _KINDS and self._is_primary(getattr(item, "sensor", self._primary)):
                self._arrived += 1
                decided_s = item.end_s if isinstance(item, Gap) else item.decided_s  # type: ignore[union-attr]
                heapq.heappush(self._waiting, (decided_s, _KINDS[type(item)], self._arrived, item))
        return out

    def close(self) -> list[Record]:
        return []

    def _is_primary(self, sensor: str) -> bool:
        return not self._primary or sensor == self._primary

    def _mark(self, mark: Mark) -> None:
        value: Mapping[str, Any] = mark.value
        if mark.kind == "sensor" and value.get("primary"):
            self._primary = str(value["sensor"])
        elif mark.kind == "settings":
            self._settings = parse_settings(value, self._rules)
        elif mark.kind == "today":
            self._caps.today(value)
        elif mark.kind == "snooze":
            self._caps.snooze(mark.t_host_s, value)
        elif mark.kind == "pain":
            self._off = True
        elif mark.kind == "screening":
            level = value.get("level")
            # Without a screening a walk may still be offered, but only a passed one ends what "pain" started.
            if level is not None:
                self._off = int(level) >= MOVEMENT_OFF_LEVEL

    def _beat(self, beat: Beat) -> list[Prompt]:
        now_s = beat.data_s - SETTLED_S
        while self._waiting and self._waiting[0][0] <= now_s:
            self._settle(heapq.heappop(self._waiting)[3])
        if math.isnan(self._first_host_s):
            self._first_host_s = beat.t_host_s
        if beat.connected and not self._connected:
            self._connected_host_s = beat.t_host_s
        self._connected = beat.connected
        allowed = self._caps.allow(beat.t_host_s, beat.wall_s, beat.utc_offset_s, self._settings)
        if not allowed or not self._certain(beat, now_s):
            return []
        situation = Situation(
            t_s=now_s,
            state=self._state,
            state_since_s=self._state_since_s,
            sitting_s=0.0 if math.isnan(self._bout_s) else now_s - self._bout_s,
            static_s=self._static_s,
            creep=self._creep,
        )
        for name, rule in self._rules.items():
            proposal = None
            if name not in self._settings.rules_off:
                proposal = rule.propose(situation, self._settings.rules[name])
            if proposal is not None:
                self._caps.count(beat.t_host_s, beat.wall_s, beat.utc_offset_s)
                text = render(proposal.text_id, proposal.values)
                reason = {**proposal.values, "state": str(self._state), "settled_s": now_s}
                return [Prompt(beat.data_s, name, proposal.text_id, text, reason)]
        return []

    def _certain(self, beat: Beat, now_s: float) -> bool:
        """Whether the posture is positively known, now, and has been for a while."""
        return (
            not self._off
            and not self._shaken
            and beat.connected
            and beat.t_host_s - beat.data_s <= STALE_S
            and beat.t_host_s - self._first_host_s >= START_S
            and beat.t_host_s - self._connected_host_s >= RECONNECT_S
            and now_s - self._gap_end_s >= RECONNECT_S
            and (self._state is Posture.SITTING or self._state is Posture.STANDING)
            and now_s - self._state_since_s >= RECOGNISED_S
        )

    def _settle(self, event: Record) -> None:
        match event:
            case PostureState():
                self._state, self._state_since_s = event.state, event.t_s
                if event.state is Posture.SITTING:
                    self._last_sat_s = event.t_s
                    if math.isnan(self._bout_s):
                        self._bout_s = event.t_s
            case SittingBout():
                resumed = self._last_sat_s - event.end_s > BOUT_PAUSE_S
                self._bout_s = self._last_sat_s if resumed else math.nan
            case StaticHold():
                self._static_s = event.seconds
            case Creep():
                self._creep = event.fraction
            case Vibration():
                self._shaken = event.shaken
            case Gap() if event.end_s - event.start_s > GAP_S:
                self._gap_end_s = event.end_s
            case _:
                pass
