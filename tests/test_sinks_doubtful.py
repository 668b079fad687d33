"""What was measured between a slip and its detection counts for nothing, and is marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.core.blocks import TrunkBlock
from monitor.core.events import Direction, Movement, Posture, SittingBout, Slip, SlipKind
from monitor.core.inputs import Mark
from monitor.sinks import tables as tables_module
from monitor.sinks.tables import TableSink

SENSOR = Mark(0.0, "sensor", {"sensor": "A", "primary": True})


def minutes(first: int, count: int, inclination_deg: float) -> TrunkBlock:
    t_s = 60.0 * first + np.arange(count * 600) / 10.0
    n = len(t_s)
    tilt, wide = np.full(n, inclination_deg), np.zeros((n, 3))
    columns = (
        "A",
        t_s,
        np.zeros((n, 4)),
        wide,
        tilt,
        tilt,
        tilt,
        tilt,
        wide,
        wide,
        tilt,
        np.ones(n, bool),
        10.0,
    )
    return TrunkBlock(*columns)


def bend(at_s: float, peak_deg: float, returned: bool = True) -> Movement:
    names = Movement.__dataclass_fields__
    values: dict[str, Any] = dict.fromkeys(names, 1.0)
    values |= {"direction": Direction.FLEXION, "start_s": at_s, "end_s": at_s + 4.0, "peak_deg": peak_deg}
    values |= {"decided_s": at_s + 5.0, "state": Posture.STANDING, "returned": returned}
    return Movement(**values)


def slip(from_s: float, decided_s: float, sensor: str = "A") -> Slip:
    return Slip(sensor, decided_s - 15.0, from_s, 9.0, SlipKind.SLIPPED, decided_s)


def told(folder: Path, *pushes: list[Any]) -> dict[str, Any]:
    sink = TableSink(folder, "a", {})
    sink.push([SENSOR])
    for records in pushes:
        sink.push(records)
    sink.close()
    found: dict[str, Any] = json.loads((folder / "a.json").read_text())
    return found


MORNING = [minutes(0, 10, 10.0), bend(100.0, 50.0), SittingBout(60.0, 300.0, 0.0, False, 320.0)]
WRONG = [minutes(10, 5, 40.0), bend(700.0, 80.0), SittingBout(620.0, 800.0, 0.0, False, 820.0)]
AFTER = [minutes(15, 5, 12.0)]


@pytest.mark.parametrize("row_group_rows", [1, 10**9])
def test_ranges_and_movements_leave_out_what_a_slip_makes_doubtful(
    row_group_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the rows were grouped: those written long before the slip was found are taken out again."""
    monkeypatch.setattr(tables_module, "ROW_GROUP_ROWS", row_group_rows)
    found = told(tmp_path, MORNING, WRONG, [slip(605.0, 899.0)], AFTER)
    assert found["ranges"]["inclination_deg"]["max"] == pytest.approx(12.0, abs=0.1)
    assert found["movements"]["flexion"] == {
        "count": 1,
        "returned": 1,
        "median_peak_deg": 50.0,
        "max_peak_deg": 50.0,
    }
    assert [bout["doubtful"] for bout in found["bouts"]] == [False, True]
    (said,) = found["slips"]
    assert (said["from_s"], said["decided_s"], said["slip"]) == (605.0, 899.0, "slipped")
    assert found["rows"] == 12_000


def test_without_a_slip_all_of_it_counts(tmp_path: Path) -> None:
    found = told(tmp_path, MORNING, WRONG, AFTER)
    assert found["ranges"]["inclination_deg"]["max"] == pytest.approx(40.0, abs=0.1)
    assert found["movements"]["flexion"]["count"] == 2
    assert found["slips"] == []


def test_a_slip_of_the_other_sensor_is_told_and_takes_nothing_away(tmp_path: Path) -> None:
    found = told(tmp_path, MORNING, WRONG, [slip(605.0, 899.0, sensor="B")], AFTER)
    assert found["ranges"]["inclination_deg"]["max"] == pytest.approx(40.0, abs=0.1)
    assert found["slips"][0]["sensor"] == "B"


def test_a_way_down_to_the_floor_counts_but_is_no_range_of_motion(tmp_path: Path) -> None:
    found = told(tmp_path, [*MORNING, bend(200.0, 89.0, returned=False)])["movements"]["flexion"]
    assert (found["count"], found["returned"], found["max_peak_deg"]) == (2, 1, 50.0)
    found = told(tmp_path, [minutes(0, 10, 10.0), bend(200.0, 89.0, returned=False)])["movements"]["flexion"]
    assert (found["count"], found["median_peak_deg"], found["max_peak_deg"]) == (1, None, None)
