"""A whole simulated world: wearer, sensors, the air between, and the Bluetooth controller a client can use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bumble.transport.common import Transport

from firmware_sim.firmware import Firmware
from firmware_sim.gatt import Spine1Peripheral
from firmware_sim.link import Air, AirController
from firmware_sim.noise import derive_seed
from firmware_sim.peripheral import Peripheral, StatusListener
from firmware_sim.scenario import Scenario
from firmware_sim.witmotion import WitMotionPeripheral
from firmware_sim.worn import Worn, put_on

HOST_ADDRESS = "02:50:53:00:00:01"
"""The client's controller: a locally administered public address."""


class SimulatedWorld:
    """Build, `start`, use `host_controller` as source and sink of a Bumble host, `stop`.

    Second 0 of the scenario is the moment of `start`, on the running loop's clock. Where a `transport` is given, the
    host's controller is reached through it instead. `air` is there for tests that want to disturb it.
    """

    def __init__(
        self,
        scenario: Scenario | str | Path,
        seed: int,
        *,
        device: str = "spine1",
        placements: Sequence[str] = (),
        secure: bool = False,
        transport: Transport | None = None,
        on_status: StatusListener = lambda _: None,
    ) -> None:
        self.scenario, self.worn = put_on(scenario, seed, device, placements)
        self.air = Air(self.scenario.link, derive_seed(seed, "air"))
        self.peripherals: list[Peripheral] = []
        self._secure = secure
        self._transport = transport
        self._on_status = on_status
        self._host: AirController | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """One per sensor, in the order of their placements."""
        return tuple(worn.address for worn in self.worn)

    @property
    def mounts(self) -> dict[str, Any]:
        """Address -> true mount, w x y z sensor -> body."""
        return {worn.address: worn.imu.mount for worn in self.worn}

    @property
    def host_controller(self) -> AirController:
        """The client's side. RuntimeError before `start`."""
        if self._host is None:
            raise RuntimeError("the world has not been started")
        return self._host

    async def start(self) -> None:
        """Switch everything on. Inside a running event loop."""
        ends = (self._transport.source, self._transport.sink) if self._transport else ()
        self._host = AirController("host", self.air, HOST_ADDRESS, *ends)
        self.air.open()
        self.peripherals = [self._peripheral(worn) for worn in self.worn]
        for peripheral in self.peripherals:
            await peripheral.start()

    async def stop(self) -> None:
        """Switch everything off; safe to call twice."""
        for peripheral in self.peripherals:
            await peripheral.stop()
        self.peripherals = []
        self.air.close()

    def _peripheral(self, worn: Worn) -> Peripheral:
        if isinstance(worn.sensor, Firmware):
            return Spine1Peripheral(
                self.air,
                worn.sensor,
                worn.uid,
                address=worn.address,
                secure=self._secure,
                on_status=self._on_status,
            )
        return WitMotionPeripheral(self.air, worn.sensor, address=worn.address, on_status=self._on_status)
