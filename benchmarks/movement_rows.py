"""Rows of one sensor through the pipeline, for the measures of movements; and plain VQF on the same rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from vqf import VQF, offlineVQF

from monitor.core.blocks import TrunkBlock
from monitor.core.errors import MountError
from monitor.core.events import Movement, Record
from monitor.core.inputs import FloatArray, Input, Mark, Rows
from monitor.core.quaternion import up_in_source
from monitor.motion.mount.find import Mount, find_mount, mount_from_axes, usual_mount
from monitor.pipeline import Pipeline, oriented

G_M_S2 = 9.80665


class Analysed:
    """What the pipeline says of rows: `t_s` (n,), acc (n,3) m/s2, gyr (n,3) rad/s. `axes` as in `analyze --mount`, else found."""

    def __init__(
        self, t_s: FloatArray, acc: FloatArray, gyr: FloatArray, placement: str, axes: str = ""
    ) -> None:
        self.mount, inputs = mounted(t_s, acc, gyr, placement, axes)
        pipeline = Pipeline()
        records: list[Record] = pipeline.push(inputs)
        records += pipeline.close()
        self.movements = [record for record in records if isinstance(record, Movement)]
        self.trunk = [record for record in records if isinstance(record, TrunkBlock)]

    def column(self, name: str) -> FloatArray:
        """One column of the trunk rows, joined."""
        joined: FloatArray = np.concatenate([getattr(block, name) for block in self.trunk])
        return joined


def mounted(
    t_s: FloatArray, acc: FloatArray, gyr: FloatArray, placement: str, axes: str = ""
) -> tuple[Mount, list[Input]]:
    """The mount, and the inputs of the rows with it in front."""
    sensor = {"sensor": "A", "driver": "rows", "role": "single", "placement": placement, "primary": True}
    opening, rows = Mark(0.0, "sensor", sensor), Rows("A", t_s, acc, gyr)
    mount = mount_from_axes(axes) if axes else _found([opening, rows], placement)
    value = {
        "sensor": "A",
        "quat": list(mount.quat),
        "quality": mount.quality,
        "forward_known": mount.forward_known,
    }
    return mount, [opening, Mark(0.0, "mount", value), rows]


def _found(inputs: list[Input], placement: str) -> Mount:
    poses = list(oriented([inputs]))
    try:
        return find_mount(poses, placement, need_forward=False)
    except MountError:
        return usual_mount(poses)


def vqf_up(acc: FloatArray, gyr: FloatArray, rate_hz: float, *, offline: bool = False) -> FloatArray:
    """The vertical in sensor axes (n,3) by VQF as its author ships it; `offline`: its non-causal form."""
    acc, gyr = np.ascontiguousarray(acc), np.ascontiguousarray(gyr)
    if offline:
        return up_in_source(offlineVQF(gyr, acc, None, 1.0 / rate_hz)["quat6D"])
    return up_in_source(VQF(1.0 / rate_hz).updateBatch(gyr, acc)["quat6D"])


def tilt_from_start(up: FloatArray, rate_hz: float) -> FloatArray:
    """Angle (n,) deg from the mean vertical of the first half second."""
    first = up[: max(1, int(0.5 * rate_hz))].mean(axis=0)
    first /= np.sqrt(np.sum(first * first))
    tilt: FloatArray = np.degrees(np.arccos(np.clip(up @ first, -1.0, 1.0)))
    return tilt


def excursions(tilt_deg: FloatArray, up_deg: float, down_deg: float) -> list[tuple[int, int]]:
    """The peer: runs that rise beyond `up_deg` until they fall below `down_deg`, as (first row, row behind the last)."""
    found, start = [], -1
    for row in np.flatnonzero(np.diff(np.digitize(tilt_deg, (down_deg, up_deg)))).tolist():
        value = tilt_deg[row + 1]
        if start < 0 and value >= up_deg:
            start = row + 1
        elif start >= 0 and value < down_deg:
            found.append((start, row + 1))
            start = -1
    return [*found, (start, len(tilt_deg))] if start >= 0 else found


def share(flags: Iterable[bool]) -> float:
    """Of true ones, in percent."""
    values = list(flags)
    return 100.0 * sum(values) / len(values)
