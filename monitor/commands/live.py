"""`supple live`: sensor or simulator, recorder, window or terminal, put together."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from monitor.commands.final import final_pass
from monitor.commands.opening import (
    CALIBRATE_S,
    SIMULATED_WALL_START_S,
    calibration_words,
    opening_marks,
    prompt_log,
    who_is_meant,
    worn_sensors,
)
from monitor.commands.options import LiveOptions
from monitor.commands.piped import Piped
from monitor.commands.run import Interruption, run_in_terminal
from monitor.commands.say import CHECKSUM, say
from monitor.commands.windowed import run_in_window
from monitor.core.errors import RadioError
from monitor.core.inputs import Packet
from monitor.core.protocols import Sink, Source
from monitor.pipeline import drivers
from monitor.session import Session
from monitor.sinks.lines import LinesSink
from monitor.sinks.notifier import Notifier, desktop_sender
from monitor.sinks.pairing_keeper import PairingKeeper
from monitor.sinks.prompt_log import PromptLogSink
from monitor.sinks.recorder import Recorder
from monitor.sinks.terminal import HOW_TO_CALIBRATE, TerminalSink
from monitor.sources.ble.client import Target
from monitor.sources.ble.radio import open_radio
from monitor.sources.ble.source import BleSource
from monitor.sources.gather import Gathered
from monitor.sources.simulated import TWO_PLACEMENTS, SimulatedSource
from monitor.store.places import check_new_file, keep_private, places, private_folder, recording_path
from monitor.store.session_file import SessionWriter, new_header
from monitor.version import VERSION, build_version

GATHER_S = 1.0
"""Host time of one push under virtual time, where nobody waits for an angle."""


def run_live(options: LiveOptions) -> int:
    """Stream until the end of `--duration`, Stop or Ctrl-C; returns the exit code."""
    options.check()
    keep_private()
    live = _Live(options)
    try:
        if live.shows_window():
            digest, interruption = run_in_window(lambda sink: live.opening(lambda: sink), live.mode)
        else:
            digest, interruption = run_in_terminal(live.opening(live.terminal), options.virtual_time)
    except RadioError:
        live.discard()
        raise
    return live.farewell(digest, interruption)


class _Live:
    """One live run: what it shows, what it keeps, where its inputs come from."""

    def __init__(self, options: LiveOptions) -> None:
        self.mode = "simulated" if options.simulated else "live"
        self._options = options
        self._say: Callable[[str, str], None] = self._say_plainly
        self._simulated = _simulated_source(options, self._tell) if options.scenario is not None else None
        self._worn = worn_sensors(options, self._simulated)
        self._marks = opening_marks(options, self._worn, self.mode == "live")
        if meant := who_is_meant(options, self._worn):
            say(meant)
        for line in calibration_words(self._worn, local_wall()[0]):
            say(line)
        self._lines: Piped | None = None
        self._path = self._choose_path()
        self._recorder: Recorder | None = None

    def shows_window(self) -> bool:
        """A window where there is a display and nobody asked for something else; says so in a line where not."""
        options = self._options
        if options.window is False or options.json:
            return False
        if options.virtual_time:
            if options.window is None and sys.stdout.isatty():
                say("No window at --speed max; using the terminal.")
            return False
        from monitor.window.app import display_available

        available, reason = display_available()
        if not available:
            if options.window:
                say(f"No window: {reason}")
            elif sys.stdout.isatty():
                say(f"No window ({reason}); using the terminal.")
        return available

    def terminal(self) -> Sink:
        """The view on a terminal, JSON lines elsewhere."""
        if self._options.json or not sys.stdout.isatty():
            about = {
                "version": VERSION,
                "sensors": [worn.key for worn in self._worn],
                "recording": None if self._path is None else str(self._path),
            }
            self._lines = Piped(LinesSink(sys.stdout, self.mode, about))
            if any(mark.kind == "calibrate" for mark in self._marks):
                say(f"Calibrating in the first {CALIBRATE_S:.0f} s of data. {HOW_TO_CALIBRATE}")
            return self._lines
        view = TerminalSink(Console(stderr=True), self.mode, ", ".join(worn.name for worn in self._worn))
        self._say = view.say
        return view

    @asynccontextmanager
    async def opening(self, shown: Callable[[], Sink]) -> AsyncIterator[Session]:
        """The session, ready to run, with everything it needs open around it. Nothing is recorded of a radio that fails."""
        if self._simulated is not None:
            self._simulated.begin_with(self._marks)
            source = Gathered(self._simulated, GATHER_S) if self._options.virtual_time else self._simulated
            yield self._session(source, shown)
            return
        async with open_radio(self._options.radio) as radio:
            start_wall_s, utc_offset_s = local_wall()
            sensor_source = BleSource(
                radio,
                [Target(worn.key, worn.driver, worn.address, worn.identity) for worn in self._worn],
                start_wall_s=start_wall_s,
                utc_offset_s=utc_offset_s,
                wall=local_wall,
                opening=self._marks,
                duration_s=self._options.duration_s,
                say=self._tell,
            )
            yield self._session(sensor_source, shown)

    def discard(self) -> None:
        """Remove the recording of a session whose radio never worked: it holds nothing."""
        if self._recorder is not None and self._path is not None:
            self._path.unlink(missing_ok=True)

    def farewell(self, digest: str, interruption: Interruption | None) -> int:
        """Say what was kept; the exit code."""
        if self._lines is not None:
            self._lines.check()
        elif digest:
            say(CHECKSUM.format(digest))
        if self._recorder is not None:
            say(f"Recorded in {self._path}")
            say(f"Look again:  supple replay {self._path}")
        if (
            self._recorder is not None
            and self._path is not None
            and interruption is not Interruption.TERMINATED
        ):
            final_pass(self._path)
        return 0 if interruption is None else interruption.exit_code

    def _tell(self, sensor: str, text: str) -> None:
        """What the link of `sensor` is doing; under virtual time nobody watches it."""
        if not self._options.virtual_time:
            self._say(text, sensor)

    def _say_plainly(self, text: str, sensor: str) -> None:
        say(text if len(self._worn) == 1 else f"{sensor}: {text}")

    def _session(self, source: Source, shown: Callable[[], Sink]) -> Session:
        kept = [] if self._path is None else [self._open_recorder(self._path)]
        session = Session(source, [*kept, shown(), *self._live_only()], self._on_end)
        return session if self._lines is None else self._lines.ends(session)

    def _on_end(self, digest: str) -> None:
        if self._recorder is not None:
            self._recorder.set_header("digest", digest)
        if self._lines is not None:
            self._lines.end(digest)

    def _live_only(self) -> list[Sink]:
        """What only a paired sensor or one worn by a person may set off: what is learnt of it kept, prompts delivered."""
        paired = {worn.key: worn.name for worn in self._worn if worn.paired}
        keeper: list[Sink] = [PairingKeeper(places().config, paired)] if paired else []
        if self.mode != "live":
            return keeper
        return [*keeper, Notifier(desktop_sender(), live=True), PromptLogSink(prompt_log())]

    def _choose_path(self) -> Path | None:
        """Where to record, checked before anything starts; None where nothing is to be kept."""
        if not self._options.keep:
            return None
        if self._options.record is not None:
            return check_new_file(self._options.record)
        return recording_path(private_folder(places().recordings), *local_wall(), self._options.scenario_stem)

    def _wall_start(self) -> tuple[float, int, str]:
        """The wall clock that the session's ticks start with, its offset from UTC in s and its name."""
        if self._simulated is not None:
            return SIMULATED_WALL_START_S, 0, "UTC"
        return *local_wall(), datetime.now().astimezone().tzname() or ""

    def _open_recorder(self, path: Path) -> Recorder:
        start_wall_s, utc_offset_s, zone = self._wall_start()
        by_sensor = {worn.key: worn.driver.row_identity for worn in self._worn}

        def identify(packet: Packet) -> tuple[int, int, int] | None:
            return by_sensor[packet.sensor](packet.channel, packet.payload)

        header = new_header(self.mode, build_version(), start_wall_s, utc_offset_s, zone)
        header["made_wall_s"] = time.time()
        writer = SessionWriter(path, header, identify)
        self._recorder = Recorder(writer, inline=self._options.virtual_time)
        return self._recorder


def local_wall() -> tuple[float, int]:
    """Unix time, and the local zone's offset from UTC, now."""
    now = datetime.now(UTC).astimezone()
    offset = now.utcoffset()
    return time.time(), int(offset.total_seconds()) if offset is not None else 0


def _simulated_source(options: LiveOptions, tell: Callable[[str, str], None]) -> SimulatedSource:
    scenario = options.scenario or ""
    return SimulatedSource(
        Path(scenario) if scenario.endswith(".toml") else scenario,
        options.seed,
        drivers()[options.simulated_device],
        duration_s=options.duration_s,
        placements=TWO_PLACEMENTS if options.two else (),
        start_wall_s=SIMULATED_WALL_START_S,
        utc_offset_s=0,
        say=tell,
    )
