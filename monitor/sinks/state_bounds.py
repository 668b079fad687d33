"""How far the time in each state may be off: bounds that hold the truth on 95 % of days.

What is wrong about a posture is wrong for as long as it lasts: someone perched for a quarter of an hour looks like standing
all that time. So a run of one state is one question, right or wrong as a whole, and the more runs a total is made of the
less it may be off by. A run's doubt depends on what is claimed, how surely, and how far back the trunk was all the while:
sitting and standing are not mistaken for each other equally often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from monitor.core.events import Posture, PostureState
from monitor.sinks.spread import narrowest, total_spread

HELD = 0.95
"""Share of days on which the truth lies between the bounds."""
SITTING_DOUBT = 0.001
"""P(a run of sitting is standing). Sitting is claimed when the way down was seen, or of tilt and turning that only a seat
explains; leaning back against a wall remains [I, simulated days: 0.001]."""
STANDING_DOUBT, TILTED_DOUBT, BACK_DOUBT = 0.03, 0.12, 0.97
"""P(a run of standing is sitting), at the lower back or waist, by how far back it is tilted from the walks nearest to it. A
way down onto a seat is missed more often than a way up; perching and leaning forward on a seat look like standing (facts
S.3); nobody stands far back for long [I, simulated days: 0.03, 0.10, 1.0 of its time]."""
TILTED_DEG, BACK_DEG = 4.0, 12.0
"""From which tilt back these hold; the second is where hips sit rather than stand (Vaha-Ypya 2017: 11.6)."""
WEAK_CONFIDENCE, WEAK_STANDING_DOUBT = 0.9, 0.2
"""Standing claimed with less than this confidence, without a rise or a walk just before [I, simulated days: 0.11 of
its time, a quarter of its runs beyond a minute]."""
UNTILTED_DOUBT = 0.1
"""Of a run of standing whose tilt is not known [I, simulated days: 0.12]."""
THORACIC_DOUBT = 0.25
"""Of a run of sitting or standing told from the chest or upper back, where tilt tells nothing (facts S.3) [I]."""
WALK_DOUBT = 0.01
"""Of a run of walking: it was standing on the spot [I, recall of walking 0.99 and more]."""
LIE_DOUBT = 0.02
"""Of a run of lying: far leaning back in a seat [I]."""
UNTOLD_SITTING, UNTOLD_BESIDE_WALKING = 0.99, 0.1
"""P(sitting) of untold time: doubt comes up over a seat that was taken and not seen to be left; beside a walk, and before
anything was told, one stands [I, simulated days: 0.996 and 0.3]."""
EDGE_S, EDGE_SHARE = 60.0, 0.02
"""What all changes of a day together may be off by, each being decided up to 5 s late; of a short recording this share [I]."""
OFF_BODY_S = 300.0
PICKED_UP_S = 60.0
"""Lying for longer than the one, up to the other before the recording ends, may be a sensor laid aside [I]."""
UNTOLD_SAID_S = 60.0
RESTED_SAID_S = 600.0
"""From this much untold time, or rest, it is said: totals of less are read by nobody [I]."""
KEPT_STATES = (Posture.SITTING, Posture.STANDING, Posture.WALKING, Posture.LYING)


@dataclass(frozen=True, slots=True)
class Run:
    """One state from `start_s` to `end_s`; `confidence` 0..1 of the change that began it.

    `back_deg`: tilt backward from walking upright, NaN where it is not known or tells nothing.
    """

    state: Posture
    start_s: float
    end_s: float
    confidence: float
    back_deg: float = math.nan

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds between which a total lies."""

    low_s: float
    high_s: float


class StateRuns:
    """Fold posture states into runs. A later decision about an earlier moment replaces what was thought from there on."""

    def __init__(self) -> None:
        self._states: list[PostureState] = []

    def push(self, state: PostureState) -> None:
        while self._states and self._states[-1].t_s >= state.t_s:
            self._states.pop()
        self._states.append(state)

    def until(self, first_s: float, last_s: float) -> list[Run]:
        """The runs of first_s..last_s without any hole: before the first decision the state is unknown."""
        starts = [min(last_s, max(first_s, state.t_s)) for state in self._states]
        runs = [Run(Posture.UNKNOWN, first_s, starts[0] if starts else last_s, 1.0)]
        for state, (start_s, end_s) in zip(self._states, pairwise([*starts, last_s]), strict=True):
            runs.append(Run(state.state, start_s, end_s, state.confidence))
        return [run for run in runs if run.seconds > 0.0]


def state_bounds(runs: Sequence[Run], *, thoracic: bool = False) -> dict[Posture, Bounds]:
    """Bounds of the total of each known state. Runs are independent of each other, seconds within one are not.

    `thoracic`: told from the chest or upper back alone.
    """
    total_s = math.fsum(run.seconds for run in runs)
    edge_s = min(EDGE_S, EDGE_SHARE * total_s)
    shares = _shares(runs, thoracic)
    found = {}
    for state in KEPT_STATES:
        parts = [(share.get(state, 0.0), run.seconds) for run, share in zip(runs, shares, strict=True)]
        spread, step_s = total_spread(parts)
        first, last = narrowest(spread, HELD)
        found[state] = Bounds(max(0.0, first * step_s - edge_s), min(total_s, last * step_s + edge_s))
    aside = _laid_aside(runs)
    if aside is not None:
        lying = found[Posture.LYING]
        found[Posture.LYING] = Bounds(max(0.0, lying.low_s - aside.seconds), lying.high_s)
    return found


def warnings(runs: Sequence[Run], *, thoracic: bool = False) -> list[str]:
    """What one sensor cannot tell of this recording, a sentence each."""
    said = []
    untold_s = math.fsum(run.seconds for run in runs if run.state is Posture.UNKNOWN)
    rested_s = math.fsum(run.seconds for run in runs if run.state in (Posture.SITTING, Posture.STANDING))
    if untold_s >= UNTOLD_SAID_S:
        said.append(f"For {untold_s / 60.0:.0f} min the posture could not be told.")
    if rested_s >= RESTED_SAID_S and thoracic:
        said.append(
            "One sensor at the chest or upper back cannot tell sitting from standing by itself: both totals are rough, as"
            " their bounds say."
        )
    elif rested_s >= RESTED_SAID_S:
        said.append(
            "One sensor cannot tell perching or leaning forward on a seat from standing still: both count as what they look"
            " like, and the bounds of sitting and standing allow for it."
        )
    aside = _laid_aside(runs)
    if aside is not None:
        said.append(
            f"The last {aside.seconds / 60.0:.0f} min look like lying, and so does a sensor that was laid aside: the lower"
            " bound of lying leaves them out."
        )
    return said


def _shares(runs: Sequence[Run], thoracic: bool) -> list[dict[Posture, float]]:
    """The probability of each state, run by run."""
    shares = []
    for i, run in enumerate(runs):
        beside = {runs[j].state for j in (i - 1, i + 1) if 0 <= j < len(runs)}
        match run.state:
            case Posture.WALKING:
                shares.append({Posture.WALKING: 1.0 - WALK_DOUBT, Posture.STANDING: WALK_DOUBT})
            case Posture.LYING:
                shares.append({Posture.LYING: 1.0 - LIE_DOUBT, Posture.SITTING: LIE_DOUBT})
            case Posture.SITTING:
                doubt = THORACIC_DOUBT if thoracic else SITTING_DOUBT
                shares.append({Posture.SITTING: 1.0 - doubt, Posture.STANDING: doubt})
            case Posture.STANDING:
                doubt = THORACIC_DOUBT if thoracic else _standing_doubt(run)
                shares.append({Posture.STANDING: 1.0 - doubt, Posture.SITTING: doubt})
            case _:
                up = i == 0 or Posture.WALKING in beside
                sitting = 0.5 if thoracic else UNTOLD_BESIDE_WALKING if up else UNTOLD_SITTING
                shares.append({Posture.SITTING: sitting, Posture.STANDING: 1.0 - sitting})
    return shares


def _standing_doubt(run: Run) -> float:
    """P(a run of standing is sitting)."""
    if run.back_deg >= BACK_DEG:
        return BACK_DOUBT
    if run.confidence < WEAK_CONFIDENCE:
        return WEAK_STANDING_DOUBT
    if math.isnan(run.back_deg):
        return UNTILTED_DOUBT
    return TILTED_DOUBT if run.back_deg >= TILTED_DEG else STANDING_DOUBT


def _laid_aside(runs: Sequence[Run]) -> Run | None:
    """The run near the end in which the sensor may have lain on a table, before it was taken up to be switched off."""
    for run in reversed(runs):
        if run.state is Posture.LYING and run.seconds > OFF_BODY_S:
            return run
        if runs[-1].end_s - run.start_s > PICKED_UP_S:
            break
    return None
