"""Whether the sensor still sits on the body as it did: its vertical while walking and standing, compared with before.

Everything here is in sensor axes, so that a mount set meanwhile changes nothing but what it is told by `mounted`.
A turn of the sensor about the body's own long axis leaves the vertical where it is and is not seen.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from monitor.core.blocks import PoseBlock
from monitor.core.events import SlipKind
from monitor.motion.jumps import Jump
from monitor.motion.seconds import Second, Seconds
from monitor.motion.stance import Stance

Direction = tuple[float, float, float]

SLIP_DEG = 5.5
"""Upright this far from where it was is a slip. Slips of 8 deg must be found; people stand within 2 to 3 deg of themselves
from one quiet stand to the next [I]."""
SAME_DEG = 4.0
"""Upright within this of where it was confirms the attachment; between the two nothing is said [I]."""
STANDS_DEG = 5.0
"""The first stand is taken for the wearer's own within this of walking; further, somebody may be leaning on something [I]."""
STEADY_DEG = 3.0
"""Poses within this of each other are one pose; a mean over a slip is not steady [I]."""
REATTACHED_DEG = 30.0
"""A sensor that slid on its strap or skin turned less than this [I]."""
UPSIDE_DOWN_DEG = 140.0
"""Nobody's trunk is this far from upright for long: lying is 90 deg, with 20 to 30 deg to spare [I]."""
WRONG_UP_DEG = 25.0
"""Walking this far from the calibrated upright: the calibration is of another attachment. Standing and sitting upright
are within some 15 deg of walking [I]."""
WALK_S = 6
"""Seconds known to be walking that make a mean vertical; each has looked back over four [I]."""
WALKS_ON_S = 14
"""Walking goes on leaning by less than LEANING_DEG for this long before it is believed to be a slip: stairs are shorter [I]."""
LEANING_DEG = 15.0
"""Nobody walks further than this from their own walk, with a load or upstairs, for WALK_S; and who stands further from their
own stand is leaning over something, so that only walking can tell [I]."""
REMOUNT_S = 12
"""Seconds of walking that a new mount is found from [I]."""
STAND_S = 15
"""Quiet seconds in one pose that make a stand [I]."""
EXPLAINED_DEG = 5.0
"""A jump seen since upright was last in its place explains a stand elsewhere that is this near to where it leads, and
EXPLAINS_DEG nearer than upright was [I]."""
EXPLAINS_DEG = 3.0
JUMP_AGE_S = 3.0
"""A jump is known at most this much later."""
JUMPS_KEPT = 30
HANGING_S = 30
"""Quiet seconds that make an upside-down sensor [I]."""
PAUSE_S = 2
"""A turn may hide the steps for this long [I]."""
MEMORY_S = 120.0
"""The wearer's own uprights are means over about this long, to follow a creeping strap."""
CREEP_DEG = 2.0
"""The mount follows the walking vertical in steps of this size: as fine as uprights repeat [I]."""


@dataclass(slots=True)
class Upright:
    """The vertical in one of the wearer's own upright poses, a running mean in sensor axes."""

    up: Direction = (0.0, 0.0, 0.0)
    seconds: float = 0.0
    since_s: float = math.nan
    seen_s: float = math.nan

    def __bool__(self) -> bool:
        return self.seconds > 0.0

    def learn(self, up: Direction, seen_s: float) -> None:
        """Take in a second of it; `seen_s` is when the sensor was in its place for sure."""
        if not self.seconds:
            self.since_s = seen_s
        self.seconds = min(self.seconds + 1.0, MEMORY_S)
        share = 1.0 / self.seconds
        x, y, z = self.up
        self.up = unit((x + share * (up[0] - x), y + share * (up[1] - y), z + share * (up[2] - z)))
        self.seen_s = seen_s

    def moved(self, old: Direction, new: Direction) -> None:
        """The sensor turned by the least turn from `old` to `new`."""
        if self.seconds:
            self.up = turned(self.up, old, new)


@dataclass(frozen=True, slots=True)
class Finding:
    """`rows` of the block lead up to it. The least turn that takes `old` to `new` (verticals in sensor axes) undoes it.

    `slip` None: no slip, but the walking vertical to follow. `walking`: the rows before are walking, good for a mount.
    """

    rows: int
    t_s: float
    from_s: float
    decided_s: float
    old: Direction
    new: Direction
    slip: SlipKind | None
    walking: bool

    @property
    def angle_deg(self) -> float:
        return angle_deg(self.old, self.new)


@dataclass(slots=True)
class _Run:
    """Seconds in one pose, one after the other."""

    up: Direction = (0.0, 0.0, 0.0)
    count: int = 0
    start_s: float = math.nan

    def add(self, now: Second) -> None:
        mean = unit(self.up) if self.count else now.up
        if not self.count or not angle_deg(mean, now.up) <= STEADY_DEG:
            self.up, self.count, self.start_s = (0.0, 0.0, 0.0), 0, now.t_s
        x, y, z = self.up
        self.up = (x + now.up[0], y + now.up[1], z + now.up[2])
        self.count += 1


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A stand in a pose that may be a slip."""

    up: Direction
    stand: int


@dataclass(slots=True)
class _Walk:
    """The walk under way: its last seconds, and for how long it has leaned away from the wearer's own."""

    ups: deque[Direction] = field(default_factory=lambda: deque(maxlen=2 * (WALK_S // 2)))
    count: int = 0
    pause_s: int = 0
    away_s: int = 0
    away_from_s: float = math.nan

    def steady(self) -> Direction | None:
        """The mean vertical of its last seconds, None while there are too few or they differ."""
        if len(self.ups) < self.ups.maxlen:  # type: ignore[operator]
            return None
        ups = list(self.ups)
        half = len(ups) // 2
        first, second = _mean(ups[:half]), _mean(ups[half:])
        return _mean(ups) if angle_deg(first, second) <= STEADY_DEG else None


class Attachment:
    """Fold blocks of one sensor with `rows`; tell it of gaps, and of each mount (None: it is to be found anew)."""

    def __init__(self) -> None:
        self._seconds: Seconds | None = None
        self._rate_hz = math.nan
        self._neutral: Direction | None = None
        self._known_s = math.nan
        self._forget()
        self.gap()

    def gap(self) -> None:
        """Rows are missing: what was under way is not followed; where upright was is still known."""
        self._seconds = None
        self._stance, self._walk, self._stand, self._hanging = Stance(), _Walk(), _Run(), _Run()

    def mounted(self, cranial: Direction | None) -> None:
        """A mount comes into force with the next row (`cranial` axis in sensor axes), or the last one no longer holds."""
        self._neutral, self._known_s = cranial, math.nan
        self._forget()

    def rows(self, pose: PoseBlock) -> Iterator[Finding]:
        """What `pose` tells, in order. What it was told between two findings is in force for the next."""
        rate_hz = pose.imu.rate_hz or 0.0
        if self._seconds is None or rate_hz != self._rate_hz:
            self.gap()
            self._seconds, self._rate_hz = Seconds(rate_hz), rate_hz
        seconds = self._seconds
        if math.isnan(self._known_s):
            self._known_s = float(pose.imu.t_s[0])
        for now in seconds.rows(pose):
            self._stance.second(now, seconds)
            found = self._judge(now)
            if found is not None:
                yield found

    def _forget(self) -> None:
        self._walking, self._standing = Upright(), Upright()
        self._walk, self._stand, self._hanging = _Walk(), _Run(), _Run()
        self._followed: Direction | None = None
        self._jumps: list[tuple[float, Jump]] = []
        self._suspect: _Suspect | None = None
        self._stands = 0

    def _judge(self, now: Second) -> Finding | None:
        self._jumps += [(now.t_s - JUMP_AGE_S, jump) for jump in now.jumps]
        del self._jumps[:-JUMPS_KEPT]
        if now.walks:
            self._left_stand()
            self._hanging.count = 0
            return self._walked(now)
        walk = self._walk
        if walk.ups:
            walk.pause_s += 1
            if walk.pause_s > PAUSE_S:
                self._walk = _Walk()
        if not now.quiet:
            return None
        if self._stance.upright:
            return self._stood(now)
        self._left_stand()
        return self._hung(now)

    def _left_stand(self) -> None:
        if self._stand.count:
            self._stand.count = 0
            self._stands += 1

    def _walked(self, now: Second) -> Finding | None:
        walk = self._walk
        walk.pause_s = 0
        walk.count += 1
        walk.ups.append(now.up)
        up = walk.steady()
        if up is None:
            return None
        if not self._walking:
            return self._first_walk(up, now)
        away_deg = angle_deg(up, self._walking.up)
        if not away_deg >= SLIP_DEG:
            walk.away_s = 0
            if away_deg <= SAME_DEG:
                self._suspect = None
                self._walking.learn(now.up, now.t_s - WALK_S)
                self._forget_jumps(now.t_s - WALK_S)
                return self._creep(now)
            return None
        if not walk.away_s:
            walk.away_from_s = now.t_s
        walk.away_s += 1
        sure = away_deg >= LEANING_DEG or self._explained(self._walking.up, up) is not None
        if not sure and walk.away_s < WALKS_ON_S:
            return None
        if self._standing.since_s > self._walking.seen_s:
            # Learned after the last walk that agreed: perhaps after the slip already.
            self._standing = Upright()
        return self._slipped(now, walk.away_from_s, self._walking.up, up, walking=True)

    def _first_walk(self, up: Direction, now: Second) -> Finding | None:
        """The first walk with this mount: compared with the calibrated upright, or what a mount may be found from."""
        if self._neutral is None:
            if self._walk.count < REMOUNT_S:
                return None
            self._walk = _Walk()
            return Finding(now.row + 1, now.t_s, self._known_s, now.t_s, up, up, None, walking=True)
        if angle_deg(up, self._neutral) >= WRONG_UP_DEG:
            if self._walk.count < REMOUNT_S:
                return None
            return self._slipped(now, now.t_s, self._neutral, up, walking=True)
        self._walking.learn(up, now.t_s - WALK_S)
        self._followed = up
        return None

    def _stood(self, now: Second) -> Finding | None:
        stand = self._stand
        stand.add(now)
        if stand.count < STAND_S:
            return None
        up, known = unit(stand.up), self._standing
        if not known:
            return self._first_stand(now, up)
        away_deg = angle_deg(up, known.up)
        if SLIP_DEG <= away_deg <= LEANING_DEG:
            return self._stood_elsewhere(now, up)
        if away_deg <= SAME_DEG:
            self._suspect = None
            known.learn(now.up, now.t_s - 1.0)
            self._forget_jumps(now.t_s - 1.0)
        return None

    def _first_stand(self, now: Second, up: Direction) -> Finding | None:
        """Before it is known how the wearer stands: near to how they walk, or were calibrated."""
        usual = self._walking.up if self._walking else self._neutral
        if usual is None:
            return None
        if angle_deg(up, usual) <= STANDS_DEG:
            self._standing.learn(up, now.t_s - 1.0)
        elif angle_deg(up, usual) <= LEANING_DEG and self._explained(usual, up) is not None:
            return self._slipped(now, self._stand.start_s, usual, up, walking=False)
        return None

    def _stood_elsewhere(self, now: Second, up: Direction) -> Finding | None:
        """A slip, or somebody leaning on something: a jump that leads there tells, or standing there a second time."""
        usual = self._standing.up
        if self._explained(usual, up) is None:
            if self._suspect is None or self._suspect.stand == self._stands:
                self._suspect = _Suspect(up, self._stands)
                return None
            if angle_deg(up, self._suspect.up) > SAME_DEG:
                self._suspect = _Suspect(up, self._stands)
                return None
        return self._slipped(now, self._stand.start_s, usual, up, walking=False)

    def _explained(self, usual: Direction, up: Direction) -> float | None:
        """When the sensor jumped from `usual` to about `up`, None where it was not seen to."""
        away_deg = angle_deg(usual, up)
        for jumped_s, jump in reversed(self._jumps):
            rest_deg = angle_deg(turned(usual, jump.before, jump.after), up)
            if rest_deg <= min(EXPLAINED_DEG, away_deg - EXPLAINS_DEG):
                return jumped_s
        return None

    def _forget_jumps(self, until_s: float) -> None:
        """The sensor was in its place since."""
        if self._jumps:
            self._jumps = [(t_s, jump) for t_s, jump in self._jumps if t_s > until_s]

    def _hung(self, now: Second) -> Finding | None:
        """Upside down shows while sitting, too."""
        self._hanging.add(now)
        upright = self._walking.up if self._walking else self._neutral
        if upright is None or self._hanging.count < HANGING_S:
            return None
        up = unit(self._hanging.up)
        if angle_deg(up, upright) < UPSIDE_DOWN_DEG:
            return None
        return self._slipped(now, self._hanging.start_s, upright, up, walking=False)

    def _creep(self, now: Second) -> Finding | None:
        """Follow the walking vertical once it has crept far enough."""
        old, new = self._followed, self._walking.up
        if old is None or angle_deg(old, new) < CREEP_DEG:
            return None
        self._followed = new
        return Finding(now.row + 1, now.t_s, now.t_s, now.t_s, old, new, None, walking=False)

    def _slipped(self, now: Second, t_s: float, old: Direction, new: Direction, *, walking: bool) -> Finding:
        seen = [self._known_s, self._walking.seen_s, self._standing.seen_s]
        from_s = max(s for s in seen if not math.isnan(s))
        jumped_s = self._explained(old, new)
        if jumped_s is not None:
            t_s = from_s = max(from_s, jumped_s)
        angle = angle_deg(old, new)
        kind = SlipKind.SLIPPED if angle < REATTACHED_DEG else SlipKind.REATTACHED
        if angle >= UPSIDE_DOWN_DEG:
            kind = SlipKind.UPSIDE_DOWN
        self._known_s = now.t_s
        self._walk, self._stand, self._hanging = _Walk(), _Run(), _Run()
        self._jumps, self._suspect = [], None
        if kind is SlipKind.SLIPPED:
            self._walking.moved(old, new)
            self._standing.moved(old, new)
            self._neutral = None if self._neutral is None else turned(self._neutral, old, new)
            self._followed = None if self._followed is None else turned(self._followed, old, new)
        else:
            # Put on in another way: nothing learned before holds.
            self._neutral = None
            self._forget()
        return Finding(now.row + 1, t_s, min(from_s, t_s), now.t_s, old, new, kind, walking)


def unit(v: Direction) -> Direction:
    x, y, z = v
    size = math.sqrt(x * x + y * y + z * z) or 1.0
    return (x / size, y / size, z / size)


def angle_deg(a: Direction, b: Direction) -> float:
    """Angle between two directions; NaN passes through."""
    cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) if cosine == cosine else math.nan


def turned(v: Direction, old: Direction, new: Direction) -> Direction:
    """`v` by the least turn from `old` to `new`, which are not opposite."""
    ax, ay, az = (
        old[1] * new[2] - old[2] * new[1],
        old[2] * new[0] - old[0] * new[2],
        old[0] * new[1] - old[1] * new[0],
    )
    cosine = old[0] * new[0] + old[1] * new[1] + old[2] * new[2]
    along = (ax * v[0] + ay * v[1] + az * v[2]) / (1.0 + cosine)
    x, y, z = v
    return unit(
        (
            cosine * x + ay * z - az * y + along * ax,
            cosine * y + az * x - ax * z + along * ay,
            cosine * z + ax * y - ay * x + along * az,
        )
    )


def _mean(ups: list[Direction]) -> Direction:
    x = y = z = 0.0
    for up in ups:
        x, y, z = x + up[0], y + up[1], z + up[2]
    return unit((x, y, z))
