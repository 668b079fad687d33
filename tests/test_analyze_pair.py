"""Two tables of one time base become one recording with the angles between its sensors; two that are no pair are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from firmware_sim.body import Wearer
from firmware_sim.imu import CHIPS, Imu
from firmware_sim.scenario import load
from monitor.core.quaternion import to_matrix
from monitor.sources.importers.pair import read_pair
from tests.door import Ask, asking, refused

SECONDS, START_S = 90.0, 7_000.0
AXES = {"upper_back": "upper", "lower_back": "lower"}
NAMES = ["t_s", *(f"acc_{a}_m_s2" for a in "xyz"), *(f"gyr_{a}_rad_s" for a in "xyz")]
PLANES = ("flexion", "lateral", "rotation")
LUMBAR = [*(f"lumbar_{plane}_deg" for plane in PLANES), *(f"lumbar_{plane}_sd_deg" for plane in PLANES)]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Upper and lower sensor of a wearer who bends, at their own rates, in body axes; the upper one 0.3 s later."""
    folder = tmp_path_factory.mktemp("pair")
    for placement, rate_hz, late_s in (("upper_back", 100.0, 0.3), ("lower_back", 50.0, 0.0)):
        write(folder / f"{AXES[placement]}.parquet", placement, rate_hz, late_s)
    return folder / "upper.parquet", folder / "lower.parquet"


def write(path: Path, placement: str, rate_hz: float, late_s: float, moved_s: float = 0.0) -> None:
    chip = CHIPS[load("mobility").sensor.chip]
    imu = Imu(Wearer(load("mobility"), 0), placement, chip, 0)
    t_s = late_s + np.arange(round((SECONDS - late_s) * rate_hz)) / rate_hz
    acc, gyr, _ = imu.sample(t_s)
    counts = 32768.0
    body = to_matrix(np.asarray(imu.mount, float))
    acc_si = acc * (chip.acc_full_scale_g * 9.80665 / counts) @ body.T
    gyr_si = gyr * (np.radians(chip.gyr_full_scale_deg_s) / counts) @ body.T
    columns = np.column_stack((t_s + START_S + moved_s, acc_si, gyr_si))
    pq.write_table(pa.table({name: columns[:, k] for k, name in enumerate(NAMES)}), path)


def test_a_pair_gives_the_lumbar_angles_of_the_wearer_in_its_own_time(
    ask: Ask, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    answer = ask("analyze", "--pair", *pair, "--out", tmp_path / "out", "--mount", "forward=+x,up=+z")
    assert answer.code == 0, answer
    table = pq.read_table(tmp_path / "out" / "upper.parquet")
    assert table.column_names[-6:] == LUMBAR
    t_s = table["t_s"].to_numpy()
    assert t_s[0] == pytest.approx(START_S) and len(t_s) == pytest.approx(SECONDS * 50, abs=3)
    flexion = table["lumbar_flexion_deg"].to_numpy(zero_copy_only=False).astype(float)
    sd = table["lumbar_flexion_sd_deg"].to_numpy(zero_copy_only=False).astype(float)
    assert (np.isfinite(sd) == np.isfinite(flexion)).all()
    assert np.nanmin(sd) > 0.5 * np.nanmin(table["flexion_sd_deg"].to_numpy(zero_copy_only=False))
    wearer = Wearer(load("mobility"), 0)
    upper, lower = (wearer.truth(t_s - START_S, placement).flexion_deg for placement in AXES)
    known = np.isfinite(flexion) & (t_s > START_S + 10)
    assert known.mean() > 0.8
    assert np.median(np.abs(flexion - (upper - lower))[known]) < 3.0
    assert np.ptp(flexion[known]) > 20.0
    summary = json.loads((tmp_path / "out" / "upper.json").read_text())
    assert summary["lower_file"] == "lower.parquet"
    assert [(s["role"], s["primary"]) for s in summary["sensors"]] == [("lower", True), ("upper", False)]


def test_each_of_the_two_may_have_axes_of_its_own(ask: Ask, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The lower one is worn upside down: its x and z point the other way."""
    upper, lower = pair
    turned = tmp_path / "lower.parquet"
    table = pq.read_table(lower)
    signs = {name: -1.0 for name in NAMES if "_x_" in name or "_z_" in name}
    columns = {name: table[name].to_numpy() * signs.get(name, 1.0) for name in NAMES}
    pq.write_table(pa.table(columns), turned)
    both = (
        "--pair",
        upper,
        turned,
        "--mount",
        "forward=+x,up=+z/forward=-x,up=-z",
        "--out",
        tmp_path / "own",
    )
    plain = ("--pair", *pair, "--mount", "forward=+x,up=+z", "--out", tmp_path / "same")
    assert (ask("analyze", *both).code, ask("analyze", *plain).code) == (0, 0)
    own, same = (
        pq.read_table(tmp_path / name / "upper.parquet")["lumbar_flexion_deg"]
        .to_numpy(zero_copy_only=False)
        .astype(float)
        for name in ("own", "same")
    )
    known = np.isfinite(same)
    assert known.mean() > 0.8
    assert own[known] == pytest.approx(same[known], abs=0.05)


def test_axes_of_two_are_refused_where_there_is_one(
    ask: Ask, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    answer = ask("analyze", pair[1], "--mount", "forward=+x,up=+z/forward=-x,up=-z", "--out", tmp_path / "o")
    assert answer.code != 0
    assert "names the axes of 2 sensors" in answer.out + answer.err


def test_a_warning_says_of_which_of_the_two_it_is(ask: Ask, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """A stand and a walk: where forward is, steps tell at the lower back only."""
    walk = [tmp_path / path.name for path in pair]
    for path, short in zip(pair, walk, strict=True):
        rows = pq.read_table(path)
        pq.write_table(rows.slice(0, round(len(rows) * 25 / SECONDS)), short)
    answer = ask("analyze", "--pair", *walk, "--out", tmp_path / "out")
    assert answer.code == 0, answer
    assert "upper.parquet: The upper sensor: Forward could not be found" in answer.err
    assert "The lower sensor: Forward" not in answer.err


def test_one_of_them_alone_has_no_such_columns(ask: Ask, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Negative control."""
    assert ask("analyze", pair[0], "--out", tmp_path / "out").code == 0
    assert not set(LUMBAR) & set(pq.read_table(tmp_path / "out" / "upper.parquet").column_names)


def test_the_rows_of_both_come_in_order_of_time(pair: tuple[Path, Path]) -> None:
    blocks = list(read_pair(*pair))
    assert [mark.value["sensor"] for mark in blocks[0]] == ["lower", "upper"]
    starts = [item.t_s[0] for block in blocks[1:] for item in block]
    assert starts == sorted(starts) and {item.sensor for block in blocks[1:] for item in block} == {
        "lower",
        "upper",
    }


def test_the_same_file_twice_is_refused_under_any_name(
    ask: Ask, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    link = tmp_path / "link.parquet"
    link.symlink_to(pair[0])
    for other in (pair[0], link):
        answer = ask("analyze", "--pair", pair[0], other, "--out", tmp_path / "out")
        assert answer.code == 2 and "as the upper and as the lower sensor" in answer.err


@pytest.mark.parametrize(("moved_s", "says"), [(500.0, "s apart"), (SECONDS - 1.0, "s in common")])
def test_two_that_do_not_overlap_are_refused_and_leave_nothing(
    ask: Ask, pair: tuple[Path, Path], tmp_path: Path, moved_s: float, says: str
) -> None:
    late = tmp_path / "late.parquet"
    write(late, "lower_back", 50.0, 0.0, moved_s)
    answer = ask("analyze", "--pair", pair[0], late, "--out", tmp_path / "out")
    assert answer.code == 2 and "not recorded at the same time" in answer.err and says in answer.err
    assert not list((tmp_path / "out").glob("*.parquet"))


def test_what_does_not_go_with_a_pair_is_refused(ask: Ask, pair: tuple[Path, Path], tmp_path: Path) -> None:
    out = ("--out", tmp_path / "out")
    refused(ask("analyze", "--pair", *pair, *out, "--placement", "waist"), 2, "--placement waist")
    refused(ask("analyze", "--pair", *pair, pair[0], *out), 2, "--pair comes with no other file")
    refused(ask("analyze", *out), 2, "nothing to analyse", "--pair UPPER LOWER")
    session = tmp_path / "two.supple"
    refused(ask("analyze", "--pair", session, pair[1], *out), 2, "two.supple is a session")
