"""The four laws as functions over a stage and a stream: each returns sentences, none where the law is kept."""

from __future__ import annotations

import builtins
import copy
import dataclasses
import io
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np

from monitor.core.blocks import ImuBlock, LumbarBlock, PoseBlock, TrunkBlock, freeze, take
from monitor.core.events import Beat
from monitor.core.inputs import Mark, Rows

Pushes = list[list[Any]]
Build = Callable[[], Any]
Part = tuple[bytes, int]
"""Bytes of a stretch of a column, and of how many rows."""
_CUTTABLE = (ImuBlock, PoseBlock, TrunkBlock, LumbarBlock, Rows)


def run(build: Build, pushes: Pushes) -> list[Any]:
    """Everything a fresh stage gives out over `pushes` and its close."""
    return _run(build(), pushes)


def _run(stage: Any, pushes: Pushes) -> list[Any]:
    return [*(out for items in pushes for out in stage.push(items)), *stage.close()]


def joined(records: Sequence[Any]) -> dict[tuple[int, str, str], dict[str, list[Part]]]:
    """Columns over blocks: (number of marks before, kind, sensor) -> column -> its parts, one per block or record.

    Blind to how rows were cut into blocks and to the order between kinds and sensors; not to what stands before a mark.
    """
    found: dict[tuple[int, str, str], dict[str, list[bytes]]] = {}
    marks = 0
    for record in records:
        if isinstance(record, _CUTTABLE) and not len(record.t_s if isinstance(record, Rows) else record):
            continue
        cells = _cells(record)
        columns = found.setdefault((marks, type(record).__name__, _sensor(record)), {})
        for name, column in cells.items():
            columns.setdefault(name, []).append(column)
        marks += isinstance(record, Mark)
    return found


def differences(first: Sequence[Any], second: Sequence[Any]) -> list[str]:
    """Where two streams differ once joined, one sentence per column."""
    a, b = joined(first), joined(second)
    found = []
    for key in sorted(a.keys() | b.keys()):
        one, two = a.get(key, {}), b.get(key, {})
        for column in sorted(one.keys() | two.keys()):
            x, y = one.get(column, []), two.get(column, [])
            if b"".join(raw for raw, _ in x) != b"".join(raw for raw, _ in y):
                x, y = _rows(x), _rows(y)
                row = next(
                    (i for i, (p, q) in enumerate(zip(x, y, strict=False)) if p != q), min(len(x), len(y))
                )
                found.append(f"{key} {column}: {len(x)} and {len(y)} rows, first difference at row {row}")
    return found


def flattened(pushes: Pushes) -> list[Any]:
    return [item for items in pushes for item in items]


# --- cuts --------------------------------------------------------------------------------------------------------


def whole(items: Sequence[Any]) -> Pushes:
    return [list(items)]


def alone(items: Sequence[Any]) -> Pushes:
    return [[item] for item in items]


def row_by_row(items: Sequence[Any]) -> Pushes:
    return [[piece] for item in items for piece in _split(item, 1)]


def at_random(items: Sequence[Any], seed: int) -> Pushes:
    """Blocks split at random, pieces gathered into pushes of random length, some of them empty."""
    dice = random.Random(seed)
    pushes: Pushes = [[]]
    for item in items:
        for piece in _split(item, dice.choice((1, 3, 17, 200, 5000))):
            pushes[-1].append(piece)
            while dice.random() < 0.3:
                pushes.append([])
    return pushes


def beats_late(items: Sequence[Any], seed: int) -> list[Any]:
    """Beats moved behind what follows them, never past a mark: what a decoder does that was given a long run at once."""
    dice = random.Random(seed)
    out: list[Any] = []
    held: list[Any] = []
    for item in items:
        if isinstance(item, Beat):
            held.append(item)
            continue
        if isinstance(item, Mark) or dice.random() < 0.01:
            out += held
            held = []
        out.append(item)
    return out + held


def merged(items: Sequence[Any]) -> list[Any]:
    """Neighbouring blocks of one kind and sensor made one."""
    out: list[Any] = []
    for item in items:
        if out and _mergeable(out[-1], item):
            out[-1] = _merge(out[-1], item)
        else:
            out.append(item)
    return out


def cuts(items: Sequence[Any], seeds: Sequence[int] = (1, 2)) -> dict[str, Pushes]:
    """The ways a stream is cut for the cut law; row by row is left to the caller, for it is slow."""
    ways = {"whole": whole(items), "alone": alone(items)}
    for seed in seeds:
        late = merged(beats_late(items, seed))
        ways |= {f"random {seed}": at_random(items, seed), f"merged {seed}": whole(late)}
        ways[f"merged random {seed}"] = at_random(late, seed)
    return ways


# --- laws --------------------------------------------------------------------------------------------------------


def cut_breaches(build: Build, ways: dict[str, Pushes]) -> list[str]:
    """Cut law: the joined outputs are the same bits whichever way the stream was cut."""
    (first, reference), *others = ((name, run(build, pushes)) for name, pushes in ways.items())
    return [f"{first} against {name}: {line}" for name, got in others for line in differences(reference, got)]


def silence_breaches(build: Build, pushes: Pushes) -> list[str]:
    """Silence law: inputs stay as they were, and so does what was handed out; blocks are handed out read-only."""
    found = []
    before = copy.deepcopy(pushes)
    stage = build()
    outputs, as_given = [], []
    for items in pushes:
        length = len(items)
        given = stage.push(items)
        if len(items) != length:
            found.append("the list of inputs changed its length")
        outputs += given
        as_given += copy.deepcopy(given)
    outputs += stage.close()
    as_given += copy.deepcopy(outputs[len(as_given) :])
    flat, flat_before = flattened(pushes), flattened(before)
    found += [f"an input was altered: {line}" for line in differences(flat_before, flat)]
    found += [f"an output was altered later: {line}" for line in differences(as_given, outputs)]
    writable = {type(out).__name__ for out in outputs if any(a.flags.writeable for a in _arrays(out))}
    return found + [f"{kind} was handed out writable" for kind in sorted(writable)]


def purity_breaches(build: Build, pushes: Pushes) -> list[str]:
    """Purity law, beside the syntax tree: with clocks, chance and files out of reach the outputs are the same.

    Building is left out: plug-ins are found by looking into their folder.
    """
    reference, stage = run(build, pushes), build()
    with ExitStack() as closed:
        for owner, name in _OUT_OF_REACH:
            closed.enter_context(mock.patch.object(owner, name, side_effect=UnreachableError(name)))
        try:
            got = _run(stage, pushes)
        except UnreachableError as reached:
            return [f"{reached} was called"]
    return differences(reference, got)


def replay_breaches(build: Build, pushes: Pushes) -> list[str]:
    """Replay law: two stages, one after the other and interleaved, give the same from the same inputs."""
    reference = run(build, pushes)
    one, two = build(), build()
    first: list[Any] = []
    second: list[Any] = []
    for items in pushes:
        first += one.push(items)
        second += two.push(items)
    found = differences(reference, [*first, *one.close()])
    return found + differences(reference, [*second, *two.close()])


class UnreachableError(Exception):
    """Raised in place of what a pure stage must not reach."""


_OUT_OF_REACH: list[tuple[Any, str]] = [
    *((time, name) for name in ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "sleep")),
    *((random, name) for name in ("random", "randint", "choice", "shuffle")),
    *((np.random, name) for name in ("default_rng", "random", "normal", "rand")),
    *((os, name) for name in ("urandom", "getenv", "listdir", "stat")),
    (builtins, "open"),
    (io, "open"),
]


def read_only(items: Sequence[Any]) -> list[Any]:
    """The same items with every array set read-only."""
    for item in items:
        for array in _arrays(item):
            array.flags.writeable = False
    return list(items)


# --- pieces ------------------------------------------------------------------------------------------------------


def _sensor(record: Any) -> str:
    imu = getattr(record, "imu", record)
    return str(getattr(imu, "sensor", ""))


def _fields(record: Any) -> list[tuple[str, Any]]:
    names = getattr(record, "_fields", None) or [f.name for f in dataclasses.fields(record)]
    return [(name, getattr(record, name)) for name in names]


def _arrays(record: Any) -> Iterator[np.ndarray[Any, Any]]:
    for _, value in _fields(record):
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, ImuBlock):
            yield from _arrays(value)


def _rows(parts: Sequence[Part]) -> list[bytes]:
    """One cell per row."""
    cells = []
    for raw, rows in parts:
        width = len(raw) // rows
        cells += [raw[i : i + width] for i in range(0, len(raw), width)]
    return cells


def _cells(record: Any) -> dict[str, Part]:
    """The bytes of each column; a plain record is one row."""
    rows = len(record.t_s) if isinstance(record, _CUTTABLE) and not isinstance(record, PoseBlock) else 1
    found: dict[str, Part] = {}
    for name, value in _fields(record):
        if isinstance(value, np.ndarray):
            found[name] = value.tobytes(), len(value)
        elif isinstance(value, ImuBlock):
            found |= {f"{name}.{inner}": cells for inner, cells in _cells(value).items()}
        else:
            found[name] = f"{value!r}\n".encode() * rows, rows
    return found


def _split(item: Any, rows: int) -> Iterator[Any]:
    if not isinstance(item, _CUTTABLE):
        yield item
        return
    n = len(item.t_s) if isinstance(item, Rows) else len(item)
    for start in range(0, n, rows):
        yield take(item, slice(start, start + rows))  # type: ignore[type-var]


def _mergeable(first: Any, second: Any) -> bool:
    if (
        type(first) is not type(second)
        or not isinstance(first, _CUTTABLE)
        or _sensor(first) != _sensor(second)
    ):
        return False
    if isinstance(first, PoseBlock):
        first, second = first.imu, second.imu
    return all(
        (x is None) == (y is None) and (isinstance(x, np.ndarray) or x == y)
        for (_, x), (_, y) in zip(_fields(first), _fields(second), strict=True)
    )


def _merge(first: Any, second: Any) -> Any:
    values: dict[str, Any] = {}
    for (name, x), (_, y) in zip(_fields(first), _fields(second), strict=True):
        if isinstance(x, np.ndarray):
            values[name] = np.concatenate((x, y))
        else:
            values[name] = _merge(x, y) if isinstance(x, ImuBlock) else x
    return freeze(type(first)(**values))
