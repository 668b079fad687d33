"""Rigid-body kinematics on columns, elementwise: every row comes out the same whatever rows are beside it.

An orientation is Rz(rotation) exp(lateral x + flexion y): a swing from the vertical, then a turn about it. Its three angles
are exactly those of `docs/frames.md`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from firmware_sim.noise import FloatArray

_SMALL_RAD2 = 1e-3
"""Below this squared swing (1.8 deg) the series are exact to 1e-9 and the closed forms begin to cancel."""
Columns = tuple[FloatArray, FloatArray, FloatArray]
Angle = tuple[FloatArray, FloatArray, FloatArray]
"""Value, first and second time derivative of an angle, (n,) each: rad, rad/s, rad/s2."""


class Motion(NamedTuple):
    """The swing as a quaternion (w, x, y, 0), and the angular rate and acceleration about the body axes."""

    w: FloatArray
    x: FloatArray
    y: FloatArray
    rate: Columns
    acceleration: Columns


def swing_twist(rotation: Angle, lateral: Angle, flexion: Angle) -> Motion:
    """The motion of a body whose three angles run like this."""
    lat, lat1, lat2 = lateral
    flex, flex1, flex2 = flexion
    a2 = lat * lat + flex * flex
    small = a2 < _SMALL_RAD2
    safe = np.where(small, 1.0, a2)
    a = np.sqrt(safe)
    c = np.where(small, 1.0 - a2 / 8.0 + a2 * a2 / 384.0, np.cos(0.5 * a))
    # s = sin(a/2) / a, and with p = half the derivative of a^2: s' = k p and k' = m p.
    s = np.where(small, 0.5 - a2 / 48.0 + a2 * a2 / 3840.0, np.sin(0.5 * a) / a)
    k = np.where(small, -1.0 / 24.0 + a2 / 960.0 - a2 * a2 / 107520.0, (0.5 * c - s) / safe)
    m = np.where(small, 1.0 / 480.0 - a2 / 26880.0, -(0.25 * s + 3.0 * k) / safe)
    p = lat * lat1 + flex * flex1
    p1 = lat1 * lat1 + lat * lat2 + flex1 * flex1 + flex * flex2
    s1 = k * p
    s2 = m * p * p + k * p1
    c1 = -0.5 * s * p
    c2 = -0.5 * (s1 * p + s * p1)
    x, x1, x2 = s * lat, s1 * lat + s * lat1, s2 * lat + 2.0 * s1 * lat1 + s * lat2
    y, y1, y2 = s * flex, s1 * flex + s * flex1, s2 * flex + 2.0 * s1 * flex1 + s * flex2
    swing_rate = (2.0 * (c * x1 - x * c1), 2.0 * (c * y1 - y * c1), 2.0 * (y * x1 - x * y1))
    swing_acc = (2.0 * (c * x2 - x * c2), 2.0 * (c * y2 - y * c2), 2.0 * (y * x2 - x * y2))
    up = (-2.0 * c * y, 2.0 * c * x, 1.0 - 2.0 * (x * x + y * y))
    turning = cross(up, swing_rate)
    rate = tuple(swing_rate[i] + up[i] * rotation[1] for i in range(3))
    acceleration = tuple(swing_acc[i] + up[i] * rotation[2] + turning[i] * rotation[1] for i in range(3))
    return Motion(c, x, y, _three(rate), _three(acceleration))


def quaternion(motion: Motion, rotation: FloatArray) -> FloatArray:
    """(n,4) w x y z, body -> earth."""
    c, s = np.cos(0.5 * rotation), np.sin(0.5 * rotation)
    w, x, y = motion.w, motion.x, motion.y
    return np.stack((c * w, c * x - s * y, c * y + s * x, s * w), axis=-1)


def swing_up(motion: Motion, v: Columns) -> Columns:
    """Vectors from body axes to the level axes that turn with the body."""
    return _turn(motion.w, motion.x, motion.y, v)


def swing_down(motion: Motion, v: Columns) -> Columns:
    """Vectors from the level axes that turn with the body to body axes."""
    return _turn(motion.w, -motion.x, -motion.y, v)


def about_vertical(angle: FloatArray, v: Columns) -> Columns:
    """Vectors turned about z by `angle`, + to the left."""
    c, s = np.cos(angle), np.sin(angle)
    return c * v[0] - s * v[1], s * v[0] + c * v[1], v[2]


def at_lever(motion: Motion, lever_m: tuple[float, float, float]) -> Columns:
    """Acceleration of a point fixed to the body against its origin, m/s2 in body axes."""
    lx, ly, lz = lever_m
    wx, wy, wz = motion.rate
    ax, ay, az = motion.acceleration
    along = wx * lx + wy * ly + wz * lz
    square = wx * wx + wy * wy + wz * wz
    return (
        ay * lz - az * ly + wx * along - square * lx,
        az * lx - ax * lz + wy * along - square * ly,
        ax * ly - ay * lx + wz * along - square * lz,
    )


def cross(a: Columns, b: Columns) -> Columns:
    """a x b."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _turn(w: FloatArray, x: FloatArray, y: FloatArray, v: Columns) -> Columns:
    tx, ty, tz = 2.0 * y * v[2], -2.0 * x * v[2], 2.0 * (x * v[1] - y * v[0])
    return v[0] + w * tx + y * tz, v[1] + w * ty - x * tz, v[2] + w * tz + x * ty - y * tx


def _three(columns: tuple[FloatArray, ...]) -> Columns:
    return columns[0], columns[1], columns[2]
