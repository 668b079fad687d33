"""Are rotation and side bend told apart? Trunk orientations of people who play games of either, made rows of a sensor.

The files hold orientations of a game's skeleton (30 Hz; quaternions in the order z y x w, left-handed, y up), no rows of a
sensor: these are made from them. A second's truth is which of the two angles was the larger, where it was so by half as
much again; whoever side-bends in the rotation game does what is seen, not what the game asked for. In a second with movements
of either kind supple says that it is both: those are not decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from figure import Figure, over_people
from movement_rows import G_M_S2, Analysed, share
from scipy.spatial.transform import Rotation, Slerp

from monitor.core.events import Movement
from monitor.core.inputs import FloatArray

RATE_HZ = 60.0
LEAD_S = 3.0
AXES = "forward=-z,up=+y"
SMOOTH_ROWS = 9
CLEAR = 1.5
FLAT = 0.05
"""Quaternions that vary by less are those of a part the game did not follow."""
LEAST_S = 0.1
"""Of a movement within a second, for it to be one with a movement: the detector's own step."""
BOTH = "both"
Second = tuple[str, str, str]
"""Truth, what supple said, what the peer said."""


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """Share of the clear seconds within movements whose direction is right, per part of the skeleton."""
    folder = data / "trunkyxl_back3" if data else None
    for part in ("Trunk", "UpperTrunk", "LowerTrunk"):
        people = dict(_people(folder, part)) if folder and folder.is_dir() else {}
        moved = [second for each in people.values() for second in each]
        if not moved:
            continue
        told = [each for each in (decided(each) for each in people.values()) if each]
        everything = [second for each in told for second in each]
        low, high = over_people([share(t == s for t, s, _ in each) for each in told])
        yield Figure(
            "rotation and side bend told apart",
            f"games, {part}",
            len(people),
            share(truth == said for truth, said, _ in everything),
            "%",
            "more",
            95.0,
            low=low,
            high=high,
            peers={"the larger mean rate": share(truth == peer for truth, _, peer in everything)},
            note=f"{len(moved)} s of movement, {100 * len(everything) / len(moved):.0f} % decided",
        )


def _people(folder: Path, part: str) -> Iterator[tuple[str, list[Second]]]:
    for path, trials in recordings(folder, part):
        yield path, [s for rows in trials for s in _seconds(Analysed(*rows, "upper_back", AXES))]


def recordings(
    folder: Path, part: str
) -> Iterator[tuple[str, list[tuple[FloatArray, FloatArray, FloatArray]]]]:
    """(person, rows of a sensor of each trial) of the games that ask for turns and side bends."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            trials = []
            labels = [str(label).split("=", 1) for label in file["labels"]]
            for trial, game in labels:
                key = f"corpus_{trial}/{part}"
                if game.startswith("Shape sport") and key in file:
                    rows = file[key].astype(float)
                    if np.ptp(rows[:, 1:5], axis=0).max() > FLAT:
                        trials.append(_rows(rows))
        yield path.stem, trials


def _rows(recorded: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Times, acc and gyr a sensor would have given, after a still moment."""
    recorded = recorded[np.concatenate(((True,), np.diff(recorded[:, 0]) > 0))]
    z, y, x, w = recorded[:, 1:5].T
    turns = Slerp(recorded[:, 0] - recorded[0, 0], Rotation.from_quat(np.stack((-x, -y, z, w), axis=1)))
    quat = turns(np.arange(0.0, recorded[-1, 0] - recorded[0, 0], 1.0 / RATE_HZ)).as_quat()
    quat[1:] *= np.cumprod(np.sign(np.sum(quat[1:] * quat[:-1], axis=1)))[:, None]
    kernel = np.hanning(SMOOTH_ROWS) / np.hanning(SMOOTH_ROWS).sum()
    side = SMOOTH_ROWS // 2
    smooth = [np.convolve(np.pad(c, side, mode="edge"), kernel, "valid") for c in quat.T]
    earth = Rotation.from_quat(np.stack(smooth, axis=1))
    still = round(LEAD_S * RATE_HZ)
    gyr = (earth[:-1].inv() * earth[1:]).as_rotvec() * RATE_HZ
    gyr = np.concatenate((np.zeros((still + 1, 3)), gyr))
    acc = earth.inv().apply((0.0, G_M_S2, 0.0))
    acc = np.concatenate((np.repeat(acc[:1], still, axis=0), acc))
    noise = np.random.default_rng(1).normal(size=(2, len(acc), 3))
    return np.arange(len(acc)) / RATE_HZ, acc + 0.02 * noise[0], gyr + 0.002 * noise[1]


def _seconds(analysed: Analysed) -> Iterator[Second]:
    columns = (analysed.column(name) for name in ("lateral_deg", "rotation_deg", "rate_deg_s"))
    return seconds_of_movement(analysed.movements, *columns)


def clear_seconds(
    movements: Sequence[Movement], lateral_deg: FloatArray, rotation_deg: FloatArray, rate_deg_s: FloatArray
) -> list[Second]:
    """Those of the movements in which supple says one direction."""
    return decided(seconds_of_movement(movements, lateral_deg, rotation_deg, rate_deg_s))


def decided(seconds: Iterable[Second]) -> list[Second]:
    """Without those that are both."""
    return [second for second in seconds if second[1] != BOTH]


def seconds_of_movement(
    movements: Sequence[Movement], lateral_deg: FloatArray, rotation_deg: FloatArray, rate_deg_s: FloatArray
) -> Iterator[Second]:
    """The seconds within `movements` that are clearly one or the other, by the rows they were found in."""
    lateral, rotation, rate = np.abs(lateral_deg), np.abs(rotation_deg), np.abs(rate_deg_s)
    for second in range(int(len(lateral) / RATE_HZ)):
        rows = slice(round(second * RATE_HZ), round((second + 1) * RATE_HZ))
        said = {
            str(m.direction).split("_")[0]
            for m in movements
            if min(m.end_s, second + 1) - max(m.start_s, second) >= LEAST_S
        } & {"rotation", "lateral"}
        bent, turned = float(lateral[rows].max()), float(np.nan_to_num(rotation[rows]).max())
        if said and max(bent, turned) > CLEAR * min(bent, turned):
            truth = "rotation" if turned > bent else "lateral"
            peer = "rotation" if rate[rows, 2].mean() > rate[rows, 0].mean() else "lateral"
            yield truth, BOTH if len(said) > 1 else said.pop(), peer
