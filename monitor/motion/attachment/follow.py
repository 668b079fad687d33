"""Whether the sensor still sits on the body as it did: its vertical while walking and standing, compared with before.

Everything here is in sensor axes, so that a mount set meanwhile changes nothing but what it is told by `mounted`.
A turn of the sensor about the body's own long axis leaves the vertical where it is and is not seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from monitor.core.blocks import PoseBlock
from monitor.core.events import SlipKind
from monitor.motion.attachment.direction import Direction, angle_deg, cosine, turned
from monitor.motion.attachment.evidence import SAME_DEG, WALK_S, WALKING, Finding, Run, Suspect, Upright, Walk
from monitor.motion.attachment.jumps import Jump
from monitor.motion.attachment.seconds import Second, Seconds
from monitor.motion.attachment.stance import Stance

SLIP_DEG = 5.5
"""Upright this far from where it was is a slip. Slips of 8 deg must be found; people stand within 2 to 3 deg of themselves
from one quiet stand to the next [I]."""
REATTACHED_DEG = 30.0
"""A sensor that slid on its strap or skin turned less than this [I]."""
RECHECK_DEG = 12.0
"""After a larger slip forward is looked for anew: a hand that put the sensor back may have turned it about upright, too [I]."""
UPSIDE_DOWN_DEG = 140.0
"""Nobody's trunk is this far from upright for long: lying is 90 deg, with 20 to 30 deg to spare [I]."""
UPSIDE_DOWN_COSINE = math.cos(math.radians(UPSIDE_DOWN_DEG))
WRONG_UP_DEG = 25.0
"""Walking this far from the calibrated upright: the calibration is of another attachment. Standing and sitting upright
are within some 15 deg of walking [I]."""
WALKS_ON_S = 40
"""Walking elsewhere is a slip by itself after this long: upstairs one leans by 10 to 20 deg (seen on waist recordings), for
three floors [I]."""
WALKED_S = 8
"""Seconds of walking elsewhere that count as evidence beside another, and that are enough from REATTACHED_DEG on [I]."""
REMOUNT_S = 12
"""Seconds of walking that a new mount is found from [I]."""
PAUSE_S = 2
"""A turn may hide the steps for this long [I]."""
STAND_S = 15
"""Quiet seconds in one pose that make a stand [I]."""
STANDS_DEG = 5.0
"""The first stand is taken for the wearer's own within this of walking; further, somebody may be leaning on something [I]."""
LEANING_DEG = 15.0
"""Who stands further than this from their own stand is leaning over something: only walking can tell [I]."""
EXPLAINED_DEG, EXPLAINS_DEG = 5.0, 3.0
"""A jump seen since upright was last in its place explains an upright elsewhere that is within the first of where it leads,
and by the second nearer to there than to where upright was [I]."""
JUMP_AGE_S = 3.0
"""A jump is known at most this much later."""
JUMPS_KEPT = 30
HANGING_S = 30
"""Quiet seconds that make an upside-down sensor [I]."""
KNOWN_S = 60.0
"""Of walking before the mount follows it [I]."""
CREEP_DEG = 2.0
"""The mount follows the walking vertical in steps of this size: as fine as uprights repeat [I]."""


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
        self._stance, self._walk, self._stand, self._hanging = Stance(), Walk(), Run(), Run()

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
        self._walk, self._stand, self._hanging = Walk(), Run(), Run()
        self._followed: Direction | None = None
        self._jumps: list[tuple[float, Jump]] = []
        self._suspect: Suspect | None = None
        self._recheck = False
        self._away = Run()
        self._stands = 0

    def _judge(self, now: Second) -> Finding | None:
        if now.jumps:
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
                self._walk = Walk()
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
        if away_deg >= SLIP_DEG:
            return self._walked_elsewhere(now, up)
        if away_deg <= SAME_DEG:
            self._away.count, self._suspect = 0, None
            self._walking.learn(now.up, now.t_s - WALK_S)
            self._forget_jumps(now.t_s - WALK_S)
            if self._recheck and walk.count >= REMOUNT_S:
                self._recheck = False
                return Finding(now.row + 1, now.t_s, self._known_s, now.t_s, up, up, None, walking=True)
            return self._creep(now)
        return None

    def _walked_elsewhere(self, now: Second, up: Direction) -> Finding | None:
        """A slip, or stairs: a jump tells, a stand elsewhere before it, or walking on and on."""
        away, usual = self._away, self._walking.up
        away.add(up, now.t_s)
        if away.count < WALKED_S:
            return None
        sure = away.count >= WALKS_ON_S or angle_deg(usual, up) >= REATTACHED_DEG
        suspect = self._suspect
        stood = suspect is not None and suspect.stand != WALKING and suspect.agrees(usual, up)
        if not (sure or stood or self._explained(usual, up) is not None):
            self._suspect = suspect or Suspect(usual, up, WALKING)
            return None
        if self._standing.since_s > self._walking.seen_s:
            # Learned after the last walk that agreed: perhaps after the slip already.
            self._standing = Upright()
        return self._slipped(now, away.start_s, usual, up, walking=True)

    def _first_walk(self, up: Direction, now: Second) -> Finding | None:
        """The first walk with this mount: compared with the calibrated upright, or what a mount may be found from."""
        if self._neutral is None:
            if self._walk.count < REMOUNT_S:
                return None
            self._walk = Walk()
            return Finding(now.row + 1, now.t_s, self._known_s, now.t_s, up, up, None, walking=True)
        if angle_deg(up, self._neutral) >= WRONG_UP_DEG:
            if self._walk.count < REMOUNT_S:
                return None
            return self._slipped(now, now.t_s, self._neutral, up, walking=True)
        self._walking.learn(up, now.t_s - WALK_S)
        return None

    def _stood(self, now: Second) -> Finding | None:
        stand = self._stand
        stand.add(now.up, now.t_s)
        if stand.count < STAND_S:
            return None
        up, known = stand.direction, self._standing
        if not known:
            return self._first_stand(now, up)
        away_deg = angle_deg(up, known.up)
        if SLIP_DEG <= away_deg < REATTACHED_DEG:
            return self._stood_elsewhere(now, up, leaning=away_deg > LEANING_DEG)
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

    def _stood_elsewhere(self, now: Second, up: Direction, *, leaning: bool) -> Finding | None:
        """A slip, or somebody leaning on something: a jump that leads there tells, or standing there a second time."""
        usual, suspect = self._standing.up, self._suspect
        again = suspect is not None and suspect.stand != self._stands and suspect.agrees(usual, up)
        if leaning or not (again or self._explained(usual, up) is not None):
            if suspect is None or suspect.stand != WALKING:
                self._suspect = Suspect(usual, up, self._stands)
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
        upright = self._walking.up if self._walking else self._neutral
        if upright is None or cosine(now.up, upright) > UPSIDE_DOWN_COSINE:
            self._hanging.count = 0
            return None
        self._hanging.add(now.up, now.t_s)
        if self._hanging.count < HANGING_S:
            return None
        return self._slipped(now, self._hanging.start_s, upright, self._hanging.direction, walking=False)

    def _creep(self, now: Second) -> Finding | None:
        """Follow the walking vertical once it has crept far enough."""
        old, new = self._followed, self._walking.up
        if old is None and self._walking.seconds >= KNOWN_S:
            self._followed = new
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
        self._walk, self._stand, self._hanging = Walk(), Run(), Run()
        self._jumps, self._suspect, self._away = [], None, Run()
        if kind is SlipKind.SLIPPED:
            self._recheck = self._recheck or angle >= RECHECK_DEG
            self._walking.moved(old, new)
            self._standing.moved(old, new)
            self._neutral = None if self._neutral is None else turned(self._neutral, old, new)
            self._followed = None if self._followed is None else turned(self._followed, old, new)
        else:
            # Put on in another way: nothing learned before holds.
            self._neutral = None
            self._forget()
        return Finding(now.row + 1, t_s, min(from_s, t_s), now.t_s, old, new, kind, walking)
