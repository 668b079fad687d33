"""The spread of a total that is made of parts each of which counts whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.core.inputs import FloatArray

STEPS = 2000
"""Totals are told apart by this share of the greatest: 15 s of a working day."""


def total_spread(parts: Sequence[tuple[float, float]]) -> tuple[FloatArray, float]:
    """Probabilities of totals 0, step, 2 step, ... of independent parts (probability that it counts, size); and the step.

    Parts of less than half a step are gathered into larger ones of like probability, so that none is lost.
    """
    step = sum(size for _, size in parts) / STEPS
    spread = np.zeros(STEPS + 2)
    spread[0] = 1.0
    left: dict[float, float] = {}
    for p, size in sorted(parts):
        gathered = left.get(p, 0.0) + size
        places = min(STEPS, round(gathered / step)) if step > 0.0 else 0
        left[p] = gathered - places * step
        if places:
            with_it = p * spread[:-places]
            spread *= 1.0 - p
            spread[places:] += with_it
    return spread, step


def narrowest(spread: FloatArray, share: float) -> tuple[int, int]:
    """First and last place of the narrowest stretch that holds at least `share` of the probability."""
    below = np.concatenate(((0.0,), np.cumsum(spread)))
    last = np.searchsorted(below, below[:-1] + share * below[-1] - 1e-12) - 1
    width = np.where(last < len(spread), last - np.arange(len(spread)), len(spread))
    first = int(np.argmin(width))
    return first, int(last[first])
