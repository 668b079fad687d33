"""The plan of the house, enforced: each rule is kept by the code and goes red when it is broken on purpose."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from architecture import (
    crossed_twins,
    cycles,
    forbidden_rooms,
    impure_calls,
    impure_imports,
    strayed_libraries,
    undeclared_rooms,
    unknown_folders,
)

from monitor.cli import app, calibrations
from monitor.core.registry import discover

ROOT = Path(__file__).parent.parent


def _sources() -> dict[str, str]:
    found = {}
    for package in ("monitor", "firmware_sim"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(
                encoding="utf-8"
            )
    return found


SOURCES = _sources()
RULES = (
    undeclared_rooms,
    forbidden_rooms,
    impure_imports,
    impure_calls,
    crossed_twins,
    strayed_libraries,
    cycles,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule):
    assert rule(SOURCES) == []


def test_every_top_folder_with_code_is_known_and_calibration_has_none():
    folders = {
        path.relative_to(ROOT).parts[0]
        for folder in ROOT.iterdir()
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in {"build", "dist"}
        for path in folder.rglob("*.py")
    }
    assert {"monitor", "firmware_sim", "tests"} <= folders
    assert unknown_folders(folders) == []


BROKEN = [
    (undeclared_rooms, "monitor.attic.chest", ""),
    (undeclared_rooms, "monitor.attic", ""),
    (forbidden_rooms, "monitor.core.blocks", "import monitor.motion.orient"),
    (forbidden_rooms, "monitor.motion.orient", "from monitor.devices.spine1 import DRIVER"),
    (forbidden_rooms, "monitor.motion.orient", "from ..devices import spine1"),
    (forbidden_rooms, "monitor.motion.orient", "def f():\n    from monitor import store"),
    (
        forbidden_rooms,
        "monitor.detect.slouch",
        "from importlib import import_module\nimport_module('monitor.coach')",
    ),
    (forbidden_rooms, "monitor.window.app", "from monitor.devices import spine1"),
    (forbidden_rooms, "monitor.window.app", "from monitor.store.reader import SessionReader"),
    (forbidden_rooms, "monitor.sinks.table", "from monitor.pipeline import Pipeline"),
    (forbidden_rooms, "monitor.cohort.pool", "from monitor.session import run"),
    (forbidden_rooms, "monitor.pipeline", "from monitor.sinks.table import Table"),
    (forbidden_rooms, "monitor.session", "from monitor.cli import main"),
    (forbidden_rooms, "monitor.sources.replay", "from monitor.commands import live"),
    (forbidden_rooms, "monitor", "from monitor.core import blocks"),
    (impure_imports, "monitor.core.blocks", "import scipy.signal"),
    (impure_imports, "monitor.core.blocks", "from pathlib import Path"),
    (impure_imports, "monitor.motion.orient", "import time"),
    (impure_imports, "monitor.detect.slouch", "from datetime import datetime"),
    (impure_imports, "monitor.coach.caps", "from numpy.random import default_rng"),
    (impure_imports, "monitor.coach.texts", "from importlib.resources import files"),
    (impure_imports, "monitor.devices.spine1", "import bleak"),
    (impure_imports, "monitor.pipeline", "def f():\n    import logging"),
    (impure_calls, "monitor.motion.orient", "print('here')"),
    (impure_calls, "monitor.coach.texts", "text = open('texts.toml').read()"),
    (impure_calls, "monitor.coach.caps", "today = clock.datetime.now()"),
    (impure_calls, "monitor.pipeline", "seed = np.random.default_rng()"),
    (crossed_twins, "firmware_sim.firmware", "from monitor.core.inputs import Packet"),
    (crossed_twins, "monitor.cli", "from firmware_sim.body import Wearer"),
    (crossed_twins, "monitor.sources.replay", "import firmware_sim"),
    (strayed_libraries, "monitor.sources.replay", "from bleak import BleakClient"),
    (strayed_libraries, "firmware_sim.gatt", "import bleak"),
    (strayed_libraries, "monitor.cli", "def live():\n    from PySide6.QtWidgets import QApplication"),
    (strayed_libraries, "monitor.sinks.plot", "import pyqtgraph"),
]


@pytest.mark.parametrize(("rule", "module", "text"), BROKEN)
def test_a_planted_breach_turns_its_rule_red(rule, module, text):
    packages = {"monitor": "", "monitor.core": "", "monitor.motion": ""}
    assert rule({**packages, module: ""} if rule is not undeclared_rooms else packages) == []
    assert len(rule({**packages, module: text})) == 1


ALLOWED = [
    (
        "monitor.sources.simulated",
        "import firmware_sim.body\nfrom monitor.store.reader import SessionReader\nimport time",
    ),
    ("monitor.sources.ble.client", "from bleak import BleakClient"),
    (
        "monitor.window.app",
        "import pyqtgraph\nfrom PySide6 import QtCore\nfrom monitor.core.snapshot import Snapshot",
    ),
    (
        "monitor.cohort.pool",
        "from monitor.pipeline import Pipeline\nfrom monitor.store import reader\nprint(1)",
    ),
    ("monitor.cli", "from monitor.sources import simulated\nfrom monitor.window import app"),
    (
        "monitor.motion.orient",
        "import vqf\nimport math\nfrom scipy import signal\nfrom monitor.core.blocks import ImuBlock",
    ),
    ("firmware_sim.imu", "import time\nfrom firmware_sim.body import Wearer"),
]


@pytest.mark.parametrize(("module", "text"), ALLOWED)
def test_what_the_plan_allows_stays_green(module, text):
    assert [breach for rule in RULES for breach in rule({module: text})] == []


def test_an_import_loop_is_found_also_through_a_function_and_a_package():
    plain = {
        "monitor.core.a": "from monitor.core import b",
        "monitor.core.b": "def f():\n    import monitor.core.a",
    }
    assert cycles(plain) == ["monitor.core.a -> monitor.core.b -> monitor.core.a"]
    through = {"monitor.core": "from monitor.core.a import x", "monitor.core.a": "from . import y"}
    assert len(cycles({**through, "monitor.core.z": ""})) == 1
    assert cycles({"monitor.core.a": "import monitor.core.b", "monitor.core.b": "import numpy"}) == []


def test_a_new_top_folder_and_code_in_calibration_are_noticed():
    assert unknown_folders({"monitor", "garage"}) == ["top folder garage/ is not known"]
    assert unknown_folders({"calibration"}) == ["calibration/ holds importable code"]


def test_two_plug_ins_of_one_name_are_refused(tmp_path, monkeypatch):
    for file in ("one", "two"):
        (tmp_path / f"{file}.py").write_text("class PLUG:\n    name = 'same'\n")
    package = ModuleType("planted")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(__import__("sys").modules, "planted", package)
    with pytest.raises(ValueError, match="named 'same'"):
        discover(package, "PLUG")


def test_the_door_lists_the_commands_and_each_says_elsewhere_what_it_takes() -> None:
    commands = [*app.registered_commands, *calibrations.registered_commands]
    assert len(commands) >= 11
    for command in commands:
        assert command.callback is not None
        assert command.callback.__module__.startswith("monitor.arguments."), command.callback
        assert "Example:  supple " in (command.epilog or "")
