"""The final pass over a session that just ended: angles from the filter that knows the future, beside the live ones."""

from __future__ import annotations

from pathlib import Path

from monitor.commands.say import say
from monitor.core.errors import SuppleError

SHORTEST_S = 30.0
"""Of less nobody looks again at the angles."""
LONGEST_S = 12 * 3600.0
"""A working day takes some ten seconds; what takes longer is for when the person asks for it."""


def final_pass(recording: Path) -> Path | None:
    """Write the results of `analyze --offline` into the folder `<stem>.results` beside `recording` and say so.

    None where there is nothing to do or it was left: too short, too long (then the command for later is said), results
    there already, refused, or Ctrl-C. Never raises for any of these;
    SystemExit on SIGTERM.
    """
    folder = recording.with_name(f"{recording.stem}.results")
    later = f"supple analyze {recording} --offline --out {folder}"
    try:
        seconds = _length_s(recording)
        if seconds < SHORTEST_S or folder.exists():
            return None
        if seconds > LONGEST_S:
            say(f"Final angles of so long a session, when you have a minute:  {later}")
            return None
        say("Looking over the recording once more for the final angles (Ctrl-C leaves it) ...")
        if problem := _written(recording, folder):
            say(f"No final angles: {problem}")
            return None
    except SystemExit:
        _remove_empty(folder)
        raise
    except KeyboardInterrupt:
        _remove_empty(folder)
        say(f"Left. The recording is whole; later:  {later}")
        return None
    say(f"Final angles, with the live ones beside them, in {folder / recording.with_suffix('.parquet').name}")
    return folder


def _length_s(recording: Path) -> float:
    from monitor.store.session_file import SessionReader

    try:
        with SessionReader(recording) as reader:
            return reader.duration_s
    except SuppleError:
        return 0.0


def _written(recording: Path, folder: Path) -> str:
    """Write the results; a sentence where that failed."""
    # Imported here: a session that is not looked at again never needs them.
    from monitor.cohort.analyze import analyze_one
    from monitor.cohort.ending import orderly_sigterm
    from monitor.cohort.tools import AnalyzeOptions
    from monitor.commands.analysis_tools import analysis_tools
    from monitor.store.places import private_folder

    try:
        private_folder(folder.absolute())
    except SuppleError as error:
        return error.sentence
    with orderly_sigterm():
        outcome = analyze_one(recording, folder, AnalyzeOptions(offline=True), analysis_tools())
    if outcome.problem:
        _remove_empty(folder)
    return outcome.problem


def _remove_empty(folder: Path) -> None:
    """Remove the folder unless something is in it."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
