"""Shapes, colours and words of the window keep their rules. No Qt here."""

from __future__ import annotations

import colorsys
import re
import string

import numpy as np
import pytest

from monitor.window import theme
from monitor.window.display import SCREEN_PACKAGES, refusal, screen_set
from monitor.window.figure import BEND_SHOWN_MAX_DEG, SENSOR_HEIGHT, rear_figure, side_figure
from monitor.window.texts import TEXTS, duration, text

PLACES = sorted(SENSOR_HEIGHT)

BANNED = re.compile(
    r"diagnos|\btreat|\bcure|prevent|\bpatient|abnormal|\bnormal\b|dangerous|correct posture|medical-grade|clinically"
    r"|risk score|at risk|scoliosis|\bdisc\b|sciatica|spine age|realign|back in place|\bpush|further|harder|no pain"
    r"|perfect|healthy|streak|must\b",
    re.IGNORECASE,
)


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", sorted(TEXTS))
def test_no_sentence_judges_forces_or_names_an_illness(id: str) -> None:
    assert not BANNED.search(TEXTS[id]), TEXTS[id]


def test_the_lint_would_see_a_bad_sentence() -> None:
    for bad in ("This prevents pain.", "Push a bit further.", "Your posture is abnormal."):
        assert BANNED.search(bad)


def test_every_sentence_about_signs_leads_to_a_person() -> None:
    for id in ("urge.ask.text", "pain.ask", "pain.urgent", "screening.2", "screening.3"):
        assert re.search(r"doctor|health professional|medical help", TEXTS[id]), id


def test_every_field_of_a_sentence_can_be_filled() -> None:
    for id, sentence in TEXTS.items():
        fields = {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
        assert "{" not in text(id, **dict.fromkeys(fields, "x")), id


def test_the_keys_of_the_buttons_are_all_different() -> None:
    keys = [
        TEXTS[id][TEXTS[id].index("&") + 1].lower()
        for id in TEXTS
        if "&" in TEXTS[id] and id.startswith("button.")
    ]
    keys.append(TEXTS["prompts.dismiss"][TEXTS["prompts.dismiss"].index("&") + 1].lower())
    assert len(keys) == len(set(keys)) == 11


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (8040, "2 h 14 min")],
)
def test_durations_read_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


# --- colours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ink", "ground"), theme.TEXT_PAIRS)
def test_text_can_be_read_on_its_ground(ink: str, ground: str) -> None:
    assert theme.contrast(ink, ground) >= 4.5


def test_contrast_is_that_of_the_standard() -> None:
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert theme.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_no_colour_is_an_alarm_or_an_all_clear() -> None:
    for colour in set(re.findall(r"#[0-9A-Fa-f]{6}", theme.style_sheet(10.0))) | set(theme.BANNER.values()):
        r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        hue, _, saturation = colorsys.rgb_to_hls(r, g, b)
        hue_deg = 360 * hue
        if saturation > 0.2:
            assert 25 < hue_deg < 60 or 180 < hue_deg < 280, colour


# --- shapes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bend", [-40.0, 0.0, 25.0, 90.0])
def test_the_drawing_has_the_measured_tilt_at_the_sensor_and_above(bend: float) -> None:
    for place in ("upper_back", "sternum"):
        assert side_figure(bend, place).sensor_turn_deg == pytest.approx(bend)
    for place in PLACES:
        assert side_figure(bend, place).head_turn_deg == pytest.approx(bend)
        assert side_figure(bend, place, lying=True).hip_turn_deg == pytest.approx(bend)


def test_forward_leans_to_the_right_of_the_page_and_a_right_bend_too() -> None:
    assert side_figure(30.0, "upper_back").head[0] > side_figure(0.0, "upper_back").head[0] + 0.3
    assert rear_figure(30.0, "upper_back").head[0] > 0.3


def test_a_left_bend_mirrors_a_right_bend() -> None:
    right, left = rear_figure(20.0, "upper_back"), rear_figure(-20.0, "upper_back")
    assert left.spine[:, 0] == pytest.approx(-right.spine[:, 0])
    assert left.spine[:, 1] == pytest.approx(right.spine[:, 1])


def test_bending_keeps_the_length_of_the_spine() -> None:
    def length(bend: float) -> float:
        return float(np.sum(np.hypot(*np.diff(rear_figure(bend, "lower_back").spine, axis=0).T)))

    assert length(60.0) == pytest.approx(length(0.0), rel=0.01)


@pytest.mark.parametrize("place", [*PLACES, "", "elsewhere"])
@pytest.mark.parametrize("bend", [-180.0, -90.0, 0.0, 90.0, 180.0])
def test_every_angle_and_placement_can_be_drawn(place: str, bend: float) -> None:
    for figure in (side_figure(bend, place), rear_figure(bend, place)):
        assert np.isfinite(figure.outline).all()
        assert np.abs(figure.outline).max() < 2.0
        assert abs(figure.head_turn_deg) <= BEND_SHOWN_MAX_DEG


# --- where no window can open --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "platform", "there"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({"QT_QPA_PLATFORM": "xcb"}, "linux", False),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_screen_is_looked_for_where_it_is_named(
    environment: dict[str, str], platform: str, there: bool
) -> None:
    assert screen_set(environment, platform) is there


def test_a_missing_library_is_named_with_the_packages_that_bring_it() -> None:
    said = refusal("ImportError: libEGL.so.1: cannot open shared object file: No such file or directory")
    assert "libEGL.so.1" in said
    for package in (
        "libegl1",
        "libgl1",
        "libxkbcommon0",
        "libdbus-1-3",
        "libfontconfig1",
        "libglib2.0-0",
        "libxcb-cursor0",
    ):
        assert package in said


def test_a_screen_that_cannot_be_opened_and_a_missing_module_are_told_apart() -> None:
    assert ":77" in refusal(
        "qt.qpa.xcb: could not connect to display :77\nCould not load the Qt platform plugin"
    )
    assert " ".join(SCREEN_PACKAGES) in refusal(
        'Could not load the Qt platform plugin "xcb" in "" even though it was found.'
    )
    assert "PySide6" in refusal("ModuleNotFoundError: No module named 'PySide6'")
