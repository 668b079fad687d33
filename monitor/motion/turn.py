"""A constant 3x3 matrix over rows of vectors, elementwise: BLAS rounds one row differently from many."""

from __future__ import annotations

import numpy as np

from monitor.core.inputs import FloatArray


def turned(matrix: FloatArray, vectors: FloatArray) -> FloatArray:
    """matrix @ v for each row v of `vectors` (n,3)."""
    x, y, z = vectors[:, 0], vectors[:, 1], vectors[:, 2]
    out = np.empty((len(vectors), 3))
    for i in range(3):
        out[:, i] = matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] * z
    return out
