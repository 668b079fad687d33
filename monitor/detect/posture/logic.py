"""Posture: sitting, standing, walking, lying or unknown, at most 5 s behind the rows.

Walking: strong, periodic acceleration. Lying: the trunk far from upright, sustained. Sitting against standing: changes
of posture seen as movements, the tilt from the wearer's own vertical while walking (at the lower back and waist; at
the chest and upper back the tilt tells nothing), and standing after walking. Without evidence: unknown.

Without a calibrated upright (angles NaN) only walking is told until there has been enough walking to know it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import MountSet, Notice, Posture, PostureState, Record, Transition
from monitor.core.inputs import FloatArray, Mark
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage
from monitor.detect.posture import gait
from monitor.detect.posture.belief import (
    AFTER_LYING,
    AFTER_WALKING,
    CLAIM,
    MISSED_PER_S,
    MISSED_THORACIC_PER_S,
    Belief,
    log_odds,
    probability,
    tilt_log_odds,
)
from monitor.detect.posture.calm import Calm
from monitor.detect.posture.changes import APART_S
from monitor.detect.posture.history import History, columns
from monitor.detect.posture.steps import Steps
from monitor.detect.posture.transitions import FINE_FRAME_S
from monitor.detect.posture.twist import Twist
from monitor.detect.reference import NEUTRAL, WALKED_ENOUGH_S, UprightReference, angle_deg, angles_deg

WALK_CONFIDENCE = 0.95  # periodic steps are all but certain (reference systems: F1 1.0; less is claimed)
LIE_CONFIDENCE = 0.95  # so is lying (F1 .99)
HAPPENED = 0.5  # a change of posture is given from this probability on, if the posture is claimed too [I]
CHANGE_LATE_S = 1.0  # a change settled late is given as no longer ago than this, to keep within 5 s [I]
ONE_MOVEMENT_S = 2.0  # walking is not believed to follow a change within its own two seconds [I]
WALKING_TILT_MAX_DEG = 30.0  # nobody walks further from the calibrated neutral pose: that is no reference [I]
SOME_STEPS_S = 3.0  # walking for no longer does not prove that one had stood up (R1) [I]
RECLINED_DEG = 72.0  # who is known to sit may recline, or the belt ride up, to here before it is lying [I]
WITHOUT_GYROSCOPE = 0.75  # of reliability is left: a lean looks like a rise to an accelerometer alone [I]
THORACIC_WEIGHT = 0.65  # at the chest the tilt says less: people sit there in every direction [I]
FORWARD_QUALITY = 0.6  # of a mount whose forward is trusted to tell rolling back from leaning forward [I]
LAIN_S = 10.0  # who lay for less has not been lying: the sensor was being put on, or the trunk leaned far [I]
PUT_ON_S = 5.0  # before anything else was seen nobody lies for less: the sensor is being put on [I]
FORWARD_BEND_S, PRONE_S = 20.0, 5.0  # bent forward one lies no sooner than this; or that, not swaying [I]
BEND_KNOWN_S = 6.0  # bent so for longer one may be on hands and knees: nothing upright is claimed [I]
THORACIC_NOTICE = (
    "At the chest and upper back sitting and standing are told from movements and restlessness: far less surely than at the "
    "lower back."
)
GAIT_SOURCE = "gait"  # a mount found from walking: its neutral pose is the walking vertical
TILT_PLACEMENTS = ("lower_back", "waist")  # where tilt parts sitting from standing [I]
AFTER_LYING_ODDS, AFTER_WALKING_ODDS = log_odds(AFTER_LYING), log_odds(AFTER_WALKING)


class _Seen(NamedTuple):
    """The last change of posture that was believed in at all: when, how surely, and whether it was told."""

    sitting: bool
    t_s: float
    reliability: float
    told: bool


class PostureLogic:
    """FrameLogic: judges every step of 0.5 s once its future is known."""

    frame_s = FINE_FRAME_S

    def __init__(self) -> None:
        self._low = True
        self._warned = False
        self._forward = True
        self._reference = UprightReference()
        self._belief = Belief(gait.STEP_S)
        self._state = Posture.UNKNOWN
        self._said = self._begun = False
        self._restart()

    def _restart(self) -> None:
        self._history = History()
        self._twist, self._calm = Twist(), Calm()
        self._changed_s = -math.inf
        self._last = _Seen(False, -math.inf, 0.0, False)
        self._bent_s = self._lain_s = self._walk_s = 0.0

    def notice(self, record: Record) -> None:
        if isinstance(record, Mark) and record.kind == "sensor" and record.value.get("primary"):
            self._low = record.value.get("placement") in TILT_PLACEMENTS
        elif isinstance(record, MountSet):
            self._forward = record.quality >= FORWARD_QUALITY
            if record.source.startswith(GAIT_SOURCE):
                self._reference.seconds = WALKED_ENOUGH_S

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:
        out = self.close(t_s)
        self._restart()
        self._belief.forget()
        if mount_too:
            self._reference.forget()
            self._belief.forget_postures()
        return out + self._say(t_s, Posture.UNKNOWN, 1.0, t_s)

    def close(self, t_s: float) -> list[Record]:
        """Judge what was still held back, as if all went on as in the last frame."""
        self._history.stay(t_s)
        return self._judge()

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        return columns(block)

    def frames(self, frames: Frames) -> list[Record]:
        self._history.add(frames)
        out = self._judge()
        self._history.forget()
        return out

    def _judge(self) -> list[Record]:
        """Judge the steps whose future has arrived."""
        judged = self._history.judged(low=self._low, forward=self._forward)
        if judged is None:
            return []
        steps, walking = judged
        out: list[Record] = []
        edges = [0, *(np.flatnonzero(walking[1:] != walking[:-1]) + 1).tolist(), len(walking)]
        for start, end in pairwise(edges):
            run = steps.part(slice(start, end))
            out += self._walking(run) if walking[start] else self._resting(run)
        return out

    def _walking(self, run: Steps) -> list[Record]:
        """Judge steps of 0.5 s of walking."""
        belief, reference = self._belief, self._reference
        out: list[Record] = []
        for i, (t_s, decided_s, up, known, seen) in enumerate(
            zip(
                run.t_s.tolist(),
                run.decided_s.tolist(),
                run.up.T.tolist(),
                run.known.tolist(),
                run.seen.tolist(),
                strict=True,
            )
        ):
            self._twist.forget()
            self._calm.forget()
            if not seen:
                out += self._unseen(t_s, decided_s)
                continue
            if self._history.changes:
                out += self._change(run, i, walking=True)
            if t_s - self._changed_s > ONE_MOVEMENT_S:
                self._walk_s += gait.STEP_S
                odds = AFTER_WALKING_ODDS if self._walk_s > SOME_STEPS_S else min(belief.odds, 0.0)
                belief.happened(odds, Posture.WALKING)
            if not known or angle_deg(up, NEUTRAL) < WALKING_TILT_MAX_DEG:
                reference.walk(up, gait.STEP_S)
            belief.claimed = Posture.WALKING
            out += self._say(t_s, Posture.WALKING, WALK_CONFIDENCE, decided_s)
        return out

    def _resting(self, run: Steps) -> list[Record]:
        """Judge steps of 0.5 s without walking: the reference stays, so that the tilts of all are found at once."""
        belief, walked = self._belief, self._reference.walked
        sway = self._twist if self._low and self._history.turns else self._calm
        belief.missed_per_s = MISSED_PER_S if sway is self._twist else MISSED_THORACIC_PER_S
        tilt = angles_deg(run.up, self._reference.direction)
        if not walked:
            tilt[~run.known] = math.nan
        told = np.zeros(len(tilt))
        if self._low:
            back = np.degrees(np.arcsin(np.clip(run.up[0], -1.0, 1.0))) - math.degrees(
                math.asin(self._reference.direction[0])
            )
            told = tilt_log_odds(np.where(run.forward & ~np.isnan(tilt), back, tilt), walked=walked)
        elif walked:
            told = THORACIC_WEIGHT * tilt_log_odds(tilt, walked=True)
        looks = np.where(run.known | walked, run.twist, math.nan)
        if sway is self._calm:
            looks = run.restless.astype(np.float64) if walked else np.full(len(tilt), math.nan)
        self._walk_s = 0.0
        waiting = bool(self._history.changes)
        out: list[Record] = []
        for i, (up, quiet, seen, tilt_deg, tilted, turning) in enumerate(
            zip(
                run.up.T.tolist(),
                run.quiet.tolist(),
                run.seen.tolist(),
                tilt.tolist(),
                told.tolist(),
                looks.tolist(),
                strict=True,
            )
        ):
            sway.rest(turning)
            if not seen:
                out += self._unseen(float(run.t_s[i]), float(run.decided_s[i]))
                continue
            if waiting:
                out += self._change(run, i, walking=False)
                waiting = bool(self._history.changes)
            if tilt_deg > (RECLINED_DEG if belief.claimed is Posture.SITTING else gait.LYING_DEG):
                out += self._lying(run, i)
                continue
            self._bent_s = self._lain_s = 0.0
            odds = belief.rest(up if quiet else None, tilted, sway.log_odds, walked=walked)
            if belief.claimed is not self._state or not self._said:
                out += self._say(
                    float(run.t_s[i]), belief.claimed, probability(abs(odds)), float(run.decided_s[i])
                )
        return out

    def _lying(self, run: Steps, i: int) -> list[Record]:
        """Judge half a second so far from upright that it is lying, or a bend that lasts."""
        self._bent_s += gait.STEP_S
        if run.bent[i] and self._bent_s <= (PRONE_S if run.still[i] else FORWARD_BEND_S):
            if self._bent_s <= BEND_KNOWN_S or self._state is Posture.LYING:
                return []
            self._belief.claimed = Posture.UNKNOWN
            return self._say(float(run.t_s[i]), Posture.UNKNOWN, 0.5, float(run.decided_s[i]))
        self._lain_s += gait.STEP_S
        if self._lain_s < PUT_ON_S and not self._begun:
            return []
        self._belief.happened(AFTER_LYING_ODDS if self._lain_s >= LAIN_S else 0.0, Posture.LYING)
        self._twist.forget()
        self._calm.forget()
        return self._say(float(run.t_s[i]), Posture.LYING, LIE_CONFIDENCE, float(run.decided_s[i]))

    def _unseen(self, t_s: float, decided_s: float) -> list[Record]:
        self._belief.forget()
        return self._say(t_s, Posture.UNKNOWN, 1.0, decided_s)

    def _change(self, run: Steps, i: int, *, walking: bool) -> list[Record]:
        """Believe the changes of posture up to step `i` that are settled by then.

        Within walking only those count that a rest bounds: steps have lobes too.
        """
        t_s, decided_s = float(run.t_s[i]), float(run.decided_s[i])
        upright, told = self._reference.direction, bool(run.known[i]) or self._reference.walked
        forward = bool(run.forward[i])
        out: list[Record] = []
        for changed_s, change in self._history.changes.due(t_s, int(run.until[i])):
            reliability = change.reliability(upright, low=self._low, forward=forward)
            if not self._history.turns:
                reliability *= WITHOUT_GYROSCOPE
            if not told or (walking and not change.rests) or reliability <= 0.5:
                continue
            sitting, last = change.rise_m < 0.0, self._last
            same = last.sitting is sitting and abs(changed_s - last.t_s) < APART_S
            if same and reliability <= last.reliability:
                continue
            happened, p_there = self._belief.change(sitting=sitting, reliability=reliability, again=same)
            self._changed_s = changed_s
            believed = happened >= HAPPENED and p_there >= CLAIM
            told_before = same and last.told
            self._last = _Seen(sitting, changed_s, reliability, believed or told_before)
            if believed and not told_before:
                state, other = (
                    (Posture.SITTING, Posture.STANDING) if sitting else (Posture.STANDING, Posture.SITTING)
                )
                before = Posture.WALKING if self._state is Posture.WALKING and sitting else other
                at_s = max(changed_s, t_s - CHANGE_LATE_S)
                self._belief.claimed = state
                out += self._say(at_s, state, happened, decided_s, moved=True)
                out.append(Transition(at_s, before, state, happened, decided_s))
        return out

    def _say(
        self, t_s: float, state: Posture, confidence: float, decided_s: float, *, moved: bool = False
    ) -> list[Record]:
        """Events where the state differs from the last one said. Sitting and standing pass into each other by movements only;
        `moved`: that transition is given elsewhere.
        """
        if state is self._state and self._said:
            return []
        before, self._state, self._said = self._state, state, True
        self._begun |= state is not Posture.UNKNOWN
        out: list[Record] = [PostureState(t_s, state, confidence, decided_s)]
        if not self._low and not self._warned and state in (Posture.SITTING, Posture.STANDING):
            self._warned = True
            out.append(Notice(t_s, "posture_thoracic", THORACIC_NOTICE))
        upright = {before, state} == {Posture.SITTING, Posture.STANDING}
        if Posture.UNKNOWN not in (before, state) and not upright and not moved:
            out.append(Transition(t_s, before, state, confidence, decided_s))
        return out


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(PostureLogic())


DETECTOR = Detector("posture", build)
