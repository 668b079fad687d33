"""Timeline: an even grid, filled over short holes, ended by long ones."""

from __future__ import annotations

import numpy as np
import pytest
from laws import cut_breaches, merged, row_by_row, run, whole

from monitor.core.blocks import ImuBlock
from monitor.core.events import Fault, Gap
from monitor.motion.timeline import Timeline


def rows(t_s, rate_hz=None, gyr: bool = True, ok=None) -> ImuBlock:
    t_s = np.asarray(t_s, float)
    slope = np.stack((t_s, 2 * t_s, 9.81 + 0 * t_s), axis=1)
    ok = np.ones(len(t_s), bool) if ok is None else np.asarray(ok)
    return ImuBlock("A", t_s, slope, -slope if gyr else None, ok, rate_hz)


def timed(*items) -> list:
    """All that comes out, neighbouring blocks made one."""
    return merged(run(Timeline, [list(items)]))


def blocks(records) -> list[ImuBlock]:
    return [r for r in records if isinstance(r, ImuBlock)]


def joined(records) -> np.ndarray:
    return np.concatenate([b.t_s for b in blocks(records)])


def test_rows_on_an_even_grid_stay_as_they_are():
    t_s = 5.0 + np.arange(300) / 100
    (block,) = blocks(timed(rows(t_s, 100.0)))
    assert np.allclose(block.t_s, t_s) and block.ok.all() and block.rate_hz == 100.0


def test_a_straight_line_is_interpolated_exactly():
    t_s = np.sort(np.random.default_rng(1).uniform(0, 10, 1500))
    (block,) = blocks(timed(rows(t_s, 100.0)))
    assert np.allclose(block.acc[:, 1], 2 * block.t_s, atol=1e-9)
    assert np.allclose(block.gyr, -block.acc)
    assert np.allclose(np.diff(block.t_s), 0.01)


@pytest.mark.parametrize(
    "hz, want", [(20.0, 20.0), (49.45, 49.45), (99.26, 99.26), (300.0, 300.0), (8.0, 20.0), (400.0, 300.0)]
)
def test_an_undeclared_rate_is_measured_and_kept_between_20_and_300(hz, want):
    t_s = np.arange(round(6 * hz)) / hz + np.random.default_rng(2).uniform(-0.1, 0.1, round(6 * hz)) / hz
    block = blocks(timed(rows(t_s)))[0]
    assert block.rate_hz == pytest.approx(want, rel=0.02)


def test_a_rate_is_measured_through_a_hole_and_through_bursts():
    t_s = np.arange(200) / 50
    holed = np.concatenate((t_s[:40], t_s[60:] + 0.05))
    assert blocks(timed(rows(holed)))[0].rate_hz == pytest.approx(50.0)
    bursts = np.repeat(np.arange(40) * 0.08, 4) + np.tile(np.arange(4) * 1e-4, 40)
    assert blocks(timed(rows(bursts)))[0].rate_hz == pytest.approx(50.0, rel=0.05)


def test_a_short_hole_is_filled_and_not_ok():
    t_s = np.delete(np.arange(300) / 100, np.s_[100:115])
    (block,) = blocks(timed(rows(t_s, 100.0)))
    assert len(block) == 300
    assert np.flatnonzero(~block.ok).tolist() == list(range(100, 115))


def wave(t_s) -> ImuBlock:
    """A trunk that swings at 1 Hz; every value within 1."""
    t_s = np.asarray(t_s, float)
    swing = np.stack([np.sin(2 * np.pi * t_s + phase) for phase in (0.5, 1.0, 2.0)], axis=1)
    return ImuBlock("A", t_s, swing, -swing, np.ones(len(t_s), bool), 50.0)


def worst_in_a_hole(lost: int) -> float:
    """Largest error of the rows filled in where `lost` rows of a swing at 1 Hz, measured at 50 Hz, are missing."""
    full = np.arange(500) / 50
    worst = 0.0
    for at in range(100, 150):
        (block,) = blocks(timed(wave(np.delete(full, np.s_[at : at + lost]))))
        assert np.flatnonzero(~block.ok).tolist() == list(range(at, at + lost))
        worst = max(worst, np.abs(block.acc - wave(full).acc).max(), np.abs(block.gyr + block.acc).max())
    return worst


def test_one_or_two_lost_rows_of_a_swing_are_filled_ten_times_better_than_by_a_straight_line():
    line = {lost: (2 * np.pi * (lost + 1) / 50) ** 2 / 8 for lost in (1, 2, 4)}
    assert worst_in_a_hole(1) < 0.1 * line[1]
    assert worst_in_a_hole(2) < 0.1 * line[2]
    assert worst_in_a_hole(4) == pytest.approx(line[4], rel=0.1)


def test_holes_change_nothing_about_cutting():
    """Holes beside each other, at the start, before a gap and at the end."""
    t_s = np.arange(600) / 50
    dice = np.random.default_rng(8)
    kept = dice.uniform(size=600) > 0.2
    kept[[1, 3, 298]] = False
    kept[[0, 2, 4, 299, 597, 599]] = True
    kept[598] = False
    t_s[300:] += 0.5
    for rate_hz in (50.0, None):
        block = wave(t_s[kept])
        stream = [ImuBlock("A", block.t_s, block.acc, block.gyr, block.ok, rate_hz)]
        assert cut_breaches(Timeline, {"whole": whole(stream), "rows": row_by_row(stream)}) == []


def test_the_rows_of_a_hole_wait_for_two_rows_behind_it():
    t_s = np.delete(np.arange(60) / 50, 50)
    reached = [joined(Timeline().push([wave(t_s[:n])]))[-1] for n in (51, 52, 53)]
    assert reached == pytest.approx([0.98, 0.98, 1.04])


def test_rows_beside_a_bad_row_are_not_ok_and_their_number_is_small():
    ok = np.ones(300, bool)
    ok[50] = False
    (block,) = blocks(timed(rows(np.arange(300) / 100 + 0.003, 100.0, ok=ok)))
    assert not block.ok[50] and 1 <= (~block.ok).sum() <= 2


def test_a_long_hole_is_a_gap_and_a_new_grid():
    t_s = np.concatenate((np.arange(100) / 100, 1.5034 + np.arange(100) / 100))
    first, gap, second = timed(rows(t_s, 100.0))
    assert gap == Gap("A", 0.99, 1.5034, "missing")
    assert (len(first), len(second)) == (100, 100)
    assert second.t_s[0] == 1.5034


def test_a_gap_from_before_ends_the_grid_and_passes_in_its_place():
    reboot = Gap("A", 0.99, 1.0, "reboot")
    first, gap, second = timed(
        rows(np.arange(100) / 100, 100.0), reboot, rows(1.0 + np.arange(50) / 100, 100.0)
    )
    assert gap is reboot and (len(first), len(second)) == (100, 50)


@pytest.mark.parametrize("stray, at", [(-5.0, 0), (0.98, 1), (1.0, 0), (3600.0, 1)])
def test_a_stray_stamp_is_dropped_and_counted(stray, at):
    """Backwards, repeated, or an hour ahead for one row: the others stay."""
    t_s = np.insert(np.arange(200) / 100, 101, stray)
    records = timed(rows(t_s, 100.0))
    assert len(joined(records)) == 200
    assert [r for r in records if isinstance(r, Fault)] == [Fault("A", stray, "stray", 1)]
    assert not [r for r in records if isinstance(r, Gap)]


def test_strays_change_nothing_about_cutting():
    dice = np.random.default_rng(5)
    t_s = np.arange(1500) / 100 + dice.uniform(-0.004, 0.004, 1500)
    t_s[700:] += 0.4
    for at, by in ((3, 50.0), (90, -1.0), (300, 7.0), (301, 7.0), (500, -0.2), (900, 0.15)):
        t_s[at] += by
    for rate in (100.0, None):
        stream = [rows(t_s, rate)]
        assert cut_breaches(Timeline, {"whole": whole(stream), "rows": row_by_row(stream)}) == []


def test_another_rate_starts_a_new_grid_after_a_gap():
    records = timed(rows(np.arange(100) / 100, 100.0), rows(1.0 + np.arange(50) / 50, 50.0))
    assert [type(r) for r in records] == [ImuBlock, Gap, ImuBlock]
    assert [b.rate_hz for b in blocks(records)] == [100.0, 50.0]


def test_losing_the_gyroscope_starts_a_new_grid_after_a_gap():
    records = timed(rows(np.arange(100) / 100, 100.0), rows(1.0 + np.arange(50) / 100, 100.0, gyr=False))
    assert [type(r) for r in records] == [ImuBlock, Gap, ImuBlock]


def test_only_one_row_and_its_grid_point_are_held_back():
    stage = Timeline()
    out = stage.push([rows(np.arange(100) / 100, 100.0)])
    assert joined(out)[-1] == pytest.approx(0.98)
    assert joined(stage.close()).tolist() == pytest.approx([0.99])


def test_a_single_row_survives():
    (block,) = blocks(timed(rows([3.0])))
    assert block.t_s.tolist() == [3.0]


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 204.8])
@pytest.mark.parametrize("declared", [True, False])
def test_an_evenly_sampled_file_keeps_every_row(rate_hz: float, declared: bool):
    t_s = 3.7 + np.arange(6000) / rate_hz
    (block,) = blocks(timed(rows(t_s, rate_hz if declared else None)))
    assert len(block) == 6000 and block.ok.all()
