"""Words for the person, on standard error, so that standard output stays for data."""

from __future__ import annotations

from rich.console import Console

CHECKSUM = "Checksum of all records (SHA-256): {}"
"""A replay that shows the same one met the session to the bit."""


def say(text: str) -> None:
    """One line, as it is: nothing in it is markup."""
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
