"""Takes out of recordings of people, with forward by whatever reference each set has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mount_takes import G_M_S2, between, mean_up, poses

from monitor.core.blocks import PoseBlock
from monitor.core.inputs import FloatArray

WALK_S = 5.0
WALKING, UPSTAIRS, DOWNSTAIRS, SITTING_DOWN, RISING = 1, 2, 3, 7, 8
Z = np.array((0.0, 0.0, 1.0))


class Piece(NamedTuple):
    """What `mount_takes.judged` is asked: whose oriented rows, where the sensor sits, and forward (3,) in its axes."""

    person: str
    blocks: Sequence[PoseBlock]
    placement: str
    forward: FloatArray


def waist(folder: Path, label: int = WALKING) -> Iterator[Piece]:
    """Every 5 s labelled so."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            rate_hz, segments = float(file["fs"]), file["segments"].astype(int)
            acc, gyr = file["acc"].astype(float) * G_M_S2, file["gyro"].astype(float)
        blocks = poses(np.arange(len(acc)) / rate_hz, acc, gyr, "waist")
        forward = seat_axis(blocks, segments, rate_hz)
        for _, first, last in segments[segments[:, 0] == label]:
            for start in np.arange(first / rate_hz, last / rate_hz - WALK_S, WALK_S):
                yield Piece(path.stem[:6], between(blocks, start, start + WALK_S), "waist", forward)


def lower_back(folder: Path) -> Iterator[Piece]:
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
                    yield Piece(path.stem, between(blocks, start, start + WALK_S), "lower_back", -Z)


def belt(folder: Path) -> Iterator[Piece]:
    """Every 5 s of slow walking, the sensor on the buckle, its z forward."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            trials = [file[name].astype(float) for name in file.files if name.startswith("D01")]
        for rows in trials:
            acc, gyr = rows[:, :3] * (32 / 8192) * G_M_S2, np.radians(rows[:, 3:6] * (4000 / 65536))
            blocks = poses(np.arange(len(rows)) / 200.0, acc, gyr, "waist")
            for start in np.arange(5.0, len(rows) / 200.0 - WALK_S, WALK_S):
                yield Piece(path.stem, between(blocks, start, start + WALK_S), "waist", Z)


def seated(folder: Path) -> Iterator[Piece]:
    """Every trial of seated bends to all sides, both sensors, their z backward."""
    for path in sorted(folder.glob("*_trunkmovement_*.npz")):
        with np.load(path) as file:
            for key, placement in (("back", "upper_back"), ("low_back", "lower_back")):
                rows = file[f"{key}_imu"].astype(float)
                acc, gyr = rows[:, 1:4] * G_M_S2, np.radians(rows[:, 4:7])
                blocks = poses(rows[:, 0], acc, gyr, placement)
                yield Piece(f"{path.stem[:4]}", [b for b in blocks if len(b)], placement, -Z)


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
