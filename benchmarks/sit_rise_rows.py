"""The belt recordings of one scripted movement a file (sisfall_waist), and the exact interval of a share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from posture_rows import G_M_S2
from scipy.stats import beta

from monitor.core.inputs import FloatArray

SISFALL_HZ = 200.0
SIT_AND_RISE = ("D07", "D08", "D09", "D10")
SQUAT, BEND = "D15", "D16"
WITHIN_S = 2.0


def sisfall(
    folder: Path, codes: tuple[str, ...], *, quick: bool
) -> Iterator[tuple[str, str, FloatArray, FloatArray, FloatArray]]:
    """(person, code, t_s, acc m/s2, gyr rad/s) of each file."""
    for path in sorted(folder.glob("*.npz"))[: 3 if quick else None]:
        with np.load(path) as file:
            for key in file.files:
                if key[:3] in codes:
                    raw = file[key].astype(float)
                    acc = raw[:, :3] * (32.0 / 8192.0 * G_M_S2)
                    gyr = np.radians(raw[:, 3:] * (4000.0 / 65536.0))
                    yield path.stem, key[:3], np.arange(len(raw)) / SISFALL_HZ, acc, gyr


def once(changes: list[tuple[float, str]]) -> bool:
    """Exactly one sitting down, and one standing up after it."""
    return [kind for _, kind in changes] == ["sit", "rise"]


def exact_interval(hits: int, asked: int) -> tuple[float, float]:
    """Clopper and Pearson's 90 % interval of a share."""
    low = 0.0 if hits == 0 else float(beta.ppf(0.05, hits, asked - hits + 1))
    high = 1.0 if hits == asked else float(beta.ppf(0.95, hits + 1, asked - hits))
    return low, high


def matched(said_s: list[float], true_s: list[float]) -> list[float]:
    """Error of each true time that has a said one within `WITHIN_S`, each said one used once."""
    left, errors = sorted(said_s), []
    for t_s in sorted(true_s):
        near = min(left, key=lambda s: abs(s - t_s), default=np.inf)
        if abs(near - t_s) <= WITHIN_S:
            left.remove(near)
            errors.append(near - t_s)
    return errors
