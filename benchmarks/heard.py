"""What the detectors of a recording look at, kept, so that they can be asked again with other thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Gap, MountSet, Record, Slip
from monitor.core.inputs import Input, Mark
from monitor.pipeline import Pipeline, detectors

FROM_MOTION = (TrunkBlock, Gap, MountSet, Slip)


@dataclass(frozen=True)
class Heard:
    """Marks and what comes from motion, in order; and what the detectors named in `done` have made of it already."""

    records: Sequence[Record]
    done: tuple[str, ...] = ()

    def told(self, *names: str) -> Heard:
        """With what the detectors `names` say of it, those before in place. They run behind those that are done."""
        records = list(self.records)
        for detector in detectors():
            if detector.name in names:
                stage = detector.build()
                records = [*stage.push(records), *stage.close()]
        return Heard(records, (*self.done, *names))


def heard(blocks: Iterable[Sequence[Input]]) -> Heard:
    """The inputs of one recording, through motion. Thresholds of motion are in it for good."""
    pipeline = Pipeline()
    records: list[Record] = []
    for inputs in blocks:
        records += [item for item in inputs if isinstance(item, Mark)]
        records += [r for r in pipeline.push(inputs) if isinstance(r, FROM_MOTION)]
    return Heard([*records, *(r for r in pipeline.close() if isinstance(r, FROM_MOTION))])
