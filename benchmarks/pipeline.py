"""How fast is a recorded day through analysis, beside the bare C++ filter on the same rows, and how much memory does it take?

Timed: reading the session file with its CRCs, decoding, timeline, calibration, orientation, angles, detectors, prompts. No table
is written. The session is a simulated desk, made once and kept in the temporary folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
from results import Cell, peak_memory_mb, report
from vqf import VQF

from firmware_sim.direct import run_direct
from monitor.core.blocks import ImuBlock, TrunkBlock
from monitor.core.inputs import FloatArray, Input, Mark, Packet, Tick
from monitor.pipeline import Pipeline, drivers
from monitor.store.session_file import SessionReader, SessionWriter, new_header

SENSOR = "A"
WALL_AT_START_S = 1_790_000_000.0
COMMIT_INPUTS = 10_000
BLOCK_ROWS = 6_000
UPRIGHT = (np.sqrt(0.5), 0.0, -np.sqrt(0.5), 0.0)
"""Sensor x up: a mount that is right for nobody, so that every angle is computed."""


def session_file(hours: float) -> Path:
    """A recording of `hours` of simulated desk work, made where it is not there yet."""
    path = Path(tempfile.gettempdir()) / "supple-benchmarks" / f"desk-{hours:g}h.supple"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"making {path} ...", file=sys.stderr)
        _record(path.with_suffix(".partial"), hours)
        path.with_suffix(".partial").rename(path)
    return path


def _record(path: Path, hours: float) -> None:
    path.unlink(missing_ok=True)
    driver = drivers()["spine1"]
    writer = SessionWriter(
        path,
        new_header("simulated", "benchmark", WALL_AT_START_S, 0, "UTC"),
        lambda packet: driver.row_identity(packet.channel, packet.payload),
    )
    held: list[Input] = []
    for item in _inputs(hours * 3600):
        held.append(item)
        if len(held) == COMMIT_INPUTS:
            writer.append(held)
            writer.commit()
            held.clear()
    writer.append(held)
    writer.close()


def _inputs(duration_s: float) -> Iterator[Input]:
    sensor = {
        "sensor": SENSOR,
        "driver": "spine1",
        "role": "single",
        "placement": "lower_back",
        "primary": True,
    }
    mount = {
        "sensor": SENSOR,
        "quat": list(UPRIGHT),
        "quality": 1.0,
        "forward_known": True,
        "source": "benchmark",
    }
    yield Mark(0.0, "sensor", sensor)
    yield Mark(0.0, "mount", mount)
    second = 0
    for t_s, channel, payload in run_direct("desk", 0, duration_s):
        while second <= t_s:
            yield Tick(float(second), WALL_AT_START_S + second, 0, (SENSOR,))
            second += 1
        yield Packet(t_s, SENSOR, channel, payload)


def analysed(path: Path) -> tuple[float, int]:
    """(seconds, rows) of one pass of the whole pipeline over a session file."""
    start = time.perf_counter()
    pipeline = Pipeline()
    rows = 0
    with SessionReader(path) as reader:
        for inputs in reader.inputs(order="identity"):
            rows += sum(len(r) for r in pipeline.push(inputs) if isinstance(r, TrunkBlock))
        pipeline.close()
    return time.perf_counter() - start, rows


def decoded(path: Path) -> tuple[FloatArray, FloatArray]:
    """(gyr, acc) of all rows of a session file."""
    decoder = drivers()["spine1"].decoder(SENSOR)
    blocks = []
    with SessionReader(path) as reader:
        for inputs in reader.inputs():
            blocks += [b for b in decoder.push(inputs) if isinstance(b, ImuBlock) and b.gyr is not None]
    gyr = np.concatenate([b.gyr for b in blocks if b.gyr is not None])
    return np.ascontiguousarray(gyr), np.ascontiguousarray(np.concatenate([b.acc for b in blocks]))


def filtered(gyr: FloatArray, acc: FloatArray, block_rows: int) -> float:
    """Seconds the bare filter takes."""
    start = time.perf_counter()
    bare = VQF(0.01)
    for at in range(0, len(gyr), block_rows):
        bare.updateBatch(gyr[at : at + block_rows], acc[at : at + block_rows])
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument(
        "--memory-days", type=float, nargs="*", default=[1.0, 7.0], help="lengths for peak memory"
    )
    parser.add_argument("--repeat", type=int, default=5, help="so many passes; medians are given")
    parser.add_argument("--smoke", action="store_true", help="6 minutes, once, no memory runs")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        seconds, rows = analysed(options.alone)
        print(json.dumps({"seconds": seconds, "rows": rows, "peak_mb": peak_memory_mb()}))
        return
    hours, repeat = (0.1, 1) if options.smoke else (options.hours, options.repeat)
    path = session_file(hours)
    gyr, acc = decoded(path)
    # In turns, because the machine's speed drifts; medians, because its best moment is nobody's day. The pipeline in a
    # process of its own, as `analyze` is: this one holds half a gigabyte of rows for the filter.
    passes = [
        (_alone(path), filtered(gyr, acc, len(gyr)), filtered(gyr, acc, BLOCK_ROWS)) for _ in range(repeat)
    ]
    rows = int(passes[0][0]["rows"])
    whole = median(float(said["seconds"]) for said, _, _ in passes)
    one_call, blocks = median(p[1] for p in passes), median(p[2] for p in passes)
    table: list[dict[str, Cell]] = [
        _row("pipeline", hours, rows, whole, one_call),
        _row("vqf, one call", hours, len(gyr), one_call, one_call),
        _row(f"vqf, blocks of {BLOCK_ROWS}", hours, len(gyr), blocks, one_call),
    ]
    for days in [] if options.smoke else options.memory_days:
        said = _alone(session_file(24 * days))
        table.append(
            _row(
                f"pipeline, {days:g} d", 24 * days, int(said["rows"]), said["seconds"], None, said["peak_mb"]
            )
        )
    report("pipeline", table)


def _alone(path: Path) -> dict[str, float]:
    """`seconds`, `rows` and `peak_mb` of one pass over a session file in a fresh process."""
    command = [sys.executable, __file__, "--alone", str(path)]
    said: dict[str, float] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return said


def _row(
    what: str, hours: float, rows: int, seconds: float, filter_s: float | None, peak_mb: float | None = None
) -> dict[str, Cell]:
    return {
        "what": what,
        "hours": hours,
        "rows": rows,
        "seconds": seconds,
        "times_real": 3600 * hours / seconds,
        "times_vqf": seconds / filter_s if filter_s else None,
        "peak_mb": peak_mb,
    }


if __name__ == "__main__":
    main()
