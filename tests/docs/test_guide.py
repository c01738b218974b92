"""The guide is a test: its commands run as written, one after the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "GUIDE.md").read_text("utf-8")
DUE = 10


MONTHS_END = "2028-02-29T23:59:30+00:00"


@pytest.mark.usefixtures("tmp_ledger_env")
@pytest.mark.parametrize("now", [None, MONTHS_END])
def test_the_guide_runs_as_written(tmp_path: Path, now: str | None) -> None:
    """In a new home, at any time; `due` may report that something is due."""
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL))
    module = f"-m tests.docs.clocked {now}" if now else "-m liveportal"
    program = tmp_path / "liveportal"
    program.write_text(
        f'#!/bin/sh\n"{sys.executable}" {module} "$@"\n'
        f'code=$?; [ "$1" = due ] && [ $code -eq {DUE} ] && exit 0; exit $code\n'
    )
    program.chmod(0o700)
    ran = subprocess.run(
        ["/bin/bash", "-euxo", "pipefail", "-c", lines],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "S-1" in ran.stdout
