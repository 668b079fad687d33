"""Two processes: a simulator behind a socket and the client; either may die and come back."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from monitor.core.blocks import ImuBlock
from monitor.core.events import Fault, Gap
from monitor.core.inputs import Input, Packet
from monitor.devices import spine1
from monitor.sources.ble.client import Target
from monitor.sources.ble.radio import open_radio
from monitor.sources.ble.source import BleSource

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")]

_SERVE = """
import asyncio, sys
from monitor.sources.simulated import serve
asyncio.run(serve("desk", 1, sys.argv[1], "spine1", lambda text: print(text, flush=True)))
"""

_CLIENT = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_ble_processes import stream

class Told(list):
    def append(self, text):
        print(text, flush=True)

asyncio.run(stream(Path(sys.argv[1]), Told(), [], asyncio.Event()))
"""


@asynccontextmanager
async def simulator(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SERVE, f"unix-server:{path}", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while b"listening" not in await process.stdout.readline():
            pass
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        path.unlink(missing_ok=True)


async def stream(
    path: Path, said: list[str], arrived: list[float], enough: asyncio.Event, kept: list[Input] | None = None
) -> None:
    """Add the time of every live packet, and to `kept` all that came; end when `enough` is set."""
    async with open_radio(f"unix-client:{path}") as radio:
        source = BleSource(
            radio,
            [Target("a", spine1.DRIVER)],
            start_wall_s=0.0,
            utc_offset_s=0,
            say=lambda _key, text: said.append(text),
        )
        async for inputs in source:
            if kept is not None:
                kept += inputs
            arrived += [i.t_host_s for i in inputs if isinstance(i, Packet) and i.channel == "live"]
            if enough.is_set():
                await source.aclose()


async def until(count: int, arrived: list[float]) -> None:
    async with asyncio.timeout(20):
        while len(arrived) < count:
            await asyncio.sleep(0.05)


async def test_a_killed_simulator_is_found_again_when_it_is_back(tmp_path: Path) -> None:
    said: list[str] = []
    kept: list[Input] = []
    arrived: list[float] = []
    enough = asyncio.Event()
    async with simulator(tmp_path / "hci") as first:
        client = asyncio.create_task(stream(tmp_path / "hci", said, arrived, enough, kept))
        await until(10, arrived)
        first.kill()
        await first.wait()
    before = len(arrived)
    await asyncio.sleep(1)
    async with simulator(tmp_path / "hci"):
        await until(before + 10, arrived)
        enough.set()
        async with asyncio.timeout(5):
            await client
    assert any(text.startswith("waiting") for text in said)
    assert any("No virtual radio answers" in text for text in said)
    records = [*spine1.DRIVER.decoder("a").push(kept)]
    rows = np.concatenate([record.t_s for record in records if isinstance(record, ImuBlock)])
    assert rows[-1] > arrived[before] - 0.5, "samples of the second start are new ones"
    assert "reboot" in [record.reason for record in records if isinstance(record, Gap)]
    assert "duplicate" not in [record.kind for record in records if isinstance(record, Fault)]


async def test_a_client_that_vanished_does_not_keep_the_sensor_to_itself(tmp_path: Path) -> None:
    async with simulator(tmp_path / "hci"):
        crashing = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _CLIENT,
            str(tmp_path / "hci"),
            str(Path(__file__).parent),
            stdout=asyncio.subprocess.PIPE,
        )
        assert crashing.stdout is not None
        async with asyncio.timeout(20):
            while b"streaming" not in await crashing.stdout.readline():
                pass
        crashing.kill()
        await crashing.communicate()
        said: list[str] = []
        arrived: list[float] = []
        enough = asyncio.Event()
        client = asyncio.create_task(stream(tmp_path / "hci", said, arrived, enough))
        await until(10, arrived)
        enough.set()
        async with asyncio.timeout(5):
            await client
    assert "streaming" in said
