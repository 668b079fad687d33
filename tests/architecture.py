"""Who may import whom, read from the syntax tree. Pure functions over `{dotted module name: source text}`.

A package appears under its own name (its `__init__`). Every check returns sentences; none means the rule is kept.
Imports inside functions and under TYPE_CHECKING count like all others.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping

Sources = Mapping[str, str]

FLOORS: Mapping[str, frozenset[str]] = {
    "core": frozenset(),
    "devices": frozenset({"core"}),
    "motion": frozenset({"core"}),
    "detect": frozenset({"core"}),
    "coach": frozenset({"core"}),
    "store": frozenset({"core"}),
    "sources": frozenset({"core", "store"}),
    "sinks": frozenset({"core", "store"}),
    "window": frozenset({"core"}),
    "pipeline": frozenset({"core", "devices", "motion", "detect", "coach"}),
    "cohort": frozenset({"core", "pipeline", "store"}),
    "session": frozenset({"core", "pipeline"}),
    "doctor": frozenset({"core", "sources", "sinks", "store", "window"}),
    "version": frozenset(),
}
"""What each room or spine file of `monitor` may use beside itself. A new one declares its floor here."""

DOORS = frozenset({"cli", "arguments", "commands"})
"""These know everybody and are known to nobody else. `supple sim` too goes through `sources/simulated.py`."""

PURE = frozenset({"core", "devices", "motion", "detect", "coach", "pipeline"})
PURE_THIRD_PARTY: Mapping[str, frozenset[str]] = {
    room: frozenset({"numpy"}) if room == "core" else frozenset({"numpy", "scipy", "vqf"}) for room in PURE
}
# fmt: off
IMPURE_STDLIB = frozenset((
    "asyncio", "atexit", "concurrent", "ctypes", "datetime", "gc", "glob", "http", "io", "locale", "logging",
    "multiprocessing", "os", "pathlib", "platform", "random", "secrets", "select", "shutil", "signal", "socket",
    "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
))
# fmt: on
IMPURE_CALLS = frozenset({"open", "print", "input", "breakpoint", "exec", "eval", "__import__"})
CLOCK_CALLS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
IMPURE_MODULES = frozenset({"numpy.random", "importlib.resources", "importlib.metadata"})

ONLY_IN: Mapping[str, str] = {
    "bleak": "monitor.sources.ble",
    "PySide6": "monitor.window",
    "pyqtgraph": "monitor.window",
}
"""Third-party package -> the only folder that may import it."""

TOP_FOLDERS = frozenset({"monitor", "firmware_sim", "calibration", "tests", "benchmarks", "docs"})


def room_of(module: str) -> str:
    """`monitor.motion.orient` -> `motion`; the package `monitor` itself -> ``."""
    return module.split(".")[1] if "." in module else ""


def imports(sources: Sources, module: str) -> Iterator[tuple[int, str]]:
    """(line, dotted target) of every import in `module`; a `from` import names the deepest module that is known."""
    for node in ast.walk(ast.parse(sources[module])):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(sources, module, node)
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            for value in (a.value for a in node.args if isinstance(a, ast.Constant)):
                yield node.lineno, str(value)


def undeclared_rooms(sources: Sources) -> list[str]:
    """Every folder and file directly under `monitor` must have said what it may use."""
    rooms = {room_of(m) for m in sources if m.startswith("monitor.")}
    return [f"monitor/{room} has not declared its floor" for room in sorted(rooms - set(FLOORS) - DOORS)]


def forbidden_rooms(sources: Sources) -> list[str]:
    """Rules 1-3: a room uses only what its floor declares; `monitor/__init__` uses nothing."""
    found = []
    for module, line, target in _all(sources, "monitor"):
        room, wanted = room_of(module), room_of(target)
        if target.split(".")[0] != "monitor" or room in DOORS or wanted == room:
            continue
        if wanted not in FLOORS.get(room, frozenset()):
            found.append(f"{module}:{line} imports {target}")
    return found


def impure_imports(sources: Sources) -> list[str]:
    """Rules 1 and 4: the pure rooms import no clock, file, chance, thread or log, and of others only number crunchers."""
    found = []
    for module, line, target in _all(sources, "monitor"):
        room, top = room_of(module), target.split(".")[0]
        if room not in PURE or top in {"monitor", "__future__"}:
            continue
        is_stdlib = top in sys.stdlib_module_names
        barred = top in IMPURE_STDLIB if is_stdlib else top not in PURE_THIRD_PARTY[room]
        if barred or any(f"{target}.".startswith(f"{m}.") for m in IMPURE_MODULES):
            found.append(f"{module}:{line} imports {target}")
    return found


def impure_calls(sources: Sources) -> list[str]:
    """Rule 4: no `open`, no `print`, no `datetime.now`, no `np.random` in a pure room."""
    found = []
    for module in _named(sources, "monitor"):
        if room_of(module) not in PURE:
            continue
        for node in ast.walk(ast.parse(sources[module])):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in IMPURE_CALLS or f".{called}".endswith(tuple(f".{call}" for call in CLOCK_CALLS)):
                    found.append(f"{module}:{node.lineno} calls {called}")
            elif isinstance(node, ast.Attribute) and ast.unparse(node) in {"np.random", "numpy.random"}:
                found.append(f"{module}:{node.lineno} uses {ast.unparse(node)}")
    return found


def crossed_twins(sources: Sources) -> list[str]:
    """Rule 5: the simulator never imports the monitor; of the monitor only `sources/simulated.py` imports the simulator."""
    found = []
    for module, line, target in _all(sources, "firmware_sim"):
        if target.split(".")[0] == "monitor":
            found.append(f"{module}:{line} imports {target}")
    for module, line, target in _all(sources, "monitor"):
        if target.split(".")[0] == "firmware_sim" and module != "monitor.sources.simulated":
            found.append(f"{module}:{line} imports {target}")
    return found


def strayed_libraries(sources: Sources) -> list[str]:
    """Each library of `ONLY_IN` stays in its folder."""
    found = []
    for module, line, target in [*_all(sources, "monitor"), *_all(sources, "firmware_sim")]:
        home = ONLY_IN.get(target.split(".")[0])
        if home and not f"{module}.".startswith(f"{home}."):
            found.append(f"{module}:{line} imports {target}")
    return found


def cycles(sources: Sources) -> list[str]:
    """Import loops, each once, written `a -> b -> a`."""
    graph = {
        m: sorted({_module(sources, t) for _, t in imports(sources, m)} & set(sources) - {m}) for m in sources
    }
    found: list[str] = []
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> None:
        if module in path:
            found.append(" -> ".join([*path[path.index(module) :], module]))
            return
        if module not in done:
            for target in graph[module]:
                walk(target, [*path, module])
            done.add(module)

    for module in sorted(graph):
        walk(module, [])
    return found


def unknown_folders(folders_with_code: set[str]) -> list[str]:
    """Top folders holding Python files that the house does not know; `calibration` is known and holds none."""
    unknown = [f"top folder {name}/ is not known" for name in sorted(folders_with_code - TOP_FOLDERS)]
    return unknown + ["calibration/ holds importable code"] * ("calibration" in folders_with_code)


def _all(sources: Sources, package: str) -> Iterator[tuple[str, int, str]]:
    for module in _named(sources, package):
        for line, target in imports(sources, module):
            yield module, line, target


def _named(sources: Sources, package: str) -> list[str]:
    return sorted(m for m in sources if m == package or m.startswith(f"{package}."))


def _absolute(sources: Sources, module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    is_package = any(m.startswith(f"{module}.") for m in sources)
    parts = module.split(".")
    base = parts[: len(parts) - node.level + is_package]
    return ".".join([*base, node.module] if node.module else base)


def _module(sources: Sources, target: str) -> str:
    """The module an import target lives in: `monitor.core.events.Gap` -> `monitor.core.events`."""
    return target if target in sources or "." not in target else _module(sources, target.rsplit(".", 1)[0])


def _called(node: ast.Call) -> str:
    function = node.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
