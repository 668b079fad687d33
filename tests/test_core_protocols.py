"""What a plug-in has to offer is what somebody uses."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

import monitor
from monitor.core.protocols import Driver

PROGRAM = "".join(
    path.read_text(encoding="utf-8") for path in sorted(Path(monitor.__file__).parent.rglob("*.py"))
)


@pytest.mark.parametrize("name", [field.name for field in fields(Driver)])
def test_every_part_of_a_driver_is_read_somewhere(name: str) -> None:
    assert re.search(rf"(driver|\])\.{name}\b", PROGRAM)
