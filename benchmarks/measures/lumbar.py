"""How accurate is the angle between upper and lower back, beside the plain difference of two VQFs on the same rows?

Error: the angle of the rotation that is left between the relative orientation as estimated and as the cameras saw it between
two rigid bodies, after one constant rotation at each sensor, fitted for each method and trial alike (so the peer's headings
may differ by what that takes up). supple's comes from its columns, each sensor's mount given: up from the trial's mean
gravity, forward along the normal of the skin.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from figure import Figure, over_people
from optical import G_M_S2, swapped
from scipy.spatial.transform import Rotation
from vqf import VQF

from monitor.core.blocks import LumbarBlock
from monitor.core.inputs import FloatArray, Input, Mark, Rows
from monitor.pipeline import Pipeline, headings_mark, oriented

SENSORS = {"upper": "back", "lower": "low_back"}
WHAT = "upper against lower back, median error"
AIM_DEG = 2.5
LEAST_ROWS = 300
"""2.5 s of both bodies in sight."""
FITS, ROBUST_FROM, ROUNDED_DEG = 40, 5, 1.0
"""The constant rotations are found by turns, errors counting by their size and not its square after some of them."""


@dataclass(frozen=True)
class Trial:
    """Rows (n,7) t s, acc m/s2, gyr rad/s by role; what the cameras saw at `t_ref_s`, upper relative to lower."""

    person: str
    task: str
    rows: dict[str, FloatArray]
    t_ref_s: FloatArray
    reference: Rotation


Estimate = Callable[[Trial], tuple[FloatArray, Rotation]]


def trials(folder: Path) -> Iterator[Trial]:
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            t_ref_s = file["t_opti"] + float(file["lag_s"])
            rows, seen, good = {}, {}, np.ones(len(t_ref_s), bool)
            for role, name in SENSORS.items():
                imu, quat = file[f"{name}_imu"].astype(float), file[f"{name}_opti"][:, :4].astype(float)
                known = np.isfinite(quat).all(axis=1)
                seen[role] = Rotation.from_quat(
                    np.where(known[:, None], quat, (1, 0, 0, 0)), scalar_first=True
                )
                good &= known & ~swapped(seen[role], t_ref_s)
                good &= (t_ref_s >= imu[0, 0] + 1) & (t_ref_s <= imu[-1, 0] - 0.1)
                rows[role] = np.column_stack((imu[:, 0], imu[:, 1:4] * G_M_S2, np.radians(imu[:, 4:7])))
            if good.sum() >= LEAST_ROWS and min(map(len, rows.values())) >= LEAST_ROWS:
                person, task, _ = path.stem.split("_")
                yield Trial(person, task, rows, t_ref_s[good], (seen["lower"].inv() * seen["upper"])[good])


def supple(trial: Trial, shared: bool = True) -> tuple[FloatArray, Rotation]:
    """The pipeline's own columns; `shared` False: as live, without a pass that knows the whole recording."""
    mounts = [mount(role, rows[:, 1:4].mean(axis=0)) for role, rows in trial.rows.items()]
    return told(lumbar_blocks(trial, mounts, shared))


def told(blocks: Sequence[LumbarBlock]) -> tuple[FloatArray, Rotation]:
    """Where all three angles are, as one rotation."""
    columns = ("t_s", "flexion_deg", "lateral_deg", "rotation_deg")
    t_s, *angles = (np.concatenate([getattr(block, name) for block in blocks]) for name in columns)
    known = np.isfinite(angles).all(axis=0)
    return t_s[known], rotation(*(np.radians(angle[known]) for angle in angles))


def lumbar_blocks(trial: Trial, mounts: list[Mark], shared: bool) -> list[LumbarBlock]:
    """What the pipeline tells of a trial under `mounts`."""
    marks: list[Input] = [sensor_mark(role) for role in SENSORS]
    inputs: list[Input] = [Rows(role, t[:, 0], t[:, 1:4], t[:, 4:7]) for role, t in trial.rows.items()]
    if shared:
        poses = [list(oriented([[mark, block]])) for mark, block in zip(marks, inputs, strict=True)]
        marks.append(headings_mark(*poses))
    pipeline = Pipeline()
    records = [*pipeline.push([*marks, *mounts, *inputs]), *pipeline.close()]
    return [record for record in records if isinstance(record, LumbarBlock)]


def supple_live(trial: Trial) -> tuple[FloatArray, Rotation]:
    return supple(trial, shared=False)


def plain(trial: Trial) -> tuple[FloatArray, Rotation]:
    """Two VQFs as their author ships them, each on an even grid of its median step; the one seen from the other."""
    grids, turned = {}, {}
    for role, rows in trial.rows.items():
        period_s = float(np.median(np.diff(rows[:, 0])))
        grid = np.arange(rows[0, 0], rows[-1, 0], period_s)
        even = np.stack([np.interp(grid, rows[:, 0], rows[:, i]) for i in range(1, 7)], axis=1)
        gyr, acc = np.ascontiguousarray(even[:, 3:]), np.ascontiguousarray(even[:, :3])
        grids[role], turned[role] = grid, VQF(period_s).updateBatch(gyr, acc)["quat6D"]
    t_s = grids["upper"]
    lower = at(grids["lower"], turned["lower"], t_s)
    return t_s, lower.inv() * Rotation.from_quat(turned["upper"], scalar_first=True)


METHODS: dict[str, Estimate] = {"supple": supple, "supple, live": supple_live, "two VQF": plain}


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """Median error per task: the median over trials of each trial's median, of those in which it is told."""
    by_task: dict[str, list[Trial]] = defaultdict(list)
    if data is not None:
        for trial in trials(data / "wheelchair_trunk"):
            by_task[trial.task].append(trial)
    for task, found in sorted(by_task.items()):
        yield _figure(WHAT, task, found, "supple", must=True)
        yield _figure(f"{WHAT}, live", task, found, "supple, live")
        late = [_second_half(trial) for trial in found]
        yield _figure(f"{WHAT}, live, second half", task, late, "supple, live")


def _figure(what: str, task: str, found: list[Trial], ours: str, *, must: bool = False) -> Figure:
    errors = {
        name: np.array([error_deg(trial, method) for trial in found]) for name, method in METHODS.items()
    }
    median = {name: float(np.nanmedian(values)) for name, values in errors.items()}
    answered = np.isfinite(errors[ours])
    of_person = np.array([trial.person for trial in found])
    people = sorted(set(of_person[answered]))
    low, high = over_people([float(np.mean(errors[ours][answered & (of_person == one)])) for one in people])
    return Figure(
        what,
        f"wheelchair_trunk, {task}",
        len(people),
        median.pop(ours),
        "deg",
        "less",
        must=median["two VQF"] if must else None,
        aim=AIM_DEG if must else None,
        low=low,
        high=high,
        peers=median,
        note=f"{answered.sum()} of {len(found)} trials",
    )


def _second_half(trial: Trial) -> Trial:
    """The same rows, compared from the middle on: live, the headings have to be found first."""
    late = trial.t_ref_s >= (trial.t_ref_s[0] + trial.t_ref_s[-1]) / 2
    return replace(trial, t_ref_s=trial.t_ref_s[late], reference=trial.reference[late])


def error_deg(trial: Trial, method: Estimate) -> float:
    """NaN where the method says nothing for most of the trial."""
    t_s, relative = method(trial)
    inside = np.zeros(len(trial.t_ref_s), bool)
    if len(t_s):
        after = np.clip(np.searchsorted(t_s, trial.t_ref_s), 1, len(t_s) - 1)
        inside = (t_s[after] - t_s[after - 1] < 0.25) & (trial.t_ref_s >= t_s[0]) & (trial.t_ref_s <= t_s[-1])
    if inside.mean() < 0.5:
        return float("nan")
    seen = at(t_s, relative.as_quat(scalar_first=True), trial.t_ref_s[inside])
    left, right = constant_rotations(seen, trial.reference[inside])
    return float(np.median(_left_deg(left * seen * right, trial.reference[inside])))


def constant_rotations(seen: Rotation, reference: Rotation) -> tuple[Rotation, Rotation]:
    """The best ones before and behind `seen`: what lies between sensors and rigid bodies."""
    deviation = (seen * seen.mean().inv()).as_rotvec()
    left, _ = Rotation.align_vectors((reference * reference.mean().inv()).as_rotvec(), deviation)
    weight, right = np.ones(len(deviation)), Rotation.identity()
    for step in range(FITS):
        right = ((left * seen).inv() * reference).mean(weights=weight)
        left = (reference * (seen * right).inv()).mean(weights=weight)
        if step >= ROBUST_FROM:
            weight = 1.0 / np.maximum(_left_deg(left * seen * right, reference), ROUNDED_DEG)
    return left, right


def _left_deg(seen: Rotation, reference: Rotation) -> FloatArray:
    left: FloatArray = np.degrees((seen.inv() * reference).magnitude())
    return left


def at(t_s: FloatArray, quat: FloatArray, when_s: FloatArray) -> Rotation:
    signs = np.cumprod(np.concatenate(([1.0], np.where((quat[1:] * quat[:-1]).sum(axis=1) < 0, -1.0, 1.0))))
    return Rotation.from_quat(
        np.stack([np.interp(when_s, t_s, quat[:, i] * signs) for i in range(4)], axis=1), scalar_first=True
    )


def rotation(flexion: FloatArray, lateral: FloatArray, turn: FloatArray) -> Rotation:
    """The rotation whose angles these are (docs/frames.md)."""
    tilt = np.hypot(flexion, lateral)
    share = np.sinc(tilt / np.pi)
    up = np.stack((-share * flexion, share * lateral, np.cos(tilt)), axis=1)
    zero = np.zeros(len(turn))
    twist = Rotation.from_rotvec(np.stack((zero, zero, turn), axis=1))
    level = twist.apply(up)
    axis = np.stack((level[:, 1], -level[:, 0], zero), axis=1)
    size = np.hypot(axis[:, 0], axis[:, 1])
    swing = Rotation.from_rotvec(
        axis * (np.arctan2(size, level[:, 2]) / np.where(size > 0, size, 1.0))[:, None]
    )
    return swing * twist


def sensor_mark(role: str) -> Mark:
    placement = {"upper": "upper_back", "lower": "lower_back"}[role]
    value = {
        "sensor": role,
        "driver": "rows",
        "role": role,
        "placement": placement,
        "primary": role == "lower",
    }
    return Mark(0.0, "sensor", value)


def mount(role: str, up: FloatArray, source: str = "skin normal", turned_deg: float = 0.0) -> Mark:
    """A sensor's mount by the vertical (3,) in its axes: forward along the normal of the skin, `turned_deg` to the left of it."""
    up = up / np.linalg.norm(up)
    forward = np.array((0.0, 0.0, 1.0)) - up[2] * up
    forward /= np.linalg.norm(forward)
    body = Rotation.from_matrix(np.stack((forward, np.cross(up, forward), up)))
    body = Rotation.from_euler("z", -turned_deg, degrees=True) * body
    quat = body.as_quat(scalar_first=True).tolist()
    return Mark(0.0, "mount", {"sensor": role, "quat": quat, "quality": 1.0, "source": source})
