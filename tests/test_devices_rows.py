"""Imported rows: bad ones never go on."""

from __future__ import annotations

import numpy as np
import pytest
from laws import run

from monitor.core.blocks import ImuBlock
from monitor.core.events import Beat, Fault
from monitor.core.inputs import Rows, Tick
from monitor.devices.rows import DRIVER, RowsDecoder


def imported(n: int = 10, gyr: bool = True) -> Rows:
    return Rows("A", np.arange(n) / 50, np.ones((n, 3)), np.ones((n, 3)) if gyr else None)


def decoded(*items) -> list:
    return run(lambda: RowsDecoder("A"), [list(items)])


@pytest.mark.parametrize("column", ["t_s", "acc", "gyr"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_with_nan_or_infinity_are_dropped_and_counted_per_run(column, value):
    rows = imported()
    getattr(rows, column)[3:6] = value
    getattr(rows, column)[9] = value
    first, fault, second, last = decoded(rows)
    assert (len(first), len(second)) == (3, 3)
    assert fault == Fault("A", 0.04, "nan", 3)
    assert last == Fault("A", 0.16, "nan", 1)
    assert np.isfinite(first.acc).all() and np.isfinite(second.t_s).all()


def test_a_file_without_gyroscope_stays_without():
    (block,) = decoded(imported(gyr=False))
    assert isinstance(block, ImuBlock) and block.gyr is None and block.rate_hz is None


def test_the_importers_arrays_stay_writable_and_the_blocks_do_not():
    rows = imported()
    (block,) = decoded(rows)
    assert rows.t_s.flags.writeable and not block.t_s.flags.writeable


def test_single_precision_becomes_double():
    rows = Rows("A", np.arange(5.0), np.ones((5, 3), np.float32), np.ones((5, 3), np.float32))  # type: ignore[arg-type]
    (block,) = decoded(rows)
    assert block.acc.dtype == block.gyr.dtype == np.float64


def test_a_beat_carries_the_last_row():
    beat = decoded(imported(), Tick(1.0, 0.0, 0, ()))[1]
    assert isinstance(beat, Beat) and beat.data_s == 0.18


def test_no_advertisement_is_a_file():
    assert DRIVER.matches(None) is False  # type: ignore[arg-type]
