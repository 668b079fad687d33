"""How restless the trunk is over a minute: where no twist can be seen (the chest, or an accelerometer alone) it says a little.

Who stands shifts, steps and talks with the whole body; who sits at work moves the arms. Calm standing looks the same as
sitting, so calm says little and restlessness more.
"""

from __future__ import annotations

from dataclasses import dataclass

RESTLESS_SD_M_S2 = 0.25  # SD of |acc| over 2 s of a restless moment; a calm sitter has some 0.07 [I]
MEMORY_STEPS = 120  # the share is a mean over about a minute [I]
ENOUGH_STEPS = 40  # and is looked at from 20 s on [I]
MIDDLE = 0.3  # share of restless moments at which one as likely sits [I, seen on chest recordings]
SLOPE = 8.0  # change of the log odds from none to all [I]
MAX_CALM, MAX_RESTLESS = (
    0.8,
    2.0,
)  # log odds that calm says for sitting, and restlessness for standing, at most [I]


@dataclass(slots=True)
class Calm:
    """The share of restless moments since walking, over the last minute at most."""

    share: float = 0.0
    steps: int = 0
    log_odds: float = 0.0
    """Of sitting."""

    def forget(self) -> None:
        self.steps, self.log_odds = 0, 0.0

    def rest(self, restless: float) -> None:
        """Take in half a second: 1 restless, 0 calm, NaN not known."""
        if restless != restless:
            return
        if self.steps < MEMORY_STEPS:
            self.steps += 1
        self.share += (restless - self.share) / self.steps
        if self.steps >= ENOUGH_STEPS:
            odds = (MIDDLE - self.share) * SLOPE
            self.log_odds = max(-MAX_RESTLESS, min(MAX_CALM, odds))
