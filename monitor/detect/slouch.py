"""Slouch: the trunk held away from the wearer's own upright, sitting or standing, longer than a hold time.

Two ways: the trunk leaning forward of its flexion while walking (of the neutral pose before any), and, at the lower
back and waist, the pelvis rolling backward from where it was when the wearer sat down. Given when it has ended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Posture, Record, Slouch
from monitor.core.inputs import FloatArray, Mark
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, PostureFollower
from monitor.detect.reference import UprightFlexion

BEGINS_DEG = 10.0  # seated lumbar flexion goes from 19.8 to 30.0 deg when slumping (Alshehri 2025)
ROLL_BEGINS_DEG = 6.0  # the pelvis' share of a 10 deg slump, seated [I]
SEATED_FROM_S, SEATED_UNTIL_S = 3.0, 33.0  # after sitting down: settled, and not yet slumped [I]
HYSTERESIS_DEG = 3.0  # it ends this much lower [I]
LOW_PLACEMENTS = ("lower_back", "waist")
HOLD_S = 120.0  # shorter ones are no slouch (Lumo's own advice)


class SeatedPelvis:
    """Where the pelvis was when the wearer sat down: the median flexion of the first half minute of a seat."""

    def __init__(self) -> None:
        self._seated_s = 0.0
        self._first_deg: list[float] = []
        self._reference_deg = math.nan

    def forget(self) -> None:
        self._seated_s, self._reference_deg = 0.0, math.nan
        self._first_deg.clear()

    def rolled_back_deg(self, state: Posture, flexion_deg: float, seconds: float) -> float:
        """How far the pelvis has rolled backward since; NaN while that is not known."""
        if state is Posture.UNKNOWN:
            return math.nan
        if state is not Posture.SITTING:
            self.forget()
            return math.nan
        self._seated_s += seconds
        if self._seated_s <= SEATED_UNTIL_S:
            if self._seated_s > SEATED_FROM_S and flexion_deg == flexion_deg:
                self._first_deg.append(flexion_deg)
        elif self._first_deg:
            self._reference_deg = median(self._first_deg)
            self._first_deg.clear()
        return self._reference_deg - flexion_deg


class SlouchLogic:
    """FrameLogic over seconds."""

    frame_s = 1.0

    def __init__(self) -> None:
        self._posture = PostureFollower()
        self._upright = UprightFlexion()
        self._pelvis: SeatedPelvis | None = None
        self._start_s = math.nan
        self._end_s = math.nan
        self._sum_deg = 0.0
        self._count = 0
        self._peak_deg = 0.0

    def notice(self, record: Record) -> None:
        if isinstance(record, Mark) and record.kind == "sensor" and record.value.get("primary"):
            self._pelvis = SeatedPelvis() if record.value.get("placement") in LOW_PLACEMENTS else None
        self._posture.notice(record)

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:
        if mount_too:
            self._upright.forget()
        if self._pelvis is not None:
            self._pelvis.forget()
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
            lean_deg, over_deg = self._lean(state, flexion_deg, frames.frame_s)
            edge_deg = 0.0 if math.isnan(self._start_s) else -HYSTERESIS_DEG
            if over_deg > edge_deg and (state is Posture.SITTING or state is Posture.STANDING):
                if math.isnan(self._start_s):
                    self._start_s, self._sum_deg, self._count, self._peak_deg = start_s, 0.0, 0, 0.0
                self._end_s = end_s
                self._sum_deg += lean_deg
                self._count += 1
                self._peak_deg = max(self._peak_deg, lean_deg)
            elif not math.isnan(self._start_s):
                out += self._end(end_s)
        return out

    def _lean(self, state: Posture, flexion_deg: float, seconds: float) -> tuple[float, float]:
        """How far from upright, and how far beyond the edge of a slouch: of the two ways the one further beyond."""
        forward_deg = flexion_deg - self._upright.flexion_deg
        rolled_deg = math.nan
        if self._pelvis is not None:
            rolled_deg = self._pelvis.rolled_back_deg(state, flexion_deg, seconds)
        if rolled_deg - ROLL_BEGINS_DEG > forward_deg - BEGINS_DEG:
            return rolled_deg, rolled_deg - ROLL_BEGINS_DEG
        return forward_deg, forward_deg - BEGINS_DEG

    def _end(self, decided_s: float) -> list[Record]:
        start_s, self._start_s = self._start_s, math.nan
        if math.isnan(start_s) or self._end_s - start_s < HOLD_S:
            return []
        return [Slouch(start_s, self._end_s, self._sum_deg / self._count, self._peak_deg, decided_s)]


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(SlouchLogic())


DETECTOR = Detector("slouch", build, after=("posture",))
