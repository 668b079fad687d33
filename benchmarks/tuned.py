"""The thresholds that were chosen while looking at recordings, and how to try others in their place."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType

WIDE = (0.7, 0.85, 1.0, 1.2, 1.4)
NARROW = (0.8, 0.9, 1.0, 1.1, 1.2)
"""Of a threshold that all of the recordings lie far from, or that other numbers hang on."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A constant of a module below `monitor`, and the values tried: its own times each of `factors`."""

    module: str
    name: str
    factors: tuple[float, ...] = WIDE

    @property
    def short(self) -> str:
        return f"{self.module.rsplit('.', 1)[-1]}.{self.name}"

    @property
    def shipped(self) -> float:
        """As the program has it."""
        value: float = getattr(importlib.import_module(f"monitor.{self.module}"), self.name)
        return value

    def candidates(self) -> tuple[float, ...]:
        """Ascending factors; counts stay counts."""
        own = self.shipped
        tried = [own * factor for factor in self.factors]
        return tuple(dict.fromkeys(round(x) for x in tried)) if isinstance(own, int) else tuple(tried)


def _of(module: str, *names: str, factors: tuple[float, ...] = WIDE) -> tuple[Threshold, ...]:
    return tuple(Threshold(module, name, factors) for name in names)


POSTURE = (
    *_of("detect.posture.gait", "WALK_SD_M_S2", "WALK_PERIODICITY"),
    *_of("detect.posture.gait", "LYING_DEG", factors=NARROW),
    *_of(
        "detect.posture.belief", "TILT_MIDDLE_DEG", "TILT_SPREAD_DEG", "TILT_MAX_LOG_ODDS", "OWN_MAX_LOG_ODDS"
    ),
    *_of("detect.posture.belief", "TELLING_SEPARATION_DEG", "UNWALKED_WEIGHT", "CLAIM_ODDS"),
    *_of("detect.posture.twist", "MIDDLE", "SPREAD", "MAX_SITTING", "MAX_STANDING"),
    *_of("detect.posture.calm", "MIDDLE", "SLOPE", "MAX_RESTLESS"),
    *_of("detect.posture.transitions", "REST_RATE_DEG_S", "REST_SD_M_S2", "SEAT_DROP_MIN_M", "LEAN_BACK_DEG"),
    *_of("detect.posture.transitions", "SEAT_STOP_M_S", "ROLL_BACK_DEG", "SIGNS_SIT", "SIGNS_RISE"),
    *_of("detect.posture.transitions", "SIGNS_SPREAD", "LOBE_SPEED_M_S", "LOBE_RISE_M", "VIGOROUS_RISE_M"),
    *_of("detect.posture.logic", "QUIET_RATE_DEG_S", "THORACIC_WEIGHT"),
    *_of("detect.posture.logic", "WITHOUT_GYROSCOPE", factors=NARROW),
)
SEAT = _of("detect.posture.transitions", "SEAT_OFF_S", "SEAT_ON_S", factors=(0.4, 0.7, 1.0, 1.3, 1.6))
MOVEMENTS = (
    *_of("detect.movements.strokes", "ACTIVE_RATE_DEG_S", "HOLD_FRAMES", "LINGER_FRAMES", "LEAVE_DEG"),
    *_of("detect.movements.strokes", "RETURN_SHARE", "AGAIN_SHARE", "AGAIN_DEG"),
    *_of("detect.movements.excursions", "LEAST_PEAK_DEG", "LEAST_RANGE_DEG", "TOGETHER_SHARE"),
    *_of("detect.movements.logic", "WALKED_SHARE", "NO_GAIT_DEG"),
    *_of("detect.movements.turns", "TURNING_DEG_S", "LEAST_TURN_DEG"),
)
ORIENTATION = (*_of("motion.orient", "ACC_AVERAGE_S", "BIAS_WANDERS_IN_S", "BIAS_AT_START_DEG_S"),)

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

    Raises LookupError where it is gone, or where something was computed from it when a module was loaded.
    """
    home = importlib.import_module(f"monitor.{threshold.module}")
    if not hasattr(home, threshold.name):
        raise LookupError(
            f"{threshold.module} has no {threshold.name} any more: benchmarks/tuned.py lists it"
        )
    own = getattr(home, threshold.name)
    found = [home]
    for key, module in list(sys.modules.items()):
        is_ours = key.startswith("monitor.") and module is not home
        if is_ours and vars(module).get(threshold.name) is own and _imports(module, home, threshold.name):
            found.append(module)
    if any(_computed_from(module, threshold.name) for module in found):
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
