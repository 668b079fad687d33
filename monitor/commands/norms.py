"""`supple norms`: published ranges of motion with their sources, and beside them what one recording shows.

A norm is no goal: group means of others, by one method each. So nothing is graded, no percentile is given, and no more is asked.
"""

from __future__ import annotations

import json as json_module
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from monitor.core.errors import InputFileError
from monitor.core.events import Direction, Posture

REGIONS = {"lower_back": "pelvis", "waist": "pelvis", "upper_back": "trunk", "sternum": "trunk"}
"""What the inclination of one sensor is nearest to, by its place. Lumbar ranges take two sensors."""
FOREWORD = (
    "Published ranges of motion: group means by one method each. For the same movement methods differ by a factor of three, "
    "so they are no goal and no verdict. Your own earlier recordings are what to compare with."
)
ALONE = (
    "One sensor shows how far it tilts with the trunk at its place, not how far the lumbar spine bends: "
    "of 111 deg of bending 52 are lumbar and 59 pelvis (Laird et al. 2019). Rotation is left out: turning on the feet looks "
    "the same to it."
)
BENT = (
    Direction.FLEXION,
    Direction.EXTENSION,
    Direction.LATERAL_RIGHT,
    Direction.LATERAL_LEFT,
)

BESIDE_S = 1.0
"""Within this of a change of posture a movement is part of it: about as well as its middle is known."""


@dataclass(frozen=True, slots=True)
class Norm:
    """A row of calibration/norms.toml: the range of a `movement` (`flexion`, ...) of a `region` (`lumbar`, `pelvis`, `trunk`).

    `low_deg` to `high_deg` deg, never negative, equal where one mean is published; `ends` says of whom the two are. `tag`: S
    as cited, I inferred.
    """

    movement: str
    region: str
    method: str
    ends: str
    low_deg: float
    high_deg: float
    source: str
    tag: str

    @property
    def words(self) -> str:
        size = (
            f"{self.low_deg:g} to {self.high_deg:g}" if self.low_deg < self.high_deg else f"{self.low_deg:g}"
        )
        return f"{self.region} {self.movement} {size} deg ({self.ends}; {self.method}; {self.source})"


@dataclass(frozen=True, slots=True)
class Seen:
    """Movements of one recording in a direction while standing, and back.

    `count` of them, the largest from neutral `largest_deg` deg, half its 90 % interval `error_deg` deg.
    """

    direction: str
    count: int
    largest_deg: float
    error_deg: float
    published: tuple[Norm, ...]


def run_norms(results: Path | None, json: bool) -> int:
    """Show the table, or a recording's movements beside the part of it that is about the same. Raises InputFileError."""
    norms, changes = read_norms()
    if results is None:
        lines: list[str] = [FOREWORD, *(norm.words for norm in norms), _unchanged(changes)]
        rows: list[dict[str, Any]] = [asdict(norm) for norm in norms]
    else:
        place, seen = seen_in(results, norms)
        lines = [FOREWORD, *_told(place, seen), ALONE, _unchanged(changes)]
        rows = [{"placement": place, **asdict(each)} for each in seen]
    for line in (json_module.dumps(row) for row in rows) if json else lines:
        sys.stdout.write(line + "\n")
    return 0


def read_norms() -> tuple[list[Norm], list[Mapping[str, Any]]]:
    """The ranges, and the changes that can be told from none, row by row as in the file."""
    table = tomllib.loads(files("calibration").joinpath("norms.toml").read_text("utf-8"))
    return [Norm(**row) for row in table["norm"]], table["change"]


def seen_in(results: Path, norms: list[Norm]) -> tuple[str, list[Seen]]:
    """The sensor's place, and each direction in which the trunk was bent while standing. Raises InputFileError.

    `results` is the `<stem>.json` of `supple analyze`; the events beside it are read too.
    """
    try:
        summary = json_module.loads(results.read_text(encoding="utf-8"))
        (place,) = (sensor["placement"] for sensor in summary["sensors"] if sensor["primary"])
        lines = results.with_suffix(".events.jsonl").read_text(encoding="utf-8").splitlines()
        events = [json_module.loads(line) for line in lines]
        changes_s = [event["t_s"] for event in events if event["kind"] == "transition"]
        moved: dict[str, list[tuple[float, float]]] = {}
        for event in events:
            if event["kind"] == "movement" and _in_place(event, changes_s):
                moved.setdefault(event["direction"], []).append(
                    (event["peak_deg"], event["return_error_deg"])
                )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputFileError(
            f"{results} does not hold the results of a recording.",
            "Give the .json of one that was analysed, with its .events.jsonl beside it:  supple analyze FILE --out DIR",
            results,
        ) from error
    return place, [
        _seen(direction, moved[direction], place, norms) for direction in BENT if direction in moved
    ]


def _in_place(movement: Mapping[str, Any], changes_s: list[float]) -> bool:
    """Of somebody who stood and came back to it: who sits down, rises or gets to the floor leans forward too."""
    from_s, until_s = movement["start_s"] - BESIDE_S, movement["end_s"] + BESIDE_S
    stood = movement["returned"] and movement["state"] == Posture.STANDING
    return stood and not any(from_s <= t_s <= until_s for t_s in changes_s)


def _seen(direction: str, peaks: list[tuple[float, float]], place: str, norms: list[Norm]) -> Seen:
    """Of `peaks` (peak_deg, return_error_deg), at least one."""
    movement = direction.split("_")[0]
    about_it = tuple(n for n in norms if n.movement == movement and n.region == REGIONS.get(place))
    largest_deg, error_deg = max(peaks)
    return Seen(direction, len(peaks), largest_deg, error_deg, about_it)


def _told(place: str, seen: list[Seen]) -> Iterator[str]:
    where = place.replace("_", " ")
    if not seen:
        yield f"At the {where}: no movement while standing, as the published ones are."
    for each in seen:
        times = "once" if each.count == 1 else f"{each.count} times"
        beside = (
            "; ".join(norm.words for norm in each.published) or "no published range at hand for this place"
        )
        yield (
            f"At the {where}: {each.direction.replace('_', ' ')} {times}, at most {each.largest_deg:.0f} deg "
            f"(give or take {each.error_deg:.0f}). Beside it: {beside}."
        )


def _unchanged(changes: list[Mapping[str, Any]]) -> str:
    row = changes[0]
    return (
        f"From one day to another less than {row['low_deg']:g} to {row['high_deg']:g} deg is no change that can be told "
        f"({row['method']}; {row['source']})."
    )
