"""Vibration: shaking that goes on without a pause, as on a vehicle's seat. The coach keeps quiet in it.

A vehicle shakes broadly and all the time: in every fifth of a second of nearly every second. Steps and moving about shake
in bursts with calm between; what is walking by its posture is never vibration.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Posture, Record, Vibration
from monitor.core.inputs import BoolArray, FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, PostureFollower, sizes

SHAKING_SD_M_S2 = 0.15  # SD of |acc| in a shaken second; a calm sitter has 0.04, a car seat some 0.4 [I]
PARTS = 5  # a second is looked at in fifths: a seat's 3-6 Hz moves in each of them [I]
PART_SD_SHARE = (
    0.25  # the calmest fifth has at least this share of the second's SD; between steps it has less [I]
)
SHAKEN_S = 30  # shaking for this long is a vehicle's [I]
SHAKEN_SHARE = 0.8  # in this share of its seconds: a kerb or a stop between [I]
CALM_S = 10  # calm for most of this long ends it: quick at the end of the ride, a short stop does not [I]


class VibrationLogic:
    """FrameLogic over seconds."""

    frame_s = 1.0

    def __init__(self) -> None:
        self._posture = PostureFollower()
        self._seconds: deque[bool] = deque(maxlen=SHAKEN_S)
        self._shaken = False

    def notice(self, record: Record) -> None:
        self._posture.notice(record)

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:  # noqa: ARG002
        self._seconds.clear()
        return self._say(False, t_s)

    def close(self, t_s: float) -> list[Record]:  # noqa: ARG002
        return []

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        return sizes(block)[:2]

    def frames(self, frames: Frames) -> list[Record]:
        shaking = _shaking(frames)
        out: list[Record] = []
        for end_s, shakes in zip(frames.end_s.tolist(), shaking.tolist(), strict=True):
            if self._posture.at(end_s) is Posture.WALKING:
                self._seconds.clear()
                out += self._say(False, end_s)
                continue
            self._seconds.append(shakes)
            if self._shaken:
                lately = list(self._seconds)[-CALM_S:]
                out += self._say(2 * sum(lately) >= len(lately), end_s)
            elif shakes and len(self._seconds) == SHAKEN_S:
                out += self._say(sum(self._seconds) >= SHAKEN_SHARE * SHAKEN_S, end_s)
        return out

    def _say(self, shaken: bool, t_s: float) -> list[Record]:
        if shaken is self._shaken:
            return []
        self._shaken = shaken
        return [Vibration(t_s, shaken, t_s)]


def _shaking(frames: Frames) -> BoolArray:
    """Seconds (m,) shaken broadly and without a pause."""
    size, square = frames.x
    k = size.shape[1]
    mean = size.sum(axis=1) / k
    variance = square.sum(axis=1) / k - mean * mean
    shaking: BoolArray = (variance > SHAKING_SD_M_S2 * SHAKING_SD_M_S2) & frames.measured
    length = max(1, k // PARTS)
    if shaking.any():
        parts = np.ascontiguousarray(size[shaking, : k // length * length]).reshape(shaking.sum(), -1, length)
        about = parts - (parts.sum(axis=2) / length)[:, :, None]
        calmest = (about * about).sum(axis=2).min(axis=1) / length
        shaking[shaking] = calmest >= PART_SD_SHARE * PART_SD_SHARE * variance[shaking]
    return shaking


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(VibrationLogic())


DETECTOR = Detector("vibration", build, after=("posture",))
