"""The thresholds that were chosen while looking at recordings, and how to try others in their place."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import ModuleType

FACTORS = {
    "posture": (0.75, 1.0, 1.33),
    "seat": (0.6, 0.8, 1.0, 1.25, 1.6),
    "movements": (0.6, 0.8, 1.0, 1.25, 1.6),
    "orientation": (0.6, 0.8, 1.0, 1.25, 1.6),
    "uncertainty": (0.6, 0.8, 1.0, 1.25, 1.6),
    "heading": (0.6, 0.8, 1.0, 1.25, 1.6),
    "mount": (0.6, 0.8, 1.0, 1.25, 1.6),
}
"""Per area, by the time it takes."""
CLOSE = (0.85, 1.0, 1.15)
CLOSE_ONES = ("LYING_DEG", "WITHOUT_GYROSCOPE")
"""Between standing and lying, and a share that stays below 1."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A constant of a module, and the values tried: its own times each of `factors`."""

    module: str
    name: str
    factors: tuple[float, ...]

    @property
    def short(self) -> str:
        return f"{self.module.rsplit('.', 1)[-1]}.{self.name}"

    @property
    def shipped(self) -> float:
        """As the program has it."""
        value: float = getattr(importlib.import_module(self.module), self.name)
        return value

    def candidates(self) -> tuple[float, ...]:
        """By ascending factor; counts stay counts."""
        own = self.shipped
        tried = [own * factor for factor in self.factors]
        return tuple(dict.fromkeys(round(x) for x in tried)) if isinstance(own, int) else tuple(tried)


def tuned(area: str) -> tuple[Threshold, ...]:
    """Those that calibration/thresholds.toml marks as tuned in `area`."""
    table = tomllib.loads(files("calibration").joinpath("thresholds.toml").read_text("utf-8"))
    return tuple(
        Threshold(row["module"], row["name"], CLOSE if row["name"] in CLOSE_ONES else FACTORS[area])
        for row in table["threshold"]
        if row.get("tuned") == area
    )


Settings = Mapping[Threshold, float]


@contextmanager
def in_force(settings: Settings) -> Iterator[None]:
    """These values instead of the program's own, wherever the name was imported to. Meant for a process of its own."""
    with ExitStack() as back:
        for threshold, value in settings.items():
            for module in holders(threshold):
                back.callback(setattr, module, threshold.name, getattr(module, threshold.name))
                setattr(module, threshold.name, value)
        yield


@cache
def holders(threshold: Threshold) -> tuple[ModuleType, ...]:
    """The module that defines it and those that imported it by name.

    Raises LookupError where its own module computed something from it when it was loaded.
    """
    home = importlib.import_module(threshold.module)
    own = getattr(home, threshold.name)
    found = [home]
    for key, module in list(sys.modules.items()):
        is_ours = key.startswith("monitor.") and module is not home
        if is_ours and vars(module).get(threshold.name) is own and _imports(module, home, threshold.name):
            found.append(module)
    if _computed_from(home, threshold.name):
        raise LookupError(
            f"{threshold.short} is used while a module is loaded: another value would change nothing there"
        )
    return tuple(found)


def _imports(module: ModuleType, home: ModuleType, name: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == home.__name__
        and name in {a.name for a in node.names}
        for node in ast.parse(inspect.getsource(module)).body
    )


def _computed_from(module: ModuleType, name: str) -> bool:
    """Whether code outside functions reads `name`."""
    waiting: list[ast.AST] = [ast.parse(inspect.getsource(module))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            waiting += [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        else:
            waiting += ast.iter_child_nodes(node)
    return False
