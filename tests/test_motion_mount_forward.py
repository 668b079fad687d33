"""Forward: every witness counts by what it is worth, signs are never guessed, and what is said of the error is so."""

from __future__ import annotations

import numpy as np
import pytest
from motion_fixtures import SENSOR_TO_BODY, bump, exact_pose, trunk
from scipy.spatial.transform import Rotation

from monitor.core.errors import MountError
from monitor.motion.mount.find import Mount, find_mount
from monitor.motion.mount.forward import MAX_FORWARD_SD_DEG
from monitor.motion.mount.witness import Witness, agreed

RATE_HZ = 50.0


def seconds(duration: float) -> np.ndarray:
    return np.arange(round(duration * RATE_HZ)) / RATE_HZ


def steps(duration=10.0, lead_deg=98.0, turned_deg=0.0, sway_turned_deg=0.0, size=1.0, forward=1.2):
    """Walking: the steps' forward and the stride's sideways acceleration, each about the vertical turned to the left."""
    t = seconds(duration)
    turn = 2 * np.pi * 1.8 * t
    ahead = forward * np.cos(turn + np.radians(lead_deg))
    sideways = 0.9 * np.cos(turn / 2 + 0.5)
    a, b = np.radians(turned_deg), np.radians(sway_turned_deg)
    x = ahead * np.cos(a) - sideways * np.sin(b)
    y = ahead * np.sin(a) + sideways * np.cos(b)
    return trunk(0.0, 0.0, 0.0, len(t)), size * np.stack((x, y, 2.0 * np.cos(turn)), axis=1)


def walking(**how):
    body, extra = steps(**how)
    return exact_pose(body, RATE_HZ, extra=extra)


def standing(*leans: tuple[float, float], move_s: float = 3.0):
    """Standing still, and a lean of 40 deg for each (degrees of way to the left of forward, share of 40 deg)."""
    t = seconds(4.0 + (move_s + 2.0) * len(leans))
    tilt = [
        share * bump(t, *(4.0 + i * (move_s + 2.0) + np.array((0, move_s))), 40.0)
        for i, (_, share) in enumerate(leans)
    ]
    way = [np.radians(degrees) for degrees, _ in leans]
    flexion = sum((h * np.cos(w) for h, w in zip(tilt, way, strict=True)), 0.0 * t)
    lateral = -sum((h * np.sin(w) for h, w in zip(tilt, way, strict=True)), 0.0 * t)
    return exact_pose(trunk(flexion, lateral, 0.0, len(t)), RATE_HZ)


def off_deg(mount: Mount) -> float:
    """How far to the left of true forward the found one is, -180..180."""
    to_body = SENSOR_TO_BODY * Rotation.from_quat(mount.quat, scalar_first=True).inv()
    x, y, _ = to_body.apply((1.0, 0.0, 0.0))
    return float(np.degrees(np.arctan2(y, x)))


def refusal(poses, placement="lower_back") -> MountError:
    with pytest.raises(MountError) as raised:
        find_mount(poses, placement)
    return raised.value


@pytest.mark.parametrize("lead_deg", range(60, 141, 10))
@pytest.mark.parametrize("placement", ["lower_back", "waist"])
def test_the_sign_and_the_axis_hold_over_the_leads_that_people_have(lead_deg, placement):
    mount = find_mount([walking(lead_deg=lead_deg)], placement)
    assert abs(off_deg(mount)) < 1.0


@pytest.mark.parametrize("lead_deg", [8.0, 40.0, 160.0, 188.0, 206.0, 350.0])
def test_a_lead_that_tells_no_sign_is_refused_and_says_so(lead_deg):
    refused = refusal([walking(lead_deg=lead_deg)])
    assert refused.datum == "disagree" and "walking forward" in refused.sentence


def test_a_walk_of_five_seconds_is_enough_and_one_of_a_second_and_a_half_is_not():
    assert abs(off_deg(find_mount([standing(), walking(duration=5.0), standing()], "lower_back"))) < 3.0
    assert refusal([standing(), walking(duration=1.5), standing()]).datum == "no_forward"


def test_at_the_lower_back_the_sway_corrects_the_steps_and_at_the_waist_it_is_not_asked():
    turned = {"turned_deg": 6.0, "sway_turned_deg": -6.0}
    at_back = off_deg(find_mount([walking(**turned)], "lower_back"))
    assert abs(at_back) < 1.0
    assert off_deg(find_mount([walking(**turned)], "waist")) == pytest.approx(6.0, abs=0.5)


@pytest.mark.parametrize("placement, least_deg", [("lower_back", 4.0), ("waist", 6.0)])
def test_however_long_and_even_a_walk_is_people_differ_in_how_they_go(placement, least_deg):
    """What averaging steps cannot take away is in the deviation."""
    assert least_deg < find_mount([walking(duration=60.0)], placement).forward_sd_deg < least_deg + 3.0


def test_who_asks_for_more_than_a_walk_can_tell_is_told_to_bend():
    with pytest.raises(MountError) as raised:
        find_mount([walking()], "waist", most_sd_deg=5.0)
    assert raised.value.datum == "disagree" and "bend straight forward" in raised.value.next_step
    both = [walking(), standing((0.0, 1.0), (0.0, 1.0))]
    assert find_mount(both, "waist", most_sd_deg=5.0).forward_sd_deg < 5.0


def test_a_sway_far_from_square_to_the_steps_makes_forward_less_sure():
    even, skewed = (
        find_mount([walking(turned_deg=-a, sway_turned_deg=a)], "lower_back") for a in (0.0, 12.0)
    )
    assert abs(off_deg(skewed)) < 1.5
    assert skewed.forward_sd_deg > 1.3 * even.forward_sd_deg


def test_bends_shrink_the_error_of_walking():
    walk, bends = walking(turned_deg=8.0), standing((0.0, 1.0), (0.0, 1.2))
    alone, both = find_mount([walk], "waist"), find_mount([walk, bends], "waist")
    assert both.source == "gait+bends"
    assert abs(off_deg(both)) < 0.8 * abs(off_deg(alone))
    assert both.forward_sd_deg < alone.forward_sd_deg and both.quality > alone.quality


def test_one_bend_is_evidence_beside_walking_and_none_by_itself():
    assert find_mount([walking(), standing((0.0, 1.0))], "lower_back").source == "gait+bends"
    assert refusal([standing((0.0, 1.0))]).datum == "no_forward"


def test_bends_apart_make_forward_less_sure_and_far_apart_refused():
    straight, crooked = (find_mount([standing((-a, 1.0), (a, 1.0))], "lower_back") for a in (1.0, 8.0))
    assert straight.forward_sd_deg < 3.0 < crooked.forward_sd_deg < MAX_FORWARD_SD_DEG
    assert straight.quality > crooked.quality
    refused = refusal([standing((-40.0, 1.0), (40.0, 1.0))])
    assert refused.datum == "disagree" and "degrees only" in refused.sentence


def test_bending_backward_against_the_steps_is_refused_not_averaged():
    refused = refusal([walking(), standing((180.0, 1.0), (180.0, 1.0))])
    assert refused.datum == "disagree" and "opposite" in refused.sentence


def test_after_a_long_walk_leaning_elsewhere_is_left_out():
    """Lying down, for one: it is what the wearer did, not what a calibration asked for."""
    astray = standing((100.0, 1.0), (100.0, 1.0))
    assert abs(off_deg(find_mount([walking(duration=30.0), astray], "waist"))) < 1.5
    assert refusal([walking(duration=10.0), astray], "waist").datum == "disagree"


def test_steps_downstairs_are_not_asked_for_forward_and_walking_before_them_is():
    """Downstairs the vertical is strong, forward weak and of any phase."""
    downstairs = walking(duration=20.0, lead_deg=250.0, size=2.0, forward=0.25)
    assert "on the level" in refusal([downstairs]).sentence
    assert abs(off_deg(find_mount([walking(duration=15.0), downstairs], "lower_back"))) < 2.0


def test_nods_shorter_than_a_second_are_no_bends():
    """Steps on stairs looked like two dozen bends to one side in a waist recording."""
    nods = standing(*((45.0, 1.0),) * 6, move_s=0.9)
    assert find_mount([walking(), nods], "waist").source == "gait"
    assert find_mount([standing((45.0, 1.0), (45.0, 1.0))], "waist").source == "bends"


def test_a_refused_forward_leaves_up_and_the_reason():
    mount = find_mount([walking(lead_deg=188.0)], "lower_back", need_forward=False)
    assert not mount.forward_known and "walking forward" in mount.refusal
    assert np.isnan(mount.forward_sd_deg)
    assert find_mount([walking()], "lower_back").refusal == ""


def test_leans_that_are_no_bends_shrink_the_error_and_leans_to_all_sides_do_not():
    """Too small for bends, quick and straight along one axis."""
    walk = walking(turned_deg=8.0)
    one_way = standing(*((0.0, 0.49),) * 4, move_s=1.6)
    all_ways = standing((0.0, 0.49), (90.0, 0.49), (45.0, 0.49), (-45.0, 0.49), move_s=1.6)
    alone, leaning, scattered = (
        find_mount([walk, *more], "waist") for more in ([standing()], [one_way], [all_ways])
    )
    assert abs(off_deg(leaning)) < 0.7 * abs(off_deg(alone))
    assert off_deg(scattered) == pytest.approx(off_deg(alone), abs=0.5)


def test_witnesses_are_weighed_by_precision_and_far_apart_widen_the_deviation():
    sure, unsure = Witness("a", 0.0, 0.02, True), Witness("b", 0.1, 0.1, True)
    angle, sd = agreed([sure, unsure]) or (np.nan, np.nan)
    assert angle == pytest.approx(0.1 * 0.02**2 / (0.02**2 + 0.1**2))
    assert sd < 0.02
    _, wide = agreed([sure, Witness("b", 0.5, 0.1, True)]) or (np.nan, np.nan)
    assert wide > sd
    assert agreed([sure, Witness("c", np.pi - 0.1, 0.1, True)]) is None
    axis, _ = agreed([sure, Witness("c", np.pi - 0.1, 0.1, False)]) or (np.nan, np.nan)
    assert abs(axis) < 0.1
