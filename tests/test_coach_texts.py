"""What the wearer may be told: an observation and an option, in plain words that claim nothing."""

from __future__ import annotations

import pytest
from wording import offences, reading_grade

from monitor.coach.texts import TEXTS, render

NUMBERS = {"minutes": 40.4, "creep": 0.7}


@pytest.mark.parametrize("text_id", sorted(TEXTS))
def test_every_text_keeps_the_wording_rules(text_id: str) -> None:
    text = render(text_id, NUMBERS)
    assert offences(text) == []
    assert reading_grade(text) <= 8.0
    assert "may feel good" in text
    assert "Stop if it hurts" in text


@pytest.mark.parametrize(
    "text",
    [
        "This treats your disc.",
        "Push a little harder!",
        "You have bad posture.",
        "Prevents sciatica",
        "It is abnormal",
    ],
)
def test_the_lint_finds_what_it_is_for(text: str) -> None:
    assert offences(text)


def test_the_reading_grade_tells_hard_from_easy() -> None:
    hard = "Prolonged intervertebral immobilisation predisposes individuals to musculoskeletal discomfort."
    assert reading_grade(hard) > 12.0 > reading_grade("Take a short walk now.")


def test_numbers_are_whole_and_an_unknown_text_is_an_error() -> None:
    assert render("static.walk", NUMBERS).startswith("40 minutes in one position.")
    with pytest.raises(KeyError):
        render("no.such", NUMBERS)
