"""Is one bend one bend? Files of a belt sensor with one bend of the waist each, beside VQF with a threshold.

The reference is the non-causal filter on the same rows. Of the range: the angle from the standing that began the file, its
greatest less where the bend began. Of the peak: the greatest angle between trunk axis and vertical.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figure import Figure, over_people
from movement_rows import G_M_S2, Analysed, excursions, share, tilt_from_start, vqf_up

from monitor.core.events import Direction, Movement
from monitor.core.inputs import FloatArray
from monitor.core.quaternion import to_matrix
from monitor.motion.mount.find import Mount

RATE_HZ = 200.0
ACC_G, GYR_DEG_S = 32.0 / 8192.0, 4000.0 / 65536.0
AXES = "forward=+z,up=-y"
BEND_DEG, BACK_DEG = 20.0, 10.0
"""The peer's thresholds: beyond REBA's first band, and back."""
WITHIN_DEG = 3.0


@dataclass(frozen=True)
class _File:
    person: str
    given: list[Movement]
    found: list[Movement]
    peer: int
    errors_deg: list[float]
    found_errors_deg: list[float]
    peer_error_deg: float

    @property
    def once(self) -> bool:
        return len(self.given) == 1


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """Found exactly once (mount given as axes, and found), and the peak's agreement with the reference."""
    files = list(_files(data / "sisfall_waist", quick)) if data else []
    if not files:
        return
    people = sorted({file.person for file in files})
    each = [share(f.once for f in files if f.person == who) for who in people]
    low, high = over_people(each)
    peer = "VQF, 20 deg up and 10 down"
    yield Figure(
        "one bend found exactly once",
        "belt D16, axes given",
        len(people),
        share(f.once for f in files),
        "%",
        "more",
        95.0,
        low=low,
        high=high,
        peers={peer: share(f.peer == 1 for f in files)},
        note=f"{len(files)} files",
    )
    yield Figure(
        "one bend found exactly once",
        "belt D16, mount found",
        len(people),
        share(len(f.found) == 1 for f in files),
        "%",
        "more",
        95.0,
        note="flexion or tilt; nobody walks in these files, so forward is not known",
    )
    bent = [f for f in files if f.given]
    yield Figure(
        "bend's range within 3 deg of the non-causal filter",
        "belt D16, axes given",
        len(people),
        share(abs(f.errors_deg[0]) <= WITHIN_DEG for f in bent),
        "%",
        "more",
        95.0,
        peers={"VQF, causal": share(abs(f.peer_error_deg) <= WITHIN_DEG for f in bent)},
        note=f"median error {np.median([f.errors_deg[0] for f in bent]):+.1f} deg",
    )
    peaks = [error for f in files for error in f.found_errors_deg]
    yield Figure(
        "bend's peak within 3 deg of the non-causal filter",
        "belt D16, mount found",
        len(people),
        share(abs(error) <= WITHIN_DEG for error in peaks),
        "%",
        "more",
        95.0,
        note=f"median error {np.median(peaks):+.1f} deg",
    )


def _files(folder: Path, quick: bool) -> Iterator[_File]:
    for path in sorted(folder.glob("*.npz"))[: 3 if quick else None]:
        with np.load(path) as file:
            for key in sorted(k for k in file if k.startswith("D16")):
                rows = file[key].astype(float)
                acc = rows[:, :3] * (ACC_G * G_M_S2)
                gyr = np.radians(rows[:, 3:6] * GYR_DEG_S)
                t_s = np.arange(len(rows)) / RATE_HZ
                given, found = (Analysed(t_s, acc, gyr, "waist", axes) for axes in (AXES, ""))
                plain = tilt_from_start(vqf_up(acc, gyr, RATE_HZ), RATE_HZ)
                up = vqf_up(acc, gyr, RATE_HZ, offline=True)
                reference = tilt_from_start(up, RATE_HZ)
                bends = [m for m in given.movements if m.direction is Direction.FLEXION]
                tilts = [m for m in found.movements if m.direction in (Direction.FLEXION, Direction.TILT)]
                leaning = _inclination(up, found.mount)
                yield _File(
                    path.stem,
                    bends,
                    tilts,
                    len(excursions(plain, BEND_DEG, BACK_DEG)),
                    [m.range_deg - _range(reference, m) for m in bends],
                    [m.peak_deg - float(leaning[_rows(m)].max()) for m in tilts],
                    float(plain.max() - reference.max()),
                )


def _range(tilt_deg: FloatArray, bend: Movement) -> float:
    """What the reference says of the same stretch, from a second before it."""
    rows = tilt_deg[max(0, round((bend.start_s - 1.0) * RATE_HZ)) : round(bend.end_s * RATE_HZ)]
    peak = int(np.argmax(rows))
    return float(rows[peak] - rows[: peak + 1].min())


def _rows(bend: Movement) -> slice:
    return slice(round(bend.start_s * RATE_HZ), round(bend.end_s * RATE_HZ))


def _inclination(up: FloatArray, mount: Mount) -> FloatArray:
    """Angle (n,) deg between trunk axis and vertical, of the vertical (n,3) in sensor axes."""
    upright = np.einsum("ni,i->n", up, to_matrix(np.array(mount.quat))[2])
    angle: FloatArray = np.degrees(np.arccos(np.clip(upright, -1.0, 1.0)))
    return angle
