"""A lint over what the wearer reads: words that claim too much or push, and how hard a text is to read."""

from __future__ import annotations

import re

BANNED = (
    r"diagnos\w*",
    r"treat(s|ed|ing|ment\w*)?",
    r"cure[sd]?",
    r"prevent\w*",
    r"patients?",
    r"abnormal\w*",
    r"normal",
    r"dangerous",
    r"at risk",
    r"risk score",
    r"correct posture",
    r"(good|bad|perfect|great) posture",
    r"medical[- ]grade",
    r"clinically",
    r"healthy",
    r"scoliosis",
    r"sciatica",
    r"discs?",
    r"herniat\w*",
    r"arthritis",
    r"spine age",
    r"push\w*",
    r"further",
    r"harder",
    r"force[sd]?",
    r"no pain",
    r"must",
    r"realign\w*",
    r"back in place",
    r"streak",
    r"badge",
    r"score",
)
_BANNED = re.compile(r"\b(" + "|".join(BANNED) + r")\b", re.IGNORECASE)


def offences(text: str) -> list[str]:
    """The banned words of a text."""
    return [match.group(0) for match in _BANNED.finditer(text)]


def reading_grade(text: str) -> float:
    """Flesch-Kincaid grade, syllables counted as groups of vowels."""
    words = re.findall(r"[A-Za-z]+|\d+", text)
    sentences = max(1, len(re.findall(r"[.!?]", text)))
    syllables = sum(_syllables(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def _syllables(word: str) -> int:
    if word.isdigit():
        return 2
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    return max(1, groups - (word.lower().endswith("e") and groups > 1))
