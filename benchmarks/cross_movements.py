"""Movements asked again with other thresholds; the postures meanwhile are those of the program as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cross_measures import Case, Measured, Scores, verdict
from cross_posture import FOUND, UMAFALL
from heard import Heard, heard
from measures import bends, trunk_games, turns, umafall
from movement_rows import mounted
from posture_rows import Told, opened
from sit_rise_rows import BEND, sisfall

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Movement
from monitor.core.inputs import FloatArray

PARTS = ("Trunk", "UpperTrunk", "LowerTrunk")
ONE_BEND = Measured("one bend found exactly once, axes given", "belt D16", "more", 0.95, None)
TOLD_APART = {
    part: Measured("rotation and side bend told apart", f"games, {part}", "more", 0.95, None)
    for part in PARTS
}
WITHIN = Measured("U-turns within 10 deg", "U-turns at L5", "more", 0.85, None)
COVERS = Measured("return error covers 180", "U-turns at L5", "more", 0.90, None)
ONE_TURN = Measured("found exactly once", "U-turns at L5", "more", 0.95, None)
MEASURED = (ONE_BEND, *TOLD_APART.values(), WITHIN, COVERS, ONE_TURN, FOUND)


def movement_cases(data: Path, *, quick: bool) -> Iterator[Case]:
    """Bends of the belt set and umafall, games, U-turns."""
    for person, _, t_s, acc, gyr in sisfall(data / "sisfall_waist", (BEND,), quick=quick):
        _, inputs = mounted(t_s, acc, gyr, "waist", bends.AXES)
        yield Case(f"belt {person}", _OneBend(heard([inputs]).told("posture")).score)
    for part in PARTS[: 1 if quick else None]:
        for person, trials in trunk_games.recordings(data / "trunkyxl_back3", part):
            for rows in trials:
                _, inputs = mounted(*rows, "upper_back", trunk_games.AXES)
                yield Case(f"games {person}", _ToldApart(heard([inputs]).told("posture"), part).score)
    if quick:
        return
    for person, acc, gyr, first, last in turns.recordings(data / "ipol_gait_L5"):
        t_s = np.arange(len(acc)) / turns.RATE_HZ
        _, inputs = mounted(t_s, acc, gyr, "lower_back")
        yield Case(f"turns {person}", _Turned(heard([inputs]).told("posture"), first, last).score)
    for person, asked, place, t_s, acc, gyr in umafall.trials(data / UMAFALL, quick=quick):
        if asked == umafall.BEND:
            recording = heard(opened(t_s, acc, gyr, umafall.PLACES[place])).told("posture")
            yield Case(f"umafall {person}", _Bent(recording).score)


def _movements(recording: Heard) -> list[Movement]:
    return [r for r in recording.told("movements").records if isinstance(r, Movement)]


@dataclass(frozen=True)
class _OneBend:
    recording: Heard

    def score(self) -> Scores:
        bent = [m for m in _movements(self.recording) if m.direction == "flexion"]
        return verdict(ONE_BEND, len(bent) == 1)


@dataclass(frozen=True)
class _ToldApart:
    recording: Heard
    part: str

    def score(self) -> Scores:
        blocks = [r for r in self.recording.records if isinstance(r, TrunkBlock)]
        columns: list[FloatArray] = [
            np.concatenate([getattr(b, name) for b in blocks])
            for name in ("lateral_deg", "rotation_deg", "rate_deg_s")
        ]
        told = list(trunk_games.clear_seconds(_movements(self.recording), *columns))
        right = sum(truth == said for truth, said, _ in told)
        return {TOLD_APART[self.part].key: ((float(right), float(len(told))),)}


@dataclass(frozen=True)
class _Turned:
    recording: Heard
    first: int
    last: int

    def score(self) -> Scores:
        found = turns.in_turn(_movements(self.recording), self.first, self.last)
        size = max((turn.range_deg for turn in found), default=0.0)
        covered = any(abs(turn.range_deg - turns.TRUTH_DEG) <= turn.return_error_deg for turn in found)
        return {
            **verdict(WITHIN, abs(size - turns.TRUTH_DEG) <= turns.WITHIN_DEG),
            **verdict(COVERS, covered),
            **verdict(ONE_TURN, len(found) == 1),
        }


@dataclass(frozen=True)
class _Bent:
    recording: Heard

    def score(self) -> Scores:
        return verdict(FOUND, umafall.bent(Told(self.recording.told("movements").records)))
