"""How accurate is it? Every measure on recordings of people and on simulated ones, beside its peers on the same rows."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

import measures
from figure import Figure
from markdown import page
from results import report


def main() -> int:
    names = sorted(found.name for found in pkgutil.iter_modules(measures.__path__))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds the recordings (docs/benchmarks.md)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="some of the measures")
    parser.add_argument(
        "--smoke", action="store_true", help="absent recordings are not a failure; simulated people are few"
    )
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="also write the tables of docs/benchmarks.md here"
    )
    options = parser.parse_args()
    found: dict[str, list[Figure]] = {}
    for name in options.only:
        measure = importlib.import_module(f"measures.{name}").measure
        found[name] = list(measure(options.data, quick=options.smoke))
        count = len(found[name])
        print(
            f"{name}: {count} figures" if count else f"{name}: no recordings of this kind at hand",
            file=sys.stderr,
        )
        if options.markdown:
            options.markdown.write_text(page(found), encoding="utf-8")
    rows = [figure.row() for figures in found.values() for figure in figures]
    if not rows:
        print("No recordings: give --data DIR with the folders that docs/benchmarks.md names.")
        return 0 if options.smoke else 1
    report("accuracy", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
