"""The whole program with its window, ended from outside: as cleanly and with the same exit code as in the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from monitor.core.errors import InputFileError
from monitor.store.session_file import SessionReader
from tests.door import homes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
]
SUPPLE = [sys.executable, "-c", "from monitor.cli import main; main()"]


def data_came(path: Path) -> bool:
    # A file that is only just being made is no session file yet.
    with suppress(InputFileError), SessionReader(path) as reader:
        return reader.duration_s > 1.0
    return False


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_window_ends_the_recording_cleanly(
    app: Any, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    path = tmp_path / "run.supple"
    environment = {**os.environ, **homes(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    words = ("live", "--sim", "desk", "--window", "--record", str(path))
    with subprocess.Popen([*SUPPLE, *words], env=environment, stderr=subprocess.PIPE, text=True) as live:
        assert live.stderr is not None
        # Else whatever fails here would wait for the end of the working hour.
        stop = threading.Timer(60.0, live.kill)
        stop.start()
        try:
            while not data_came(path) and live.poll() is None:
                time.sleep(0.1)
            live.send_signal(number)
            said = live.stderr.read()
            assert live.wait() == code, said
        finally:
            stop.cancel()
            live.kill()
    assert "Traceback" not in said and f"Recorded in {path}" in said
    with SessionReader(path) as reader:
        assert reader.closed_cleanly
