"""The simulated wearer: the truth is consistent with itself, with physics, and with how it is asked for."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from firmware_sim.body import GRAVITY_M_S2, Wearer
from firmware_sim.placements import PLACEMENT_GEOMETRY
from firmware_sim.scenario import PLACEMENTS, ScenarioError, parse
from firmware_sim.truth import STATE_NAMES, Truth

CONJUGATE = np.array((1.0, -1.0, -1.0, -1.0))


def wearer(activities: str, seed: int = 1, head: str = "") -> Wearer:
    return Wearer(parse(f"{head}\n[[block]]\nactivities = [{activities}]".encode(), "test"), seed)


def multiply(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    pw, px, py, pz = p.T
    qw, qx, qy, qz = q.T
    return np.stack(
        (
            pw * qw - px * qx - py * qy - pz * qz,
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
        ),
        axis=-1,
    )


def to_earth(truth: Truth, vectors: np.ndarray) -> np.ndarray:
    w, u = truth.quat[:, :1], truth.quat[:, 1:]
    c = np.cross(u, vectors)
    return vectors + 2 * (w * c + np.cross(u, c))


EVERYTHING = """
{ do = "stand", seconds = 5 }, { do = "walk", seconds = 8 }, { do = "sit_upright", seconds = 10 },
{ do = "fidget", seconds = 20 }, { do = "slouch", seconds = 20, drift_s = 10 }, { do = "rise" }, { do = "bend", reps = 1 },
{ do = "side_bend", reps = 2 }, { do = "twist", reps = 2 }, { do = "cat_cow", reps = 1 }, { do = "press_up", reps = 1 },
{ do = "supine_twist", hold_s = 3 }, { do = "pelvic_tilt", reps = 1 }, { do = "lie", seconds = 3, side = "left" },
{ do = "lie", seconds = 3, side = "prone" }, { do = "perch", seconds = 5 }, { do = "recline", seconds = 5 },
{ do = "car", seconds = 8 }, { do = "off_body", seconds = 5 }, { do = "sit_down" }
"""


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_rate_is_the_derivative_of_the_orientation(placement: str) -> None:
    body = wearer(EVERYTHING)
    dt = 1e-4
    for start in np.arange(0.3, body.round_s, 4.9):
        truth = body.truth(start + dt * np.arange(2000), placement)
        turn = multiply(truth.quat[:-1] * CONJUGATE, truth.quat[1:])
        measured = 2.0 * turn[:, 1:] * np.sign(turn[:, :1]) / dt
        assert np.max(np.abs(measured - 0.5 * (truth.rate[1:] + truth.rate[:-1]))) < 1e-6


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_angles_are_those_of_the_frames_page(placement: str) -> None:
    body = wearer(EVERYTHING)
    truth = body.truth(np.arange(0.0, body.round_s, 0.05), placement)
    inverse = Truth(*(truth.quat * CONJUGATE if f == "quat" else getattr(truth, f) for f in truth.__slots__))
    up = to_earth(inverse, np.tile((0.0, 0.0, 1.0), (len(truth), 1)))
    h = np.hypot(up[:, 0], up[:, 1])
    inclination = np.degrees(np.arctan2(h, up[:, 2]))
    np.testing.assert_allclose(truth.inclination_deg, inclination, atol=1e-9)
    np.testing.assert_allclose(truth.flexion_deg, -inclination * up[:, 0] / h, atol=1e-9)
    np.testing.assert_allclose(truth.lateral_deg, inclination * up[:, 1] / h, atol=1e-9)
    heading = np.unwrap(2 * np.arctan2(truth.quat[:, 3], truth.quat[:, 0]))
    np.testing.assert_allclose(truth.rotation_deg, np.degrees(heading - heading[0]), atol=1e-7)
    assert np.max(truth.inclination_deg) > 85


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_acceleration_is_the_second_derivative_of_the_chain_s_position(placement: str) -> None:
    """Bending and twisting on the spot: the hips stay, so the sensor moves only by the turning of pelvis and thorax."""
    still = "[wearer]\nsway_stand_deg = 0\nbreathing_deg = 0"
    body = wearer(
        '{ do = "stand", seconds = 3, shifts_per_min = 0 }, { do = "bend", reps = 1, peak_deg = 110, move_s = 1 },'
        '{ do = "twist", reps = 2, seated = false }',
        head=still,
    )
    on_pelvis, on_thorax = PLACEMENT_GEOMETRY[placement].lever_m(body.scenario.wearer)
    dt = 1e-3
    t = np.arange(3.2, body.round_s - 0.1, dt)
    truth = body.truth(t, placement)
    if on_thorax is None:
        position = to_earth(truth, np.tile(on_pelvis, (len(t), 1)))
    else:
        pelvis = to_earth(body.truth(t, "pelvis"), np.tile(on_pelvis, (len(t), 1)))
        position = pelvis + to_earth(truth, np.tile(on_thorax, (len(t), 1)))
    numeric = np.diff(position, 2, axis=0) / dt**2
    claimed = to_earth(truth, truth.acc)[1:-1] - (0.0, 0.0, GRAVITY_M_S2)
    # The spline's second derivative has corners at its knots, where a difference quotient is off by the jump in slope.
    assert np.max(np.abs(numeric - claimed)) < 0.02 * np.max(np.abs(claimed))
    assert np.max(np.abs(claimed)) > 0.5


def test_however_the_times_are_cut_the_bits_are_the_same() -> None:
    activities = (
        '{ do = "walk", seconds = 40 }, { do = "fidget", seconds = 60 }, { do = "car", seconds = 40 }'
    )
    t = np.arange(0.0, 260.0, 0.01) * (1 + 20e-6)
    for placement in ("lower_back", "sternum"):
        whole = wearer(activities).truth(t, placement)
        cut = wearer(activities)
        edges = np.cumsum(np.random.default_rng(5).integers(1, 400, 200))
        parts = [cut.truth(piece, placement) for piece in np.split(t, edges[edges < len(t)])]
        for name in Truth.__slots__:
            joined = np.concatenate([getattr(part, name) for part in parts])
            assert joined.tobytes() == getattr(whole, name).tobytes(), name
        one = cut.truth(t[7:8], placement)
        assert one.acc.tobytes() == whole.acc[7:8].tobytes()
        assert one.quat.tobytes() == whole.quat[7:8].tobytes()


def test_asking_out_of_order_changes_nothing() -> None:
    body, other = wearer(EVERYTHING), wearer(EVERYTHING)
    late = body.truth(np.arange(150.0, 160.0, 0.01), "upper_back")
    other.truth(np.arange(0.0, 10.0, 0.01), "upper_back")
    other.truth(np.arange(900.0, 901.0, 0.01), "waist")
    assert other.truth(np.arange(150.0, 160.0, 0.01), "upper_back").acc.tobytes() == late.acc.tobytes()


def test_no_rows_and_one_row_are_answered() -> None:
    body = wearer('{ do = "stand", seconds = 5 }')
    assert len(body.truth(np.empty(0), "lower_back")) == 0
    assert body.truth(np.array([1.0]), "sternum").quat.shape == (1, 4)


def test_times_that_go_back_are_refused() -> None:
    with pytest.raises(ValueError, match="must not decrease"):
        wearer('{ do = "stand", seconds = 5 }').truth(np.array([2.0, 1.0]), "lower_back")


def test_pelvis_and_thorax_share_a_bend_and_the_sensors_lie_between() -> None:
    body = wearer('{ do = "bend", reps = 1, peak_deg = 100 }')
    event = next(e for e in body.events(0, body.round_s) if e.kind == "repetition")
    peak = {p: float(body.truth(np.array([event.t_s]), p).flexion_deg[0]) for p in PLACEMENT_GEOMETRY}
    assert peak["thorax"] == pytest.approx(event.peak_deg, abs=4)
    assert peak["pelvis"] / peak["thorax"] == pytest.approx(1 - body.scenario.wearer.lumbar_share, abs=0.05)
    assert peak["pelvis"] < peak["waist"] < peak["lower_back"] < peak["upper_back"]


def test_a_bend_aside_leans_that_way_as_far_as_a_straight_one() -> None:
    straight, aside = (
        wearer(f'{{ do = "bend", reps = 1, peak_deg = 60{more} }}') for more in ("", ", aside_deg = 20")
    )
    peak_s = np.array([next(e.t_s for e in aside.events(0, aside.round_s) if e.kind == "repetition")])
    for placement in ("pelvis", "thorax"):
        found, usual = (body.truth(peak_s, placement) for body in (aside, straight))
        way_deg = np.degrees(np.arctan2(found.lateral_deg, found.flexion_deg)) - np.degrees(
            np.arctan2(usual.lateral_deg, usual.flexion_deg)
        )
        assert way_deg[0] == pytest.approx(20.0, abs=2.0)
        assert found.inclination_deg[0] == pytest.approx(usual.inclination_deg[0], abs=1.0)


@pytest.mark.parametrize("seed", range(3))
def test_uneven_walking_goes_to_the_side_at_the_steps_and_even_walking_does_not(seed: int) -> None:
    walk = '{ do = "walk", seconds = 60, turns_per_min = 0 }'
    even, uneven = (wearer(walk, seed, f"[wearer]\ngait_uneven = {share}") for share in (0.0, 0.2))
    t = np.arange(10.0, 50.0, 0.01)
    turn = np.exp(-2j * np.pi * even.person.cadence_hz * t)
    sideways = [abs(np.mean(body.truth(t, "pelvis").acc[:, 1] * turn)) for body in (even, uneven)]
    assert sideways[1] > 3.0 * sideways[0]


def steps_aside(body: Wearer, t: np.ndarray) -> complex:
    """Acceleration to the left per acceleration forward at the step frequency, without gravity: of who walks straight on."""
    turn = np.exp(-2j * np.pi * body.person.cadence_hz * t)
    truth = body.truth(t, "pelvis")
    forward, left = (np.mean(to_earth(truth, truth.acc)[:, axis] * turn) for axis in (0, 1))
    return complex(left / forward)


def test_who_walks_turned_against_the_pelvis_goes_there_with_every_step() -> None:
    walk = '{ do = "walk", seconds = 60, turns_per_min = 0 }'
    t = np.arange(10.0, 50.0, 0.01)
    for turned_deg in (-15.0, 0.0, 15.0):
        body = wearer(walk, 1, f"[wearer]\ngait_turned_deg = {turned_deg}")
        assert np.degrees(np.arctan(steps_aside(body, t).real)) == pytest.approx(turned_deg, abs=2.5)


def test_scattered_steps_differ_from_second_to_second_and_are_straight_in_the_long_run() -> None:
    walk = '{ do = "walk", seconds = 130, turns_per_min = 0 }'
    scattered, even = (wearer(walk, 1, f"[wearer]\ngait_scatter = {share}") for share in (0.15, 0.0))
    seconds = [np.arange(start, start + 3.0, 0.01) for start in range(10, 115, 3)]
    spread = [np.std([steps_aside(body, t).real for t in seconds]) for body in (scattered, even)]
    assert spread[0] > 2.0 * spread[1]
    everything = np.arange(10.0, 120.0, 0.01)
    assert abs(steps_aside(scattered, everything) - steps_aside(even, everything)) < 0.5 * spread[0]


def ways_deg(body: Wearer, placement: str = "pelvis") -> float:
    """To the right of forward, of the deepest lean there is."""
    truth = body.truth(np.arange(0.0, body.round_s, 0.02), placement)
    deepest = int(np.argmax(truth.flexion_deg))
    return float(np.degrees(np.arctan2(truth.lateral_deg[deepest], truth.flexion_deg[deepest])))


def test_leaning_aside_to_sit_down_and_to_rise_goes_that_way() -> None:
    sit = '{{ do = "sit_down"{0} }}, {{ do = "sit_upright", seconds = 4, fidgets_per_min = 0 }}, {{ do = "rise"{0} }}'
    straight, aside = (wearer(sit.format(more)) for more in ("", ", aside_deg = 20"))
    assert ways_deg(aside) - ways_deg(straight) == pytest.approx(20.0, abs=3.0)


@pytest.mark.parametrize(
    "spread, activity",
    [
        ("bend_aside_sd_deg", '{ do = "bend", reps = 1 }'),
        (
            "seat_aside_sd_deg",
            '{ do = "sit_down" }, { do = "sit_upright", seconds = 4, fidgets_per_min = 0 }',
        ),
    ],
)
def test_people_lean_aside_each_in_their_own_way_where_a_scenario_asks_for_it(
    spread: str, activity: str
) -> None:
    own = [ways_deg(wearer(activity, seed, f"[people]\n{spread} = 10")) for seed in range(12)]
    usual = [ways_deg(wearer(activity, seed)) for seed in range(12)]
    assert 5.0 < np.std(np.subtract(own, usual)) < 15.0


def test_a_spine_may_bend_in_another_plane_than_the_pelvis_and_keeps_to_it_for_minutes() -> None:
    bends = '{ do = "bend", reps = 1 }, { do = "stand", seconds = 3 }, { do = "bend", reps = 1 }'
    people = "[people]\nspine_aside_sd_deg = 10"

    def off_pelvis_deg(more: str, seed: int) -> list[float]:
        body = wearer(bends, seed, more)
        way = []
        for t in np.array_split(np.arange(0.0, body.round_s, 0.02), 2):
            thorax, pelvis = (body.truth(t, place) for place in ("thorax", "pelvis"))
            deepest = int(np.argmax(thorax.flexion_deg))
            spine = [
                getattr(thorax, a)[deepest] - getattr(pelvis, a)[deepest]
                for a in ("lateral_deg", "flexion_deg")
            ]
            way.append(float(np.degrees(np.arctan2(*spine))))
        return way

    own = np.array([off_pelvis_deg(people, seed) for seed in range(12)])
    usual = np.array([off_pelvis_deg("", seed) for seed in range(12)])
    assert 5.0 < np.std(own - usual) < 15.0
    assert np.abs(np.diff(own - usual)).max() < 3.0


def test_an_unknown_placement_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ScenarioError, match="allowed are lower_back, waist, upper_back, sternum, pelvis, thorax"
    ):
        wearer('{ do = "stand" }').truth(np.array([0.0]), "knee")


def test_a_rise_lifts_the_hips_by_the_height_of_the_seat_and_leans_first() -> None:
    body = wearer(
        '{ do = "sit_upright", seconds = 10, fidgets_per_min = 0 }, { do = "rise" }, { do = "stand", seconds = 5 }'
    )
    (event,) = (e for e in body.events(0, 30) if (e.from_state, e.to_state) == ("sitting", "standing"))
    dt = 0.002
    t = np.arange(event.start_s - 0.5, event.end_s + 0.5, dt)
    truth = body.truth(t, "lower_back")
    up = to_earth(truth, truth.acc)[:, 2] - GRAVITY_M_S2
    speed = np.cumsum(up) * dt
    assert abs(speed[-1]) < 0.03
    assert np.cumsum(speed)[-1] * dt == pytest.approx(body.scenario.wearer.seat_drop_m, abs=0.06)
    assert np.max(up) > 0.8
    assert np.argmax(truth.flexion_deg) * dt < np.argmax(speed) * dt + 0.15
    thorax = body.truth(t, "upper_back").flexion_deg
    assert 30 < np.max(thorax) < 50


def test_sitting_tilts_the_pelvis_back_and_differs_between_people() -> None:
    tilts = []
    for seed in range(8):
        body = wearer(
            '{ do = "stand", seconds = 5 }, { do = "sit_upright", seconds = 30, fidgets_per_min = 0 }', seed
        )
        truth = body.truth(np.arange(0.0, 30.0, 0.1), "lower_back")
        sitting = truth.state == STATE_NAMES.index("sitting")
        tilts.append(float(np.median(truth.flexion_deg[sitting])))
    assert all(-15.5 < tilt < -7 for tilt in tilts)
    assert np.std(tilts) > 0.5


def test_a_slouch_takes_pelvis_back_and_thorax_forward_over_minutes() -> None:
    body = wearer('{ do = "slouch", seconds = 400, drift_s = 180, fidgets_per_min = 0 }')
    t = np.array([1.0, 60.0, 120.0, 300.0])
    lower, upper = (body.truth(t, p).flexion_deg for p in ("lower_back", "upper_back"))
    assert np.all(np.diff(lower) < 0.5)
    assert 5 < lower[0] - lower[-1] < 14
    assert 10 < upper[-1] - upper[0] < 25
    assert abs(upper[1] - upper[0]) < 6


@pytest.mark.parametrize("phase", [80.0, 98.0, 140.0])
def test_walking_has_its_cadence_and_the_phase_of_forward_against_vertical(phase: float) -> None:
    body = wearer(
        '{ do = "walk", seconds = 120, turns_per_min = 0 }', head=f"[wearer]\ngait_phase_deg = {phase}"
    )
    t = np.arange(10.0, 100.0, 0.01)
    truth = body.truth(t, "lower_back")
    up, forward = to_earth(truth, truth.acc)[:, 2] - GRAVITY_M_S2, truth.acc[:, 0]
    spectrum = np.abs(np.fft.rfft(up))
    peak_hz = float(np.fft.rfftfreq(len(t), 0.01)[np.argmax(spectrum)])
    assert peak_hz == pytest.approx(body.person.cadence_hz, abs=0.05)
    turn = np.exp(-2j * np.pi * body.person.cadence_hz * t)
    a, b = ((x * turn).reshape(-1, 200).mean(axis=1) for x in (forward, up))
    measured = np.degrees(np.angle(np.sum(a * b.conj())))
    assert measured == pytest.approx(body.person.gait_phase_deg, abs=15)
    assert 1.5 < np.std(up) < 4.0


def test_a_car_shakes_between_1_and_15_hz() -> None:
    body = wearer('{ do = "car", seconds = 200, vibration_m_s2 = 0.6, fidgets_per_min = 0 }')
    truth = body.truth(np.arange(20.0, 180.0, 0.01), "lower_back")
    up = to_earth(truth, truth.acc)[:, 2]
    power = np.abs(np.fft.rfft(up - up.mean())) ** 2
    hz = np.fft.rfftfreq(len(up), 0.01)
    assert 0.4 < np.std(up) < 0.75
    assert power[(hz > 1) & (hz < 15)].sum() > 0.95 * power.sum()


def test_standing_sways_more_than_sitting_and_a_sensor_off_the_body_is_still() -> None:
    body = wearer(
        '{ do = "stand", seconds = 60, shifts_per_min = 0 }, { do = "sit_upright", seconds = 60, fidgets_per_min = 0 },'
        '{ do = "off_body", seconds = 60 }'
    )
    stand, sit, off = (
        np.degrees(body.truth(np.arange(start, start + 45.0, 0.01), "lower_back").rate).std()
        for start in (5.0, 73.0, 145.0)
    )
    assert 0.2 < stand < 2.0
    assert sit < 0.6 * stand
    assert off < 1e-6


def test_the_thorax_breathes_a_quarter_hertz() -> None:
    body = wearer('{ do = "lie", seconds = 200 }')
    flexion = body.truth(np.arange(10.0, 170.0, 0.05), "upper_back").flexion_deg
    spectrum = np.abs(np.fft.rfft(flexion - flexion.mean()))
    hz = float(np.fft.rfftfreq(len(flexion), 0.05)[np.argmax(spectrum)])
    assert hz == pytest.approx(0.25, abs=0.08)
    assert 0.25 < np.std(flexion) < 1.0


@pytest.mark.parametrize(
    ("do", "placement", "column", "sign"),
    [
        ("bend", "upper_back", "flexion_deg", 1),
        ("side_bend", "upper_back", "lateral_deg", 1),
        ("twist", "upper_back", "rotation_deg", 1),
        ("cat_cow", "upper_back", "flexion_deg", 1),
        ("press_up", "upper_back", "flexion_deg", -1),
        ("supine_twist", "lower_back", "rotation_deg", 1),
        ("pelvic_tilt", "lower_back", "flexion_deg", -1),
    ],
)
def test_each_repetition_is_where_the_truth_says_and_as_large(
    do: str, placement: str, column: str, sign: int
) -> None:
    body = wearer(f'{{ do = "{do}", reps = 3 }}')
    events = [e for e in body.events(0, body.round_s) if e.kind == "repetition"]
    assert len(events) == (6 if do == "supine_twist" else 3)
    for event in events:
        t = np.array([event.start_s, event.t_s])
        before, peak = getattr(body.truth(t, placement), column)
        way = -sign if event.direction in ("lateral_left", "rotation_right") else sign
        share = 0.5 if do == "cat_cow" else 1.0
        assert way * (peak - before) == pytest.approx(share * event.peak_deg, abs=5)


def test_a_bounce_reverses_quickly_at_the_end_of_range() -> None:
    body = wearer('{ do = "bend", reps = 1, hold_s = 3, bounce_deg = 8, bounce_hz = 2 }')
    (event,) = (e for e in body.events(0, body.round_s) if e.kind == "repetition")
    rate = np.degrees(body.truth(np.arange(event.t_s - 1.4, event.t_s + 1.4, 0.01), "upper_back").rate[:, 1])
    fast = rate[np.abs(rate) > 15]
    assert np.count_nonzero(np.diff(np.sign(fast))) >= 6


def test_states_follow_transitions_and_name_every_posture() -> None:
    body = wearer(EVERYTHING)
    t = np.arange(0.0, body.round_s, 0.1)
    names = body.truth(t, "lower_back").state_names
    assert set(names) == set(STATE_NAMES)
    changes = [(a, b) for a, b in pairwise(names) if a != b]
    events = [e for e in body.events(0, body.round_s) if e.kind == "transition"]
    assert changes == [(e.from_state, e.to_state) for e in events]


def test_the_day_repeats_without_a_seam() -> None:
    body = wearer(
        '{ do = "stand", seconds = 5 }, { do = "walk", seconds = 20 }, { do = "sit_upright", seconds = 9 }'
    )
    seam = body.round_s
    truth = body.truth(np.arange(seam - 2, seam + 2, 0.001), "upper_back")
    assert np.max(np.abs(np.diff(truth.acc, axis=0))) < 0.02
    assert np.max(np.abs(np.diff(truth.rotation_deg))) < 0.05
    first, second = body.events(0, seam), body.events(seam, 2 * seam)
    assert [e.to_state for e in first] == [e.to_state for e in second]
    assert second[0].t_s == pytest.approx(first[0].t_s + seam)


def test_the_same_seed_is_the_same_wearer_and_another_seed_is_not() -> None:
    t = np.arange(0.0, 30.0, 0.01)
    acc = [wearer(EVERYTHING, seed).truth(t, "lower_back").acc.tobytes() for seed in (1, 1, 2)]
    assert acc[0] == acc[1]
    assert acc[0] != acc[2]


def test_a_day_is_simulated_in_tens_of_seconds() -> None:
    body = wearer(EVERYTHING)
    body.truth(np.arange(6000) / 100.0, "lower_back")
    best_s = min(_timed(body, 6000 * k) for k in range(1, 8))
    assert 6000 / best_s > 200_000
    small_s = min(_timed(body, 60_000 + 10 * k, 10) for k in range(50))
    assert small_s < 2e-3


def _timed(body: Wearer, first: int, count: int = 6000) -> float:
    times = (first + np.arange(count)) / 100.0
    start = time.perf_counter()
    body.truth(times, "lower_back")
    return time.perf_counter() - start
