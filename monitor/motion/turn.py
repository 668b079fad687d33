"""A constant 3x3 matrix over rows of vectors, elementwise: BLAS rounds one row differently from many."""

from __future__ import annotations

import numpy as np

from monitor.core.inputs import FloatArray


def turned(matrix: FloatArray, vectors: FloatArray) -> FloatArray:
    """matrix @ v for each row v of `vectors` (n,3). The columns of what comes back lie together in memory."""
    x, y, z = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    out = np.empty((3, len(vectors)))
    for row, (a, b, c) in zip(out, matrix.tolist(), strict=True):
        np.multiply(x, a, out=row)
        row += b * y
        row += c * z
    return out.T
