"""What the analysis works with: readers, results, mounts. Functions of this module, so that worker processes find them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from monitor.cohort.tools import AnalyzeOptions, Tools
from monitor.core.blocks import PoseBlock
from monitor.core.counted import counted
from monitor.core.errors import MountError, SuppleError
from monitor.core.inputs import Input, Mark
from monitor.motion.mount.find import Mount, find_mount, mount_from_axes, usual_mount
from monitor.sinks.tables import TableSink
from monitor.sources.importers.csv_parquet import NOTE, read_inputs
from monitor.sources.importers.mapping import load_map
from monitor.sources.importers.pair import read_pair
from monitor.sources.importers.span import span_s
from monitor.sources.importers.turning import Turning
from monitor.store.schema import SUFFIX
from monitor.store.session_file import SessionReader
from monitor.version import VERSION

DOUBTED_QUALITY = 0.3
"""Of a mount that a wrong gyroscope helped to find: its upright may be off by some 4 deg, forward by 20 (motion.uncertainty)."""
DOUBTED = f"The mount was found with a gyroscope in doubt, so its quality is at most {DOUBTED_QUALITY}."
_LIBRARIES = ("numpy", "scipy", "vqf", "pyarrow")


def is_session(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX


def open_input(path: Path, options: AnalyzeOptions) -> Iterator[list[Input]]:
    """The inputs of a session file, of a table whose columns are canonical or named by a map, or of a pair of tables."""
    columns = load_map(options.column_map) if options.column_map is not None else None
    if options.lower is not None:
        return read_pair(path, options.lower, columns)
    if is_session(path):
        return _session(path)
    return read_inputs(path, options.placement, columns)


def length_s(path: Path, options: AnalyzeOptions) -> float:
    """Seconds of data in a file, from its ends; 0 where it does not say. Never raises: reading it says what is wrong."""
    try:
        if is_session(path):
            with SessionReader(path) as reader:
                return reader.duration_s
        return span_s(path, load_map(options.column_map) if options.column_map is not None else None)
    except SuppleError:
        return 0.0


def _session(path: Path) -> Iterator[list[Input]]:
    with SessionReader(path) as reader:
        last_s = 0.0
        for inputs in reader.inputs(order="identity"):
            last_s = getattr(inputs[-1], "t_host_s", last_s)
            yield inputs
        if reader.damaged:
            text = f"Left out: {counted(reader.damaged, 'damaged row')} of the recording."
            yield [Mark(last_s, NOTE, {"text": text})]


def open_output(folder: Path, stem: str, about: Mapping[str, Any]) -> TableSink:
    return TableSink(folder, stem, about)


def search_mount(poses: Sequence[PoseBlock], placement: str) -> Mount:
    """Forward is welcome but not demanded; without any upright moment the usual pose has to do.

    Where the gyroscope disagrees with gravity the quality is at most DOUBTED_QUALITY.
    """
    try:
        found = find_mount(poses, placement, need_forward=False)
    except MountError:
        found = usual_mount(poses)
    turning = Turning()
    for pose in poses:
        if pose.imu.gyr is not None:
            turning.see(pose.imu.t_s, pose.imu.acc, pose.imu.gyr)
    if not turning.note:
        return found
    return replace(found, quality=min(found.quality, DOUBTED_QUALITY), doubt=DOUBTED)


def analysis_tools() -> Tools:
    libraries = {name: version(name) for name in _LIBRARIES}
    versions = {"supple": VERSION, **libraries}
    return Tools(open_input, open_output, search_mount, mount_from_axes, versions, length_s)
