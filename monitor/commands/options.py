"""What a command was asked for, and what does not go together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from monitor.core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """As given on the command line; None where it was left out. `speed` is inf for `max`."""

    scenario: str | None = None
    devices: tuple[str, ...] = ()
    radio: str | None = None
    window: bool | None = None
    json: bool = False
    speed: float = 1.0
    duration_s: float | None = None
    seed: int = 0
    simulated_device: str = "spine1"
    two: bool = False
    mount: str | None = None
    calibrate: bool = False
    record: Path | None = None
    keep: bool = True

    @property
    def virtual_time(self) -> bool:
        return math.isinf(self.speed)

    @property
    def simulated(self) -> bool:
        """No person wears this sensor: it lives in this process or behind a virtual radio."""
        return self.scenario is not None or self.radio is not None

    @property
    def scenario_stem(self) -> str:
        """The scenario's name without folder and suffix, empty without one."""
        return Path(self.scenario).stem if self.scenario else ""

    def check(self) -> None:
        """Raise SettingsError where two options contradict each other."""
        if self.scenario is not None and (self.devices or self.radio):
            raise SettingsError(
                "--sim brings its own sensor and radio.",
                "Leave out --device and --radio, or leave out --sim.",
                "sim",
            )
        if len(self.devices) > 2:
            raise SettingsError(
                f"{len(self.devices)} sensors are too many: a session has one, or two for the angles between them.",
                "Give --device once or twice.",
                "device",
            )
        if self.two and self.scenario is None:
            raise SettingsError(
                "--two adds a second simulated sensor, and there is none without --sim.",
                "With sensors of your own:  supple live --device NAME --device NAME",
                "two",
            )
        if self.virtual_time and self.scenario is None:
            raise SettingsError(
                "--speed max needs a simulated sensor in this process: a real or outside radio has its own clock.",
                "Add --sim desk, or leave --speed at 1.",
                "speed",
            )
        if self.virtual_time and self.window:
            raise SettingsError(
                "--speed max goes without a window.", "Add --no-window, or leave --speed at 1.", "speed"
            )
        if not self.virtual_time and self.speed != 1.0:
            raise SettingsError(
                "A live session runs at --speed 1 or max.", "Any speed is fine for `supple replay`.", "speed"
            )
        if self.virtual_time and self.duration_s is None:
            raise SettingsError(
                "--speed max would go on, and record, until the disk is full: a simulated wearer never stops.",
                "Add --duration 3600 for an hour of it.",
                "duration",
            )
        if self.json and self.window:
            raise SettingsError(
                "--json writes to the terminal and goes without a window.", "Leave one out.", "json"
            )
        if self.record is not None and not self.keep:
            raise SettingsError("--record and --no-record contradict each other.", "Leave one out.", "record")
        check_make(self.simulated_device)


MAKES = ("spine1", "witmotion")


def check_make(device: str) -> None:
    """Raise SettingsError for a simulated sensor that there is not."""
    if device not in MAKES:
        raise SettingsError(
            f"There is no simulated sensor {device!r}.", f"Take {' or '.join(MAKES)}.", "sensor"
        )


def times_real_time(text: str) -> float:
    """What `--speed` was given as; infinity for `max`. Raises SettingsError."""
    if text == "max":
        return float("inf")
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e6:
        raise SettingsError(
            f"--speed cannot be {text!r}.", "Give a number above 0, such as 1 or 60, or max.", text
        )
    return value
