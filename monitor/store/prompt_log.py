"""What was prompted, when and why: an append-only log of JSON lines, local, and today's share of it.

Prompts of live sessions only: they are what the daily caps count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.core.errors import StorageError

PAIN_HOLDS_S = 86_400.0
"""Until a self-check can clear it, pain keeps prompts off for a day [I]."""


@dataclass(frozen=True, slots=True)
class PromptLog:
    """The log at `path`. Raises StorageError where it cannot be written."""

    path: Path

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append one entry; it needs `wall_s` (Unix time) and `kind` (`prompt`, `snooze` or `pain`)."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(dict(entry)) + "\n")
            self.path.chmod(0o600)
        except OSError as error:
            raise StorageError(
                f"The prompt log {self.path} cannot be written ({error.strerror}).",
                "Make the folder writable; prompts are capped by this log.",
                str(self.path),
            ) from error

    def today(self, wall_s: float, utc_offset_s: int) -> dict[str, Any]:
        """The value of the Mark `today`: prompts since local midnight, and the last one's Unix time."""
        entries = [entry for entry in self._entries() if entry.get("kind") == "prompt"]
        midnight = _local_midnight_s(wall_s, utc_offset_s)
        walls = [float(entry["wall_s"]) for entry in entries if float(entry["wall_s"]) <= wall_s]
        return {
            "prompts": sum(1 for wall in walls if wall >= midnight),
            "last_prompt_wall_s": max(walls, default=None),
        }

    def snoozed_until(self, wall_s: float) -> float | None:
        """Unix time until which the wearer asked for quiet, None if that is over."""
        until = [float(entry["until_wall_s"]) for entry in self._entries() if entry.get("kind") == "snooze"]
        return until[-1] if until and until[-1] > wall_s else None

    def in_pain(self, wall_s: float) -> bool:
        """Whether the wearer marked pain within the last day: prompts to move then stay off across restarts."""
        return any(
            wall_s - PAIN_HOLDS_S < float(entry["wall_s"]) <= wall_s
            for entry in self._entries()
            if entry.get("kind") == "pain"
        )

    def _entries(self) -> list[dict[str, Any]]:
        """Readable entries in order. A torn last line (a crash while writing) is skipped."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(
                f"The prompt log {self.path} cannot be read ({error.strerror}).",
                "Make it readable, or remove it to start counting anew.",
                str(self.path),
            ) from error
        entries = []
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and isinstance(entry.get("wall_s"), (int, float)):
                entries.append(entry)
        return entries


def _local_midnight_s(wall_s: float, utc_offset_s: int) -> float:
    local = datetime.fromtimestamp(wall_s, UTC) + timedelta(seconds=utc_offset_s)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - timedelta(seconds=utc_offset_s)).timestamp()
