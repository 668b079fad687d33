"""The final pass: what the whole record would give, in windows; under the mount in force; nothing lost, nothing late but rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from laws import (
    alone,
    at_random,
    cut_breaches,
    merged,
    purity_breaches,
    read_only,
    replay_breaches,
    run,
    silence_breaches,
    whole,
)
from motion_fixtures import SENSOR_TO_BODY, bump, measured, mount_mark, trunk
from scipy.spatial.transform import Rotation
from vqf import offlineVQF

from monitor.core.blocks import ImuBlock, TrunkBlock, take
from monitor.core.events import Gap, Notice
from monitor.core.quaternion import up_in_source
from monitor.motion.angles import TrunkAngles
from monitor.motion.offline import OfflineAngles
from monitor.motion.orient import Orient

RATE_HZ = 50.0


def worn(seconds: float, gyr: bool = True) -> tuple[Rotation, ImuBlock]:
    """A trunk that never rests for long, under a gyroscope with a bias; the truth beside the rows."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    dice = np.random.default_rng(3)
    flexion, lateral = 12 * np.sin(0.7 * t), 6 * np.sin(1.1 * t + 1)
    for start in np.arange(2.0, seconds - 5, 9.0):
        flexion = flexion + bump(t, start, start + 3, dice.uniform(-20, 70))
    body = trunk(flexion, lateral, 20 * np.sin(0.2 * t), len(t))
    shake = np.stack([np.sin(2.1 * t + k) for k in range(3)], axis=1) * (0.8, 0.5, 0.3)
    return body, measured(body, RATE_HZ, extra=shake, bias=np.radians((0.4, -0.3, 0.2)), gyr=gyr)


def angles(block: ImuBlock, *before, pieces: int = 7) -> list:
    """Records of the causal angles, cut in blocks, as the pipeline gives them."""
    out, stage, orient = [], TrunkAngles("A"), Orient()
    for part in np.array_split(np.arange(len(block)), pieces):
        rows = orient.push([take(block, slice(int(part[0]), int(part[-1]) + 1))])
        out += [r for r in stage.push([*before, *rows]) if not hasattr(r, "kind")]
        before = ()
    return out + stage.close()


def rows_of(records) -> TrunkBlock:
    (block,) = merged([r for r in records if isinstance(r, TrunkBlock)])
    return block


def off_deg(block: TrunkBlock, body: Rotation) -> np.ndarray:
    truth = body.inv().apply((0.0, 0.0, 1.0))
    return np.degrees(np.arccos(np.clip(np.einsum("ij,ij->i", block.up, truth), -1, 1)))


def test_the_final_pass_is_nearer_the_truth_than_the_live_angles():
    body, imu = worn(120.0)
    records = angles(imu, mount_mark())
    live, late = rows_of(records), rows_of(run(OfflineAngles, [records]))
    assert np.array_equal(live.t_s, late.t_s)
    rms = [np.sqrt(np.mean(off_deg(block, body) ** 2)) for block in (live, late)]
    assert rms[1] < 0.6 * rms[0]


def test_windows_give_what_the_whole_record_gives_and_short_overlaps_do_not():
    _, imu = worn(1500.0)
    records = angles(imu, mount_mark(), pieces=40)
    together = rows_of(run(lambda: OfflineAngles(10_000.0, 300.0), [records]))

    def seam_deg(window_s: float, overlap_s: float) -> float:
        cut = rows_of(run(lambda: OfflineAngles(window_s, overlap_s), [records]))
        assert len(cut) == len(together)
        chord = np.sqrt(((cut.up - together.up) ** 2).sum(axis=1))
        return float(np.degrees(chord.max()))

    assert seam_deg(600.0, 300.0) < 0.02
    assert seam_deg(120.0, 10.0) > 0.05, "else the claim above says nothing"


def test_the_heading_has_no_jump_at_a_seam_and_the_filter_is_the_one_of_the_library():
    _, imu = worn(200.0)
    records = angles(imu, mount_mark())
    late = rows_of(run(lambda: OfflineAngles(60.0, 30.0), [records]))
    turned = Rotation.from_quat(late.quat, scalar_first=True)
    steps = np.degrees((turned[:-1].inv() * turned[1:]).magnitude()) * RATE_HZ
    assert steps.max() < 1.2 * np.degrees(np.sqrt((imu.gyr**2).sum(axis=1))).max()
    plain = offlineVQF(np.ascontiguousarray(imu.gyr), np.ascontiguousarray(imu.acc), None, 1 / RATE_HZ)[
        "quat6D"
    ]
    up = SENSOR_TO_BODY.apply(up_in_source(plain))
    assert np.degrees(np.sqrt(((late.up - up) ** 2).sum(axis=1))).mean() < 0.3


def test_a_new_mount_is_no_seam_and_counts_from_its_own_row():
    body, imu = worn(100.0)
    other = Rotation.from_euler("Y", 15, degrees=True) * SENSOR_TO_BODY
    half = len(imu) // 2
    pose = Orient().push([imu])[0]
    stage = TrunkAngles("A")
    records = stage.push([mount_mark(), take(pose, slice(0, half))])
    records += stage.push([mount_mark(other), take(pose, slice(half, None))])
    records = [r for r in records if not hasattr(r, "kind")]
    late = rows_of(run(OfflineAngles, [records]))
    assert off_deg(take(late, slice(500, half)), body[500:half]).max() < 1.0
    back = Rotation.from_euler("Y", -15, degrees=True).apply(late.up[half:].copy())
    truth = body[half:].inv().apply((0.0, 0.0, 1.0))
    assert np.degrees(np.sqrt(((back - truth) ** 2).sum(axis=1)))[:-200].max() < 1.0


def test_what_was_told_live_stands_beside():
    _, imu = worn(30.0)
    records = angles(imu, mount_mark())
    live, late = rows_of(records), rows_of(run(OfflineAngles, [records]))
    assert np.array_equal(late.live_deg[:, 0], live.inclination_deg)
    assert np.array_equal(late.live_deg[:, 1], live.flexion_deg)
    assert np.array_equal(late.rotation_deg, live.rotation_deg, equal_nan=True)
    assert not np.array_equal(late.flexion_deg, live.flexion_deg)


def test_without_a_mount_the_quaternions_are_refined_and_the_angles_stay_unknown():
    body, imu = worn(60.0)
    late = rows_of(run(OfflineAngles, [angles(imu)]))
    assert np.isnan(late.inclination_deg).all()
    truth = (body * SENSOR_TO_BODY).inv().apply((0.0, 0.0, 1.0))
    assert np.degrees(np.sqrt(((late.up - truth) ** 2).sum(axis=1))).mean() < 0.6


@pytest.mark.parametrize("seconds, gyr", [(1.5, True), (30.0, False)])
def test_short_pieces_and_rows_without_a_gyroscope_stay_as_they_were(seconds, gyr):
    _, imu = worn(30.0, gyr=gyr)
    records = angles(take(imu, slice(0, round(seconds * RATE_HZ))), mount_mark())
    live, late = rows_of(records), rows_of(run(OfflineAngles, [records]))
    assert np.array_equal(live.up, late.up)
    assert np.array_equal(live.flexion_deg, late.flexion_deg)


def test_a_gap_gives_out_what_was_held_and_everything_else_passes_at_once():
    _, imu = worn(40.0)
    records = angles(imu, mount_mark())
    notice, gap = Notice(1.0, "a", "A sentence."), Gap("A", 40.0, 41.0, "missing")
    stage = OfflineAngles()
    assert stage.push([*records, notice]) == [records[0], notice]
    given = stage.push([Gap("B", 0.0, 1.0, "missing"), gap])
    assert isinstance(given[0], Gap) and given[-1] is gap
    assert sum(len(r) for r in given if isinstance(r, TrunkBlock)) == len(imu)
    assert stage.close() == []


def test_the_four_laws_are_kept():
    _, imu = worn(100.0)
    late = replace(imu, t_s=imu.t_s + 101.0)
    stream = [*angles(imu, mount_mark()), Gap("A", 100.0, 101.0, "missing"), *angles(late, mount_mark())[1:]]
    ways = {"whole": whole(stream), "alone": alone(stream)} | {str(s): at_random(stream, s) for s in (1, 2)}
    assert cut_breaches(lambda: OfflineAngles(20.0, 10.0), ways) == []
    pushes = at_random(read_only(stream), 3)
    build = lambda: OfflineAngles(20.0, 10.0)  # noqa: E731
    assert [
        silence_breaches(build, pushes),
        purity_breaches(build, pushes),
        replay_breaches(build, pushes),
    ] == [[]] * 3
