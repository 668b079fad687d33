"""The language of a scenario: what a wearer can do, each with its parameters, units and limits.

Angles are of the trunk (thorax against the vertical) unless the name says otherwise, in degrees. Times are the activity's
own; the way into it from the posture before (sitting down, rising, lying down) is added by the choreography where the
scenario does not say it. Defaults without a source are our choice [I].
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.tables import choice, flag, number, whole


@dataclass(frozen=True, slots=True)
class SitUpright:
    """Sits with the pelvis rolled a little back and the thorax upright."""

    seconds: float = number(60.0, 1, 86400)
    fidgets_per_min: float = number(0.5, 0, 30)


@dataclass(frozen=True, slots=True)
class Slouch:
    """Drifts from upright sitting into a slump: pelvis further back, thorax forward, both 10-30 deg of tilt."""

    seconds: float = number(600.0, 10, 86400)
    drift_s: float = number(180.0, 1, 7200)
    pelvis_deg: float = number(-24.0, -45, 30)
    thorax_deg: float = number(20.0, -30, 60)
    fidgets_per_min: float = number(0.3, 0, 30)


@dataclass(frozen=True, slots=True)
class Fidget:
    """Sits restlessly: random shifts of weight, turns and leans."""

    seconds: float = number(60.0, 1, 86400)
    fidgets_per_min: float = number(6.0, 0.1, 30)


@dataclass(frozen=True, slots=True)
class Stand:
    """Stands, swaying, with a shift of weight now and then."""

    seconds: float = number(60.0, 1, 86400)
    shifts_per_min: float = number(2.0, 0, 30)


@dataclass(frozen=True, slots=True)
class Lean:
    """Stands leaning on or against something: with pelvis and thorax tilted (+ forward) and to one side (+ right)."""

    seconds: float = number(60.0, 1, 86400)
    pelvis_deg: float = number(8.0, -20, 30)
    thorax_deg: float = number(15.0, -20, 50)
    lateral_deg: float = number(0.0, -15, 15)
    shifts_per_min: float = number(0.5, 0, 30)


@dataclass(frozen=True, slots=True)
class Walk:
    """Walks, with turns. `cadence_hz` is steps per second; 0 takes the wearer's own."""

    seconds: float = number(60.0, 3, 86400)
    turns_per_min: float = number(4.0, 0, 30)
    cadence_hz: float = number(0.0, 0, 3)


@dataclass(frozen=True, slots=True)
class SitDown:
    """From standing to upright sitting. Not quite straight over the seat where `aside_deg` says so (+ right)."""

    seconds: float = number(2.2, 1, 6)
    lean_deg: float = number(35.0, 10, 60)
    aside_deg: float = number(0.0, -40, 40)


@dataclass(frozen=True, slots=True)
class Rise:
    """From sitting to standing: trunk lean first, seat-off, then up; `aside_deg` as in sitting down."""

    seconds: float = number(2.1, 1, 6)
    lean_deg: float = number(40.0, 10, 60)
    aside_deg: float = number(0.0, -40, 40)


@dataclass(frozen=True, slots=True)
class Bend:
    """Forward bends; 2.3 s is the movement time of people without back pain (facts 7: Laird 2019). Not quite straight
    forward where `aside_deg` says so (+ right): the way of the lean, not an angle of tilt.
    """

    reps: int = whole(3, 1, 200)
    peak_deg: float = number(70.0, 5, 120)
    aside_deg: float = number(0.0, -40, 40)
    move_s: float = number(2.3, 0.3, 20)
    hold_s: float = number(1.0, 0, 120)
    pause_s: float = number(2.0, 0, 120)
    bounce_deg: float = number(0.0, 0, 20)
    bounce_hz: float = number(3.0, 0.5, 6)
    seated: bool = flag(False)


@dataclass(frozen=True, slots=True)
class SideBend:
    """Side bends, right then left; 30 deg is near the trunk's normal 31.7 deg (facts 2: Laird 2016)."""

    reps: int = whole(3, 1, 200)
    peak_deg: float = number(30.0, 3, 60)
    move_s: float = number(2.3, 0.3, 20)
    hold_s: float = number(1.0, 0, 120)
    pause_s: float = number(1.5, 0, 120)
    bounce_deg: float = number(0.0, 0, 20)
    bounce_hz: float = number(3.0, 0.5, 6)
    seated: bool = flag(False)


@dataclass(frozen=True, slots=True)
class Twist:
    """Trunk twists, left then right, mostly above the pelvis."""

    reps: int = whole(3, 1, 200)
    peak_deg: float = number(40.0, 3, 80)
    move_s: float = number(2.5, 0.3, 20)
    hold_s: float = number(3.0, 0, 120)
    pause_s: float = number(2.0, 0, 120)
    bounce_deg: float = number(0.0, 0, 20)
    bounce_hz: float = number(3.0, 0.5, 6)
    seated: bool = flag(True)


@dataclass(frozen=True, slots=True)
class CatCow:
    """On hands and knees: arch (cow), then round (cat). The angles are those of the lumbar spine."""

    reps: int = whole(8, 1, 200)
    cow_deg: float = number(24.0, 3, 50)
    cat_deg: float = number(32.0, 3, 60)
    move_s: float = number(2.5, 0.5, 20)
    hold_s: float = number(0.8, 0, 60)


@dataclass(frozen=True, slots=True)
class PressUp:
    """Prone press-ups: the trunk extends, the pelvis stays down."""

    reps: int = whole(6, 1, 200)
    peak_deg: float = number(28.0, 3, 60)
    move_s: float = number(2.5, 0.5, 20)
    hold_s: float = number(2.0, 0, 60)
    pause_s: float = number(1.5, 0, 60)


@dataclass(frozen=True, slots=True)
class SupineTwist:
    """On the back, knees to one side and held, then to the other; the shoulders stay flat."""

    reps: int = whole(1, 1, 50)
    peak_deg: float = number(38.0, 3, 80)
    move_s: float = number(3.0, 0.5, 20)
    hold_s: float = number(25.0, 0, 120)
    pause_s: float = number(3.0, 0, 60)


@dataclass(frozen=True, slots=True)
class PelvicTilt:
    """On the back, knees bent: small posterior tilts of the pelvis (5-15 deg: requirement 22)."""

    reps: int = whole(8, 1, 200)
    peak_deg: float = number(10.0, 2, 25)
    move_s: float = number(1.8, 0.5, 20)
    hold_s: float = number(1.0, 0, 60)
    pause_s: float = number(1.0, 0, 60)


@dataclass(frozen=True, slots=True)
class Lie:
    """Lies still."""

    seconds: float = number(60.0, 3, 86400)
    side: str = choice("supine", "supine", "left", "right", "prone")


@dataclass(frozen=True, slots=True)
class Car:
    """Sits in a moving car: a reclined seat and vibration of the given root mean square, 1-15 Hz."""

    seconds: float = number(300.0, 5, 86400)
    vibration_m_s2: float = number(0.5, 0, 3)
    fidgets_per_min: float = number(0.5, 0, 30)


@dataclass(frozen=True, slots=True)
class Perch:
    """Sits high, pelvis almost as in standing: hard to tell from standing."""

    seconds: float = number(60.0, 1, 86400)
    pelvis_deg: float = number(-3.0, -15, 10)
    fidgets_per_min: float = number(0.5, 0, 30)


@dataclass(frozen=True, slots=True)
class Recline:
    """Sits leaning far back."""

    seconds: float = number(60.0, 1, 86400)
    fidgets_per_min: float = number(0.3, 0, 30)


@dataclass(frozen=True, slots=True)
class OffBody:
    """The sensor lies on a table: level, perfectly still, no breath."""

    seconds: float = number(60.0, 3, 86400)


Activity = (
    SitUpright
    | Slouch
    | Fidget
    | Stand
    | Lean
    | Walk
    | SitDown
    | Rise
    | Bend
    | SideBend
    | Twist
    | CatCow
    | PressUp
    | SupineTwist
    | PelvicTilt
    | Lie
    | Car
    | Perch
    | Recline
    | OffBody
)

ACTIVITIES: dict[str, type[Activity]] = {
    "sit_upright": SitUpright,
    "slouch": Slouch,
    "fidget": Fidget,
    "stand": Stand,
    "lean": Lean,
    "walk": Walk,
    "sit_down": SitDown,
    "rise": Rise,
    "bend": Bend,
    "side_bend": SideBend,
    "twist": Twist,
    "cat_cow": CatCow,
    "press_up": PressUp,
    "supine_twist": SupineTwist,
    "pelvic_tilt": PelvicTilt,
    "lie": Lie,
    "car": Car,
    "perch": Perch,
    "recline": Recline,
    "off_body": OffBody,
}
"""Name in a scenario -> parameters."""
