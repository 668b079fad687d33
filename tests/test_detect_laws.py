"""The detectors and the coach in a row keep the four laws, on a stream with gaps, marks and beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import laws
from trunk_script import Script, sensor_mark

from monitor.coach.stage import Coach
from monitor.core.blocks import take
from monitor.core.events import Beat, Gap
from monitor.core.inputs import Mark
from monitor.core.protocols import Proposal, Rule, Stage
from monitor.pipeline import detectors


class Chain:
    """The detectors in order, and the coach behind them if wanted."""

    def __init__(self, names: Sequence[str], coach: Stage | None = None) -> None:
        self._stages = [d.build() for d in detectors() if d.name in names] + ([coach] if coach else [])

    def push(self, items: Sequence[Any]) -> list[Any]:
        out = list(items)
        for stage in self._stages:
            out = stage.push(out)
        return out

    def close(self) -> list[Any]:
        out: list[Any] = []
        for stage in self._stages:
            out = [*stage.push(out), *stage.close()]
        return out


def stream() -> list[Any]:
    """Five minutes in blocks of a second, with beats, a short gap, a long gap and a re-attachment."""
    script = Script(20.0).hold(5).walk(20).bend(45).bend(-20, plane="lateral").bend(30, plane="rotation")
    script.sit_down().hold(75).lean(15).hold(130).lean(-17).rise().walk(12).hold(5).lie_down().hold(10)
    block = script.block()
    items: list[Any] = [sensor_mark(), Mark(0.0, "settings", {"prompts": {}})]
    n = 20
    lost = {8: 8, 9: 8, 10: 8, 30: 30}
    for i in range(0, len(block), n):
        second = i // n
        if second in lost:
            if second + 1 not in lost:
                items.append(Gap("A", lost[second] - 1 / 20.0, second + 1.0, "missing"))
            continue
        items.append(take(block, slice(i, i + n)))
        if second == 20:
            items.append(Mark(21.0, "attached", {}))
        last = float(items[-1].t_s[-1]) if hasattr(items[-1], "t_s") else 20.95
        items.append(Beat("A", last + 0.1, 1.70005e9 + last, 3600, True, last))
    return items


EVERY = [d.name for d in detectors()]


def test_however_the_stream_is_cut_the_events_are_the_same_bits() -> None:
    items = stream()
    ways = laws.cuts(items, seeds=(1, 2))
    ways["rows"] = laws.row_by_row(items)
    assert laws.cut_breaches(lambda: Chain(EVERY), ways) == []


def test_the_stream_makes_every_detector_speak() -> None:
    """Negative control: a law over silence would prove nothing."""
    before = {type(item).__name__ for item in stream()}
    chain = Chain(EVERY)
    records = [*chain.push(stream()), *chain.close()]
    kinds = {type(r).__name__ for r in records} - before
    assert kinds >= {"PostureState", "Transition", "SittingBout", "Slouch", "StaticHold", "Creep", "Movement"}


def always(situation: Any, settings: Any) -> Any:
    return Proposal("static.walk", {"minutes": situation.state_since_s})


def hasty() -> Chain:
    return Chain(EVERY, Coach({"always": Rule("always", always)}))


def long_stream() -> list[Any]:
    """Walking, then ten minutes of sitting, at a low rate: long enough for a prompt to be allowed."""
    block = Script(20.0).walk(20).hold(3).sit_down().hold(600).block()
    items: list[Any] = [sensor_mark()]
    for i in range(0, len(block), 100):
        rows = take(block, slice(i, i + 100))
        last = float(rows.t_s[-1])
        items += [rows, Beat("A", last + 0.1, 1.70005e9 + last, 3600, True, last)]
    return items


def test_prompts_do_not_depend_on_the_cut() -> None:
    items = long_stream()
    assert sum(type(r).__name__ == "Prompt" for r in hasty().push(items)) == 1
    assert laws.cut_breaches(hasty, laws.cuts(items, seeds=(1,))) == []


def test_inputs_are_never_altered_no_clock_is_read_and_a_replay_is_the_same() -> None:
    pushes = laws.whole(laws.read_only(stream()))
    assert laws.silence_breaches(hasty, pushes) == []
    assert laws.purity_breaches(hasty, pushes) == []
    assert laws.replay_breaches(hasty, pushes) == []
