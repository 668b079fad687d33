"""The simulated world as a process of its own: a client reaches its Bluetooth controller over a socket."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

from bumble.transport import open_transport

from firmware_sim.assemble import SimulatedWorld
from firmware_sim.controller import start_each_client_clean
from firmware_sim.firmware import Firmware
from firmware_sim.peripheral import StatusListener
from firmware_sim.scenario import Scenario


async def serve(
    scenario: Scenario | str | Path,
    seed: int,
    hci: str,
    *,
    device: str = "spine1",
    placements: Sequence[str] = (),
    secure: bool = False,
    on_status: StatusListener = lambda _: None,
) -> None:
    """Serve until cancelled. `hci` is a Bumble transport: `tcp-server:127.0.0.1:9600`, `unix-server:/path`, ...

    `on_status` hears one sentence for each thing that happens, first `listening on ...`. A client that dies leaves no
    trace: the next one's HCI Reset ends its connections. Each call is a boot with an id of its own. OSError where the
    transport cannot be opened.
    """
    transport = await open_transport(hci)
    start_each_client_clean(transport)
    world = SimulatedWorld(
        scenario,
        seed,
        device=device,
        placements=placements,
        secure=secure,
        transport=transport,
        on_status=on_status,
    )
    for worn in world.worn:
        # Not from the seed: whoever was served before must not take this start's samples for those it has.
        if isinstance(worn.sensor, Firmware):
            worn.sensor.boot_id = 1 + secrets.randbelow(0xFFFF_FFFF)
    try:
        await world.start()
        on_status(f"listening on {hci}")
        await asyncio.get_running_loop().create_future()
    finally:
        await world.stop()
        await transport.close()
        if isinstance(server := getattr(transport, "server", None), asyncio.AbstractServer):
            server.close()
