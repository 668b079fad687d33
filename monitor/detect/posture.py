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

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import MountSet, Posture, PostureState, Record, Transition
from monitor.core.inputs import BoolArray, FloatArray, Mark
from monitor.core.protocols import Detector
from monitor.detect import gait, transitions
from monitor.detect.belief import AFTER_LYING, AFTER_WALKING, Belief
from monitor.detect.frames import Frames, FrameStage, column_sums
from monitor.detect.reference import NEUTRAL, WALKED_ENOUGH_S, Direction3, UprightReference, angle_deg
from monitor.detect.transitions import FINE_FRAME_S, Change

GRAVITY_M_S2 = 9.81  # taken from the levelled vertical acceleration (R1)
WALK_CONFIDENCE = 0.95  # periodic steps are all but certain (reference systems: F1 1.0; less is claimed)
LIE_CONFIDENCE = 0.95  # so is lying (F1 .99)
LAG_FRAMES = 39  # a step is judged 3.9 s later: every change centred on it is known by then [I]
REACH_BACK_FRAMES = max(gait.REACH_FRAMES, transitions.REACH_FRAMES)
LOOK_AROUND_FRAMES = 10  # the tilt is the mean over 2 s [I]
QUIET_RATE_DEG_S = 10.0  # and is looked at only while the trunk turns slower than this (root mean square) [I]
BLIND_FRAMES = 20  # no measured frame for 2 s: evidence is lost [I]
ONE_MOVEMENT_S = 2.0  # walking is not believed to follow a change within its own two seconds [I]
SITTING_UP_S = 3.0  # for this long after lying a step in tilt tells nothing [I]
WALKING_TILT_MAX_DEG = 30.0  # nobody walks further from the calibrated neutral pose: that is no reference [I]
FORWARD_BEND_S = 20.0  # bent forward beyond the lying angle is not lying before this long [I]
GAIT_SOURCE = "gait"  # a mount found from walking: its neutral pose is the walking vertical
TILT_PLACEMENTS = ("lower_back", "waist")  # where tilt parts sitting from standing [I]

# Columns of the history, one per fine frame.
UP_X, UP_Y, UP_Z, RISE, MAGNITUDE, SQUARE, RATE2, INCLINATION, FLEXION, MEASURED, START, END = range(12)
COLUMNS = 12


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
        acc, up, rate = block.acc, block.up, block.rate_deg_s
        x, y, z = acc[:, 0], acc[:, 1], acc[:, 2]
        square = x * x + y * y + z * z
        rise = x * up[:, 0] + y * up[:, 1] + z * up[:, 2] - GRAVITY_M_S2
        rate2 = rate[:, 0] * rate[:, 0] + rate[:, 1] * rate[:, 1] + rate[:, 2] * rate[:, 2]
        return (
            up[:, 0],
            up[:, 1],
            up[:, 2],
            rise,
            np.sqrt(square),
            square,
            rate2,
            block.inclination_deg,
            block.flexion_deg,
        )

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
        steps = np.arange(self._step - side, stop + side)
        centres = steps * gait.STEP_FRAMES - self._base
        history = self._history
        walking = gait.majority(gait.walking(history[MAGNITUDE], history[SQUARE], centres))
        inner = centres[side:-side]
        up = gait.window(history[UP_X : UP_Z + 1], inner, LOOK_AROUND_FRAMES).sum(axis=2)
        norm = np.sqrt(up[0] * up[0] + up[1] * up[1] + up[2] * up[2])
        with np.errstate(invalid="ignore", divide="ignore"):
            up /= norm
        rate2 = gait.window(history[RATE2], inner, LOOK_AROUND_FRAMES).sum(axis=1) / (
            2 * LOOK_AROUND_FRAMES + 1
        )
        known = np.isfinite(history[INCLINATION, inner])
        bends: BoolArray = history[FLEXION, inner] > gait.LYING_DEG
        quiet = rate2 < QUIET_RATE_DEG_S * QUIET_RATE_DEG_S
        measured: BoolArray = gait.window(history[MEASURED], inner, BLIND_FRAMES // 2).sum(axis=1) > 0.0
        decided = history[END, inner + LAG_FRAMES]
        starts = history[START, inner]
        self._look_for_changes((stop - 1) * gait.STEP_FRAMES + transitions.CENTRE_SHIFT_FRAMES + 1)
        self._step = stop
        out: list[Record] = []
        for t_s, decided_s, walks, level, bent, x, y, z, still, seen in zip(
            starts.tolist(),
            decided.tolist(),
            walking.tolist(),
            known.tolist(),
            bends.tolist(),
            up[0].tolist(),
            up[1].tolist(),
            up[2].tolist(),
            quiet.tolist(),
            measured.tolist(),
            strict=True,
        ):
            if seen:
                out += self._one_step(t_s, decided_s, walks, level, bent, (x, y, z), still)
            else:
                self._belief.forget()
                out += self._say(t_s, Posture.UNKNOWN, 1.0, decided_s, None)
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

    def _one_step(
        self, t_s: float, decided_s: float, walks: bool, known: bool, bent: bool, up: Direction3, still: bool
    ) -> list[Record]:
        """Judge the 0.5 s from `t_s` on, whose mean vertical is `up`; `known`: up is calibrated; `bent`: far forward."""
        belief, reference = self._belief, self._reference
        centre_s = None
        while self._changes and self._changes[0][0] <= t_s:
            changed_s, change = self._changes.popleft()
            if not (known or reference.walked):
                continue
            tilt_tells = self._tilt_counts and changed_s - self._lay_s > SITTING_UP_S
            vote = change.vote(reference.direction, tilt_tells=tilt_tells)
            if vote:
                belief.change(vote)
                centre_s = self._changed_s = changed_s
        if walks:
            if t_s - self._changed_s > ONE_MOVEMENT_S:
                belief.p_sit = AFTER_WALKING
            if not known or angle_deg(up, NEUTRAL) < WALKING_TILT_MAX_DEG:
                reference.walk(up, gait.STEP_S)
            belief.claimed = Posture.WALKING
            return self._say(t_s, Posture.WALKING, WALK_CONFIDENCE, decided_s, None)
        tilt_deg = angle_deg(up, reference.direction) if known or reference.walked else math.nan
        if tilt_deg > gait.LYING_DEG:
            self._bent_s += gait.STEP_S
            if not bent or self._bent_s > FORWARD_BEND_S:
                belief.p_sit, belief.claimed, self._lay_s = AFTER_LYING, Posture.LYING, t_s
                return self._say(t_s, Posture.LYING, LIE_CONFIDENCE, decided_s, None)
            return []
        self._bent_s = 0.0
        if not (still and self._tilt_counts):
            tilt_deg = math.nan
        odds = belief.tilt_log_odds(tilt_deg, walked=reference.walked)
        belief.pass_time(gait.STEP_S, odds if reference.walked else 0.0, tilt_deg)
        state, confidence = belief.claim(odds)
        return self._say(t_s, state, confidence, decided_s, centre_s)

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


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(PostureLogic())


DETECTOR = Detector("posture", build)
