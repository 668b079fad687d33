"""What is believed about sitting against standing: one probability, moved by changes of posture, walking, tilt and twist."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from monitor.core.events import Posture
from monitor.core.inputs import FloatArray
from monitor.detect.reference import Direction3

MISSED_PER_S = 1 / 12000.0  # changes missed: one in ten of one change per 20 min [I]
MISSED_RISE_SHARE = 0.1  # of them are rises that stay unknown: who has risen soon walks [I]
MISSED_THORACIC_PER_S = 1 / 600.0  # at the chest or without a gyroscope: most of them, in both directions [I]
AFTER_WALKING = 0.03  # P(sitting) right after walking: one stands [I]
AFTER_LYING = 0.9  # P(sitting) right after lying: one gets up by way of sitting, or else walks soon [I]
TILT_MIDDLE_DEG = 13.0  # from walking upright; beyond it one rather sits; 11.6 in Vaha-Ypya 2017 [I]
TILT_SPREAD_DEG = 4.0  # tilt beyond the middle that makes sitting e times as likely [I]
TILT_MAX_LOG_ODDS = 2.0  # tilt alone says no more than this: leaning and perching look alike [I]
OWN_MAX_SITTING, OWN_MAX_STANDING = (
    2.5,
    1.5,
)  # nor do the wearer's own two postures: many a sitter perches [I]
OWN_STANDING_LOG_ODDS = (
    -1.0
)  # one's own standing is learned where the tilt says so too, not from a missed seat [I]
OWN_ENOUGH_S = 10.0  # time in each posture from which one's own count, and fully after three times that [I]
OWN_MEMORY_S = 120.0  # one's own postures are means over about this long [I]
TELLING_SEPARATION_DEG = 10.0  # postures closer than this make it say less, in proportion [I]
UNWALKED_WEIGHT = 0.5  # the neutral pose instead of walking as the reference says half as much [I]
TILT_REPEATS_S = 300.0  # tilts this far apart count as new evidence [I]
TWIST_REPEATS_S = 60.0  # so do twists [I]
SLOW_MAX_LOG_ODDS = 2.0  # nor do they add up to more between two changes: what misleads once does so on [I]
CLAIM = 0.8  # a state is claimed from this probability [I]
KEEP = 0.55  # and kept while it is rather so than not, so that it does not flicker [I]
SURE = 0.9  # postures are learned while the state is this sure [I]
BATCH_STEPS = 20  # they are folded in, and a missed change is reckoned with, every so many steps at rest


def log_odds(p: float) -> float:
    return math.log(p / (1.0 - p))


def probability(odds: float) -> float:
    """Of log odds."""
    return 1.0 / (1.0 + math.exp(-odds))


CLAIM_ODDS, KEEP_ODDS, SURE_ODDS = log_odds(CLAIM), log_odds(KEEP), log_odds(SURE)


def tilt_log_odds(tilt_deg: FloatArray, *, walked: bool) -> FloatArray:
    """Log odds of sitting from the tilt away from upright (+ back, where forward is known); 0 for NaN.

    `walked`: upright is that of walking.
    """
    odds = np.clip((tilt_deg - TILT_MIDDLE_DEG) / TILT_SPREAD_DEG, -TILT_MAX_LOG_ODDS, TILT_MAX_LOG_ODDS)
    told: FloatArray = np.where(np.isnan(odds), 0.0, odds if walked else odds * UNWALKED_WEIGHT)
    return told


@dataclass(slots=True)
class OwnPosture:
    """The wearer's mean vertical, in body axes, in one posture; `sum` over `steps` waits to be folded in."""

    mean: Direction3 = (0.0, 0.0, 0.0)
    seconds: float = 0.0
    sum_x: float = 0.0
    sum_y: float = 0.0
    sum_z: float = 0.0
    steps: int = 0

    def add(self, up: Direction3) -> None:
        self.sum_x += up[0]
        self.sum_y += up[1]
        self.sum_z += up[2]
        self.steps += 1

    def fold(self, step_s: float) -> None:
        if not self.steps:
            return
        seconds = self.steps * step_s
        self.seconds = min(self.seconds + seconds, OWN_MEMORY_S)
        share = seconds / self.seconds / self.steps
        x, y, z = self.mean
        self.mean = (
            x + share * (self.sum_x - self.steps * x),
            y + share * (self.sum_y - self.steps * y),
            z + share * (self.sum_z - self.steps * z),
        )
        self.sum_x = self.sum_y = self.sum_z = 0.0
        self.steps = 0


@dataclass(slots=True)
class Belief:
    """Log odds of sitting, upright and not walking: `odds` by what happened, `slow` by how it has looked since; the claim made
    from them; and the wearer's own two postures.
    """

    step_s: float
    missed_per_s: float = MISSED_PER_S
    odds: float = 0.0
    slow: float = 0.0
    claimed: Posture = Posture.UNKNOWN
    sitting: OwnPosture = field(default_factory=OwnPosture)
    standing: OwnPosture = field(default_factory=OwnPosture)
    before_change: float | None = None
    own_share: float = 0.0
    own_line: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    steps: int = 0

    def forget(self) -> None:
        """Evidence was lost. The wearer's own postures stay."""
        self.happened(0.0, Posture.UNKNOWN)

    def happened(self, odds: float, claimed: Posture) -> None:
        """Something settles what to believe."""
        self.odds, self.slow, self.claimed, self.before_change = odds, 0.0, claimed, None

    def forget_postures(self) -> None:
        self.sitting, self.standing, self.own_share = OwnPosture(), OwnPosture(), 0.0

    def change(self, *, sitting: bool, reliability: float, again: bool = False) -> tuple[float, float]:
        """A change of posture was seen: how probably it happened, rather than nothing, and P(there) now.

        `again`: it is the last one, seen more surely: it stands in for that one, for it happened once.
        """
        odds = self.odds + self.slow
        if again and self.before_change is not None:
            odds = self.before_change
        self.before_change = odds
        p_there = probability(odds if sitting else -odds)
        true = reliability * (1.0 - p_there)
        happened = true / (true + 1.0 - reliability)
        p_there = happened + (1.0 - happened) * p_there
        self.odds, self.slow = log_odds(p_there) if sitting else -log_odds(p_there), 0.0
        return happened, p_there

    def rest(self, up: Direction3 | None, tilt: float, twist: float, *, walked: bool) -> float:
        """Let a step without walking pass; gives the log odds of sitting, `claimed` being what may be claimed from them.

        `up` the vertical in body axes (None: it tells nothing), `tilt` and `twist` what they say, log odds; `walked`: the
        tilt is from one's own upright.
        """
        odds, slow = self.odds + self.slow, self.slow
        if up is None:
            tilt = 0.0
        else:
            learns = tilt < OWN_STANDING_LOG_ODDS
            share = self.own_share
            if share:
                x, y, z, start = self.own_line
                own = x * up[0] + y * up[1] + z * up[2] + start
                if own > OWN_MAX_SITTING:
                    own = OWN_MAX_SITTING
                elif own < -OWN_MAX_STANDING:
                    own = -OWN_MAX_STANDING
                tilt += share * (own - tilt)
            if odds > SURE_ODDS:
                self.sitting.add(up)
            elif odds < -SURE_ODDS and learns:
                self.standing.add(up)
            if walked:
                slow += tilt * (self.step_s / TILT_REPEATS_S)
        slow += twist * (self.step_s / TWIST_REPEATS_S)
        if 0.0 < slow < SLOW_MAX_LOG_ODDS:
            self.slow = slow
        self.steps += 1
        if self.steps >= BATCH_STEPS:
            missed_s = (
                self.missed_per_s * self.step_s * self.steps * (1.0 if self.odds < 0.0 else MISSED_RISE_SHARE)
            )
            self.odds -= 2.0 * math.sinh(self.odds) * missed_s
            self._fold()
        odds += tilt + twist
        if odds > (KEEP_ODDS if self.claimed is Posture.SITTING else CLAIM_ODDS):
            self.claimed = Posture.SITTING
        elif odds < -(KEEP_ODDS if self.claimed is Posture.STANDING else CLAIM_ODDS):
            # Who was seen to sit down and not to rise or walk since may look like standing (a perch, a chair that turns).
            self.claimed = Posture.UNKNOWN if self.odds > CLAIM_ODDS else Posture.STANDING
        else:
            self.claimed = Posture.UNKNOWN
        return odds

    def _fold(self) -> None:
        """Fold in what was learned of the own postures: the line along which they differ, and how much it counts."""
        self.steps = 0
        self.sitting.fold(self.step_s)
        self.standing.fold(self.step_s)
        known_s = min(self.sitting.seconds, self.standing.seconds)
        self.own_share = min(1.0, max(0.0, (known_s - OWN_ENOUGH_S) / (2.0 * OWN_ENOUGH_S)))
        sit, stand = self.sitting.mean, self.standing.mean
        x, y, z = sit[0] - stand[0], sit[1] - stand[1], sit[2] - stand[2]
        apart = math.sqrt(x * x + y * y + z * z)
        if not self.own_share or not apart:
            self.own_share = 0.0
            return
        apart_deg = math.degrees(apart)
        slope = math.degrees(1.0) / TILT_SPREAD_DEG * min(1.0, apart_deg / TELLING_SEPARATION_DEG) / apart
        middle = [(a + b) / 2.0 for a, b in zip(sit, stand, strict=True)]
        start = -slope * (x * middle[0] + y * middle[1] + z * middle[2])
        self.own_line = (slope * x, slope * y, slope * z, start)
