"""What the window knows, without drawing: the present moment, the last minute, what to say about them.

Two clocks meet here: session seconds (in the records) and `now_s`, the window's own steady clock, which keeps running
when the pipeline does not. Either may call the data stale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.core.blocks import LumbarBlock, TrunkBlock
from monitor.core.events import REZEROED, MountSet, Notice, Prompt, Record
from monitor.core.inputs import Mark
from monitor.core.snapshot import STALE_AFTER_S, Snapshot
from monitor.window.ring import MinuteRing
from monitor.window.texts import text

CALIBRATE_S = 20.0
"""Length of a calibration asked for by the button (the plan: calibrated in 20 seconds)."""

PROMPT_SHOWN_S = 600.0
"""A prompt not dismissed goes by itself after 10 min: it speaks of a moment that is over. Ours."""

REFRACTORY_S = 30 * 60.0
"""After a pop another is unlikely for 15 to 30 min (seed articles); the longest, and the program's default."""

MOVEMENT_OFF_LEVEL, BENDING_OFF_LEVEL = 2, 3
"""Self-check levels from which prompts, and calibration by bending too, are off (requirements, red flags)."""

MESSAGES_KEPT = 50
_DAY_S = 86_400
_NOTED = ("stiff", "urge", "popped", "pain", "attached")


class Mode(StrEnum):
    """Where the data come from; from the data's own header, never from a guess."""

    LIVE = "live"
    REPLAY = "replay"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Message:
    """A line of the log: session time and a whole sentence."""

    t_s: float
    text: str


class WindowModel:
    """Fold records with `push`; ask for the rest. `now_s` is any steady clock in seconds, the same in every call."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.snapshot = Snapshot()
        self.ring = MinuteRing()
        self.lumbar_ring = MinuteRing()
        self.messages: list[Message] = []
        self.ended = False
        self._prompts: list[Prompt] = []
        self._arrived_now_s = -math.inf
        self._lumbar_now_s = -math.inf
        self._beat_now_s = -math.inf

    def push(self, records: Sequence[Record], now_s: float) -> None:
        """Take what the bridge handed over at `now_s`."""
        before = self.snapshot.t_host_s
        self.snapshot.push(records)
        if self.snapshot.t_host_s != before:
            self._beat_now_s = now_s
        for record in records:
            match record:
                case TrunkBlock() if record.sensor == self.snapshot.primary and len(record):
                    self.ring.push(record)
                    self._arrived_now_s = now_s
                case LumbarBlock() if len(record):
                    self.lumbar_ring.push(record)
                    self._lumbar_now_s = now_s
                case Prompt():
                    self._prompt(record)
                case Notice():
                    place = self.snapshot.placements.get(record.sensor, "") if self.snapshot.two else ""
                    whose = (
                        text("messages.of", place=text(f"placement.{place}").capitalize()) if place else ""
                    )
                    self._say(record.t_s, whose + record.text)
                case MountSet() if record.sensor == self.snapshot.primary and record.source != REZEROED:
                    self._say(record.t_s, text("calibrate.done"))
                case Mark():
                    self._mark(record)
                case _:
                    pass

    def end(self) -> None:
        """The session is over: what is shown stays readable but is no longer the present."""
        self.ended = True

    def has_rows(self) -> bool:
        return self.snapshot.rows > 0

    def fresh(self, now_s: float) -> bool:
        """May the last row be shown as the present? Not before there is one, nor 2 s after it, nor after the end."""
        quiet = now_s - self._arrived_now_s > STALE_AFTER_S
        return self.has_rows() and not (self.ended or quiet or self.snapshot.stale)

    def lumbar_fresh(self, now_s: float) -> bool:
        """May the angle between two sensors be shown as the present? Not where one of them is silent."""
        quiet = now_s - self._lumbar_now_s > STALE_AFTER_S
        return self.fresh(now_s) and not quiet and not self.snapshot.lumbar_stale

    def age_s(self, now_s: float) -> float:
        """How old the last row is; infinite before the first."""
        snapshot = self.snapshot
        # Between two beats the window's clock carries the session's on.
        by_session = snapshot.t_host_s - snapshot.data_s + max(0.0, now_s - self._beat_now_s)
        by_arrival = now_s - self._arrived_now_s
        return max(by_arrival, by_session) if snapshot.stale else by_arrival

    def present_s(self, now_s: float) -> float:
        """Row time that the right edge of the plots stands for: the last row, moving on alone once rows stop."""
        silence = now_s - self._arrived_now_s - STALE_AFTER_S
        return self.snapshot.data_s + (silence if silence > 0 and math.isfinite(silence) else 0.0)

    def pose_deg(self, now_s: float) -> tuple[float, float] | None:
        """Flexion and lateral bend to draw, None where they are unknown or stale."""
        pose = (self.snapshot.flexion_deg, self.snapshot.lateral_deg)
        return pose if self.fresh(now_s) and all(map(math.isfinite, pose)) else None

    @property
    def silenced(self) -> bool:
        """No prompt and no movement idea may be shown: pain, or a self-check that asks for medical advice first."""
        return self.snapshot.in_pain or (self.snapshot.screening_level or 0) >= MOVEMENT_OFF_LEVEL

    @property
    def may_bend(self) -> bool:
        """May a calibration, which asks for bending, be offered?"""
        return not self.snapshot.in_pain and (self.snapshot.screening_level or 0) < BENDING_OFF_LEVEL

    @property
    def prompts(self) -> list[Prompt]:
        """Prompts to show now, newest first. None from a recording, in a pause, in pain, or of a moment long over."""
        if self.silenced or self.snapshot.snooze_left_s > 0 or self.ended:
            return []
        oldest = self.snapshot.t_host_s - PROMPT_SHOWN_S
        return [prompt for prompt in reversed(self._prompts) if prompt.t_s >= oldest]

    def dismiss(self) -> None:
        """Take the newest shown prompt away."""
        shown = self.prompts
        if shown:
            self._prompts.remove(shown[0])

    def dismiss_all(self) -> None:
        self._prompts.clear()

    def refractory_left_s(self) -> float:
        """Seconds in which another pop is unlikely after the last one logged; 0 without one."""
        left = self.snapshot.last_pop_s + REFRACTORY_S - self.snapshot.t_host_s
        return max(0.0, left) if math.isfinite(left) else 0.0

    def tomorrow_wall_s(self) -> float:
        """The next local midnight, Unix time; NaN while the wall clock is unknown."""
        local = self.snapshot.wall_s + self.snapshot.utc_offset_s
        return (
            (math.floor(local / _DAY_S) + 1) * _DAY_S - self.snapshot.utc_offset_s
            if math.isfinite(local)
            else math.nan
        )

    def clock_label(self, t_s: float) -> str:
        """Local time of day `HH:MM` of a session time; minutes and seconds of the session without a wall clock."""
        at = self.snapshot.wall_s + self.snapshot.utc_offset_s + t_s - self.snapshot.t_host_s
        if math.isfinite(at):
            return f"{int(at) % _DAY_S // 3600:02d}:{int(at) % 3600 // 60:02d}"
        return f"{int(t_s) // 60}:{int(t_s) % 60:02d}"

    def _prompt(self, prompt: Prompt) -> None:
        if self.mode is Mode.REPLAY:
            self._say(prompt.t_s, text("prompts.recorded", text=prompt.text))
        else:
            self._prompts.append(prompt)
            del self._prompts[:-MESSAGES_KEPT]

    def _mark(self, mark: Mark) -> None:
        if mark.kind in _NOTED:
            self._say(mark.t_host_s, text("messages.noted", what=text(f"mark.{mark.kind}")))
        elif mark.kind == "snooze":
            on = not any(mark.value.values())
            self._say(mark.t_host_s, text("messages.unsnoozed" if on else "messages.snoozed"))
        if mark.kind in ("snooze", "pain"):
            self._prompts.clear()

    def _say(self, t_s: float, sentence: str) -> None:
        if self.messages and self.messages[-1].text == sentence:
            self.messages.pop()
        self.messages.append(Message(t_s, sentence))
        del self.messages[:-MESSAGES_KEPT]
