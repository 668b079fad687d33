"""Can these rows be what they were given as? Checked while they stream by."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from monitor.core.errors import InputFileError
from monitor.core.inputs import FloatArray
from monitor.sources.importers.mapping import STANDARD_GRAVITY_M_S2

DURATION_MIN_S = 2.0
ROWS_MAX = 300_000_000
"""More than a month at 100 Hz."""
REPEATED_SHARE_MAX = 0.1
"""Rounded stamps repeat now and then; a clock that stands still for more rows than this is no clock."""
WINDOW_S = 1.0
RATE_HZ = (20.0, 300.0)
"""Rates the pipeline works at: other rows are brought to the nearer end (motion.timeline)."""
RATE_SLACK = 0.05
"""A clock this far off is no other rate."""
PAUSE_S = 1.0
"""A longer step is a pause, not the rate."""
BURST_SHARE = 0.2
"""Where the median step and the mean step differ by more, stamps come in bursts and the mean is the better witness."""
GRAVITY_SHARE = (0.7, 1.3)
"""The mean acceleration vector over a second is near 1 g whatever a person does, but for a fall; uncalibrated sensors
are off by up to 10 % or so. Without gravity it is near 0."""


class Plausibility:
    """Feed every block in order to `check` (it returns the rows to keep), then call `finish`. Both raise InputFileError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first_s = np.nan
        self._last_s = -np.inf
        self._rows = 0
        self.untimed = 0
        """Rows left out because they have no time."""
        self.repeated = 0
        """Rows left out because they repeat the time of the row before."""
        self._means: list[FloatArray] = []
        self._step_s = np.nan

    def check(self, t_s: FloatArray, acc: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows have a time of their own. `t_s` (n,) s, `acc` (n,3) m/s2, NaN allowed."""
        timed = np.isfinite(t_s)
        self.untimed += int(len(t_s) - timed.sum())
        times = t_s[timed]
        steps = np.diff(times, prepend=self._last_s)
        if (steps < 0).any():
            k = int(np.argmax(steps < 0))
            before = times[k - 1] if k else self._last_s
            raise InputFileError(
                f"{self._path}: time is not increasing: {times[k]:.6f} s comes after {before:.6f} s.",
                "Sort the rows by time, or split the file there.",
                self._path,
            )
        self.repeated += int((steps == 0).sum())
        self._rows += len(times)
        if self._rows > ROWS_MAX:
            raise InputFileError(f"{self._path} has more than {ROWS_MAX} rows.", "Split it.", self._path)
        if np.isnan(self._step_s):
            self._step_s = _typical_step_s(steps[1:])
        if len(times):
            self._first_s = float(times[0]) if np.isnan(self._first_s) else self._first_s
            self._last_s = float(times[-1])
            self._means.append(_second_means(times, acc[timed]))
        keep = timed.copy()
        keep[timed] = steps > 0
        return keep

    @property
    def rate_note(self) -> str:
        """A sentence where the rows of the first block come too seldom or too often; else empty."""
        rate_hz, (lowest, highest) = 1.0 / self._step_s, RATE_HZ
        if rate_hz < lowest * (1.0 - RATE_SLACK):
            return f"Rows come at only {rate_hz:.3g} Hz: below {lowest:.0f} steps and quick movements are not seen."
        if rate_hz > highest * (1.0 + RATE_SLACK):
            return f"Rows come at {rate_hz:.4g} Hz: {highest:.0f} a second were used."
        return ""

    def finish(self) -> None:
        """Everything has been seen."""
        if self.repeated > REPEATED_SHARE_MAX * self._rows:
            raise InputFileError(
                f"{self._path}: time is not increasing: {self.repeated} of {self._rows} rows repeat the time before.",
                "Give a time column with a finer resolution.",
                self._path,
            )
        duration_s = self._last_s - self._first_s if self._rows else 0.0
        if duration_s < DURATION_MIN_S:
            raise InputFileError(
                f"{self._path} holds {max(duration_s, 0.0):.2f} s of data; at least {DURATION_MIN_S:.0f} s are needed.",
                "Check the unit of the time column, or record longer.",
                self._path,
            )
        if np.isnan(self._step_s):
            raise InputFileError(
                f"{self._path}: all rows are more than {PAUSE_S:.0f} s apart.",
                "Check the unit of the time column: its name says it (t_s, t_ms, t_us or t_ns), or --map.",
                self._path,
            )
        means = np.concatenate(self._means)
        if not len(means):
            raise InputFileError(
                f"{self._path} has no acceleration values.", "Check the columns with --dry-run.", self._path
            )
        self._gravity(float(np.median(means)))

    def _gravity(self, typical_m_s2: float) -> None:
        low, high = (share * STANDARD_GRAVITY_M_S2 for share in GRAVITY_SHARE)
        if low <= typical_m_s2 <= high:
            return
        if typical_m_s2 < low:
            # A second's mean near 1 is as likely g under the wrong name as linear acceleration of somebody busy.
            maybe_g = GRAVITY_SHARE[0] <= typical_m_s2 <= GRAVITY_SHARE[1]
            raise InputFileError(
                f"{self._path}: this file has linear acceleration (gravity removed){', or is in g' if maybe_g else ''}: "
                f"a second's mean is typically {typical_m_s2:.2f} m/s2, not near 9.81.",
                "Export the raw acceleration with gravity; say its unit in the names of the columns or with --map.",
                self._path,
            )
        raise InputFileError(
            f"{self._path}: the acceleration is typically {typical_m_s2:.2f} m/s2, not near 9.81: its unit is wrong.",
            "Say the unit (m_s2, g or mg) in the names of the columns or with --map.",
            self._path,
        )


def _typical_step_s(steps_s: FloatArray) -> float:
    """Seconds from row to row; NaN where there are no two rows."""
    steps_s = steps_s[(steps_s > 0) & (steps_s <= PAUSE_S)]
    if not len(steps_s):
        return np.nan
    median_s, mean_s = float(np.median(steps_s)), float(np.mean(steps_s))
    return median_s if abs(median_s / mean_s - 1.0) <= BURST_SHARE else mean_s


def _second_means(t_s: FloatArray, acc: FloatArray) -> FloatArray:
    """Length of the mean acceleration vector in each second of the block that has values, m/s2."""
    finite = np.isfinite(acc).all(axis=1)
    seconds, starts, counts = np.unique(
        np.floor(t_s[finite] / WINDOW_S), return_index=True, return_counts=True
    )
    if not len(seconds):
        return np.empty(0)
    sums = np.add.reduceat(acc[finite], starts, axis=0)
    lengths: FloatArray = np.sqrt(np.sum((sums / counts[:, None]) ** 2, axis=1))
    return lengths
