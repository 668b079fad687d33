"""How accurate is the inclination, against optical capture, beside plain VQF on the same rows?

VQF is run twice: on the rows as they come, and on an even grid, which mends lost rows for it as supple's timeline does.

Error: the angle between the vertical as estimated and as the cameras saw it, in sensor axes. On BROAD one constant time
offset per method is removed (the cameras' and the sensors' clocks differ by some ms); else the half sample by which an
integration rule leads looks like accuracy. On trunks none is: the set's own lag is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from figure import Figure, over_people
from optical import LOST_DEG, Trial, broad, errors_deg, people, person, rms, wheelchair
from vqf import VQF

from monitor.core.inputs import FloatArray, Input, Mark, Rows
from monitor.core.quaternion import up_in_source
from monitor.pipeline import oriented

OFFSETS_S = np.arange(-0.020, 0.0201, 0.002)


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
        by_offset = np.array(
            [[rms(errors_deg(t, *e, o)) for t, e in zip(trials, given, strict=True)] for o in OFFSETS_S]
        )
        best = int(np.argmin(by_offset.mean(axis=1)))
        found[method], offset_s[method] = by_offset[best], float(OFFSETS_S[best])
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
            len(people(trials)),
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
        whose = np.array([person(trial) for trial in trials])
        each = [_less_percent(own[whose == one], peer[whose == one]) for one in people(trials)]
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
        found.append((float(np.median(near)), rms(near)))
    return np.array(found)


def _less_percent(ours: FloatArray, peer: FloatArray) -> float:
    return float(100.0 * (1.0 - np.median(ours) / np.median(peer)))


def _by_person(trials: Sequence[Trial], values: FloatArray) -> list[float]:
    names = np.array([person(trial) for trial in trials])
    return [float(np.median(values[names == one])) for one in people(trials)]
