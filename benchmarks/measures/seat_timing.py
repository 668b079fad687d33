"""When the seat is left and found in five rises in a row: from the pelvis, against the force plate in the seat (pibench_sts)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from figure import Figure
from posture_rows import told
from rule_r1 import rule
from sit_rise_rows import matched

from monitor.core.inputs import FloatArray

PELVIS = 4
BLIP_S = 0.3
"""Shorter than this the seat's load only flickered."""


def seats(folder: Path) -> Iterator[tuple[str, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]]:
    """(person, t_s, acc m/s2, gyr rad/s of the pelvis, seat-off s, seat-on s)."""
    for path in sorted(folder.glob("*_5sts.parquet")):
        table = parquet.read_table(path).to_pydict()
        t_s = np.asarray(table["time"], dtype=float)
        acc, gyr = (
            np.stack([np.asarray(table[f"{kind}{axis}{PELVIS}"], dtype=float) for axis in "xyz"], axis=1)
            for kind in "AG"
        )
        name = next(n for n in table if "seat" in n.lower() and "fz" in n.lower())
        load = np.asarray(table[name], dtype=float)
        seated = load > (np.percentile(load, 5) + np.percentile(load, 95)) / 2
        edges = np.flatnonzero(np.diff(seated.astype(np.int8)))
        kept = [i for k, i in enumerate(edges.tolist()) if not _flickers(t_s, edges, k)]
        off = np.array([t_s[i + 1] for i in kept if not seated[i + 1]])
        on = np.array([t_s[i + 1] for i in kept if seated[i + 1]])
        yield path.stem.replace("_5sts", ""), t_s, acc, np.radians(gyr), off, on


def _flickers(t_s: FloatArray, edges: np.ndarray[tuple[int], np.dtype[np.intp]], k: int) -> bool:
    at_s = t_s[edges]
    return bool(
        (k + 1 < len(edges) and at_s[k + 1] - at_s[k] < BLIP_S) or (k > 0 and at_s[k] - at_s[k - 1] < BLIP_S)
    )


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001
    """Share found, and the median size of the timing error."""
    if data is None or not (data / "pibench_sts").exists():
        return
    found = list(seats(data / "pibench_sts"))
    for kind, which, name in (("rise", 4, "seat-off"), ("sit", 5, "seat-on")):
        errors, peer, true = [], [], 0
        for trial in found:
            _, t_s, acc, gyr, *_ = trial
            times = [float(x) for x in trial[which]]
            true += len(times)
            changes = told(t_s, acc, gyr, "lower_back").changes()
            errors += matched([s for s, k in changes if k == kind], times)
            peer += matched([s for s, k in rule(t_s, acc, gyr).changes if k == kind], times)
        share = len(errors) / true
        peers = {"plain rules": len(peer) / true}
        note = f"{len(errors)} of {true}"
        yield Figure(
            f"{name} found", "pibench_sts", len(found), share, "1", "more", 1.0, 1.0, peers=peers, note=note
        )
        size = float(np.median(np.abs(errors))) if errors else np.inf
        beside = {"plain rules": float(np.median(np.abs(peer))) if peer else np.inf}
        yield Figure(
            f"{name}, median error", "pibench_sts", len(found), size, "s", "less", 0.15, 0.07, peers=beside
        )
