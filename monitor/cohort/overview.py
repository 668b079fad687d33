"""`summary.csv`: one line for each file whose results are in the folder, for a spreadsheet."""

from __future__ import annotations

import csv
import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.cohort.analyze import COVERAGE_FAIR, Outcome
from monitor.core.errors import StorageError
from monitor.core.events import Posture

FILE_NAME = "summary.csv"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_STATES = tuple(f"{state.value}_s" for state in Posture)
COLUMNS = (
    *(
        "file",
        "quality",
        "duration_s",
        "coverage",
        *_STATES,
        "sitting_low_s",
        "sitting_high_s",
        "sitting_bouts",
        "mean_bout_min",
        "usual_bout_min",
        "longest_bout_min",
        "transitions",
    ),
    *("inclination_p50_deg", "inclination_p95_deg", "flexion_p50_deg", "flexion_p95_deg"),
    *("gaps", "gap_s", "warnings", "problem"),
)


Lines = dict[str, dict[str, Any]]
"""The lines of a table by the file they are about."""


def read_overview(folder: Path) -> Lines:
    """The lines that are there already; none without a table. Raises StorageError for one that is something else."""
    path = folder / FILE_NAME
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            lines = list(reader)
        if not {"file", "quality"} <= set(reader.fieldnames or ()):
            raise ValueError
        return {line["file"]: {key: line.get(key) or "" for key in COLUMNS} for line in lines}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, csv.Error) as error:
        raise StorageError(
            f"{path} is there already and is no table of supple.", "Choose another folder.", path
        ) from error


def write_overview(outcomes: Sequence[Outcome], folder: Path, there: Lines) -> Path:
    """Write the table and return its path. A file's new line takes the place of the one in `there`, the others stay.

    Numbers below COVERAGE_FAIR are left empty. Raises StorageError; what was there is then as it was.
    """
    path = folder / FILE_NAME
    part = path.with_name(path.name + ".part")
    new = ({key: harmless(cell) for key, cell in _line(outcome).items()} for outcome in outcomes)
    lines = {**there, **{str(line["file"]): line for line in new}}
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(lines.values())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        full = error.errno == errno.ENOSPC
        raise StorageError(
            f"{path} cannot be written ({'the disk is full' if full else error.strerror}).",
            "Free some space, or choose another folder." if full else "Choose another folder.",
            path,
        ) from error
    return path


def harmless(cell: object) -> object:
    """A text that a spreadsheet would take for a formula, quoted; numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell


def _line(outcome: Outcome) -> dict[str, Any]:
    line: dict[str, Any] = {"file": outcome.path.name, "quality": outcome.quality, "problem": outcome.problem}
    summary = outcome.summary
    if not summary:
        return line
    line |= {"duration_s": round(summary["duration_s"], 3), "coverage": round(summary["coverage"], 4)}
    line |= {"gaps": summary["gaps"]["count"], "gap_s": summary["gaps"]["seconds"]}
    line["warnings"] = " ".join(summary["warnings"])
    if summary["coverage"] < COVERAGE_FAIR:
        return line
    line |= {f"{name}_s": seconds for name, seconds in summary["state_s"].items()}
    line |= {f"sitting_{end}_s": summary[f"state_s_{end}"]["sitting"] for end in ("low", "high")}
    bouts = summary["bout_statistics"]
    line["sitting_bouts"] = bouts["count"]
    line |= {f"{which}_bout_min": bouts[f"{which}_min"] for which in ("mean", "usual", "longest")}
    line["transitions"] = summary["transitions"]
    for angle in ("inclination", "flexion"):
        quantiles = summary["ranges"][f"{angle}_deg"] or {}
        line |= {f"{angle}_{name}_deg": quantiles.get(name, "") for name in ("p50", "p95")}
    return line
