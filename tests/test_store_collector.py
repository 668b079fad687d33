"""Reading a recording makes the garbage collector look seldom, unless somebody had set it themselves."""

import gc
from collections.abc import Iterator

import pytest

from monitor.store.collector import NEW_OBJECTS, expect_many_inputs


@pytest.fixture(autouse=True)
def threshold() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_pass_begins_only_after_more_objects_than_a_block_of_inputs_holds() -> None:
    gc.set_threshold(700, 11, 12)
    expect_many_inputs()
    assert gc.get_threshold() == (NEW_OBJECTS, 11, 12)


@pytest.mark.parametrize("first", [0, NEW_OBJECTS + 1])
def test_a_collector_that_is_off_or_looks_even_less_stays_so(first: int) -> None:
    gc.set_threshold(first, 10, 10)
    expect_many_inputs()
    assert gc.get_threshold()[0] == first
