"""Tables of motion as files, and their analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitor.cohort.analyze import Outcome, analyze_files
from monitor.cohort.tools import AnalyzeOptions
from monitor.commands.analysis_tools import analysis_tools
from tests.law_fixtures import Motion, motion

NAMES = ["t_s", *(f"acc_{a}_m_s2" for a in "xyz"), *(f"gyr_{a}_rad_s" for a in "xyz")]
START_S = 5_000.0
TOOLS = analysis_tools()


def table(moved: Motion, gyroscope: bool = True) -> pa.Table:
    columns = np.column_stack((moved.t_s + START_S, moved.acc, moved.gyr))
    return pa.table({name: columns[:, k] for k, name in enumerate(NAMES[: 7 if gyroscope else 4])})


def table_file(folder: Path, name: str = "a", seconds: float = 60.0, gyroscope: bool = True) -> Path:
    path = folder / f"{name}.parquet"
    pq.write_table(table(motion(seconds, 100.0), gyroscope), path)
    return path


def one(path: Path, folder: Path, **options: Any) -> tuple[Outcome, pa.Table]:
    (outcome,) = analyze_files([path], folder, AnalyzeOptions(**options), TOOLS)
    assert outcome.problem == "" and outcome.exit_code == 0
    return outcome, pq.read_table(folder / f"{path.stem}.parquet")
