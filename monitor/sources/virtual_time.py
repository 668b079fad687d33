"""An event loop whose clock jumps to the next timer instead of waiting: an hour costs what its callbacks cost.

`loop.time()` starts at 0 s. The clock stands still while a job runs in an executor, because its end cannot be
foreseen; open file descriptors are polled before each jump, so nothing that has already arrived is overtaken.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class NothingToWaitForError(RuntimeError):
    """No callback is ready, no timer is set and no input or executor job can wake the loop: it would hang for ever."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector loop on virtual time. `call_soon_threadsafe`, executors, sockets and signals work as usual."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self._jobs = 0
        # The base class registers its own wake-up pipe in here and nothing else.
        super().__init__(_JumpingSelector(self))
        self._own_descriptors = len(self._jumping.get_map())

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """As usual; virtual time stands still until the job is done."""
        future: asyncio.Future[_T] = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        future.add_done_callback(self._job_done)
        return future

    async def shutdown_default_executor(self, *timeout_s: Any) -> None:
        """As usual; the joining thread counts as a job."""
        self._jobs += 1
        try:
            await super().shutdown_default_executor(*timeout_s)
        finally:
            self._jobs -= 1

    @property
    def _jumping(self) -> _JumpingSelector:
        selector: _JumpingSelector = self._selector  # type: ignore[attr-defined]
        return selector

    def _job_done(self, _future: asyncio.Future[Any]) -> None:
        self._jobs -= 1

    def waits_for_the_world(self) -> bool:
        """Whether an executor job or a file descriptor other than the loop's own may still wake it."""
        return self._jobs > 0 or len(self._jumping.get_map()) > self._own_descriptors

    def jump(self, seconds: float) -> bool:
        """Advance the clock, unless a job in an executor must be waited for."""
        if self._jobs > 0:
            return False
        self._virtual_s += seconds
        return True


class _JumpingSelector(selectors.DefaultSelector):
    """Where a selector would sleep, this one polls and lets its loop's clock jump."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            if not self._loop.waits_for_the_world():
                raise NothingToWaitForError(
                    "Under virtual time nothing is left that could ever happen: every task waits for another one."
                )
            return super().select(None)
        if not self._loop.jump(timeout):
            return super().select(None)
        return ready

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return super().get_map() or {}


def run_virtual(main: Coroutine[Any, Any, _T]) -> _T:
    """`asyncio.run` under virtual time. Raises NothingToWaitForError where real time would hang for ever."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
