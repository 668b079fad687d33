"""The mount of each sensor before its file is analysed: given, recorded, or found in a pass over the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from monitor.cohort.tools import AnalyzeOptions, MountLike, Tools
from monitor.core.blocks import PoseBlock
from monitor.core.errors import MountError, SettingsError
from monitor.core.inputs import Input, Mark, Packet, Rows
from monitor.pipeline import headings_mark, oriented

AUTO = "auto"
EVIDENCE_S = 3_600.0
"""The file is searched in pieces of this length, until one says where forward is: bounds the memory."""
USUAL = "usual"
USUAL_WARNING = (
    "Nobody walks, stands or sits still upright here: inclination is relative to the most frequent pose, "
    "not to a calibrated upright."
)
_MOUNTING = ("mount", "calibrate")
PER_SENSOR = "/"
_ROLES = ("upper", "lower")


def opening_marks(blocks: Iterator[list[Input]]) -> list[Mark]:
    """The marks before everything else."""
    first = next(blocks, [])
    return [item for item in takewhile(lambda item: isinstance(item, Mark), first) if isinstance(item, Mark)]


def mounts_for(
    opening: Sequence[Mark], path: Path, options: AnalyzeOptions, tools: Tools
) -> tuple[list[Mark], list[str]]:
    """The mount marks that go behind the opening marks of `path`, and warnings where there is no evidence for one.

    Raises SettingsError for axes that are none, InputFileError for the file.
    """
    marks: list[Mark] = []
    warnings: list[str] = []
    for mark in opening:
        if mark.kind != "sensor":
            continue
        sensor, role = str(mark.value["sensor"]), str(mark.value.get("role", ""))
        whose = f"The {role} sensor: " if role in ("upper", "lower") else ""
        if options.mount != AUTO:
            marks.append(given_mount(options.mount, role, tools).mark(sensor, mark.t_host_s))
        elif not any(other.kind in _MOUNTING and other.value.get("sensor") == sensor for other in opening):
            try:
                found = _search(path, options, tools, mark)
                marks.append(found.mark(sensor, mark.t_host_s))
                if found.source == USUAL:
                    warnings.append(f"{whose}{USUAL_WARNING}")
                elif not found.forward_known:
                    warnings.append(f"{whose}Forward could not be found in the data: {found.refusal}")
                if found.doubt:
                    warnings.append(f"{whose}{found.doubt}")
            except MountError as refused:
                warnings.append(
                    f"The mount of sensor {sensor} could not be found in the data: {refused.sentence}"
                )
    return marks, warnings


def given_mount(text: str, role: str, tools: Tools) -> MountLike:
    """The axes of `text` for the sensor of `role`: one pair of axes for all, or the upper sensor's `/` the lower one's.

    Raises SettingsError for axes that are none, and for two pairs where there is one sensor.
    """
    given = text.split(PER_SENSOR)
    if len(given) == 1:
        return tools.mount_from_axes(text)
    if len(given) != len(_ROLES) or role not in _ROLES:
        raise SettingsError(
            f"{text!r} names the axes of {len(given)} sensors, but here there is another number.",
            "Write one pair of axes, or with two sensors the upper one's, a slash and the lower one's.",
            "mount",
        )
    return tools.mount_from_axes(given[_ROLES.index(role)])


def headings_for(opening: Sequence[Mark], path: Path, options: AnalyzeOptions, tools: Tools) -> list[Mark]:
    """With two sensors the mark that tells how their headings differ, found in a pass over the file; else none."""
    roles = {str(m.value.get("role")): str(m.value["sensor"]) for m in opening if m.kind == "sensor"}
    if not {"upper", "lower"} <= set(roles):
        return []
    poses = (
        oriented(_of_sensor(tools.open_input(path, options), roles[role])) for role in ("upper", "lower")
    )
    return [headings_mark(*poses)]


def with_mounts(
    blocks: Iterable[list[Input]], marks: Sequence[Mark], options: AnalyzeOptions
) -> Iterator[list[Input]]:
    """The inputs with `marks` behind their opening marks. A mount given by the user outrules the recorded ones."""
    left = list(marks)
    for block in blocks:
        items = block
        if options.mount != AUTO:
            items = [item for item in block if not (isinstance(item, Mark) and item.kind in _MOUNTING)]
        if left:
            n = len(list(takewhile(lambda item: isinstance(item, Mark), items)))
            items, left = [*items[:n], *left, *items[n:]], []
        yield items


def _search(path: Path, options: AnalyzeOptions, tools: Tools, sensor_mark: Mark) -> MountLike:
    """The mount of the first piece that knows forward, else the best that knows only up. Raises MountError."""
    sensor, placement = (
        str(sensor_mark.value["sensor"]),
        str(sensor_mark.value.get("placement", options.placement)),
    )
    best: MountLike | None = None
    refusal = MountError("There is no data.", "", "too_short")
    for piece in _pieces(oriented(_of_sensor(tools.open_input(path, options), sensor))):
        try:
            found = tools.find_mount(piece, placement)
        except MountError as refused:
            refusal = refused
            continue
        if found.forward_known:
            return found
        if best is None or found.quality > best.quality:
            best = found
    if best is None:
        raise refusal
    return best


def _pieces(poses: Iterator[PoseBlock]) -> Iterator[list[PoseBlock]]:
    piece: list[PoseBlock] = []
    for pose in poses:
        if not len(pose):
            continue
        if piece and pose.imu.t_s[-1] - piece[0].imu.t_s[0] > EVIDENCE_S:
            yield piece
            piece = []
        piece.append(pose)
    if piece:
        yield piece


def _of_sensor(blocks: Iterable[list[Input]], sensor: str) -> Iterator[list[Input]]:
    """What concerns one sensor. Without ticks: they do not change what is measured."""
    for block in blocks:
        yield [
            item
            for item in block
            if (isinstance(item, (Packet, Rows)) and item.sensor == sensor)
            or (isinstance(item, Mark) and item.value.get("sensor") == sensor)
        ]
