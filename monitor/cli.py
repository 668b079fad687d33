"""The door: arguments in, nouns chosen, session run. Heavy imports wait inside the commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.core.errors import SettingsError, SuppleError

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
app.add_typer(calibrations, name="calibrate")

LiveSpeed = Annotated[
    str, typer.Option(metavar="1|max", help="Real time, or as fast as it goes (--sim only, no window).")
]
ReplaySpeed = Annotated[
    str, typer.Option(metavar="X", help="Times real time: 1, 10, ... or max, as fast as it goes.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]
Radio = Annotated[
    str | None,
    typer.Option(
        metavar="WHERE",
        help="A virtual radio, e.g. tcp-client:127.0.0.1:9600. Left out: this machine's Bluetooth.",
    ),
]
Duration = Annotated[
    float | None, typer.Option(min=0.1, metavar="SECONDS", help="Stop after this long.", show_default=False)
]
Seed = Annotated[
    int, typer.Option(metavar="N", help="The same seed gives the same simulated day, to the byte.")
]
Listen = Annotated[float, typer.Option(min=0.5, max=120, metavar="SECONDS", help="How long to look.")]
Placement = Annotated[str, typer.Option(metavar="PLACE", help="lower_back, upper_back, sternum or waist.")]
Make = Annotated[
    str, typer.Option(metavar="MAKE", help="The make of the simulated sensor: spine1 or witmotion.")
]


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


@app.command(epilog="Example:  supple live --sim desk")
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


@app.command(epilog="Example:  supple sim walk --hci tcp-server:127.0.0.1:9600")
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


@app.command(epilog="Example:  supple scan --timeout 10")
def scan(
    timeout: Listen = 5.0,
    radio: Radio = None,
    json: Json = False,
) -> None:
    """List the sensors in reach, and whether supple can use them."""
    from monitor.commands.sensors import run_scan

    raise typer.Exit(run_scan(timeout, radio, json))


@app.command(epilog="Example:  supple pair C0:01:02:03:04:05 --name desk-sensor")
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


@app.command(epilog="Example:  supple forget desk-sensor")
def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name it was paired under.")],
) -> None:
    """Forget a paired sensor and its calibration. Recordings stay."""
    from monitor.commands.sensors import run_forget

    raise typer.Exit(run_forget(name))


@calibrations.command("sensor", epilog="Example:  supple calibrate sensor --sim turned --speed max")
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


@app.command(epilog="Example:  supple doctor")
def doctor(json: Json = False) -> None:
    """Say what is missing on this machine, and how to mend it.

    Looks at Bluetooth, window, notifications, disk and folders. Ends with 1 where something needs a look.
    """
    from monitor.commands.sensors import run_doctor

    raise typer.Exit(run_doctor(json))


@app.command(epilog="Example:  supple sessions --json")
def sessions(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Left out: the recordings folder.")
    ] = None,
    json: Json = False,
) -> None:
    """List the recordings: how long, and whether each ended well."""
    from monitor.commands.recordings import run_sessions

    raise typer.Exit(run_sessions(folder, json))


@app.command(epilog="Example:  supple replay recording.supple --speed 60")
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A session file.")],
    speed: ReplaySpeed = "max",
    window: Annotated[
        bool, typer.Option("--window/--no-window", help="Show it in the window (not with --speed max).")
    ] = False,
    json: Json = False,
) -> None:
    """Run a recording again: the same records, to the bit."""
    from monitor.commands.options import times_real_time
    from monitor.commands.recordings import run_replay

    raise typer.Exit(run_replay(file, times_real_time(speed), window, json))


@app.command(epilog="Example:  supple analyze monday.csv tuesday.supple --out results")
def analyze(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Session files, CSV or Parquet files.", show_default=False),
    ] = None,
    pair: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="UPPER LOWER",
            help="Instead of FILE: the tables of two sensors with one time base, for the angles between them.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder for the results (made if absent).")
    ] = None,
    placement: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            help="Of tables: lower_back, upper_back, sternum or waist. A session file says it itself.",
        ),
    ] = "lower_back",
    mount: Annotated[
        str, typer.Option(metavar="AXES", help="auto, or where the sensor's axes point: forward=+z,up=+x.")
    ] = "auto",
    column_map: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="A TOML file that names columns and units.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Non-causal filter for the angles.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what was understood, suggest a map, write nothing.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Files at the same time. Left out: one per core.")
    ] = None,
    json: Json = False,
) -> None:
    """Write angles, events and a summary of recordings or tables."""
    from monitor.commands.analysis import AnalyzeOptions, run_analyze, run_dry, run_pair

    if (not files) == (pair is None):
        raise SettingsError(
            "There is nothing to analyse." if pair is None else "--pair comes with no other file.",
            "Give files, or --pair UPPER LOWER.",
            "files",
        )
    files = files or []
    if dry_run:
        raise typer.Exit(run_dry(files or list(pair or ()), column_map, json))
    if out is None:
        raise SettingsError(
            "There is no folder for the results.", "Add --out DIR (or --dry-run to look first).", "out"
        )
    options = AnalyzeOptions(placement, mount, column_map, offline, jobs)
    if pair is not None:
        raise typer.Exit(run_pair(*pair, out, options, json))
    raise typer.Exit(run_analyze(files, out, options, json))


@app.command(epilog="Example:  supple norms results/monday.json")
def norms(
    results: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Beside the results of this recording (analyze).")
    ] = None,
    json: Json = False,
) -> None:
    """Show published ranges of motion with their sources."""
    from monitor.commands.norms import run_norms

    raise typer.Exit(run_norms(results, json))


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
