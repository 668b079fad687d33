"""The present moment, folded from records: what the terminal and the window show. No drawing, no clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.core.blocks import LumbarBlock, TrunkBlock
from monitor.core.events import (
    REZEROED,
    Beat,
    DeviceStatus,
    Fault,
    Gap,
    MountSet,
    Notice,
    Posture,
    PostureState,
    Prompt,
    Record,
    SittingBout,
    StaticHold,
)
from monitor.core.inputs import FloatArray, Mark

STALE_AFTER_S = 2.0
"""Data older than this are stale: nothing is shown as present and nothing is prompted (design, faults row 2)."""

CALIBRATION_NOTICES = "calibration_"
"""Beginning of the ids of notices that end a running calibration: what they say is its refusal."""

CALIBRATION_GRACE_S = 5.0
"""How long after its last row a calibration may owe its result (radio, memory and block delays) before it counts as over."""


@dataclass(slots=True)
class Snapshot:
    """Fold with `push`: outputs, marks and ticks in any cutting; other inputs are ignored.

    Angles are NaN and the posture unknown until there is evidence, and again when it is stale (`shown_state`;
    whoever shows an angle asks `stale` first). Times are seconds of the session, `wall_s` is Unix time. Rows, link,
    battery and mount are those of the primary sensor; postures, marks, prompts and faults are everybody's. The lumbar
    angles are those between two sensors (`two`; ask `lumbar_stale` first). `placements` and `roles` are by sensor.
    """

    primary: str = ""
    placement: str = ""
    t_host_s: float = 0.0
    wall_s: float = math.nan
    utc_offset_s: int = 0
    data_s: float = -math.inf
    connected: bool = False
    ever_connected: bool = False
    inclination_deg: float = math.nan
    flexion_deg: float = math.nan
    lateral_deg: float = math.nan
    rotation_deg: float = math.nan
    inclination_sd_deg: float = math.nan
    flexion_sd_deg: float = math.nan
    lateral_sd_deg: float = math.nan
    rotation_sd_deg: float = math.nan
    state: Posture = Posture.UNKNOWN
    state_since_s: float = 0.0
    sitting_total_s: float = 0.0
    sitting_bout_start_s: float = math.nan
    static_s: float = 0.0
    battery_percent: float | None = None
    placements: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    links: dict[str, bool] = field(default_factory=dict)
    mounts: set[str] = field(default_factory=set)
    lumbar_s: float = -math.inf
    lumbar_flexion_deg: float = math.nan
    lumbar_lateral_deg: float = math.nan
    lumbar_rotation_deg: float = math.nan
    lumbar_flexion_sd_deg: float = math.nan
    lumbar_lateral_sd_deg: float = math.nan
    lumbar_rotation_sd_deg: float = math.nan
    rows: int = 0
    rows_ok: int = 0
    gap_s: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    mounted: bool = False
    forward_known: bool = False
    calibrate_from_s: float = math.nan
    calibrate_s: float = math.nan
    calibrate_waits: bool = False
    screening_level: int | None = None
    in_pain: bool = False
    last_pop_s: float = math.nan
    snooze_until_s: float = -math.inf
    snooze_until_wall_s: float = -math.inf
    prompts: list[Prompt] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    first_s: float = math.nan
    _counted_s: float = math.nan

    def push(self, records: Sequence[Record]) -> None:
        for record in records:
            match record:
                case Mark():
                    self._mark(record)
                case TrunkBlock() if record.sensor == self.primary and len(record):
                    self._trunk(record)
                case LumbarBlock() if len(record):
                    self._lumbar(record)
                case Beat() if record.sensor != self.primary:
                    self.links[record.sensor] = record.connected
                case Beat():
                    self.t_host_s, self.wall_s = record.t_host_s, record.wall_s
                    self.utc_offset_s, self.connected = record.utc_offset_s, record.connected
                    self.ever_connected = self.ever_connected or record.connected
                    self.data_s = max(self.data_s, record.data_s)
                case PostureState():
                    self._posture(record)
                case StaticHold():
                    self.static_s = record.seconds
                case SittingBout():
                    again = self.state is Posture.SITTING and self.state_since_s >= record.end_s
                    self.sitting_bout_start_s = self.state_since_s if again else math.nan
                case Gap() if record.sensor == self.primary:
                    self.gap_s += record.end_s - record.start_s
                case Fault():
                    self.faults[record.kind] = self.faults.get(record.kind, 0) + record.count
                case DeviceStatus() if record.sensor == self.primary and record.battery_percent is not None:
                    self.battery_percent = record.battery_percent
                case MountSet():
                    self.mounts.add(record.sensor)
                    if record.sensor == self.primary:
                        self.mounted, self.forward_known = True, record.forward_known
                        if record.source != REZEROED:
                            self._calibration_over()
                case Prompt():
                    self.prompts.append(record)
                case Notice():
                    self.notices.append(record)
                    if record.id.startswith(CALIBRATION_NOTICES):
                        self._calibration_over()
                case _:
                    pass

    @property
    def stale(self) -> bool:
        """No row for more than 2 s."""
        return self.t_host_s - self.data_s > STALE_AFTER_S

    @property
    def two(self) -> bool:
        """An upper and a lower sensor are worn: only then is there an angle between them."""
        return {"upper", "lower"} <= set(self.roles.values())

    @property
    def lumbar_stale(self) -> bool:
        """One of the two sensors has been silent for more than 2 s, so that the angle between them is not the present."""
        return self.stale or self.t_host_s - self.lumbar_s > STALE_AFTER_S

    @property
    def away(self) -> tuple[str, ...]:
        """Where the sensors beside the primary one are worn whose link is down."""
        others = (sensor for sensor in self.roles if sensor != self.primary)
        return tuple(self.placements[sensor] for sensor in others if not self.links.get(sensor, False))

    @property
    def unmounted(self) -> tuple[str, ...]:
        """Where the sensors are worn that have no mount yet."""
        return tuple(self.placements[sensor] for sensor in self.roles if sensor not in self.mounts)

    @property
    def shown_state(self) -> Posture:
        """The posture, or unknown while the data are stale."""
        return Posture.UNKNOWN if self.stale else self.state

    @property
    def state_s(self) -> float:
        """Time in the present state up to the last row, s."""
        return max(0.0, self.data_s - self.state_since_s) if math.isfinite(self.data_s) else 0.0

    @property
    def sitting_s(self) -> float:
        """Total sitting up to the last row, s."""
        running = self.data_s - self._counted_s if self.state is Posture.SITTING else 0.0
        return self.sitting_total_s + (running if running > 0 else 0.0)

    @property
    def sitting_bout_s(self) -> float:
        """Length of the present sitting bout up to the last row, s; 0 outside one. Short interruptions do not end it."""
        length = self.data_s - self.sitting_bout_start_s
        return length if length > 0 else 0.0

    @property
    def coverage(self) -> float:
        """Measured share of the time since the first row, silence up to now included, 0..1; NaN before it."""
        if not self.rows:
            return math.nan
        share_ok = self.rows_ok / self.rows
        silence = self.t_host_s - self.data_s if self.stale else 0.0
        span = self.data_s - self.first_s + silence
        return share_ok if span <= 0 else share_ok * max(0.0, 1.0 - (self.gap_s + silence) / span)

    @property
    def snooze_left_s(self) -> float:
        """Seconds until prompts may come again; 0 when they are not paused."""
        by_wall = self.snooze_until_wall_s - self.wall_s
        return max(0.0, self.snooze_until_s - self.t_host_s, by_wall if math.isfinite(by_wall) else 0.0)

    @property
    def calibrate_left_s(self) -> float:
        """Seconds of the running calibration still to come, 0 while its result is awaited; NaN outside one.

        All of them until its first row comes: it is measured in rows, and a sensor may take a while to connect.
        """
        if self.calibrate_waits:
            return self.calibrate_s
        left = self.calibrate_from_s + self.calibrate_s - self.t_host_s
        return max(0.0, left) if left > -CALIBRATION_GRACE_S else math.nan

    def _mark(self, mark: Mark) -> None:
        if mark.kind == "sensor":
            sensor = str(mark.value["sensor"])
            self.roles[sensor] = str(mark.value.get("role", "single"))
            self.placements[sensor] = str(mark.value.get("placement", ""))
        match mark.kind:
            case "sensor" if not self.primary or mark.value.get("primary"):
                self.primary = str(mark.value["sensor"])
                self.placement = str(mark.value.get("placement", ""))
            case "calibrate" if str(mark.value.get("sensor", self.primary)) == self.primary:
                self.calibrate_waits = True
                self.calibrate_s = float(mark.value.get("seconds", 0.0))
            case "snooze":
                minutes, until = mark.value.get("minutes"), mark.value.get("until_wall_s")
                self.snooze_until_s = mark.t_host_s + 60.0 * float(minutes) if minutes else -math.inf
                self.snooze_until_wall_s = float(until) if until is not None else -math.inf
            case "attached":
                self._attached(mark.value.get("sensor"))
            case "popped":
                self.last_pop_s = mark.t_host_s
            case "pain":
                self.in_pain = True
            case "screening":
                # Pain turns prompts off until the self-check is answered; the answer is a new level.
                level = mark.value.get("level")
                self.screening_level = None if level is None else int(level)
                self.in_pain = self.in_pain and level is None
            case _:
                pass

    def _attached(self, sensor: str | None) -> None:
        """Put back on, in nobody knows which way: that one, or (None) all of them."""
        self.mounts.difference_update(self.roles if sensor is None else (sensor,))
        if sensor in (None, self.primary):
            self.mounted = self.forward_known = False

    def _calibration_over(self) -> None:
        self.calibrate_from_s, self.calibrate_waits = math.nan, False

    def _trunk(self, block: TrunkBlock) -> None:
        if self.calibrate_waits:
            self.calibrate_from_s, self.calibrate_waits = float(block.t_s[0]), False
        if not self.rows:
            self.first_s = float(block.t_s[0])
        self.rows += len(block)
        self.rows_ok += int(block.ok.sum())
        self.data_s = max(self.data_s, float(block.t_s[-1]))
        self.inclination_deg = float(block.inclination_deg[-1])
        self.flexion_deg = float(block.flexion_deg[-1])
        self.lateral_deg = float(block.lateral_deg[-1])
        self.rotation_deg = float(block.rotation_deg[-1])
        self.inclination_sd_deg = float(block.uncertainty_deg[-1])
        self.flexion_sd_deg = _stated(block.flexion_sd_deg, -1, self.inclination_sd_deg)
        self.lateral_sd_deg = _stated(block.lateral_sd_deg, -1, self.inclination_sd_deg)
        self.rotation_sd_deg = _stated(block.rotation_sd_deg, -1)

    def _lumbar(self, block: LumbarBlock) -> None:
        both = block.ok.nonzero()[0]
        if not len(both):  # rows whose partner never came tell nothing of now
            return
        last = int(both[-1])
        self.lumbar_s = float(block.t_s[last])
        self.lumbar_flexion_deg = float(block.flexion_deg[last])
        self.lumbar_lateral_deg = float(block.lateral_deg[last])
        self.lumbar_rotation_deg = float(block.rotation_deg[last])
        self.lumbar_flexion_sd_deg = _stated(block.flexion_sd_deg, last)
        self.lumbar_lateral_sd_deg = _stated(block.lateral_sd_deg, last)
        self.lumbar_rotation_sd_deg = _stated(block.rotation_sd_deg, last)

    def _posture(self, event: PostureState) -> None:
        if self.state is Posture.SITTING and event.t_s > self._counted_s:
            self.sitting_total_s += event.t_s - self._counted_s
        self._counted_s = event.t_s
        self.state, self.state_since_s = event.state, event.t_s
        if event.state is Posture.SITTING and math.isnan(self.sitting_bout_start_s):
            self.sitting_bout_start_s = event.t_s


def _stated(column: FloatArray | None, row: int, otherwise: float = math.nan) -> float:
    return otherwise if column is None else float(column[row])
