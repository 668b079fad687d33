"""A number of things in words."""

from __future__ import annotations


def counted(n: int, one: str, many: str = "") -> str:
    """`1 row`, `2 rows`; `many` where the plural is not made with an s."""
    return f"{n} {one}" if n == 1 else f"{n} {many or one + 's'}"
