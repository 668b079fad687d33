"""What the pages promise is there: links, commands and the tests they name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pyarrow.parquet as pq
import pytest
import typer

from monitor.cli import app
from monitor.core.events import Event
from monitor.core.inputs import Mark
from monitor.sinks.tables import TableSink

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("calibration/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_inside_the_repository_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_command_the_readme_shows_exists():
    shown = set(re.findall(r"\bsupple ([a-z]+)\b", _blocks((ROOT / "README.md").read_text(encoding="utf-8"))))
    commands = set(typer.main.get_command(app).commands)
    assert {"live", "replay", "analyze"} <= shown
    assert shown <= commands


def test_every_hazard_names_a_test_that_exists():
    page = (ROOT / "docs/safety.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| S\d+ ", line)]
    assert len(rows) >= 10
    for row in rows:
        named = re.findall(r"`(test_\w+)\.py::(test_\w+)`", row)
        assert named, row
        for file, name in named:
            (path,) = [*ROOT.glob(f"tests/{file}.py"), *ROOT.glob(f"tests/gui/{file}.py")]
            assert f"def {name}(" in path.read_text(encoding="utf-8"), f"{file}::{name}"


def test_the_page_of_the_analysis_names_every_column_and_every_event(tmp_path):
    page = (ROOT / "docs/analysis.md").read_text(encoding="utf-8")
    sink = TableSink(tmp_path, "a", {})
    sink.push([Mark(0.0, "sensor", {"sensor": role, "role": role}) for role in ("upper", "lower")])
    sink.close()
    columns = pq.read_schema(tmp_path / "a.parquet").names
    assert len(columns) == 21
    columns += ["live_inclination_deg", "live_flexion_deg", "live_lateral_deg"]
    assert [name for name in columns if f"`{name}`" not in page] == []
    events = [re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() for kind in get_args(Event)]
    told_each_second = {"beat", "static_hold", "creep"}
    assert [name for name in events if f"`{name}`" not in page and name not in told_each_second] == []


def _blocks(page: str) -> str:
    """The indented code of a page."""
    return "\n".join(line for line in page.splitlines() if line.startswith("    "))
