"""Vibration: shaking that goes on and on, as on a vehicle's seat. The coach keeps quiet in it.

Walking shakes too; so this goes on for up to a minute after a walk, which does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Record, Vibration
from monitor.core.inputs import FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, sizes

SHAKING_SD_M_S2 = 0.15  # SD of |acc| in a shaken second; a calm sitter has 0.04, a car seat some 0.4 [I]
SHAKEN_S = 30.0  # shaking for this long in all is a vehicle's [I]
CALM_SHARE = 0.5  # a calm second takes back this part of a shaken one: a red light does not end it [I]


class VibrationLogic:
    """FrameLogic over seconds."""

    frame_s = 1.0

    def __init__(self) -> None:
        self._level_s = 0.0
        self._shaken = False

    def notice(self, record: Record) -> None:
        """Nothing but rows matters here."""

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:  # noqa: ARG002
        return []

    def close(self, t_s: float) -> list[Record]:  # noqa: ARG002
        return []

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        return sizes(block)[:2]

    def frames(self, frames: Frames) -> list[Record]:
        k = frames.x.shape[2]
        mean = frames.x[0].sum(axis=1) / k
        variance = frames.x[1].sum(axis=1) / k - mean * mean
        shaking = (variance > SHAKING_SD_M_S2 * SHAKING_SD_M_S2) & frames.measured
        out: list[Record] = []
        if not self._level_s and not shaking.any():
            return out
        for end_s, shakes in zip(frames.end_s.tolist(), shaking.tolist(), strict=True):
            if shakes:
                self._level_s = min(SHAKEN_S, self._level_s + frames.frame_s)
            elif self._level_s:
                self._level_s = max(0.0, self._level_s - CALM_SHARE * frames.frame_s)
            if self._shaken != (self._level_s >= SHAKEN_S if not self._shaken else self._level_s > 0.0):
                self._shaken = not self._shaken
                out.append(Vibration(end_s, self._shaken, end_s))
        return out


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(VibrationLogic())


DETECTOR = Detector("vibration", build)
