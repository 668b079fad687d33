"""Where is forward? The axis that the mount's search finds, on recordings of walking and on simulated people.

References: hapt_waist, the axis about which the trunk turns in sitting down and rising (labelled; the two of a recording
differ by some 10 deg, so part of the error is the reference's); ipol_gait_L5 and sisfall_waist (slow walks), the face of the
sensor, put on by hand; wheelchair_trunk, the same (backward), for its sign and whether it is found at all in a quarter of a
minute of seated bends; simulation, the true mount. The peer is the principal axis of horizontal acceleration, which has no
sign: its error is that of the axis, and its sign is given as the coin it is.

A take's error is one draw, its quality the size of the draws: were each error a normal draw from its stated deviation, the
rank correlation take by take would be what the note says, whoever states it. That is why groups of like quality stand beside.

Simulated people walk as unevenly and bend as crookedly as people in recordings seem to (mount_people.py); that they sit down
and rise straight, and wear the sensor straight behind the axis of leaning, flatters. The search weighs its witnesses by the
same spreads: that its stated interval holds in simulation shows the arithmetic, in recordings the spreads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from figure import Figure, over_people
from mount_people import Take, simulated
from scipy.stats import spearmanr

from monitor.core.blocks import PoseBlock, take
from monitor.core.errors import MountError
from monitor.core.inputs import FloatArray, Input, Mark, Rows
from monitor.core.quaternion import rotate
from monitor.motion.mount.find import find_mount
from monitor.pipeline import oriented

G_M_S2 = 9.80665
WALK_S = 5.0
WALKING, UPSTAIRS, DOWNSTAIRS, SITTING_DOWN, RISING = 1, 2, 3, 7, 8
PEOPLE, FEW = 1000, 30
LOWER_BACK, ELSEWHERE = ("lower_back",), ("waist", "upper_back", "sternum")
GROUPS = 20
"""One take's error is a draw; what the quality can tell is the size of the draws, seen over groups of like quality."""
NINETY = 1.645
Statistic = Callable[[FloatArray], float]
X, Z = np.array((1.0, 0.0, 0.0)), np.array((0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Found:
    """One take: signed error about the vertical (NaN: refused), the plain axis's, the stated deviation and the quality."""

    person: str
    error_deg: float
    axis_error_deg: float
    sd_deg: float
    quality: float
    refusal: str


def poses(t_s: FloatArray, acc: FloatArray, gyr: FloatArray, placement: str) -> list[PoseBlock]:
    sensor = {"sensor": "A", "driver": "rows", "role": "single", "placement": placement, "primary": True}
    inputs: list[Input] = [Mark(0.0, "sensor", sensor), Rows("A", t_s, acc, gyr)]
    return list(oriented([inputs]))


def judged(person: str, blocks: Sequence[PoseBlock], placement: str, forward: FloatArray) -> Found:
    """`forward` (3,) is the true direction in sensor axes; only its part square to the vertical counts."""
    plain = folded(turned_deg(plain_axis(blocks), forward, mean_up(blocks)))
    try:
        found = find_mount(blocks, placement)
    except MountError as refused:
        return Found(person, np.nan, plain, np.nan, np.nan, f"{refused.datum}: {refused.sentence}")
    back = np.array(found.quat) * np.array((1.0, -1.0, -1.0, -1.0))
    error = turned_deg(rotate(back, X), forward, rotate(back, Z))
    return Found(person, error, plain, found.forward_sd_deg, found.quality, "")


def turned_deg(found: FloatArray, true: FloatArray, up: FloatArray) -> float:
    """From the true to the found direction about `up`, in -180..180."""
    return float(
        np.degrees(np.arctan2(np.cross(true, found) @ up, true @ found - (true @ up) * (found @ up)))
    )


def folded(angle_deg: Any) -> Any:
    """The same axis within +-90 deg: a number or an array."""
    return (angle_deg + 90.0) % 180.0 - 90.0


def mean_up(blocks: Sequence[PoseBlock]) -> FloatArray:
    up = np.mean(np.concatenate([block.up for block in blocks]), axis=0)
    unit: FloatArray = up / np.linalg.norm(up)
    return unit


def plain_axis(blocks: Sequence[PoseBlock]) -> FloatArray:
    """The principal axis of acceleration square to the mean vertical."""
    up = mean_up(blocks)
    linear = np.concatenate([block.imu.acc - G_M_S2 * block.up for block in blocks])
    level = linear - np.outer(linear @ up, up)
    axis: FloatArray = np.linalg.eigh(np.cov(level.T))[1][:, 2]
    return axis


def waist(folder: Path, label: int = WALKING) -> Iterator[Found]:
    """Every 5 s labelled so."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            rate_hz, segments = float(file["fs"]), file["segments"].astype(int)
            acc, gyr = file["acc"].astype(float) * G_M_S2, file["gyro"].astype(float)
        blocks = poses(np.arange(len(acc)) / rate_hz, acc, gyr, "waist")
        forward = seat_axis(blocks, segments, rate_hz)
        for _, first, last in segments[segments[:, 0] == label]:
            for start in np.arange(first / rate_hz, last / rate_hz - WALK_S, WALK_S):
                yield judged(path.stem[:6], between(blocks, start, start + WALK_S), "waist", forward)


def lower_back(folder: Path) -> Iterator[Found]:
    """Every 5 s of walking straight on, before and after the turn."""
    for path in sorted(folder.glob("*.npz")):
        about = json.loads(path.with_name(f"{path.stem}_meta.json").read_text())
        with np.load(path) as file:
            trials = {name: file[name].astype(float) for name in file.files}
        for name, rows in trials.items():
            blocks = poses(np.arange(len(rows)) / 100.0, rows[:, :3], rows[:, 3:6], "lower_back")
            begin, end = about[name]["TrialBoundaries"]
            turn = about[name]["UTurnBoundaries"]
            for first, last in ((begin, turn[0]), (turn[1], end)):
                for start in np.arange(first / 100.0, last / 100.0 - WALK_S, WALK_S):
                    yield judged(path.stem, between(blocks, start, start + WALK_S), "lower_back", -Z)


def belt(folder: Path) -> Iterator[Found]:
    """Every 5 s of slow walking, the sensor on the buckle, its z forward."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            trials = [file[name].astype(float) for name in file.files if name.startswith("D01")]
        for rows in trials:
            acc, gyr = rows[:, :3] * (32 / 8192) * G_M_S2, np.radians(rows[:, 3:6] * (4000 / 65536))
            blocks = poses(np.arange(len(rows)) / 200.0, acc, gyr, "waist")
            for start in np.arange(5.0, len(rows) / 200.0 - WALK_S, WALK_S):
                yield judged(path.stem, between(blocks, start, start + WALK_S), "waist", Z)


def seated(folder: Path) -> Iterator[Found]:
    """Every trial of seated bends to all sides, both sensors, their z backward."""
    for path in sorted(folder.glob("*_trunkmovement_*.npz")):
        with np.load(path) as file:
            for key, placement in (("back", "upper_back"), ("low_back", "lower_back")):
                rows = file[f"{key}_imu"].astype(float)
                acc, gyr = rows[:, 1:4] * G_M_S2, np.radians(rows[:, 4:7])
                blocks = poses(rows[:, 0], acc, gyr, placement)
                yield judged(f"{path.stem[:4]}", [b for b in blocks if len(b)], placement, -Z)


def between(blocks: Sequence[PoseBlock], start_s: float, end_s: float) -> list[PoseBlock]:
    parts = [take(b, slice(*np.searchsorted(b.imu.t_s, (start_s, end_s)).tolist())) for b in blocks]
    return [part for part in parts if len(part)]


def seat_axis(blocks: Sequence[PoseBlock], segments: FloatArray, rate_hz: float) -> FloatArray:
    """Forward by the axis of sitting down and rising; its sign by the lean at the beginning of rising."""
    up = np.concatenate([block.up for block in blocks])
    t_s = np.concatenate([block.imu.t_s for block in blocks])
    cranial = np.mean(
        [mean_up(between(blocks, a / rate_hz, b / rate_hz)) for k, a, b in segments if k == WALKING], axis=0
    )
    spread, lean = np.zeros((3, 3)), np.zeros(3)
    for kind, first, last in segments:
        if kind in (SITTING_DOWN, RISING):
            rows = slice(*np.searchsorted(t_s, (first / rate_hz, last / rate_hz)).tolist())
            steps = np.diff(up[rows], axis=0)
            spread += steps.T @ steps
            if kind == RISING:
                away = up[rows] - up[rows][0]
                lean -= away[int(np.argmax(np.einsum("ij,ij->i", away, away)))]
    square = np.eye(3) - np.outer(cranial, cranial) / (cranial @ cranial)
    axis: FloatArray = np.linalg.eigh(square @ spread @ square)[1][:, 2]
    return axis if axis @ lean > 0 else -axis


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """Signs and errors of 5 s walks of both sets; errors, refusals and what the quality tells over simulated people."""
    if data is not None:
        sets = (("hapt_waist", waist), ("ipol_gait_L5", lower_back), ("sisfall_waist", belt))
        for name, search in sets:
            found = list(search(data / name))
            if found:
                must = None if name == "sisfall_waist" else 0.99
                yield from of_walks(f"{name}, {WALK_S:.0f} s walks", found, must)
        stairs = [one for label in (UPSTAIRS, DOWNSTAIRS) for one in waist(data / "hapt_waist", label)]
        if stairs:
            yield next(of_walks("hapt_waist, 5 s on stairs", stairs))
        sitting = list(seated(data / "wheelchair_trunk"))
        if sitting:
            yield from of_seated("wheelchair_trunk, seated bends", sitting)
    count = FEW if quick else PEOPLE
    back = [searched(one) for one in simulated(count, LOWER_BACK)]
    yield from of_takes("simulated, lower back", back, 5.0)
    elsewhere = [searched(one) for one in simulated(count, ELSEWHERE)]
    yield from of_takes("simulated, waist and thorax", elsewhere, 5.0)
    yield from of_quality("simulated, all", [*back, *elsewhere])


def of_walks(name: str, found: Sequence[Found], must_of_all: float | None = 0.99) -> Iterator[Figure]:
    answered = [one for one in found if np.isfinite(one.error_deg)]
    people = sorted({one.person for one in answered})
    each = [np.array([o.error_deg for o in answered if o.person == person]) for person in people]
    plain = np.array([abs(one.axis_error_deg) for one in answered])

    def interval(statistic: Statistic) -> tuple[float, float, float]:
        """The statistic of all errors, and its interval over people drawn again."""
        everybody = np.arange(len(each), dtype=float)
        drawn = over_people(
            everybody.tolist(), lambda chosen: statistic(np.concatenate([each[int(i)] for i in chosen]))
        )
        return statistic(np.concatenate(each)), *drawn

    count = len(people)
    note = f"{len(answered)} of {len(found)} walks answered"
    value, low, high = interval(right)
    coin = {"plain axis": 0.5}
    yield Figure("sign of forward", name, count, value, "1", "more", 0.99, None, low, high, coin, note)
    all_right = value * len(answered) / len(found)
    note = "a walk refused counts as wrong"
    yield Figure("sign of forward, of all walks", name, count, all_right, "1", "more", must_of_all, note=note)
    for what, at in (("median", 0.5), ("p95", 0.95)):
        value, low, high = interval(partial(off_axis, at=at))
        peer = {"plain axis": float(np.quantile(plain, at))}
        yield Figure(
            f"error of forward, {what}", name, count, value, "deg", "less", None, None, low, high, peer
        )
    inside = [abs(folded(one.error_deg)) <= NINETY * one.sd_deg for one in answered]
    note = "the reference's own error counts against it"
    yield Figure(
        "stated 90 % interval of forward holds", name, count, float(np.mean(inside)), "1", "more", note=note
    )


def of_seated(name: str, found: Sequence[Found]) -> Iterator[Figure]:
    """The sensor's face is backward but for its seat on the back: the sign is checked, not the axis."""
    answered = np.array([one.error_deg for one in found if np.isfinite(one.error_deg)])
    people = len({one.person for one in found})
    note = f"{len(answered)} of {len(found)} sensors in trials answered"
    yield Figure("sign of forward", name, people, right(answered), "1", "more", 0.99, note=note)
    yield Figure("forward is found", name, people, len(answered) / len(found), "1", "more")


def off_axis(errors: FloatArray, at: float) -> float:
    return float(np.quantile(np.abs(folded(errors)), at))


def right(errors: FloatArray) -> float:
    return float(np.mean(np.abs(errors) < 90.0))


def of_takes(name: str, found: Sequence[Found], must_deg: float | None) -> Iterator[Figure]:
    accepted = [one for one in found if np.isfinite(one.error_deg)]
    errors = np.abs([one.error_deg for one in accepted])
    plain = np.abs([one.axis_error_deg for one in accepted])
    count, note = len(found), f"{len(found) - len(accepted)} of {len(found)} takes refused"
    yield Figure("sign of forward", name, count, float(np.mean(errors < 90.0)), "1", "more", 0.99, note=note)
    for what, at, must in (("median", 0.5, None), ("p95", 0.95, must_deg)):
        value, peer = float(np.quantile(errors, at)), {"plain axis": float(np.quantile(plain, at))}
        kinds = sorted({one.person for one in accepted})
        each = [np.quantile([abs(o.error_deg) for o in accepted if o.person == kind], at) for kind in kinds]
        note = "; ".join(f"{kind} {deg:.1f}" for kind, deg in zip(kinds, each, strict=True))
        yield Figure(
            f"error of forward, {what}", name, count, value, "deg", "less", must, None, peers=peer, note=note
        )


def of_quality(name: str, found: Sequence[Found]) -> Iterator[Figure]:
    """What the quality and the stated deviation say of the error, over the takes that are accepted."""
    accepted = [one for one in found if np.isfinite(one.error_deg)]
    error, sd_deg, bad = np.array([(abs(o.error_deg), o.sd_deg, -o.quality) for o in accepted]).T
    groups = np.array_split(np.argsort(bad, kind="stable"), min(GROUPS, max(3, len(bad) // 8)))
    sizes = [(np.mean(bad[g]), np.sqrt(np.mean(error[g] ** 2))) for g in groups]
    single = float(spearmanr(bad, error).statistic)
    drawn = float(spearmanr(sd_deg, np.abs(np.random.default_rng(0).normal(0.0, sd_deg))).statistic)
    grouped = float(spearmanr(*np.array(sizes).T).statistic)
    chance = f"{drawn:.2f} were each error a draw from its stated deviation"
    what = "quality against error, rank correlation"
    yield Figure(f"{what}, take by take", name, len(error), single, "1", "more", 0.8, note=chance)
    groups_note = f"against the RMS error of {len(groups)} groups of like quality"
    yield Figure(f"{what}, groups", name, len(error), grouped, "1", "more", note=groups_note)
    covered = float(np.mean(error <= NINETY * sd_deg))
    yield Figure("stated 90 % interval of forward holds", name, len(error), covered, "1", "more", 0.85, 0.9)


def searched(one: Take) -> Found:
    return judged(one.kind, poses(one.t_s, one.acc, one.gyr, one.placement), one.placement, one.forward)
