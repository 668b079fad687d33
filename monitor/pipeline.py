"""The pipeline, as plain code: decode -> timeline -> calibrate -> orient -> angles -> join -> detect -> prompt.

One pure object: inputs in, records out. Live, replay, analysis and tests push through this and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from monitor import detect, devices
from monitor.coach.stage import Coach
from monitor.core.blocks import ImuBlock, PoseBlock
from monitor.core.errors import SettingsError
from monitor.core.events import Record
from monitor.core.inputs import Input, Mark, Packet, Rows, Tick
from monitor.core.protocols import Detector, Driver, Stage
from monitor.core.registry import discover
from monitor.motion.angles import TrunkAngles
from monitor.motion.chip.calibrate import DeviceCalibration
from monitor.motion.chip.gravity_check import GravityCheck
from monitor.motion.join import Join
from monitor.motion.offline import OfflineAngles
from monitor.motion.orient import Orient
from monitor.motion.shared_motion import HEADINGS, heading_runs, value_of
from monitor.motion.silence import Silence
from monitor.motion.timeline import Timeline

_INNER = frozenset((Packet, Mark, Tick, Rows, ImuBlock, PoseBlock))
"""What travels between stages but is no outcome: the caller has the inputs, the blocks became trunk blocks."""


class Pipeline:
    """Push lists of inputs, in order; get the records they settle. `close` once at the end.

    A Mark `sensor` opens a sensor; what comes from a sensor nobody opened raises SettingsError. Marks are barriers:
    rows that came before one are processed before it. Ticks are not, so that a day of them costs nothing.
    """

    def __init__(self) -> None:
        self._drivers = drivers()
        self._chains: dict[str, list[Stage]] = {}
        self._silence = Silence()
        self._tail: list[Stage] = [Join(), *(d.build() for d in detectors()), Coach()]

    def push(self, inputs: Sequence[Input]) -> list[Record]:
        if len(self._chains) == 1 and Mark not in set(map(type, inputs)):
            return self._alone(inputs)
        settled: list[Record] = []
        waiting: dict[str, list[Record]] = {sensor: [] for sensor in self._chains}
        for item in inputs:
            if isinstance(item, (Packet, Rows)):
                if item.sensor not in waiting:
                    raise _never_opened(item.sensor)
                if isinstance(item, Packet) and (heard := self._silence.heard(item)):
                    settled += [*self._flush(waiting), *heard]
                waiting[item.sensor].append(item)
            elif isinstance(item, Tick):
                if late := self._silence.passed(item):
                    settled += [*self._flush(waiting), *late]
                for queue in waiting.values():
                    queue.append(item)
            else:
                settled += self._flush(waiting)
                if item.kind == "sensor":
                    self._open(item)
                    waiting.setdefault(str(item.value["sensor"]), [])
                settled += self._mark(item)
        settled += self._flush(waiting)
        return _outcomes(_through(self._tail, settled))

    def _alone(self, inputs: Sequence[Input]) -> list[Record]:
        """One sensor and no mark, as nearly always: no need to sort a million packets a day by sensor."""
        (chain,) = self._chains.values()
        settled = _through(chain, inputs)
        for item in settled:
            if isinstance(item, (Packet, Rows)):  # the decoder passed it on: it is another sensor's
                raise _never_opened(item.sensor)
        return _outcomes(_through(self._tail, settled))

    def close(self) -> list[Record]:
        """What was still held back. The pipeline takes no more after this."""
        settled: list[Record] = []
        for chain in self._chains.values():
            settled += _drain(chain, [])
        return _outcomes(_drain(self._tail, settled))

    def _open(self, mark: Mark) -> None:
        sensor = str(mark.value["sensor"])
        self._silence.opened(mark)
        if sensor not in self._chains:
            self._chains[sensor] = [*_oriented_chain(self._drivers, mark), TrunkAngles()]

    def _flush(self, waiting: Mapping[str, list[Record]]) -> list[Record]:
        settled: list[Record] = []
        for sensor, queue in waiting.items():
            if queue:
                settled += _through(self._chains[sensor], queue)
                queue.clear()
        return settled

    def _mark(self, mark: Mark) -> list[Record]:
        """A mark goes down every chain (each stage takes what concerns its sensor) and on to the tail once."""
        settled: list[Record] = []
        for chain in self._chains.values():
            settled += [out for out in _through(chain, [mark]) if out is not mark]
        return [*settled, mark]


def drivers() -> dict[str, Driver]:
    """Every device family there is, by name."""
    return discover(devices, "DRIVER")


def detectors() -> list[Detector]:
    """Every detector there is, each behind those whose events it reads. Raises ValueError on a circle."""
    left = discover(detect, "DETECTOR")
    ordered: list[Detector] = []
    while left:
        done = {detector.name for detector in ordered}
        ready = [name for name, detector in left.items() if set(detector.after) <= done]
        if not ready:
            raise ValueError(f"detectors wait for each other or for one that is missing: {sorted(left)}")
        ordered.append(left.pop(ready[0]))
    return ordered


def final_pass() -> Stage:
    """Takes the records of a whole recording; gives them with the angles that a filter knowing the future finds."""
    return OfflineAngles()


def oriented(blocks: Iterable[Sequence[Input]]) -> Iterator[PoseBlock]:
    """The oriented rows of one sensor's inputs, before any mount: what calibration looks at."""
    chain: list[Stage] = []
    for inputs in blocks:
        for item in inputs:
            if isinstance(item, Mark) and item.kind == "sensor" and not chain:
                chain = _oriented_chain(drivers(), item)
        yield from (out for out in _through(chain, list(inputs)) if isinstance(out, PoseBlock))
    yield from (out for out in _drain(chain, []) if isinstance(out, PoseBlock))


class MeasuredRows:
    """The rows of one sensor as its chip gave them, on an even grid, before any calibration.

    `push` inputs that begin with its opening mark; out come ImuBlock, Gap, Fault and DeviceStatus.
    """

    def __init__(self, sensor: str) -> None:
        self._sensor = sensor
        self._stages: list[Stage] = []

    def push(self, inputs: Sequence[Input]) -> list[Record]:
        mine: list[Record] = []
        for item in inputs:
            if isinstance(item, (Packet, Rows)):
                if item.sensor == self._sensor:
                    mine.append(item)
            elif isinstance(item, Mark) and item.kind == "sensor" and item.value["sensor"] == self._sensor:
                self._stages = self._stages or _grid_chain(drivers(), item)
        return _through(self._stages, mine) if self._stages else []

    def close(self) -> list[Record]:
        return _drain(self._stages, [])


def headings_mark(upper: Iterable[PoseBlock], lower: Iterable[PoseBlock]) -> Mark:
    """The opening mark that tells how the headings of two sensors differ, from the oriented rows of a whole recording."""
    return Mark(0.0, HEADINGS, value_of(heading_runs(upper, lower)))


def _oriented_chain(known: Mapping[str, Driver], mark: Mark) -> list[Stage]:
    return [*_grid_chain(known, mark), DeviceCalibration(), GravityCheck(), Orient()]


def _grid_chain(known: Mapping[str, Driver], mark: Mark) -> list[Stage]:
    name, sensor = str(mark.value["driver"]), str(mark.value["sensor"])
    if name not in known:
        raise SettingsError(
            f"This program has no driver {name!r} for sensor {sensor!r}.",
            f"It knows: {', '.join(known)}.",
            name,
        )
    return [known[name].decoder(sensor), Timeline()]


def _never_opened(sensor: str) -> SettingsError:
    return SettingsError(
        f"Data came from a sensor that was never opened: {sensor!r}.",
        "A recording opens each sensor with a 'sensor' mark before its data.",
        sensor,
    )


def _through(stages: Sequence[Stage], items: Sequence[Record]) -> list[Record]:
    out = list(items)
    for stage in stages:
        out = stage.push(out)
    return out


def _drain(stages: Sequence[Stage], items: Sequence[Record]) -> list[Record]:
    """Close each stage in turn; what it gives out still passes the stages behind it."""
    out = list(items)
    for stage in stages:
        out = [*stage.push(out), *stage.close()]
    return out


def _outcomes(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if type(record) not in _INNER]
