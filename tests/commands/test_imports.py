"""What a command imports: start-up time is a promise, and these are what costs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.commands.shell import Shell

PROBE = """
import json, sys
from liveportal.__main__ import main
sys.argv[0] = "liveportal"
code = main()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
sys.exit(code)
"""
MODELS = {"sqlmodel", "sqlalchemy", "pydantic", "pydantic_core"}
SLOW = {*MODELS, "pendulum", "dateutil", "babel", "rich", "platformdirs"}
AT = ("--at", "2026-12-31 10:00")


def _imported(shell: Shell, *argv: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=shell.folder,
        env=shell.environment(),
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "argv",
    [
        "earnings --month 2026-10 --json",
        "requests list --csv",
        "sessions show S-1001",
        "sessions upcoming",
        "sessions check",
        "sessions search mali",
        "sessions show S-1001 --transcript",
        "preferences show --json",
        "refunds show CL-1",
        "dispute evidence CL-1",
        "payout preview",
        "payout forecast",
        "earnings explain 2026-10",
        "--help",
    ],
)
def test_a_read_imports_nothing_slow(states: Shell, argv: str) -> None:
    """Neither models, nor a calendar, nor rich where there is no terminal."""
    assert _imported(states, *argv.split()) & SLOW == set()


@pytest.mark.parametrize(
    "argv",
    [
        "requests accept REQ-2001",
        "dispute rule CL-1 --accepted",
        "sessions tip S-1002 5.00",
    ],
)
def test_a_write_imports_no_models(states: Shell, argv: str) -> None:
    """A single write is light, too, also with an ISO time."""
    assert _imported(states, *argv.split(), *AT) & (SLOW - {"dateutil"}) == set()


def test_only_words_need_a_calendar(states: Shell) -> None:
    """`3 days ago` is reckoned by pendulum; now, yesterday or an ISO time are not."""
    tip = ("sessions", "tip", "S-1002", "5.00", "--dry-run", "--at")
    assert "pendulum" in _imported(states, *tip, "0 days ago")
    assert "pendulum" not in _imported(states, *tip, "yesterday 14:00")


def test_as_known_imports_no_models(states: Shell) -> None:
    """Replaying the journal is the domain's work."""
    assert _imported(states, "earnings", "--as-known", "2999-01-01", "--json") & MODELS == set()
