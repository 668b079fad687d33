"""How accurate is the inclination, against optical capture, beside plain VQF on the same rows?

VQF is run twice: on the rows as they come, and on an even grid, which mends lost rows for it as supple's timeline does.

Error: the angle between the vertical as estimated and as the cameras saw it, in sensor axes. One constant time offset per
method and set is removed (the cameras' and the sensors' clocks differ by some ms); else the half sample by which an
integration rule leads looks like accuracy. It is printed: on slow movement all that VQF's own rule costs is that lead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figure import Figure
from results import Cell
from scipy.spatial.transform import Rotation
from vqf import VQF

from monitor.core.inputs import BoolArray, FloatArray, Input, Mark, Rows
from monitor.core.quaternion import up_in_source
from monitor.pipeline import oriented

G_M_S2 = 9.80665
OFFSETS_S = np.arange(-0.020, 0.0201, 0.002)
MAX_MOCAP_RATE_DEG_S = 600.0
"""No trunk turns faster: a marker swap."""
AROUND_SWAP_S = 0.1
FLIPPED_DEG = 10.0
"""Where both witnesses are further off than this the rigid body had flipped (the data set's README: in 12 % of trials)."""


@dataclass(frozen=True)
class Trial:
    """Inertial rows and what the cameras saw: `t_ref_s` (m,) on the rows' clock, `up_ref` (m,3), rows to score in `scored`.

    `mounted`: the camera's body is the sensor itself; else one constant rotation is fitted first.
    """

    name: str
    t_s: FloatArray
    acc: FloatArray
    gyr: FloatArray
    t_ref_s: FloatArray
    up_ref: FloatArray
    scored: BoolArray
    mounted: bool


Estimate = Callable[[Trial], tuple[FloatArray, FloatArray]]
"""(times, vertical in sensor axes) of a trial."""


def supple(trial: Trial) -> tuple[FloatArray, FloatArray]:
    """The pipeline's own decoding, timeline and orientation."""
    sensor = {"sensor": "A", "driver": "rows", "role": "single", "placement": "lower_back", "primary": True}
    inputs: list[Input] = [Mark(0.0, "sensor", sensor), Rows("A", trial.t_s, trial.acc, trial.gyr)]
    blocks = list(oriented([inputs]))
    return np.concatenate([b.imu.t_s for b in blocks]), np.concatenate([b.up for b in blocks])


def vqf_as_they_come(trial: Trial) -> tuple[FloatArray, FloatArray]:
    """VQF as its author ships it, one row after the other: what is lost on a radio is not seen as lost."""
    period_s = float(np.median(np.diff(trial.t_s)))
    acc, gyr = np.ascontiguousarray(trial.acc), np.ascontiguousarray(trial.gyr)
    return trial.t_s, up_in_source(VQF(period_s).updateBatch(gyr, acc)["quat6D"])


def plain_vqf(trial: Trial) -> tuple[FloatArray, FloatArray]:
    """VQF as its author ships it, on the same rows put on an even grid of their median step."""
    period_s = float(np.median(np.diff(trial.t_s)))
    t_s = np.arange(trial.t_s[0], trial.t_s[-1], period_s)
    acc, gyr = (
        np.stack([np.interp(t_s, trial.t_s, rows[:, i]) for i in range(3)], axis=1)
        for rows in (trial.acc, trial.gyr)
    )
    return t_s, up_in_source(VQF(period_s).updateBatch(gyr, acc)["quat6D"])


METHODS: dict[str, Estimate] = {
    "supple": supple,
    "vqf, even grid": plain_vqf,
    "vqf, rows as they come": vqf_as_they_come,
}
WITNESSES = ("supple", "vqf, even grid")
"""Methods that lost no time to lost rows: they tell where the cameras are wrong."""


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
            good &= ~_swapped(earth, t_ref_s)
            acc, gyr = imu[:, 1:4] * G_M_S2, np.radians(imu[:, 4:7])
            yield Trial(path.stem, imu[:, 0], acc, gyr, t_ref_s, up_ref, good, False)


def _swapped(earth: Rotation, t_s: FloatArray) -> BoolArray:
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
        seen = _fitted(seen, truth).apply(seen)
    chord = np.sqrt(((seen - truth) ** 2).sum(axis=1))
    angle: FloatArray = np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1)))
    return angle


def _fitted(seen: FloatArray, truth: FloatArray) -> Rotation:
    """The constant rotation between two runs of verticals; rows far off the first fit do not count in the second."""
    rotation, _ = Rotation.align_vectors(truth, seen)
    near = np.sqrt(((rotation.apply(seen) - truth) ** 2).sum(axis=1)) < np.radians(FLIPPED_DEG)
    return Rotation.align_vectors(truth[near], seen[near])[0] if near.sum() > 100 else rotation


def score(name: str, trials: Sequence[Trial]) -> list[dict[str, Cell]]:
    """One row per method: median and RMS error, each the mean over trials, and the worst trial's RMS."""
    estimates = {method: [estimate(t) for t in trials] for method, estimate in METHODS.items()}
    chosen = {}
    for method, given in estimates.items():
        found = [
            [errors_deg(t, *e, offset) for t, e in zip(trials, given, strict=True)] for offset in OFFSETS_S
        ]
        best = min(range(len(OFFSETS_S)), key=lambda i: np.mean([np.median(e) for e in found[i]]))
        chosen[method] = (float(OFFSETS_S[best]), found[best])
    flipped = [
        np.min([chosen[method][1][i] for method in WITNESSES], axis=0) > FLIPPED_DEG
        for i in range(len(trials))
    ]
    if trials[0].mounted:
        flipped = [np.zeros_like(rows) for rows in flipped]
    rows: list[dict[str, Cell]] = []
    for method, (offset_s, errors) in chosen.items():
        kept = [e[~rows_off] for e, rows_off in zip(errors, flipped, strict=True)]
        rms = [float(np.sqrt(np.mean(e * e))) for e in kept]
        rows.append(
            {
                "set": name,
                "method": method,
                "trials": len(trials),
                "median_deg": float(np.mean([np.median(e) for e in kept])),
                "rms_deg": float(np.mean(rms)),
                "worst_rms_deg": max(rms),
                "offset_ms": round(1000 * offset_s),
                "left_out_percent": 100 * float(np.mean([rows_off.mean() for rows_off in flipped])),
            }
        )
    return rows


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """The RMS inclination error per set, and its ratio to VQF's."""
    if data is None:
        return
    for every in (1, 3, 6):
        trials = list(broad(data / "broad", every))
        if trials:
            yield from figures(f"broad, {1 / np.diff(trials[0].t_s[:2])[0]:.0f} Hz", trials)
    for task in ("trunkmovement", "*"):
        for sensor in ("back", "low_back"):
            trials = list(wheelchair(data / "wheelchair_trunk", sensor, task))
            if trials:
                yield from figures(f"{sensor}, {'all tasks' if task == '*' else 'seated bends'}", trials)


def figures(name: str, trials: Sequence[Trial]) -> Iterator[Figure]:
    """Median and RMS of supple beside its peers."""
    ours, *peers = score(name, trials)
    for statistic in ("median_deg", "rms_deg"):
        beside = {str(peer["method"]): float(peer[statistic] or 0.0) for peer in peers}
        yield Figure(
            f"inclination error, {statistic.split('_')[0]}",
            name,
            len(trials),
            float(ours[statistic] or 0.0),
            "deg",
            "less",
            peers=beside,
        )
