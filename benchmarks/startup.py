"""How soon does it answer? `supple --help`, and the first angle of `supple live --sim desk`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import Cell, report

SUPPLE = Path(sys.executable).parent / "supple"


def help_s(home: str) -> float:
    """Seconds until `--help` has been said."""
    start = time.perf_counter()
    subprocess.run([SUPPLE, "--help"], env=_environment(home), check=True, capture_output=True)
    return time.perf_counter() - start


def first_angle_s(home: str) -> float:
    """Seconds from the command to the first line with an inclination."""
    start = time.perf_counter()
    words = ("live", "--sim", "desk", "--no-window", "--no-record", "--json", "--duration", "30")
    with subprocess.Popen(
        [SUPPLE, *words], env=_environment(home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("inclination_deg") is not None:
                taken = time.perf_counter() - start
                process.terminate()
                return taken
    raise SystemExit("no angle came")


def _environment(home: str) -> dict[str, str]:
    return {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "COLUMNS": "100"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="each once")
    options = parser.parse_args()
    repeat = 1 if options.smoke else options.repeat
    rows: list[dict[str, Cell]] = []
    with tempfile.TemporaryDirectory() as home:
        for what, measure in (("--help", help_s), ("first angle of live --sim desk", first_angle_s)):
            taken = sorted(measure(home) for _ in range(repeat))
            rows.append({"what": what, "runs": repeat, "median_s": taken[repeat // 2], "worst_s": taken[-1]})
    report("startup", rows)


if __name__ == "__main__":
    main()
