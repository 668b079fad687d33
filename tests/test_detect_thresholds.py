"""Every number the detectors and the coach decide by has one row, with its source, and is the same in the code."""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from importlib.resources import files
from types import ModuleType
from typing import Any

import pytest

from monitor import coach, detect
from monitor.coach import rules, settings
from monitor.core.registry import discover

DERIVED = {
    "STEP_S",  # STEP_FRAMES in seconds
    "REACH_FRAMES",  # sums of other radii
    "REACH_BACK_FRAMES",
    "WITHIN_COSINE",  # WITHIN_DEG
    "KEEP_S",  # sums of other spans
    "AXES",
    "AFTER_FRAMES",  # differences and sums of others, in frames
    "KEEP_FRAMES",
    "MOVEMENT_MEMORY",  # a buffer's length
    "ROUNDING",
    "COLUMNS",
    "DAY_S",
    "HOUR_S",
    "NEUTRAL",
    *("UP_X", "UP_Y", "UP_Z", "RISE", "MAGNITUDE", "SQUARE", "RATE2", "INCLINATION", "FLEXION"),
    *("MEASURED", "START", "END"),
}


def table(name: str) -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(files("calibration").joinpath(name).read_text("utf-8"))


ROWS = table("thresholds.toml")["threshold"]


def constants(package: ModuleType) -> set[tuple[str, str]]:
    """Numbers in capitals that a module of `package` defines itself."""
    found = set()
    prefix = f"{package.__name__}."
    for info in (i for i in pkgutil.walk_packages(package.__path__, prefix) if not i.ispkg):
        module = importlib.import_module(info.name)
        own = {line.split(" ", 1)[0] for line in _source(module).splitlines() if " = " in line}
        for name, value in vars(module).items():
            numbers = value if isinstance(value, tuple) else (value,)
            if name.isupper() and name in own and all(isinstance(x, int | float) for x in numbers):
                found.add((module.__name__, name))
    return found


def _source(module: ModuleType) -> str:
    package, _, name = module.__name__.rpartition(".")
    return files(package).joinpath(f"{name}.py").read_text("utf-8")


def in_code(row: dict[str, Any]) -> Any:
    """The number in force for a row: a module's constant, a setting's limits or a rule's default."""
    if row["module"].startswith(rules.__name__):
        return discover(rules, "RULE")[row["module"].rsplit(".", 1)[1]].settings[row["name"]]
    if row["name"] in settings.LIMITS:
        limit = settings.LIMITS[row["name"]]
        return [limit.default, limit.lowest, limit.highest]
    value = getattr(importlib.import_module(row["module"]), row["name"])
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['module']}.{row['name']}")
def test_the_row_is_what_the_code_uses_and_says_where_it_comes_from(row: dict[str, Any]) -> None:
    assert in_code(row) == pytest.approx(row["value"], rel=1e-12)
    assert row["tag"] in ("S", "M", "I")
    assert row["source"]
    assert row["unit"]


def test_what_was_chosen_on_recordings_is_one_number_in_an_area_that_is_cross_validated() -> None:
    areas = {"posture", "seat", "movements", "orientation", "uncertainty", "heading", "mount"}
    tuned = [row for row in ROWS if "tuned" in row]
    assert {row["tuned"] for row in tuned} == areas
    assert all(isinstance(row["value"], int | float) for row in tuned)
    assert all("tuned" in row for row in ROWS if "seen on" in row["source"] and ".detect." in row["module"])


def test_every_number_in_the_code_has_exactly_one_row() -> None:
    there = [(row["module"], row["name"]) for row in ROWS]
    assert len(there) == len(set(there))
    code = {c for c in constants(detect) | constants(coach) if c[1] not in DERIVED}
    numbered_rules = {
        (rule_name, key) for rule_name, rule in discover(rules, "RULE").items() for key in rule.settings
    }
    rows_of_rules = {(m.rsplit(".", 1)[1], n) for m, n in there if m.startswith(rules.__name__)}
    assert {t for t in there if t in code} == code
    assert rows_of_rules == numbered_rules
    assert set(settings.LIMITS) <= {n for _, n in there}
    assert len(code) > 60


def test_norms_and_changes_name_method_and_source_and_are_in_order() -> None:
    norms = table("norms.toml")
    assert len(norms["norm"]) >= 10
    for row in [*norms["norm"], *norms["change"]]:
        assert 0.0 < row["low_deg"] <= row["high_deg"] <= 120.0
        assert row["method"]
        assert row["source"]
        assert row["tag"] in ("S", "M", "I")


def test_nothing_from_memory_is_shipped_as_a_threshold() -> None:
    assert [row["name"] for row in ROWS if row["tag"] == "M"] == []
