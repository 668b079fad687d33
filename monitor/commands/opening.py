"""What is in force when a session starts: which sensors, how they are worn, settings, today's prompts, snooze, seed."""

from __future__ import annotations

import contextlib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.coach import rules
from monitor.coach.settings import parse_settings
from monitor.commands.options import LiveOptions
from monitor.core.errors import SensorNotFoundError, SettingsError, StorageError
from monitor.core.inputs import Mark
from monitor.core.protocols import Driver
from monitor.core.registry import discover
from monitor.motion.mount.find import Mount, mount_from_axes
from monitor.pipeline import drivers
from monitor.sources.simulated import SimulatedSource
from monitor.store.paired import SIDES, PairedSensor, find, load, sides, wear_together, worn_together
from monitor.store.places import places
from monitor.store.profiles import OUTDATED_DAYS, Profile, find_profile
from monitor.store.prompt_log import PromptLog

SIMULATED_WALL_START_S = datetime(2026, 1, 5, 9, 0, tzinfo=UTC).timestamp()
"""A simulated day starts on a Monday at 09:00, so that the same seed gives the same prompts whenever it is run."""

CALIBRATE_S = 20.0
IN_PAIN_LEVEL = 2
"""Screening level (0 to 3) from which nothing that moves is prompted: what "pain" means until it is cleared."""
SETTINGS_FILE = "settings.toml"


@dataclass(frozen=True, slots=True)
class Worn:
    """One sensor of the session. `mount` is None until it is calibrated; `paired`: `name` is in the paired list."""

    key: str
    name: str
    driver: Driver
    address: str | None = None
    identity: str | None = None
    placement: str = "lower_back"
    role: str = "single"
    mount: Mount | None = None
    paired: bool = False


def worn_sensors(options: LiveOptions, simulated: SimulatedSource | None) -> list[Worn]:
    """The sensors that `options` mean, of two the lower one first: posture is judged there.

    Raises SensorNotFoundError where none is paired or none has that name, SettingsError for two that are no pair.
    """
    known = drivers()
    if simulated is not None:
        worn = [
            Worn(
                sensor.key,
                f"simulated wearer, {_place(sensor.placement)}",
                known[options.simulated_device],
                sensor.address,
                sensor.serial,
                placement=sensor.placement,
                role=_role(sensor.placement, len(simulated.sensors)),
                mount=Mount(sensor.mount, 1.0, True, "the simulated wearer's own calibration"),
            )
            for sensor in simulated.sensors
        ]
    elif options.radio is not None and not options.devices:
        worn = [Worn("sensor", "the sensor in reach", known[options.simulated_device])]
    else:
        chosen = _chosen(options.devices)
        worn = [_from_pairing(sensor, known, len(chosen)) for sensor in chosen]
    if options.mount is None:
        return worn
    axes = mount_from_axes(options.mount)
    return [replace(sensor, mount=axes) for sensor in worn]


def who_is_meant(options: LiveOptions, worn: Sequence[Worn]) -> str:
    """A line for the user where nobody was named and more than one sensor might be meant; else empty."""
    if options.devices or not worn[0].paired:
        return ""
    if len(worn) == 2:
        lower, upper = worn
        return (
            f"Two sensors worn together: {lower.name} ({_place(lower.placement)}) and {upper.name} "
            f"({_place(upper.placement)}). One alone:  supple live --device {lower.name}"
        )
    by_side = {
        side: [s for s in load(places().config) if SIDES[s.placement] == side] for side in ("lower", "upper")
    }
    if any(len(sensors) != 1 for sensors in by_side.values()):
        return ""
    lower_name, upper_name = by_side["lower"][0].name, by_side["upper"][0].name
    return (
        f"Using {worn[0].name} alone. Both at once, from then on:  "
        f"supple live --device {lower_name} --device {upper_name}"
    )


def opening_marks(options: LiveOptions, worn: list[Worn], live: bool) -> list[Mark]:
    """The marks a session starts with, all at 0 s. Raises SettingsError for settings that are not allowed."""
    marks = [
        Mark(
            0.0,
            "sensor",
            {
                "sensor": sensor.key,
                "driver": sensor.driver.name,
                "role": sensor.role,
                "placement": sensor.placement,
                "primary": sensor is worn[0],
            },
        )
        for sensor in worn
    ]
    marks += [Mark(0.0, "device_calibration", p.mark_value(s.key)) for s in worn if (p := profile_of(s))]
    marks += [s.mount.mark(s.key, 0.0) for s in worn if s.mount is not None and not options.calibrate]
    settings = read_settings(places().config / SETTINGS_FILE)
    marks.append(Mark(0.0, "settings", settings))
    marks.append(Mark(0.0, "seed", {"seed": options.seed}))
    marks += _counted(live)
    marks += [
        Mark(0.0, "calibrate", {"sensor": sensor.key, "seconds": CALIBRATE_S})
        for sensor in worn
        if sensor.mount is None or options.calibrate
    ]
    return marks


def profile_of(sensor: Worn) -> Profile | None:
    """Its own calibration (`supple calibrate sensor`), None without one. Raises StorageError for a damaged file."""
    serial = sensor.identity or sensor.address
    return find_profile(places().config, serial) if serial else None


def calibration_words(worn: Sequence[Worn], wall_s: float) -> list[str]:
    """A line for each sensor whose own calibration is in force, and how old it is at Unix time `wall_s`."""
    lines = []
    for sensor in worn:
        if (profile := profile_of(sensor)) is not None:
            day = datetime.fromtimestamp(profile.made_wall_s, UTC).strftime("%Y-%m-%d")
            old = wall_s - profile.made_wall_s > OUTDATED_DAYS * 86_400.0
            again = " That is long ago; do it again:  supple calibrate sensor" if old else ""
            lines.append(f"{sensor.name}: its own calibration of {day} is in force.{again}")
    return lines


def read_settings(path: Path) -> dict[str, Any]:
    """The settings file's content, checked; empty where there is none. Raises SettingsError naming file and key."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"The settings in {path} cannot be read: {error}.", "Mend the line, or remove the file."
        ) from error
    unknown = sorted(set(content) - {"prompts"})
    if unknown:
        raise SettingsError(
            f"{path} has a setting {unknown[0]!r} that means nothing here.",
            "It may hold: [prompts].",
            unknown[0],
        )
    try:
        parse_settings(content, discover(rules, "RULE"))
    except SettingsError as error:
        raise SettingsError(
            f"{path}: {error.sentence}", error.next_step or "Mend the line, or remove the file.", error.datum
        ) from error
    return content


def prompt_log() -> PromptLog:
    """The prompts of live sessions on this machine."""
    return PromptLog(places().state / "prompts.jsonl")


def _counted(live: bool) -> list[Mark]:
    """Pain, today's prompts and a snooze still running: of live sessions only, a simulated day starts fresh."""
    if not live:
        return [
            Mark(0.0, "screening", {"level": None}),
            Mark(0.0, "today", {"prompts": 0, "last_prompt_wall_s": None}),
        ]
    now = datetime.now(UTC).astimezone()
    offset = now.utcoffset()
    log, wall_s = prompt_log(), now.timestamp()
    marks = [
        Mark(0.0, "screening", {"level": IN_PAIN_LEVEL if log.in_pain(wall_s) else None}),
        Mark(0.0, "today", log.today(wall_s, int(offset.total_seconds()) if offset else 0)),
    ]
    until_s = log.snoozed_until(wall_s)
    return marks if until_s is None else [*marks, Mark(0.0, "snooze", {"until_wall_s": until_s})]


def _chosen(devices: Sequence[str]) -> Sequence[PairedSensor]:
    """The paired sensors called so; without a name the pair that is worn together, else the one used last."""
    folder = places().config
    if devices:
        named = [find(folder, device) for device in devices]
        if len(named) == 1:
            return named
        # A list that cannot be written costs two names to type again, never the session.
        with contextlib.suppress(StorageError):
            wear_together(folder, *devices)
        return sides(*named)
    paired = load(folder)
    if not paired:
        raise SensorNotFoundError(
            "No sensor is paired yet.",
            "Find one with `supple scan`, remember it with `supple pair`, or try `supple live --sim desk`.",
        )
    if (pair := worn_together(folder)) is not None:
        return pair
    return [max(paired, key=lambda sensor: sensor.last_used_wall_s)]


def _from_pairing(sensor: PairedSensor, known: Mapping[str, Driver], sensors: int) -> Worn:
    worn = Worn(sensor.name, sensor.name, known[sensor.driver], sensor.address, sensor.identity)
    worn = replace(worn, placement=sensor.placement, role=_role(sensor.placement, sensors), paired=True)
    if sensor.mount is None:
        return worn
    kept = sensor.mount
    sd_deg = math.nan if kept.forward_sd_deg is None else kept.forward_sd_deg
    source = "kept from the last calibration"
    return replace(worn, mount=Mount(kept.quat, kept.quality, kept.forward_known, source, sd_deg))


def _place(placement: str) -> str:
    return placement.replace("_", " ")


def _role(placement: str, sensors: int) -> str:
    return "single" if sensors == 1 else SIDES[placement]
