"""The laws themselves can fail: a planted stage breaks each one, and an honest stage breaks none."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from laws import (
    alone,
    at_random,
    cut_breaches,
    cuts,
    differences,
    flattened,
    merged,
    purity_breaches,
    read_only,
    replay_breaches,
    row_by_row,
    silence_breaches,
    whole,
)

from monitor.core.blocks import ImuBlock, freeze
from monitor.core.events import Beat
from monitor.core.inputs import Mark


def _block(start: int, n: int, sensor: str = "A") -> ImuBlock:
    acc = np.random.default_rng(start).normal(size=(n, 3))
    t_s = (start + np.arange(n)) / 100.0
    return ImuBlock(sensor, t_s, acc, 2.0 * acc, np.ones(n, bool), 100.0)


def _stream():
    return [
        _block(0, 50),
        Beat("A", 0.5, 5.0, 0, True, 0.49),
        _block(50, 30),
        Mark(0.8, "stiff", {"deep": [1, 2]}),
        _block(80, 120),
        Beat("A", 2.0, 7.0, 0, True, 1.99),
        _block(200, 7),
    ]


class Honest:
    """A running sum of the rows, carried over cuts; restarts at a mark."""

    def __init__(self):
        self._carry = np.zeros((1, 3))

    def push(self, items):
        return [self._one(item) for item in items]

    def close(self):
        return []

    def _one(self, item):
        if isinstance(item, Mark):
            self._carry = np.zeros((1, 3))
        if not isinstance(item, ImuBlock):
            return item
        total = np.cumsum(np.concatenate((self._carry, self._change(item.acc))), axis=0)
        self._carry = total[-1:].copy()
        return freeze(replace(item, acc=total[1:]))

    def _change(self, acc):
        return acc


class TakesOffTheMeanOfTheChunk(Honest):
    def _change(self, acc):
        return acc - acc.mean(axis=0)


class SmoothsWithoutCarry(Honest):
    def _change(self, acc):
        return np.stack([np.convolve(acc[:, k], np.ones(3) / 3, "same") for k in range(3)], axis=1)


class HoldsRowsBackOverAMark(Honest):
    """All rows come out at the end of the push, whatever stood between them."""

    def push(self, items):
        out = super().push(items)
        return sorted(out, key=lambda item: isinstance(item, ImuBlock))


class ReadsTheClock(Honest):
    def _change(self, acc):
        return acc + 0.0 * time.monotonic()


class ThrowsDice(Honest):
    def _change(self, acc):
        return acc + 0.0 * random.random()


class ReadsAFile(Honest):
    def _change(self, acc):
        return acc + 0.0 * len(Path(__file__).read_text(encoding="utf-8"))


class AltersARow(Honest):
    def _change(self, acc):
        acc[0] = 0.0
        return acc


class AltersAMark(Honest):
    def _one(self, item):
        if isinstance(item, Mark):
            item.value["deep"].append(3)
        return super()._one(item)


class EatsTheList(Honest):
    def push(self, items):
        return [self._one(items.pop(0)) for _ in range(len(items))]


class AltersWhatItGaveOut(Honest):
    """Hands out views of one buffer that it fills anew."""

    def __init__(self):
        super().__init__()
        self._buffer = np.zeros((500, 3))

    def _one(self, item):
        out = super()._one(item)
        if not isinstance(item, ImuBlock):
            return out
        self._buffer[: len(item)] = out.acc
        return freeze(replace(item, acc=self._buffer[: len(item)]))


class HandsOutWritable(Honest):
    def _one(self, item):
        out = super()._one(item)
        return replace(out, acc=out.acc.copy()) if isinstance(out, ImuBlock) else out


class SharesItsCarry(Honest):
    _carry = np.zeros((1, 3))

    def __init__(self):
        pass

    def _one(self, item):
        out = super()._one(item)
        type(self)._carry = self._carry
        return out


def _pushes():
    return [read_only(items) for items in alone(_stream())]


def test_an_honest_stage_breaks_no_law():
    ways = cuts(read_only(_stream())) | {"row by row": row_by_row(read_only(_stream()))}
    assert cut_breaches(Honest, ways) == []
    assert silence_breaches(Honest, _pushes()) == []
    assert purity_breaches(Honest, _pushes()) == []
    assert replay_breaches(Honest, _pushes()) == []


@pytest.mark.parametrize("faulty", [TakesOffTheMeanOfTheChunk, SmoothsWithoutCarry, HoldsRowsBackOverAMark])
def test_the_cut_law_sees(faulty):
    assert cut_breaches(faulty, cuts(_stream()))


@pytest.mark.parametrize("faulty", [TakesOffTheMeanOfTheChunk, SmoothsWithoutCarry])
def test_rows_one_by_one_show_alone(faulty):
    assert cut_breaches(faulty, {"whole": whole(_stream()), "row by row": row_by_row(_stream())})


@pytest.mark.parametrize("faulty", [ReadsTheClock, ThrowsDice, ReadsAFile])
def test_the_purity_law_sees(faulty):
    assert any("was called" in line for line in purity_breaches(faulty, _pushes()))


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        (AltersARow, "an input was altered"),
        (AltersAMark, "an input was altered"),
        (EatsTheList, "changed its length"),
        (AltersWhatItGaveOut, "an output was altered later"),
        (HandsOutWritable, "handed out writable"),
    ],
)
def test_the_silence_law_sees(faulty, said):
    assert any(said in line for line in silence_breaches(faulty, alone(_stream())))


def test_writing_into_a_read_only_input_raises():
    with pytest.raises(ValueError, match="read-only"):
        silence_breaches(AltersARow, _pushes())


def test_the_replay_law_sees_state_shared_between_stages():
    assert replay_breaches(SharesItsCarry, _pushes())


def test_merging_and_splitting_lose_no_row_and_order_is_seen_across_a_mark():
    stream = _stream()
    assert differences(stream, flattened(at_random(stream, 3))) == []
    assert differences(stream, flattened(row_by_row(stream))) == []
    assert len(merged([_block(0, 5), _block(5, 5), _block(10, 5, "B")])) == 2
    swapped = [*stream[:2], stream[3], stream[2], *stream[4:]]
    assert differences(stream, swapped)


def test_one_bit_in_one_row_is_a_difference():
    stream = _stream()
    altered = stream[0].acc.copy()
    altered[17, 2] = np.nextafter(altered[17, 2], 9.0)
    found = differences(stream, [replace(stream[0], acc=altered), *stream[1:]])
    assert len(found) == 1
    assert "row 17" in found[0]
