"""Row times for a sensor that numbers and stamps nothing: counting, fitted to arrival, with gaps seen from lateness."""

from __future__ import annotations

from monitor.core.inputs import FloatArray
from monitor.devices.clock import CountClock

MEASURED_HZ = {10.0: 10.05, 20.0: 19.86, 50.0: 49.45, 100.0: 99.26, 200.0: 198.43}
"""Nominal rate -> what a WT901BLE67 was measured at (RGu0/WT901)."""
MEASURE_S = 1.0
LATE_S = 0.3
"""Later than this is in doubt: notifications lost, or a stall of the radio. Worst gap seen in a good capture: 0.24 s."""
CAUGHT_UP_S = 0.15
DOUBT_S = 0.5
LOST_S = 2.0
"""Stalls last 0.1 to 2 s: later than this, rows were lost and the rate itself is measured anew (the module may have reset)."""


class ArrivalTime:
    """`arrived` takes notifications and gives the times of those now settled, in order."""

    def __init__(self) -> None:
        self.nominal_hz: float | None = None
        self._clock: CountClock | None = None
        self._row = 0
        self._waiting: list[tuple[int, float]] = []
        self._floor_s = float("-inf")

    def arrived(self, count: int, t_host_s: float) -> list[FloatArray]:
        """A notification of `count` rows. Returns one array of session times per settled notification."""
        if self._clock is None:
            return self._measure(count, t_host_s)
        waiting_rows = sum(n for n, _ in self._waiting)
        late_s = self._clock.lateness_s(self._row + waiting_rows + count - 1, t_host_s)
        self._waiting.append((count, t_host_s))
        if late_s > LOST_S:
            return self._lost(t_host_s)
        if late_s <= (CAUGHT_UP_S if len(self._waiting) > 1 else LATE_S):
            return self._settle()
        if t_host_s - self._waiting[0][1] >= DOUBT_S:
            self._restart(self._clock.period_s)
            return self._settle()
        return []

    def close(self) -> list[FloatArray]:
        """Settle what waits."""
        if self._clock is None and self._waiting:
            self._begin()
        return self._settle()

    def _lost(self, t_host_s: float) -> list[FloatArray]:
        *before, last = self._waiting
        self._waiting = before
        if before and t_host_s - before[-1][1] > LOST_S and self._clock is not None:
            self._restart(self._clock.period_s)
        given = self._settle()
        self._clock = None
        self._waiting = [last]
        return given

    def _measure(self, count: int, t_host_s: float) -> list[FloatArray]:
        """Hold the first second, then choose the rate."""
        if self._waiting and t_host_s - self._waiting[-1][1] > MEASURE_S:
            self._begin()
            given = self._settle()
            self._clock, self._waiting = None, [(count, t_host_s)]
            return given
        self._waiting.append((count, t_host_s))
        if t_host_s - self._waiting[0][1] < MEASURE_S:
            return []
        self._begin()
        return self._settle()

    def _begin(self) -> None:
        span_s = self._waiting[-1][1] - self._waiting[0][1]
        seen_hz = sum(n for n, _ in self._waiting[1:]) / span_s if span_s > 0 else 50.0
        ratio = {hz: max(seen_hz / hz, hz / seen_hz) if seen_hz > 0 else hz for hz in MEASURED_HZ}
        self.nominal_hz = min(ratio, key=lambda hz: ratio[hz])
        self._restart(1 / MEASURED_HZ[self.nominal_hz])

    def _restart(self, period_s: float) -> None:
        """A new segment that begins with what waits, as early as its arrivals allow and later than all before."""
        row, start_s = 0, float("inf")
        for count, t_host_s in self._waiting:
            row += count
            start_s = min(start_s, t_host_s - (row - 1) * period_s)
        self._clock = CountClock(period_s, max(start_s, self._floor_s + period_s))
        self._row = 0

    def _settle(self) -> list[FloatArray]:
        given: list[FloatArray] = []
        if self._clock is None:
            return given
        for count, t_host_s in self._waiting:
            last = self._row + count - 1
            self._clock.lateness_s(last, t_host_s)
            self._clock.observe(last, t_host_s)
            given.append(self._clock.times(self._row, count))
            self._row += count
            self._floor_s = float(given[-1][-1])
        self._waiting.clear()
        return given
