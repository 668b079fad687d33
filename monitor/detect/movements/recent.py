"""Recent rows and postures: what a detector looks back at when it settles something some seconds late."""

from __future__ import annotations

import math
from collections import deque

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
        self._frames: deque[Frames] = deque()

    @property
    def rate_hz(self) -> float:
        return self._rate_hz

    def forget(self) -> None:
        self._frames.clear()

    def goes_on_with(self, frames: Frames) -> bool:
        """Whether `frames` have the rate of those before; there are some."""
        return bool(self._frames) and self._frames[-1].x.shape[2] == frames.x.shape[2]

    def add(self, frames: Frames) -> None:
        """Take the next frames, at the rate of those before or after `forget`."""
        self._rate_hz = frames.x.shape[2] / frames.frame_s
        while self._frames and self._frames[0].end_s[-1] < frames.end_s[0] - self._keep_s:
            self._frames.popleft()
        self._frames.append(frames)

    def span(self, start_s: float, end_s: float) -> FloatArray:
        """Rows (c, n) of the frames that end after `start_s` up to the one that ends at `end_s`; none after NaN."""
        parts = []
        for frames in self._frames:
            if frames.end_s[-1] <= start_s:
                continue
            first = int(np.searchsorted(frames.end_s, start_s, side="right"))
            last = int(np.searchsorted(frames.end_s, end_s, side="right"))
            parts.append(frames.x[:, first:last])
            if last < len(frames.end_s):
                break
        whole = np.concatenate(parts, axis=1) if parts else self._frames[-1].x[:, :0]
        return np.ascontiguousarray(whole.reshape(len(whole), -1))


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
