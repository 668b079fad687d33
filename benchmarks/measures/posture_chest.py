"""Sitting against standing at the chest from an accelerometer alone (casale_chest), beside plain rules on the same rows.

The counts are uncalibrated: offset and scale are fitted to |a| = 1 g over the calmest seconds first, as a calibrated sensor's
would be. Labels are known to be late and early by many seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from figure import Figure, over_people
from posture_rows import G_M_S2, States, balanced, told
from rule_r1 import rule
from scipy.optimize import least_squares

from monitor.core.inputs import FloatArray

NAMES = {1: "sitting", 3: "standing", 7: "standing"}
CALMEST = 0.3
MIDDLE_COUNTS, SCALE_COUNTS = 2048.0, 400.0
STIFFNESS = 3e-4
"""How hard the offset is held at the converter's middle: poses that differ little do not tell it."""


def in_g(counts: FloatArray, rate_hz: float) -> FloatArray:
    """Counts (n,3) -> g, by the sphere the calm seconds lie on."""
    k = int(rate_hz)
    seconds = counts[: len(counts) // k * k].reshape(-1, k, 3)
    spread = seconds.std(axis=1).max(axis=1)
    calm = seconds.mean(axis=1)[spread <= np.quantile(spread, CALMEST)]

    def miss(x: FloatArray) -> FloatArray:
        size = np.sqrt(((calm - x[:3]) ** 2).sum(axis=1)) / x[3] - 1.0
        held = STIFFNESS * np.sqrt(len(calm)) * (x[:3] - MIDDLE_COUNTS)
        missed: FloatArray = np.concatenate((size, held))
        return missed

    x = least_squares(miss, np.array([*[MIDDLE_COUNTS] * 3, SCALE_COUNTS])).x
    g: FloatArray = (counts - x[:3]) / x[3]
    return g


def recordings(folder: Path, *, quick: bool) -> Iterator[tuple[str, float, FloatArray, States]]:
    """(person, rows a second, acc m/s2, truth) of each file."""
    for path in sorted(folder.glob("*.npz"))[: 2 if quick else None]:
        with np.load(path) as file:
            rate_hz = float(file["fs"])
            acc = in_g(file["acc_raw"].astype(float), rate_hz) * G_M_S2
            truth = np.array([NAMES.get(int(label), "") for label in file["label"]])
        yield path.stem, rate_hz, acc, truth


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """Balanced accuracy, the mean over people: of decided seconds, and with unknown counted as wrong."""
    if data is None or not (data / "casale_chest").exists():
        return
    decided, strict, rules = [], [], []
    for _, rate_hz, acc, truth in recordings(data / "casale_chest", quick=quick):
        t_s = np.arange(len(truth)) / rate_hz
        said = told(t_s, acc, None, "sternum").at(t_s)
        decided.append(balanced(said, truth, decided=True))
        strict.append(balanced(said, truth))
        rules.append(balanced(rule(t_s, acc, None).said, truth))
    for what, values, must, aim in (
        ("chest, accelerometer alone: sit vs stand, unknown left out", decided, 0.75, 0.88),
        ("the same, unknown is wrong", strict, None, None),
    ):
        low, high = over_people(values)
        peers = {"plain rules": float(np.mean(rules))}
        value = float(np.mean(values))
        yield Figure(what, "casale_chest", len(values), value, "1", "more", must, aim, low, high, peers)
