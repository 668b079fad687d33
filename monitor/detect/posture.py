"""Posture: sitting, standing, walking, lying or unknown, at most 5 s behind the rows.

Walking: strong, periodic acceleration. Lying: the trunk far from upright, sustained. Sitting against standing: changes
of posture seen as movements, the tilt from the wearer's own vertical while walking (at the lower back and waist; at
the chest and upper back the tilt tells nothing), and standing after walking. Without evidence: unknown.

Without a calibrated upright (angles NaN) only walking is told until there has been enough walking to know it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import MountSet, Posture, PostureState, Record, Transition
from monitor.core.inputs import BoolArray, FloatArray, Mark
from monitor.core.protocols import Detector
from monitor.detect import gait, transitions
from monitor.detect.belief import AFTER_LYING, AFTER_WALKING, Belief
from monitor.detect.frames import Frames, FrameStage, column_sums, sizes
from monitor.detect.reference import NEUTRAL, WALKED_ENOUGH_S, UprightReference, angle_deg, angles_deg
from monitor.detect.transitions import FINE_FRAME_S, Change

GRAVITY_M_S2 = 9.81  # taken from the levelled vertical acceleration (R1)
WALK_CONFIDENCE = 0.95  # periodic steps are all but certain (reference systems: F1 1.0; less is claimed)
LIE_CONFIDENCE = 0.95  # so is lying (F1 .99)
LAG_FRAMES = 39  # a step is judged 3.9 s later: every change centred on it is known by then [I]
REACH_BACK_FRAMES = max(gait.REACH_FRAMES, transitions.REACH_FRAMES)
QUIET_RATE_DEG_S = 10.0  # the tilt tells only while the trunk turns slower than this (root mean square) [I]
ONE_MOVEMENT_S = 2.0  # walking is not believed to follow a change within its own two seconds [I]
SITTING_UP_S = 3.0  # for this long after lying a step in tilt tells nothing [I]
WALKING_TILT_MAX_DEG = 30.0  # nobody walks further from the calibrated neutral pose: that is no reference [I]
FORWARD_BEND_S = 20.0  # bent forward beyond the lying angle is not lying before this long [I]
GAIT_SOURCE = "gait"  # a mount found from walking: its neutral pose is the walking vertical
TILT_PLACEMENTS = ("lower_back", "waist")  # where tilt parts sitting from standing [I]

# Columns of the history, one per fine frame.
UP_X, UP_Y, UP_Z, RISE, MAGNITUDE, SQUARE, RATE2, INCLINATION, FLEXION, MEASURED, START, END = range(12)
COLUMNS = 12


class _Steps(NamedTuple):
    """Steps of 0.5 s to be judged, each from `t_s` on: `up` (3, n) the mean vertical; `known`: it is calibrated; `bent` far
    forward; `quiet`: the trunk turns slowly; `seen`: rows were measured. All but `up` (n,).
    """

    t_s: FloatArray
    decided_s: FloatArray
    up: FloatArray
    known: BoolArray
    bent: BoolArray
    quiet: BoolArray
    seen: BoolArray

    def part(self, steps: slice) -> _Steps:
        t_s, decided_s, up, known, bent, quiet, seen = self
        flags = (known[steps], bent[steps], quiet[steps], seen[steps])
        return _Steps(t_s[steps], decided_s[steps], up[:, steps], *flags)


class PostureLogic:
    """FrameLogic: keeps some seconds of fine frames and judges every step of 0.5 s once its future is known."""

    frame_s = FINE_FRAME_S

    def __init__(self) -> None:
        self._tilt_counts = True
        self._reference = UprightReference()
        self._belief = Belief()
        self._state = Posture.UNKNOWN
        self._said = False
        self._restart()

    def _restart(self) -> None:
        self._history = np.empty((COLUMNS, 0))
        self._base = 0
        self._step = -(-REACH_BACK_FRAMES // gait.STEP_FRAMES)
        self._peak = REACH_BACK_FRAMES
        self._changes: deque[tuple[float, Change]] = deque()
        self._changed_s = self._lay_s = -math.inf
        self._bent_s = 0.0

    def notice(self, record: Record) -> None:
        if isinstance(record, Mark) and record.kind == "sensor" and record.value.get("primary"):
            self._tilt_counts = record.value.get("placement") in TILT_PLACEMENTS
        elif isinstance(record, MountSet) and record.source.startswith(GAIT_SOURCE):
            self._reference.seconds = WALKED_ENOUGH_S

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:
        self._restart()
        self._belief.forget()
        if mount_too:
            self._reference.forget()
            self._belief.forget_tilts()
        return self._say(t_s, Posture.UNKNOWN, 1.0, t_s, None)

    def close(self, t_s: float) -> list[Record]:  # noqa: ARG002
        return []

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        acc, up = block.acc, block.up
        rise = acc[:, 0] * up[:, 0] + acc[:, 1] * up[:, 1] + acc[:, 2] * up[:, 2]
        rise -= GRAVITY_M_S2
        angles = (block.inclination_deg, block.flexion_deg)
        return (up[:, 0], up[:, 1], up[:, 2], rise, *sizes(block), *angles)

    def frames(self, frames: Frames) -> list[Record]:
        m = len(frames.end_s)
        k = frames.x.shape[2]
        new = np.empty((COLUMNS, m))
        new[:MEASURED] = column_sums(frames.x) / k
        new[MEASURED], new[START], new[END] = frames.measured, frames.start_s, frames.end_s
        self._history = np.concatenate((self._history, new), axis=1)
        out = self._judge()
        keep = min(self._step * gait.STEP_FRAMES, self._peak) - REACH_BACK_FRAMES - self._base
        if keep > 0:
            self._history = self._history[:, keep:].copy()
            self._base += keep
        return out

    def _judge(self) -> list[Record]:
        """Judge the steps whose future has arrived."""
        known = self._base + self._history.shape[1]
        stop = (known - 1 - LAG_FRAMES) // gait.STEP_FRAMES + 1
        if stop <= self._step:
            return []
        side = gait.SMOOTH_STEPS // 2
        centres = np.arange(self._step - side, stop + side) * gait.STEP_FRAMES - self._base
        history = self._history
        around = gait.sums_around(history[: MEASURED + 1], int(centres[0]), len(centres))
        around[:MEASURED] /= 2 * gait.ACTIVITY_RADIUS_FRAMES + 1
        walking = gait.majority(gait.walking(around[MAGNITUDE], around[SQUARE], history[MAGNITUDE], centres))
        around, inner = around[:, side:-side], centres[side:-side]
        steps = _Steps(
            history[START, inner],
            history[END, inner + LAG_FRAMES],
            _directions(around[UP_X : UP_Z + 1]),
            np.isfinite(history[INCLINATION, inner]),
            history[FLEXION, inner] > gait.LYING_DEG,
            around[RATE2] < QUIET_RATE_DEG_S * QUIET_RATE_DEG_S,
            around[MEASURED] > 0.0,
        )
        self._look_for_changes((stop - 1) * gait.STEP_FRAMES + transitions.CENTRE_SHIFT_FRAMES + 1)
        self._step = stop
        out: list[Record] = []
        edges = [0, *(np.flatnonzero(walking[1:] != walking[:-1]) + 1).tolist(), len(walking)]
        for start, end in pairwise(edges):
            run = steps.part(slice(start, end))
            out += self._walking(run) if walking[start] else self._resting(run)
        return out

    def _look_for_changes(self, stop: int) -> None:
        """Queue the changes whose peak lies before frame `stop`, by the time of their centre."""
        history, base = self._history, self._base
        starts = history[START]
        for change in transitions.find_changes(
            history[UP_X : UP_Z + 1], history[RISE], history[RATE2], self._peak - base, stop - base
        ):
            here_s, next_s = float(starts[change.frame]), float(starts[change.frame + 1])
            self._changes.append((here_s + change.within * (next_s - here_s), change))
        self._peak = stop

    def _walking(self, run: _Steps) -> list[Record]:
        """Judge steps of 0.5 s of walking."""
        belief, reference = self._belief, self._reference
        out: list[Record] = []
        for t_s, decided_s, up, known, seen in zip(
            run.t_s.tolist(),
            run.decided_s.tolist(),
            run.up.T.tolist(),
            run.known.tolist(),
            run.seen.tolist(),
            strict=True,
        ):
            if not seen:
                out += self._unseen(t_s, decided_s)
                continue
            self._change(t_s, known)
            if t_s - self._changed_s > ONE_MOVEMENT_S:
                belief.p_sit = AFTER_WALKING
            if not known or angle_deg(up, NEUTRAL) < WALKING_TILT_MAX_DEG:
                reference.walk(up, gait.STEP_S)
            belief.claimed = Posture.WALKING
            out += self._say(t_s, Posture.WALKING, WALK_CONFIDENCE, decided_s, None)
        return out

    def _resting(self, run: _Steps) -> list[Record]:
        """Judge steps of 0.5 s without walking: the reference stays, so that the tilts of all are found at once."""
        belief, walked = self._belief, self._reference.walked
        tilt = angles_deg(run.up, self._reference.direction)
        if not walked:
            tilt[~run.known] = math.nan
        told = np.where(run.quiet, tilt, math.nan) if self._tilt_counts else np.full(len(tilt), math.nan)
        out: list[Record] = []
        for t_s, decided_s, known, bent, seen, tilt_deg, told_deg in zip(
            run.t_s.tolist(),
            run.decided_s.tolist(),
            run.known.tolist(),
            run.bent.tolist(),
            run.seen.tolist(),
            tilt.tolist(),
            told.tolist(),
            strict=True,
        ):
            if not seen:
                out += self._unseen(t_s, decided_s)
                continue
            centre_s = self._change(t_s, known) if self._changes else None
            if tilt_deg > gait.LYING_DEG:
                self._bent_s += gait.STEP_S
                if not bent or self._bent_s > FORWARD_BEND_S:
                    belief.p_sit, belief.claimed, self._lay_s = AFTER_LYING, Posture.LYING, t_s
                    if self._state is not Posture.LYING:
                        out += self._say(t_s, Posture.LYING, LIE_CONFIDENCE, decided_s, None)
                continue
            self._bent_s = 0.0
            state, confidence = belief.rest(gait.STEP_S, told_deg, walked=walked)
            if state is not self._state or not self._said:
                out += self._say(t_s, state, confidence, decided_s, centre_s)
        return out

    def _unseen(self, t_s: float, decided_s: float) -> list[Record]:
        self._belief.forget()
        return self._say(t_s, Posture.UNKNOWN, 1.0, decided_s, None)

    def _change(self, t_s: float, known: bool) -> float | None:
        """Believe the changes of posture centred up to `t_s`; the time of the last one. `known`: up is calibrated."""
        centre_s = None
        while self._changes and self._changes[0][0] <= t_s:
            changed_s, change = self._changes.popleft()
            if not (known or self._reference.walked):
                continue
            tilt_tells = self._tilt_counts and changed_s - self._lay_s > SITTING_UP_S
            vote = change.vote(self._reference.direction, tilt_tells=tilt_tells)
            if vote:
                self._belief.change(vote)
                centre_s = self._changed_s = changed_s
        return centre_s

    def _say(
        self, t_s: float, state: Posture, confidence: float, decided_s: float, centre_s: float | None
    ) -> list[Record]:
        """Events where the state differs from the last one said; `centre_s` is the change's own time where it has one."""
        if state is self._state and self._said:
            return []
        before, self._state, self._said = self._state, state, True
        at_s = t_s if centre_s is None else centre_s
        out: list[Record] = [PostureState(at_s, state, confidence, decided_s)]
        if Posture.UNKNOWN not in (before, state):
            out.append(Transition(at_s, before, state, confidence, decided_s))
        return out


def _directions(mean: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        unit: FloatArray = mean / np.sqrt(mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2])
    return unit


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(PostureLogic())


DETECTOR = Detector("posture", build)
