"""`liveportal doctor` in every state of the system: it reports problems, and changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.domain.policy import Policy
from liveportal.ledger import health
from liveportal.ledger.storage import connection, driver, ledger_paths
from liveportal.portal import Portal
from tests.kit.shell import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.kit.shell import Shell

# A process that is killed with content in the log, or in the journal.
_KILLED = """
import os, sys
from pathlib import Path
from liveportal.ledger import health
from liveportal.ledger.storage import connection
db = connection.open_file(Path(sys.argv[1]), readonly=False)
db.execute("PRAGMA cache_size = 1")
db.execute("BEGIN IMMEDIATE")
for n in range(200):
    db.execute(f"CREATE TABLE x{n} (a)")
if sys.argv[2] == "commit":
    db.execute("COMMIT")
os.kill(os.getpid(), 9)
"""


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return the whole content of a folder: modes, times and bytes."""
    files = {}
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        files[str(path)] = (seen.st_mode, seen.st_mtime_ns, content)
    return files


def _nothing(_shell: Shell) -> None:
    """Leave all as it is."""


def _garbage(shell: Shell) -> None:
    shell.ledger.write_bytes(b"no ledger" * 100)


def _empty(shell: Shell) -> None:
    shell.ledger.write_bytes(b"")


def _gone(shell: Shell) -> None:
    shell.ledger.unlink()


def _folder(shell: Shell) -> None:
    shell.ledger.unlink()
    shell.ledger.mkdir()


def _broken_link(shell: Shell) -> None:
    shell.ledger.unlink()
    shell.ledger.symlink_to(shell.folder / "nowhere.db")


def _cut(shell: Shell) -> None:
    content = shell.ledger.read_bytes()
    shell.ledger.write_bytes(content[: len(content) // 2])


def _scribbled(shell: Shell) -> None:
    content = bytearray(shell.ledger.read_bytes())
    content[20_000:60_000] = os.urandom(40_000)
    shell.ledger.write_bytes(content)


def _header(offset: int, number: int) -> Callable[[Shell], None]:
    def write(shell: Shell) -> None:
        content = bytearray(shell.ledger.read_bytes())
        content[offset : offset + 4] = number.to_bytes(4, "big")
        shell.ledger.write_bytes(content)

    return write


def _killed(what: str, *, wal: bool, drop: str = "") -> Callable[[Shell], None]:
    def kill(shell: Shell) -> None:
        if not wal:
            db = connection.open_file(shell.ledger, readonly=False)
            db.execute("PRAGMA journal_mode = DELETE")
            db.close()
        argv = [sys.executable, "-c", _KILLED, str(shell.ledger), what]
        subprocess.run(argv, cwd=ROOT, check=False)
        if drop:
            shell.ledger.with_name(f"ledger.db{drop}").unlink()

    return kill


STATES: dict[str, tuple[Callable[[Shell], Any], str, int]] = {
    "well": (_nothing, "ok", 0),
    "none": (_gone, "failed", 1),
    "garbage": (_garbage, "failed", 1),
    "empty": (_empty, "failed", 1),
    "folder": (_folder, "failed", 1),
    "broken link": (_broken_link, "failed", 1),
    "cut": (_cut, "failed", 1),
    "scribbled": (_scribbled, "failed", 1),
    "newer": (_header(60, 99), "failed", 1),
    "older": (_header(60, 2), "ok", 0),
    "unfinished": (_header(60, 0), "failed", 1),
    "foreign": (_header(68, 1), "failed", 1),
    "log": (_killed("commit", wal=True), "ok", 0),
    "log without index": (_killed("commit", wal=True, drop="-shm"), "warning", 0),
    "journal": (_killed("", wal=False), "warning", 0),
}


@pytest.mark.slow
@pytest.mark.damages
@pytest.mark.parametrize("state", STATES)
def test_in_every_state(states: Shell, state: str) -> None:
    """It reports the ledger's state and exits accordingly; no byte and no time changes."""
    prepare, status, code = STATES[state]
    prepare(states)
    before = snapshot(states.folder)
    ran = states.process("doctor", "--json")
    after = snapshot(states.folder)
    index = str(states.ledger.with_name("ledger.db-shm"))
    if state == "log":  # A reader of a log enters its name in the index.
        before.pop(index), after.pop(index)
    assert after == before
    assert (ran.code, ran.err) == (code, "")
    rows = {row["check"]: row for row in json.loads(ran.out)}
    assert rows["ledger"]["status"] == status, rows["ledger"]
    assert all(list(row) == ["check", "status", "message", "hint"] for row in rows.values())
    for row in rows.values():
        assert row["hint"] or row["status"] in ("ok", "skipped"), row


def test_a_ledger_that_somebody_writes_to(states: Shell) -> None:
    """It neither blocks a writer nor is blocked; it sees what is committed."""
    db = connection.open_file(states.ledger, readonly=False)
    with connection.immediate_transaction(db, states.ledger):
        db.execute("CREATE TABLE x (a)")
        rows = {row["check"]: row for row in states.ok("doctor")}
    db.close()
    assert rows["ledger"]["status"] == "ok"
    assert rows["integrity"]["status"] == "ok"


def test_a_ledger_that_changes_under_the_look(
    states: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that overlaps a write gives no judgement."""
    real = health._read_rows  # noqa: SLF001

    def meanwhile(db: driver.Connection) -> health.Inside:
        rows = real(db)
        states.ledger.write_bytes(states.ledger.read_bytes())
        return rows

    monkeypatch.setattr(health, "_read_rows", meanwhile)
    rows = {row["check"]: row for row in states.ok("doctor")}
    assert rows["ledger"]["status"] == "warning"
    assert "using the ledger" in rows["ledger"]["message"]


def test_a_ledger_that_somebody_has_for_themselves(states: Shell) -> None:
    """An exclusive lock with a rollback journal keeps every reader out: a warning."""
    db = connection.open_file(states.ledger, readonly=False)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("BEGIN EXCLUSIVE")
    rows = {row["check"]: row for row in states.ok("doctor")}
    db.execute("ROLLBACK")
    db.close()
    assert rows["ledger"]["status"] == "warning"
    assert "locked" in rows["ledger"]["message"]


@pytest.mark.slow
def test_what_is_wrong_with_the_files(states: Shell) -> None:
    """Open modes, links, a mark, a half-written copy, a copy of before an upgrade: all are seen."""
    states.ledger.chmod(0o644)
    real = states.folder / "real.db"
    states.ledger.rename(real)
    states.ledger.symlink_to(real)
    vault = states.folder / "real.db.vault"
    vault.mkdir(mode=0o755)
    states.file("real.db.form1", real.read_bytes()).chmod(0o600)
    (states.folder / ".real.db.form1.abcd.part").write_bytes(b"x")
    rows = {row["check"]: row for row in json.loads(states.process("doctor", "--json").out)}
    assert rows["modes"]["status"] == "failed"
    assert "(644)" in rows["modes"]["message"]
    assert "(755)" in rows["modes"]["message"]
    assert rows["links"]["status"] == "warning"
    assert ".part" in rows["left_behind"]["message"]
    (states.folder / ".real.db.form1.abcd.part").unlink()
    rows = {row["check"]: row for row in json.loads(states.process("doctor", "--json").out)}
    assert "form1" in rows["left_behind"]["message"]
    ledger_paths.erasure_marker(states.ledger).write_bytes(b"x")
    rows = {row["check"]: row for row in json.loads(states.process("doctor", "--json").out)}
    assert "forgotten" in rows["left_behind"]["message"]
    assert ledger_paths.erasure_marker(states.ledger).exists()


@pytest.mark.slow
def test_the_key(states: Shell) -> None:
    """A key that fits, one that others may read, none: the values are not opened for it."""
    states.ok("payout", "profile", "set", "--email", "anna@example.com")
    key = states.folder / "ledger.db.key"
    content = key.read_bytes()

    def judged() -> str:
        ran = states.run("doctor", "--json")
        return str({row["check"]: row["status"] for row in json.loads(ran.out)}["key"])

    assert judged() == "ok"
    key.chmod(0o644)
    assert judged() == "failed"
    key.write_bytes(b"scribbled AAAA\n")
    key.chmod(0o600)
    assert judged() == "failed"
    key.unlink()
    assert judged() == "failed"
    key.write_bytes(content)
    key.chmod(0o600)
    assert judged() == "ok"


def test_on_a_terminal_and_in_a_pipe(states: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours and words for a person, plain rows in a pipe."""
    rows = states.output_of("doctor", "--fields", "check,status").splitlines()
    assert "ledger\tok" in rows
    assert len(rows) == 19
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("liveportal.cli.io.rich_output.Console", _coloured())
    shown = states.run("doctor", terminal=True).out
    assert "\x1b[32mok" in shown
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in states.run("doctor", terminal=True).out


def _coloured() -> Any:  # noqa: ANN401
    from functools import partial

    from rich.console import Console

    return partial(Console, force_terminal=True)


def test_without_a_home(states: Shell) -> None:
    """Without a home, a ledger or a terminal it works all the same, and makes nothing."""
    home = states.folder / "nobody"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home)}
    argv = [sys.executable, "-m", "liveportal", "doctor", "--json"]
    ran = subprocess.run(argv, cwd=states.folder, env=environment, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    rows = {row["check"]: row["status"] for row in json.loads(ran.stdout)}
    assert rows["ledger"] == "skipped"
    assert not home.exists()


def test_an_old_ledger_is_not_upgraded(empty: Shell) -> None:
    """`doctor` opens read-only: the schema version stays."""
    Portal.create(empty.folder / "other.db", Policy())
    _header(60, 1)(empty)
    empty.process("doctor")
    head = ledger_paths.read_header(empty.ledger)
    assert head is not None
    assert head.form == 1
    assert not list(empty.folder.glob("*.form1*"))
