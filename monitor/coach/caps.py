"""How often and when the wearer may be prompted at all, whatever the rules wish."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from monitor.coach.settings import PromptSettings

DAY_S = 86400.0
HOUR_S = 3600.0


class Caps:
    """Counts prompts. Gaps are kept by the clock that does not step within a session, and by the wall before it."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._earlier_today: int | None = None
        self._earlier_wall_s = math.nan
        self._first_host_s = math.nan
        self._last_host_s = math.nan
        self._snooze_host_s = -math.inf
        self._snooze_wall_s = -math.inf

    def today(self, value: Mapping[str, Any]) -> None:
        """Prompts given today before this session: the value of the mark `today`."""
        self._earlier_today = int(value.get("prompts") or 0)
        last = value.get("last_prompt_wall_s")
        self._earlier_wall_s = math.nan if last is None else float(last)

    def snooze(self, t_host_s: float, value: Mapping[str, Any]) -> None:
        """Quiet for `minutes`, or until `until_wall_s`. The latest snooze counts."""
        minutes, until_s = value.get("minutes"), value.get("until_wall_s")
        self._snooze_host_s = -math.inf if minutes is None else t_host_s + 60.0 * float(minutes)
        self._snooze_wall_s = -math.inf if until_s is None else float(until_s)

    def allow(self, t_host_s: float, wall_s: float, utc_offset_s: int, settings: PromptSettings) -> bool:
        """Whether a prompt may be given now. To be asked at every beat: the first one tells which day it is."""
        if math.isnan(self._first_host_s):
            self._first_host_s = t_host_s
        if not math.isfinite(wall_s):
            return False
        day = _day(wall_s, utc_offset_s)
        if self._earlier_today is not None:
            self._counts[day] = self._counts.get(day, 0) + self._earlier_today
            self._earlier_today = None
        return (
            settings.enabled
            and self._counts.get(day, 0) < settings.per_day
            and not _quiet(wall_s, utc_offset_s, settings)
            and t_host_s >= self._snooze_host_s
            and wall_s >= self._snooze_wall_s
            and self._gap_kept(t_host_s, wall_s, settings.min_gap_s)
        )

    def count(self, t_host_s: float, wall_s: float, utc_offset_s: int) -> None:
        """A prompt was given."""
        day = _day(wall_s, utc_offset_s)
        self._counts[day] = self._counts.get(day, 0) + 1
        self._last_host_s = t_host_s

    def _gap_kept(self, t_host_s: float, wall_s: float, gap_s: float) -> bool:
        if t_host_s - self._last_host_s < gap_s:
            return False
        # A wall clock set back since then must not silence for ever: the session's own time counts too.
        return not (wall_s - self._earlier_wall_s < gap_s and t_host_s - self._first_host_s < gap_s)


def _day(wall_s: float, utc_offset_s: int) -> int:
    return math.floor((wall_s + utc_offset_s) / DAY_S)


def _quiet(wall_s: float, utc_offset_s: int, settings: PromptSettings) -> bool:
    hour = (wall_s + utc_offset_s) % DAY_S / HOUR_S
    since_start_h = (hour - settings.quiet_start_h) % 24.0
    return since_start_h < (settings.quiet_end_h - settings.quiet_start_h) % 24.0
