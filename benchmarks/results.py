"""What every benchmark prints: a table for people, then one JSON line for machines."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

Cell = str | float | int | None
MEGABYTE = 1e6


def report(name: str, rows: Sequence[dict[str, Cell]]) -> None:
    """Print `rows` (all with the same keys, units in their names) as a table and as one JSON line."""
    if rows:
        columns = list(rows[0])
        text = [columns, *([_text(row[column]) for column in columns] for row in rows)]
        widths = [max(len(line[i]) for line in text) for i in range(len(columns))]
        for line in text:
            print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    print(json.dumps({"benchmark": name, **machine, "rows": list(rows)}))


def peak_memory_mb() -> float:
    """The most this process has had resident so far, MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: on Linux its peak begins with that of the parent at the fork.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / MEGABYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MEGABYTE if sys.platform == "darwin" else peak * 1024 / MEGABYTE


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
