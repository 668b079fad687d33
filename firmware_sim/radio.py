"""When a radio can send: connection events, and the stretches in which nothing gets through. Numbers only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, TypeAlias

Window: TypeAlias = tuple[float, float]
"""(start_s, end_s)."""

EVENT_OPEN_S = 2e-3
"""For so long after its start a connection event still takes the peripheral's answer: about one exchange of 251 bytes."""


class AirPlan(Protocol):
    """What a scenario says of the air. Times in seconds of the scenario."""

    @property
    def interval_s(self) -> float:
        """Connection interval."""
        ...

    @property
    def adv_loss(self) -> float:
        """Probability that an advertisement is not heard."""
        ...

    @property
    def rssi_dbm(self) -> float: ...

    @property
    def rssi_sd_db(self) -> float: ...

    @property
    def out_of_range(self) -> tuple[Window, ...]: ...

    @property
    def latency_spikes(self) -> tuple[tuple[float, float], ...]:
        """(start_s, length_s): nothing gets through for that long, then all of it does."""
        ...

    @property
    def loss(self) -> float:
        """Probability that a notification is lost by the host's queue."""
        ...


def blocked_windows(plan: AirPlan) -> tuple[Window, ...]:
    """Every stretch in which nothing gets through, in order."""
    spikes = [(start_s, start_s + length_s) for start_s, length_s in plan.latency_spikes]
    return tuple(sorted([*plan.out_of_range, *spikes]))


def clear_of(windows: Sequence[Window], t_s: float) -> float:
    """`t_s`, or the end of the window it lies in."""
    for start_s, end_s in windows:
        if start_s <= t_s < end_s:
            t_s = end_s
    return t_s


def next_event_s(
    t_s: float, anchor_s: float, interval_s: float, windows: Sequence[Window] = (), open_s: float = 0.0
) -> float:
    """The next connection event after `t_s` that lies in no window; `t_s` itself within `open_s` of an event's start.

    Events are at `anchor_s` + k `interval_s`.
    """
    passed = math.floor((t_s - anchor_s) / interval_s)
    event_s = anchor_s + (passed + 1) * interval_s
    if 0.0 <= t_s - (anchor_s + passed * interval_s) < open_s:
        event_s = t_s
    free_s = clear_of(windows, event_s)
    return event_s if free_s == event_s else next_event_s(free_s, anchor_s, interval_s, windows)
