"""A mount made to follow a sensor that moved on the body, and what to tell the wearer."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from monitor.core.events import Slip, SlipKind
from monitor.core.quaternion import conjugate, multiply
from monitor.motion.attachment.direction import Direction
from monitor.motion.attachment.evidence import Finding
from monitor.motion.mount.find import Mount

WALKED_QUALITY = 0.8
"""At most, of a mount that followed the walking vertical over a slip: uprights repeat within a degree or two [I]."""
STOOD_QUALITY = 0.6
"""At most, of one that followed a stand: people stand within some 2 deg of themselves [I]."""

TURNED_DEG = 60.0
"""Forward told by a walk this far from the mount's: the sensor was turned; walking tells forward to some 8 deg [I]."""
AGAIN = "A walk of 20 s or a calibration gives its angles again."


def reseated(mount: Mount, found: Finding) -> Mount:
    """The mount after the least turn of the sensor that explains it: upright shows upright again, forward goes along."""
    quality = mount.quality
    if found.slip is not None:
        quality = min(quality, WALKED_QUALITY if found.walking else STOOD_QUALITY)
    w, x, y, z = multiply(np.array(mount.quat), np.array(_least_turn(found.new, found.old))).tolist()
    return replace(mount, quat=(w, x, y, z), quality=quality)


def sentence(slip: Slip) -> str:
    """What happened, for the wearer."""
    doubtful = f"What was measured in the {_ago(slip.decided_s - slip.from_s)} before is marked as doubtful."
    match slip.slip:
        case SlipKind.SLIPPED:
            return (
                f"The sensor slipped by about {slip.angle_deg:.0f} degrees; the angles follow it. {doubtful}"
            )
        case SlipKind.UPSIDE_DOWN:
            return f"The sensor is upside down. {doubtful} {AGAIN}"
        case _:
            return f"The sensor sits {slip.angle_deg:.0f} degrees away from where it was. {doubtful} {AGAIN}"


def turned_about_up_deg(mount: Mount, other: Mount) -> float:
    """Angle between the two mounts' forward, about the body's long axis, 0 to 180."""
    w, _, _, z = multiply(np.array(mount.quat), conjugate(np.array(other.quat))).tolist()
    return abs((math.degrees(2.0 * math.atan2(z, w)) + 180.0) % 360.0 - 180.0)


def cranial(mount: Mount) -> Direction:
    """The body's long axis, upward, in sensor axes."""
    w, x, y, z = mount.quat
    return (2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y))


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100.0 else f"{seconds / 60.0:.0f} min"


def _least_turn(old: Direction, new: Direction) -> tuple[float, float, float, float]:
    """Quaternion w x y z of the least rotation that takes `old` to `new`, which are not opposite."""
    w = 1.0 + old[0] * new[0] + old[1] * new[1] + old[2] * new[2]
    x = old[1] * new[2] - old[2] * new[1]
    y = old[2] * new[0] - old[0] * new[2]
    z = old[0] * new[1] - old[1] * new[0]
    size = (w * w + x * x + y * y + z * z) ** 0.5
    return (w / size, x / size, y / size, z / size)
