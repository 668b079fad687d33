"""Trials of inertial sensors against optical capture, and how far an estimate of the vertical is off.

Error: the angle between the vertical as estimated and as the cameras saw it, in sensor axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from monitor.core.blocks import TrunkBlock
from monitor.core.inputs import BoolArray, FloatArray, Input, Mark, Rows
from monitor.core.quaternion import up_in_source
from monitor.pipeline import Pipeline, final_pass

G_M_S2 = 9.80665
MAX_MOCAP_RATE_DEG_S = 600.0
"""No trunk turns faster: a marker swap."""
AROUND_SWAP_S = 0.1
FLIPPED_DEG = 10.0
LOST_DEG = 15.0
"""Where the estimate is further off than this the rigid body had flipped (the data set's README: in 12 % of trials)."""


@dataclass(frozen=True)
class Trial:
    """Inertial rows and what the cameras saw: `t_ref_s` (m,) on the rows' clock, `up_ref` (m,3), rows to score in `scored`.

    `mounted`: the camera's body is the sensor itself; else one constant rotation is fitted first.
    """

    name: str
    t_s: FloatArray
    acc: FloatArray
    gyr: FloatArray | None
    t_ref_s: FloatArray
    up_ref: FloatArray
    scored: BoolArray
    mounted: bool


def broad(folder: Path, every: int) -> Iterator[Trial]:
    """BROAD: one hand-moved sensor, every `every`-th row kept."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            rate_hz = float(file["fs"])
            quat = file["quat_ref"].astype(float)
            t_s = np.arange(len(quat)) / rate_hz
            scored = (file["movement"] != 0) & np.isfinite(quat).all(axis=1)
            acc, gyr = file["acc"].astype(float)[::every], file["gyr"].astype(float)[::every]
            yield Trial(path.stem, t_s[::every], acc, gyr, t_s, up_in_source(quat), scored, True)


def wheelchair(folder: Path, sensor: str, task: str) -> Iterator[Trial]:
    """Trunk sensors of seated people against rigid bodies (y up, 120 Hz)."""
    for path in sorted(folder.glob(f"*_{task}_*.npz")):
        with np.load(path) as file:
            imu, opti = file[f"{sensor}_imu"].astype(float), file[f"{sensor}_opti"].astype(float)
            t_ref_s = file["t_opti"] + float(file["lag_s"])
            quat = opti[:, :4]
            good = np.isfinite(quat).all(axis=1) & (t_ref_s >= imu[0, 0] + 1) & (t_ref_s <= imu[-1, 0])
            if good.sum() < 600 or len(imu) < 300:
                continue
            earth = Rotation.from_quat(np.where(good[:, None], quat, (1, 0, 0, 0)), scalar_first=True)
            up_ref = earth.inv().apply((0.0, 1.0, 0.0))
            good &= ~swapped(earth, t_ref_s)
            acc, gyr = imu[:, 1:4] * G_M_S2, np.radians(imu[:, 4:7])
            yield Trial(path.stem, imu[:, 0], acc, gyr, t_ref_s, up_ref, good, False)


def swapped(earth: Rotation, t_s: FloatArray) -> BoolArray:
    """Rows within 0.1 s of an impossible step."""
    rate = np.degrees((earth[:-1].inv() * earth[1:]).magnitude()) / np.diff(t_s)
    jumps = t_s[:-1][rate > MAX_MOCAP_RATE_DEG_S]
    if not len(jumps):
        return np.zeros(len(t_s), bool)
    after = np.searchsorted(jumps, t_s)
    before = jumps[np.maximum(after - 1, 0)]
    distance = np.minimum(np.abs(t_s - before), np.abs(t_s - jumps[np.minimum(after, len(jumps) - 1)]))
    swapped: BoolArray = distance < AROUND_SWAP_S
    return swapped


def errors_deg(trial: Trial, t_s: FloatArray, up: FloatArray, offset_s: float) -> FloatArray:
    """Angle between the two verticals at the scored moments of the reference."""
    at = trial.t_ref_s[trial.scored] + offset_s
    seen = np.stack([np.interp(at, t_s, up[:, i]) for i in range(3)], axis=1)
    seen /= np.sqrt((seen * seen).sum(axis=1, keepdims=True))
    truth = trial.up_ref[trial.scored]
    if not trial.mounted:
        seen = fitted(seen, truth).apply(seen)
    chord = np.sqrt(((seen - truth) ** 2).sum(axis=1))
    angle: FloatArray = np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1)))
    return angle


def fitted(seen: FloatArray, truth: FloatArray) -> Rotation:
    """The constant rotation between two runs of verticals; rows far off the first fit do not count in the second."""
    rotation, _ = Rotation.align_vectors(truth, seen)
    near = np.sqrt(((rotation.apply(seen) - truth) ** 2).sum(axis=1)) < np.radians(FLIPPED_DEG)
    return Rotation.align_vectors(truth[near], seen[near])[0] if near.sum() > 100 else rotation


def rms(error: FloatArray) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(error * error)))


def people(trials: Sequence[Trial]) -> list[str]:
    """Whose trials these are."""
    return sorted({person(trial) for trial in trials})


def person(trial: Trial) -> str:
    """Files are named after the person first."""
    return trial.name.split("_")[0]


def trunk(
    trial: Trial, mount: Mark | None = None, placement: str = "lower_back", *, final: bool = False
) -> list[TrunkBlock]:
    """What the pipeline gives for a trial; `final`: behind the final pass. Without a mount in sensor axes."""
    sensor = {"sensor": "A", "driver": "rows", "role": "single", "placement": placement, "primary": True}
    opening: list[Input] = [Mark(0.0, "sensor", sensor), *([] if mount is None else [mount])]
    pipeline = Pipeline()
    records = pipeline.push([*opening, Rows("A", trial.t_s, trial.acc, trial.gyr)]) + pipeline.close()
    if final:
        late = final_pass()
        records = late.push(records) + late.close()
    return [record for record in records if isinstance(record, TrunkBlock)]
