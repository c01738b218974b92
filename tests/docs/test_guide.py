"""The guide is a test: its commands run as written, one after the other."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.kit.quick_program import write_program
from tests.kit.shell import ROOT

GUIDE = (ROOT / "docs" / "GUIDE.md").read_text("utf-8")
DUE = """
liveportal() {
    command liveportal "$@" || { code=$?; [ "$1" = due ] && [ $code -eq 10 ] || return $code; }
}
"""
"""`due` may report that something is due."""


@pytest.mark.usefixtures("tmp_ledger_env")
@pytest.mark.slow
def test_the_guide_runs_as_written(tmp_path: Path, server: str) -> None:
    """In a new home, half a minute before the end of a month, a day and a leap day."""
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL))
    write_program(tmp_path, server, "2028-02-29T23:59:30+00:00")
    ran = subprocess.run(
        ["/bin/bash", "-euxo", "pipefail", "-c", f"{DUE}\n{lines}"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "S-1" in ran.stdout
