"""One of a thing is one, in every sentence that counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from inertial_tables import ACC, GYR, csv_text, imported, table, written

from monitor.core.counted import counted
from monitor.motion.chip.ellipsoid import fit_ellipsoid, refusal
from monitor.sources.importers.suggest import dry_run


@pytest.mark.parametrize(("n", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_one_is_singular(n: int, said: str) -> None:
    assert counted(n, "row") == said
    assert counted(n, "loss", "losses") == said.replace("rows", "losses").replace("row", "loss")


def test_one_line_left_out_is_said_as_one(tmp_path: Path) -> None:
    text = csv_text(table(), ["t_s", *ACC, *GYR])
    lines = text.split("\n")
    lines[500] = "1,2"
    _, (note,) = imported(written(tmp_path, "\n".join(lines)))
    assert note == "Left out: 1 line with a wrong number of fields."


def test_one_column_is_said_as_one(tmp_path: Path) -> None:
    found = dry_run(written(tmp_path, "word\n" + "x\n" * 20), None)
    assert any("1 column:" in fact for fact in found.facts), found.facts


def test_one_pose_is_said_as_one() -> None:
    poses = table(1)[:, 1:4]
    said = refusal(fit_ellipsoid(poses), poses)
    assert said is not None and "1 still pose came" in said[0]
