"""Quaternion algebra on (n,4) arrays, w x y z, elementwise so that cutting a batch never changes a bit."""

from __future__ import annotations

import numpy as np

from monitor.core.inputs import FloatArray


def multiply(p: FloatArray, q: FloatArray) -> FloatArray:
    """Hamilton product p * q; shapes (..., 4) broadcast."""
    pw, px, py, pz = p[..., 0], p[..., 1], p[..., 2], p[..., 3]
    qw, qx, qy, qz = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    return np.stack(
        (
            pw * qw - px * qx - py * qy - pz * qz,
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
        ),
        axis=-1,
    )


def conjugate(q: FloatArray) -> FloatArray:
    """The inverse of unit quaternions."""
    inverse: FloatArray = q * np.array((1.0, -1.0, -1.0, -1.0))
    return inverse


def rotate(q: FloatArray, v: FloatArray) -> FloatArray:
    """q v q*: the vectors (..., 3) taken from the quaternion's source frame to its target frame."""
    w, u = q[..., :1], q[..., 1:]
    c = _cross(u, v)
    turned: FloatArray = v + 2.0 * (w * c + _cross(u, c))
    return turned


def up_in_source(q: FloatArray) -> FloatArray:
    """The target frame's z axis seen from the source frame: with sensor -> earth, the vertical in sensor axes."""
    w, x, y, z = np.ascontiguousarray(np.moveaxis(q, -1, 0))
    up = np.empty((3, *w.shape))
    np.subtract(x * z, w * y, out=up[0])
    np.add(y * z, w * x, out=up[1])
    np.add(x * x, y * y, out=up[2])
    up *= 2.0
    np.subtract(1.0, up[2], out=up[2])
    return np.moveaxis(up, 0, -1)


def to_matrix(q: FloatArray) -> FloatArray:
    """Rotation matrices (..., 3, 3): `to_matrix(q) @ v == rotate(q, v)`."""
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    return np.stack(
        (
            np.stack((1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)), axis=-1),
            np.stack((2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)), axis=-1),
            np.stack((2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)), axis=-1),
        ),
        axis=-2,
    )


def from_matrix(m: FloatArray) -> FloatArray:
    """Unit quaternion (4,), w >= 0, of one rotation matrix (3, 3) (Shepperd's method)."""
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    choice = int(np.argmax((trace, m[0, 0], m[1, 1], m[2, 2])))
    if choice == 0:
        q = np.array((1 + trace, m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]))
    else:
        i = choice - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        q = np.empty(4)
        q[0] = m[k, j] - m[j, k]
        q[1 + i] = 1 + m[i, i] - m[j, j] - m[k, k]
        q[1 + j] = m[j, i] + m[i, j]
        q[1 + k] = m[k, i] + m[i, k]
    q /= np.sqrt(np.sum(q * q))
    return q if q[0] >= 0 else -q


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.stack(
        (
            a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1],
            a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2],
            a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0],
        ),
        axis=-1,
    )
