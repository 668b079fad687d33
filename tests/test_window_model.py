"""The window says what is known, says so when nothing is, and names the next step. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
import window_stream as stream

from monitor.core.events import Gap, Notice, Posture, PostureState, Record
from monitor.core.inputs import Mark
from monitor.window.info import pain_lines, urge_lines
from monitor.window.model import PROMPT_SHOWN_S, REFRACTORY_S, Mode, WindowModel
from monitor.window.ring import CELL_S
from monitor.window.view import Step, View, look

NOW_S = 5000.0
DESK_S = 100.0


def model_of(*records: Record, mode: Mode = Mode.LIVE) -> WindowModel:
    model = WindowModel(mode)
    model.push(records, NOW_S)
    return model


def desk(*more: Record, mode: Mode = Mode.LIVE) -> WindowModel:
    return model_of(*stream.at_the_desk(DESK_S), *more, mode=mode)


def seen(model: WindowModel, later_s: float = 0.0) -> View:
    return look(model, NOW_S + later_s)


def spoken(lines: Iterable[object]) -> str:
    return " ".join(str(line) for line in lines)


# --- fresh, stale, unknown -----------------------------------------------------------------------------------------


def test_fresh_data_are_shown_with_direction_and_interval() -> None:
    view = seen(desk(stream.still(100, 101, 20.4, -8.0)))
    forward, side, turn = view.readings
    assert (forward.value, forward.direction, forward.note) == ("20°", "forward", "± 2°")
    assert (side.value, side.direction) == ("8°", "to the left")
    assert (turn.direction, turn.note) == ("about straight", "since the last still moment")
    assert (view.fresh, view.state, view.empty) == (True, "Sitting", "")


def test_before_the_first_row_everything_is_unknown() -> None:
    view = seen(model_of(*stream.opening()))
    assert not view.fresh
    assert (view.state, view.coverage, view.battery) == ("Unknown", "Measured —", "Battery —")
    assert not any(reading.known for reading in view.readings)


@pytest.mark.parametrize("connected", [True, False])
def test_two_seconds_of_silence_in_the_session_end_the_present(connected: bool) -> None:
    model = desk(stream.beat(DESK_S + 2.5, DESK_S - 0.01, connected))
    view = seen(model)
    assert (view.state, view.fresh) == ("Unknown", False)
    assert not any(reading.known for reading in view.readings)
    assert model.pose_deg(NOW_S) is None
    assert view.empty == "No data for 2 s"
    assert ("link is down" in view.empty_next) is not connected


def test_a_pipeline_that_hangs_is_noticed_by_the_windows_own_clock() -> None:
    model = desk()
    assert seen(model, 1.9).fresh
    assert not seen(model, 2.1).fresh
    assert seen(model, 7.0).empty == "No data for 7 s"


def test_the_age_of_silent_data_goes_on_counting_between_beats() -> None:
    model = desk(stream.beat(DESK_S + 5.0, DESK_S))
    assert model.age_s(NOW_S + 0.4) == pytest.approx(5.4)


def test_the_curve_moves_away_from_now_while_data_are_stale() -> None:
    model = desk()
    flowing, _ = model.ring.window(model.present_s(NOW_S + 1.0))
    silent, _ = model.ring.window(model.present_s(NOW_S + 12.0))
    assert flowing[-1] == pytest.approx(0.0, abs=CELL_S)
    assert silent[-1] == pytest.approx(-10.0, abs=CELL_S)


def test_an_ended_session_is_no_present_either() -> None:
    model = desk(stream.prompt(99.0))
    model.end()
    view = seen(model)
    assert (view.banner, view.fresh, view.prompt, view.may_mark) == ("ENDED", False, "", False)
    assert "Close this window" in view.empty_next


def test_without_forward_only_the_tilt_is_given() -> None:
    model = model_of(
        *stream.opening(), stream.mounted(0.0, False), stream.trunk(0, 5, False), stream.beat(5.0)
    )
    view = seen(model)
    assert view.by_inclination
    assert view.readings[0].title == "Tilt from upright"
    assert (view.readings[0].direction, view.readings[0].ways) == ("", "")
    assert (view.readings[1].known, view.readings[1].note) == (False, "needs calibration")
    assert view.empty == "Forward is not known yet"
    assert model.pose_deg(NOW_S) is None


def test_coverage_is_rounded_down_so_that_all_means_all() -> None:
    model = desk(Gap(stream.SENSOR, 10.0, 10.3, "missing"))
    assert seen(model).coverage == "Measured 99 %"
    assert seen(desk()).coverage == "Measured 100 %"


def test_a_state_without_evidence_says_so() -> None:
    view = seen(desk(PostureState(99.0, Posture.UNKNOWN, 0.0, 99.5)))
    assert (view.state, view.state_note, view.fresh) == ("Unknown", "not enough evidence yet", True)


# --- empty states name the next step -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "mode", "missing", "step"),
    [
        ([], Mode.LIVE, "No sensor yet", "switch it on"),
        ([], Mode.SIMULATED, "Starting the simulated sensor", "by itself"),
        ([], Mode.REPLAY, "Opening the recording", "by itself"),
        ([stream.beat(1.0, -math.inf)], Mode.LIVE, "Connected, waiting for data", "off and on"),
        ([stream.trunk(0, 1, False), stream.beat(1.0)], Mode.LIVE, "Not calibrated yet", "press Calibrate"),
    ],
)
def test_what_is_missing_is_named_with_the_next_step(
    records: list[Record], mode: Mode, missing: str, step: str
) -> None:
    view = seen(model_of(*stream.opening(), *records, mode=mode))
    assert view.empty == missing
    assert step in view.empty_next


def test_setup_goes_from_connect_over_calibrate_to_done() -> None:
    model = model_of(*stream.opening())
    assert seen(model).step is Step.CONNECT
    model.push([stream.beat(1.0, -math.inf)], NOW_S)
    assert seen(model).step is Step.CALIBRATE
    model.push([stream.mounted()], NOW_S)
    assert seen(model).step is Step.DONE


def test_a_calibration_counts_down_and_its_refusal_is_read_out() -> None:
    begun = [Mark(100.0, "calibrate", {"sensor": stream.SENSOR, "seconds": 20.0}), stream.trunk(100, 105)]
    model = desk(*begun, stream.beat(105.0))
    view = seen(model)
    assert (view.calibrating, view.may_calibrate) == (True, False)
    assert view.empty_next.startswith("15 s left.")
    model.push([Notice(105.0, "calibration_moving", "Calibration refused: you moved.")], NOW_S)
    view = seen(model)
    assert (view.calibrating, view.may_calibrate) == (False, True)
    assert view.messages[0][1] == "Calibration refused: you moved."


# --- prompts -------------------------------------------------------------------------------------------------------


def test_a_live_prompt_is_shown_and_can_be_dismissed() -> None:
    model = desk(stream.prompt(99.0))
    assert seen(model).prompt == stream.PROMPT_TEXT
    model.dismiss()
    assert seen(model).prompt == ""


def test_of_two_prompts_the_newest_is_shown_first_and_the_other_counted() -> None:
    model = desk(stream.prompt(40.0, "First."), stream.prompt(99.0, "Second."))
    view = seen(model)
    assert view.prompt == "Second."
    assert "and 1 more" in view.prompt_note
    model.dismiss()
    assert (seen(model).prompt, seen(model).prompt_note) == ("First.", "1 min ago")


def test_simulated_prompts_are_marked_as_such() -> None:
    assert "Simulated prompt" in seen(desk(stream.prompt(99.0), mode=Mode.SIMULATED)).prompt_note


def test_a_recording_gives_no_prompt_and_takes_no_mark() -> None:
    view = seen(desk(stream.prompt(99.0), mode=Mode.REPLAY))
    assert view.prompt == ""
    assert stream.PROMPT_TEXT in view.messages[0][1]
    assert (view.may_mark, view.may_calibrate) == (False, False)


def test_a_prompt_goes_by_itself_when_its_moment_is_long_over() -> None:
    shown = desk(stream.prompt(99.0), stream.beat(99.0 + PROMPT_SHOWN_S))
    gone = desk(stream.prompt(99.0), stream.beat(99.1 + PROMPT_SHOWN_S))
    assert (len(shown.prompts), len(gone.prompts)) == (1, 0)


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        (Mark(99.5, "snooze", {"minutes": 15}), "Prompts are paused for 14 min."),
        (Mark(99.5, "pain", {}), "Prompts are off since you pressed Pain."),
        (Mark(99.5, "screening", {"level": 3}), "Prompts are off."),
        (Mark(99.5, "screening", {"level": 2}), "Prompts are off."),
    ],
)
def test_pause_pain_and_self_check_take_prompts_away_and_keep_new_ones_back(mark: Mark, why: str) -> None:
    model = desk(stream.prompt(99.0), mark, stream.prompt(99.8))
    assert (seen(model).prompt, seen(model).prompt_note) == ("", why)


def test_no_prompts_while_stale_is_not_called_nothing_to_do() -> None:
    assert seen(desk(), 5.0).prompt_note == "No prompts while there are no data."


def test_a_self_check_of_level_three_is_told_on_every_screen_and_stops_calibration_by_bending() -> None:
    view = seen(desk(Mark(1.0, "screening", {"level": 3})))
    assert "urgent medical help" in view.escalation
    assert not view.may_calibrate
    assert seen(desk(Mark(1.0, "screening", {"level": 1}))).escalation == ""


def test_until_tomorrow_is_the_next_local_midnight() -> None:
    model = desk()
    until = model.tomorrow_wall_s()
    assert (until + 3600) % 86_400 == 0
    assert 0 < until - (stream.WALL_S + DESK_S) <= 86_400
    assert math.isnan(model_of().tomorrow_wall_s())


def test_messages_carry_the_local_time_of_day() -> None:
    model = desk(Mark(60.0, "stiff", {}))
    local = int(stream.WALL_S + 3600 + 60.0) % 86_400
    assert seen(model).messages[0] == (f"{local // 3600:02d}:{local % 3600 // 60:02d}", "Noted: stiff.")


def test_the_same_message_again_replaces_the_last_one() -> None:
    model = desk(*[Notice(t, "link.slow", "The link is slow.") for t in (10.0, 20.0, 30.0)])
    assert [m.text for m in model.messages].count("The link is slow.") == 1


# --- the longer texts ----------------------------------------------------------------------------------------------


def test_the_urge_gets_a_calm_answer_without_an_exercise() -> None:
    said = spoken(urge_lines(desk())).lower()
    for part in (
        "only a sound",
        "breathe",
        "walk",
        "cannot tell which",
        "physiotherapist",
        "urgent medical help",
    ):
        assert part in said
    for word in ("twist", "rotate", "stretch", "repeat", "knee"):
        assert word not in said


def test_after_a_pop_the_minutes_left_are_told_until_they_are_over() -> None:
    assert "about 29 min" in spoken(urge_lines(desk(Mark(90.0, "popped", {}))))
    over = desk(Mark(90.0, "popped", {}), stream.beat(90.0 + REFRACTORY_S))
    assert "Another pop" not in spoken(urge_lines(over))
    assert "Another pop" not in spoken(urge_lines(desk()))


def test_in_pain_the_urge_gets_no_movement_idea() -> None:
    said = spoken(urge_lines(desk(Mark(99.0, "pain", {}))))
    assert "walk" not in said
    assert "health professional" in said


def test_pain_lists_every_sign_that_asks_for_urgent_help() -> None:
    said = spoken(pain_lines()).lower()
    for sign in (
        "bladder or bowel",
        "groin",
        "sexual function",
        "tingling",
        "runs down a leg or an arm",
        "both legs",
        "fever",
        "weight loss",
        "fall or an accident",
        "cancer",
        "steroids",
        "at night",
        "urgent medical help",
        "health professional",
    ):
        assert sign in said
