"""Does the stated 90 % interval of the angles between two sensors hold the truth nine times in ten?

On seated people against two rigid bodies, with mounts that are right by definition (upright is the mean pose of each person,
untwisted the median one) and one constant rotation at each sensor (measures.lumbar), fitted to all trials of a person
together: sensors and bodies stay where they are between trials, and a fit to each trial would take up what the heading is
off in it. And on simulated people who are calibrated as people are, so that the mounts' errors count too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figure import Figure
from optical import LOST_DEG
from scipy.spatial.transform import Rotation

from measures.lumbar import Trial, at, constant_rotations, lumbar_blocks, mount, rotation, trials
from measures.uncertainty import PEOPLE, QUICK_PEOPLE, Held, figures, opened, worn
from monitor.core.blocks import LumbarBlock
from monitor.core.inputs import BoolArray, FloatArray, Mark
from monitor.core.interval import INTERVAL_SD
from monitor.motion.tilt import tilt_deg
from monitor.pipeline import Pipeline, headings_mark, oriented

ANGLES = ("flexion", "lateral", "rotation")
WAYS = {"shared pass": True, "live": False}
BENDS = "trunkmovement"
LEAST_ROWS = 50
HOLE_S = 0.25
PLACEMENTS = {"lower": "lower_back", "upper": "upper_back"}
CALIBRATE_S = 45.0
"""Until three bends were made, by which the upper sensor finds forward."""


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """How far the share of rows whose interval holds the truth is from 90 %, per angle."""
    if data is not None:
        yield from _recorded(list(trials(data / "wheelchair_trunk")))
    people = [_simulated(seed) for seed in range(QUICK_PEOPLE if quick else PEOPLE)]
    for way in WAYS:
        yield from figures(f"lumbar, simulated, {way}", [person[way] for person in people], ANGLES)


@dataclass(frozen=True)
class Told:
    """What was told of a trial at moments of the reference: as a rotation, each angle's sd (3, n), and the truth."""

    trial: Trial
    seen: Rotation
    sd: FloatArray
    reference: Rotation


def _recorded(found: Sequence[Trial]) -> Iterator[Figure]:
    of_person: dict[str, list[Trial]] = defaultdict(list)
    for trial in found:
        of_person[trial.person].append(trial)
    mounts = {person: mounts_of(own) for person, own in of_person.items()}
    for way, shared in WAYS.items():
        held: list[tuple[str, Held]] = []
        for person, own in of_person.items():
            told = [told_of(trial, lumbar_blocks(trial, mounts[person], shared)) for trial in own]
            held += held_of([each for each in told if each is not None])
        bends = [rows for task, rows in held if task == BENDS]
        yield from figures(f"lumbar, all tasks, {way}", [rows for _, rows in held], ANGLES)
        yield from figures(f"lumbar, seated bends, {way}", bends, ANGLES)


def mounts_of(own: Sequence[Trial]) -> list[Mark]:
    """One person's: upright the mean vertical, untwisted the median rotation of all trials."""
    up = {
        role: np.mean([trial.rows[role][:, 1:4].mean(axis=0) for trial in own], axis=0) for role in PLACEMENTS
    }
    lower, upper = (mount(role, up[role], "axes") for role in PLACEMENTS)
    blocks = [block for trial in own for block in lumbar_blocks(trial, [lower, upper], True)]
    twist_deg = float(np.nanmedian(np.concatenate([block.rotation_deg for block in blocks])))
    return [lower, mount("upper", up["upper"], "axes", -twist_deg)]


def told_of(trial: Trial, blocks: Sequence[LumbarBlock]) -> Told | None:
    """None where next to nothing is."""
    angles, sd = _columns(blocks, "{}_deg"), _columns(blocks, "{}_sd_deg")
    known = np.isfinite(angles).all(axis=0) & np.isfinite(sd).all(axis=0)
    t_s, angles, sd = np.concatenate([block.t_s for block in blocks])[known], angles[:, known], sd[:, known]
    if len(t_s) < LEAST_ROWS:
        return None
    after = np.clip(np.searchsorted(t_s, trial.t_ref_s), 1, len(t_s) - 1)
    inside = (t_s[after] - t_s[after - 1] < HOLE_S) & (trial.t_ref_s >= t_s[0]) & (trial.t_ref_s <= t_s[-1])
    when_s = trial.t_ref_s[inside]
    seen = at(t_s, rotation(*np.radians(angles)).as_quat(scalar_first=True), when_s)
    stated = np.stack([np.interp(when_s, t_s, each) for each in sd])
    return Told(trial, seen, stated, trial.reference[inside])


def held_of(told: Sequence[Told]) -> list[tuple[str, Held]]:
    """One person's trials, each by its task. Rows in which the tilt is lost are a rigid body's that had flipped."""
    left, right = constant_rotations(
        Rotation.concatenate([each.seen for each in told]),
        Rotation.concatenate([each.reference for each in told]),
    )
    held = []
    for each in told:
        off = _off(angles_deg(each.seen), angles_deg(left.inv() * each.reference * right.inv()))
        near = np.hypot(off[0], off[1]) < LOST_DEG
        held.append((each.trial.task, Held(each.trial.person, _inside(off[:, near], each.sd[:, near]))))
    return held


def _simulated(seed: int) -> dict[str, Held]:
    wearer, rows = worn(seed, tuple(PLACEMENTS.values()))
    marks = [mark for role, name in PLACEMENTS.items() for mark in opened(name, role, CALIBRATE_S)]
    sensors = {mark.value["sensor"]: mark for mark in marks if mark.kind == "sensor"}
    poses = [
        list(oriented([[sensors[PLACEMENTS[role]], rows[PLACEMENTS[role]]]])) for role in ("upper", "lower")
    ]
    told = {}
    for way, shared in WAYS.items():
        passed = [headings_mark(*poses)] if shared else []
        pipeline = Pipeline()
        records = [*pipeline.push([*marks, *passed, *rows.values()]), *pipeline.close()]
        blocks = [record for record in records if isinstance(record, LumbarBlock)]
        t_s = np.concatenate([block.t_s for block in blocks])
        upper, lower = (
            Rotation.from_quat(wearer.truth(t_s, PLACEMENTS[role]).quat, scalar_first=True)
            for role in ("upper", "lower")
        )
        off = _off(_columns(blocks, "{}_deg"), angles_deg(lower.inv() * upper))
        told[way] = Held(str(seed), _inside(off, _columns(blocks, "{}_sd_deg")))
    return told


def angles_deg(relative: Rotation) -> FloatArray:
    """Flexion, lateral bend and rotation (3, n) of the upper sensor's body in the lower's (docs/frames.md)."""
    _, flexion, lateral = tilt_deg(relative.inv().apply((0.0, 0.0, 1.0)))
    quat = relative.as_quat(scalar_first=True)
    return np.stack((flexion, lateral, np.degrees(2.0 * np.arctan2(quat[:, 3], quat[:, 0]))))


def _off(given: FloatArray, true: FloatArray) -> FloatArray:
    return np.abs((given - true + 180.0) % 360.0 - 180.0)


def _inside(off: FloatArray, sd: FloatArray) -> dict[str, BoolArray]:
    """Per angle which of the rows told hold the truth."""
    return {
        angle: (own < INTERVAL_SD * stated)[np.isfinite(own) & np.isfinite(stated)]
        for angle, own, stated in zip(ANGLES, off, sd, strict=True)
    }


def _columns(blocks: Sequence[LumbarBlock], name: str) -> FloatArray:
    return np.stack(
        [np.concatenate([getattr(block, name.format(angle)) for block in blocks]) for angle in ANGLES]
    )
