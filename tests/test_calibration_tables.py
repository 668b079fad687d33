"""The tables in calibration/: the same numbers as in the code, each with its source and tag, nothing from memory as a fact."""

from __future__ import annotations

import importlib
import tomllib
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from monitor.core.blocks import ImuBlock
from monitor.core.inputs import Mark
from monitor.motion.chip import ellipsoid, gravity_check, rest_poses
from monitor.motion.chip.calibrate import DeviceCalibration
from monitor.motion.chip.ellipsoid import GRAVITY_M_S2
from monitor.store.profiles import read_profile
from tests.door import Ask, asking

TAGS = ("S", "M", "I")
MECHANICS = {
    "GRAVITY_M_S2",  # by definition
    "FRAME_S",  # the grain of the search, and how often it is looked
    "REST_EVERY_S",
    "SETTLED_S",
    "LOOK_S",
    "FRAME_LOOKS",
    "SIDES",
    "POSE_UNKNOWNS",
}


def table(name: str) -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(files("calibration").joinpath(name).read_text("utf-8"))


SENSOR = table("sensor.toml")["threshold"]
NORMS = table("norms.toml")


@pytest.mark.parametrize("row", SENSOR, ids=lambda row: f"{row['module']}.{row['name']}")
def test_the_row_is_what_the_code_uses_and_says_where_it_comes_from(row: dict[str, Any]) -> None:
    assert getattr(importlib.import_module(row["module"]), row["name"]) == pytest.approx(
        row["value"], rel=1e-12
    )
    assert row["tag"] in TAGS and row["tag"] != "M"
    assert row["source"] and row["unit"]


def test_every_number_of_the_sensors_calibration_has_one_row() -> None:
    rows = [(row["module"], row["name"]) for row in SENSOR]
    assert len(rows) == len(set(rows))
    for module in (ellipsoid, rest_poses, gravity_check):
        own = {
            line.split(" ", 1)[0]
            for line in files("monitor.motion.chip")
            .joinpath(f"{module.__name__.rsplit('.')[-1]}.py")
            .read_text("utf-8")
            .splitlines()
            if " = " in line
        }
        numbers = {
            name
            for name, value in vars(module).items()
            if name in own and name.isupper() and not name.startswith("_") and isinstance(value, int | float)
        }
        assert numbers - MECHANICS == {name for where, name in rows if where == module.__name__}


def test_every_norm_has_method_source_and_tag_and_nothing_from_memory_is_among_them() -> None:
    rows = [row for kind in ("norm", "change", "error", "share") for row in NORMS[kind]]
    assert set(NORMS) == {"norm", "change", "error", "share"}
    assert len(rows) >= 20
    for row in rows:
        assert row["method"] and row["source"], row
        assert row["tag"] in ("S", "I"), f"what is only remembered is never shown as cited: {row}"
        unit = "percent" if "low_percent" in row else "deg"
        assert row[f"low_{unit}"] <= row[f"high_{unit}"] <= 120.0


def test_the_example_profile_follows_from_its_raw_capture(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask: Ask = asking(tmp_path, monkeypatch, capsys)
    example = files("calibration") / "devices" / "simulated-poor-0.json"
    shipped = read_profile(example)  # type: ignore[arg-type]
    raw = files("calibration") / "devices" / shipped.capture
    assert ask("calibrate", "sensor", "--from", raw, "--out", tmp_path / "again.json").code == 0
    again = read_profile(tmp_path / "again.json")
    assert np.array(again.acc_matrix) == pytest.approx(np.array(shipped.acc_matrix), abs=2e-4)
    assert again.acc_bias_m_s2 == pytest.approx(shipped.acc_bias_m_s2, abs=2e-3)
    assert shipped.serial.startswith("simulated-")


def test_the_example_profile_brings_its_capture_to_gravity() -> None:
    folder = files("calibration") / "devices"
    shipped = read_profile(folder / "simulated-poor-0.json")  # type: ignore[arg-type]
    rows = np.loadtxt(str(folder / shipped.capture), delimiter=",", skiprows=1)
    acc = np.array(
        [rows[(rows[:, 0] >= p.start_s) & (rows[:, 0] <= p.end_s), 1:4].mean(axis=0) for p in shipped.poses]
    )
    stage = DeviceCalibration()
    stage.push([Mark(0.0, "device_calibration", shipped.mark_value("A"))])
    (block,) = stage.push(
        [ImuBlock("A", np.arange(float(len(acc))), acc, None, np.ones(len(acc), dtype=bool), 1.0)]
    )
    assert isinstance(block, ImuBlock)
    before = np.abs(np.linalg.norm(acc, axis=1) / GRAVITY_M_S2 - 1.0)
    after = np.abs(np.linalg.norm(block.acc, axis=1) / GRAVITY_M_S2 - 1.0)
    assert before.max() > 0.05 > 0.005 > after.max()
