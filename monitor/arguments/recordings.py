"""Commands about recordings: `sessions`, `replay`, `norms`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.arguments.shared import Json, ReplaySpeed


def sessions(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Left out: the recordings folder.")
    ] = None,
    json: Json = False,
) -> None:
    """List the recordings: how long, and whether each ended well."""
    from monitor.commands.recordings import run_sessions

    raise typer.Exit(run_sessions(folder, json))


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


def norms(
    results: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Beside the results of this recording (analyze).")
    ] = None,
    json: Json = False,
) -> None:
    """Show published ranges of motion with their sources."""
    from monitor.commands.norms import run_norms

    raise typer.Exit(run_norms(results, json))
