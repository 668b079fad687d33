"""The door: every command with its example, and what becomes of an error. What a command takes is in `arguments/`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from monitor.arguments import analyze, calibrate, recordings, sensors, streams
from monitor.core.errors import SuppleError

app = typer.Typer(
    name="supple",
    help="A posture and spinal mobility monitor: pair a sensor, or try a simulated one; replay and analyse recordings.",
    epilog="Start here:  supple live --sim desk",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

calibrations = typer.Typer(
    help="Calibrate what a session rests on. (Upright and forward: supple live --calibrate)",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example:  supple calibrate sensor --sim turned --speed max",
)


@app.callback(invoke_without_command=True)
def door(
    ctx: typer.Context, version: Annotated[bool, typer.Option("--version", help="Say the version.")] = False
) -> None:
    if version:
        from monitor.version import VERSION

        typer.echo(f"supple {VERSION}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        if sys.stdin.isatty() and sys.stdout.isatty():
            from monitor.commands.welcome import welcome

            raise typer.Exit(welcome())
        typer.echo(ctx.get_help())


app.command(epilog="Example:  supple live --sim desk")(streams.live)
app.command(epilog="Example:  supple sim walk --hci tcp-server:127.0.0.1:9600")(streams.sim)
app.command(epilog="Example:  supple scan --timeout 10")(sensors.scan)
app.command(epilog="Example:  supple pair C0:01:02:03:04:05 --name desk-sensor")(sensors.pair)
app.command(epilog="Example:  supple forget desk-sensor")(sensors.forget)
app.command(epilog="Example:  supple doctor")(sensors.doctor)
app.command(epilog="Example:  supple sessions --json")(recordings.sessions)
app.command(epilog="Example:  supple replay recording.supple --speed 60")(recordings.replay)
app.command(epilog="Example:  supple analyze monday.csv tuesday.supple --out results")(analyze.analyze)
app.command(epilog="Example:  supple norms results/monday.json")(recordings.norms)
app.add_typer(calibrations, name="calibrate")
calibrations.command("mount", epilog="Example:  supple live --calibrate", hidden=True)(
    calibrate.calibrate_mount
)
calibrations.command("sensor", epilog="Example:  supple calibrate sensor --sim turned --speed max")(
    calibrate.calibrate_sensor
)


def main() -> None:
    """Run the command; every error of our own becomes a sentence, a next step and an exit code."""
    try:
        app(prog_name="supple")
    except SuppleError as error:
        typer.echo(f"supple: {error.sentence}", err=True)
        if error.next_step:
            typer.echo(f"        {error.next_step}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
