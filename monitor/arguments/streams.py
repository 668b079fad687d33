"""Commands that stream: `live` shows and records, `sim` is the sensor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.arguments.shared import Duration, Json, LiveSpeed, Make, Radio, Seed


def live(
    sim: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="A simulated wearer: desk, slouch, walk, ... or a TOML file."),
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A paired sensor's name or address. Given twice, for a lower and an upper one: both, and the angles "
            "between them. Left out: the two that were named together, else the one used last.",
            show_default=False,
        ),
    ] = None,
    radio: Radio = None,
    window: Annotated[
        bool | None, typer.Option("--window/--no-window", help="Left out: a window where there is a display.")
    ] = None,
    json: Json = False,
    speed: LiveSpeed = "1",
    duration: Duration = None,
    seed: Seed = 0,
    sensor: Make = "spine1",
    two: Annotated[
        bool, typer.Option("--two", help="With --sim, a second sensor at the upper back.")
    ] = False,
    mount: Annotated[
        str | None, typer.Option(metavar="AXES", help="Where the sensor's axes point: forward=+z,up=+x.")
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Calibrate in the first 20 s, even if it was done before.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to record. Left out: a new file in the recordings folder."),
    ] = None,
    no_record: Annotated[bool, typer.Option("--no-record", help="Record nothing.")] = False,
) -> None:
    """Show and record angles, posture, sitting time and prompts.

    From a paired sensor, or with --sim from a simulated one; in a window where there is a display, else in the
    terminal, and as with --json where the output is piped. Two sensors, at the lower and the upper back, also give the
    angles between them: name both once with --device, and from then on `supple live` opens both. Ctrl-C ends it and
    keeps what was recorded.
    """
    from monitor.commands.live import run_live
    from monitor.commands.options import LiveOptions, times_real_time

    options = LiveOptions(
        scenario=sim,
        devices=tuple(device or ()),
        radio=radio,
        window=window,
        json=json,
        speed=times_real_time(speed),
        duration_s=duration,
        seed=seed,
        simulated_device=sensor,
        two=two,
        mount=mount,
        calibrate=calibrate,
        record=record,
        keep=not no_record,
    )
    raise typer.Exit(run_live(options))


def sim(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO", help="desk, slouch, walk, ... or a TOML file. Left out: list them."
        ),
    ] = "",
    hci: Annotated[
        str,
        typer.Option(
            metavar="WHERE",
            help="Where other programs reach the radio: tcp-server:127.0.0.1:PORT or unix-server:PATH.",
        ),
    ] = "tcp-server:127.0.0.1:9600",
    sensor: Make = "spine1",
    two: Annotated[bool, typer.Option("--two", help="A second sensor at the upper back.")] = False,
    seed: Seed = 0,
    duration: Duration = None,
) -> None:
    """Be a simulated sensor for other programs.

    A real GATT peripheral that any Bluetooth program of this machine can connect to through a virtual radio.
    """
    from monitor.commands.simulate import list_scenarios, run_simulator

    if not scenario:
        list_scenarios()
        raise typer.Exit
    raise typer.Exit(run_simulator(scenario, hci, sensor, seed, duration, two))
