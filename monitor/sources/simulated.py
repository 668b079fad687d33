"""The simulated sensor as a source. The only file of `monitor` that knows the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from firmware_sim import assemble, direct, radio
from firmware_sim import serve as simulator
from firmware_sim.scenario import Scenario, builtin_names, load
from firmware_sim.tables import ScenarioError
from monitor.core.errors import RadioError, SettingsError
from monitor.core.inputs import Input, Mark, Packet, Tick
from monitor.core.protocols import Driver
from monitor.sources.ble.client import Target
from monitor.sources.ble.radio import open_radio
from monitor.sources.ble.source import TICK_S, BleSource, Wall

_T = TypeVar("_T")

TWO_PLACEMENTS = ("lower_back", "upper_back")
"""Where a simulated wearer wears two sensors."""
BLOCK_S = 60.0
"""Host time of one list of a direct source: long enough for the pipeline's vector code."""


@dataclass(frozen=True, slots=True)
class SimulatedSensor:
    """One sensor of a scenario. `mount` is the true one: w x y z, sensor -> body; `serial` that of its specimen of a chip."""

    key: str
    placement: str
    address: str
    mount: tuple[float, float, float, float]
    serial: str


def scenario_names() -> list[str]:
    """The scenarios that come with the program, sorted."""
    return builtin_names()


class SimulatedSource:
    """core.protocols.Source: a whole simulated world in this process, its sensors reached over the virtual radio.

    `sensors` are known at once, so that their opening marks can be given with `begin_with`; keys are `sim`, `sim2`, ...
    Works on real and on virtual time. Without `duration_s` it goes on for ever (a scenario repeats itself).
    Raises SettingsError for a scenario or device it does not know.
    """

    def __init__(
        self,
        scenario: str | Path,
        seed: int,
        driver: Driver,
        *,
        duration_s: float | None = None,
        placements: Sequence[str] = (),
        start_wall_s: float,
        utc_offset_s: int,
        wall: Wall | None = None,
        say: Callable[[str, str], None] = lambda _sensor, _text: None,
    ) -> None:
        self._world = _checked(
            lambda: assemble.SimulatedWorld(scenario, seed, device=driver.name, placements=placements),
            scenario,
        )
        self._seed, self._driver, self._duration_s, self._say = seed, driver, duration_s, say
        self._start_wall_s, self._utc_offset_s, self._wall = start_wall_s, utc_offset_s, wall
        self._opening: Sequence[Mark] = ()
        self._closed = False
        self._source: BleSource | None = None
        self.sensors = _sensors(self._world)

    def begin_with(self, marks: Sequence[Mark]) -> None:
        """Marks that come out before everything else. Before the first iteration."""
        self._opening = marks

    def now_s(self) -> float:
        return 0.0 if self._source is None else self._source.now_s()

    def _is_closed(self) -> bool:
        return self._closed

    async def aclose(self) -> None:
        self._closed = True
        if self._source is not None:
            await self._source.aclose()

    async def __aiter__(self) -> AsyncIterator[list[Input]]:
        if self._closed:
            return
        try:
            await self._world.start()
            async with open_radio(self._world.host_controller) as virtual:
                if self._is_closed():  # meanwhile, by `aclose` of another task
                    return
                self._source = BleSource(
                    virtual,
                    [Target(sensor.key, self._driver, sensor.address) for sensor in self.sensors],
                    start_wall_s=self._start_wall_s,
                    utc_offset_s=self._utc_offset_s,
                    wall=self._wall,
                    opening=self._opening,
                    duration_s=self._duration_s,
                    seed=self._seed,
                    say=self._say,
                )
                async for inputs in self._source:
                    yield inputs
        finally:
            await self.aclose()
            await self._world.stop()


class DirectSource:
    """core.protocols.Source: one simulated sensor without any radio, as fast as it can be computed.

    The same packets in the same order as over the air, up to the last milliseconds of their arrival.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario,
        seed: int,
        driver: Driver,
        *,
        duration_s: float,
        placement: str = "",
        start_wall_s: float,
        utc_offset_s: int,
    ) -> None:
        placements = (placement,) if placement else ()
        world = _checked(
            lambda: assemble.SimulatedWorld(scenario, seed, device=driver.name, placements=placements),
            scenario,
        )
        self.sensors = _sensors(world)[:1]
        self._windows = list(direct.connections(radio.blocked_windows(world.scenario.link), duration_s))
        self._received = direct.run_direct(
            scenario, seed, duration_s, device=driver.name, placement=self.sensors[0].placement
        )
        self._driver, self._duration_s = driver, duration_s
        self._start_wall_s, self._utc_offset_s = start_wall_s, utc_offset_s
        self._opening: Sequence[Mark] = ()
        self._now_s = 0.0
        self._open = True

    def begin_with(self, marks: Sequence[Mark]) -> None:
        """Marks that come out before everything else. Before the first iteration."""
        self._opening = marks

    def now_s(self) -> float:
        return self._now_s

    async def aclose(self) -> None:
        self._open = False

    async def __aiter__(self) -> AsyncIterator[list[Input]]:
        block: list[Input] = list(self._opening)
        for item in self._inputs():
            if not self._open:
                return
            block.append(item)
            if item.t_host_s - self._now_s >= BLOCK_S:
                self._now_s = item.t_host_s
                yield block
                block = []
        self._now_s = self._duration_s
        if block:
            yield block

    def _inputs(self) -> Iterator[Packet | Mark | Tick]:
        """Packets with a tick before the first one of each second, and the sensor's identity before its first word."""
        key, ticks, known = self.sensors[0].key, 0, False
        for t_s, channel, payload in self._received:
            while ticks * TICK_S <= t_s:
                yield self._tick(ticks * TICK_S)
                ticks += 1
            if not known and (identity := self._driver.identity({channel: payload})) is not None:
                known = True
                yield Mark(t_s, "identity", {"sensor": key, "id": identity})
            yield Packet(t_s, key, channel, payload)
        while ticks * TICK_S <= self._duration_s:
            yield self._tick(ticks * TICK_S)
            ticks += 1

    def _tick(self, t_s: float) -> Tick:
        up = any(start_s < t_s <= end_s for start_s, end_s in self._windows)
        return Tick(t_s, self._start_wall_s + t_s, self._utc_offset_s, (self.sensors[0].key,) if up else ())


async def serve(
    scenario: str | Path,
    seed: int,
    hci: str,
    device: str = "spine1",
    on_status: Callable[[str], None] = lambda _text: None,
    placements: Sequence[str] = (),
) -> None:
    """Be a sensor, or one at each of `placements`, on the virtual radio at `hci` until cancelled.

    Raises SettingsError, RadioError (`no_simulator`).
    """
    check_scenario(scenario)
    try:
        await simulator.serve(scenario, seed, hci, device=device, placements=placements, on_status=on_status)
    except OSError as problem:
        raise RadioError(
            f"The virtual radio cannot be opened at {hci} ({problem.strerror or problem}).",
            "Another program may use that address already: give another one with --hci.",
            "no_simulator",
        ) from problem
    except ValueError as problem:
        raise _unknown(problem, scenario) from problem


def check_scenario(scenario: str | Path) -> None:
    """Raises SettingsError for a scenario that does not exist or makes no sense."""
    _checked(lambda: load(scenario), scenario)


def direct_source(
    scenario: str | Path | Scenario,
    seed: int,
    driver: Driver,
    *,
    duration_s: float,
    placement: str = "",
    start_wall_s: float,
    utc_offset_s: int,
) -> DirectSource:
    """One simulated sensor without the radio."""
    return DirectSource(
        scenario,
        seed,
        driver,
        duration_s=duration_s,
        placement=placement,
        start_wall_s=start_wall_s,
        utc_offset_s=utc_offset_s,
    )


def _sensors(world: assemble.SimulatedWorld) -> tuple[SimulatedSensor, ...]:
    return tuple(
        SimulatedSensor(
            key="sim" if number == 1 else f"sim{number}",
            placement=worn.placement,
            address=worn.address,
            mount=_quaternion(world.mounts[worn.address]),
            serial=worn.imu.serial,
        )
        for number, worn in enumerate(world.worn, start=1)
    )


def _quaternion(values: Sequence[float]) -> tuple[float, float, float, float]:
    w, x, y, z = (float(value) for value in values)
    return w, x, y, z


def _checked(build: Callable[[], _T], scenario: str | Path | Scenario) -> _T:
    try:
        return build()
    except ValueError as problem:
        raise _unknown(problem, scenario) from problem


def _unknown(problem: ValueError, scenario: str | Path | Scenario) -> SettingsError:
    if not isinstance(problem, ScenarioError):
        return SettingsError(str(problem), "Give spine1 or witmotion.", "sensor")
    if isinstance(scenario, (str, Path)) and str(scenario).endswith(".toml"):
        return SettingsError(f"{scenario}: {problem}", "Mend the scenario and try again.", "scenario")
    return SettingsError(str(problem), "List them:  supple sim", "scenario")
