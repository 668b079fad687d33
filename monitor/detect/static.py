"""Static holds: the trunk stays within a few degrees, sitting or standing, given once a second while it lasts.

A short excursion (a reach and back) does not end a hold; walking and a new position do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Record, StaticHold
from monitor.core.inputs import FloatArray
from monitor.core.protocols import Detector
from monitor.detect.frames import Frames, FrameStage, sizes, unit_mean
from monitor.detect.reference import Direction3

WITHIN_DEG = 5.0  # a hold is within +-5 deg (ErgoCapture, ISO 11226-style)
REPORT_AFTER_S = 60.0  # a static part is one held longer than a minute (REBA)
EXCURSION_S = 3.0  # away for no longer than this is a reach, not a new position [I]
STILL_RATE_DEG_S = 15.0  # a second with a larger root mean square rate is not held still [I]
STILL_SD_M_S2 = 0.589  # nor one in which |acc| varies as in walking: 0.06 g (R1)

WITHIN_COSINE = math.cos(math.radians(WITHIN_DEG))


class StaticLogic:
    """FrameLogic over seconds."""

    frame_s = 1.0

    def __init__(self) -> None:
        self._anchor: Direction3 | None = None
        self._since_s = 0.0
        self._away_s = 0.0
        self._said = False

    def notice(self, record: Record) -> None:
        """Nothing but rows matters here."""

    def lost(self, t_s: float, *, mount_too: bool) -> list[Record]:  # noqa: ARG002
        self._anchor = None
        return self._end(t_s, t_s)

    def close(self, t_s: float) -> list[Record]:
        return self._end(t_s, t_s)

    def columns(self, block: TrunkBlock) -> Sequence[FloatArray]:
        up = block.up
        return (up[:, 0], up[:, 1], up[:, 2], *sizes(block))

    def frames(self, frames: Frames) -> list[Record]:
        x = frames.x
        k = x.shape[2]
        mean = x[3].sum(axis=1) / k
        variance = x[4].sum(axis=1) / k - mean * mean
        still = (variance < STILL_SD_M_S2 * STILL_SD_M_S2) & frames.measured
        still &= x[5].sum(axis=1) / k < STILL_RATE_DEG_S * STILL_RATE_DEG_S
        up = unit_mean(x[:3])
        still &= np.isfinite(up[0])
        out: list[Record] = []
        for start_s, end_s, holds, ux, uy, uz in zip(
            frames.start_s.tolist(),
            frames.end_s.tolist(),
            still.tolist(),
            up[0].tolist(),
            up[1].tolist(),
            up[2].tolist(),
            strict=True,
        ):
            anchor = self._anchor
            near = anchor is not None and anchor[0] * ux + anchor[1] * uy + anchor[2] * uz >= WITHIN_COSINE
            if holds and near:
                self._away_s = 0.0
                seconds = end_s - self._since_s
                if seconds >= REPORT_AFTER_S:
                    out.append(StaticHold(end_s, seconds, end_s))
                    self._said = True
                continue
            self._away_s += frames.frame_s
            if anchor is None or self._away_s > EXCURSION_S:
                out += self._end(end_s, end_s)
                self._anchor = (ux, uy, uz) if holds else None
                self._since_s = start_s
        return out

    def _end(self, t_s: float, decided_s: float) -> list[Record]:
        self._away_s = 0.0
        if not self._said:
            return []
        self._said = False
        return [StaticHold(t_s, 0.0, decided_s)]


def build() -> FrameStage:
    """A fresh stage."""
    return FrameStage(StaticLogic())


DETECTOR = Detector("static", build)
