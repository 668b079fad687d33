"""Scenarios: what the wearer does, who the wearer is, which sensor is worn where, and what the air is like. From TOML.

    title = "..."
    vary = 0.1                                   # seeded spread of every `seconds`, as a share
    [wearer] [people] [sensor] [link] [firmware] [turned] # all optional
    [[block]]
    repeat = 2
    shuffle = false                              # true: the seed draws the order, repeats and all
    activities = [ { do = "walk", seconds = 60 }, { do = "bend", reps = 3 } ]

Asked for more time than it lasts, a scenario starts again from its first activity.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from firmware_sim.activities import ACTIVITIES, Activity
from firmware_sim.people import PeoplePlan
from firmware_sim.tables import (
    ScenarioError,
    Span,
    choice,
    choices,
    flag,
    number,
    numbers,
    read_table,
    spans,
    whole,
)

__all__ = [
    "CHIP_NAMES",
    "PLACEMENTS",
    "Block",
    "FirmwarePlan",
    "LinkPlan",
    "PeoplePlan",
    "Scenario",
    "ScenarioError",
    "SensorPlan",
    "Slip",
    "TurnedPlan",
    "WearerPlan",
    "builtin_names",
    "load",
    "parse",
]

PLACEMENTS = ("lower_back", "upper_back", "sternum", "waist")
CHIP_NAMES = ("bmi270", "ideal", "poor")


@dataclass(frozen=True, slots=True)
class WearerPlan:
    """Who wears the sensor. Individual spread is drawn around these from the seed."""

    pelvis_m: float = number(0.12, 0.05, 0.3)
    """Hip centre to L5-S1 [I]."""
    thorax_m: float = number(0.34, 0.15, 0.6)
    """L5-S1 to mid thorax (about T6) [I]."""
    lumbar_share: float = number(0.47, 0.1, 0.9)
    """Share of a forward bend taken by the lumbar spine: 52 of 111 deg (facts 2: Laird 2019)."""
    sit_tilt_deg: float = number(13.0, 0, 30)
    """Posterior tilt of the pelvis in upright sitting; sit and stand differ by 11.6-16 deg at hip and waist (facts S.1)."""
    seat_drop_m: float = number(0.40, 0.1, 0.6)
    """How far the hips sink from standing to sitting [I]."""
    sway_stand_deg: float = number(0.35, 0, 3)
    """Standing sway of the trunk, root mean square [I]."""
    sway_sit_deg: float = number(0.12, 0, 3)
    """Sitting wobble, root mean square [I]."""
    breathing_deg: float = number(0.7, 0, 5)
    """Thorax pitch of a breath, amplitude [I]."""
    breathing_hz: float = number(0.25, 0.05, 1)
    """15 breaths a minute."""
    cadence_hz: float = number(1.8, 1, 3)
    """Steps per second of comfortable walking."""
    gait_phase_deg: float = number(98.0, 0, 180)
    """Phase of the forward acceleration against the vertical one at step frequency; people lie at 80-140 [I: measured on
    public lower-back recordings]."""
    gait_vertical_m_s2: float = number(2.6, 0.3, 8)
    """Amplitude of the vertical acceleration at step frequency: a rise and fall of 4 cm at 1.8 Hz [I]."""
    gait_uneven: float = number(0.0, 0, 0.3)
    """How unevenly people walk: acceleration to the side at step frequency, root mean square between people as a share of
    `gait_vertical_m_s2`, at any phase, and as much forward at stride frequency as turns that axis as far. 0.068 turns each
    by 5 deg between people, as at L5 in recordings [I]; 0 is everybody's even walk."""
    gait_scatter: float = number(0.0, 0, 0.3)
    """The same from step to step: the root mean square of what comes and goes within a second [I]."""
    gait_turned_deg: float = number(0.0, -45, 45)
    """How far to the left of where the pelvis faces someone walks."""
    skin_share: float = number(0.03, 0, 0.3)
    """Extra rotation of the sensor with the skin, as a share of the lumbar angle, lagging [I]."""


@dataclass(frozen=True, slots=True)
class Slip:
    """From `at_s` on, for `seconds`, the sensor turns by a rotation vector about its own axes: it slips on the skin, within
    half a second, or is taken off and put on again another way, which takes some seconds.
    """

    at_s: float = number(0.0, 0, 1e7)
    turn_deg: tuple[float, float, float] = numbers((10.0, 0.0, 0.0), 3, -180, 180)
    seconds: float = number(0.5, 0.1, 3600)


@dataclass(frozen=True, slots=True)
class SensorPlan:
    """Which chip, where, and how it is stuck on. Without `mount_euler_deg` the mount is a random rotation from the seed."""

    placements: tuple[str, ...] = choices(("lower_back",), *PLACEMENTS)
    mount_euler_deg: tuple[float, float, float] | None = numbers(None, 3, -360, 360)
    """Roll, pitch, yaw: sensor -> body is turning about x, then y, then z."""
    chip: str = choice("bmi270", *CHIP_NAMES)
    slips: tuple[Slip, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What the air does. Defaults are a quiet room [I]."""

    interval_s: float = number(0.03, 0.0075, 4)
    """Connection interval."""
    adv_loss: float = number(0.0, 0, 1)
    """Probability that an advertisement is not heard."""
    rssi_dbm: float = number(-60.0, -110, 0)
    rssi_sd_db: float = number(3.0, 0, 20)
    out_of_range: tuple[Span, ...] = spans()
    """Windows (start_s, end_s) without any contact."""
    loss: float = number(0.0, 0, 1)
    """Probability that a notification is lost by the host's queue."""
    latency_spikes: tuple[Span, ...] = spans()
    """(start_s, length_s): nothing gets through for that long, then all of it does."""


@dataclass(frozen=True, slots=True)
class FirmwarePlan:
    """What the sensor's firmware is set to."""

    rate_hz: float = number(100.0, 10, 200)
    clock_ppm: float = number(20.0, -500, 500)
    """Error of its crystal: + runs fast. 20 ppm is a usual 32 kHz crystal."""
    battery_percent: float = number(90.0, 0, 100)
    uid: int = whole(0x5350_4E31_0000_0001, 0, 2**63 - 1)
    ring_samples: int = whole(360_000, 256, 10_000_000)
    """Memory: an hour at 100 Hz."""


@dataclass(frozen=True, slots=True)
class TurnedPlan:
    """Where `poses` is not 0 nobody wears the sensor: it is turned by hand and laid down, pose after pose."""

    poses: int = whole(0, 0, 26)
    """The six sides first, then tilted ones."""
    hold_s: float = number(5.0, 0.5, 3600)
    turn_s: float = number(2.5, 0.3, 60)
    tilt_deg: float = number(2.0, 0, 20)
    """How far from exact each pose is laid [I]."""


@dataclass(frozen=True, slots=True)
class Block:
    """Activities in order, `repeat` times over, their seconds spread by `vary` (a share) afresh each time.

    `shuffle`: in an order that the seed draws.
    """

    activities: tuple[tuple[str, Activity], ...]
    repeat: int
    vary: float
    shuffle: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario, checked."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    wearer: WearerPlan = field(default_factory=WearerPlan)
    people: PeoplePlan = field(default_factory=PeoplePlan)
    sensor: SensorPlan = field(default_factory=SensorPlan)
    link: LinkPlan = field(default_factory=LinkPlan)
    firmware: FirmwarePlan = field(default_factory=FirmwarePlan)
    turned: TurnedPlan = field(default_factory=TurnedPlan)


_KEYS = ("title", "vary", "wearer", "people", "sensor", "link", "firmware", "turned", "block")
_BLOCK_KEYS = ("repeat", "vary", "shuffle", "activities")


@dataclass(frozen=True, slots=True)
class _Head:
    vary: float = number(0.0, 0, 0.9)
    repeat: int = whole(1, 1, 10_000)
    shuffle: bool = flag(False)


def builtin_names() -> list[str]:
    """The scenarios that come with the program, sorted."""
    folder = resources.files("firmware_sim") / "scenarios"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def load(source: str | Path) -> Scenario:
    """A scenario that comes with the program, by name, or one of the user's, by path. Raises ScenarioError."""
    names = builtin_names()
    if str(source) in names:
        return parse(
            (resources.files("firmware_sim") / "scenarios" / f"{source}.toml").read_bytes(), str(source)
        )
    path = Path(source)
    if path.suffix != ".toml":
        raise ScenarioError(
            f"There is no scenario {str(source)!r}; there are {', '.join(names)}, or a path to a .toml file."
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"The scenario {path} cannot be read: {error.strerror}.") from error
    return parse(content, path.stem)


def parse(content: bytes, name: str) -> Scenario:
    """A scenario from the bytes of its TOML file. Raises ScenarioError."""
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"The scenario {name!r} is not valid TOML: {error}.") from error
    _only(table, _KEYS, f"the scenario {name!r}")
    title = table.get("title", name)
    if not isinstance(title, str):
        raise ScenarioError(f"The title of the scenario {name!r} must be a text.")
    vary = read_table(_Head, {k: table[k] for k in ("vary",) if k in table}, f"the scenario {name!r}").vary
    blocks = table.get("block")
    if not isinstance(blocks, list) or not blocks:
        raise ScenarioError(f"The scenario {name!r} needs at least one [[block]] with activities.")
    return Scenario(
        name=name,
        title=title,
        blocks=tuple(_block(block, f"[[block]] {i + 1}", vary) for i, block in enumerate(blocks)),
        wearer=read_table(WearerPlan, table.get("wearer", {}), "[wearer]"),
        people=read_table(PeoplePlan, table.get("people", {}), "[people]"),
        sensor=_sensor(table.get("sensor", {})),
        link=_link(table.get("link", {})),
        firmware=read_table(FirmwarePlan, table.get("firmware", {}), "[firmware]"),
        turned=read_table(TurnedPlan, table.get("turned", {}), "[turned]"),
    )


def _block(table: Any, place: str, vary: float) -> Block:
    _only(table, _BLOCK_KEYS, place)
    head = read_table(_Head, {"vary": vary} | {k: v for k, v in table.items() if k != "activities"}, place)
    listed = table.get("activities")
    if not isinstance(listed, list) or not listed:
        raise ScenarioError(f"{place} needs a list of activities.")
    return Block(
        tuple(_activity(entry, f"{place}, activity {i + 1}") for i, entry in enumerate(listed)),
        head.repeat,
        head.vary,
        head.shuffle,
    )


def _activity(entry: Any, place: str) -> tuple[str, Activity]:
    if not isinstance(entry, dict) or not isinstance(entry.get("do"), str):
        raise ScenarioError(f"{place} must be a table with `do`, one of {', '.join(ACTIVITIES)}.")
    name = entry["do"]
    if name not in ACTIVITIES:
        raise ScenarioError(f"{place}: there is no activity {name!r}; allowed are {', '.join(ACTIVITIES)}.")
    rest = {key: value for key, value in entry.items() if key != "do"}
    return name, read_table(ACTIVITIES[name], rest, f"{place} ({name})")


def _sensor(table: Any) -> SensorPlan:
    if not isinstance(table, dict):
        raise ScenarioError("[sensor] must be a table.")
    listed = table.get("slips", [])
    if not isinstance(listed, list):
        raise ScenarioError("[sensor]: slips must be a list of tables with at_s and turn_deg.")
    slips = tuple(read_table(Slip, slip, f"[sensor] slip {i + 1}") for i, slip in enumerate(listed))
    plain = read_table(SensorPlan, {k: v for k, v in table.items() if k != "slips"}, "[sensor]")
    return SensorPlan(plain.placements, plain.mount_euler_deg, plain.chip, slips)


def _link(table: Any) -> LinkPlan:
    plan = read_table(LinkPlan, table, "[link]")
    if any(end <= start for start, end in plan.out_of_range):
        raise ScenarioError("[link]: each window of out_of_range must end after it starts.")
    return plan


def _only(table: Any, keys: tuple[str, ...], place: str) -> None:
    if not isinstance(table, dict):
        raise ScenarioError(f"{place} must be a table.")
    for key in table:
        if key not in keys:
            raise ScenarioError(f"{place} has no key {key!r}; allowed are {', '.join(keys)}.")
