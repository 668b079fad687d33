"""`supple sim`: be a sensor on a virtual radio."""

from __future__ import annotations

import asyncio

from rich.console import Console

from monitor.commands.options import check_make
from monitor.core.errors import SettingsError
from monitor.sources.simulated import TWO_PLACEMENTS, check_scenario, scenario_names, serve

PORT_MAX = 65_535
"""What TCP has."""


def list_scenarios() -> None:
    """Print what there is to simulate."""
    Console().print("Scenarios: " + ", ".join(scenario_names()), markup=False, soft_wrap=True)
    Console().print("Example:   supple sim walk --hci tcp-server:127.0.0.1:9600", markup=False)


def run_simulator(
    scenario: str, hci: str, device: str, seed: int, duration_s: float | None, two: bool = False
) -> int:
    """Serve one sensor or two until Ctrl-C or `duration_s`. Bound to this machine: another place is refused."""
    kind, _, place = hci.partition(":")
    if kind not in ("tcp-server", "unix-server") or not place:
        raise SettingsError(
            f"--hci cannot be {hci!r}.",
            "Give tcp-server:127.0.0.1:9600 or unix-server:/path/to/socket.",
            "hci",
        )
    host, _, port = place.rpartition(":")
    if kind == "tcp-server" and host not in ("127.0.0.1", "localhost", "[::1]"):
        raise SettingsError(
            "The virtual radio is for this machine alone.", f"Give tcp-server:127.0.0.1:{port}.", "hci"
        )
    if kind == "tcp-server" and not (port.isdecimal() and 0 < int(port) <= PORT_MAX):
        raise SettingsError(
            f"{port!r} in --hci is no port.",
            f"Give tcp-server:127.0.0.1:9600, or another from 1 to {PORT_MAX}.",
            "hci",
        )
    check_scenario(scenario)
    check_make(device)
    console = Console(stderr=True)
    console.print(f"Simulating {scenario!r} at {hci}. Ctrl-C ends it.", markup=False, highlight=False)
    radio = f"--radio {hci.replace('-server:', '-client:')}"
    how = (
        f"supple scan {radio}   (then pair both with --radio and --placement)"
        if two
        else f"supple live {radio}"
    )
    console.print(f"In another terminal:  {how}", markup=False, highlight=False)

    async def serving() -> None:
        async with asyncio.timeout(duration_s):
            await serve(
                scenario,
                seed,
                hci,
                device,
                lambda text: console.print(text, markup=False, highlight=False),
                TWO_PLACEMENTS if two else (),
            )

    try:
        asyncio.run(serving())
    except TimeoutError:
        return 0
    except KeyboardInterrupt:
        return 130
    return 0
