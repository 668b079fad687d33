"""What the analysis is given from other rooms: functions of modules, so that a worker process can be handed them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from monitor.core.blocks import PoseBlock
from monitor.core.inputs import Input, Mark
from monitor.core.protocols import Sink


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """`placement` is where an imported file's sensor was worn (session files know). `mount`: `auto` (a session's own where
    it has one, else found in the data) or axes such as `forward=+z,up=+x`; of two sensors, if they differ, the upper one's,
    `/`, the lower one's. `column_map`: a map of columns in TOML.
    `offline`: the non-causal filter for the angles. `jobs`: files at the same time, None for one per core. `lower`: the
    table of the lower sensor where the file is that of the upper one of a pair.
    """

    placement: str = "lower_back"
    mount: str = "auto"
    column_map: Path | None = None
    offline: bool = False
    jobs: int | None = None
    lower: Path | None = None


class MountLike(Protocol):
    """A mount as motion.mount gives it. `refusal`: why forward is unknown. `doubt`: why the quality was capped."""

    @property
    def quality(self) -> float: ...
    @property
    def forward_known(self) -> bool: ...
    @property
    def source(self) -> str: ...
    @property
    def refusal(self) -> str: ...
    @property
    def doubt(self) -> str: ...
    def mark(self, sensor: str, t_host_s: float) -> Mark: ...


class Output(Sink, Protocol):
    """A sink of results (sinks.tables). `close` makes them final, `discard` removes them."""

    def discard(self) -> None: ...

    def warn(self, text: str) -> None: ...

    def result(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """`open_input(path, options)` gives the inputs of a file from its beginning each time it is called, the first list
    with the opening marks. `open_output(folder, stem, about)` starts the results. `find_mount(poses, placement)` raises
    MountError where there is no evidence, `mount_from_axes(text)` SettingsError. `versions` are those of the program.
    `length_s(path, options)` is how many seconds of data the file holds, found without reading it; 0 where it does not say.
    """

    open_input: Callable[[Path, AnalyzeOptions], Iterator[list[Input]]]
    open_output: Callable[[Path, str, Mapping[str, Any]], Output]
    find_mount: Callable[[Sequence[PoseBlock], str], MountLike]
    mount_from_axes: Callable[[str], MountLike]
    versions: Mapping[str, str]
    length_s: Callable[[Path, AnalyzeOptions], float]
