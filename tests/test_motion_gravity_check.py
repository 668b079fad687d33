"""Drift of the accelerometer's calibration is noticed at rest: late, once, and not in those that are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from laws import alone, cut_breaches, cuts, row_by_row, silence_breaches, whole

from monitor.core.blocks import ImuBlock, freeze
from monitor.core.events import Gap, Notice, Record
from monitor.core.inputs import Mark
from monitor.motion.chip.gravity_check import (
    DRIFT_SHARE,
    FRAME_LOOKS,
    LONG_FRAMES,
    LOOK_S,
    UNTRIMMED_SHARE,
    GravityCheck,
)

G = 9.80665
RATE_HZ = 50.0
CALIBRATED = Mark(
    0.0,
    "device_calibration",
    {
        "sensor": "A",
        "acc_matrix": np.eye(3).tolist(),
        "acc_bias_m_s2": [0, 0, 0],
        "gyr_bias_rad_s": [0, 0, 0],
    },
)


def rows(
    share: float,
    seconds: float = 400.0,
    acc_noise: float = 0.05,
    rate_rad_s: float = 0.01,
    start_s: float = 0.0,
    gyroscope: bool = True,
) -> list[ImuBlock]:
    """Blocks of 6 s of a sensor that reads gravity times 1 + share, lying askew."""
    dice = np.random.default_rng(3)
    n = round(seconds * RATE_HZ)
    t_s = start_s + np.arange(n) / RATE_HZ
    up = np.array((0.6, -0.48, 0.64))
    acc = G * (1.0 + share) * up + acc_noise * dice.standard_normal((n, 3))
    gyr = rate_rad_s * dice.standard_normal((n, 3)) if gyroscope else None
    return [
        freeze(
            ImuBlock(
                "A",
                t_s[k : k + 300],
                acc[k : k + 300],
                None if gyr is None else gyr[k : k + 300],
                np.ones(len(t_s[k : k + 300]), dtype=bool),
                RATE_HZ,
            )
        )
        for k in range(0, n, 300)
    ]


def notices(items: Sequence[Record]) -> list[Notice]:
    check = GravityCheck()
    return [out for item in items for out in check.push([item]) if isinstance(out, Notice)]


@pytest.mark.parametrize("share", [0.013, -0.013])
def test_a_calibrated_sensor_that_drifted_is_told_of_once_after_two_quiet_minutes(share: float) -> None:
    (notice,) = notices([CALIBRATED, *rows(share)])
    assert notice.id == "gravity_off" and notice.sensor == "A"
    assert notice.t_s == pytest.approx(LONG_FRAMES * FRAME_LOOKS * LOOK_S, abs=1.0)
    assert "1.3 %" in notice.text and ("more" if share > 0 else "less") in notice.text
    assert "supple calibrate sensor" in notice.text


def test_what_is_right_within_its_limit_is_left_in_peace() -> None:
    assert notices([CALIBRATED, *rows(0.8 * DRIFT_SHARE)]) == []
    assert notices(rows(0.9 * UNTRIMMED_SHARE)) == [], "an uncalibrated chip is allowed what data sheets are"
    assert len(notices(rows(1.2 * UNTRIMMED_SHARE))) == 1


@pytest.mark.parametrize("moving", [{"acc_noise": 0.5}, {"rate_rad_s": 0.2}])
def test_only_rest_is_judged(moving: dict[str, float]) -> None:
    assert notices([CALIBRATED, *rows(0.05, **moving)]) == []


def test_rows_that_were_not_measured_do_not_count() -> None:
    blocks = rows(0.05)
    filled = [ImuBlock(b.sensor, b.t_s, b.acc, b.gyr, np.arange(len(b)) % 50 != 0, b.rate_hz) for b in blocks]
    assert notices([CALIBRATED, *filled]) == []


def test_a_new_calibration_is_judged_anew() -> None:
    again = [*rows(0.02), CALIBRATED, *rows(0.02, start_s=400.0)]
    assert len(notices([CALIBRATED, *again])) == 2
    fixed = [*rows(0.02), CALIBRATED, *rows(0.001, start_s=400.0)]
    assert len(notices([CALIBRATED, *fixed])) == 1


def test_without_a_gyroscope_the_accelerometer_alone_says_when_it_rests() -> None:
    assert len(notices([CALIBRATED, *rows(0.02, gyroscope=False)])) == 1


@pytest.mark.parametrize("gap_s", [0.5, 30.0])
def test_the_notice_has_its_place_in_any_cutting(gap_s: float) -> None:
    first, second = rows(0.02, 70.0), rows(0.02, 110.0, start_s=70.0 + gap_s)
    stream: list[Record] = [CALIBRATED, *first, Gap("A", 70.0, 70.0 + gap_s, "missing"), *second]
    assert len(notices(stream)) == 1
    assert cut_breaches(GravityCheck, cuts(stream)) == []
    assert cut_breaches(GravityCheck, {"whole": whole(stream), "row by row": row_by_row(stream)}) == []
    assert silence_breaches(GravityCheck, alone(stream)) == []


def test_what_comes_in_goes_out() -> None:
    stream = [CALIBRATED, *rows(0.02)]
    out = [item for item in GravityCheck().push(stream) if isinstance(item, ImuBlock)]
    joined = np.concatenate([block.acc for block in out])
    assert np.array_equal(joined, np.concatenate([b.acc for b in stream if isinstance(b, ImuBlock)]))
