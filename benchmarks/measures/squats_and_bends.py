"""One sit and one rise a file, squats and bends that are neither (sisfall_waist), beside plain rules on the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from figure import Figure, over_people
from posture_rows import told
from rule_r1 import rule
from sit_rise_rows import BEND, SIT_AND_RISE, SQUAT, once, sisfall


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """Share of files with exactly one sit and one rise; shares of squats and bends with any sitting down."""
    if data is None or not (data / "sisfall_waist").exists():
        return
    ours: dict[str, dict[str, list[bool]]] = {}
    rules: dict[str, list[bool]] = {}
    for person, code, t_s, acc, gyr in sisfall(
        data / "sisfall_waist", (*SIT_AND_RISE, SQUAT, BEND), quick=quick
    ):
        kind = "sit and rise" if code in SIT_AND_RISE else code
        say, peer = told(t_s, acc, gyr, "waist").changes(), rule(t_s, acc, gyr).changes
        if code in SIT_AND_RISE:
            right, beside = once(say), once(peer)
        else:
            right, beside = (any(k == "sit" for _, k in found) for found in (say, peer))
        ours.setdefault(kind, {}).setdefault(person, []).append(right)
        rules.setdefault(kind, []).append(beside)
    yield _figure("exactly one sit and one rise", "sit and rise", ours, rules, "more", 0.90, 0.96)
    yield _figure("squats taken for sitting", SQUAT, ours, rules, "less", 0.20, 0.08)
    yield _figure("bends taken for sitting", BEND, ours, rules, "less", 0.05, 0.02)


def _figure(
    what: str,
    kind: str,
    ours: dict[str, dict[str, list[bool]]],
    rules: dict[str, list[bool]],
    better: Literal["less", "more"],
    must: float,
    aim: float,
) -> Figure:
    people = [float(np.mean(each)) for each in ours[kind].values()]
    value = float(np.mean([one for each in ours[kind].values() for one in each]))
    low, high = over_people(people)
    peers = {"plain rules": float(np.mean(rules[kind]))}
    files = len(rules[kind])
    return Figure(
        what, "sisfall_waist", len(people), value, "1", better, must, aim, low, high, peers, f"{files} files"
    )
