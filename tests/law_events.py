"""An afternoon as the coach sees it: events when they are settled, beats once a second, no rows."""

from __future__ import annotations

import math

from law_fixtures import WALL_AT_START_S

from monitor.core.events import Beat, Creep, Gap, Posture, PostureState, Record, SittingBout, StaticHold
from monitor.core.inputs import Mark

AFTERNOON_S = 3.0 * 3600
LATENESS_S = 0.3
"""From a row's time to its arrival: a beat's `data_s` lags by it."""


def afternoon() -> list[Record]:
    """Sitting for 50 min, a break, standing still for 45 min, then deep flexion; a gap, a snooze, "pain"."""
    timed: list[tuple[float, int, Record]] = []

    def settled(event: Record, decided_s: float) -> None:
        timed.append((decided_s + LATENESS_S, 0, event))

    states = [
        (30.0, Posture.STANDING),
        (60.0, Posture.SITTING),
        (3060.0, Posture.WALKING),
        (3300.0, Posture.STANDING),
        (6000.0, Posture.UNKNOWN),
        (6090.0, Posture.SITTING),
    ]
    for t_s, state in states:
        settled(PostureState(t_s, state, 0.9, t_s + 4.5), t_s + 4.5)
    settled(SittingBout(60.0, 3060.0, 0.0, False, 3085.0), 3085.0)
    settled(Gap("A", 9000.0, 9003.5, "missing"), 9003.5)
    for held_from, held_to in ((70, 3050), (3310, 5990), (6100, int(AFTERNOON_S))):
        for second in range(held_from, held_to):
            settled(StaticHold(float(second), float(second - held_from), second + 0.9), second + 0.9)
        settled(StaticHold(float(held_to), 0.0, held_to + 0.9), held_to + 0.9)
    for second in range(6100, int(AFTERNOON_S)):
        settled(Creep(float(second), 1 - math.exp(-(second - 6100) / 564), second + 0.5), second + 0.5)
    for second in range(int(AFTERNOON_S)):
        data_s = second - LATENESS_S if not 9000 < second < 9004 else 9000.0
        timed.append(
            (
                float(second),
                1,
                Beat("A", float(second), WALL_AT_START_S + second, 3600, second % 4000 != 3999, data_s),
            )
        )
    for t_s, kind, value in (
        (0.0, "settings", {"prompts": {"min_gap_min": 15.0}}),
        (0.0, "today", {"prompts": 1, "last_prompt_wall_s": WALL_AT_START_S - 900.0}),
        (0.0, "screening", {"level": 0}),
        (2000.5, "snooze", {"minutes": 3.0}),
        (4000.25, "pain", {}),
        (4400.75, "screening", {"level": 0}),
        (8000.5, "settings", {"prompts": {"min_gap_min": 20.0}}),
    ):
        timed.append((t_s, 2, Mark(t_s, kind, value)))
    return [_primary(), *(record for _, _, record in sorted(timed, key=lambda entry: entry[:2]))]


def _primary() -> Mark:
    value = {"sensor": "A", "driver": "spine1", "role": "single", "placement": "lower_back", "primary": True}
    return Mark(0.0, "sensor", value)
