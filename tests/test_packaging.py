"""What a user installs: the wheel, in a fresh environment, far from the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UV = shutil.which("uv")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(UV is None, reason="builds and installs with uv, which is not on the path"),
]


def _run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    _run(UV, "build", "--wheel", "--out-dir", str(out), cwd=ROOT)
    (built,) = out.glob("supple-*.whl")
    return built


def test_the_wheel_holds_what_the_program_reads_and_nothing_of_the_workshop(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert shipped == {"monitor", "firmware_sim", "calibration"}
    assert "monitor/py.typed" in names
    for folder in ("calibration", "firmware_sim/scenarios"):
        files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
        kept = {path.relative_to(ROOT).as_posix() for path in files}
        assert kept
        assert kept <= set(names)


def test_the_installed_command_runs_a_simulated_desk_anywhere(wheel, tmp_path):
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    elsewhere.mkdir()
    home.mkdir()
    _run(UV, "venv", "--python", sys.executable, str(elsewhere / "venv"), cwd=elsewhere)
    python = elsewhere / "venv" / "bin" / "python"
    locked = _run(UV, "export", "--locked", "--no-dev", "--no-emit-project", "--no-hashes", cwd=ROOT)
    (elsewhere / "locked.txt").write_text(locked, encoding="utf-8")
    _run(
        *(UV, "pip", "install", "-q", "--python", str(python)),
        *("--constraint", str(elsewhere / "locked.txt"), str(wheel)),
        cwd=elsewhere,
    )
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONWARNINGS": "error::SyntaxWarning"}
    command = elsewhere / "venv" / "bin" / "supple"
    assert _run(str(command), "--version", cwd=elsewhere, env=env).startswith("supple ")
    out = _run(
        *(
            str(command),
            "live",
            "--sim",
            "desk",
            "--speed",
            "max",
            "--duration",
            "10",
            "--no-window",
            "--json",
        ),
        cwd=elsewhere,
        env=env,
    )
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) >= 5
    assert not (elsewhere / "monitor").exists()
