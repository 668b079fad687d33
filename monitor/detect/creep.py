"""Creep budget: how far soft tissue has given way under held flexion, as a share of its asymptote.

First-order while loaded (McGill & Brown 1992: 20 min of full flexion add 5.5 deg, tau 9.4 min, so an asymptote of 6.24
deg). It comes back in two parts: about half within 2 min of standing, the rest over more than half an hour. The load is
the flexion as a share of full flexion; one sensor does not see the lumbar flexion of sitting, so sitting counts for
the share an upright sitter has. Where the posture is unknown nothing is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Creep, Posture, Record
from monitor.core.inputs import FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, PostureFollower
from monitor.detect.reference import UprightFlexion

TAU_S = 564.0  # 9.4 min (McGill & Brown 1992)
ASYMPTOTE_DEG = 6.24  # derived from 5.5 deg at 20 min [I]
QUICK_SHARE = 0.5  # the part that comes back within about 2 min of standing (McGill & Brown 1992)
QUICK_TAU_S = 33.0  # so chosen that half of all is back in 2 min [I]
SLOW_TAU_S = 1800.0  # full recovery takes longer than loading, more than 30 min (McGill & Brown 1992)
FULL_FLEXION_DEG = 52.0  # lumbar share of full standing flexion (Laird 2019)
UPRIGHT_SITTING_DEG = 19.8  # lumbar flexion in upright sitting (Alshehri 2025)
REPORT_EVERY = 10  # frames of a second between events [I]


class CreepModel:
    """Two parts, each 0..1 of its own asymptote, loaded alike and recovering at different speeds."""

    def __init__(self) -> None:
        self._quick = 0.0
        self._slow = 0.0

    @property
    def fraction(self) -> float:
        """Budget used, 0..1."""
        return QUICK_SHARE * self._quick + (1.0 - QUICK_SHARE) * self._slow

    def step(self, seconds: float, load: float) -> None:
        """Pass `seconds` at `load`, the share of full flexion 0..1."""
        self._quick = _towards(self._quick, load, seconds, QUICK_TAU_S)
        self._slow = _towards(self._slow, load, seconds, SLOW_TAU_S)


def _towards(x: float, load: float, seconds: float, recovery_tau_s: float) -> float:
    return load + (x - load) * math.exp(-seconds / (TAU_S if load > x else recovery_tau_s))


class CreepLogic:
    """FrameLogic over seconds."""

    frame_s = 1.0

    def __init__(self) -> None:
        self._model = CreepModel()
        self._posture = PostureFollower()
        self._upright = UprightFlexion()
        self._last_s = math.nan
        self._until_report = REPORT_EVERY

    def notice(self, record: Record) -> None:
        self._posture.notice(record)

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:  # noqa: ARG002
        if mount_too:
            self._upright.forget()
        return []

    def close(self, t_s: float) -> list[Record]:  # noqa: ARG002
        return []

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        return (block.flexion_deg,)

    def frames(self, frames: Frames) -> list[Record]:
        flexion = frames.x[0].sum(axis=1) / frames.x.shape[2]
        out: list[Record] = []
        for end_s, flexion_deg in zip(frames.end_s.tolist(), flexion.tolist(), strict=True):
            state = self._posture.at(end_s)
            if state is Posture.WALKING:
                self._upright.walk(flexion_deg, frames.frame_s)
            passed_s = frames.frame_s if math.isnan(self._last_s) else end_s - self._last_s
            self._last_s = end_s
            self._model.step(passed_s, self._load(state, flexion_deg))
            self._until_report -= 1
            if self._until_report <= 0:
                self._until_report = REPORT_EVERY
                out.append(Creep(end_s, self._model.fraction, end_s))
        return out

    def _load(self, state: Posture, flexion_deg: float) -> float:
        if state is Posture.SITTING:
            seated_deg = UPRIGHT_SITTING_DEG
        elif state is Posture.STANDING:
            seated_deg = 0.0
        else:
            return 0.0
        forward_deg = flexion_deg - self._upright.flexion_deg
        if not forward_deg > 0.0:
            forward_deg = 0.0
        return min(1.0, (seated_deg + forward_deg) / FULL_FLEXION_DEG)


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(CreepLogic())


DETECTOR = Detector("creep", build, after=("posture",))
