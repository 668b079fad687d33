"""How far each file is, told by worker processes through shared memory: no queue to clog, no lock to die with."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import Array, c_double
from enum import IntEnum
from multiprocessing.sharedctypes import RawArray
from typing import NamedTuple


class Phase(IntEnum):
    """What is done with a file now. `mounting`: finding how its sensor was worn."""

    WAITING = 0
    MOUNTING = 1
    ANALYSING = 2
    DONE = 3


class Reading(NamedTuple):
    """`done_s` of `whole_s` seconds of the file's data; `whole_s` is 0 where the file does not say how long it is."""

    phase: Phase
    done_s: float
    whole_s: float


Report = Callable[[Phase, float, float], None]
"""Takes what a `Reading` holds."""

_FIELDS = len(Reading._fields)


class Stopped(BaseException):
    """Nobody waits for the results any more: no fault of the file."""


class Meter:
    """A reading for each of `files` files. Only who works on a file writes its reading; anybody may look at any time.

    After `stop` whoever reports gets Stopped.

    Handed to a worker process when it is started, and not later.
    """

    def __init__(self, files: int) -> None:
        self._cells: Array[c_double] = RawArray(c_double, files * _FIELDS)
        self._stopped: Array[c_double] = RawArray(c_double, 1)

    def stop(self) -> None:
        """Ask all who work on a file to leave it."""
        self._stopped[0] = 1.0

    def report(self, file: int) -> Report:
        """Where the analysis of file number `file` tells how far it is."""

        def put(phase: Phase, done_s: float, whole_s: float) -> None:
            if self._stopped[0]:
                raise Stopped
            start = file * _FIELDS
            for k, value in enumerate((phase, done_s, whole_s)):
                self._cells[start + k] = value

        return put

    def __getitem__(self, file: int) -> Reading:
        phase, done_s, whole_s = self._cells[file * _FIELDS : (file + 1) * _FIELDS]
        return Reading(Phase(int(phase)), done_s, whole_s)


def unheard(_phase: Phase, _done_s: float, _whole_s: float) -> None:
    """Reports that nobody waits for."""
