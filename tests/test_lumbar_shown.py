"""Lumbar angles are shown with two sensors alone, and only while both are heard."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import window_stream as stream
from rich.console import Console

from monitor.core.blocks import LumbarBlock, take
from monitor.core.events import Beat, MountSet, Notice, Record
from monitor.core.inputs import Mark
from monitor.core.snapshot import Snapshot
from monitor.sinks.lines import LinesSink
from monitor.sinks.terminal import ONE_NOT_CALIBRATED, render
from monitor.window.bridge import WindowSink
from monitor.window.model import Mode, WindowModel
from monitor.window.view import View, look

NOW_S = 5000.0
END_S = 100.0


def sensor(key: str, role: str, placement: str) -> Mark:
    value = {"sensor": key, "driver": "spine1", "role": role, "placement": placement}
    return Mark(0.0, "sensor", {**value, "primary": key == stream.SENSOR})


def lumbar(start_s: float, end_s: float, flexion: float = 34.0, lateral: float = -8.0) -> LumbarBlock:
    t = np.arange(round(start_s * 50), round(end_s * 50)) / 50
    full = np.ones(len(t))
    return LumbarBlock(t, flexion * full, lateral * full, 1.0 * full, np.ones(len(t), bool))


def upper_beat(t_s: float, connected: bool = True) -> Beat:
    return Beat("up", t_s, stream.WALL_S + t_s, 3600, connected, t_s)


def pair(until_s: float = END_S, upper_up: bool = True, mounted: bool = True) -> list[Record]:
    """Two sensors; the angle between them is known until `until_s`, the lower one streams on to END_S."""
    return [
        sensor(stream.SENSOR, "lower", "lower_back"),
        sensor("up", "upper", "upper_back"),
        stream.mounted(),
        *([MountSet("up", 0.0, (1.0, 0.0, 0.0, 0.0), 0.9, True, "poses")] if mounted else []),
        stream.trunk(0.0, END_S),
        lumbar(0.0, until_s),
        upper_beat(END_S, upper_up),
        stream.beat(END_S, END_S - 0.01),
    ]


ONE = [*stream.opening(), stream.mounted(), stream.trunk(0.0, END_S), stream.beat(END_S, END_S - 0.01)]


def printed(records: list[Record]) -> dict[str, str]:
    """The terminal's lines by their name."""
    now = Snapshot()
    now.push(records)
    console = Console(file=io.StringIO(), width=110, force_terminal=False)
    console.print(render(now, "live", "desk"))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    cells = [line.strip("│ ").split("  ", 1) for line in lines]
    return {cell[0].strip(): cell[-1].strip() for cell in cells}


def view_of(records: list[Record]) -> View:
    model = WindowModel(Mode.LIVE)
    model.push(records, NOW_S)
    return look(model, NOW_S)


def test_the_terminal_shows_the_angles_between_two_sensors() -> None:
    lines = printed(pair())
    assert lines["lumbar flexion"] == "+34.0°"
    assert lines["lumbar lateral"] == "-8.0°"
    assert lines["link lower back"] == lines["link upper back"] == "connected"


def test_each_angle_between_two_sensors_says_how_sure_it_is() -> None:
    def sure(sd_deg: float) -> list[Record]:
        stated = dict.fromkeys(
            ("flexion_sd_deg", "lateral_sd_deg", "rotation_sd_deg"), np.full(len(lumbar(0.0, END_S)), sd_deg)
        )
        return [replace(record, **stated) if isinstance(record, LumbarBlock) else record for record in pair()]

    names = ("lumbar flexion", "lumbar lateral", "lumbar rotation")
    assert [printed(sure(2.0))[name].split()[-1] for name in names] == ["±4°"] * 3
    assert [r.note for r in view_of(sure(2.0)).lumbar] == ["± 4°"] * 3
    assert [r.note for r in view_of(sure(np.nan)).lumbar] == [""] * 3


def test_with_one_sensor_nobody_speaks_of_lumbar_angles() -> None:
    assert not [name for name in printed(ONE) if "lumbar" in name]
    assert "link" in printed(ONE)
    assert view_of(ONE).lumbar == ()
    between_without_roles = [*ONE, lumbar(0.0, END_S)]
    assert view_of(between_without_roles).lumbar == ()


def test_a_silent_sensor_makes_the_angle_unknown_and_leaves_the_trunk_known() -> None:
    records = pair(until_s=END_S - 3.0, upper_up=False)
    lines = printed(records)
    assert lines["lumbar flexion"] == "unknown" and lines["flexion"] != "unknown"
    assert lines["link upper back"] == "not connected"
    view = view_of(records)
    assert view.fresh and view.readings[0].known
    assert [(r.known, r.value, r.note) for r in view.lumbar] == [(False, "—", "needs both sensors")] * 3
    assert (view.link, view.link_up) == ("No link to the upper back", False)


def test_rows_without_a_partner_are_no_news_of_the_angle() -> None:
    """Both are connected, but the upper one's rows do not come: nobody is asked to calibrate."""
    alone = lumbar(END_S - 3.0, END_S, np.nan, np.nan)
    given_up = replace(alone, ok=np.zeros(len(alone), bool))
    records = [*pair(until_s=END_S - 3.0), given_up]
    assert printed(records)["lumbar flexion"] == "unknown"
    assert [r.note for r in view_of(records).lumbar] == ["needs both sensors"] * 3
    met = view_of([*pair(until_s=END_S - 3.0), alone])
    assert met.lumbar[0].note == "needs calibration", "negative control: rows that met and lack a forward"


def test_the_window_says_which_way_the_back_itself_bends() -> None:
    view = view_of(pair())
    assert [(r.title, r.value, r.direction) for r in view.lumbar] == [
        ("Lumbar", "34°", "forward"),
        ("Lumbar", "8°", "to the left"),
        ("Lumbar", "1°", ""),
    ]
    assert (view.link, view.link_up) == ("Connected", True)


def test_a_sensor_without_a_calibration_is_named() -> None:
    records = [*pair(mounted=False), lumbar(END_S - 1, END_S, np.nan, np.nan)]
    now = Snapshot()
    now.push(records)
    assert now.unmounted == ("upper_back",)
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    console.print(render(now, "live", "desk"))
    assert ONE_NOT_CALIBRATED.format(place="upper back") in console.file.getvalue()  # type: ignore[attr-defined]
    assert view_of(records).lumbar[0].note == "needs calibration"


def test_a_refused_calibration_says_whose_it_was() -> None:
    refused = Notice(50.0, "calibration_moving", "Calibration refused: You moved.", "up")
    model = WindowModel(Mode.LIVE)
    model.push([*pair(), refused], NOW_S)
    assert model.messages[-1].text == "Upper back: Calibration refused: You moved."
    alone = WindowModel(Mode.LIVE)
    alone.push([*ONE, refused], NOW_S)
    assert alone.messages[-1].text == "Calibration refused: You moved."


def test_the_bridge_hands_them_to_the_window() -> None:
    bridge = WindowSink()
    bridge.push([lumbar(0.0, 1.0)])
    (block,) = bridge.take()
    assert isinstance(block, LumbarBlock)


@pytest.mark.parametrize("rows", [1, 7, 500])
def test_the_lines_tell_them_once_a_second_however_they_are_cut(rows: int) -> None:
    block, out = lumbar(0.0, 4.5), io.StringIO()
    sink = LinesSink(out, "live")
    for start in range(0, len(block), rows):
        sink.push([take(block, slice(start, start + rows))])
    sink.close()
    lines = [line for line in map(json.loads, out.getvalue().splitlines()) if line["kind"] == "lumbar"]
    assert [line["t_s"] for line in lines] == [0.98, 1.98, 2.98, 3.98, 4.48]
    assert lines[0] == {
        "kind": "lumbar",
        "t_s": 0.98,
        "lumbar_flexion_deg": 34.0,
        "lumbar_lateral_deg": -8.0,
        "lumbar_rotation_deg": 1.0,
        "lumbar_flexion_sd_deg": None,
        "lumbar_lateral_sd_deg": None,
        "lumbar_rotation_sd_deg": None,
        "ok": True,
    }
