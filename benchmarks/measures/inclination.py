"""How accurate is the inclination, against optical capture, beside plain VQF on the same rows?

VQF is run twice: on the rows as they come, and on an even grid, which mends lost rows for it as supple's timeline does.

Error: the angle between the vertical as estimated and as the cameras saw it, in sensor axes. On BROAD one constant time
offset per method is removed (the cameras' and the sensors' clocks differ by some ms); else the half sample by which an
integration rule leads looks like accuracy. On trunks none is: the set's own lag is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from figure import Figure, over_people
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


Estimate = Callable[[Trial], tuple[FloatArray, FloatArray]]
"""(times, vertical in sensor axes) of a trial."""


def supple(trial: Trial) -> tuple[FloatArray, FloatArray]:
    """The pipeline's own decoding, timeline and orientation."""
    sensor = {"sensor": "A", "driver": "rows", "role": "single", "placement": "lower_back", "primary": True}
    inputs: list[Input] = [Mark(0.0, "sensor", sensor), Rows("A", trial.t_s, trial.acc, trial.gyr)]
    blocks = list(oriented([inputs]))
    return np.concatenate([b.imu.t_s for b in blocks]), np.concatenate([b.up for b in blocks])


def gravity_alone(trial: Trial) -> tuple[FloatArray, FloatArray]:
    """The pipeline given the accelerometer alone."""
    return supple(replace(trial, gyr=None))


def vqf_as_they_come(trial: Trial) -> tuple[FloatArray, FloatArray]:
    """VQF as its author ships it, one row after the other: what is lost on a radio is not seen as lost."""
    assert trial.gyr is not None
    period_s = float(np.median(np.diff(trial.t_s)))
    acc, gyr = np.ascontiguousarray(trial.acc), np.ascontiguousarray(trial.gyr)
    return trial.t_s, up_in_source(VQF(period_s).updateBatch(gyr, acc)["quat6D"])


def plain_vqf(trial: Trial) -> tuple[FloatArray, FloatArray]:
    """VQF as its author ships it, on the same rows put on an even grid of their median step."""
    assert trial.gyr is not None
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


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """BROAD at three rates, seated trunk movements and all wheelchair tasks, and one accelerometer alone on the same."""
    if data is None:
        return
    for every, must, aim in ((1, 0.45, 0.42), (3, None, None), (6, 0.54, 0.48)):
        trials = list(broad(data / "broad", every))
        if trials:
            rate_hz = 1 / np.diff(trials[0].t_s[:2])[0]
            yield hand_moved(f"broad, {rate_hz:.0f} Hz", trials, METHODS, must, aim)
    for sensor, must_percent, aim_percent in (("back", 10.0, 25.0), ("low_back", 4.0, 15.0)):
        bends = list(wheelchair(data / "wheelchair_trunk", sensor, "trunkmovement"))
        if bends:
            name = f"{sensor}, seated bends"
            yield from worn(name, bends, METHODS)
            yield from gains(name, bends, must_percent, aim_percent)
            yield from worn(name, bends, {"supple, accelerometer alone": gravity_alone})
        tasks = list(wheelchair(data / "wheelchair_trunk", sensor, "*"))
        if tasks:
            yield from worn(f"{sensor}, all tasks", tasks, METHODS)


def hand_moved(
    name: str,
    trials: Sequence[Trial],
    methods: Mapping[str, Estimate],
    must: float | None,
    aim: float | None,
) -> Figure:
    """RMS error, mean over trials; one time offset per method is removed for the whole set. The first method is ours."""
    found: dict[str, FloatArray] = {}
    offset_s: dict[str, float] = {}
    for method, estimate in methods.items():
        given = [estimate(trial) for trial in trials]
        rms = np.array(
            [[_rms(errors_deg(t, *e, o)) for t, e in zip(trials, given, strict=True)] for o in OFFSETS_S]
        )
        best = int(np.argmin(rms.mean(axis=1)))
        found[method], offset_s[method] = rms[best], float(OFFSETS_S[best])
    ours, *peers = found
    low, high = over_people(found[ours].tolist())
    return Figure(
        "inclination error, RMS",
        name,
        len(trials),
        float(found[ours].mean()),
        "deg",
        "less",
        must=must,
        aim=aim,
        low=low,
        high=high,
        peers={peer: float(found[peer].mean()) for peer in peers},
        note=f"by trial; worst {found[ours].max():.2f}; offsets removed "
        + ", ".join(f"{1000 * offset_s[method]:+.0f} ms" for method in found),
    )


def worn(name: str, trials: Sequence[Trial], methods: Mapping[str, Estimate]) -> Iterator[Figure]:
    """Median and RMS of errors under 15 deg per trial after one constant rotation, the median over trials; no time offset."""
    found = {method: by_trial(trials, estimate) for method, estimate in methods.items()}
    ours, *peers = found
    who = "" if ours == "supple" else ", one accelerometer alone"
    for column, what in enumerate(("median", "RMS")):
        low, high = over_people(_by_person(trials, found[ours][:, column]), np.median)
        yield Figure(
            f"inclination error, {what}{who}",
            name,
            len(_people(trials)),
            float(np.median(found[ours][:, column])),
            "deg",
            "less",
            low=low,
            high=high,
            peers={peer: float(np.median(found[peer][:, column])) for peer in peers},
            note=f"{len(trials)} trials",
        )


def gains(name: str, trials: Sequence[Trial], must: float, aim: float) -> Iterator[Figure]:
    """How much less than VQF's the same two errors are, in percent; the peer is VQF on an even grid, the harder one."""
    ours, even, rows = (by_trial(trials, METHODS[m]) for m in METHODS)
    for column, what in enumerate(("median", "RMS")):
        own, peer = ours[:, column], even[:, column]
        person = np.array([trial.name.split("_")[0] for trial in trials])
        each = [_less_percent(own[person == one], peer[person == one]) for one in _people(trials)]
        low, high = over_people(each)
        yield Figure(
            f"inclination error less than VQF's, {what}",
            name,
            len(each),
            _less_percent(own, peer),
            "%",
            "more",
            must=must,
            aim=aim,
            low=low,
            high=high,
            note=f"vqf on an even grid; on rows as they come {_less_percent(own, rows[:, column]):.0f} % less",
        )


def by_trial(trials: Sequence[Trial], estimate: Estimate) -> FloatArray:
    """(n,2): median and RMS of the errors under 15 deg of each trial."""
    found = []
    for trial in trials:
        error = errors_deg(trial, *estimate(trial), 0.0)
        near = error[error < LOST_DEG]
        found.append((float(np.median(near)), _rms(near)))
    return np.array(found)


def _less_percent(ours: FloatArray, peer: FloatArray) -> float:
    return float(100.0 * (1.0 - np.median(ours) / np.median(peer)))


def _people(trials: Sequence[Trial]) -> list[str]:
    return sorted({trial.name.split("_")[0] for trial in trials})


def _by_person(trials: Sequence[Trial], values: FloatArray) -> list[float]:
    names = np.array([trial.name.split("_")[0] for trial in trials])
    return [float(np.median(values[names == person])) for person in _people(trials)]


def _rms(error: FloatArray) -> float:
    return float(np.sqrt(np.mean(error * error)))
