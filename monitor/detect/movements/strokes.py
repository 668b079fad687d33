"""Strokes: one angle leaves where it was, turns, and comes back, stays, or turns again. Pure but for its own state.

An angle may be a complex number, of a tilt with no direction of its own: then it leaves in whatever direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.core.inputs import FloatArray
from monitor.detect.frames import Frames
from monitor.detect.movements.columns import ComplexArray

ACTIVE_RATE_DEG_S = 5.0  # from frame to frame; a slower one is held [I]
HOLD_FRAMES = 10  # one second below the active rate is a hold [I]
LINGER_FRAMES = 50  # back within five seconds it was a bend that lingered, not a move to another position [I]
LEAVE_DEG = 3.0  # a movement starts this far from where it was still [I]
HOME_DEG = 5.0  # from neutral: here a movement ends, it does not linger [I]
RETURN_SHARE = 0.2  # and has come back within this share of its range [I]
STAYED_SHARE = 0.5  # back by no more than this share of its range it is still where it went [I]
AGAIN_SHARE = (
    0.5  # back by this share of its range and off again: that was one repetition, and here is the next [I]
)
AGAIN_DEG = 10.0  # off again by this much: the least range of a movement [I]
COUNTER_S = 1.0  # a first movement may begin with a small one to the other side [I]
AFTER_S = 5.0  # repetitions further apart are not told from where the one before came back [I]
SETTLED_FRAMES = 200  # a heading held for 20 s is where one faces: longer than a stretch is held [I]
TURNED_DEG = 60.0  # further round than a trunk turns on its hips: the whole body faces there now [I]
LONGEST_S = 15.0  # whoever has not arrived by then does not move, but works, holds or drifts [I]


@dataclass(frozen=True, slots=True)
class Stroke:
    """Away in direction `sign` (+1, -1) and back or to a hold; `settled_s`: when that was known.

    `still_deg`: where it was still; `base_deg`: how far from there, in the stroke's direction, it began; `moved_deg`: how far
    it went from then on, by means of frames.
    `reach_s`: when it was furthest. `returned`: it came back to where it began. `after_s`: from then to `start_s` the angle
    has its low point: when the repetition before it, to the same side, had come back, or a moment before a first one; NaN
    after one to the other side. `neutral_deg`: the angle that counts as 0, of a heading where one faced.
    """

    sign: float
    start_s: float
    end_s: float
    still_deg: complex
    base_deg: float
    moved_deg: float
    settled_s: float
    returned: bool
    after_s: float
    reach_s: float
    neutral_deg: float

    @property
    def any_way(self) -> bool:
        """Whether it was not an angle of its own, but a tilt in whatever direction."""
        return isinstance(self.still_deg, complex)


class Strokes:
    """The strokes of one axis. Frames come in order with running indices; a lost stretch ends with `restart`.

    `heading`: the angle has no zero of its own.
    """

    _reach_at_deg: complex

    def __init__(self, *, heading: bool = False) -> None:
        self._heading = heading
        self.restart()

    def restart(self) -> None:
        self._any_way = False
        self._still_deg: complex = math.nan
        self._before_deg: complex = math.nan
        self._neutral_deg = math.nan if self._heading else 0.0
        self._back_deg = 0.0
        self._before = (0.0, math.nan)
        self._last, self._known = -HOLD_FRAMES - 1, 0
        self._stop()

    @property
    def since_s(self) -> float:
        """When the stroke under way began; infinity where none is."""
        return self._start_s if self._sign else math.inf

    def frames(self, first: int, frames: Frames, angle: FloatArray | ComplexArray) -> list[Stroke]:
        """Take the next frames, the first of which has index `first`; `angle` (m,) deg, of one kind until `restart`."""
        out: list[Stroke] = []
        self._any_way = np.iscomplexobj(angle)
        before = np.concatenate(((self._before_deg,), angle[:-1]))
        active = np.abs(angle - before) >= ACTIVE_RATE_DEG_S * frames.frame_s
        rows = np.flatnonzero(active & frames.measured)
        for i, before_deg, angle_deg, start_s, end_s in zip(
            rows.tolist(),
            before[rows].tolist(),
            angle[rows].tolist(),
            frames.start_s[rows].tolist(),
            frames.end_s[rows].tolist(),
            strict=True,
        ):
            index = first + i
            if index - self._last > HOLD_FRAMES:
                out += self._hold(index, first, frames)
                if not self._sign:
                    self._still_deg = angle_deg if math.isnan(before_deg.real) else before_deg
                    self._back_deg, self._before = 0.0, (0.0, math.nan)
                    if self._heading:
                        self._face(self._still_deg.real, index - self._last)
            self._last = index
            if self._sign:
                out += self._under_way(angle_deg, end_s)
            if not self._sign and (self._back_deg or abs(angle_deg - self._still_deg) >= LEAVE_DEG):
                self._begin(angle_deg, start_s, end_s)
        self._known = first + len(angle)
        out += self._hold(self._known, first, frames)
        self._before_deg = angle[-1].item()
        return out

    def close(self, t_s: float) -> list[Stroke]:
        """No more will come: a stroke that was on its way back is as good as done, and so is one that is held."""
        held = self._known - self._last > HOLD_FRAMES
        if not self._sign or not (held or self._turned_back()):
            return []
        return [self._end(self._end_s, t_s, returned=self._turned_back())]

    def _face(self, still_deg: float, frames: int) -> None:
        """The heading was `still_deg` for so many frames."""
        here = abs(still_deg - self._neutral_deg) <= TURNED_DEG
        if frames > SETTLED_FRAMES or not here:
            self._neutral_deg = still_deg

    def _away_deg(self, angle_deg: complex) -> float:
        """From where it was still; of one that may go any way never negative."""
        step = angle_deg - self._still_deg
        return abs(step) if self._any_way else step.real

    def _begin(self, angle_deg: complex, start_s: float, end_s: float) -> None:
        """A stroke begins once the angle has left; after a return on the same side, from the nearest it has come."""
        away_deg = self._away_deg(angle_deg)
        if away_deg * self._back_deg <= 0.0:
            self._back_deg = 0.0
        elif abs(away_deg) < abs(self._back_deg):
            self._back_deg = away_deg
        base_deg = abs(self._back_deg)
        if not abs(away_deg) - base_deg >= LEAVE_DEG:  # nor where an angle is not known
            return
        self._sign = math.copysign(1.0, away_deg)
        self._start_s, self._end_s, self._base_deg = start_s, end_s, base_deg
        self._reach_deg = self._low_deg = abs(away_deg)
        self._reach_s = self._low_s = end_s
        self._reach_at_deg = angle_deg

    def _under_way(self, angle_deg: complex, end_s: float) -> list[Stroke]:
        away_deg = self._sign * self._away_deg(angle_deg)
        if end_s - self._start_s > LONGEST_S:
            stroke = self._end(self._reach_s, end_s, returned=False)
            self._still_deg, self._back_deg = angle_deg, 0.0
            return [stroke]
        if self._turned_again(away_deg):
            low_deg, low_s = self._low_deg, self._low_s
            stroke = self._end(low_s, end_s, returned=False)
            self._sign, self._start_s, self._base_deg = stroke.sign, low_s, low_deg
            self._reach_deg = self._low_deg = away_deg
            self._end_s = self._reach_s = self._low_s = end_s
            self._reach_at_deg = angle_deg
            return [stroke]
        self._end_s = end_s
        if away_deg > self._reach_deg:
            self._reach_deg = self._low_deg = away_deg
            self._reach_s = self._low_s = end_s
            self._reach_at_deg = angle_deg
        elif away_deg < self._low_deg:
            self._low_deg, self._low_s = away_deg, end_s
            if away_deg < max(LEAVE_DEG, RETURN_SHARE * self._reach_deg):
                self._back_deg = self._sign * max(away_deg, 0.0)
                return [self._end(end_s, end_s, returned=True)]
        return []

    def _turned_back(self) -> bool:
        return self._reach_deg - self._low_deg >= AGAIN_SHARE * (self._reach_deg - self._base_deg)

    def _turned_again(self, away_deg: float) -> bool:
        back_deg = self._reach_deg - self._low_deg
        return self._turned_back() and back_deg >= AGAIN_DEG and away_deg - self._low_deg >= AGAIN_DEG

    def _patience(self) -> int:
        """How many still frames end it: more where it has gone far and is still there, and not home to neutral."""
        gone_deg = self._reach_deg - self._base_deg
        there = gone_deg >= AGAIN_DEG and self._reach_deg - self._low_deg < STAYED_SHARE * gone_deg
        home = abs(self._reach_at_deg - self._neutral_deg) < HOME_DEG
        return LINGER_FRAMES if self._sign and there and not home else HOLD_FRAMES

    def _hold(self, index: int, first: int, frames: Frames) -> list[Stroke]:
        """The stroke that has ended by being still from the last active frame until before `index`."""
        if not self._sign or index - self._last <= self._patience():
            return []
        settled_s = float(frames.end_s[self._last + self._patience() - first])
        return [self._end(self._end_s, settled_s, returned=self._turned_back())]

    def _end(self, end_s: float, settled_s: float, *, returned: bool) -> Stroke:
        side, after_s = self._before
        if not side:
            after_s = self._start_s - COUNTER_S
        elif side != self._sign or self._start_s - after_s > AFTER_S:
            after_s = math.nan
        moved_deg = self._reach_deg - self._base_deg
        stroke = Stroke(
            *(self._sign, self._start_s, end_s, self._still_deg, self._base_deg, moved_deg),
            *(settled_s, returned, after_s, self._reach_s, self._neutral_deg),
        )
        if moved_deg >= AGAIN_DEG:
            self._before = (self._sign, end_s)
        self._stop()
        return stroke

    def _stop(self) -> None:
        self._sign = 0.0
        self._start_s = self._end_s = self._reach_s = self._low_s = math.nan
        self._base_deg = self._reach_deg = self._low_deg = 0.0
        self._reach_at_deg = math.nan
