"""Keep the prompts, snoozes and pain of a live session in the prompt log."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.events import Prompt, Record
from monitor.core.inputs import Mark, Tick
from monitor.store.prompt_log import PromptLog


class PromptLogSink:
    """Attach to live sessions only: what a replay or a simulation says was never said to the wearer."""

    def __init__(self, log: PromptLog) -> None:
        self._log = log
        self._wall_minus_host_s = 0.0

    def push(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, Tick):
                self._wall_minus_host_s = record.wall_s - record.t_host_s
            elif isinstance(record, Prompt):
                self._log.add(
                    {
                        "kind": "prompt",
                        "wall_s": self._wall_minus_host_s + record.t_s,
                        "rule": record.rule,
                        "text_id": record.text_id,
                        "reason": dict(record.reason),
                    }
                )
            elif isinstance(record, Mark) and record.kind == "pain":
                self._log.add({"kind": "pain", "wall_s": self._wall_minus_host_s + record.t_host_s})
            elif isinstance(record, Mark) and record.kind == "snooze":
                now_s = self._wall_minus_host_s + record.t_host_s
                minutes = record.value.get("minutes")
                until_s = (
                    record.value.get("until_wall_s") if minutes is None else now_s + 60.0 * float(minutes)
                )
                if until_s is not None:
                    self._log.add({"kind": "snooze", "wall_s": now_s, "until_wall_s": float(until_s)})

    def close(self) -> None:
        """Nothing is held back."""
