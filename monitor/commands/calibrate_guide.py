"""Guidance while a sensor is turned: which side is missing, how long to hold still, and what came out in the end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from monitor.commands.calibrate_capture import LEFT_LYING_S, Capture
from monitor.core.inputs import FloatArray
from monitor.motion.chip.ellipsoid import (
    GRAVITY_M_S2,
    SIDES,
    WELL_KNOWN_POSES,
    WELL_KNOWN_SHARE,
    Fit,
    side_of,
)
from monitor.motion.chip.rest_poses import SETTLED_S, TEMPERATURE_SPAN_K
from monitor.store.profiles import Profile

FIRST_WORDS = (
    "Lay the sensor on a firm table and take your hand off; after 4 s turn it onto another side. "
    "All six sides first, in any order, then some poses in between, leaning on a book. Ctrl-C leaves."
)


class Guide(AbstractContextManager["Guide"]):
    """Lines on `out` as poses are found; on a terminal also a line that moves with the sensor."""

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out)
        self._told = 0
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Guide:
        self._say(FIRST_WORDS)
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, capture: Capture) -> None:
        """Say what is new."""
        for number in range(self._told, len(capture.poses)):
            side = side_of(capture.poses[number].acc) or "tilted"
            self._say(
                f"Pose {number + 1}: {side}.  {next_words(capture) if number + 1 == len(capture.poses) else ''}"
            )
        self._told = len(capture.poses)
        if self._console.is_terminal:
            self._live.update(Text(_moment(capture)), refresh=True)

    def _say(self, text: str) -> None:
        # A terminal gets whole words; a file whole lines.
        self._console.print(
            text.rstrip(), markup=False, highlight=False, soft_wrap=not self._console.is_terminal
        )


def next_words(capture: Capture) -> str:
    """What to do next."""
    if capture.missing:
        return f"Still missing: {', '.join(capture.missing)}."
    if capture.enough:
        return "That is enough."
    if capture.good:
        return "Enough poses. Now warm it in your hand or let it cool, and lay it down again."
    fit = capture.fit()
    if capture.usable and fit is not None:
        more = max(1, WELL_KNOWN_POSES - len(capture.poses))
        return (
            f"All six sides: with {leaning(fit.least_known)} the reading is known to {_two_sd(fit):.1f} %. Add {more} such "
            f"tilted pose{'s' if more > 1 else ''}, leaning on a book; or leave it lying for {LEFT_LYING_S:.0f} s to finish."
        )
    return "All six sides, but the fit is not good yet: some more poses, unlike the others."


def leaning(up: FloatArray) -> str:
    """The axes that point up and down in a tilted pose, such as `x, y up and z down`; `up` (3,) is the vertical it sees."""
    size = float(np.max(np.abs(up)))
    ways = {
        word: [axis for axis, part in zip("xyz", up.tolist(), strict=True) if sign * part > 0.5 * size]
        for word, sign in (("up", 1.0), ("down", -1.0))
    }
    return " and ".join(f"{', '.join(axes)} {word}" for word, axes in ways.items() if axes)


def _two_sd(fit: Fit) -> float:
    """Of the reading in the least known direction, in percent of gravity."""
    return 200.0 * fit.worst_share


def _moment(capture: Capture) -> str:
    shown = len(SIDES) - len(capture.missing)
    dots = "●" * shown + "○" * (len(SIDES) - shown)
    still_s = capture.still_s
    if still_s >= SETTLED_S:
        doing = "turn it now"
    else:
        doing = f"hold still: {still_s:.0f} of {SETTLED_S:.0f} s" if still_s else "moving"
    warmed = f"   warmed by {capture.warmed_k:.1f} K" if capture.warmed_k else ""
    return f"sides {dots}   poses {len(capture.poses)}   {doing}{warmed}"


def result_lines(profile: Profile, fit: Fit, where: Path, in_use: bool) -> Iterator[str]:
    """What was fitted, how good it is, where it is kept, and whether `supple live` finds it there."""
    before, after = (100 * value / GRAVITY_M_S2 for value in (profile.before_m_s2, profile.residual_m_s2))
    yield (
        f"Fitted to {len(profile.poses)} poses: at rest the accelerometer was {before:.2f} % off gravity, now "
        f"{after:.2f} %; in the least known direction within {_two_sd(fit):.1f} % (two standard deviations)."
    )
    if fit.worst_share > WELL_KNOWN_SHARE:
        yield f"Tilted poses beside the six sides would make it better, such as one with {leaning(fit.least_known)}."
    if profile.poses[0].gyr_rad_s is not None:
        x, y, z = (math.degrees(value) for value in profile.gyr_bias_rad_s)
        yield f"Gyroscope at rest: {x:+.2f} {y:+.2f} {z:+.2f} deg/s{_warmth(profile)}."
    day = datetime.fromtimestamp(profile.made_wall_s, UTC).strftime("%Y-%m-%d")
    yield f"Calibration of {profile.serial}, {day}, kept in {where}"
    if in_use:
        yield "The next `supple live` with this sensor uses it."


def _warmth(profile: Profile) -> str:
    if profile.temperature_c is None:
        return ", at an unknown temperature"
    low, high = profile.temperature_c
    if profile.gyr_bias_rad_s_per_k is None:
        return (
            f" at {0.5 * (low + high):.1f} C (its course with temperature shows over {TEMPERATURE_SPAN_K:.0f} K "
            f"and more; this was {high - low:.1f} K)"
        )
    x, y, z = (1e3 * math.degrees(value) for value in profile.gyr_bias_rad_s_per_k)
    return f" at {0.5 * (low + high):.1f} C, changing by {x:+.0f} {y:+.0f} {z:+.0f} mdeg/s per K"
