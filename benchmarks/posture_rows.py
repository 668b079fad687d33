"""Rows of one sensor through the program exactly as `supple analyze` takes them, and what it says of the posture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.cohort.mounting import mounts_for, with_mounts
from monitor.cohort.tools import AnalyzeOptions, Tools
from monitor.commands.analysis_tools import analysis_tools
from monitor.core.events import Movement, Posture, PostureState, Record, Slouch, Transition
from monitor.core.inputs import BoolArray, FloatArray, Input, Mark, Rows
from monitor.pipeline import Pipeline

G_M_S2 = 9.80665
BLOCK_ROWS = 6_000
States = npt.NDArray[np.str_]
SIT, STAND = Posture.SITTING, Posture.STANDING


@dataclass(frozen=True)
class Told:
    """What was said of one recording."""

    records: Sequence[Record]
    states: Sequence[PostureState] = field(init=False)
    transitions: Sequence[Transition] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", [r for r in self.records if isinstance(r, PostureState)])
        object.__setattr__(self, "transitions", [r for r in self.records if isinstance(r, Transition)])

    def at(self, t_s: FloatArray) -> States:
        """The state written to each of the times (n,)."""
        names = np.array([*(str(e.state) for e in self.states), str(Posture.UNKNOWN)])
        found: States = names[np.searchsorted([e.t_s for e in self.states], t_s, side="right") - 1]
        return found

    def changes(self) -> list[tuple[float, str]]:
        """Sitting down (`sit`) and standing up (`rise`), each at its time."""
        found = []
        for e in self.transitions:
            if e.to_state is SIT and e.from_state in (STAND, Posture.WALKING):
                found.append((e.t_s, "sit"))
            elif e.from_state is SIT and e.to_state is STAND:
                found.append((e.t_s, "rise"))
        return found

    def movements(self) -> list[Movement]:
        return [r for r in self.records if isinstance(r, Movement)]

    def slouches(self) -> list[Slouch]:
        return [r for r in self.records if isinstance(r, Slouch)]


def told(
    t_s: FloatArray, acc: FloatArray, gyr: FloatArray | None, placement: str, mount: str = "auto"
) -> Told:
    """`t_s` (n,), acc (n,3) m/s2, gyr (n,3) rad/s or None; `mount` as in `analyze --mount`."""
    pipeline = Pipeline()
    records: list[Record] = []
    for inputs in opened(t_s, acc, gyr, placement, mount):
        records += pipeline.push(inputs)
    return Told([*records, *pipeline.close()])


def opened(
    t_s: FloatArray, acc: FloatArray, gyr: FloatArray | None, placement: str, mount: str = "auto"
) -> Iterator[list[Input]]:
    """The inputs that `told` analyses: the rows in blocks, the mount in front of them."""
    sensor = {"sensor": "A", "driver": "rows", "role": "single", "placement": placement, "primary": True}
    blocks: list[list[Input]] = [[Mark(float(t_s[0]), "sensor", sensor)]]
    for first in range(0, len(t_s), BLOCK_ROWS):
        part = slice(first, first + BLOCK_ROWS)
        rate = None if gyr is None else np.ascontiguousarray(gyr[part], dtype=float)
        blocks.append([Rows("A", t_s[part], np.ascontiguousarray(acc[part], dtype=float), rate)])
    options = AnalyzeOptions(placement=placement, mount=mount)
    tools = _tools(blocks)
    marks, _ = mounts_for([m for m in blocks[0] if isinstance(m, Mark)], Path(), options, tools)
    return with_mounts(blocks, marks, options)


def _tools(blocks: list[list[Input]]) -> Tools:
    return replace(analysis_tools(), open_input=lambda _path, _options: iter(blocks))


def balanced(said: States, truth: States, *, decided: bool = False) -> float:
    """Mean of the recalls of sitting and standing; `decided`: seconds of `unknown` are left out, else they are wrong."""
    recalls = []
    for state in (SIT, STAND):
        rows: BoolArray = truth == str(state)
        if decided:
            rows = rows & (said != str(Posture.UNKNOWN))
        recalls.append(float(np.mean(said[rows] == str(state))) if rows.any() else np.nan)
    return float(np.mean(recalls))
