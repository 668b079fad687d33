"""Turns of the whole body on its way, from the rate about the vertical: the mean heading of the strides after, less that before.

Steps swing the pelvis to and fro by some degrees. A heading is therefore taken over strides, never at a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from monitor.core.inputs import FloatArray
from monitor.detect.frames import Frames
from monitor.detect.movements.strokes import LONGEST_S

TURNING_DEG_S = 20.0  # mean rate about the vertical over a stride; a bend in the way is slower [I]
STRIDE_RADIUS_FRAMES = 5  # 1.1 s: a stride [I]
EDGE_FRAMES = 2  # a mean over a stride sees a turn this much before it begins and after it ends [I]
STRAIGHT_FRAMES = 30  # a heading is a weighted mean over 3 s, two to three strides [I]
LEAST_TURN_DEG = 45.0  # less is a bend in the way [I]

AFTER_FRAMES = STRAIGHT_FRAMES - EDGE_FRAMES
REACH_FRAMES = AFTER_FRAMES + STRIDE_RADIUS_FRAMES
KEEP_FRAMES = int(LONGEST_S * 10) + 2 * REACH_FRAMES


@dataclass(frozen=True, slots=True)
class Turn:
    """The heading changed by `change_deg` (+ left) between `start_s` and `end_s`; `settled_s`: when that was known."""

    start_s: float
    end_s: float
    change_deg: float
    settled_s: float


class _Run(NamedTuple):
    """Frames from `first` up to before `stop` turn to one side."""

    first: int
    stop: int


class Turns:
    """Frames of 0.1 s come in order; a lost stretch ends with `restart`."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._base = 0
        self._judged = STRIDE_RADIUS_FRAMES + 1
        self._heading = np.empty(0)
        self._start_s = self._end_s = np.empty(0)
        self._run_first = -1
        self._run_sign = 0.0
        self._waiting: list[_Run] = []
        self._free_from = 0

    def frames(self, frames: Frames, yaw_deg_s: FloatArray) -> list[Turn]:
        """Take the next frames; `yaw_deg_s` (m,) mean rate about the vertical. Unknown rates make no turn."""
        last = self._heading[-1:] if len(self._heading) else np.zeros(1)
        steps = np.where(np.isfinite(yaw_deg_s), yaw_deg_s, 0.0) * frames.frame_s
        self._heading = np.concatenate((self._heading, np.cumsum(np.concatenate((last, steps)))[1:]))
        self._start_s = np.concatenate((self._start_s, frames.start_s))
        self._end_s = np.concatenate((self._end_s, frames.end_s))
        self._find_runs(frames.frame_s)
        out = []
        while self._waiting and self._waiting[0].stop + AFTER_FRAMES <= self._judged:
            out += self._turn(self._waiting.pop(0))
        self._trim()
        return out

    def close(self) -> list[Turn]:
        """No more will come: turns are taken with what is known of the heading after them."""
        out = []
        while self._waiting:
            out += self._turn(self._waiting.pop(0))
        return out

    @property
    def _known(self) -> int:
        """Index behind the last frame."""
        return self._base + len(self._heading)

    def _find_runs(self, frame_s: float) -> None:
        """Judge the frames whose stride is known, and queue the turns that have ended."""
        radius, stop = STRIDE_RADIUS_FRAMES, self._known - STRIDE_RADIUS_FRAMES
        if stop <= self._judged:
            return
        at = np.arange(self._judged, stop) - self._base
        rate = (self._heading[at + radius] - self._heading[at - radius - 1]) / ((2 * radius + 1) * frame_s)
        side = np.where(np.abs(rate) >= TURNING_DEG_S, np.sign(rate), 0.0)
        before = np.concatenate(((self._run_sign,), side[:-1]))
        for i in np.flatnonzero(side != before).tolist():
            self._end_run(self._judged + i)
            self._run_first, self._run_sign = self._judged + i, float(side[i])
        self._judged = stop

    def _end_run(self, stop: int) -> None:
        if self._run_sign:
            self._waiting.append(_Run(self._run_first, stop))

    def _turn(self, run: _Run) -> list[Turn]:
        """What the run changed, if it is a turn. The headings are those of frames between runs."""
        first, stop = run.first + EDGE_FRAMES, run.stop - EDGE_FRAMES
        if stop <= first or run.first < self._base:
            return []
        before_first = min(max(self._free_from, first - STRAIGHT_FRAMES, self._base), first - 1)
        after_stop = min(stop + STRAIGHT_FRAMES, self._known, *(other.first for other in self._waiting[:1]))
        if not self._waiting and self._run_sign:
            after_stop = min(after_stop, self._run_first)
        after_stop = max(after_stop, stop + 1)
        self._free_from = stop
        before = _mean_heading(self._heading[before_first - self._base : first - self._base])
        after = _mean_heading(self._heading[stop - self._base : after_stop - self._base])
        start_s = float(self._start_s[first - self._base])
        end_s = float(self._end_s[stop - 1 - self._base])
        if abs(after - before) < LEAST_TURN_DEG or end_s - start_s > LONGEST_S:
            return []
        settled = min(run.stop + REACH_FRAMES, self._known) - 1
        return [Turn(start_s, end_s, after - before, float(self._end_s[settled - self._base]))]

    def _trim(self) -> None:
        """Forget what no turn can reach: a run that has lasted too long is none any more."""
        drop = len(self._heading) - KEEP_FRAMES
        if drop <= 0:
            return
        self._heading, self._start_s, self._end_s = (
            column[drop:].copy() for column in (self._heading, self._start_s, self._end_s)
        )
        self._base += drop


def _mean_heading(straight: FloatArray) -> float:
    """Of a straight stretch; its ends, next to turns and between strides, weigh least."""
    weight = np.hanning(len(straight) + 2)[1:-1]
    return float((weight * straight).sum() / weight.sum())
