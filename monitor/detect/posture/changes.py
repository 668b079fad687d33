"""Movements that may be changes of posture: how far each is to be believed by its signs, and those that wait for their time.

One is given at its own time and only once it is settled; of two that are one the surer counts (logic).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from monitor.core.inputs import FloatArray
from monitor.detect.reference import Direction3, angle_deg

SEAT_DROP_MIN_M = 0.1  # a seat is 0.2 to 0.5 m lower, and the displacement good to 0.1 [I]
LEAN_BACK_DEG = 10.0  # coming back by this much from a lean is one sign of a seat [I]
SEAT_STOP_M_S = 0.15  # so is this much velocity against the movement's own [I]
ROLL_BACK_DEG = 18.0  # so is a pelvis that ends rolled back by this much; rolled forward counts against [I]
GUESSED_ROLL_BACK_DEG = 45.0  # or by this much where only the lean itself shows which way forward is [I]
GUESSED_LEAN_DEG = 8.0  # and that it does from this much on [I]
SIGNS_MIN = 0.3  # with less of those two one straightens up or settles in the seat: weight comes over the feet by leaning [I]
SIGNS_CLIP = 2.0  # no sign counts for more than this [I]
VIGOROUS_RISE_M, VIGOROUS_SIGNS = 0.35, 1.5  # a seat's whole height within a lobe is a sign of its own [I]
SIGNS_SIT, SIGNS_RISE = 1.4, 0.3  # signs that make sitting down, and standing up, as likely as not [I]
SIGNS_SPREAD = 0.25  # more signs by this much make it e times as likely [I]
STEP_MAX_DEG = 72.0  # between the trunk's directions before and after: further apart, one lay [I]
END_TILT_MAX_DEG = 70.0  # both ends upright enough not to be lying (R1)
STOOD_MAX_DEG = 40.0  # without a rest on either side: bent further, one is in the middle of a bend [I]
APART_S = 1.0  # two changes of one direction closer than this are one [I]
RELIABLE = (0.9, 0.95, 0.97)  # never more certain than this between no, one and two rests [I]


@dataclass(frozen=True, slots=True)
class Change:
    """A movement up or down that may be a change of posture, the seat lost or found `within` (0..1) of frame `frame`
    of the arrays given.

    It is settled by the frames before `settled`, and lies in the frames `span`. `rise_m` net vertical displacement;
    `lean_deg` how far the trunk came off the great circle from `before` to `after`, the vertical in body axes on either
    side; `rolled_deg` how far the seated side lies off the standing one against that lean; `stop_m_s` the most velocity
    against the movement; `rests` how many it lies between, 0 to 2.
    """

    settled: int
    frame: int
    within: float
    span: tuple[int, int]
    rise_m: float
    lean_deg: float
    rolled_deg: float
    stop_m_s: float
    before: Direction3
    after: Direction3
    rests: int

    def reliability(self, upright: Direction3, *, low: bool, forward: bool) -> float:
        """How surely, 0..1, this is what it seems (0.5 and less: nothing). `upright` is the wearer's own vertical.

        `low`: the sensor is where the pelvis's roll shows; `forward`: the body's x axis is known, else the lean has to do.
        """
        tilt_deg = max(angle_deg(self.before, upright), angle_deg(self.after, upright))
        if not (abs(self.rise_m) >= SEAT_DROP_MIN_M and tilt_deg < END_TILT_MAX_DEG):
            return 0.0
        if not angle_deg(self.before, self.after) <= STEP_MAX_DEG:
            return 0.0
        stood = self.before if self.rise_m < 0.0 else self.after
        if self.rests == 0 and angle_deg(stood, upright) > STOOD_MAX_DEG:
            return 0.0
        signs = min(SIGNS_CLIP, self.lean_deg / LEAN_BACK_DEG)
        if self.rests == 2:
            signs += min(SIGNS_CLIP, self.stop_m_s / SEAT_STOP_M_S)
        # Up and down in quick turns: where the trunk was a second ago belongs to the turn before.
        vigorous = self.rests == 0 and abs(self.rise_m) >= VIGOROUS_RISE_M
        if vigorous:
            signs += VIGOROUS_SIGNS
        if not signs >= SIGNS_MIN:
            return 0.0
        if low and not vigorous:
            signs += max(-SIGNS_CLIP, min(SIGNS_CLIP, self._rolled_back(upright, forward)))
        odds = (signs - (SIGNS_SIT if self.rise_m < 0 else SIGNS_RISE)) / SIGNS_SPREAD
        return RELIABLE[self.rests] / (1.0 + math.exp(-odds))

    def _rolled_back(self, upright: Direction3, forward: bool) -> float:
        """As a sign of a seat, not clipped."""
        if not forward:
            return self.rolled_deg / GUESSED_ROLL_BACK_DEG if self.lean_deg > GUESSED_LEAN_DEG else 0.0
        stood, seated = (self.before, self.after) if self.rise_m < 0.0 else (self.after, self.before)
        if self.rests == 1:
            # It is the seat that was seen, and walking upright that is meant by the other side.
            stood = upright
        return math.degrees(math.asin(seated[0]) - math.asin(stood[0])) / ROLL_BACK_DEG


@dataclass(frozen=True, slots=True)
class _Found:
    """A movement, the seat lost or found at `t_s`, between `start_s` and `end_s`; known once frame `settled` is."""

    settled: int
    t_s: float
    start_s: float
    end_s: float
    change: Change


@dataclass(slots=True)
class Changes:
    """Put in with `found` in the order in which they are settled, taken out with `due` in order of time."""

    _settling: list[_Found] = field(default_factory=list)
    _known: list[_Found] = field(default_factory=list)
    _past: list[_Found] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._settling or self._known)

    def found(self, change: Change, base: int, starts_s: FloatArray) -> None:
        """Take a movement; `starts_s` are the times of the frames it counts in, `base` is added to its `settled`."""
        here_s, next_s = starts_s[change.frame : change.frame + 2].tolist()
        # The fraction stays apart from the index: their sum would round differently for every cut of the stream.
        at_s = here_s + change.within * (next_s - here_s)
        start_s, end_s = float(starts_s[change.span[0]]), float(starts_s[change.span[1]])
        self._settling.append(_Found(change.settled + base, at_s, start_s, end_s, change))

    def due(self, t_s: float, until: int) -> list[tuple[float, Change]]:
        """Those settled by the frames before `until` whose time has come by `t_s`."""
        while self._settling and self._settling[0].settled <= until:
            self._admit(self._settling.pop(0))
        due = sorted((f for f in self._known if f.t_s <= t_s), key=lambda f: f.t_s)
        self._known = [f for f in self._known if f.t_s > t_s]
        self._past = [f for f in [*self._past, *due] if f.end_s > t_s - 10.0]
        return [(f.t_s, f.change) for f in due]

    def _admit(self, new: _Found) -> None:
        for old in [*self._known, *self._past]:
            same = (old.change.rise_m < 0.0) == (new.change.rise_m < 0.0) and abs(old.t_s - new.t_s) < APART_S
            inside = old.start_s <= new.t_s <= old.end_s
            if new.change.rests < 2 and (same or (old.change.rests == 2 and inside)):
                return
        if new.change.rests == 2:
            self._known = [
                old for old in self._known if old.change.rests == 2 or not new.start_s <= old.t_s <= new.end_s
            ]
        self._known.append(new)
