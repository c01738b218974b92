"""What a command imports: start-up time is a promise, and these imports are the cost."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

PROBE = """
import json, sys
from liveportal.__main__ import main
sys.argv[0] = "liveportal"
code = main()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
sys.exit(code)
"""
MODELS = {"sqlmodel", "sqlalchemy", "pydantic", "pydantic_core"}
SLOW = {*MODELS, "pendulum", "dateutil", "babel", "rich", "platformdirs", "textual"}
# Each of these costs a millisecond or more.
DEAR = {"csv", "decimal", "hashlib", "zoneinfo", "importlib.metadata", "importlib.resources"}
# The most modules of ours that a read may import, and the expensive ones that it needs.
OWN = {
    "--json": (90, "zoneinfo"),
    "earnings --month 2026-10 --json": (53, ""),
    "earnings months --json": (52, ""),
    "earnings transactions --json": (52, ""),
    "requests list --json": (71, ""),
    "requests show REQ-1006 --json": (76, "zoneinfo"),
    "sessions list --json": (56, ""),
    "sessions show S-1002 --json": (73, ""),
    "sessions upcoming --json": (70, "zoneinfo"),
    "sessions search mali --json": (58, ""),
    "refunds list --json": (51, ""),
    "dispute list --json": (53, ""),
    "payout preview --json": (58, ""),
    "payout list --json": (57, ""),
    "due --json": (70, ""),
    "customers list --json": (60, ""),
}
# Needed by no read and no plain write: replays, checks, backups, exports, outside files.
HEAVY = (
    *("exports", "feeds.transcripts", "ledger.backup.archive", "ledger.backup.restore"),
    *("ledger.erasure.residue", "ledger.erasure.service", "ledger.replay"),
    *("ledger.payout_profile", "ledger.storage.schema.models", "ledger.verify"),
)
AT = ("--at", "2026-12-31 10:00", "--anyway")


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
        "requests list --csv",
        "sessions check",
        "sessions show S-1001 --transcript",
        "preferences show --json",
        "refunds show CL-1",
        "dispute evidence CL-1",
        "payout forecast",
        "earnings explain 2026-10",
        "policy infer",
        "--help",
    ],
)
def test_a_read_imports_nothing_slow(states: Shell, argv: str) -> None:
    """No models, no calendar, and no rich without a terminal."""
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
    """A single write is light, too, also with an ISO time; but the first makes the machine's id."""
    states.ok("sessions", "tip", "S-1001", "5.00")
    assert _imported(states, *argv.split(), *AT) & (SLOW - {"dateutil"}) == set()


def test_only_words_need_a_calendar(states: Shell) -> None:
    """Only `3 days ago` needs pendulum; now, yesterday and ISO times do not."""
    tip = ("sessions", "tip", "S-1002", "5.00", "--dry-run", "--at")
    assert "pendulum" in _imported(states, *tip, "0 days ago")
    assert "pendulum" not in _imported(states, *tip, "yesterday 14:00")


def test_as_known_imports_no_models(states: Shell) -> None:
    """Replaying the journal is the domain's work."""
    assert _imported(states, "earnings", "--as-known", "2999-01-01", "--json") & MODELS == set()


def test_verification_imports_the_models(states: Shell) -> None:
    """Its statements are compiled from the tables; a read and a single write need none."""
    assert _imported(states, "ledger", "verify", "--json") >= MODELS
    assert not _imported(states, "ledger", "verify", "--quick", "--json") & MODELS


def _ours(shell: Shell, *argv: str) -> tuple[set[str], set[str]]:
    """Return the modules of ours that a command imports, and all others, by their whole names."""
    probe = PROBE.replace('name.partition(".")[0] for name', "name for name")
    ran = subprocess.run(
        [sys.executable, "-c", probe, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=shell.folder,
        env=shell.environment(),
        timeout=60,
        check=False,
    )
    assert ran.returncode in (0, 10), ran.stderr
    names = set(json.loads(ran.stderr.splitlines()[-1]))
    ours = {name.removeprefix("liveportal.") for name in names if name.startswith("liveportal.")}
    return ours, names


@pytest.mark.parametrize(("line", "most", "dear"), [(line, *own) for line, own in OWN.items()])
def test_a_read_imports_few_modules(states: Shell, line: str, most: int, dear: str) -> None:
    """None of the writes, and few that other reads need: each costs some 0.3 ms."""
    ours, everything = _ours(states, *line.split())
    assert len(ours) <= most, sorted(ours)
    assert not [name for name in ours if name.startswith((*HEAVY, "ledger.journal"))]
    assert everything & (DEAR | SLOW) - set(dear.split()) == set()


def test_the_front_page_is_plain_on_a_terminal(states: Shell) -> None:
    """It imports no rich, and no more of ours than its JSON does."""
    on_terminal = PROBE.replace("code = main()", "sys.stdout.isatty = lambda: True\ncode = main()")
    ran = subprocess.run(
        [sys.executable, "-c", on_terminal],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=states.folder,
        env=states.environment(),
        timeout=60,
        check=False,
    )
    assert b"All commands: liveportal --help" in ran.stdout
    assert set(json.loads(ran.stderr.splitlines()[-1])) & SLOW == set()


def test_a_version_imports_nothing(states: Shell) -> None:
    """It is printed before Typer is imported."""
    ours, everything = _ours(states, "--version")
    assert ours == {"__main__"}
    assert "typer" not in everything


@pytest.mark.parametrize("line", ["requests accept REQ-2001", "dispute rule CL-1 --accepted"])
def test_a_write_imports_no_other_s_work(states: Shell, line: str) -> None:
    """A write does not import the vault, the replay, verification or exports."""
    ours, _ = _ours(states, *line.split(), *AT)
    assert not [name for name in ours if name.startswith((*HEAVY, "ledger.attachments"))]
