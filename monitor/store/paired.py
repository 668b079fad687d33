"""The sensors this user has paired: one small JSON file in the settings folder, readable by its owner alone."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from monitor.core.errors import SensorNotFoundError, SettingsError, StorageError
from monitor.store.places import private_folder

FILE_NAME = "sensors.json"
FORMAT = 1
MAX_FILE_BYTES = 1_000_000
MAX_SENSORS = 64
PLACEMENTS = ("lower_back", "upper_back", "sternum", "waist")
SIDES = {"upper_back": "upper", "sternum": "upper", "lower_back": "lower", "waist": "lower"}
"""Which of two sensors one at a placement is: lumbar angles are between an upper and a lower one."""
ROLES = ("single", "upper", "lower")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True)
class Mount:
    """A calibration that can be used again: `quat` w x y z sensor -> body, `quality` 0..1, found at Unix time `wall_s`.
    `forward_sd_deg`: one standard deviation of forward, None where the list does not say."""

    quat: tuple[float, float, float, float]
    quality: float
    forward_known: bool
    wall_s: float
    forward_sd_deg: float | None = None


@dataclass(frozen=True, slots=True)
class PairedSensor:
    """`driver` is a driver's name; `identity` the sensor's own id, None where it has none. Times are Unix times.

    `role`: `upper` or `lower` of the pair that is worn together, else `single`.
    """

    name: str
    driver: str
    address: str
    identity: str | None = None
    placement: str = "lower_back"
    role: str = "single"
    mount: Mount | None = None
    last_used_wall_s: float = 0.0


def load(folder: Path) -> list[PairedSensor]:
    """All of them, in order of pairing; none where the file does not exist. Raises StorageError for a damaged file."""
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(path, error.strerror or "cannot be read") from error
    if len(content) > MAX_FILE_BYTES:
        raise _unreadable(path, f"is larger than {MAX_FILE_BYTES // 1000} kB")
    try:
        table = json.loads(content.decode("utf-8"))
        if table["format"] > FORMAT:
            raise _unreadable(path, "was written by a newer supple")
        if len(table["sensors"]) > MAX_SENSORS:
            raise ValueError(f"more than {MAX_SENSORS} sensors")
        return [_sensor(entry) for entry in table["sensors"]]
    except (ValueError, KeyError, TypeError, RecursionError, SettingsError) as error:
        raise _unreadable(path, "is damaged") from error


def remember(folder: Path, sensor: PairedSensor) -> None:
    """Add it, in place of one of the same name. Raises SettingsError for a value out of its range, StorageError."""
    check(sensor)
    others = load(folder)
    names = [other.name for other in others]
    if sensor.name in names:
        others[names.index(sensor.name)] = sensor
    else:
        others.append(sensor)
    if len(others) > MAX_SENSORS:
        raise SettingsError(
            f"{MAX_SENSORS} sensors are paired, which is the most there can be.",
            "Forget one: supple forget NAME",
            "name",
        )
    _save(folder, others)


def forget(folder: Path, name: str) -> PairedSensor:
    """Remove it with its calibration and return it. Raises SensorNotFoundError, StorageError."""
    sensor = find(folder, name)
    _save(folder, [other for other in load(folder) if other.name != sensor.name])
    return sensor


def sides(one: PairedSensor, other: PairedSensor) -> tuple[PairedSensor, PairedSensor]:
    """The two as (lower, upper). Raises SettingsError where they are one sensor or worn on the same side."""
    same_identity = one.identity is not None and one.identity == other.identity
    if one.name == other.name or one.address.lower() == other.address.lower() or same_identity:
        raise SettingsError(
            f"{one.name} and {other.name} are the same sensor.", "Name two different ones.", "device"
        )
    by_side = {SIDES[sensor.placement]: sensor for sensor in (one, other)}
    if len(by_side) < 2:
        raise SettingsError(
            f"{one.name} ({one.placement}) and {other.name} ({other.placement}) are both the "
            f"{SIDES[one.placement]} one: there is no bend of the back between them.",
            "Wear one at the lower_back or waist, the other at the upper_back or sternum, and pair it so.",
            "placement",
        )
    return by_side["lower"], by_side["upper"]


def wear_together(folder: Path, name: str, other: str) -> tuple[PairedSensor, PairedSensor]:
    """Make two paired sensors the pair, in place of any other; as (lower, upper). Raises like `sides` and `find`."""
    lower, upper = sides(find(folder, name), find(folder, other))
    roles = {lower.name: "lower", upper.name: "upper"}
    _save(folder, [replace(s, role=roles.get(s.name, "single")) for s in load(folder)])
    return replace(lower, role="lower"), replace(upper, role="upper")


def worn_together(folder: Path) -> tuple[PairedSensor, PairedSensor] | None:
    """The pair as (lower, upper), None where no two sensors were paired as one. Raises StorageError."""
    lower, upper = ([s for s in load(folder) if s.role == role] for role in ("lower", "upper"))
    return (lower[0], upper[0]) if len(lower) == 1 and len(upper) == 1 else None


def find(folder: Path, name_or_address: str) -> PairedSensor:
    """By name, else by address. Raises SensorNotFoundError, StorageError."""
    sensors = load(folder)
    for sensor in sensors:
        if sensor.name == name_or_address:
            return sensor
    for sensor in sensors:
        if sensor.address.lower() == name_or_address.lower():
            return sensor
    known = ", ".join(sensor.name for sensor in sensors) or "none yet"
    raise SensorNotFoundError(
        f"No paired sensor is called {name_or_address!r}.",
        f"Paired: {known}. Look for sensors with: supple scan",
        name_or_address,
    )


def used(
    folder: Path, name: str, wall_s: float, mount: Mount | None = None, identity: str | None = None
) -> None:
    """Note that it was used at `wall_s`, its new calibration if there is one, and who it is where that was unknown.

    Raises like `remember` and `find`.
    """
    known = find(folder, name)
    remember(
        folder,
        replace(
            known,
            last_used_wall_s=wall_s,
            mount=mount or known.mount,
            identity=known.identity or identity,
        ),
    )


def _save(folder: Path, sensors: Sequence[PairedSensor]) -> None:
    """Replace the file in one step: after a crash it is the old one or the new one."""
    private_folder(folder)
    path = folder / FILE_NAME
    content = json.dumps({"format": FORMAT, "sensors": [asdict(s) for s in sensors]}, indent=2).encode()
    draft: str | None = None
    try:
        # mkstemp makes the file readable by its owner alone.
        handle, draft = tempfile.mkstemp(prefix=f".{FILE_NAME}.", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
        draft = None
    except OSError as error:
        raise StorageError(
            f"The paired sensors cannot be saved in {folder} ({error.strerror}).",
            "Free some space there, or change the folder's rights.",
            path,
        ) from error
    finally:
        if draft is not None:
            with contextlib.suppress(OSError):
                Path(draft).unlink()


def _sensor(entry: dict[str, Any]) -> PairedSensor:
    """Raises ValueError, TypeError, KeyError or SettingsError for anything that is not what `_save` writes."""
    unknown = set(entry) - {field.name for field in fields(PairedSensor)}
    if unknown:
        raise ValueError(f"unknown {sorted(unknown)}")
    mount = entry.get("mount")
    sensor = PairedSensor(**{**entry, "mount": None if mount is None else _mount(mount)})
    check(sensor)
    return sensor


def _mount(entry: dict[str, Any]) -> Mount:
    w, x, y, z = (float(value) for value in entry["quat"])
    about = (float(entry["quality"]), bool(entry["forward_known"]), float(entry["wall_s"]))
    sd_deg = entry.get("forward_sd_deg")
    return Mount((w, x, y, z), *about, None if sd_deg is None else float(sd_deg))


def check(sensor: PairedSensor) -> None:
    """Raise SettingsError for a value that cannot be kept."""
    if not (isinstance(sensor.name, str) and _NAME.fullmatch(sensor.name)):
        raise SettingsError(
            f"A sensor cannot be called {sensor.name!r}.",
            "Use up to 40 letters, digits, dots, dashes.",
            "name",
        )
    if sensor.placement not in PLACEMENTS:
        raise SettingsError(
            f"There is no placement {sensor.placement!r}.",
            f"Give one of: {', '.join(PLACEMENTS)}.",
            "placement",
        )
    if sensor.role not in ROLES:
        raise SettingsError(f"There is no role {sensor.role!r}.", f"Give one of: {', '.join(ROLES)}.", "role")
    texts = (sensor.driver, sensor.address, sensor.identity or "-")
    if not all(isinstance(text, str) and 0 < len(text) <= 100 and text.isprintable() for text in texts):
        raise SettingsError(
            "A sensor needs a driver and an address.", "Pair it again: supple pair", "address"
        )
    if not math.isfinite(sensor.last_used_wall_s):
        raise SettingsError(
            "A time must be a finite number.", "Pair it again: supple pair", "last_used_wall_s"
        )
    if sensor.mount is not None:
        _check_mount(sensor.mount)


def _check_mount(mount: Mount) -> None:
    norm = math.sqrt(sum(value * value for value in mount.quat))
    whole = abs(norm - 1.0) < 1e-3 and 0.0 <= mount.quality <= 1.0 and math.isfinite(mount.wall_s)
    if not whole or not 0.0 <= (mount.forward_sd_deg or 0.0) < math.inf:
        raise SettingsError(
            "A calibration must be a rotation with a quality from 0 to 1.", "Calibrate again.", "mount"
        )


def _unreadable(path: Path, what: str) -> StorageError:
    return StorageError(
        f"The list of paired sensors {path}: {what}.",
        "Move that file away and pair your sensor again (supple pair). Recordings are not affected.",
        path,
    )
