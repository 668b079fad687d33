"""What the wearer's uprights have shown so far, in sensor axes: verticals while walking, in stands, and what came of them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from monitor.core.events import SlipKind
from monitor.motion.attachment.direction import Direction, angle_deg, mean, turned, unit

SAME_DEG = 4.0
"""Upright within this of where it was confirms the attachment; between this and a slip nothing is said [I]."""
STEADY_DEG = 3.0
"""Poses within this of each other are one pose; a mean over a slip is not steady [I]."""
WALK_S = 6
"""Seconds known to be walking that make a mean vertical; each has looked back over four [I]."""
MEMORY_S = 300.0
"""The wearer's own uprights are means over about this long: people do not always walk alike, straps creep slowly [I]."""
WALKING = -1


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

    `slip` None: no slip, but the walking vertical to follow, or (`walking`) a walk that was waited for. `walking`: the rows
    before are walking, good for a mount.
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
        """How far it turned, the part about the vertical left out."""
        return angle_deg(self.old, self.new)


@dataclass(slots=True)
class Run:
    """Seconds in one pose, one after the other."""

    up: Direction = (0.0, 0.0, 0.0)
    count: int = 0
    start_s: float = math.nan

    @property
    def direction(self) -> Direction:
        """Mean vertical."""
        return unit(self.up)

    def add(self, up: Direction, t_s: float) -> None:
        """Take in a second that ends at `t_s`; another pose begins a new run."""
        if not self.count or not angle_deg(self.direction, up) <= STEADY_DEG:
            self.up, self.count, self.start_s = (0.0, 0.0, 0.0), 0, t_s
        x, y, z = self.up
        self.up = (x + up[0], y + up[1], z + up[2])
        self.count += 1


@dataclass(frozen=True, slots=True)
class Suspect:
    """A walk (WALKING) or the stand of that number was elsewhere, as if the sensor had turned from `old` to `new`."""

    old: Direction
    new: Direction
    stand: int

    def agrees(self, usual: Direction, up: Direction) -> bool:
        """The same turn of the sensor leads from `usual` to `up`."""
        return angle_deg(turned(usual, self.old, self.new), up) <= SAME_DEG


@dataclass(slots=True)
class Walk:
    """The walk under way: its last seconds."""

    ups: deque[Direction] = field(default_factory=lambda: deque(maxlen=WALK_S))
    count: int = 0
    pause_s: int = 0

    def steady(self) -> Direction | None:
        """The mean vertical of its last seconds, None while there are too few or they differ."""
        if len(self.ups) < WALK_S:
            return None
        ups = list(self.ups)
        half = len(ups) // 2
        first, second = mean(ups[:half]), mean(ups[half:])
        return mean(ups) if angle_deg(first, second) <= STEADY_DEG else None
