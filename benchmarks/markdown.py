"""The accuracy table as docs/benchmarks.md shows it: a section for each group of measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from figure import Figure

SECTIONS = {
    "Inclination and orientation": ("inclination", "offline"),
    "Two sensors": ("lumbar",),
    "Forward and the mount": ("mount",),
    "Slips": ("slip",),
    "Movements": ("turns", "bends", "trunk_games", "repetitions"),
    "Posture and transitions": (
        *("posture_waist", "transitions", "squats_and_bends", "posture_chest", "seat_timing"),
        *("umafall", "slouch"),
    ),
    "Simulated days": ("days",),
    "A sensor's own calibration": ("sensor_calibration",),
    "Stated uncertainty": ("uncertainty", "lumbar_uncertainty"),
    "Thresholds chosen again, without the people who are scored": ("cross_validated",),
}
UNITS = {"1": "", "deg": "°", "% of days": "% of days"}


def page(found: Mapping[str, Sequence[Figure]]) -> str:
    """All sections of which something was measured; measures nobody has placed come last."""
    placed = [name for names in SECTIONS.values() for name in names]
    sections = {**SECTIONS, "Others": tuple(name for name in found if name not in placed)}
    tables = ((heading, [f for n in names for f in found.get(n, ())]) for heading, names in sections.items())
    return "\n".join(f"### {heading}\n\n{_table(figures)}" for heading, figures in tables if figures)


def _table(figures: Sequence[Figure]) -> str:
    head = "| what | set | people | supple | 90 % of people | must / aim | holds | peers on the same rows | note |"
    lines = [head, "|" + "---|" * head.count(" | ") + "---|"]
    for figure in figures:
        row = figure.row()
        spread = "-" if figure.low is None else f"{figure.low:.3g} to {figure.high:.3g}"
        goals = "-" if figure.must is None else " / ".join(map(_goal, (figure.must, figure.aim)))
        cells = (
            *(figure.what, figure.data_set, figure.people),
            f"{figure.value:.3g} {UNITS.get(figure.unit, figure.unit)}".strip(),
            *(spread, goals, row["holds"], row["peers"] or "-", figure.note or "-"),
        )
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _goal(goal: float | None) -> str:
    return "-" if goal is None else f"{goal:g}"
