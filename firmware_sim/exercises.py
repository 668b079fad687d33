"""The exercises: repetitions of minimum-jerk movements away from a posture and back, with the truth of each."""

from __future__ import annotations

from collections.abc import Sequence

from firmware_sim import activities as act
from firmware_sim.director import Director
from firmware_sim.plan import C, Values, aside
from firmware_sim.truth import TruthEvent

_REPETITION_SD = 0.04
"""Spread of amplitude and time from repetition to repetition, as a share [I]."""
_PELVIC_SHARE_OF_SIDE_BEND = 0.22
"""Trunk 31.7 deg, lumbar 24.6 deg (facts 2: Laird 2016)."""
_PELVIC_SHARE_OF_TWIST = 0.2
"""A seated twist is thorax and hips; the pelvis follows a little [I]."""
_LUMBAR_LEAD = 0.12
"""A bend is lumbar-led early and hip-led late (facts 4: s12891-017-1515-3): the two start and end this share apart [I]."""

_PELVIC, _LUMBAR = (C.PELVIS_FLEX, C.PELVIS_LAT), (C.LUMBAR_FLEX, C.LUMBAR_LAT)


def directional(director: Director, activity: act.Bend | act.SideBend | act.Twist) -> None:
    """Bends forward, or to the right and the left in turn, or turns to the left and the right in turn."""
    name, ways = _ways(director, activity)
    for number in range(activity.reps):
        direction, shape = ways[number % len(ways)]
        _out_and_back(
            director,
            name=name,
            direction=direction,
            shape={c: activity.peak_deg * share for c, share in shape.items()},
            peak_deg=activity.peak_deg,
            move_s=activity.move_s,
            hold_s=activity.hold_s,
            bounce_share=activity.bounce_deg / activity.peak_deg,
            bounce_hz=activity.bounce_hz,
            lead=_LUMBAR_LEAD if isinstance(activity, act.Bend) else 0.0,
        )
        director.wait(activity.pause_s)


def press_up(director: Director, activity: act.PressUp) -> None:
    """Prone: the thorax comes up, the pelvis all but stays."""
    for _ in range(activity.reps):
        shape = {C.LUMBAR_FLEX: -0.92 * activity.peak_deg, C.PELVIS_FLEX: -0.08 * activity.peak_deg}
        _simple(director, "press_up", "extension", shape, activity)


def supine_twist(director: Director, activity: act.SupineTwist) -> None:
    """Knees to the left, then to the right: the pelvis rolls, the shoulders stay flat."""
    for number in range(2 * activity.reps):
        side, direction = ((1.0, "rotation_left"), (-1.0, "rotation_right"))[number % 2]
        shape = {C.PELVIS_AXIAL: side * activity.peak_deg, C.LUMBAR_AXIAL: -0.92 * side * activity.peak_deg}
        _simple(director, "supine_twist", direction, shape, activity)


def pelvic_tilt(director: Director, activity: act.PelvicTilt) -> None:
    """Supine: the pelvis rolls back and flattens the lumbar spine; the thorax stays."""
    for _ in range(activity.reps):
        shape = {C.PELVIS_FLEX: -activity.peak_deg, C.LUMBAR_FLEX: activity.peak_deg}
        _simple(director, "pelvic_tilt", "extension", shape, activity)


def cat_cow(director: Director, activity: act.CatCow) -> None:
    """Arch, round, and back to flat; a repetition is one whole round, its peak the middle of the rounding."""
    for _ in range(activity.reps):
        scale, pace = _spread(director)
        start_s = director.t_s
        move_s, hold_s = activity.move_s * pace, activity.hold_s * pace
        cow, cat = (_spine(scale * angle) for angle in (-activity.cow_deg, activity.cat_deg))
        for change in (cow, {c: cat[c] - cow[c] for c in cat}):
            director.by(move_s, change)
            director.wait(move_s + hold_s)
        peak_s = director.t_s - 0.5 * hold_s
        director.by(move_s, {c: -value for c, value in cat.items()})
        director.wait(move_s)
        director.note(
            TruthEvent(
                "repetition",
                peak_s,
                start_s,
                director.t_s,
                exercise="cat_cow",
                direction="flexion",
                peak_deg=scale * activity.cat_deg,
            )
        )
        director.wait(0.5)


def _spine(lumbar_deg: float) -> Values:
    """Rounding of the lumbar spine on hands and knees: pelvis and thorax tilt to either side of the trunk's line."""
    return {C.PELVIS_FLEX: -0.5 * lumbar_deg, C.LUMBAR_FLEX: lumbar_deg}


def _ways(
    director: Director, activity: act.Bend | act.SideBend | act.Twist
) -> tuple[str, Sequence[tuple[str, Values]]]:
    """The name, and each direction with the shares of the coordinates."""
    match activity:
        case act.Bend():
            lumbar = director.person.plan.lumbar_share
            straight: Values = {C.LUMBAR_FLEX: lumbar, C.PELVIS_FLEX: 1.0 - lumbar}
            return "bend", [("flexion", aside(straight, director.person.bend_aside_deg + activity.aside_deg))]
        case act.SideBend():
            right = {C.PELVIS_LAT: _PELVIC_SHARE_OF_SIDE_BEND, C.LUMBAR_LAT: 1.0 - _PELVIC_SHARE_OF_SIDE_BEND}
            return "side_bend", [
                ("lateral_right", right),
                ("lateral_left", {c: -v for c, v in right.items()}),
            ]
        case act.Twist():
            left = {C.PELVIS_AXIAL: _PELVIC_SHARE_OF_TWIST, C.LUMBAR_AXIAL: 1.0 - _PELVIC_SHARE_OF_TWIST}
            return "twist", [("rotation_left", left), ("rotation_right", {c: -v for c, v in left.items()})]


def _simple(
    director: Director,
    name: str,
    direction: str,
    shape: Values,
    activity: act.PressUp | act.SupineTwist | act.PelvicTilt,
) -> None:
    _out_and_back(
        director,
        name=name,
        direction=direction,
        shape=shape,
        peak_deg=activity.peak_deg,
        move_s=activity.move_s,
        hold_s=activity.hold_s,
    )
    director.wait(activity.pause_s)


def _out_and_back(
    director: Director,
    *,
    name: str,
    direction: str,
    shape: Values,
    peak_deg: float,
    move_s: float,
    hold_s: float,
    bounce_share: float = 0.0,
    bounce_hz: float = 1.0,
    lead: float = 0.0,
) -> None:
    """One repetition: out over `move_s`, held (or bounced at the end of range), back over `move_s`."""
    scale, pace = _spread(director)
    out = {c: scale * value for c, value in shape.items()}
    back = {c: -value for c, value in out.items()}
    start_s = director.t_s
    _led(director, move_s * pace, out, lead)
    peak_s = director.t_s + 0.5 * hold_s
    _hold(director, hold_s, {c: bounce_share * value for c, value in out.items()}, bounce_hz)
    _led(director, move_s * pace, back, -lead)
    for kind in ("repetition",) if name in ("supine_twist", "pelvic_tilt") else ("repetition", "movement"):
        director.note(
            TruthEvent(
                kind,
                peak_s,
                start_s,
                director.t_s,
                exercise=name,
                direction=direction,
                peak_deg=scale * peak_deg,
            )
        )


def _led(director: Director, seconds: float, changes: Values, lead: float) -> None:
    """A movement in which the lumbar part comes `lead` (a share of the time) before the pelvic part."""
    part_s = seconds * (1.0 - abs(lead))
    for coordinate, change in changes.items():
        late = (coordinate in _PELVIC and lead > 0) or (coordinate in _LUMBAR and lead < 0)
        director.by(part_s, {coordinate: change}, seconds - part_s if late else 0.0)
    director.wait(seconds)


def _hold(director: Director, seconds: float, bounce: Values, bounce_hz: float) -> None:
    """Stay at the end of range; with a bounce, fall back and push again at its rate until the time is over."""
    end_s = director.t_s + seconds
    half_s = 0.5 / bounce_hz
    while any(bounce.values()) and director.t_s + 2.0 * half_s <= end_s:
        director.by(half_s, {c: -value for c, value in bounce.items()})
        director.wait(half_s)
        director.by(half_s, bounce)
        director.wait(half_s)
    director.wait(end_s - director.t_s)


def _spread(director: Director) -> tuple[float, float]:
    """This repetition's factor on amplitude and on time."""
    amplitude, time = (
        1.0 + _REPETITION_SD * float(z) for z in director.rng.standard_normal(2).clip(-2.5, 2.5)
    )
    return amplitude, time * director.person.pace
