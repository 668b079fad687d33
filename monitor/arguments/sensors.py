"""Commands about sensors and the machine: `scan`, `pair`, `forget`, `doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.arguments.shared import Json, Listen, Placement, Radio


def scan(
    timeout: Listen = 5.0,
    radio: Radio = None,
    json: Json = False,
) -> None:
    """List the sensors in reach, and whether supple can use them."""
    from monitor.commands.sensors import run_scan

    raise typer.Exit(run_scan(timeout, radio, json))


def pair(
    address: Annotated[
        str | None,
        typer.Argument(metavar="ADDRESS", help="As `supple scan` lists it. Left out: the only one in reach."),
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What you call it. Left out: what it calls itself.")
    ] = "",
    placement: Placement = "lower_back",
    timeout: Listen = 8.0,
    radio: Radio = None,
) -> None:
    """Remember a sensor under a name, and where it is worn."""
    from monitor.commands.sensors import run_pair

    raise typer.Exit(run_pair(address, name, placement, timeout, radio))


def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name it was paired under.")],
) -> None:
    """Forget a paired sensor and its calibration. Recordings stay."""
    from monitor.commands.sensors import run_forget

    raise typer.Exit(run_forget(name))


def doctor(json: Json = False) -> None:
    """Say what is missing on this machine, and how to mend it.

    Looks at Bluetooth, window, notifications, disk and folders. Ends with 1 where something needs a look.
    """
    from monitor.commands.sensors import run_doctor

    raise typer.Exit(run_doctor(json))
