"""The terminal shows the present moment, and never what it does not know."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Beat, DeviceStatus, Notice, Posture, PostureState, Prompt, Record
from monitor.core.inputs import Mark
from monitor.core.snapshot import Snapshot
from monitor.sinks.terminal import TerminalSink, render, safe


def row(t_s: float, inclination_deg: float) -> TrunkBlock:
    one, wide = np.full(1, inclination_deg), np.zeros((1, 3))
    return TrunkBlock(
        "A",
        np.full(1, t_s),
        np.zeros((1, 4)),
        wide,
        one,
        one,
        one,
        one,
        wide,
        wide,
        one * 0 + 2,
        np.ones(1, bool),
        100.0,
    )


def beat(t_s: float, data_s: float, connected: bool = True) -> Beat:
    return Beat("A", t_s, t_s, 0, connected, data_s)


SITTING: list[Record] = [
    Mark(0.0, "sensor", {"sensor": "A", "primary": True}),
    row(100.0, 12.5),
    PostureState(10.0, Posture.SITTING, 0.9, 15.0),
    DeviceStatus("A", 100.0, 81.0, None, None),
    beat(100.5, 100.0),
]


def shown(records: list[Record], mode: str = "live", title: str = "desk") -> str:
    now = Snapshot()
    now.push(records)
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(render(now, mode, title))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_it_shows_state_angles_sitting_battery_link_and_coverage() -> None:
    text = shown(SITTING)
    for words in (
        "LIVE",
        "sitting  0:01:30",
        "+12.5°",
        "±4°",
        "± holds the truth 90 % of the time",
        "0:01:30 this time",
        "81 %",
        "connected",
        "100.0 %",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("mode", "banner"), [("live", "LIVE"), ("replay", "REPLAY"), ("simulated", "SIMULATED")]
)
def test_data_that_are_not_live_never_look_live(mode: str, banner: str) -> None:
    text = shown(SITTING, mode)
    assert banner in text
    assert ("LIVE" in text) == (mode == "live")


def test_stale_data_show_as_unknown_within_two_seconds() -> None:
    text = shown([*SITTING, beat(102.1, 100.0)])
    assert "sitting  0:01:30" not in text
    assert "12.5" not in text
    assert "connected, no data" in text
    assert "12.5" in shown([*SITTING, beat(101.9, 100.0)])


def test_prompts_and_notices_are_shown() -> None:
    text = shown(
        [*SITTING, Notice(1.0, "x", "The sensor slipped."), Prompt(99.0, "r", "id", "Time to stand up?", {})]
    )
    assert "The sensor slipped." in text and "Time to stand up?" in text


def test_names_cannot_draw_on_the_terminal() -> None:
    assert safe("\x1b[31m\x07ok\u202e").plain == "\ufffd[31m\ufffdok\ufffd"
    text = shown(SITTING, title="[bold red]\x1b]0;title\x07[/]")
    assert "\x1b" not in text and "\x07" not in text
    assert "[bold red]" in text, "markup of a name is text"


def test_it_refreshes_four_times_a_second_at_most() -> None:
    now_s = 0.0
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, _environ={})
    sink = TerminalSink(console, "live", "desk", now_s=lambda: now_s)
    drawn = set()
    for k in range(100):
        now_s = k / 100
        sink.push([beat(now_s, now_s)])
        drawn.add(len(out.getvalue()))
    sink.close()
    assert 3 <= len(drawn) <= 5


def test_without_a_terminal_only_what_was_said_is_printed() -> None:
    out = io.StringIO()
    sink = TerminalSink(Console(file=out, force_terminal=False, width=40), "live", "desk")
    sink.push([*SITTING, Prompt(99.0, "r", "id", "A sentence that is longer than the terminal is wide.", {})])
    sink.close()
    assert out.getvalue() == "A sentence that is longer than the terminal is wide.\n"
