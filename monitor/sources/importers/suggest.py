"""What was understood of a table, and a map for one that was not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monitor.core.counted import counted
from monitor.core.errors import InputFileError
from monitor.core.inputs import Mark, Rows
from monitor.sources.importers.csv_parquet import read_inputs
from monitor.sources.importers.mapping import (
    SKIP_ROWS_MAX,
    STANDARD_GRAVITY_M_S2,
    ColumnMap,
    canonical_map,
    check_present,
)
from monitor.sources.importers.table_files import TextLook, is_parquet, look, parquet_names
from monitor.store.schema import SUFFIX
from monitor.store.session_file import SessionReader

_UNITS = (
    # From the most telling spelling to the least.
    ("deg_s", r"deg/s|°/s|dps|deg_s|deg s"),
    ("rad_s", r"rad/s|rad_s|rad s"),
    ("m_s2", r"m/s\^?2|m/s²|m_s2|ms-2|m/s/s"),
    ("mg", r"\(mg\)|\[mg\]|_mg$"),
    ("g", r"\(g\)|\[g\]|_g$"),
    ("us", r"\(us\)|\(µs\)|\[us\]|_us$|micro"),
    ("ns", r"\(ns\)|\[ns\]|_ns$|nano"),
    ("ms", r"\(ms\)|\[ms\]|_ms$|milli|epoch"),
    ("s", r"\(s\)|\[s\]|_s$|sec"),
)
_TIME = re.compile(r"^(t|time|timestamp|elapsed|epoch|sampletime|seconds|date)", re.IGNORECASE)
_ACC = re.compile(r"acc|^a_?[xyz]\b", re.IGNORECASE)
_GYR = re.compile(r"gyr|ang.*vel|^[gw]_?[xyz]\b", re.IGNORECASE)
_AXIS = re.compile(r"(?:^|[^a-z])([xyz])(?![a-z])|(?:acc|gyro|gyr|^a|^g|^w)_?([xyz])(?![a-z])", re.IGNORECASE)
_NO_GRAVITY = re.compile(r"lin|free|user|without", re.IGNORECASE)
_NAMES_LINES = 40
"""A line of names further down is not looked for."""


@dataclass(frozen=True, slots=True)
class Understood:
    """`facts` are sentences; `problem` says why the file cannot be used as it is; `suggested_map` may mend that."""

    facts: tuple[str, ...]
    problem: str = ""
    suggested_map: str = ""


def dry_run(path: Path, columns: ColumnMap | None = None) -> Understood:
    """Read the whole file as an analysis would and say what came of it. Never raises for what is in the file."""
    facts: list[str] = []
    try:
        if path.suffix.lower() == SUFFIX:
            return Understood(_session(path))
        text, names = _names(path, columns)
    except InputFileError as error:
        return Understood((), error.sentence)
    kind = (
        f"Text, {text.encoding}, delimiter {text.delimiter!r}, decimal {text.decimal!r}"
        if text
        else "Parquet"
    )
    facts.append(f"{kind}; {counted(len(names), 'column')}: {', '.join(names)}.")
    try:
        understood = columns or canonical_map(names, path)
        check_present(understood, names, path)
    except InputFileError as error:
        return Understood(tuple(facts), error.sentence, suggest_map(path, text, names))
    facts += [f"{column.name} is read in {column.unit}." for column in understood.columns]
    unused = [name for name in names if name not in {column.name for column in understood.columns}]
    facts += [f"Not used: {', '.join(unused)}."] if unused else []
    facts += (
        []
        if understood.gyr
        else ["No gyroscope: inclination will be given, rotation and orientation will not."]
    )
    try:
        facts += _totals(path, understood)
    except InputFileError as error:
        return Understood(tuple(facts), error.sentence)
    return Understood(tuple(facts))


def _session(path: Path) -> tuple[str, ...]:
    with SessionReader(path) as reader:
        found = reader.summary
        return (
            f"A session file ({reader.header.get('source')}), {found.duration_s:.1f} s, {counted(found.packets, 'packet')}.",
            "It ended cleanly." if found.closed_cleanly else "It was cut off; what was recorded can be read.",
        )


def _names(path: Path, columns: ColumnMap | None) -> tuple[TextLook | None, Sequence[str]]:
    if is_parquet(path):
        return None, parquet_names(path)
    text = look(path, columns.delimiter, columns.decimal, columns.skip_rows) if columns else look(path)
    return text, text.names


def suggest_map(path: Path, text: TextLook | None, names: Sequence[str]) -> str:
    """A map in TOML guessed from names and values; empty where even that finds no time and no acceleration."""
    if text is not None:
        text = _with_names(path, text)
        names = text.names
    times = [name for name in names if _is_time(name)]
    time = next((name for name in times if _unit(name)), times[0] if times else "")
    acc = _three([name for name in names if name != time and _is_acc(name)])
    gyr = _three([name for name in names if name != time and name not in acc and _is_gyr(name)])
    if not time or not acc:
        return ""
    lines = []
    if text is not None:
        lines = [
            f"delimiter = {_quoted(text.delimiter)}",
            f"decimal = {_quoted(text.decimal)}",
            f"skip_rows = {text.skip_rows}",
            "",
        ]
    time_unit = _unit(time)
    lines += [
        "[time]",
        f"column = {_quoted(time)}",
        f'unit = "{time_unit or "s"}"{"" if time_unit else "  # a guess"}',
        "",
    ]
    lines += [
        "[acc]",
        f"columns = [{', '.join(map(_quoted, acc))}]",
        _unit_line(_unit(acc[0]), _guess_acc(text, acc)),
    ]
    if any(_NO_GRAVITY.search(name) for name in acc):
        lines.append(
            "# These names sound like acceleration without gravity, which says nothing about inclination."
        )
    if gyr:
        lines += [
            "",
            "[gyr]",
            f"columns = [{', '.join(map(_quoted, gyr))}]",
            _unit_line(_unit(gyr[0]), "deg_s"),
        ]
    return "\n".join(lines) + "\n"


def _totals(path: Path, columns: ColumnMap) -> list[str]:
    n, first_s, last_s, steps = 0, np.nan, np.nan, []
    notes = []
    for inputs in read_inputs(path, "lower_back", columns):
        for item in inputs:
            if isinstance(item, Rows):
                first_s = float(item.t_s[0]) if not n else first_s
                last_s, n = float(item.t_s[-1]), n + len(item.t_s)
                steps.append(float(np.median(np.diff(item.t_s))) if len(item.t_s) > 1 else np.nan)
            elif isinstance(item, Mark) and "text" in item.value:
                notes.append(str(item.value["text"]))
    step_s = float(np.nanmedian(steps))
    return [
        f"{counted(n, 'row')} from {first_s:.3f} s to {last_s:.3f} s, typically {1 / step_s:.1f} Hz.",
        *notes,
    ]


def _with_names(path: Path, text: TextLook) -> TextLook:
    """The look that begins at the line of names: the first within reach that names a time and an acceleration."""
    for skip in range(text.skip_rows, min(text.skip_rows + _NAMES_LINES, SKIP_ROWS_MAX)):
        try:
            found = look(path, skip_rows=skip)
        except InputFileError:
            break
        if any(_is_time(name) for name in found.names) and any(_is_acc(name) for name in found.names):
            return found
    return text


def _is_time(name: str) -> bool:
    return bool(_TIME.search(name)) or _unit(name) in ("s", "ms", "us", "ns")


def _is_acc(name: str) -> bool:
    return bool(_ACC.search(name)) or (_axis(name) != "" and _unit(name) in ("g", "mg", "m_s2"))


def _is_gyr(name: str) -> bool:
    return bool(_GYR.search(name)) or (_axis(name) != "" and _unit(name) in ("deg_s", "rad_s"))


def _three(names: Sequence[str]) -> list[str]:
    by_axis: dict[str, str] = {}
    for name in names:
        by_axis.setdefault(_axis(name), name)
    return [by_axis[axis] for axis in "xyz"] if set("xyz") <= by_axis.keys() else []


def _axis(name: str) -> str:
    found = _AXIS.search(name)
    return (found.group(1) or found.group(2)).lower() if found else ""


def _unit(name: str) -> str:
    return next((unit for unit, spelling in _UNITS if re.search(spelling, name, re.IGNORECASE)), "")


def _guess_acc(text: TextLook | None, names: Sequence[str]) -> str:
    """The unit in which the typical size of the sampled rows is nearest to 1 g."""
    if text is None:
        return "m_s2"
    places = [text.names.index(name) for name in names]
    sizes = []
    for row in text.sample:
        try:
            sizes.append(float(np.hypot.reduce([float(row[k].replace(text.decimal, ".")) for k in places])))
        except (ValueError, IndexError):
            continue
    typical = float(np.median(sizes)) if sizes else STANDARD_GRAVITY_M_S2
    one_g = {"g": 1.0, "m_s2": STANDARD_GRAVITY_M_S2, "mg": 1_000.0}
    return min(one_g, key=lambda unit: abs(np.log(max(typical, 1e-9) / one_g[unit])))


def _unit_line(found: str, guess: str) -> str:
    return f'unit = "{found}"' if found else f'unit = "{guess}"  # a guess'


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
