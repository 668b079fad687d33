"""Virtual time: waiting costs nothing, order is kept, threads and signals still reach the loop."""

import asyncio
import os
import signal
import socket
import threading
import time

import pytest

from monitor.sources.virtual_time import NothingToWaitForError, run_virtual


def test_an_hour_of_sleep_costs_less_than_a_second() -> None:
    async def sleep() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    before = time.monotonic()
    assert run_virtual(sleep()) == pytest.approx(3600)
    assert time.monotonic() - before < 1.0


def test_timers_fire_in_the_order_of_their_times() -> None:
    order: list[tuple[str, float]] = []

    async def one(name: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        order.append((name, asyncio.get_running_loop().time()))

    async def main() -> None:
        await asyncio.gather(one("late", 30.0), one("soon", 0.5), one("middle", 7.0))

    run_virtual(main())
    assert [name for name, _ in order] == ["soon", "middle", "late"]
    assert [at for _, at in order] == pytest.approx([0.5, 7.0, 30.0])


def test_a_timeout_expires_after_its_virtual_seconds() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == pytest.approx(10)


def test_waiting_for_what_can_never_happen_is_an_error() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(NothingToWaitForError, match="nothing is left"):
        run_virtual(main())


def test_the_clock_stands_still_while_a_thread_works() -> None:
    async def main() -> tuple[str, float]:
        timer = asyncio.create_task(asyncio.sleep(3600))
        answer = await asyncio.to_thread(lambda: time.sleep(0.05) or "done")
        at = asyncio.get_running_loop().time()
        timer.cancel()
        return str(answer), at

    assert run_virtual(main()) == ("done", 0.0)


def test_a_thread_can_wake_the_loop_with_call_soon_threadsafe() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[str] = loop.create_future()

        def say() -> None:
            loop.call_soon_threadsafe(heard.set_result, "heard")

        thread = threading.Thread(target=say)
        thread.start()
        while not heard.done():
            await asyncio.sleep(1)
        thread.join()
        return heard.result()

    assert run_virtual(main()) == "heard"


def test_bytes_on_a_socket_are_read_before_time_jumps() -> None:
    async def main() -> tuple[bytes, float]:
        loop = asyncio.get_running_loop()
        near, far = socket.socketpair()
        near.setblocking(False)
        with near, far:
            far.send(b"now")
            async with asyncio.timeout(5):
                got = await loop.sock_recv(near, 16)
        return got, loop.time()

    assert run_virtual(main()) == (b"now", 0.0)


def test_ctrl_c_ends_a_run_that_never_waits_for_real() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(100, os.kill, os.getpid(), signal.SIGINT)
        while True:
            await asyncio.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        run_virtual(main())


def test_a_signal_handler_of_the_loop_is_called() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, asked.set)
        loop.call_later(100, os.kill, os.getpid(), signal.SIGTERM)
        while not asked.is_set():
            await asyncio.sleep(1)
        loop.remove_signal_handler(signal.SIGTERM)
        return loop.time()

    assert 100 <= run_virtual(main()) < 110
