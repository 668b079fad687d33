"""A sensor's calibration is kept under its serial, whole or not at all, with the capture it was fitted from."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.core.errors import StorageError
from monitor.store.profiles import (
    WORN_C,
    Pose,
    Profile,
    find_profile,
    keep_profile,
    profile_paths,
    read_profile,
    written,
)

PROFILE = Profile(
    serial="C0:01:02:03:04:05",
    driver="witmotion",
    made_wall_s=1.7e9,
    program_version="1",
    acc_matrix=((1.05, 0.0, 0.0), (0.0, 0.95, 0.001), (0.0, 0.001, 1.0)),
    acc_bias_m_s2=(0.4, -0.4, 0.1),
    gyr_bias_rad_s=(0.01, -0.02, 0.0),
    gyr_bias_rad_s_per_k=(0.001, 0.0, -0.001),
    temperature_c=(20.0, 26.0),
    residual_m_s2=0.004,
    before_m_s2=0.4,
    worst_share=0.002,
    capture="C0-01-02-03-04-05.csv",
    poses=(
        Pose(1.0, 4.0, (0.0, 0.0, 9.8), (0.01, 0.0, 0.0), 20.0),
        Pose(6.0, 9.0, (9.8, 0.0, 0.0), None, None),
    ),
    rests=((20.0, (0.01, 0.0, 0.0)), (None, (0.01, 0.0, 0.0))),
)


def test_what_is_kept_is_found_again_by_the_serial_alone(tmp_path: Path) -> None:
    path = keep_profile(tmp_path, PROFILE, "t_s\n")
    assert find_profile(tmp_path, PROFILE.serial) == PROFILE == read_profile(path)
    assert find_profile(tmp_path, "C0:01:02:03:04:06") is None
    assert profile_paths(tmp_path, PROFILE.serial)[1].read_text() == "t_s\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_serials_that_share_a_file_name_are_not_mixed_up(tmp_path: Path) -> None:
    keep_profile(tmp_path, PROFILE, "")
    assert profile_paths(tmp_path, "C0-01-02-03-04-05") == profile_paths(tmp_path, PROFILE.serial)
    assert find_profile(tmp_path, "C0-01-02-03-04-05") is None


def test_a_new_calibration_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    keep_profile(tmp_path, PROFILE, "old")
    newer = replace(PROFILE, made_wall_s=1.8e9)
    keep_profile(tmp_path, newer, "new")
    assert find_profile(tmp_path, PROFILE.serial) == newer
    assert len(list((tmp_path / "calibrations").iterdir())) == 2


def broken(change: str) -> bytes:
    table = json.loads(written(PROFILE))
    match change:
        case "not json":
            return b"{"
        case "newer":
            table["format"] = 2
        case "nan":
            table["acc_bias_m_s2"][0] = float("nan")
        case "short":
            table["acc_matrix"].pop()
        case "unknown":
            table["more"] = 1
        case "huge":
            table["driver"] = "x" * 200_000
    return json.dumps(table).encode()


@pytest.mark.parametrize("change", ["not json", "newer", "nan", "short", "unknown", "huge"])
def test_a_damaged_profile_is_named_and_never_half_used(tmp_path: Path, change: str) -> None:
    path = keep_profile(tmp_path, PROFILE, "")
    path.write_bytes(broken(change))
    with pytest.raises(StorageError) as refused:
        find_profile(tmp_path, PROFILE.serial)
    assert str(path) in refused.value.sentence and "supple calibrate sensor" in refused.value.next_step


def test_the_gyroscopes_bias_in_use_is_that_at_the_warmest_that_was_seen(tmp_path: Path) -> None:
    assert PROFILE.temperature_c is not None and PROFILE.temperature_c[1] < WORN_C
    assert PROFILE.worn_gyr_bias_rad_s() == pytest.approx((0.013, -0.02, -0.003))
    wide = replace(PROFILE, temperature_c=(20.0, 40.0))
    assert wide.worn_gyr_bias_rad_s() == pytest.approx((0.012, -0.02, -0.002))
    assert replace(PROFILE, gyr_bias_rad_s_per_k=None).worn_gyr_bias_rad_s() == PROFILE.gyr_bias_rad_s


def test_the_mark_of_a_session_holds_what_is_in_force_and_from_when(tmp_path: Path) -> None:
    value = PROFILE.mark_value("A")
    assert value["sensor"] == "A" and value["serial"] == PROFILE.serial and value["made_wall_s"] == 1.7e9
    assert value["acc_matrix"][0] == [1.05, 0.0, 0.0]
    assert json.loads(json.dumps(value)) == value
