"""A session as lines of JSON: `hello`, then angles once a second and every event, then `end`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Beat, Creep, Record, StaticHold
from monitor.core.inputs import Mark
from monitor.sinks.event_json import event_object, json_line, plain

HOLD_STEP_S = 60.0
"""A static hold is told of at each further minute of it, not at each second."""
CREEP_STEP = 0.1
_ANGLES = ("inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg", "uncertainty_deg")


class LinesSink:
    """Write to `out`, one object a line. `mode` is `live`, `simulated` or `replay`; `hello` holds what else is known.

    The `angles` line of a second is its last row, of the primary sensor; lines do not depend on how the stream is
    cut. `end` is written by `close`, with the digest if `end` was given one before.
    """

    def __init__(self, out: TextIO, mode: str, hello: Mapping[str, Any] | None = None) -> None:
        self._out = out
        self._primary = ""
        self._second = -np.inf
        self._last_row: dict[str, Any] | None = None
        self._last_step: dict[str, float] = {}
        self._digest: str | None = None
        self._write({"kind": "hello", "mode": mode, **plain(dict(hello or {}))})

    def push(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, TrunkBlock):
                if record.sensor == self._primary and len(record):
                    self._angles(record)
            elif isinstance(record, Mark):
                self._mark(record)
            else:
                self._event(record)
        self._out.flush()

    def end(self, digest: str) -> None:
        """What the last line is to say: the digest over all records of the session."""
        self._digest = digest

    def close(self) -> None:
        if self._last_row is not None:
            self._write(self._last_row)
        self._write({"kind": "end", "digest": self._digest})
        self._out.flush()

    def _mark(self, mark: Mark) -> None:
        if mark.kind == "sensor" and (not self._primary or mark.value.get("primary")):
            self._primary = str(mark.value["sensor"])
        self._write(
            {"kind": "mark", "t_s": plain(mark.t_host_s), "mark": mark.kind, "value": plain(mark.value)}
        )

    def _angles(self, block: TrunkBlock) -> None:
        seconds = np.floor(block.t_s)
        if self._last_row is not None and seconds[0] > self._second:
            self._write(self._last_row)
        for i in np.flatnonzero(np.diff(seconds) > 0).tolist():
            self._write(self._row(block, i))
        self._last_row, self._second = self._row(block, len(block) - 1), float(seconds[-1])

    def _row(self, block: TrunkBlock, i: int) -> dict[str, Any]:
        angles = {name: _rounded(getattr(block, name)[i]) for name in _ANGLES}
        return {
            "kind": "angles",
            "t_s": float(block.t_s[i]),
            "sensor": block.sensor,
            **angles,
            "ok": bool(block.ok[i]),
        }

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


def _rounded(angle_deg: np.float64) -> float | None:
    """A tenth of a millidegree is far below any sensor; fewer digits are easier to read."""
    return round(float(angle_deg), 4) if np.isfinite(angle_deg) else None
