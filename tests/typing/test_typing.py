"""A caller is checked as strictly as the package itself: by mypy, and by pyright where it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import liveportal

ROOT = Path(liveportal.__file__).parents[1]
CALLER = Path(__file__).with_name("month.py")


def _passes(*command: str, folder: Path) -> None:
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_types_are_shipped() -> None:
    """Without this file the checkers would take every name of an installed package for `Any`."""
    assert (ROOT / "liveportal" / "py.typed").is_file()


@pytest.mark.slow
def test_a_caller_under_strict_mypy(tmp_path: Path) -> None:
    """All types are as `month.py` says; an `ignore` on a line that is right is an error, too."""
    shutil.copy(CALLER, tmp_path)
    _passes(sys.executable, "-m", "mypy", "--strict", "month.py", folder=tmp_path)


def _pyright_runs() -> bool:
    """Return whether pyright is installed, and was or can be fetched."""
    if (program := shutil.which("pyright")) is None:
        return False
    return subprocess.run([program, "--version"], check=False).returncode == 0


@pytest.mark.slow
def test_a_caller_under_strict_pyright(tmp_path: Path) -> None:
    """The same."""
    if not _pyright_runs():
        pytest.skip("pyright is not installed, or its npm package cannot be fetched")
    shutil.copy(CALLER, tmp_path)
    settings = {
        "typeCheckingMode": "strict",
        "reportUnnecessaryTypeIgnoreComment": "error",
        "extraPaths": [str(ROOT)],
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    _passes("pyright", "--pythonpath", sys.executable, folder=tmp_path)
