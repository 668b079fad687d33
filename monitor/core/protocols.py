"""The contracts of the house: what a stage, a source, a sink and each kind of plug-in must offer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from monitor.core.events import Posture, Record
from monitor.core.inputs import Input


@runtime_checkable
class Stage(Protocol):
    """A pure transformer of records, in order.

    What a stage does not know it passes on, in its place. It keeps the four laws: however the stream is cut into
    pushes the joined outputs are the same bits (cut); no clock, file, environment or chance (purity); its inputs
    are never altered (silence); the same inputs give the same outputs (replay).
    """

    def push(self, items: Sequence[Record]) -> list[Record]:
        """Take the next items and return what they settle."""
        ...

    def close(self) -> list[Record]:
        """No more will come: return what was still held back. Called once."""
        ...


class Source(Protocol):
    """Where inputs come from. Iterating yields lists of inputs in order, ending when there are no more.

    `now_s` is the source's own session clock (for stamping marks made meanwhile); `aclose` ends cleanly and is
    safe to call twice.
    """

    def __aiter__(self) -> AsyncIterator[list[Input]]: ...

    def now_s(self) -> float: ...

    async def aclose(self) -> None: ...


class Sink(Protocol):
    """Where records go. A sink that raises is detached with a notice; the others and the session go on."""

    def push(self, records: Sequence[Record]) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Detector:
    """A plug-in of `detect/`: module attribute `DETECTOR`. `after` names detectors whose events it reads."""

    name: str
    build: Callable[[], Stage]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """What a prompt rule may look at: all of it already settled, fresh and known at `t_s`.

    `state` and `state_since_s` the posture now; `sitting_s` length of the present sitting bout (0 outside one);
    `static_s` how long the trunk has stayed within a few degrees; `creep` budget used 0..1; `t_s` is row time.
    """

    t_s: float
    state: Posture
    state_since_s: float
    sitting_s: float
    static_s: float
    creep: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule's wish to prompt: a text of the catalogue by id, and the numbers behind it."""

    text_id: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A plug-in of `coach/rules/`: module attribute `RULE`. `propose` is pure; the caps are not its business.

    `settings` are the rule's own defaults, unit in the name; the user's settings overlay them.
    """

    name: str
    propose: Callable[[Situation, Mapping[str, float]], Proposal | None]
    settings: Mapping[str, float] = field(default_factory=dict)


# --- devices -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a scan saw, free of any radio library. `service_uuids` are lower-case 128-bit strings."""

    address: str
    name: str | None
    service_uuids: tuple[str, ...]
    manufacturer_data: Mapping[int, bytes]
    rssi_dbm: int


@dataclass(frozen=True, slots=True)
class Read:
    """Read a characteristic and hand the bytes on as a Packet of `channel`."""

    channel: str
    uuid: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Subscribe (notify or indicate); every value becomes a Packet of `channel`."""

    channel: str
    uuid: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write bytes, then wait `pause_s`. Recorded as a Packet of `<channel>_tx`."""

    channel: str
    uuid: str
    payload: bytes
    response: bool = True
    pause_s: float = 0.0


Step: TypeAlias = Read | Subscribe | Write


@dataclass(frozen=True, slots=True)
class Driver:
    """A plug-in of `devices/`: module attribute `DRIVER`. Data and pure functions; the radio is somebody else's.

    `matches(advertisement)` says whether this family is meant. `start` is played after each connection (subscriptions
    before the write that starts the stream), `stop` before each wanted disconnection, `every` (period_s, step) while
    connected. `data_channels` are those whose silence means a stale stream. `decoder(sensor)` turns Packets into
    ImuBlock, Fault, DeviceStatus and Beat. `identity(payloads by channel)` gives the sensor's own id or None.
    `row_identity(channel, payload)` is (boot, stream, seq of the first sample), None where the bytes carry none.
    """

    name: str
    title: str
    matches: Callable[[Advertisement], bool]
    start: tuple[Step, ...]
    stop: tuple[Step, ...]
    every: tuple[tuple[float, Step], ...]
    data_channels: tuple[str, ...]
    decoder: Callable[[str], Stage]
    identity: Callable[[Mapping[str, bytes]], str | None]
    row_identity: Callable[[str, bytes], tuple[int, int, int] | None]
    service_uuid: str
