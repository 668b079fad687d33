"""Turning about the vertical against tilting, while the trunk is at rest: a seat holds the pelvis, legs let it turn.

Standing sway turns the pelvis about the vertical as much as it tilts it; a seat takes the turning away (log ratio about 0.0
against -0.8 at the waist; a noisy gyroscope alone shows -0.35, which tells nothing). On a swivel chair it may mislead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.core.inputs import FloatArray

SWAY_RATE_MAX_DEG_S = 8.0  # faster is a movement, not sway: root mean square over half a second [I]
NOISE_RATE_DEG_S = 0.05  # added to both, so that a table's stillness tells nothing [I]
MEMORY_STEPS = 20  # the level is a mean over about 10 s of rest [I, more adds nothing on waist recordings]
ENOUGH_STEPS = 4  # and is looked at from 2 s on [I]
FULL_STEPS = 10  # in full from 5 s on [I]
MIDDLE = -0.45  # log ratio at which sitting is as likely as standing [I, seen on waist recordings]
SPREAD = 0.15  # beyond it by this much makes one e times as likely [I, seen on waist recordings]
MAX_SITTING, MAX_STANDING = 2.5, 1.0  # it never says more: some lean on tables, and many a chair turns [I]


def log_ratios(squared_yaw: FloatArray, squared_rate: FloatArray) -> FloatArray:
    """Log of the rate about the vertical over that of tilting; NaN where the trunk moves. Means of squares, (deg/s)^2."""
    noise2 = NOISE_RATE_DEG_S * NOISE_RATE_DEG_S
    with np.errstate(invalid="ignore", divide="ignore"):
        tilting = np.maximum(squared_rate - squared_yaw, 0.0) + 2.0 * noise2
        ratio: FloatArray = 0.5 * np.log((squared_yaw + noise2) / tilting)
        ratio[~(squared_rate < SWAY_RATE_MAX_DEG_S * SWAY_RATE_MAX_DEG_S)] = np.nan
    return ratio


@dataclass(slots=True)
class Twist:
    """The level of the log ratio over the last seconds of rest; a movement makes it forget, the longer the more."""

    level: float = 0.0
    steps: int = 0
    log_odds: float = 0.0
    """Of sitting."""

    def forget(self) -> None:
        self.steps, self.log_odds = 0, 0.0

    def rest(self, ratio: float) -> None:
        """Take in half a second; NaN: the trunk moves."""
        if ratio != ratio:
            self.steps //= 2
            if self.steps < ENOUGH_STEPS:
                self.log_odds = 0.0
            return
        if self.steps < MEMORY_STEPS:
            self.steps += 1
        self.level += (ratio - self.level) / self.steps
        if self.steps < ENOUGH_STEPS:
            return
        odds = (MIDDLE - self.level) / SPREAD
        if self.steps < FULL_STEPS:
            odds *= self.steps / FULL_STEPS
        if odds > MAX_SITTING:
            odds = MAX_SITTING
        elif odds < -MAX_STANDING:
            odds = -MAX_STANDING
        self.log_odds = odds
