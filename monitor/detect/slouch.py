"""Slouch: the trunk held forward of the wearer's own upright, sitting or standing, longer than a hold time.

The reference is the flexion while walking (the neutral pose before any). Given when it has ended. At the lower back a
slumped pelvis rolls backward, which this does not see: it sees the trunk leaning forward.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Posture, Record, Slouch
from monitor.core.inputs import FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, PostureFollower
from monitor.detect.reference import UprightFlexion

BEGINS_DEG = 10.0  # seated lumbar flexion goes from 19.8 to 30.0 deg when slumping (Alshehri 2025)
HYSTERESIS_DEG = 3.0  # it ends this much lower [I]
HOLD_S = 120.0  # shorter ones are no slouch (Lumo's own advice)


class SlouchLogic:
    """FrameLogic over seconds."""

    frame_s = 1.0

    def __init__(self) -> None:
        self._posture = PostureFollower()
        self._upright = UprightFlexion()
        self._start_s = math.nan
        self._end_s = math.nan
        self._sum_deg = 0.0
        self._count = 0
        self._peak_deg = 0.0

    def notice(self, record: Record) -> None:
        self._posture.notice(record)

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:
        if mount_too:
            self._upright.forget()
        return self._end(t_s)

    def close(self, t_s: float) -> list[Record]:
        return self._end(t_s)

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        return (block.flexion_deg,)

    def frames(self, frames: Frames) -> list[Record]:
        flexion = frames.x[0].sum(axis=1) / frames.x.shape[2]
        out: list[Record] = []
        for start_s, end_s, flexion_deg in zip(
            frames.start_s.tolist(), frames.end_s.tolist(), flexion.tolist(), strict=True
        ):
            state = self._posture.at(end_s)
            if state is Posture.WALKING:
                self._upright.walk(flexion_deg, frames.frame_s)
            forward_deg = flexion_deg - self._upright.flexion_deg
            edge_deg = BEGINS_DEG if math.isnan(self._start_s) else BEGINS_DEG - HYSTERESIS_DEG
            if forward_deg > edge_deg and (state is Posture.SITTING or state is Posture.STANDING):
                if math.isnan(self._start_s):
                    self._start_s, self._sum_deg, self._count, self._peak_deg = start_s, 0.0, 0, 0.0
                self._end_s = end_s
                self._sum_deg += forward_deg
                self._count += 1
                self._peak_deg = max(self._peak_deg, forward_deg)
            elif not math.isnan(self._start_s):
                out += self._end(end_s)
        return out

    def _end(self, decided_s: float) -> list[Record]:
        start_s, self._start_s = self._start_s, math.nan
        if math.isnan(start_s) or self._end_s - start_s < HOLD_S:
            return []
        return [Slouch(start_s, self._end_s, self._sum_deg / self._count, self._peak_deg, decided_s)]


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(SlouchLogic())


DETECTOR = Detector("slouch", build, after=("posture",))
