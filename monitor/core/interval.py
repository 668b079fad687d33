"""The interval that is stated around a number, wherever one is: in tables, on the screen and in the checks."""

from __future__ import annotations

import math

INTERVAL_SHARE = 0.9
"""Of the stated intervals so many hold the truth; checked on recordings and in simulation: 85 to 95 %."""
INTERVAL_SD = 1.645
"""Half its width in standard deviations of a normal distribution."""


def interval_deg(sd_deg: float) -> int | None:
    """Half the width of the interval to show around an angle, whole degrees and at least one; None where it is not known."""
    return max(1, math.ceil(sd_deg * INTERVAL_SD)) if math.isfinite(sd_deg) else None
