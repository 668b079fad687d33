"""Sitting bouts and the breaks between them, from the posture states and the trunk's movement.

A bout is a maximal run of sitting with interruptions of at most 20 s. It ends by being up: a stretch of doubt between two
stretches of sitting, with no sign of standing, walking or lying and no lost rows in it, belongs to the bout. A break is
what follows its end, as long as the posture is known; its credit is min(1, seconds of trunk movement / 120).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Break, Posture, PostureState, Record, SittingBout
from monitor.core.inputs import FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, PendingStates, sizes

INTERRUPTION_S = 20.0  # ActiPASS's default
DOUBT_S = 300.0  # doubt longer than this is no sitting: more may have happened in it [I]
STATE_DELAY_S = 5.0  # a posture state is known this long after what it is about at the latest [I]
FULL_CREDIT_S = 120.0  # seconds of trunk movement worth a whole break [I]
MOVING_RATE_DEG_S = 8.0  # a second of trunk movement: root mean square rate beyond standing sway [I]
MOVEMENT_MEMORY = 16  # seconds of movement history: more than STATE_DELAY_S


class BoutLogic:
    """FrameLogic over seconds."""

    frame_s = 1.0

    def __init__(self) -> None:
        self._pending = PendingStates()
        self._state = Posture.UNKNOWN
        self._moved_s = 0.0
        self._moved: deque[tuple[float, float]] = deque(maxlen=MOVEMENT_MEMORY)
        self._start_s = math.nan
        self._start_seen = False
        self._interruptions_s = 0.0
        self._pause_s = math.nan  # since when the open bout is interrupted
        self._pause_blind = False
        self._pause_told = False  # something else than sitting was seen in it
        self._lost_s = -math.inf  # when rows were last lost
        self._pause_moved_s = 0.0
        self._break_s = math.nan  # since when a break runs
        self._break_moved_s = 0.0
        self._blind_s = math.nan  # since when the posture is unknown within it
        self._blind_moved_s = 0.0

    def notice(self, record: Record) -> None:
        if isinstance(record, PostureState):
            self._pending.append(record)

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:  # noqa: ARG002
        """The posture detector says `unknown` by itself."""
        self._lost_s = t_s
        return []

    def close(self, t_s: float) -> list[Record]:
        out: list[Record] = []
        for state in self._pending.due(math.inf):
            out += self._on_state(state)
        if not math.isnan(self._start_s):
            end_s = t_s if math.isnan(self._pause_s) else self._pause_s
            out.append(SittingBout(self._start_s, end_s, self._interruptions_s, True, t_s))
        return out

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        return sizes(block)[2:]

    def frames(self, frames: Frames) -> list[Record]:
        moving: FloatArray = frames.x[0].sum(axis=1) / frames.x.shape[2]
        seconds = np.where(
            (moving > MOVING_RATE_DEG_S * MOVING_RATE_DEG_S) & frames.measured, frames.frame_s, 0.0
        )
        out: list[Record] = []
        for end_s, moved_s in zip(frames.end_s.tolist(), seconds.tolist(), strict=True):
            self._moved_s += moved_s
            self._moved.append((end_s, self._moved_s))
            if self._pending and self._pending[0].decided_s <= end_s:
                for state in self._pending.due(end_s):
                    out += self._on_state(state)
            if end_s - self._pause_s > self._bridged_s() + STATE_DELAY_S:
                out += self._end_bout(end_s)
            if end_s - self._blind_s > INTERRUPTION_S + STATE_DELAY_S:
                out += self._end_break(self._blind_s, self._blind_moved_s, end_s)
        return out

    def _bridged_s(self) -> float:
        """How long the present pause may last without ending the bout."""
        doubt = not self._pause_told and self._lost_s < self._pause_s
        return DOUBT_S if doubt else INTERRUPTION_S

    def _moved_at(self, t_s: float) -> float:
        """Seconds of movement up to `t_s`, a few seconds ago at most."""
        for end_s, moved_s in reversed(self._moved):
            if end_s <= t_s:
                return moved_s
        return self._moved[0][1] if self._moved else 0.0

    def _on_state(self, event: PostureState) -> list[Record]:
        out: list[Record] = []
        before, self._state = self._state, event.state
        t_s = event.t_s
        blind = event.state is Posture.UNKNOWN
        if event.state is Posture.SITTING:
            if t_s - self._pause_s > self._bridged_s():
                out += self._end_bout(event.decided_s)
            if not math.isnan(self._start_s):
                self._interruptions_s += t_s - self._pause_s
                self._pause_s = math.nan
                return out
            end_s, moved_s = t_s, self._moved_at(t_s)
            if t_s - self._blind_s > INTERRUPTION_S:
                end_s, moved_s = self._blind_s, self._blind_moved_s
            out += self._end_break(end_s, moved_s, event.decided_s)
            self._start_s, self._start_seen, self._interruptions_s = t_s, before is not Posture.UNKNOWN, 0.0
        elif not math.isnan(self._start_s):
            if math.isnan(self._pause_s):
                self._pause_s, self._pause_moved_s = t_s, self._moved_at(t_s)
                self._pause_blind = self._pause_told = False
            self._pause_blind = self._pause_blind or blind
            self._pause_told = self._pause_told or not blind
        elif not math.isnan(self._break_s):
            if not blind:
                self._blind_s = math.nan
            elif math.isnan(self._blind_s):
                self._blind_s, self._blind_moved_s = t_s, self._moved_at(t_s)
        return out

    def _end_bout(self, decided_s: float) -> list[Record]:
        cut = self._pause_blind or not self._start_seen
        bout = SittingBout(self._start_s, self._pause_s, self._interruptions_s, cut, decided_s)
        if not self._pause_blind:
            self._break_s, self._break_moved_s = self._pause_s, self._pause_moved_s
        self._start_s = self._pause_s = math.nan
        return [bout]

    def _end_break(self, end_s: float, moved_s: float, decided_s: float) -> list[Record]:
        start_s, self._break_s, self._blind_s = self._break_s, math.nan, math.nan
        if math.isnan(start_s):
            return []
        credit = min(1.0, (moved_s - self._break_moved_s) / FULL_CREDIT_S)
        return [Break(start_s, end_s, credit, decided_s)]


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(BoutLogic())


DETECTOR = Detector("bouts", build, after=("posture",))
