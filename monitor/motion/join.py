"""Two sensors -> lumbar angles: the upper trunk relative to the lower."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import LumbarBlock, TrunkBlock, freeze
from monitor.core.events import REZEROED, MountSet, Record
from monitor.core.inputs import BoolArray, FloatArray, Mark
from monitor.core.quaternion import conjugate, multiply, rotate, up_in_source
from monitor.motion.live_heading import REST_TWIST_SD_DEG, LiveHeading
from monitor.motion.shared_motion import (
    HEADINGS,
    HOLE_S,
    MOUNTS_SD_DEG,
    ComplexArray,
    HeadingRun,
    runs_of,
    turn_at,
)
from monitor.motion.silence import SILENCE
from monitor.motion.tilt import tilt_deg

MAX_HOLE_S = 0.25
"""Rows of the lower sensor further apart than this say nothing of the time between them."""
_UP, _ROTATION, _FORWARD, _OK, _HEADING, _BREAKS = slice(0, 3), 3, 4, 5, slice(6, 8), 8
_SDS, _FORWARD_SD, _COLUMNS = slice(9, 12), 12, 13


class Join:
    """TrunkBlocks of the sensors opened as `upper` and `lower` (Marks `sensor`) pass on; LumbarBlocks on the upper's rows
    follow as soon as the lower's rows on both sides have come. An upper row waits for them, so lateness changes nothing, until
    the lower goes on after a hole, a Mark `silence` says that nothing is expected of it (motion.silence; the Mark ends here),
    or the close: then it is given out with NaN.

    The headings of two sensors are not comparable as they are. Where a Mark `headings` tells how they differ (found in the
    motion that both share: motion.shared_motion), rotation counts from the two mounts' forward and does not drift. Elsewhere it
    counts from the trunk at rest, which is taken to be untwisted, and what drifts is led back by rest and by the motion so far
    (motion.live_heading). Either way it is taken to be less than 90 degrees, as it is in people. Until the first second has
    passed, and where a forward is unknown, each counts from its own last still moment (being still while bent to a side hides
    up to some 4 deg of lateral). Flexion and lateral are NaN where a forward is unknown, rotation where nothing is known of
    the headings.
    """

    def __init__(self) -> None:
        self._roles: dict[str, _Rows] = {}
        self._upper = _Rows()
        self._lower = _Rows()
        self._mounts: dict[str, FloatArray] = {}
        self._forward_sd_deg: dict[str, float] = {}
        self._reseated: dict[str, int] = {}
        self._runs: list[HeadingRun] = []
        self._silent: set[str] = set()
        self._live = LiveHeading()

    def push(self, items: Sequence[Record]) -> list[Record]:
        out: list[Record] = []
        for item in items:
            if isinstance(item, Mark) and item.kind == SILENCE:
                self._heard_or_not(str(item.value["sensor"]), bool(item.value["silent"]), out)
                continue
            out.append(item)
            if isinstance(item, TrunkBlock) and item.sensor in self._roles and len(item):
                self._add(item)
                self._settle(out)
            elif isinstance(item, MountSet):
                self._mounts[item.sensor] = conjugate(np.array(item.quat))
                if item.source != REZEROED:  # which keeps body axes
                    self._reseated[item.sensor] = self._reseated.get(item.sensor, 0) + 1
                    self._forward_sd_deg[item.sensor] = item.forward_sd_deg
            elif isinstance(item, Mark) and item.kind == "sensor":
                self._open(item)
            elif isinstance(item, Mark) and item.kind == HEADINGS:
                self._runs = runs_of(item.value)
        return out

    def close(self) -> list[Record]:
        out: list[Record] = []
        self._emit(np.inf, out)
        return out

    def _open(self, mark: Mark) -> None:
        role = mark.value.get("role")
        if role in ("upper", "lower"):
            self._roles[str(mark.value["sensor"])] = self._upper if role == "upper" else self._lower

    def _add(self, block: TrunkBlock) -> None:
        rows, sd_deg = self._roles[block.sensor], self._forward_sd_deg.get(block.sensor, 0.0)
        level, forward, breaks = rows.add(block, self._mounts.get(block.sensor), sd_deg)
        mounts = self._reseated.get(block.sensor, 0)
        self._live.add(0 if rows is self._upper else 1, block.t_s, level, forward, breaks, mounts, sd_deg)

    def _heard_or_not(self, sensor: str, silent: bool, out: list[Record]) -> None:
        (self._silent.add if silent else self._silent.discard)(sensor)
        self._settle(out)

    def _settle(self, out: list[Record]) -> None:
        silent = [rows for sensor, rows in self._roles.items() if sensor in self._silent]
        self._emit(np.inf if self._lower in silent else self._lower.end_s, out)
        if self._upper in silent:
            self._lower.forget(np.inf)
            self._live.alone(1)

    def _emit(self, until_s: float, out: list[Record]) -> None:
        if self._upper.empty or self._upper.start_s > until_s:
            return
        t_s, upper = self._upper.taken(until_s)
        lower = self._lower.at(t_s)
        self._lower.forget(float(t_s[-1]))
        live, sd = self._live.at(t_s, upper[:, _BREAKS], lower[:, _BREAKS])
        self._live.forget(float(t_s[-1]))
        turn, heading_sd = turn_at(self._runs, t_s)
        told = np.isfinite(turn)
        searched = (upper[:, _FORWARD_SD] > 0.0) | (lower[:, _FORWARD_SD] > 0.0)
        heading_sd = np.hypot(heading_sd, np.where(searched, MOUNTS_SD_DEG, 0.0))
        turn, heading_sd = np.where(told, turn, live), np.where(told, heading_sd, sd)
        forward = (upper[:, _FORWARD] == 1.0) & (lower[:, _FORWARD] == 1.0)
        cranial, rotation, shared = _relative(upper, lower, np.where(forward, turn, np.nan))
        _, flexion, lateral = tilt_deg(cranial)
        flexion, lateral = np.where(forward, flexion, np.nan), np.where(forward, lateral, np.nan)
        sds = _deviations(upper, lower, np.where(shared, heading_sd, np.nan), cranial)
        sds = np.where(np.isfinite((flexion, lateral, rotation)), sds, np.nan)
        ok = (upper[:, _OK] > 0) & (lower[:, _OK] > 0)
        out.append(freeze(LumbarBlock(t_s, flexion, lateral, rotation, ok, *sds)))


class _Rows:
    """Rows of one sensor not yet used: times, and columns up x y z, rotation, forward known, ok, heading's cos and sin,
    how often the filter began anew, sd of flexion, lateral bend and rotation, and of forward (0: given)."""

    def __init__(self) -> None:
        self._last_s = np.inf
        self._breaks = 0.0
        self._times: list[FloatArray] = []
        self._columns: list[FloatArray] = []

    @property
    def empty(self) -> bool:
        return not self._times

    @property
    def start_s(self) -> float:
        return float(self._times[0][0])

    @property
    def end_s(self) -> float:
        return float(self._times[-1][-1]) if self._times else -np.inf

    def add(
        self, block: TrunkBlock, unmounted: FloatArray | None, forward_sd_deg: float
    ) -> tuple[ComplexArray, ComplexArray, FloatArray]:
        """`unmounted`: body -> sensor, None where no mount is known; `forward_sd_deg`: of its forward, 0 where given.

        Gives the level rates (n,) rad/s and forwards (n,), both x + iy, and breaks (n,).
        """
        columns = np.empty((len(block), _COLUMNS))
        columns[:, _UP] = block.up
        columns[:, _ROTATION] = np.radians(block.rotation_deg)
        columns[:, _FORWARD] = np.isfinite(block.flexion_deg)
        columns[:, _OK] = block.ok
        body = block.quat
        if unmounted is not None:  # before and between mounts the rates are in sensor axes
            mounted = np.isfinite(block.inclination_deg)[:, None]
            body = np.where(mounted, multiply(block.quat, unmounted), block.quat)
        columns[:, _FORWARD_SD] = forward_sd_deg
        columns[:, _HEADING] = np.nan if unmounted is None else _level(body)
        steps = np.diff(block.t_s, prepend=self._last_s)
        columns[:, _BREAKS] = self._breaks + np.cumsum(steps > HOLE_S)
        self._last_s, self._breaks = float(block.t_s[-1]), float(columns[-1, _BREAKS])
        stated = (block.flexion_sd_deg, block.lateral_sd_deg, block.rotation_sd_deg)
        for k, sd in enumerate(stated, _SDS.start):
            columns[:, k] = np.nan if sd is None else sd
        self._times.append(block.t_s)
        self._columns.append(columns)
        rate = rotate(body, np.radians(block.rate_deg_s))
        forward = np.where(columns[:, _FORWARD] > 0.0, columns[:, 6] + 1j * columns[:, 7], np.nan)
        return rate[:, 0] + 1j * rate[:, 1], forward, columns[:, _BREAKS]

    def taken(self, until_s: float) -> tuple[FloatArray, FloatArray]:
        """Rows up to `until_s`, out of here."""
        t_s, columns = self._joined()
        count = int(np.searchsorted(t_s, until_s, side="right"))
        self._times = [t_s[count:]] if count < len(t_s) else []
        self._columns = [columns[count:]] if count < len(t_s) else []
        return t_s[:count], columns[:count]

    def forget(self, before_s: float) -> None:
        """Drop rows that no time after `before_s` needs."""
        if self._times:
            t_s, columns = self._joined()
            first = max(int(np.searchsorted(t_s, before_s, side="right")) - 1, 0)
            self._times, self._columns = [t_s[first:]], [columns[first:]]

    def at(self, t_s: FloatArray) -> FloatArray:
        """Columns at `t_s`, linear between two near rows; NaN and not ok elsewhere."""
        values = np.full((len(t_s), _COLUMNS), np.nan)
        values[:, _OK] = 0.0
        if not self._times:
            return values
        times, columns = self._joined()
        left = np.searchsorted(times, t_s, side="right") - 1
        inside = (left >= 0) & (t_s <= times[-1])
        left = np.maximum(left, 0)
        right = np.minimum(left + 1, len(times) - 1)
        exact = t_s == times[left]
        step = times[right] - times[left]
        near: BoolArray = inside & (exact | (step <= MAX_HOLE_S))
        share = np.where(exact, 0.0, (t_s - times[left]) / np.where(exact | (step <= 0.0), 1.0, step))
        before, between = columns[left], columns[right]
        between -= before
        between *= share[:, None]
        between += before
        between[exact] = before[exact]
        between[:, _OK] = between[:, _OK] == 1.0
        between[~near] = values[~near]
        return between

    def _joined(self) -> tuple[FloatArray, FloatArray]:
        if len(self._times) > 1:
            self._times = [np.concatenate(self._times)]
            self._columns = [np.concatenate(self._columns)]
        return self._times[0], self._columns[0]


def _level(body: FloatArray) -> FloatArray:
    """Twice the angle's half about z of body -> earth (n,4), as its cos and sin (n,2): what can be interpolated."""
    w, z = body[:, 0], body[:, 3]
    size = w * w + z * z
    size = np.where(size > 0.0, size, np.nan)
    return np.stack(((w * w - z * z) / size, 2.0 * w * z / size), axis=1)


def _relative(
    upper: FloatArray, lower: FloatArray, turn: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """The lower one's cranial axis (n,3) in the upper body frame and the rotation of the upper in the lower one in degrees;
    whether by `turn`.

    `turn` (n,) rad leads from the upper one's heading to the lower one's, up to half a turn; NaN where that, or
    a forward, is not known.
    """
    above = np.arctan2(upper[:, 7], upper[:, 6]) + turn
    below = np.arctan2(lower[:, 7], lower[:, 6])
    shared = np.isfinite(above) & np.isfinite(below)
    above = below + np.remainder(above - below + np.pi / 2, np.pi) - np.pi / 2
    above = np.where(shared, above, upper[:, _ROTATION])
    below = np.where(shared, below, lower[:, _ROTATION])
    headed = np.isfinite(above) & np.isfinite(below)
    relative = multiply(
        conjugate(_attitude(lower, np.where(headed, below, 0.0))),
        _attitude(upper, np.where(headed, above, 0.0)),
    )
    turn = np.degrees(2.0 * np.arctan2(relative[:, 3], relative[:, 0]))
    turn = np.remainder(turn + 180.0, 360.0) - 180.0
    return up_in_source(relative), np.where(headed, turn, np.nan), shared


def _deviations(
    upper: FloatArray, lower: FloatArray, heading_sd: FloatArray, cranial: FloatArray
) -> FloatArray:
    """Standard deviations (3, n) deg of flexion, lateral bend and rotation between two sensors that err by themselves.

    `heading_sd` (n,) of their relative heading, NaN where rotation counts from each one's own still moments, in which the trunk
    may have been twisted. `cranial` (n,3): the lower one's axis in the upper body frame. A heading that is off turns it about
    the vertical; a forward of the upper one that is off, about the upper one's own axis, the more in who sits rounded.
    """
    flexion, lateral, rotation = np.sqrt(upper[:, _SDS] ** 2 + lower[:, _SDS] ** 2).T
    rotation = np.where(np.isfinite(heading_sd), heading_sd, np.hypot(rotation, REST_TWIST_SD_DEG))
    level = np.sqrt(cranial[:, 0] ** 2 + cranial[:, 1] ** 2)
    arc = np.where(level > 0.0, np.arctan2(level, cranial[:, 2]) / np.where(level > 0.0, level, 1.0), 1.0)
    moved = np.abs(np.cross(upper[:, _UP], cranial)[:, :2].T) * arc
    moved *= np.where(np.isfinite(rotation), rotation, 0.0)
    # As far as it exceeds the upper one's own lean, which the upper one's own deviations count.
    beyond = (arc * cranial[:, 1::-1].T) ** 2 - upper[:, 1::-1].T ** 2
    moved = np.sqrt(moved**2 + upper[:, _FORWARD_SD] ** 2 * np.maximum(beyond, 0.0))
    return np.stack((np.hypot(flexion, moved[0]), np.hypot(lateral, moved[1]), rotation))


def _attitude(rows: FloatArray, turn: FloatArray) -> FloatArray:
    """Body -> earth (n,4) from the vertical in body axes and the rotation about the cranial axis (n,) rad."""
    c, s = np.cos(turn), np.sin(turn)
    x = c * rows[:, 0] - s * rows[:, 1]
    y = s * rows[:, 0] + c * rows[:, 1]
    w = 1.0 + rows[:, 2]
    length = np.sqrt(w * w + x * x + y * y)
    length = np.where(length > 0.0, length, np.nan)
    zero = np.zeros(len(turn))
    swing = np.stack((w / length, y / length, -x / length, zero), axis=1)
    twist = np.stack((np.cos(turn / 2), zero, zero, np.sin(turn / 2)), axis=1)
    return multiply(swing, twist)
