"""What a person sees while files are analysed: how many are done, and how far each running one is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from monitor.cohort.meter import Meter, Phase

LOOK_EVERY_S = 0.2
NAME_MAX_CHARS = 24
_WORDS = {Phase.MOUNTING: "finding how it was worn", Phase.ANALYSING: ""}


@contextmanager
def shown_progress(console: Console, paths: Sequence[Path], meter: Meter) -> Iterator[Callable[[str], None]]:
    """Bars on a terminal while the body runs, nothing elsewhere. `meter` is read from a thread of its own.

    Yields how to say a line meanwhile: above the bars.
    """

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    if not console.is_terminal:
        yield say
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[far]}", markup=False),
        TimeElapsedColumn(),
    )
    ended = threading.Event()
    with Progress(*columns, console=console, transient=True) as bars:
        board = _Board(bars, paths, meter)
        thread = threading.Thread(target=board.follow, args=(ended,), name="progress", daemon=True)
        thread.start()
        try:
            yield say
        finally:
            ended.set()
            thread.join()


class _Board:
    """One bar for all files where there are several, and one for each that is being worked on."""

    def __init__(self, bars: Progress, paths: Sequence[Path], meter: Meter) -> None:
        self._bars, self._paths, self._meter = bars, paths, meter
        self._rows: dict[int, TaskID] = {}
        several = len(paths) > 1
        self._all = bars.add_task("all files", total=len(paths), far="") if several else None

    def follow(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        done = 0
        for file in range(len(self._paths)):
            phase = self._meter[file].phase
            done += phase is Phase.DONE
            if phase in _WORDS:
                self._show(file)
            elif file in self._rows:
                self._bars.remove_task(self._rows.pop(file))
        if self._all is not None:
            self._bars.update(self._all, completed=done, far=f"{done} of {len(self._paths)} files")

    def _show(self, file: int) -> None:
        phase, done_s, whole_s = self._meter[file]
        if file not in self._rows:
            name = self._paths[file].name
            short = name if len(name) <= NAME_MAX_CHARS else f"{name[: NAME_MAX_CHARS - 3]}..."
            self._rows[file] = self._bars.add_task(short, total=None, far="")
        far = clock(done_s) + (f" of {clock(whole_s)}" if whole_s else "")
        words = _WORDS.get(phase, "")
        self._bars.update(
            self._rows[file],
            total=whole_s or None,
            completed=min(done_s, whole_s) if whole_s else done_s,
            far=f"{far}  {words}" if words else far,
        )


def clock(seconds: float) -> str:
    """1:02:03"""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
