"""Tables of inertial rows for tests, as files and as what becomes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from monitor.core.inputs import FloatArray, Mark, Rows
from monitor.sources.importers.csv_parquet import NOTE, read_inputs
from monitor.sources.importers.mapping import ColumnMap

G = 9.80665
ACC = ["acc_x_m_s2", "acc_y_m_s2", "acc_z_m_s2"]
GYR = ["gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s"]


def table(n: int = 1_000, rate_hz: float = 50.0, start_s: float = 100.0) -> FloatArray:
    """Columns t_s, acc, gyr of somebody swaying upright."""
    t = np.arange(n) / rate_hz
    tilt = 0.3 * np.sin(t)
    columns = (
        start_s + t,
        G * np.sin(tilt),
        0.1 * np.cos(3 * t),
        G * np.cos(tilt),
        0 * t,
        0.3 * np.cos(t),
        0 * t,
    )
    return np.stack(columns, axis=1)


def csv_text(
    values: FloatArray, names: list[str], delimiter: str = ",", decimal: str = ".", end: str = "\n"
) -> str:
    lines = [delimiter.join(names)]
    lines += [delimiter.join(repr(cell).replace(".", decimal) for cell in row) for row in values.tolist()]
    return end.join(lines) + end


def written(tmp_path: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def imported(path: Path, columns: ColumnMap | None = None) -> tuple[FloatArray, list[str]]:
    """All rows of a file as one table, and the notes about it."""
    blocks, notes = [], []
    for inputs in read_inputs(path, "sternum", columns):
        for item in inputs:
            if isinstance(item, Rows):
                gyr = np.empty((len(item.t_s), 0)) if item.gyr is None else item.gyr
                blocks.append(np.column_stack((item.t_s, item.acc, gyr)))
            elif isinstance(item, Mark) and item.kind == NOTE:
                notes.append(str(item.value["text"]))
    return np.concatenate(blocks), notes
