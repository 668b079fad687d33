"""The prompt log counts a local day, whatever the restarts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.core.errors import StorageError
from monitor.core.events import Prompt
from monitor.core.inputs import Mark, Tick
from monitor.sinks.prompt_log import PromptLogSink
from monitor.store.prompt_log import PromptLog

NOON_S = datetime(2026, 3, 29, 12, 0, tzinfo=UTC).timestamp()


def prompt(t_s: float) -> Prompt:
    return Prompt(
        t_s=t_s, rule="time_to_move", text_id="move.sitting", text="...", reason={"sitting_s": 2400.0}
    )


def test_prompts_of_earlier_sessions_of_the_day_count_today(tmp_path: Path) -> None:
    for start_s in (NOON_S - 7200, NOON_S):
        sink = PromptLogSink(PromptLog(tmp_path / "prompts.jsonl"))
        sink.push([Tick(0.0, start_s, 0, ()), prompt(60.0)])
        sink.close()
    today = PromptLog(tmp_path / "prompts.jsonl").today(NOON_S + 600, 0)
    assert today == {"prompts": 2, "last_prompt_wall_s": NOON_S + 60}


def test_yesterday_is_another_day_where_the_wearer_lives(tmp_path: Path) -> None:
    log = PromptLog(tmp_path / "prompts.jsonl")
    late_evening_s = datetime(2026, 3, 29, 22, 30, tzinfo=UTC).timestamp()
    log.add({"kind": "prompt", "wall_s": late_evening_s})
    assert log.today(late_evening_s + 3600, 0)["prompts"] == 1
    assert log.today(late_evening_s + 3600, 3600)["prompts"] == 0  # 00:30 local: midnight has passed
    assert log.today(late_evening_s + 3600, 3600)["last_prompt_wall_s"] == late_evening_s


def test_a_snooze_outlives_the_session_and_then_ends(tmp_path: Path) -> None:
    log = PromptLog(tmp_path / "prompts.jsonl")
    sink = PromptLogSink(log)
    sink.push([Tick(0.0, NOON_S, 0, ()), Mark(10.0, "snooze", {"minutes": 15})])
    assert log.snoozed_until(NOON_S + 60) == NOON_S + 910
    assert log.snoozed_until(NOON_S + 911) is None


def test_pain_keeps_prompts_off_for_a_day_across_restarts(tmp_path: Path) -> None:
    log = PromptLog(tmp_path / "prompts.jsonl")
    assert not log.in_pain(NOON_S)
    PromptLogSink(log).push([Tick(0.0, NOON_S, 0, ()), Mark(5.0, "pain", {})])
    assert log.in_pain(NOON_S + 86_000)
    assert not log.in_pain(NOON_S + 86_406)


def test_a_torn_last_line_is_skipped(tmp_path: Path) -> None:
    log = PromptLog(tmp_path / "prompts.jsonl")
    log.add({"kind": "prompt", "wall_s": NOON_S})
    with log.path.open("a") as file:
        file.write('{"kind": "prompt", "wal')
    assert log.today(NOON_S + 1, 0)["prompts"] == 1


def test_an_unwritable_log_is_said_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"prompts\.jsonl"):
        PromptLog(tmp_path / "file" / "prompts.jsonl").add({"kind": "prompt", "wall_s": NOON_S})
