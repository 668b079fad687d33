"""The `supple` command as a person meets it: arguments in; exit code, standard output and standard error out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor import cli

Ask = Callable[..., "Answer"]


@dataclass(frozen=True)
class Answer:
    """What came of one command."""

    code: int
    out: str
    err: str


def homes(folder: Path) -> dict[str, str]:
    """An environment in which everything the program keeps lies below `folder`, and nothing names a screen."""
    return {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "LOCALAPPDATA": str(folder / "data"),
        "COLUMNS": "200",
        "DISPLAY": "",
        "WAYLAND_DISPLAY": "",
    }


def asking(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """A function that runs `supple` with its arguments in this process, at home in `folder`."""
    for name, value in homes(folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.chdir(folder)

    def ask(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["supple", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else int(bool(code)), said.out, said.err)

    return ask


def refused(answer: Answer, code: int, *words: str) -> None:
    """Hold `answer` to be a refusal: one sentence with `words`, a next step, nothing else."""
    assert answer.code == code, answer
    assert answer.out == ""
    sentence, *next_steps = answer.err.rstrip("\n").split("\n")
    assert sentence.startswith("supple: ")
    assert sentence.endswith((".", "?")), sentence
    assert len(next_steps) == 1, f"one next step, not {next_steps}"
    assert next_steps[0].startswith("        ") and next_steps[0].strip()
    for word in words:
        assert word in answer.err
    assert "Traceback" not in answer.err
