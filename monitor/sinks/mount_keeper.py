"""Keep a fresh calibration with the paired sensor it belongs to, for the next session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.core.events import MountSet, Record
from monitor.core.inputs import Mark, Tick
from monitor.store.paired import Mount, used


class MountKeeper:
    """`names` sensor key -> the name it is paired under, in the list in `folder`. Attach to live sessions only."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        self._folder, self._names = folder, dict(names)
        self._wall_s = 0.0
        self._given: set[tuple[float, ...]] = set()

    def push(self, records: Sequence[Record]) -> None:
        for record in records:
            match record:
                case Tick():
                    self._wall_s = record.wall_s
                case Mark(kind="mount"):
                    self._given.add(tuple(record.value["quat"]))
                case MountSet() if record.quat not in self._given and record.sensor in self._names:
                    mount = Mount(record.quat, record.quality, record.forward_known, self._wall_s)
                    used(self._folder, self._names[record.sensor], self._wall_s, mount)
                case _:
                    pass

    def close(self) -> None:
        """Nothing is held back."""
