"""Recent rows and postures: what a detector looks back at when it settles something some seconds late."""

from __future__ import annotations

import math

import numpy as np

from monitor.core.events import Posture, PostureState, Record
from monitor.core.inputs import FloatArray
from monitor.detect.frames import Frames, PendingStates

POSTURE_LAG_S = 5.0  # the posture of a row is decided at most this much later (posture's own promise)


class RecentRows:
    """Whole frames of the last `keep_s` seconds, as rows."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._rate_hz = math.nan
        self._end_s = np.empty(0)
        self._x = np.empty((0, 0, 0))

    @property
    def rate_hz(self) -> float:
        return self._rate_hz

    def forget(self) -> None:
        self._end_s, self._x = np.empty(0), np.empty((0, 0, 0))

    def add(self, frames: Frames) -> bool:
        """Take the next frames; False where they do not go on at the rate of those before, which are then forgotten."""
        k = frames.x.shape[2]
        same: bool = self._x.shape[2] == k
        if not same:
            self._end_s, self._x = np.empty(0), np.empty((len(frames.x), 0, k))
            self._rate_hz = k / frames.frame_s
        elif len(self._end_s):
            first = int(np.searchsorted(self._end_s, self._end_s[-1] - self._keep_s))
            self._end_s, self._x = self._end_s[first:], self._x[:, first:]
        self._end_s = np.concatenate((self._end_s, frames.end_s))
        self._x = np.concatenate((self._x, frames.x), axis=1)
        return same

    def span(self, start_s: float, end_s: float) -> FloatArray:
        """Rows (c, n) of the frames that end after `start_s` up to the one that ends at `end_s`; none after NaN."""
        first = int(np.searchsorted(self._end_s, start_s, side="right"))
        last = int(np.searchsorted(self._end_s, end_s, side="right"))
        return np.ascontiguousarray(self._x[:, first:last].reshape(len(self._x), -1))


class RecentPostures:
    """The posture at past times, from the PostureState events settled so far."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._pending = PendingStates()
        self._from: list[tuple[float, Posture]] = [(-math.inf, Posture.UNKNOWN)]

    def notice(self, record: Record) -> None:
        if isinstance(record, PostureState):
            self._pending.append(record)

    def settle(self, t_s: float) -> None:
        """Believe what was decided up to `t_s`. Call with times that do not decrease."""
        for event in self._pending.due(t_s):
            while self._from and self._from[-1][0] >= event.t_s:
                self._from.pop()
            self._from.append((event.t_s, event.state))
        while len(self._from) > 1 and self._from[1][0] < t_s - self._keep_s:
            self._from.pop(0)

    def main(self, start_s: float, end_s: float) -> Posture:
        """The posture that takes the largest part of `start_s`..`end_s`."""
        return max(Posture, key=lambda state: self.seconds(state, start_s, end_s))

    def seconds(self, state: Posture, start_s: float, end_s: float) -> float:
        """How long the posture was `state` between the two times."""
        ends = [*(t_s for t_s, _ in self._from[1:]), math.inf]
        return sum(
            max(0.0, min(end_s, to_s) - max(start_s, from_s))
            for (from_s, was), to_s in zip(self._from, ends, strict=True)
            if was is state
        )
