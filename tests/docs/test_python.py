"""The page for Python is a test: its blocks run in order, with the output that it shows."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path

import pytest
import time_machine

from liveportal import Portal
from liveportal.domain.errors import caution_codes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "PYTHON.md").read_text("utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)


@pytest.mark.usefixtures("tmp_ledger_env")
@pytest.mark.parametrize("now", ["2026-11-20T09:00:00+00:00", "2028-02-29T23:59:30+00:00"])
def test_the_page_runs_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: str
) -> None:
    """In a new folder, one block after the other, at any later time."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    shown: list[str] = []
    with time_machine.travel(datetime.fromisoformat(now), tick=True):
        for code, _ in BLOCK.findall(PAGE):
            with redirect_stdout(io.StringIO()) as out:
                exec(compile(code, "docs/PYTHON.md", "exec"), names)  # noqa: S102 (our own page)
            shown.append(out.getvalue())
    assert shown == [text for _, text in BLOCK.findall(PAGE)]
    assert len(shown) > 15


def test_the_lists_are_made_from_the_declarations() -> None:
    """`make docs` rewrites them."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_python.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lists = PAGE.partition("## Queries")[2]
    assert all(f"`{code}`" in lists for code in caution_codes())
    groups = {name for name in dir(Portal) if f"### `portal.{name}`" in lists}
    assert {"requests", "sessions", "claims", "payouts", "earnings", "ledger"} <= groups
