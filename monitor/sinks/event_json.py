"""Events as JSON objects: `kind` and `t_s` always, then the event's own fields."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from enum import StrEnum
from typing import Any, get_args

from monitor.core.events import Event, Fault, Record, Transition

_EVENTS = get_args(Event)
_NAMES = {kind: re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() for kind in _EVENTS}
_FIELDS = {_NAMES[kind]: tuple(field.name for field in dataclass_fields(kind)) for kind in _EVENTS}
_RENAMED: dict[type, dict[str, str]] = {
    Transition: {"from_state": "from", "to_state": "to"},
    Fault: {"kind": "fault"},
}
"""Fields of an event that have another name in its object, where `kind` is the event's own."""


def event_object(record: Record) -> dict[str, Any] | None:
    """The object of an event, None for anything else. `t_s` of what lasts is its start. Not-a-number becomes null."""
    name = _NAMES.get(type(record))
    if name is None:
        return None
    fields: dict[str, Any] = {key: getattr(record, key) for key in _FIELDS[name]}
    t_s = fields.pop("t_s", fields.get("start_s", fields.get("t_host_s")))
    renamed = _RENAMED.get(type(record), {})
    fields = {renamed.get(key, key): value for key, value in fields.items()}
    return {"kind": name, "t_s": plain(t_s), **{key: plain(value) for key, value in fields.items()}}


def plain(value: Any) -> Any:
    """`value` with nothing in it that strict JSON lacks."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(cell) for key, cell in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(cell) for cell in value]
    return value


def json_line(value: Mapping[str, Any]) -> str:
    """One line of strict JSON, with its end of line; in ASCII, so that no reader sees another end of line in it."""
    return json.dumps(value, allow_nan=False) + "\n"
