"""Calibrations of single sensors: one JSON file each in the settings folder, with the raw capture it was fitted from."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from monitor.core.errors import StorageError
from monitor.store.places import private_folder, slug

FOLDER = "calibrations"
FORMAT = 1
MAX_FILE_BYTES = 100_000
OUTDATED_DAYS = 365.0
"""An accelerometer moves by some mg a year (data sheets' life-time drift): from then on a new calibration is advised."""

_VECTOR = re.compile(r"\[[^\[\]{}]+\]")
Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Pose:
    """One still pose as measured, before any calibration: means over start_s..end_s of the capture."""

    start_s: float
    end_s: float
    acc_m_s2: Vector
    gyr_rad_s: Vector | None
    temperature_c: float | None


@dataclass(frozen=True, slots=True)
class Profile:
    """true acc = acc_matrix (measured - acc_bias_m_s2); true rate = measured - gyr_bias_rad_s.

    `serial` is the sensor's own id, else its address. `made_wall_s` Unix time. The gyroscope's bias holds at the middle of
    `temperature_c` (low, high; None: not told), and changes by `gyr_bias_rad_s_per_k` where the range was wide enough.
    `residual_m_s2` root mean square over the poses, `before_m_s2` without the calibration; `worst_share` one standard
    deviation in the least known direction, as a share of gravity. `capture` is the file of raw rows beside it;
    `rests` are the temperatures (None: not told) and rates at which the gyroscope lay still.
    """

    serial: str
    driver: str
    made_wall_s: float
    program_version: str
    acc_matrix: tuple[Vector, Vector, Vector]
    acc_bias_m_s2: Vector
    gyr_bias_rad_s: Vector
    gyr_bias_rad_s_per_k: Vector | None
    temperature_c: tuple[float, float] | None
    residual_m_s2: float
    before_m_s2: float
    worst_share: float
    capture: str
    poses: tuple[Pose, ...]
    rests: tuple[tuple[float | None, Vector], ...]

    def mark_value(self, sensor: str) -> dict[str, Any]:
        """What the mark `device_calibration` of a session holds for the sensor with this key."""
        return {
            "sensor": sensor,
            "acc_matrix": [list(row) for row in self.acc_matrix],
            "acc_bias_m_s2": list(self.acc_bias_m_s2),
            "gyr_bias_rad_s": list(self.worn_gyr_bias_rad_s()),
            "serial": self.serial,
            "made_wall_s": self.made_wall_s,
        }

    def worn_gyr_bias_rad_s(self) -> Vector:
        """The gyroscope's bias at the temperature of the calibration that is nearest to a worn sensor's."""
        if self.gyr_bias_rad_s_per_k is None or self.temperature_c is None:
            return self.gyr_bias_rad_s
        low, high = self.temperature_c
        away_k = min(max(WORN_C, low), high) - 0.5 * (low + high)
        x, y, z = (
            bias + away_k * slope
            for bias, slope in zip(self.gyr_bias_rad_s, self.gyr_bias_rad_s_per_k, strict=True)
        )
        return x, y, z


WORN_C = 32.0
"""Temperature of a sensor on the skin, some minutes after it was put on."""


def profile_paths(folder: Path, serial: str) -> tuple[Path, Path]:
    """Where the profile of `serial` and its capture are kept below the settings folder."""
    stem = slug(serial)
    return folder / FOLDER / f"{stem}.json", folder / FOLDER / f"{stem}.csv"


def find_profile(folder: Path, serial: str) -> Profile | None:
    """The calibration of a sensor, None without one. Raises StorageError for a damaged file."""
    path, _ = profile_paths(folder, serial)
    profile = read_profile(path) if path.exists() else None
    return profile if profile is not None and profile.serial == serial else None


def read_profile(path: Path) -> Profile:
    """Raises StorageError for anything that `keep_profile` did not write."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or "cannot be read") from error
    try:
        return _profile(content)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(path, "is damaged") from error


def keep_profile(folder: Path, profile: Profile, capture: str) -> Path:
    """Keep it, in place of an older one of the same sensor, with its raw capture (CSV); the profile's path.

    Raises StorageError.
    """
    path, raw = profile_paths(folder, profile.serial)
    private_folder(path.parent)
    write_profile(path, raw, profile, capture)
    return path


def write_profile(path: Path, raw: Path, profile: Profile, capture: str) -> None:
    """Write it to `path` and its capture to `raw`. Raises StorageError.

    The capture is in place before the profile is, so that after a crash no profile stands without the one it names.
    """
    _replace(raw, capture)
    _replace(path, written(profile))


def written(profile: Profile) -> str:
    """The text of a profile's file: JSON, a vector on one line."""
    text = json.dumps({"format": FORMAT, **asdict(profile)}, indent=1)
    return _VECTOR.sub(lambda found: " ".join(found[0].split()), text) + "\n"


def _profile(content: bytes) -> Profile:
    if len(content) > MAX_FILE_BYTES:
        raise ValueError("too large")
    table: dict[str, Any] = json.loads(content.decode("utf-8"))
    if table.pop("format") != FORMAT:
        raise ValueError("format")
    if set(table) != {field.name for field in fields(Profile)}:
        raise ValueError("fields")
    slope, warm = table["gyr_bias_rad_s_per_k"], table["temperature_c"]
    first, second, third = (_vector(row) for row in table["acc_matrix"])
    return Profile(
        serial=str(table["serial"]),
        driver=str(table["driver"]),
        made_wall_s=_number(table["made_wall_s"]),
        program_version=str(table["program_version"]),
        acc_matrix=(first, second, third),
        acc_bias_m_s2=_vector(table["acc_bias_m_s2"]),
        gyr_bias_rad_s=_vector(table["gyr_bias_rad_s"]),
        gyr_bias_rad_s_per_k=None if slope is None else _vector(slope),
        temperature_c=None if warm is None else (_number(warm[0]), _number(warm[1])),
        residual_m_s2=_number(table["residual_m_s2"]),
        before_m_s2=_number(table["before_m_s2"]),
        worst_share=_number(table["worst_share"]),
        capture=str(table["capture"]),
        poses=tuple(_pose(pose) for pose in table["poses"]),
        rests=tuple((None if warm is None else _number(warm), _vector(gyr)) for warm, gyr in table["rests"]),
    )


def _pose(table: dict[str, Any]) -> Pose:
    gyr, warm = table["gyr_rad_s"], table["temperature_c"]
    return Pose(
        _number(table["start_s"]),
        _number(table["end_s"]),
        _vector(table["acc_m_s2"]),
        None if gyr is None else _vector(gyr),
        None if warm is None else _number(warm),
    )


def _vector(values: Any) -> Vector:
    x, y, z = (_number(value) for value in values)
    return x, y, z


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _replace(path: Path, text: str) -> None:
    """In one step: after a crash it is the old file or the new one."""
    draft: str | None = None
    try:
        # mkstemp makes the file readable by its owner alone.
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
        draft = None
    except OSError as error:
        raise StorageError(
            f"The calibration cannot be saved in {path.parent} ({error.strerror}).",
            "Free some space there, or change the folder's rights.",
            path,
        ) from error
    finally:
        if draft is not None:
            with contextlib.suppress(OSError):
                Path(draft).unlink()


def _unreadable(path: Path, what: str) -> StorageError:
    return StorageError(
        f"The calibration {path}: {what}.",
        "Move that file away, then calibrate the sensor again:  supple calibrate sensor",
        path,
    )
