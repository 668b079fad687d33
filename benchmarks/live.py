"""How late is a record after its notification, and how much of a processor does the client take?

The simulated sensor lives in another process, behind a virtual radio over TCP. Latency: from the moment a packet is stamped
to the moment the records it settled are handed to the sinks. Once without and once with the window (offscreen where there
is no display).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
from results import Cell, report

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Record
from monitor.core.inputs import Mark, Packet
from monitor.core.protocols import Sink
from monitor.pipeline import drivers
from monitor.session import Session
from monitor.sources.ble.client import Target
from monitor.sources.ble.radio import open_radio
from monitor.sources.ble.source import BleSource

SUPPLE = Path(sys.executable).parent / "supple"
SENSOR = "A"
SETTLE_S = 5.0
"""Connecting, the first rows and the window's first picture are not what is measured."""
SIMULATOR_WITHIN_S = 20.0


class Probe:
    """A sink that clocks: `latencies_s` per packet that settled rows, and processor time since settling down."""

    def __init__(self) -> None:
        self.latencies_s: list[float] = []
        self.rows = 0
        self.source: BleSource | None = None
        self._packet_s = 0.0
        self._start: tuple[float, float] | None = None
        self.cpu_percent = 0.0

    def push(self, records: Sequence[Record]) -> None:
        if self.source is None or (now_s := self.source.now_s()) < SETTLE_S:
            return
        if self._start is None:
            self._start = (now_s, time.process_time())
        settled = 0
        for record in records:
            if isinstance(record, Packet) and record.channel == "live":
                self._packet_s = record.t_host_s
            elif isinstance(record, TrunkBlock):
                settled += len(record)
        if settled and self._packet_s:
            self.latencies_s.append(now_s - self._packet_s)
            self.rows += settled
        since_s, cpu_s = self._start
        if now_s > since_s:
            self.cpu_percent = 100 * (time.process_time() - cpu_s) / (now_s - since_s)

    def close(self) -> None:
        self.source = None


@contextmanager
def simulator(scenario: str) -> Iterator[str]:
    """A sensor in another process; gives the radio's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("sim", scenario, "--hci", f"tcp-server:127.0.0.1:{port}")
    with subprocess.Popen([SUPPLE, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _wait_for(port, process)
            yield f"tcp-client:127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the simulator listens, as the kernel says it, for it serves a single client."""
    deadline = time.monotonic() + SIMULATOR_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                time.sleep(0.2)
                return
        time.sleep(0.05)
    raise SystemExit("the simulator did not start")


def measure(seconds: float, window: bool) -> dict[str, Cell]:
    """One session against a fresh simulator."""
    probe = Probe()
    with simulator("desk") as address:

        @asynccontextmanager
        async def opening(shown: Sink | None = None) -> AsyncIterator[Session]:
            async with open_radio(address) as radio:
                source = BleSource(
                    radio,
                    [Target(SENSOR, drivers()["spine1"])],
                    start_wall_s=time.time(),
                    utc_offset_s=0,
                    opening=_opening(),
                    duration_s=SETTLE_S + seconds,
                )
                probe.source = source
                yield Session(source, [probe, shown] if shown else [probe])

        async def run() -> None:
            async with opening() as session:
                await session.run()

        if window:
            _in_window(opening, SETTLE_S + seconds)
        else:
            asyncio.run(run())
    late_ms = 1000 * np.array(probe.latencies_s)
    if not len(late_ms):
        raise SystemExit("no rows came")
    return {
        "window": "yes" if window else "no",
        "seconds": seconds,
        "rows": probe.rows,
        "p50_ms": float(np.percentile(late_ms, 50)),
        "p99_ms": float(np.percentile(late_ms, 99)),
        "worst_ms": float(late_ms.max()),
        "cpu_percent": probe.cpu_percent,
    }


def _in_window(opening: object, seconds: float) -> None:
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from monitor.commands.windowed import run_in_window

    app = QApplication.instance() or QApplication([])
    QTimer.singleShot(int(1000 * (seconds + 1)), app, QApplication.closeAllWindows)
    run_in_window(opening, "simulated")  # type: ignore[arg-type]


def _opening() -> list[Mark]:
    sensor = {
        "sensor": SENSOR,
        "driver": "spine1",
        "role": "single",
        "placement": "lower_back",
        "primary": True,
    }
    mount = {
        "sensor": SENSOR,
        "quat": [1.0, 0.0, 0.0, 0.0],
        "quality": 1.0,
        "forward_known": True,
        "source": "b",
    }
    return [Mark(0.0, "sensor", sensor), Mark(0.0, "mount", mount)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--smoke", action="store_true", help="3 s each")
    options = parser.parse_args()
    seconds = 3.0 if options.smoke else options.seconds
    report("live", [measure(seconds, window) for window in (False, True)])


if __name__ == "__main__":
    main()
