"""The digest of everything the pipeline said, for comparing a replay with its original."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.digest import StreamDigest
from monitor.core.events import Record


class DigestSink:
    """Fold records into one SHA-256 (core.digest); inputs do not count."""

    def __init__(self) -> None:
        self._digest = StreamDigest()

    def push(self, records: Sequence[Record]) -> None:
        self._digest.push(records)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()

    def by_kind(self) -> dict[str, str]:
        """Hex digest per kind of record, to see which kind differs."""
        return self._digest.by_kind()

    def close(self) -> None:
        """Nothing is held back."""
