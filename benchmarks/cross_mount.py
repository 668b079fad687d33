"""Forward found again with other thresholds: in walks at the waist and the lower back, and in seated bends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cross_measures import Case, Measured, Scores
from mount_recordings import Piece, lower_back, seated, waist
from mount_takes import folded, judged

from monitor.core.interval import INTERVAL_SD

WALKS = {"hapt_waist": waist, "ipol_gait_L5": lower_back}
SEATED = "wheelchair_trunk, seated bends"
SIGN = {
    name: Measured("sign of forward, of all walks", f"{name}, 5 s walks", "more", 0.99, None)
    for name in WALKS
}
HELD = {
    name: Measured("stated 90 % interval of forward holds", f"{name}, 5 s walks", "more", 0.85, None)
    for name in WALKS
}
SIGN_SEATED = Measured("sign of forward", SEATED, "more", 0.99, None)
FOUND_SEATED = Measured("forward is found", SEATED, "more", None, None)
MEASURED = (*SIGN.values(), *HELD.values(), SIGN_SEATED, FOUND_SEATED)


def mount_cases(data: Path, *, quick: bool) -> Iterator[Case]:
    """Every 5 s of walking straight on, every trial of seated bends to all sides."""
    for name, search in WALKS.items():
        people: set[str] = set()
        for piece in search(data / name):
            people.add(piece.person)
            if quick and len(people) > 2:
                break
            yield Case(f"{name} {piece.person}", _Walk(piece, name).score)
    if not quick:
        for piece in seated(data / "wheelchair_trunk"):
            yield Case(f"wheelchair {piece.person}", _Seated(piece).score)


@dataclass(frozen=True)
class _Walk:
    piece: Piece
    name: str

    def score(self) -> Scores:
        found = judged(*self.piece)
        answered = np.isfinite(found.error_deg)
        held = answered and abs(folded(found.error_deg)) <= INTERVAL_SD * found.sd_deg
        return {
            SIGN[self.name].key: ((float(abs(found.error_deg) < 90.0), 1.0),),
            HELD[self.name].key: ((float(held), float(answered)),),
        }


@dataclass(frozen=True)
class _Seated:
    piece: Piece

    def score(self) -> Scores:
        error_deg = judged(*self.piece).error_deg
        answered = float(np.isfinite(error_deg))
        return {
            SIGN_SEATED.key: ((float(abs(error_deg) < 90.0), answered),),
            FOUND_SEATED.key: ((answered, 1.0),),
        }
