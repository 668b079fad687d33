"""Published ranges are shown with their sources, beside what was seen, and nobody is graded by them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from monitor.commands.norms import read_norms
from tests.door import Ask, asking, refused
from tests.wording import offences


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(tmp_path, monkeypatch, capsys)


def movement(
    direction: str, peak_deg: float, state: str = "standing", start_s: float = 10.0, returned: bool = True
) -> dict[str, Any]:
    return {
        "kind": "movement",
        "start_s": start_s,
        "end_s": start_s + 4.0,
        "direction": direction,
        "peak_deg": peak_deg,
        "return_error_deg": 2.0,
        "state": state,
        "returned": returned,
    }


def results(folder: Path, placement: str, *events: dict[str, Any]) -> Path:
    path = folder / "monday.json"
    sensors = [{"placement": "sternum", "primary": False}, {"placement": placement, "primary": True}]
    path.write_text(json.dumps({"sensors": sensors}))
    other = {"kind": "posture_state", "state": "standing"}
    (folder / "monday.events.jsonl").write_text(
        "".join(json.dumps(event) + "\n" for event in (other, *events))
    )
    return path


def test_every_published_range_is_listed_with_its_source_and_none_is_a_goal(ask: Ask) -> None:
    answer = ask("norms")
    assert answer.code == 0
    norms, _ = read_norms()
    for norm in norms:
        assert any(
            norm.source in line and norm.method in line and norm.region in line
            for line in answer.out.splitlines()
        )
    assert "no goal and no verdict" in answer.out and "Your own" in answer.out
    assert offences(answer.out) == []
    assert [json.loads(line)["source"] for line in ask("norms", "--json").out.splitlines()] == [
        n.source for n in norms
    ]


def test_what_was_seen_standing_is_set_beside_what_the_sensor_at_its_place_shows(
    ask: Ask, tmp_path: Path
) -> None:
    seen = (movement("flexion", 41.0), movement("flexion", 55.6), movement("flexion", 70.0, "sitting"))
    lower = ask("norms", results(tmp_path, "lower_back", *seen)).out
    assert (
        "At the lower back: flexion 2 times, at most 56 deg (give or take 2). Beside it: pelvis flexion 48 to 59 deg"
        in lower
    )
    assert "lumbar flexion" not in lower and "not how far the lumbar spine bends" in lower
    upper = ask("norms", results(tmp_path, "upper_back", movement("lateral_right", 35.0))).out
    assert "trunk lateral 28.4 to 31.7 deg" in upper and "once" in upper
    assert (
        "no published range at hand"
        in ask("norms", results(tmp_path, "waist", movement("extension", 9.0))).out
    )


def test_the_lean_of_sitting_down_is_no_bend(ask: Ask, tmp_path: Path) -> None:
    sits = {"kind": "transition", "t_s": 53.5}
    seen = (movement("flexion", 41.0), movement("flexion", 60.0, start_s=50.0), sits)
    answer = ask("norms", results(tmp_path, "lower_back", *seen)).out
    assert "flexion once, at most 41 deg" in answer


def test_a_way_down_to_the_floor_is_no_bend(ask: Ask, tmp_path: Path) -> None:
    seen = (movement("flexion", 41.0), movement("flexion", 89.0, start_s=50.0, returned=False))
    answer = ask("norms", results(tmp_path, "lower_back", *seen)).out
    assert "flexion once, at most 41 deg" in answer


def test_more_than_published_is_not_praised_and_less_is_not_blamed(ask: Ask, tmp_path: Path) -> None:
    def words(peak_deg: float) -> str:
        return re.sub(
            r"at most \d+ deg",
            "",
            ask("norms", results(tmp_path, "sternum", movement("flexion", peak_deg))).out,
        )

    assert words(20.0) == words(100.0) == words(140.0)
    assert offences(words(140.0)) == [] and "percentile" not in words(140.0)


def test_turning_is_left_out_and_a_recording_without_bends_is_said_to_be_one(
    ask: Ask, tmp_path: Path
) -> None:
    path = results(
        tmp_path, "lower_back", movement("rotation_left", 120.0), movement("flexion", 30.0, "walking")
    )
    answer = ask("norms", path).out
    assert "no movement while standing" in answer and "Rotation is left out" in answer and "120" not in answer
    assert ask("norms", path, "--json").out == ""


def test_a_file_that_holds_no_results_is_refused(ask: Ask, tmp_path: Path) -> None:
    refused(ask("norms", tmp_path / "none.json"), 2, "none.json", "supple analyze")
    (tmp_path / "a.json").write_text("[1]")
    refused(ask("norms", tmp_path / "a.json"), 2, "a.json", ".events.jsonl")
    path = results(tmp_path, "waist")
    path.with_suffix(".events.jsonl").unlink()
    refused(ask("norms", path), 2, "monday.json")
