"""Slouched against upright sitting at the back, 6 to 10 rows a second (pao_backposture): how well the tilt tells them apart.

Each recording against its own reference: the mean vertical of the first half of its good sitting. The angle from there counts.
The rest of the good and all of the slouched sitting is scored, 5 s at a time. The peer takes the accelerometer's direction of
the same rows.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from figure import Figure
from posture_rows import G_M_S2, told

from monitor.core.blocks import TrunkBlock
from monitor.core.inputs import BoolArray, FloatArray

COUNTS_PER_G = 16384.0
COUNTS_PER_DEG_S = 131.0
GOOD, SLOUCHED = ("SitOk", "1"), ("SitNok", "2")
ROWS_PER_S = 10.0
CHUNK_S = 5.0
LEAST_CHUNKS = 3


def recordings(folder: Path) -> Iterator[tuple[str, FloatArray, FloatArray, BoolArray, BoolArray]]:
    """(name, acc m/s2, gyr rad/s, good sitting, slouched sitting) where there is enough of both."""
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt") as lines:
            rows = [line.rstrip("\n").split(",") for line in lines]
        rows = [row for row in rows if row[1].lstrip("-").isdigit()]
        table = np.array([[float(x) for x in row[1:7]] for row in rows])
        labels = np.array([row[-1] for row in rows])
        good, slouched = np.isin(labels, GOOD), np.isin(labels, SLOUCHED)
        enough = 2 * LEAST_CHUNKS * CHUNK_S * ROWS_PER_S
        if min(good.sum(), slouched.sum()) >= enough:
            acc, gyr = table[:, :3] / COUNTS_PER_G * G_M_S2, np.radians(table[:, 3:] / COUNTS_PER_DEG_S)
            yield path.name.removesuffix(".csv.gz"), acc, gyr, good, slouched


def auc(low: FloatArray, high: FloatArray) -> float:
    """Probability that one of `high` is larger than one of `low`."""
    return float(np.mean(high[:, None] > low[None, :]) + 0.5 * np.mean(high[:, None] == low[None, :]))


def apart(up: FloatArray, good: BoolArray, slouched: BoolArray) -> float:
    """AUC of the angle from the reference; `up` (n,3) in any fixed axes."""
    n = int(CHUNK_S * ROWS_PER_S)
    rows = np.flatnonzero(good)
    reference = up[rows[: len(rows) // 2]].mean(axis=0)
    reference /= np.sqrt(np.sum(reference**2))

    def angles(at: np.ndarray[tuple[int], np.dtype[np.intp]]) -> FloatArray:
        chunks = up[at[: len(at) // n * n]].reshape(-1, n, 3).mean(axis=1)
        chunks /= np.sqrt((chunks**2).sum(axis=1, keepdims=True))
        angle: FloatArray = np.degrees(np.arccos(np.clip(chunks @ reference, -1.0, 1.0)))
        return angle

    return auc(angles(rows[len(rows) // 2 :]), angles(np.flatnonzero(slouched)))


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """One figure a recording."""
    if data is None or not (data / "pao_backposture").exists():
        return
    for name, acc, gyr, good, slouched in recordings(data / "pao_backposture"):
        t_s = np.arange(len(acc)) / ROWS_PER_S
        placement = "sternum" if "chest" in name else "upper_back"
        blocks = [r for r in told(t_s, acc, gyr, placement).records if isinstance(r, TrunkBlock)]
        seen_s = np.concatenate([b.t_s for b in blocks])
        up = np.concatenate([b.up for b in blocks])
        at = np.stack([np.interp(t_s, seen_s, up[:, i]) for i in range(3)], axis=1)
        peers = {"accelerometer's direction": apart(acc, good, slouched)}
        value = apart(at, good, slouched)
        yield Figure("slouched vs upright sitting, AUC", name, 1, value, "1", "more", 0.93, 0.98, peers=peers)
