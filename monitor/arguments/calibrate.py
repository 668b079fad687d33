"""`supple calibrate`: what a session rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.arguments.shared import Json, LiveSpeed, Make, Radio, Seed
from monitor.core.errors import SettingsError


def calibrate_mount() -> None:
    """Upright and forward of a worn sensor: found in a session."""
    raise SettingsError(
        "Where upright and forward are is calibrated in a session, in its first 20 s.",
        "Wear the sensor, then:  supple live --calibrate",
        "mount",
    )


def calibrate_sensor(
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A paired sensor's name. Left out: the one used last."),
    ] = None,
    sim: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="A simulated sensor that is turned by hand: turned."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="A session file, CSV or Parquet file of it being turned."
        ),
    ] = None,
    radio: Radio = None,
    speed: LiveSpeed = "1",
    duration: Annotated[
        float | None, typer.Option(min=5, metavar="SECONDS", help="At most so long.  [default: 600]")
    ] = None,
    seed: Seed = 0,
    sensor: Make = "spine1",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the profile there, and its raw capture beside it."),
    ] = None,
    warm: Annotated[
        bool,
        typer.Option(
            "--warm", help="Go on until its temperature has changed by 4 K, for the gyroscope's course."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Scale, misalignment and bias of one sensor, from still poses.

    Not worn but laid on a table: on each of its six sides for four seconds, then tilted. Says which side is
    missing. The result is kept for this very sensor, with its raw capture, and used by every `supple live`.
    """
    from monitor.commands.calibrate import CalibrateOptions, run_calibrate_sensor
    from monitor.commands.options import times_real_time

    raise typer.Exit(
        run_calibrate_sensor(
            CalibrateOptions(
                sim, device, file, radio, sensor, seed, times_real_time(speed), duration, out, json, warm
            )
        )
    )
