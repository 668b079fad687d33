"""The present moment in the terminal, four times a second, on standard error."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.core.counted import counted
from monitor.core.events import Notice, Posture, Prompt, Record
from monitor.core.interval import INTERVAL_SHARE, interval_deg
from monitor.core.snapshot import Snapshot

REFRESH_EVERY_S = 0.25
NOTICES_SHOWN = 3
BATTERY_LOW_PERCENT = 20.0
ENDED = "ended"
NOTHING_SAID: Mapping[str, str] = MappingProxyType({})
WIDEST = 100
ECHO_ROOM = 4
"""Columns left free at the right: a terminal echoes ^C behind the picture, and a wrapped line would tear it."""
INTERVALS = f"\N{PLUS-MINUS SIGN} holds the truth {100 * INTERVAL_SHARE:.0f} % of the time"
HOW_TO_CALIBRATE = "Stand upright and still for 5 s, then bend forward gently and come back up, three times."
ONE_NOT_CALIBRATED = (
    "The sensor at the {place} is not calibrated: the angles between the two stay unknown. "
    "Press Ctrl-C, then:  supple live --calibrate"
)
NOT_CALIBRATED = "Not calibrated: angles stay unknown. Press Ctrl-C, then:  supple live --calibrate"


class TerminalSink:
    """Draw on `console` while it is a terminal; elsewhere print prompts and notices, one a line.

    `mode` is `live`, `replay` or `simulated`; `title` (a sensor's or file's name) is shown with its control
    characters removed. `now_s` is the wall clock that limits the refresh.
    """

    def __init__(
        self, console: Console, mode: str, title: str, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._mode = mode
        self._title = title
        self._now_s = now_s
        self._snapshot = Snapshot()
        self._drawn_at_s = -math.inf
        self._ended = False
        self._status: dict[str, str] = {}
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(console=console, auto_refresh=False, transient=False)
            self._live.start()

    def push(self, records: Sequence[Record]) -> None:
        self._snapshot.push(records)
        if self._live is None:
            for record in records:
                if isinstance(record, (Prompt, Notice)):
                    text = _whose(self._snapshot, record) if isinstance(record, Notice) else record.text
                    self._console.print(safe(text), soft_wrap=True)
        elif self._now_s() - self._drawn_at_s >= REFRESH_EVERY_S:
            self._draw(self._live)

    def say(self, text: str, sensor: str = "") -> None:
        """What the link of `sensor` is doing, in words: inside the picture, for a line beside it would tear it."""
        self._status[sensor] = text
        if self._live is None:
            whose = f"{sensor}: " if len(self._status) > 1 else ""
            self._console.print(safe(f"{whose}{text}"), soft_wrap=True)
        else:
            self._draw(self._live)

    def close(self) -> None:
        if self._live is not None:
            self._ended, self._mode = True, f"{self._mode} {ENDED}"
            self._draw(self._live)
            self._live.stop()
            self._live = None

    def _draw(self, live: Live) -> None:
        self._drawn_at_s = self._now_s()
        picture = render(self._snapshot, self._mode, self._title, self._status, self._ended)
        picture.width = min(WIDEST, self._console.width - ECHO_ROOM)
        live.update(picture, refresh=True)


def render(
    now: Snapshot, mode: str, title: str, status: Mapping[str, str] = NOTHING_SAID, ended: bool = False
) -> Panel:
    """What a snapshot looks like. Stale data show as unknown, never as present (safety H6).

    `status`: what was said of each sensor's link; `ended`: nothing of this is the present.
    """
    table = Table.grid(padding=(0, 2))
    for name, value in _lines(now, status, ended):
        table.add_row(Text(name, style="dim"), value)
    messages = [safe(_whose(now, notice), "yellow") for notice in now.notices[-NOTICES_SHOWN:]]
    messages += [Text(text, "bold") for text in _what_to_do(now)]
    if now.prompts:
        messages.append(safe(now.prompts[-1].text, "bold"))
    # Data that no person is wearing now must never look live (safety H11).
    head = Text.assemble((f" {safe(mode).plain.upper()} ", "reverse"), "  ", safe(title))
    return Panel(
        Group(table, *messages), title=head, title_align="left", subtitle=INTERVALS, subtitle_align="left"
    )


def safe(text: str, style: str = "") -> Text:
    """Text from outside (names, notices) without markup, control characters and direction marks."""
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text), style=style)


def _what_to_do(now: Snapshot) -> list[str]:
    """What the wearer is to do about the calibration, if anything."""
    if not math.isnan(now.calibrate_left_s):
        return [HOW_TO_CALIBRATE] if now.calibrate_left_s > 0 else ["Working out the calibration."]
    if not now.rows or not now.unmounted:
        return []
    if not now.mounted:
        return [NOT_CALIBRATED]
    return [ONE_NOT_CALIBRATED.format(place=_place(placement)) for placement in now.unmounted]


def _lines(now: Snapshot, status: Mapping[str, str], ended: bool) -> list[tuple[str, Text]]:
    state = now.shown_state
    known = state is not Posture.UNKNOWN
    lines = [
        (
            "posture",
            Text(
                f"{state.value}  {_clock(now.state_s)}" if known else "unknown", "bold" if known else "yellow"
            ),
        ),
        ("sitting", Text(f"{_clock(now.sitting_bout_s)} this time, {_clock(now.sitting_s)} in all")),
        ("inclination", _angle(now, now.inclination_deg, now.inclination_sd_deg)),
        ("flexion", _angle(now, now.flexion_deg, now.flexion_sd_deg)),
        ("lateral bend", _angle(now, now.lateral_deg, now.lateral_sd_deg)),
        ("rotation", _angle(now, now.rotation_deg, now.rotation_sd_deg)),
        *(_lumbar(now) if now.two else []),
        ("prompts", Text(_prompts(now))),
        *_links(now, status, ended),
        ("battery", _battery(now)),
        ("coverage", Text("-" if math.isnan(now.coverage) else f"{100 * now.coverage:.1f} %")),
    ]
    if not math.isnan(now.calibrate_left_s):
        lines.insert(0, ("calibrating", Text(f"{now.calibrate_left_s:.0f} s left", "bold")))
    return lines


def _angle(now: Snapshot, value_deg: float, sd_deg: float = math.nan) -> Text:
    if now.stale or not math.isfinite(value_deg):
        return Text("unknown", "yellow")
    interval = interval_deg(sd_deg)
    margin = "" if interval is None else f" \N{PLUS-MINUS SIGN}{interval}\N{DEGREE SIGN}"
    return Text(f"{value_deg:+6.1f}\N{DEGREE SIGN}{margin}")


def _lumbar(now: Snapshot) -> list[tuple[str, Text]]:
    """The upper back relative to the lower: only of two sensors (docs/frames.md)."""
    angles = (
        ("lumbar flexion", now.lumbar_flexion_deg, now.lumbar_flexion_sd_deg),
        ("lumbar lateral", now.lumbar_lateral_deg, now.lumbar_lateral_sd_deg),
        ("lumbar rotation", now.lumbar_rotation_deg, now.lumbar_rotation_sd_deg),
    )
    return [(name, _angle(now, math.nan if now.lumbar_stale else value, sd)) for name, value, sd in angles]


def _prompts(now: Snapshot) -> str:
    if now.in_pain:
        return "off until the self-check is answered"
    if now.snooze_left_s > 0:
        return f"paused for {_clock(now.snooze_left_s)}"
    return f"{len(now.prompts)} so far"


def _links(now: Snapshot, status: Mapping[str, str], ended: bool) -> list[tuple[str, Text]]:
    """One line for each sensor."""
    if ended:
        return [("link", Text(ENDED))]
    if not now.two:
        return [("link", _link(now, " ".join(status.values())))]
    lines = [(f"link {_place(now.placement)}", _link(now, status.get(now.primary, "")))]
    for sensor in (sensor for sensor in now.roles if sensor != now.primary):
        up, said = now.links.get(sensor, False), status.get(sensor, "")
        text = (
            Text("connected")
            if up
            else safe(f"not connected ({said})" if said else "not connected", "yellow")
        )
        lines.append((f"link {_place(now.placements[sensor])}", text))
    return lines


def _whose(now: Snapshot, notice: Notice) -> str:
    """What a notice says; of two sensors, about which."""
    place = now.placements.get(notice.sensor, "") if now.two else ""
    return f"{place.replace('_', ' ').capitalize()}: {notice.text}" if place else notice.text


def _place(placement: str) -> str:
    return safe(placement.replace("_", " ")).plain


def _link(now: Snapshot, status: str) -> Text:
    if not now.connected:
        known = "out of reach" if now.ever_connected else "not connected yet"
        return safe(f"{known} ({status})" if status else known, "yellow")
    if now.stale:
        return Text("connected, no data", "yellow")
    bad = sum(now.faults.values())
    return Text(
        f"connected, {counted(bad, 'fault')}, {now.gap_s:.1f} s missing" if bad or now.gap_s else "connected"
    )


def _battery(now: Snapshot) -> Text:
    if now.battery_percent is None:
        return Text("not reported")
    return Text(
        f"{now.battery_percent:.0f} %", "yellow" if now.battery_percent <= BATTERY_LOW_PERCENT else ""
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
