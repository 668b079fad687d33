"""The final pass: how accurate, how near the whole-record filter at its seams, and how long does it take?

The peer is offlineVQF as its author ships it, on an even grid. Seams are looked for where they are hardest: trials of a
hand-moved sensor end to end, and a simulated person who does not rest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from figure import Figure
from optical import Trial, broad, trunk, wheelchair
from vqf import offlineVQF

from firmware_sim.scenario import parse
from firmware_sim.worn import put_on
from measures.inclination import Estimate, hand_moved, worn
from monitor.core.blocks import TrunkBlock
from monitor.core.inputs import BoolArray, FloatArray
from monitor.core.quaternion import up_in_source
from monitor.motion.offline import OfflineAngles

G_M_S2 = 9.80665
COUNTS = 32_768.0
NEVER_S = 1e7
"""A window that no record fills: the whole-record pass."""
TIMED_HOURS, QUICK_HOURS = 6.0, 0.5
BLOCK_ROWS = 6_000
RATE_HZ = 100.0
RESTLESS = """
title = "Never at rest"
[[block]]
activities = [
  { do = "walk", seconds = 60 },
  { do = "fidget", seconds = 120 },
  { do = "bend", reps = 3 },
  { do = "walk", seconds = 30 },
]
"""


def supple(trial: Trial) -> tuple[FloatArray, FloatArray]:
    """The pipeline with the final pass behind it."""
    blocks = trunk(trial, final=True)
    return np.concatenate([b.t_s for b in blocks]), np.concatenate([b.up for b in blocks])


def plain(trial: Trial) -> tuple[FloatArray, FloatArray]:
    """offlineVQF on the same rows put on an even grid of their median step."""
    assert trial.gyr is not None
    period_s = float(np.median(np.diff(trial.t_s)))
    t_s = np.arange(trial.t_s[0], trial.t_s[-1], period_s)
    acc, gyr = (
        np.stack([np.interp(t_s, trial.t_s, rows[:, i]) for i in range(3)], axis=1)
        for rows in (trial.acc, trial.gyr)
    )
    return t_s, up_in_source(offlineVQF(gyr, acc, None, period_s)["quat6D"])


METHODS: dict[str, Estimate] = {"supple": supple, "offlineVQF, even grid": plain}


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """Accuracy on recordings, then seams and time, which need none."""
    rows = _restless(1800.0 if quick else 7200.0)
    yield _seam("a simulated person who never rests", rows)
    if data is not None:
        for every, must, aim in ((1, 0.29, 0.26), (3, None, None), (6, 0.36, 0.32)):
            trials = list(broad(data / "broad", every))
            if trials:
                rate_hz = 1 / np.diff(trials[0].t_s[:2])[0]
                yield hand_moved(f"broad, {rate_hz:.0f} Hz, offline", trials, METHODS, must, aim)
                if every == 3:
                    yield _seam("broad, trials end to end", _end_to_end(trials))
        for sensor in ("back", "low_back"):
            bends = list(wheelchair(data / "wheelchair_trunk", sensor, "trunkmovement"))
            if bends:
                yield from worn(f"{sensor}, seated bends, offline", bends, METHODS)
    yield _time(rows, QUICK_HOURS if quick else TIMED_HOURS)


def _restless(seconds: float) -> Trial:
    _, (sensor, *_) = put_on(parse(RESTLESS.encode(), "restless"), 1)
    params = sensor.imu.params
    t_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    acc, gyr, _ = sensor.imu.sample(t_s)
    return _trial(
        t_s,
        acc.astype(np.float64) * (params.acc_full_scale_g * G_M_S2 / COUNTS),
        gyr.astype(np.float64) * math.radians(params.gyr_full_scale_deg_s / COUNTS),
    )


def _end_to_end(trials: Sequence[Trial]) -> Trial:
    acc = np.concatenate([t.acc for t in trials])
    gyr = np.concatenate([t.gyr for t in trials if t.gyr is not None])
    t_s = np.arange(len(acc)) * float(np.median(np.diff(trials[0].t_s)))
    return _trial(t_s.astype(np.float64), acc, gyr)


def _trial(t_s: FloatArray, acc: FloatArray, gyr: FloatArray) -> Trial:
    nothing: BoolArray = np.zeros(len(t_s), bool)
    return Trial("rows", t_s, acc, gyr, t_s, np.full((len(t_s), 3), np.nan), nothing, True)


def _seam(name: str, rows: Trial) -> Figure:
    causal = trunk(rows)
    windows, whole = (
        np.concatenate([b.up for b in _through(stage, causal)])
        for stage in (OfflineAngles(), OfflineAngles(NEVER_S))
    )
    apart = np.degrees(np.sqrt(((windows - whole) ** 2).sum(axis=1)))
    return Figure(
        "final pass in windows against the whole record, worst row",
        name,
        1,
        float(apart.max()),
        "deg",
        "less",
        must=0.02,
        note=f"{rows.t_s[-1] / 60:.0f} min",
    )


def _time(rows: Trial, hours: float) -> Figure:
    """Blocks as the pipeline gives them against one call with the whole record."""
    times = int(np.ceil(hours * 3600 * RATE_HZ / len(rows.t_s)))
    assert rows.gyr is not None
    causal = trunk(rows)
    span_s = len(rows.t_s) / RATE_HZ
    day = [_later(block, k * span_s) for k in range(times) for block in causal]
    start = time.perf_counter()
    rows_out = sum(len(block) for block in _through(OfflineAngles(), day))
    ours_s = time.perf_counter() - start
    gyr, acc = (np.tile(columns, (times, 1)) for columns in (rows.gyr, rows.acc))
    start = time.perf_counter()
    offlineVQF(gyr, acc, None, 1 / RATE_HZ)
    whole_s = time.perf_counter() - start
    return Figure(
        "time of the final pass, in times of the whole-record offlineVQF",
        f"{rows_out / RATE_HZ / 3600:.1f} h at 100 Hz",
        1,
        ours_s / whole_s,
        "times",
        "less",
        must=2.0,
        note=f"{ours_s:.1f} s against {whole_s:.1f} s",
    )


def _later(block: TrunkBlock, by_s: float) -> TrunkBlock:

    return replace(block, t_s=block.t_s + by_s)


def _through(stage: OfflineAngles, blocks: Sequence[TrunkBlock]) -> list[TrunkBlock]:
    out = [record for block in blocks for record in stage.push([block])] + stage.close()
    return [record for record in out if isinstance(record, TrunkBlock)]
