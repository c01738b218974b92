"""The README is a test: its tour runs as written, with the output that it shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_guide import DUE
from tests.kit.quick_program import write_program
from tests.kit.shell import ROOT, Shell

README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("tmp_ledger_env")
def test_the_tour_runs_as_it_stands(tmp_path: Path, server: str) -> None:
    """Every command succeeds, one after the other, in a new home, ten minutes before midnight."""
    tour = README.partition("## Your first day")[2].partition("## Scripts and speed")[0]
    blocks = re.findall(r"```sh\n(.*?)```", tour, re.DOTALL)
    write_program(tmp_path, server, "2024-02-29T23:50:00+00:00")
    ran = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", "\n".join([DUE, *blocks])],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (shown,) = re.findall(r"```json\n(.*?)```", tour, re.DOTALL)
    assert json.dumps(json.loads(shown)) in ran.stdout
    paid, yours = re.findall(r"\$(\d+\.\d\d) (?:for 40 minutes|of that)", tour)
    assert f"\t{paid}\t{yours}\t" in ran.stdout


@pytest.mark.usefixtures("tmp_ledger_env")
def test_the_example_for_python_runs(tmp_path: Path) -> None:
    """The Python example works on a ledger that has the claim which it disputes."""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shell = Shell(tmp_path, tmp_path / "book.db")
    for command in (
        ["init"],
        [
            *("sessions", "log", "2026-10-05 14:00-14:20", "--id", "S-1"),
            *("--customer", "C-1", "--rate", "3.00", "--anyway"),
        ],
        ["refunds", "claim", "S-1", "--id", "CL-1", "--at", "2026-10-05 15:00", "--anyway"],
    ):
        shell.output_of("--ledger", shell.ledger, *command)
    ran = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "42.00\n"
