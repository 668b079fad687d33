"""The same figures where nobody who is scored was among the people the thresholds were chosen on (cross_validation.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cross_measures import Pairs
from cross_validation import AREAS, validated
from figure import Figure


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """Beside each the figure with the thresholds as shipped, which were chosen on everybody."""
    if data is None:
        return
    areas = [found for area in AREAS if (found := validated(area, data, quick=quick)) is not None]
    measured = dict.fromkeys(m for found in areas for m in found.area.measured)
    for each in measured:
        held_out, shipped = (
            _people([getattr(found, which).get(each.key, {}) for found in areas])
            for which in ("held_out", "shipped")
        )
        if not held_out:
            continue
        low, high = each.spread(held_out)
        kept, choices = (sum(found.kept[k] for found in areas if each in found.area.measured) for k in (0, 1))
        yield Figure(
            f"people held out: {each.what}",
            each.data_set,
            len(held_out),
            each.value(held_out),
            each.unit,
            each.better,
            each.must,
            each.aim,
            low,
            high,
            {"chosen on everybody": each.value(shipped)},
            f"of {choices} choices {kept} as shipped",
        )


def _people(parts: list[dict[str, list[Pairs]]]) -> dict[str, list[Pairs]]:
    """One measure's recordings by person, of the areas together: some people were asked in two."""
    joined: dict[str, list[Pairs]] = {}
    for part in parts:
        for person, recordings in part.items():
            joined.setdefault(person, []).extend(recordings)
    return joined
