"""Words for the person, on standard error, so that standard output stays for data."""

from __future__ import annotations

from rich.console import Console


def say(text: str) -> None:
    """One line, as it is: nothing in it is markup."""
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
