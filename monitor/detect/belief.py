"""What is believed about sitting against standing: one probability, moved by changes of posture, walking and tilt."""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.core.events import Posture

MISSED_PER_S = 1 / 12000.0  # changes missed: one in ten of one change per 20 min [I]
AFTER_WALKING = 0.03  # P(sitting) right after walking: one stands [I]
AFTER_LYING = 0.85  # P(sitting) right after lying (R1 says sitting; it is not always so) [I]
RELIABILITY_WEAK = 0.65  # share of changes told rightly at the smallest vote [I, seen on waist recordings]
RELIABILITY_STRONG = 0.97  # and from a vote of STRONG_VOTE on [I, seen on waist recordings]
STRONG_VOTE = 1.5  # displacement or tilt alone at its clip (R1)
SITTING_TILT_DEG = 20.0  # tilt while sitting, before one's own is known (R1: above 15)
STANDING_TILT_DEG = 4.0  # and while standing; the waist's two postures differ by about 16 deg [I]
OWN_TILT_S = 60.0  # one's own tilts are means over about this long [I]
TILT_SPREAD_DEG = 4.0  # tilt beyond the middle of the two that makes sitting e times as likely [I]
TILT_MAX_LOG_ODDS = 2.0  # tilt alone says no more than this: leaning and perching look alike [I]
TELLING_SEPARATION_DEG = 10.0  # postures closer than this in tilt make it say less, in proportion [I]
UNWALKED_WEIGHT = 0.5  # the neutral pose instead of walking as the reference says half as much [I]
TILT_REPEATS_S = 300.0  # tilts this far apart count as new evidence [I]
CLAIM = 0.8  # a state is claimed from this probability [I]
KEEP = 0.65  # and kept down to this one, so that it does not flicker [I]
SURE = 0.9  # tilts are learned while the state is this sure [I]


@dataclass(slots=True)
class Belief:
    """P(sitting | upright and not walking), the claim made from it, and the wearer's own tilts in either posture."""

    p_sit: float = 0.5
    claimed: Posture = Posture.UNKNOWN
    sitting_deg: float = SITTING_TILT_DEG
    standing_deg: float = STANDING_TILT_DEG

    def forget(self) -> None:
        """Evidence was lost. The wearer's own tilts stay."""
        self.p_sit, self.claimed = 0.5, Posture.UNKNOWN

    def forget_tilts(self) -> None:
        self.sitting_deg, self.standing_deg = SITTING_TILT_DEG, STANDING_TILT_DEG

    def change(self, vote: float) -> None:
        """A change of posture was seen: `vote` > 0 rising, < 0 sitting down. It is true, or nothing happened."""
        strength = min(1.0, abs(vote) / STRONG_VOTE)
        reliability = RELIABILITY_WEAK + (RELIABILITY_STRONG - RELIABILITY_WEAK) * strength
        if vote < 0:
            self.p_sit = _after_change(self.p_sit, reliability)
        else:
            self.p_sit = 1.0 - _after_change(1.0 - self.p_sit, reliability)

    def rest(self, seconds: float, tilt_deg: float, *, walked: bool) -> tuple[Posture, float]:
        """Let `seconds` without walking pass at this tilt away from upright (NaN: it tells nothing).

        Changes may have been missed, the tilt speaks slowly (only of a reference from walking) and is learned where the
        state is sure. Gives the state that may be claimed, and its probability (of the likelier one when unknown).
        """
        p, log_odds = self.p_sit, 0.0
        if tilt_deg == tilt_deg:
            log_odds = self._tilt_log_odds(tilt_deg, walked)
            if p > SURE:
                self.sitting_deg += seconds / OWN_TILT_S * (tilt_deg - self.sitting_deg)
            elif p < 1.0 - SURE:
                self.standing_deg += seconds / OWN_TILT_S * (tilt_deg - self.standing_deg)
        if log_odds and walked:
            odds = p / (1.0 - p) * math.exp(log_odds * seconds / TILT_REPEATS_S)
            p = odds / (1.0 + odds)
        p += (1.0 - 2.0 * p) * MISSED_PER_S * seconds
        self.p_sit = p
        if log_odds:
            odds = p / (1.0 - p) * math.exp(log_odds)
            p = odds / (1.0 + odds)
        likelier, confidence = (Posture.SITTING, p) if p >= 0.5 else (Posture.STANDING, 1.0 - p)
        if confidence < (KEEP if likelier is self.claimed else CLAIM):
            likelier = Posture.UNKNOWN
        self.claimed = likelier
        return likelier, confidence

    def _tilt_log_odds(self, tilt_deg: float, walked: bool) -> float:
        """Log odds of sitting from the tilt."""
        telling = (self.sitting_deg - self.standing_deg) / TELLING_SEPARATION_DEG
        if telling <= 0.0:
            return 0.0
        odds = (tilt_deg - (self.sitting_deg + self.standing_deg) / 2.0) / TILT_SPREAD_DEG
        if telling < 1.0:
            odds *= telling
        if odds > TILT_MAX_LOG_ODDS:
            odds = TILT_MAX_LOG_ODDS
        elif odds < -TILT_MAX_LOG_ODDS:
            odds = -TILT_MAX_LOG_ODDS
        return odds if walked else odds * UNWALKED_WEIGHT


def _after_change(p_there: float, reliability: float) -> float:
    """P(there) after a change to there was reported."""
    true = reliability * (1.0 - p_there)
    happened = true / (true + 1.0 - reliability)
    return happened + (1.0 - happened) * p_there
