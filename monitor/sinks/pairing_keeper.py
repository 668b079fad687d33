"""Keep with a paired sensor what a session learns of it: when it was used, who it is, a fresh calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.core.errors import StorageError
from monitor.core.events import MountSet, Record
from monitor.core.inputs import Mark, Tick
from monitor.store.paired import Mount, used


class PairingKeeper:
    """`names` sensor key -> the name it is paired under, in the list in `folder`.

    An identity is kept where none was known. A list that cannot be written costs this sink, never the session.
    """

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
                case Mark(kind="identity") if record.value["sensor"] in self._names:
                    self._keep(str(record.value["sensor"]), identity=str(record.value["id"]))
                case MountSet() if record.quat not in self._given and record.sensor in self._names:
                    about = (record.quality, record.forward_known, self._wall_s, record.forward_sd_deg)
                    self._keep(record.sensor, Mount(record.quat, *about))
                case _:
                    pass

    def close(self) -> None:
        """Nothing is held back."""

    def _keep(self, sensor: str, mount: Mount | None = None, identity: str | None = None) -> None:
        try:
            used(self._folder, self._names[sensor], self._wall_s, mount, identity)
        except StorageError as problem:
            # A StorageError would end the session: that is for the recording alone.
            raise OSError(problem.sentence) from problem
