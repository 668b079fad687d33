"""Movements waiting to be believed, each at its own time and only once it is settled, the surer of two that are one."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.core.inputs import FloatArray
from monitor.detect.posture.transitions import APART_S, SEAT_OFF_S, SEAT_ON_S, Change


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
        at_s += SEAT_ON_S if change.rise_m < 0.0 else SEAT_OFF_S
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
