"""What reaches the window is the newest, whole where it matters, and thinned the same however it was cut. No Qt here."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import window_stream as stream

from monitor.core.blocks import take
from monitor.core.events import Beat, Record
from monitor.core.inputs import Packet, Tick
from monitor.window.bridge import WindowSink
from monitor.window.ring import CELL_S, SPAN_S, MinuteRing

# --- the last minute -----------------------------------------------------------------------------------------------


def test_the_ring_keeps_the_same_points_however_the_rows_were_cut() -> None:
    whole = stream.trunk(3.0, 80.0)
    one, many = MinuteRing(), MinuteRing()
    one.push(whole)
    for i in range(0, len(whole), 7):
        many.push(take(whole, slice(i, i + 7)))
    for a, b in zip(one.window(80.0), many.window(80.0), strict=True):
        assert np.array_equal(a, b, equal_nan=True)


def test_the_ring_holds_a_minute_and_no_more_however_long_it_runs() -> None:
    ring = MinuteRing()
    for start in range(0, 600, 5):
        ring.push(stream.trunk(start, start + 5))
    t_s, deg = ring.window(600.0)
    assert t_s[0] == pytest.approx(-SPAN_S, abs=2 * CELL_S)
    assert len(t_s) == pytest.approx(SPAN_S / CELL_S, abs=2)
    assert np.allclose(np.diff(t_s), CELL_S)
    assert deg[:, 0] == pytest.approx(stream.trunk(540, 600).flexion_deg[::5], abs=1e-9)


def test_a_hole_and_unmeasured_rows_break_the_line() -> None:
    ring = MinuteRing()
    for part in (stream.trunk(0, 10), stream.trunk(12, 20), stream.trunk(20, 21, ok=False)):
        ring.push(part)
    t_s, deg = ring.window(21.0)
    empty = t_s[np.isnan(deg[:, 0])] + 21.0
    assert empty[0] == pytest.approx(9.99)
    assert np.all((empty[1:] >= 20.0) & (empty[1:] < 21.0))
    assert len(empty) == 1 + round(1.0 / CELL_S)


def test_a_step_back_in_time_starts_the_minute_afresh() -> None:
    ring = MinuteRing()
    ring.push(stream.trunk(100, 110))
    ring.push(stream.trunk(0, 5))
    t_s, _ = ring.window(5.0)
    assert len(t_s) == pytest.approx(5.0 / CELL_S, abs=1)


# --- the bridge ----------------------------------------------------------------------------------------------------


def test_the_newest_rows_win_and_the_lost_ones_are_counted() -> None:
    sink = WindowSink(blocks_max=3)
    for second in range(10):
        sink.push([stream.trunk(second, second + 1)])
    assert sink.dropped == 7
    kept = sink.take()
    assert [block.t_s[0] for block in kept] == [7.0, 8.0, 9.0]  # type: ignore[union-attr]
    assert (sink.take(), sink.dropped) == ([], 7)


def test_a_flood_of_rows_loses_no_event() -> None:
    sink = WindowSink(blocks_max=2)
    sink.push([*stream.opening(), stream.prompt(1.0)])
    for second in range(50):
        sink.push([stream.trunk(second, second + 1)])
    kinds = [type(record).__name__ for record in sink.take()]
    assert kinds == ["Mark", "Prompt", "TrunkBlock", "TrunkBlock"]


def test_packets_and_ticks_are_none_of_the_windows_business() -> None:
    sink = WindowSink()
    sink.push([Packet(0.0, "a", "live", b"x"), Tick(0.0, 0.0, 0, ())])
    assert (sink.take(), sink.dropped) == ([], 0)


def test_two_threads_lose_nothing_between_them() -> None:
    sink = WindowSink(events_max=100_000)
    got: list[Record] = []

    def produce() -> None:
        for i in range(20_000):
            sink.push([Beat("a", float(i), 0.0, 0, True, 0.0)])
        sink.close()

    worker = threading.Thread(target=produce)
    worker.start()
    while not sink.closed:
        got += sink.take()
    worker.join()
    got += sink.take()
    assert [beat.t_host_s for beat in got] == [float(i) for i in range(20_000)]  # type: ignore[union-attr]
    assert sink.dropped == 0
