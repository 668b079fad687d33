"""The real window, driven as a user would: by its buttons, its keys and the records that come in."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import window_stream as stream

from monitor.core.blocks import LumbarBlock
from monitor.core.events import Record
from monitor.core.inputs import Mark
from monitor.window import theme
from monitor.window.bridge import WindowSink
from monitor.window.model import Mode, WindowModel

pytestmark = pytest.mark.usefixtures("app", "loud")

NOW_S = 5000.0
DESK_S = 120.0


class Desk:
    """A window over a scripted stream, with what it sent out."""

    def __init__(self, records: Sequence[Record], mode: Mode = Mode.LIVE) -> None:
        from monitor.window.window import MainWindow

        self.marks: list[tuple[str, Mapping[str, Any]]] = []
        self.stops = 0
        self.bridge = WindowSink()
        self.model = WindowModel(mode)
        self.window = MainWindow(self.model, self.bridge, self._mark, self._stop)
        self.model.push(records, NOW_S)
        self.show()

    def show(self, later_s: float = 0.0) -> None:
        from PySide6.QtWidgets import QApplication

        self.window.show()
        for _ in range(30):
            self.window.refresh(NOW_S + later_s)
        QApplication.processEvents()

    def button(self, name: str) -> Any:
        from PySide6.QtWidgets import QPushButton

        (found,) = [
            made
            for made in self.window.findChildren(QPushButton)
            if made.text().replace("&", "") == name and made.isVisible()
        ]
        return found

    def said(self) -> str:
        from PySide6.QtWidgets import QLabel

        return "\n".join(made.text() for made in self.window.findChildren(QLabel) if made.isVisible())

    def _mark(self, kind: str, value: Mapping[str, Any]) -> None:
        self.marks.append((kind, value))
        self.model.push([Mark(self.model.snapshot.t_host_s, kind, value)], NOW_S)

    def _stop(self) -> None:
        self.stops += 1


@pytest.fixture
def open_desk(app: Any) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def build(*more: Record, mode: Mode = Mode.LIVE, records: Sequence[Record] | None = None) -> Desk:
        base = stream.at_the_desk(DESK_S) if records is None else records
        made.append(Desk([*base, *more], mode))
        return made[-1]

    yield build
    for desk in made:
        desk.window.close()
        desk.window.deleteLater()
    app.processEvents()


def render_screenshot(path: Path, records: Sequence[Record], mode: Mode = Mode.SIMULATED) -> None:
    """A PNG of the window as it looks after `records`."""
    desk = Desk(records, mode)
    desk.window.grab().save(str(path))
    desk.window.close()
    desk.window.deleteLater()


def colours(desk: Desk) -> set[str]:
    """Every colour of the silhouette as it is drawn now."""
    from monitor.window.silhouette import Silhouette

    (figure,) = desk.window.findChildren(Silhouette)
    image = figure.grab().toImage()
    pixels = ((x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2))
    return {image.pixelColor(x, y).name().upper() for x, y in pixels}


def test_a_screenshot_can_be_made_and_is_not_empty(tmp_path: Path) -> None:
    from PySide6.QtGui import QImage

    path = tmp_path / "window.png"
    render_screenshot(path, [*stream.at_the_desk(DESK_S), stream.prompt(100.0)])
    image = QImage(str(path))
    assert (image.width() / image.devicePixelRatio(), image.height() / image.devicePixelRatio()) == (
        1280,
        800,
    )
    assert image.pixelColor(4, 4).name().upper() == theme.BANNER["simulated"]


@pytest.mark.parametrize("mode", list(Mode))
def test_the_banner_says_where_the_data_come_from_in_word_and_colour(
    mode: Mode, open_desk: Callable[..., Desk]
) -> None:
    desk = open_desk(mode=mode)
    assert mode.value.upper() in desk.said().split("\n")
    corner = desk.window.grab().toImage().pixelColor(4, 4).name().upper()
    assert corner == theme.BANNER[mode.value]


def test_the_figure_is_coloured_only_while_data_are_fresh(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    assert theme.ACCENT in colours(desk)
    desk.show(later_s=4.0)
    assert not {theme.ACCENT, theme.BODY} & colours(desk)
    assert theme.BODY_UNKNOWN in colours(desk)
    assert "No data for 4 s" in desk.said()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Stiff", "stiff"),
        ("I want to crack it", "urge"),
        ("Popped", "popped"),
        ("Pain", "pain"),
        ("I put it back on", "attached"),
    ],
)
def test_each_mark_button_sends_its_mark(name: str, kind: str, open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.button(name).click()
    assert desk.marks == [(kind, {})]


def test_pain_takes_the_prompt_away_and_shows_what_needs_urgent_help(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(stream.prompt(119.0))
    assert stream.PROMPT_TEXT in desk.said()
    desk.button("Pain").click()
    desk.show()
    assert stream.PROMPT_TEXT not in desk.said()
    assert "Get urgent medical help" in desk.said()
    assert not desk.button("Calibrate").isEnabled()
    desk.button("Close").click()
    assert "Get urgent medical help" not in desk.said()


def test_the_urge_opens_a_calm_text_that_escape_closes(open_desk: Callable[..., Desk], app: Any) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    desk = open_desk()
    desk.button("I want to crack it").click()
    assert "Nothing has to crack" in desk.said()
    desk.window.activateWindow()
    app.processEvents()
    QTest.keyClick(desk.button("Close"), Qt.Key.Key_Escape)
    assert "Nothing has to crack" not in desk.said()


def test_a_prompt_is_dismissed_by_its_button(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(stream.prompt(119.0))
    desk.button("Dismiss").click()
    assert stream.PROMPT_TEXT not in desk.said()


def test_snooze_offers_minutes_an_hour_and_tomorrow(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(stream.prompt(119.0))
    actions = desk.button("Snooze").menu().actions()
    offered = [action for action in actions if action.isVisible()]
    assert [action.text() for action in offered] == ["5 minutes", "15 minutes", "1 hour", "Until tomorrow"]
    for action in offered:
        action.trigger()
    assert [value.get("minutes") for _, value in desk.marks] == [5.0, 15.0, 60.0, None]
    assert desk.marks[-1] == ("snooze", {"until_wall_s": desk.model.tomorrow_wall_s()})
    desk.show()
    assert stream.PROMPT_TEXT not in desk.said()
    assert actions[-1].isVisible()
    actions[-1].trigger()
    assert desk.marks[-1] == ("snooze", {"minutes": 0.0})


def test_calibrate_names_the_sensor_and_the_seconds(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.button("Calibrate").click()
    assert desk.marks == [("calibrate", {"sensor": stream.SENSOR, "seconds": 20.0})]
    desk.show()
    assert not desk.button("Calibrate").isEnabled()
    assert "20 s left" in desk.said()


def test_stop_asks_once_and_the_window_stays_until_everything_is_saved(
    open_desk: Callable[..., Desk],
) -> None:
    desk = open_desk()
    desk.button("Stop").click()
    assert desk.stops == 0
    desk.button("Keep going").click()
    desk.button("Stop").click()
    desk.button("Stop and save").click()
    assert desk.stops == 1
    desk.window.on_frame()
    assert desk.window.isVisible()
    desk.bridge.close()
    desk.window.on_frame()
    assert not desk.window.isVisible()


def test_closing_the_window_stops_the_session_once(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.window.close()
    desk.window.close()
    assert desk.stops == 1


def test_a_session_that_ends_by_itself_leaves_the_window_readable(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.bridge.close()
    for _ in range(6):
        desk.window.on_frame()
    assert "The session has ended" in desk.said()
    desk.window.close()
    assert desk.stops == 0


def test_a_recording_takes_no_marks_and_gives_no_prompts(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(stream.prompt(119.0), mode=Mode.REPLAY)
    for name in ("Stiff", "I want to crack it", "Popped", "Pain", "Snooze", "Calibrate"):
        assert not desk.button(name).isEnabled()
    assert "In the recording a prompt came here" in desk.said()


def test_a_first_start_shows_where_the_sensor_goes_and_moves_on_once_calibrated(
    open_desk: Callable[..., Desk],
) -> None:
    desk = open_desk(records=stream.opening("upper_back"))
    assert "between the shoulder blades" in desk.said()
    assert "two fingers" in desk.said()
    desk.model.push(stream.at_the_desk(DESK_S), NOW_S)
    desk.show()
    assert "two fingers" not in desk.said()
    assert "Forward bend" in desk.said()


def test_the_setup_page_can_be_left_and_reached_again(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(records=stream.opening())
    desk.button("Show the monitor").click()
    assert "Forward bend" in desk.said()
    desk.button("Placement").click()
    assert "Getting started" in desk.said()


def test_every_button_can_be_reached_with_the_tab_key(open_desk: Callable[..., Desk]) -> None:
    from PySide6.QtWidgets import QPushButton

    desk = open_desk(stream.prompt(119.0))
    reached: set[str] = set()
    widget = desk.window.nextInFocusChain()
    while widget is not desk.window:
        if isinstance(widget, QPushButton) and widget.isVisible() and widget.focusPolicy().value & 1:
            reached.add(widget.text().replace("&", ""))
        widget = widget.nextInFocusChain()
    shown = {m.text().replace("&", "") for m in desk.window.findChildren(QPushButton) if m.isVisible()}
    assert reached == shown
    assert len(shown) == 10


def test_type_grows_and_shrinks_on_request_and_returns(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    start = desk.button("Stiff").fontInfo().pointSizeF()
    desk.window.zoom(1)
    desk.window.zoom(1)
    assert desk.button("Stiff").fontInfo().pointSizeF() > 1.2 * start
    desk.window.zoom(0)
    assert desk.button("Stiff").fontInfo().pointSizeF() == pytest.approx(start)


@pytest.mark.parametrize("page", ["monitor", "setup"])
def test_everything_fits_into_a_small_window(page: str, open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(stream.prompt(119.0), Mark(1.0, "screening", {"level": 1}))
    desk.window.show_setup(page == "setup")
    least = desk.window.minimumSizeHint()
    assert (least.width(), least.height()) <= (900, 600)
    assert least.height() <= 600


def test_nothing_is_painted_again_when_nothing_changed(
    open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    from monitor.window.silhouette import Silhouette

    desk = open_desk(stream.still(120, 121, 20.0))
    (figure,) = desk.window.findChildren(Silhouette)
    painted: list[int] = []
    monkeypatch.setattr(figure, "update", lambda: painted.append(1))
    desk.show()
    assert not painted
    desk.model.push([stream.still(121, 122, 40.0)], NOW_S)
    desk.show()
    assert 5 < len(painted) < 30


def test_records_of_another_thread_reach_the_window(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(records=[])
    worker = threading.Thread(target=desk.bridge.push, args=(stream.at_the_desk(DESK_S),))
    worker.start()
    worker.join()
    for _ in range(6):
        desk.window.on_frame()
    assert desk.model.snapshot.flexion_deg == pytest.approx(stream.trunk(0, DESK_S).flexion_deg[-1])
    assert "Sitting" in desk.said()


def test_run_window_names_no_signal_when_the_window_is_closed(app: Any) -> None:
    from PySide6.QtCore import QTimer

    from monitor.window.app import run_window

    stops: list[int] = []
    QTimer.singleShot(200, app.closeAllWindows)
    sink = WindowSink()
    sink.push(stream.at_the_desk(DESK_S))
    assert run_window(sink, lambda _kind, _value: None, lambda: stops.append(1), "simulated") is None
    assert stops == [1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_end_stops_the_session_and_closes_the_window(app: Any, number: signal.Signals) -> None:
    from PySide6.QtCore import QTimer

    from monitor.window.app import run_window

    stops: list[int] = []
    before = signal.getsignal(number)
    QTimer.singleShot(200, lambda: os.kill(os.getpid(), number))
    met = run_window(WindowSink(), lambda _kind, _value: None, lambda: stops.append(1), "simulated")
    assert met is number
    assert stops == [1]
    assert signal.getsignal(number) is before


def test_until_tomorrow_without_a_wall_clock_is_a_day(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(records=stream.opening())
    desk.window.snooze(math.inf)
    assert desk.marks == [("snooze", {"minutes": 1440.0})]


def test_two_sensors_draw_a_second_curve_with_its_words_and_still_fit_the_smallest_window(
    open_desk: Callable[..., Desk],
) -> None:
    from monitor.window.window import SMALLEST

    one = open_desk()
    assert "Lumbar" not in one.said()
    between = LumbarBlock(
        *(np.linspace(60, DESK_S, 3000) if i == 0 else np.full(3000, 20.0) for i in range(4)),
        np.ones(3000, bool),
    )
    upper = {"sensor": "up", "driver": "spine1", "role": "upper", "placement": "upper_back"}
    lower = {**upper, "sensor": stream.SENSOR, "role": "lower", "placement": "lower_back", "primary": True}
    two = open_desk(Mark(0.0, "sensor", lower), Mark(0.0, "sensor", upper), between)
    assert "Lumbar 20° forward" in two.said()
    for strip in two.window._plots.strips:
        assert np.nanmax(strip._lumbar_curve.getData()[1]) == 20.0
    two.button("Calibrate").click()
    assert [value["sensor"] for kind, value in two.marks if kind == "calibrate"] == [stream.SENSOR, "up"]
    two.window.resize(*SMALLEST)
    two.show()
    assert (two.window.width(), two.window.height()) == SMALLEST


def test_a_signal_before_the_window_is_shown_closes_it_too(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from PySide6.QtCore import QTimer

    from monitor.window.app import run_window
    from monitor.window.window import MainWindow

    started = MainWindow.start

    def interrupted(window: MainWindow) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        started(window)

    monkeypatch.setattr(MainWindow, "start", interrupted)
    left_open: list[bool] = []
    QTimer.singleShot(3_000, lambda: (left_open.append(True), app.closeAllWindows()))
    assert run_window(WindowSink(), lambda _kind, _value: None, lambda: None, "simulated") is signal.SIGTERM
    assert not left_open
