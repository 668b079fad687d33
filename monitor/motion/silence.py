"""A sensor of two that sends nothing: said once, at a tick, so that nobody waits for its rows."""

from __future__ import annotations

from monitor.core.inputs import Mark, Packet, Tick

SILENCE = "silence"
"""Kind of the Mark: from here on nothing is expected of `sensor` (`silent` True), or its rows come again (False)."""
SILENT_S = 5.0
"""Without rows for so long a sensor is out of reach; lost packets are sent again within a connection's few intervals."""
CHANNELS = ("live", "bulk")
"""Those that carry rows: a sensor may tell its battery for hours and measure nothing."""


class Silence:
    """Inputs -> Marks `silence` of two sensors or more, in the place where they belong.

    By host times of the inputs alone: so the Marks stand in the same place however the inputs are cut, and, being
    barriers, part the rows that came before from those after. Rows of a file have no host time and count for nothing.
    """

    def __init__(self) -> None:
        self._heard_s: dict[str, float] = {}
        self._silent: set[str] = set()

    def opened(self, mark: Mark) -> None:
        """A Mark `sensor`. What is expected of every sensor is expected from here on."""
        self._heard_s |= dict.fromkeys((*self._heard_s, str(mark.value["sensor"])), mark.t_host_s)

    def heard(self, packet: Packet) -> list[Mark]:
        """Goes before the packet."""
        if packet.channel not in CHANNELS:
            return []
        self._heard_s[packet.sensor] = packet.t_host_s
        if packet.sensor not in self._silent:
            return []
        self._silent.remove(packet.sensor)
        return [_mark(packet.t_host_s, packet.sensor, silent=False)]

    def passed(self, tick: Tick) -> list[Mark]:
        """Goes before the tick."""
        if len(self._heard_s) < 2:
            return []
        late = [
            sensor
            for sensor, heard_s in self._heard_s.items()
            if sensor not in self._silent and tick.t_host_s - heard_s > SILENT_S
        ]
        self._silent.update(late)
        return [_mark(tick.t_host_s, sensor, silent=True) for sensor in late]


def _mark(t_host_s: float, sensor: str, *, silent: bool) -> Mark:
    return Mark(t_host_s, SILENCE, {"sensor": sensor, "silent": silent})
