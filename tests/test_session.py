"""The one loop: every sink gets everything, none can harm another, and a full disk ends it cleanly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from monitor.core.errors import StorageError
from monitor.core.events import Notice, Record
from monitor.core.inputs import Input, Mark, Tick
from monitor.session import Session


class Minutes:
    """A source of one tick a second; `endless` ones go on until closed."""

    def __init__(self, seconds: int, endless: bool = False) -> None:
        self._seconds, self._endless = seconds, endless
        self._closed = asyncio.Event()
        self._t_s = 0.0
        self.closings = 0

    async def __aiter__(self) -> AsyncIterator[list[Input]]:
        while not self._closed.is_set() and (self._endless or self._t_s < self._seconds):
            self._t_s += 1.0
            yield [Tick(self._t_s, 1_700_000_000.0 + self._t_s, 0, ())]
            await asyncio.sleep(0)

    def now_s(self) -> float:
        return self._t_s

    async def aclose(self) -> None:
        self.closings += 1
        self._closed.set()


class Witness:
    def __init__(self) -> None:
        self.records: list[Record] = []
        self.closed = False

    def push(self, records: Sequence[Record]) -> None:
        self.records += records

    def close(self) -> None:
        self.closed = True

    def of(self, kind: type) -> list[Record]:
        return [record for record in self.records if isinstance(record, kind)]


class Failing(Witness):
    """Fails at its second push."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error
        self.pushes = 0

    def push(self, records: Sequence[Record]) -> None:
        self.pushes += 1
        if self.pushes > 1:
            raise self._error
        super().push(records)


async def test_every_input_reaches_every_sink_and_all_are_closed() -> None:
    first, second, digests = Witness(), Witness(), []
    session = Session(Minutes(5), [first, second], digests.append)
    digest = await session.run()
    assert len(first.of(Tick)) == len(second.of(Tick)) == 5
    assert first.closed and second.closed
    assert digests == [digest]


async def test_a_sink_that_fails_is_detached_and_said_to_the_others() -> None:
    bad, good = Failing(ValueError("no paint")), Witness()
    await Session(Minutes(5), [bad, good]).run()
    assert bad.pushes == 2
    assert len(good.of(Tick)) == 5
    assert [notice.id for notice in good.of(Notice)] == ["sink.lost"]


async def test_a_full_disk_ends_the_session_cleanly_and_is_raised() -> None:
    full, other, digests = Failing(StorageError("The disk is full.")), Witness(), []
    source = Minutes(0, endless=True)
    with pytest.raises(StorageError, match="full"):
        await Session(source, [full, other], digests.append).run()
    assert other.closed and source.closings
    assert digests == []  # a broken recording is not sealed with a digest


async def test_marks_from_another_thread_stand_among_the_inputs_in_json_form() -> None:
    witness = Witness()
    session = Session(Minutes(0, endless=True), [witness])
    running = asyncio.create_task(session.run())
    await asyncio.sleep(0.01)
    await asyncio.to_thread(session.mark, "stiff", {"where": ("low", "back")})
    await asyncio.to_thread(session.stop)
    await running
    (mark,) = witness.of(Mark)
    assert isinstance(mark, Mark) and mark.value == {"where": ["low", "back"]}
    assert mark.t_host_s > 0


async def test_cancelling_closes_source_and_sinks() -> None:
    witness, source = Witness(), Minutes(0, endless=True)
    running = asyncio.create_task(Session(source, [witness]).run())
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert witness.closed and source.closings
