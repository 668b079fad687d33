"""Many recordings through the pipeline, one process each; one bad file does not stop the others."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from monitor.cohort.ending import deaf_to_ctrl_c, end_on_sigterm
from monitor.cohort.meter import Meter, Phase, Report, unheard
from monitor.cohort.mounting import PER_SENSOR, USUAL, headings_for, mounts_for, opening_marks, with_mounts
from monitor.cohort.tools import AnalyzeOptions, Output, Tools
from monitor.core.errors import SettingsError, SuppleError
from monitor.core.inputs import Input, Mark, Rows
from monitor.pipeline import Pipeline, final_pass
from monitor.store.places import keep_private, private_folder

COVERAGE_GOOD = 0.9
COVERAGE_FAIR = 0.7
"""Below this no score is given anywhere (safety H6)."""
NOTE = "import_note"
"""Kind of the marks by which an importer says what the user should know."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file. `problem` (a sentence) and `next_step` are empty where all went well, and `exit_code` is 0.

    `quality` is `good`, `fair`, `poor` or `failed`; `summary` is the content of `<stem>.json`, empty after a failure.
    """

    path: Path
    quality: str
    summary: Mapping[str, Any]
    problem: str = ""
    next_step: str = ""
    exit_code: int = 0


Progress = Callable[[Outcome], None]


def analyze_files(
    paths: Sequence[Path],
    folder: Path,
    options: AnalyzeOptions,
    tools: Tools,
    progress: Progress = lambda _outcome: None,
    meter: Meter | None = None,
) -> list[Outcome]:
    """Analyse each file into `folder` (made if absent); outcomes in the order of `paths`. `progress` hears of each.

    `meter` (of as many files as `paths`) shows meanwhile, to other threads, how far each is.

    Results of the same file that are there are replaced, once the new ones are whole.

    Raises SettingsError where two results would have one name or the mount is none, StorageError for the folder.
    """
    check_stems(paths)
    for path in paths:
        check_owner(path, folder)
    if options.mount != "auto":
        for axes in options.mount.split(PER_SENSOR):
            tools.mount_from_axes(axes)
    private_folder(folder.absolute())
    jobs = min(options.jobs or os.cpu_count() or 1, len(paths))
    outcomes: dict[Path, Outcome] = {}
    tasks = [Task(number, path, folder, options, tools) for number, path in enumerate(paths)]
    meter = meter or Meter(len(paths))
    try:
        for outcome in _run(tasks, jobs, meter):
            outcomes[outcome.path] = outcome
            progress(outcome)
    except BaseException:
        meter.stop()
        raise
    return [outcomes[path] for path in paths]


def check_stems(paths: Sequence[Path]) -> None:
    """Raise SettingsError where two inputs would write the same files."""
    counts = Counter(path.stem.casefold() for path in paths)
    for path in paths:
        if counts[path.stem.casefold()] > 1:
            raise SettingsError(
                f"Two inputs are named {path.stem}: their results would overwrite each other.",
                "Rename one, or analyse them into two folders.",
                path.stem,
            )


def check_owner(path: Path, folder: Path) -> None:
    """Raise SettingsError where the results would overwrite another file's, something else, or the file itself."""
    there = [target for target in _results(folder, path.stem) if target.exists()]
    if not there:
        return
    owner = _owner(folder / f"{path.stem}.json")
    own_input = path.exists() and any(target.samefile(path) for target in there)
    if owner != path.name or own_input:
        what = path.name if own_input else f"the result of {owner}" if owner else "something else"
        raise SettingsError(
            f"The results of {path} would overwrite {what} in {folder}.", "Choose another folder.", path.stem
        )


def _results(folder: Path, stem: str) -> list[Path]:
    """Where sinks.tables puts them."""
    return [folder / f"{stem}{suffix}" for suffix in (".parquet", ".events.jsonl", ".json")]


def _owner(summary: Path) -> str:
    """The name of the file that a summary is about; empty where it is none."""
    try:
        return str(json.loads(summary.read_text(encoding="utf-8"))["file"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 where every file went well, else the gravest code."""
    return max((outcome.exit_code for outcome in outcomes), default=0)


def analyze_one(
    path: Path, folder: Path, options: AnalyzeOptions, tools: Tools, report: Report = unheard
) -> Outcome:
    """Analyse one file. Never raises: whatever goes wrong is in the outcome, and leaves no half results."""
    keep_private()
    try:
        summary = _analyze(path, folder, options, tools, report)
    except SuppleError as error:
        return Outcome(path, "failed", {}, error.sentence, error.next_step, error.exit_code)
    except Exception as error:
        problem = f"{path} made the program fail ({type(error).__name__}: {error})."
        return Outcome(path, "failed", {}, problem, "Please report it, with the file if you can.", 1)
    return Outcome(path, quality(summary), summary)


def quality(summary: Mapping[str, Any]) -> str:
    """How far the numbers of a summary may be trusted. Angles from a makeshift or doubtful mount are poor in any case."""
    coverage = float(summary["coverage"])
    makeshift = any(mount["source"] == USUAL or mount.get("doubt") for mount in summary["mounts"])
    if coverage < COVERAGE_FAIR or makeshift or not summary["ranges"]["inclination_deg"]:
        return "poor"
    return "good" if coverage >= COVERAGE_GOOD and summary["ranges"]["flexion_deg"] else "fair"


class Task(NamedTuple):
    """One file's work, for a worker process. `number` is its place in the meter."""

    number: int
    path: Path
    folder: Path
    options: AnalyzeOptions
    tools: Tools

    def outcome(self, meter: Meter) -> Outcome:
        report = meter.report(self.number)
        outcome = analyze_one(self.path, self.folder, self.options, self.tools, report)
        report(Phase.DONE, 0.0, 0.0)
        return outcome


def _run(tasks: Sequence[Task], jobs: int, meter: Meter) -> Iterator[Outcome]:
    if jobs <= 1:
        yield from (task.outcome(meter) for task in tasks)
        return
    left = {task.path: task for task in tasks}
    for outcome in _pooled(tasks, jobs, meter):
        del left[outcome.path]
        yield outcome
    # A process that died took the pool with it: each file that was left gets a process of its own.
    for path, task in left.items():
        yield next(_pooled([task], 1, meter), None) or Outcome(
            path,
            "failed",
            {},
            f"{path} ended the process that analysed it.",
            "Free some memory, or use --jobs 1.",
            1,
        )


_shared: list[Meter] = []
"""In a worker process: the meter it was started with, which cannot travel with a task."""


def _share(meter: Meter) -> None:
    _shared.append(meter)
    end_on_sigterm()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where `deaf_to_ctrl_c` cannot


def _outcome(task: Task) -> Outcome:
    return task.outcome(_shared[0])


def _pooled(tasks: Sequence[Task], jobs: int, meter: Meter) -> Iterator[Outcome]:
    """Outcomes as they come, ending early where a process dies."""
    # A fresh interpreter each: forking a process that has threads is not safe.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _share, (meter,)) as pool:
        with deaf_to_ctrl_c():
            futures = [pool.submit(_outcome, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            return
        except GeneratorExit:
            raise
        except BaseException:
            meter.stop()  # before the pool waits for its processes
            raise
        finally:
            for future in futures:
                future.cancel()


def _analyze(
    path: Path, folder: Path, options: AnalyzeOptions, tools: Tools, report: Report
) -> Mapping[str, Any]:
    opening = opening_marks(tools.open_input(path, options))
    whole_s = tools.length_s(path, options)

    def metered(phase: Phase) -> Tools:
        def opened(path: Path, options: AnalyzeOptions) -> Iterator[list[Input]]:
            return _metered(tools.open_input(path, options), lambda done_s: report(phase, done_s, whole_s))

        return replace(tools, open_input=opened)

    marks, warnings = mounts_for(opening, path, options, metered(Phase.MOUNTING))
    headings = headings_for(opening, path, options, metered(Phase.MOUNTING))
    about = {
        "file": path.name,
        **({} if options.lower is None else {"lower_file": options.lower.name}),
        "sensors": [dict(mark.value) for mark in opening if mark.kind == "sensor"],
        "mounts": [dict(mark.value) for mark in marks],
        "offline": options.offline,
        "versions": dict(tools.versions),
    }
    output = tools.open_output(folder, path.stem, about)
    try:
        for text in warnings:
            output.warn(text)
        blocks = metered(Phase.ANALYSING).open_input(path, options)
        _stream(with_mounts(blocks, [*marks, *headings], options), output, options.offline)
        output.close()
    except BaseException:
        output.discard()
        raise
    return output.result()


def _metered(blocks: Iterator[list[Input]], done: Callable[[float], None]) -> Iterator[list[Input]]:
    """`blocks`; `done` hears how many seconds of them were taken."""
    first_s: float | None = None
    done(0.0)
    for block in blocks:
        yield block
        first, last = block[0], block[-1]
        if first_s is None:
            first_s = float(first.t_s[0]) if isinstance(first, Rows) else first.t_host_s
        done((float(last.t_s[-1]) if isinstance(last, Rows) else last.t_host_s) - first_s)


def _stream(blocks: Iterator[list[Input]], output: Output, offline: bool) -> None:
    pipeline = Pipeline()
    late = final_pass() if offline else None
    for inputs in blocks:
        output.push(inputs)
        for item in inputs:
            if isinstance(item, Mark) and item.kind == NOTE:
                output.warn(str(item.value.get("text", "")))
        records = pipeline.push(inputs)
        output.push(records if late is None else late.push(records))
    records = pipeline.close()
    output.push(records if late is None else [*late.push(records), *late.close()])
