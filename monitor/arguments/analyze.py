"""`supple analyze`: recordings and tables to results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.arguments.shared import Json
from monitor.core.errors import SettingsError


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
