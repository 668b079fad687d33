"""`supple analyze`: results for each file, progress meanwhile, one summary line each."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from monitor.cohort.analyze import Outcome, analyze_files, exit_code
from monitor.cohort.ending import orderly_sigterm
from monitor.cohort.meter import Meter
from monitor.cohort.overview import read_overview, write_overview
from monitor.cohort.tools import AnalyzeOptions
from monitor.commands.analysis_tools import analysis_tools, is_session
from monitor.commands.progress import shown_progress
from monitor.commands.say import say
from monitor.core.errors import InputFileError, SettingsError
from monitor.sources.importers.mapping import load_map
from monitor.sources.importers.suggest import dry_run
from monitor.store.paired import PLACEMENTS

__all__ = ["AnalyzeOptions", "run_analyze", "run_dry", "run_pair"]


def run_analyze(files: list[Path], folder: Path, options: AnalyzeOptions, json: bool) -> int:
    """Analyse `files` into `folder`; 0 where all went well, else the gravest code."""
    if options.placement not in PLACEMENTS:
        raise SettingsError(
            f"There is no placement {options.placement!r}.",
            f"Give one of: {', '.join(PLACEMENTS)}.",
            "placement",
        )
    if options.column_map is not None:
        load_map(options.column_map)  # a wrong map is one refusal, not one for each file
    if not any(path.exists() for path in files):
        raise InputFileError(
            f"There is no file {', '.join(map(str, files))}.",
            "Check the path; nothing was written.",
            files[0],
        )
    there = read_overview(folder)
    meter = Meter(len(files))
    console = Console(stderr=True)
    with orderly_sigterm(), shown_progress(console, files, meter) as say_above:

        def done(outcome: Outcome) -> None:
            _tell(outcome, json, say_above)

        outcomes = analyze_files(files, folder, options, analysis_tools(), done, meter)
    write_overview(outcomes, folder, there)
    if not json:
        good = sum(1 for outcome in outcomes if not outcome.problem)
        say(f"{good} of {len(outcomes)} analysed into {folder}; summary.csv has a line for each.")
    return exit_code(outcomes)


def run_pair(upper: Path, lower: Path, folder: Path, options: AnalyzeOptions, json: bool) -> int:
    """Analyse the tables of two sensors as one recording, its results named after the upper one's; 0 where it went well."""
    if options.placement != AnalyzeOptions().placement:
        raise SettingsError(
            f"--placement {options.placement} says nothing of a pair: its sensors are at the upper and the lower back.",
            "Leave out --placement; the upper sensor's file comes first.",
            "placement",
        )
    for path in (upper, lower):
        if is_session(path):
            raise SettingsError(
                f"{path} is a session, with a clock of its own: --pair is for two tables of one time base.",
                f"A session of two sensors holds both:  supple analyze {path} --out {folder}",
                path,
            )
    return run_analyze([upper], folder, replace(options, lower=lower), json)


def run_dry(files: list[Path], column_map: Path | None, json: bool) -> int:
    """Say what each table is understood as, and suggest a map; nothing is written. 2 where one cannot be used."""
    columns = load_map(column_map) if column_map is not None else None
    understood = {path: dry_run(path, columns) for path in files}
    for path, found in understood.items():
        if json:
            sys.stdout.write(json_module.dumps({"file": str(path), **asdict(found)}) + "\n")
            continue
        sys.stdout.write("\n".join((f"{path}:", *(f"  {fact}" for fact in found.facts), "")))
        if found.problem:
            sys.stdout.write(f"  {found.problem}\n")
        if found.suggested_map:
            sys.stdout.write(
                f"  A map to start from (save it, mend it, give it with --map):\n\n{found.suggested_map}\n"
            )
    return InputFileError.exit_code if any(found.problem for found in understood.values()) else 0


def _tell(outcome: Outcome, json: bool, say: Callable[[str], None]) -> None:
    if json:
        line = {
            "file": str(outcome.path),
            "quality": outcome.quality,
            "problem": outcome.problem or None,
            "summary": dict(outcome.summary),
        }
        sys.stdout.write(json_module.dumps(line) + "\n")
    elif outcome.problem:
        say(f"{outcome.problem} {outcome.next_step}")
    else:
        for warning in outcome.summary.get("warnings", ()):
            say(f"{outcome.path}: {warning}")
