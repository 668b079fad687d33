"""The garbage collector, told that a recording's inputs come by the thousand and die by themselves."""

from __future__ import annotations

import gc

NEW_OBJECTS = 10_000
"""More than two blocks of inputs hold. At Python's 700 the passes over blocks in hand took 7 % of a day's analysis, and found
nothing: inputs, records and arrays make no circles."""


def expect_many_inputs() -> None:
    """From here on, in this process, a pass begins only after so many new objects. One that is off stays off."""
    first, *older = gc.get_threshold()
    if 0 < first < NEW_OBJECTS:
        gc.set_threshold(NEW_OBJECTS, *older)
