"""The angles between two sensors, asked again with other thresholds of their headings; each sensor's own angles stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cross_measures import Case, Measured, Pairs, Scores, less_percent
from cross_uncertainty import interval_of
from measures.lumbar import SENSORS, WHAT, Trial, error_deg, mount, plain, sensor_mark, told, trials
from measures.lumbar_uncertainty import ANGLES, BENDS, WAYS, held_of, mounts_of, told_of
from scipy.spatial.transform import Rotation

from monitor.core.blocks import LumbarBlock, PoseBlock, TrunkBlock
from monitor.core.events import MountSet, Record
from monitor.core.inputs import FloatArray, Mark, Rows
from monitor.motion.join import Join
from monitor.pipeline import Pipeline, headings_mark, oriented

TASKS = (
    "figure8",
    "intermittentsprint",
    "pivot",
    "slalom",
    "starmove",
    "straightpush",
    "trunkmovement",
    "uturn",
)


LESS = {
    task: Measured(
        f"{WHAT}, less than two VQFs'",
        f"wheelchair_trunk, {task}",
        "more",
        0.0,
        None,
        figure=less_percent,
        unit="%",
        scale=100.0,
    )
    for task in TASKS
}
HELD = {
    (angle, name, way): interval_of(angle, f"lumbar, {name}, {way}")
    for way in WAYS
    for name in ("all tasks", "seated bends")
    for angle in ANGLES
}
MEASURED = (*LESS.values(), *HELD.values())


def heading_cases(data: Path, *, quick: bool) -> Iterator[Case]:
    """A person with all their trials: which mounts are right is known of all together."""
    of_person: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials(data / "wheelchair_trunk"):
        of_person[trial.person].append(trial)
    for person, own in list(of_person.items())[: 2 if quick else None]:
        mounts = mounts_of(own)
        yield Case(f"wheelchair {person}", _Person([_kept(trial, mounts) for trial in own]).score)


@dataclass(frozen=True)
class _Kept:
    """One trial's angles of each sensor under mounts of its own and of its person; oriented rows; the peer's error."""

    trial: Trial
    by_trial: Sequence[Record]
    by_person: Sequence[Record]
    poses: Sequence[Sequence[PoseBlock]]
    peer_deg: float

    def estimate(self, _: Trial) -> tuple[FloatArray, Rotation]:
        return told(self.joined(self.by_trial, shared=True))

    def joined(self, records: Sequence[Record], *, shared: bool) -> list[LumbarBlock]:
        opening = [sensor_mark(role) for role in SENSORS]
        opening += [headings_mark(*self.poses)] if shared else []
        stage = Join()
        out = [*stage.push([*opening, *records]), *stage.close()]
        return [record for record in out if isinstance(record, LumbarBlock)]


def _kept(trial: Trial, mounts: Sequence[Mark]) -> _Kept:
    rows = {role: Rows(role, t[:, 0], t[:, 1:4], t[:, 4:7]) for role, t in trial.rows.items()}
    own = [mount(role, t[:, 1:4].mean(axis=0)) for role, t in trial.rows.items()]
    poses = [list(oriented([[sensor_mark(role), rows[role]]])) for role in SENSORS]
    by_trial, by_person = (_angles(marks, list(rows.values())) for marks in (own, mounts))
    return _Kept(trial, by_trial, by_person, poses, error_deg(trial, plain))


def _angles(mounts: Sequence[Mark], rows: Sequence[Rows]) -> list[Record]:
    """What the stage that joins them is given."""
    pipeline = Pipeline()
    marks = [sensor_mark(role) for role in SENSORS]
    records = [*pipeline.push([*marks, *mounts, *rows]), *pipeline.close()]
    return [record for record in records if isinstance(record, TrunkBlock | MountSet)]


@dataclass(frozen=True)
class _Person:
    kept: Sequence[_Kept]

    def score(self) -> Scores:
        found: dict[str, Pairs] = {}
        for each in self.kept:
            own = error_deg(each.trial, each.estimate)
            if np.isfinite(own) and np.isfinite(each.peer_deg):
                key = LESS[each.trial.task].key
                found[key] = (*found.get(key, ()), (own, 1.0), (each.peer_deg, 1.0))
        for way, shared in WAYS.items():
            rows = [told_of(each.trial, each.joined(each.by_person, shared=shared)) for each in self.kept]
            for task, held in held_of([each for each in rows if each is not None]):
                for name in ("all tasks", "seated bends") if task == BENDS else ("all tasks",):
                    for angle, inside in held.rows.items():
                        key = HELD[angle, name, way].key
                        count, asked = found.get(key, ((0.0, 0.0),))[0]
                        found[key] = ((count + float(inside.sum()), asked + float(len(inside))),)
        return found
