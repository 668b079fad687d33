"""Record a session: inputs (and the gaps found in them) go to its file, durable once a second."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from monitor.core.errors import StorageError
from monitor.core.events import Gap, Record
from monitor.core.inputs import Mark, Packet, Tick
from monitor.store.session_file import SessionWriter

COMMIT_EVERY_S = 1.0
"""Real time between two commits: what a power cut can cost at most."""
QUEUE_PUSHES = 1_024
"""How many pushes may wait for a slow disk before `push` waits too: some minutes at 10 packets a second."""


class _HeaderValue(NamedTuple):
    key: str
    value: object


_Job: TypeAlias = list[Packet | Mark | Tick | Gap] | _HeaderValue | None


class Recorder:
    """A sink into `writer`, which it owns from now on.

    Nothing is dropped: when the disk is slow `push` waits. A disk that fails makes the next `push` (at the latest
    `close`) raise StorageError, once. `inline` writes in the caller's thread, for sessions in virtual time, whose
    loop must not run ahead of its recording.
    """

    def __init__(self, writer: SessionWriter, inline: bool = False) -> None:
        self._writer = writer
        self._failure: StorageError | None = None
        self._reported = False
        self._committed_at = time.monotonic()
        self._jobs: queue.Queue[_Job] = queue.Queue(QUEUE_PUSHES)
        self._thread = None if inline else threading.Thread(target=self._work, name="recorder", daemon=True)
        if self._thread is not None:
            self._thread.start()

    def push(self, records: Sequence[Record]) -> None:
        kept = [item for item in records if isinstance(item, (Packet, Mark, Tick, Gap))]
        if kept:
            self._give(kept)

    def set_header(self, key: str, value: object) -> None:
        """Keep a JSON-able value in the file's header, such as `digest` at the end."""
        self._give(_HeaderValue(key, value))

    def close(self) -> None:
        """Everything durable, then close. Raises StorageError where it is not, unless `push` said so already."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        try:
            self._writer.close(clean=self._failure is None)
        except StorageError as failure:
            self._failure = self._failure or failure
        self._report()

    def _give(self, job: _Job) -> None:
        self._report()
        if self._thread is None:
            self._do(job)
            self._commit_when_due()
            self._report()
        else:
            self._jobs.put(job)

    def _report(self) -> None:
        if self._failure is not None and not self._reported:
            self._reported = True
            raise self._failure

    def _work(self) -> None:
        while True:
            due_s = self._committed_at + COMMIT_EVERY_S - time.monotonic()
            try:
                job = self._jobs.get(timeout=max(0.0, due_s))
            except queue.Empty:
                pass
            else:
                if job is None:
                    return
                self._do(job)
            self._commit_when_due()

    def _do(self, job: _Job) -> None:
        if self._failure is not None:
            return
        try:
            if isinstance(job, _HeaderValue):
                self._writer.set_header(job.key, job.value)
            elif job is not None:
                self._writer.append([item for item in job if not isinstance(item, Gap)])
                self._writer.append_gaps(item for item in job if isinstance(item, Gap))
        except StorageError as failure:
            self._failure = failure

    def _commit_when_due(self) -> None:
        if time.monotonic() - self._committed_at < COMMIT_EVERY_S:
            return
        self._committed_at = time.monotonic()
        if self._failure is None:
            try:
                self._writer.commit()
            except StorageError as failure:
                self._failure = failure
