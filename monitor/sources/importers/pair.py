"""Two tables recorded at the same time, one from each sensor of a pair, as the inputs of one recording."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from monitor.core.errors import InputFileError
from monitor.core.inputs import Input, Mark, Rows
from monitor.sources.importers.csv_parquet import NOTE, read_inputs
from monitor.sources.importers.mapping import ColumnMap

PLACEMENTS = {"lower": "lower_back", "upper": "upper_back"}
"""Sensors of the pair by role, the primary one first: posture is judged at the lower back."""
SHORTEST_S = 2.0
"""Less time in common is no recording of both (the shortest table that is analysed is as long)."""


def read_pair(upper: Path, lower: Path, columns: ColumnMap | None = None) -> Iterator[list[Input]]:
    """Marks, then the rows of both in order of time. The two share one time base, which is that of the files.

    Raises InputFileError like `read_inputs` for each, at once where it is twice the same file, and at the end (or where
    that shows) where the two have less than 2 s in common.
    """
    if upper.exists() and lower.exists() and upper.samefile(lower):
        raise InputFileError(
            f"{upper} was given as the upper and as the lower sensor.",
            "Give two files: the upper sensor's first.",
            upper,
        )
    paths = {"lower": lower, "upper": upper}
    seen = {role: _Span() for role in paths}
    streams = [_items(role, path, columns, seen[role]) for role, path in paths.items()]
    merged = heapq.merge(*streams, key=_time_s)
    first = next(merged)
    opening: list[Input] = [_opening(role, _time_s(first)) for role in paths]
    yield opening
    yield [first]
    for item in merged:
        yield [item]
    start_s, end_s = max(span.start_s for span in seen.values()), min(span.end_s for span in seen.values())
    if end_s - start_s < SHORTEST_S:
        apart = f"{start_s - end_s:.0f} s apart" if start_s > end_s else f"{end_s - start_s:.1f} s in common"
        raise InputFileError(
            f"{upper} and {lower} were not recorded at the same time: their rows are {apart}.",
            "Give two files with one time base, as one logger or synchronised ones write them.",
            upper,
        )


class _Span:
    """First and last time of the rows that came."""

    def __init__(self) -> None:
        self.start_s, self.end_s = float("inf"), float("-inf")

    def add(self, rows: Rows) -> None:
        self.start_s = min(self.start_s, float(rows.t_s[0]))
        self.end_s = float(rows.t_s[-1])


def _items(role: str, path: Path, columns: ColumnMap | None, span: _Span) -> Iterator[Input]:
    """Rows and notes of one file, as that sensor's."""
    for block in read_inputs(path, PLACEMENTS[role], columns):
        for item in block:
            if isinstance(item, Rows):
                span.add(item)
                yield replace(item, sensor=role)
            elif isinstance(item, Mark) and item.kind == NOTE:
                yield Mark(item.t_host_s, NOTE, {"text": f"{path.name}: {item.value['text']}"})


def _opening(role: str, t_s: float) -> Mark:
    sensor = {"sensor": role, "driver": "rows", "role": role, "placement": PLACEMENTS[role]}
    return Mark(t_s, "sensor", {**sensor, "primary": role == "lower"})


def _time_s(item: Input) -> float:
    return float(item.t_s[0]) if isinstance(item, Rows) else item.t_host_s
