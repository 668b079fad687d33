"""Events: what the pipeline says happened. Times are row times (seconds since the session's start, or the file's own).

`decided_s` is the time of the row whose arrival settled the event: never earlier than what the event is about.
Nothing may act on an event before the data have reached `decided_s`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from monitor.core.blocks import Block
from monitor.core.inputs import Input

REZEROED = "rezeroed"


class Posture(StrEnum):
    """The five posture states. `unknown` is the start, and what follows lost evidence."""

    UNKNOWN = "unknown"
    SITTING = "sitting"
    STANDING = "standing"
    WALKING = "walking"
    LYING = "lying"


class Direction(StrEnum):
    """Direction of a movement away from neutral. `tilt`: away from upright and back, where forward is not known."""

    FLEXION = "flexion"
    EXTENSION = "extension"
    LATERAL_RIGHT = "lateral_right"
    LATERAL_LEFT = "lateral_left"
    ROTATION_LEFT = "rotation_left"
    ROTATION_RIGHT = "rotation_right"
    TILT = "tilt"


@dataclass(frozen=True, slots=True)
class Gap:
    """No rows between two times. `reason`: `missing` (packets or rows that never came) or `reboot`."""

    sensor: str
    start_s: float
    end_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Bad bytes or rows, counted, never raised. `kind` e.g. `crc`, `length`, `duplicate`, `version`, `nan`, `clip`."""

    sensor: str
    t_s: float
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What the sensor says of itself. Fields it does not report are None."""

    sensor: str
    t_s: float
    battery_percent: float | None
    temperature_c: float | None
    clip_count: int | None


@dataclass(frozen=True, slots=True)
class Beat:
    """A tick as one sensor's decoder saw it: `data_s` is the time of the last row received before it (-inf: none yet)."""

    sensor: str
    t_host_s: float
    wall_s: float
    utc_offset_s: int
    connected: bool
    data_s: float


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know about the evidence. `id` is stable; `text` is a whole sentence.

    `sensor` is whose, empty where it is nobody's in particular.
    """

    t_s: float
    id: str
    text: str
    sensor: str = ""


@dataclass(frozen=True, slots=True)
class MountSet:
    """A mount came into force: `quat` w x y z, sensor -> body. `quality` 0..1; without forward no flexion or lateral bend.
    `forward_sd_deg`: one standard deviation of forward about the cranial axis, 0 where the axes were given.

    `source` REZEROED: it follows a small creep of the sensor, so that what was learned in body axes stays true.
    """

    sensor: str
    t_s: float
    quat: tuple[float, float, float, float]
    quality: float
    forward_known: bool
    source: str
    forward_sd_deg: float = 0.0


class SlipKind(StrEnum):
    """How far the sensor moved on the body: it slid, it was put on again in another way, or it hangs upside down."""

    SLIPPED = "slipped"
    REATTACHED = "reattached"
    UPSIDE_DOWN = "upside_down"


@dataclass(frozen=True, slots=True)
class Slip:
    """The sensor no longer sits on the body as it did: upright shows `angle_deg` away from where it was.

    `from_s` is when it was last seen in its place, so what was measured from there to `decided_s` may be wrong by that
    angle; `t_s` the first row that showed it elsewhere. Evidence from before `decided_s` does not compare with
    evidence after it.
    """

    sensor: str
    t_s: float
    from_s: float
    angle_deg: float
    slip: SlipKind
    decided_s: float


@dataclass(frozen=True, slots=True)
class PostureState:
    """From `t_s` on the wearer is in `state`. `confidence` 0..1."""

    t_s: float
    state: Posture
    confidence: float
    decided_s: float


@dataclass(frozen=True, slots=True)
class Transition:
    """A change between two known states: when the seat is lost or found, else at its middle."""

    t_s: float
    from_state: Posture
    to_state: Posture
    confidence: float
    decided_s: float


@dataclass(frozen=True, slots=True)
class SittingBout:
    """A maximal run of sitting with interruptions of at most 20 s (facts: ActiPASS). `cut`: its start or end was not seen."""

    start_s: float
    end_s: float
    interruptions_s: float
    cut: bool
    decided_s: float


@dataclass(frozen=True, slots=True)
class Break:
    """Time out of a bout (start_s..end_s), with credit = min(1, seconds of trunk movement / 120)."""

    start_s: float
    end_s: float
    credit: float
    decided_s: float


@dataclass(frozen=True, slots=True)
class Slouch:
    """Held flexion beyond the wearer's own upright reference. `mean_deg` and `peak_deg` above that reference."""

    start_s: float
    end_s: float
    mean_deg: float
    peak_deg: float
    decided_s: float


@dataclass(frozen=True, slots=True)
class StaticHold:
    """The trunk stays within a few degrees: `seconds` so far. Given once a second while held; 0 s says it ended."""

    t_s: float
    seconds: float
    decided_s: float


@dataclass(frozen=True, slots=True)
class Creep:
    """Creep budget used, 0..1 of the asymptote (first-order, tau 9.4 min in full flexion: McGill & Brown 1992)."""

    t_s: float
    fraction: float
    decided_s: float


@dataclass(frozen=True, slots=True)
class Vibration:
    """From `t_s` on the wearer is (or is no longer) shaken without pause, as in a vehicle: no moment for a prompt."""

    t_s: float
    shaken: bool
    decided_s: float


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement away from neutral and back (or to a hold). Signed peak in `direction` is positive.

    `return_error_deg`: half the 90 % interval of `range_deg`. `sparc`: smoothness of the angular speed,
    nearer to 0 is smoother. `state`: the posture during it; a rotation while walking is a turn of the whole body.
    `returned`: the angle came back near where it began, in the posture it began in; of others, such as a way down to the
    floor, `range_deg` is no range of motion.
    """

    direction: Direction
    start_s: float
    end_s: float
    peak_deg: float
    range_deg: float
    peak_rate_deg_s: float
    decided_s: float
    return_error_deg: float = math.nan
    sparc: float = math.nan
    state: Posture = Posture.UNKNOWN
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """An observation and an option. `reason` holds the numbers that led to it."""

    t_s: float
    rule: str
    text_id: str
    text: str
    reason: Mapping[str, Any]


Event: TypeAlias = (
    Gap
    | Fault
    | DeviceStatus
    | Beat
    | Notice
    | MountSet
    | Slip
    | PostureState
    | Transition
    | SittingBout
    | Break
    | Slouch
    | StaticHold
    | Creep
    | Vibration
    | Movement
    | Prompt
)
Record: TypeAlias = Input | Block | Event
