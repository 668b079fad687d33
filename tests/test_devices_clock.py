"""The clocks: causal, monotonic, blind to stalls."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.devices.clock import BLOCK_ROWS, BLOCK_S, SLEW, CountClock, TickClock


def test_the_offset_heads_for_the_last_blocks_minimum_no_faster_than_500_ppm():
    clock = TickClock(0.0, 1.0)
    clock.observe(np.array([1.0, 2.0, 3.0]), np.array([1.4, 0.9, 1.2]))
    assert clock.times(np.array([5.0]))[0] == 6.0
    clock.observe(np.array([11.0]), np.array([5.0]))
    end, start = clock.times(np.array([20.0 - 1e-9, 10.0]))
    assert start == 11.0
    assert end - 20.0 == pytest.approx(1.0 - SLEW * BLOCK_S)


def test_a_small_correction_is_made_in_full():
    clock = TickClock(0.0, 1.0)
    clock.observe(np.array([1.0]), np.array([0.998]))
    clock.observe(np.array([10.0]), np.array([2.0]))
    assert clock.times(np.array([19.999999]))[0] - 20.0 == pytest.approx(0.998, abs=1e-5)


def test_arrivals_late_on_purpose_are_no_evidence():
    clock = TickClock(0.0, 1.0)
    clock.observe(np.array([1.0, 15.0, 25.0]), np.array([np.inf, np.inf, np.inf]))
    assert clock.times(np.array([3.0, 16.0, 25.0])).tolist() == [4.0, 17.0, 26.0]


def test_observing_in_pieces_gives_the_same_bits():
    dice = np.random.default_rng(2)
    at = np.cumsum(dice.uniform(0, 0.4, 3000)) - 7.0
    offset = 3.0 + dice.exponential(0.02, 3000)
    whole, pieces = TickClock(at[0], 3.0), TickClock(at[0], 3.0)
    whole.observe(at, offset)
    one = whole.times(at)
    two = []
    for i in range(len(at)):
        pieces.observe(at[i : i + 1], offset[i : i + 1])
        two.append(pieces.times(at[i : i + 1])[0])
    assert one.tobytes() == np.array(two).tobytes()
    assert (np.diff(one) > 0).all()


@pytest.mark.parametrize("true_hz", [49.45, 50.0, 50.9])
def test_a_counted_rate_is_learned_from_arrival(true_hz):
    dice = np.random.default_rng(3)
    clock = CountClock(1 / 50.0, 2.0)
    got = []
    for row in range(6000):
        arrival = 2.0 + row / true_hz + float(dice.exponential(0.015))
        clock.lateness_s(row, arrival)
        clock.observe(row, arrival)
        got.append(clock.times(row, 1)[0])
    error = np.array(got) - (2.0 + np.arange(6000) / true_hz)
    assert np.abs(error[6 * BLOCK_ROWS :]).max() < 0.02
    assert (np.diff(got) > 0).all()
    assert clock.period_s == pytest.approx(1 / true_hz, rel=2e-3)
