"""The sensors that one wearer of a scenario wears, without any radio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from firmware_sim.body import Wearer
from firmware_sim.firmware import Firmware
from firmware_sim.imu import CHIPS, Imu
from firmware_sim.noise import derive_seed
from firmware_sim.scenario import Scenario, load
from firmware_sim.turned import Turned
from firmware_sim.witmotion import ACC_FULL_SCALE_G, GYR_FULL_SCALE_DEG_S, WitMotion

DEVICES = ("spine1", "witmotion")


@dataclass(frozen=True, slots=True)
class Worn:
    """One sensor: where it is worn, its chip (with the true mount), and what speaks for it."""

    placement: str
    uid: int
    address: str
    imu: Imu
    sensor: Firmware | WitMotion


def put_on(
    scenario: Scenario | str | Path, seed: int, device: str = "spine1", placements: Sequence[str] = ()
) -> tuple[Scenario, list[Worn]]:
    """The scenario (by name or path, or as it is) and its sensors; by default at the placements it names.

    Everything follows from `seed`: who wears them, how they are stuck on, their noise, clocks and addresses.
    ValueError for an unknown device.
    """
    if device not in DEVICES:
        raise ValueError(f"there is no simulated device {device!r}; there are {', '.join(DEVICES)}")
    script = scenario if isinstance(scenario, Scenario) else load(scenario)
    wearer = Turned(script, seed) if script.turned.poses else Wearer(script, seed)
    worn = []
    for index, placement in enumerate(placements or script.sensor.placements):
        params = CHIPS[script.sensor.chip]
        if device == "witmotion":
            params = replace(
                params, acc_full_scale_g=ACC_FULL_SCALE_G, gyr_full_scale_deg_s=GYR_FULL_SCALE_DEG_S
            )
        imu = Imu(wearer, placement, params, seed)
        plan = replace(script.firmware, uid=script.firmware.uid + index)
        sensor = (
            WitMotion(imu, plan)
            if device == "witmotion"
            else Firmware(imu, plan, derive_seed(seed, "firmware", index), placement=placement)
        )
        worn.append(Worn(placement, plan.uid, _address(plan.uid), imu, sensor))
    return script, worn


def _address(uid: int) -> str:
    """A random static address (two top bits set), the same for the same sensor."""
    octets = (uid | 0xC000_0000_0000).to_bytes(8, "big")[2:]
    return ":".join(f"{octet:02X}" for octet in octets)
