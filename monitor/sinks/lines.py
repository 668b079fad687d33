"""A session as lines of JSON: `hello`, then angles once a second and every event, then `end`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO, TypeVar

import numpy as np

from monitor.core.blocks import LumbarBlock, TrunkBlock
from monitor.core.events import Beat, Creep, Record, StaticHold
from monitor.core.inputs import FloatArray, Mark
from monitor.sinks.event_json import event_object, json_line, plain

HOLD_STEP_S = 60.0
"""A static hold is told of at each further minute of it, not at each second."""
CREEP_STEP = 0.1
_ANGLES = ("inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg")
_DEVIATIONS = {
    "inclination_sd_deg": "uncertainty_deg",
    "flexion_sd_deg": "flexion_sd_deg",
    "lateral_sd_deg": "lateral_sd_deg",
    "rotation_sd_deg": "rotation_sd_deg",
}
"""Named as in the tables (sinks.tables), by the rows' own names."""
_LUMBAR = (
    *("flexion_deg", "lateral_deg", "rotation_deg"),
    *("flexion_sd_deg", "lateral_sd_deg", "rotation_sd_deg"),
)
_B = TypeVar("_B", TrunkBlock, LumbarBlock)


class LinesSink:
    """Write to `out`, one object a line. `mode` is `live`, `simulated` or `replay`; `hello` holds what else is known.

    The `angles` line of a second is its last row, of the primary sensor; with two sensors a `lumbar` line tells the
    angles between them likewise. Lines of a kind do not depend on how the stream is cut. `end` is written by `close`,
    with the digest if `end` was given one before.
    """

    def __init__(self, out: TextIO, mode: str, hello: Mapping[str, Any] | None = None) -> None:
        self._out = out
        self._primary = ""
        self._angles, self._lumbar = _LastOfSecond(), _LastOfSecond()
        self._last_step: dict[str, float] = {}
        self._digest: str | None = None
        self._write({"kind": "hello", "mode": mode, **plain(dict(hello or {}))})

    def push(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, TrunkBlock):
                if record.sensor == self._primary:
                    self._told(self._angles.push(record, _angles_line))
            elif isinstance(record, LumbarBlock):
                self._told(self._lumbar.push(record, _lumbar_line))
            elif isinstance(record, Mark):
                self._mark(record)
            else:
                self._event(record)
        self._out.flush()

    def end(self, digest: str) -> None:
        """What the last line is to say: the digest over all records of the session."""
        self._digest = digest

    def close(self) -> None:
        self._told([*self._angles.close(), *self._lumbar.close()])
        self._write({"kind": "end", "digest": self._digest})
        self._out.flush()

    def _mark(self, mark: Mark) -> None:
        if mark.kind == "sensor" and (not self._primary or mark.value.get("primary")):
            self._primary = str(mark.value["sensor"])
        self._write(
            {"kind": "mark", "t_s": plain(mark.t_host_s), "mark": mark.kind, "value": plain(mark.value)}
        )

    def _told(self, lines: Sequence[Mapping[str, Any]]) -> None:
        for line in lines:
            self._write(line)

    def _event(self, record: Record) -> None:
        if isinstance(record, Beat):
            return
        if isinstance(record, StaticHold) and not self._further("static_hold", record.seconds // HOLD_STEP_S):
            return
        if isinstance(record, Creep) and not self._further("creep", record.fraction // CREEP_STEP):
            return
        line = event_object(record)
        if line is not None:
            self._write(line)

    def _further(self, kind: str, step: float) -> bool:
        """Is this another step than the last one told of?"""
        before = self._last_step.get(kind, 0.0)
        self._last_step[kind] = step
        return step != before

    def _write(self, line: Mapping[str, Any]) -> None:
        self._out.write(json_line(line))


class _LastOfSecond:
    """The last row of each whole second, as a line, once a later row has come."""

    def __init__(self) -> None:
        self._second = -np.inf
        self._last: dict[str, Any] | None = None

    def push(self, block: _B, line: Callable[[_B, int], dict[str, Any]]) -> list[dict[str, Any]]:
        if not len(block):
            return []
        seconds = np.floor(block.t_s)
        lines = self.close() if seconds[0] > self._second else []
        lines += [line(block, i) for i in np.flatnonzero(np.diff(seconds) > 0).tolist()]
        self._last, self._second = line(block, len(block) - 1), float(seconds[-1])
        return lines

    def close(self) -> list[dict[str, Any]]:
        return [] if self._last is None else [self._last]


def _angles_line(block: TrunkBlock, i: int) -> dict[str, Any]:
    angles = {name: _rounded(getattr(block, name)[i]) for name in _ANGLES}
    stated = {name: getattr(block, column) for name, column in _DEVIATIONS.items()}
    head = {"kind": "angles", "t_s": float(block.t_s[i]), "sensor": block.sensor}
    return {**head, **angles, **_at(stated, i), "ok": bool(block.ok[i])}


def _lumbar_line(block: LumbarBlock, i: int) -> dict[str, Any]:
    stated = {f"lumbar_{name}": getattr(block, name) for name in _LUMBAR}
    return {"kind": "lumbar", "t_s": float(block.t_s[i]), **_at(stated, i), "ok": bool(block.ok[i])}


def _at(columns: Mapping[str, FloatArray | None], i: int) -> dict[str, float | None]:
    """Row `i` of each column; None where nobody states it."""
    return {name: None if column is None else _rounded(column[i]) for name, column in columns.items()}


def _rounded(angle_deg: np.float64) -> float | None:
    """A tenth of a millidegree is far below any sensor; fewer digits are easier to read."""
    return round(float(angle_deg), 4) if np.isfinite(angle_deg) else None
