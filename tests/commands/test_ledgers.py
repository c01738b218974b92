"""Ledgers that are missing, foreign, read-only, too new, or in use."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liveportal.ledger.storage.connection import SCHEMA_VERSION, open_file
from tests.kit.shell import OCTOBER, Shell

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow


READ = ("requests", "list", "--all", "--fields", "id,state")
WRITE = ("requests", "decline", "REQ-1006")
SYNC = ("sync", OCTOBER)

each_command = pytest.mark.parametrize("argv", [READ, WRITE, SYNC], ids=["read", "write", "sync"])


def _elsewhere(shell: Shell, path: Path) -> Shell:
    return Shell(shell.folder, path)


@each_command
@pytest.mark.parametrize("name", ["missing.db", "no/such/folder/x.db", "feed.jsonl/x.db"])
def test_a_mistyped_path_is_no_empty_ledger(
    october: Shell, name: str, argv: tuple[object, ...]
) -> None:
    """No file is made: exit 3, with the path and how to make or name a ledger."""
    october.file("feed.jsonl", b"")
    before = sorted(october.folder.rglob("*"))
    path = october.folder / name
    error = _elsewhere(october, path).refuses(3, *argv, "--ledger", path)
    assert error["code"] == "ledger_not_found"
    assert error["details"]["path"] == str(path)
    assert "liveportal init" in error["hint"]
    assert sorted(october.folder.rglob("*")) == before


def test_a_dangling_link_is_no_ledger(october: Shell) -> None:
    """A link to nothing is not found, and `init` makes nothing through it."""
    path = october.folder / "link.db"
    path.symlink_to(october.folder / "gone.db")
    assert october.run(*READ, "--ledger", path).code == 3
    assert october.run("init", "--ledger", path).code == 4
    assert not (october.folder / "gone.db").exists()


def test_a_link_to_a_ledger_is_that_ledger(october: Shell) -> None:
    """Reads and writes go to the file that it names, which a result never replaces."""
    path = october.folder / "link.db"
    path.symlink_to(october.ledger)
    listing = october.output_of(*READ)
    assert october.output_of(*READ, "--ledger", path) == listing
    assert october.run(*WRITE, "--ledger", path).code == 0
    assert "declined" in october.output_of("requests", "show", "REQ-1006")
    assert path.is_symlink()


def _folder(path: Path) -> None:
    path.mkdir()


def _text(path: Path) -> None:
    path.write_text("specversion\n" * 100)


def _empty(path: Path) -> None:
    path.touch()


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE event (seq)")
    connection.close()


def _torn(path: Path) -> None:
    content = bytearray(path.with_name("ledger.db").read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


def _short(path: Path) -> None:
    path.write_bytes(path.with_name("ledger.db").read_bytes()[:5000])


@pytest.mark.damages
@each_command
@pytest.mark.parametrize("make", [_folder, _text, _empty, _foreign, _torn, _short])
def test_what_is_no_ledger(
    october: Shell, make: Callable[[Path], None], argv: tuple[object, ...]
) -> None:
    """A folder, a text, another program's database, a damaged file: exit 6, nothing touched."""
    path = october.folder / "other.db"
    make(path)
    before = path.is_file() and path.read_bytes()
    ran = october.run(*argv, "--ledger", path, "--json")
    assert (ran.code, ran.out) == (6, ""), ran
    assert '"not_a_ledger"' in ran.err
    assert (path.is_file() and path.read_bytes()) == before


@pytest.mark.parametrize("make", [_folder, _text, _empty, _foreign])
def test_init_touches_nothing_that_is_there(october: Shell, make: Callable[[Path], None]) -> None:
    """Any existing file stays as it was: exit 4, and the hint names --ledger."""
    path = october.folder / "other.db"
    make(path)
    before = path.is_file() and path.read_bytes()
    for more in ((), ("--dry-run",), ("--yes",)):
        ran = october.run("init", "--ledger", path, *more)
        assert ran.code == 4 or more == ("--yes",)
        assert (path.is_file() and path.read_bytes()) == before
    error = october.refuses(4, "init")
    assert (error["code"], "--ledger" in error["hint"]) == ("ledger_exists", True)
    assert october.run("demo", "--ledger", path).code == 4


def test_a_folder_that_cannot_be_written(october: Shell) -> None:
    """`init` below a file is impossible: exit 1 with the reason."""
    path = october.file("file", b"") / "ledger.db"
    error = october.refuses(1, "init", "--ledger", path)
    assert error["code"] == "ledger_unwritable"
    assert ".part" not in error["message"], "the message names a file that was not typed"
    ran = october.run("demo", "--ledger", path)
    assert (ran.code, ran.err.startswith("error: ")) == (1, True)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(october: Shell) -> None:
    """A read-only folder or file is reported as such, and reads still work."""
    folder = october.folder / "locked"
    folder.mkdir()
    ledger = folder / "ledger.db"
    shutil.copyfile(october.ledger, ledger)
    ledger.chmod(0o400)
    assert october.run(*WRITE, "--ledger", ledger).code == 1
    ledger.chmod(0o600)
    folder.chmod(0o500)
    try:
        ran = october.run("init", "--ledger", folder / "new.db")
        assert (ran.code, "cannot be written" in ran.err) == (1, True)
        assert october.run(*WRITE, "--ledger", ledger).code == 1
    finally:
        folder.chmod(0o700)


def test_a_device_is_no_ledger(october: Shell) -> None:
    """Devices and pipes are not read: that could wait for ever."""
    assert october.run(*READ, "--ledger", "/dev/null").code == 6
    if hasattr(os, "mkfifo"):
        path = october.folder / "fifo"
        os.mkfifo(path)
        assert october.run(*READ, "--ledger", path).code == 6


@each_command
def test_a_newer_ledger_is_left_alone(october: Shell, argv: tuple[object, ...]) -> None:
    """What a newer program wrote is refused with a sentence: upgrade; nothing is changed."""
    with sqlite3.connect(october.ledger) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = october.ledger.read_bytes()
    ran = october.run(*argv, "--json")
    assert ran.code == 1
    assert '"newer_ledger"' in ran.err
    assert "pgrade" in ran.err
    assert october.ledger.read_bytes() == before


# The same SQLite as the program's: two copies in one process would not see each other's locks.
HOLDER = """
import sys
from pathlib import Path
from liveportal.ledger.storage.connection import open_file
held = open_file(Path(sys.argv[1]), readonly=False)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_busy_ledger_is_waited_for_and_then_reported(october: Shell) -> None:
    """While another program writes, reads work; a write waits, then ends with exit 5."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, october.ledger],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=october.environment(),
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert len(october.ok(*READ)) == 6
        ran = october.run(*WRITE, "--json")
        holder.communicate("")
    assert (ran.code, ran.out) == (5, "")
    assert '"ledger_busy"' in ran.err
    assert "again" in ran.err
    assert october.run(*WRITE).code == 0


def test_a_write_waits_for_a_short_one(october: Shell) -> None:
    """A lock that is given back in time is not noticed."""
    other = open_file(october.ledger, readonly=False)
    other.execute("BEGIN IMMEDIATE")
    with subprocess.Popen(
        [sys.executable, "-m", "liveportal", *WRITE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=october.folder,
        env=october.environment(),
    ) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=0.8)
        other.execute("ROLLBACK")
        other.close()
        out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, err) == (0, b"")
    assert out.startswith(b"REQ-1006\tdeclined")


@pytest.mark.damages
def test_a_changed_record_is_found(october: Shell) -> None:
    """`ledger verify` exits 6 if a booked amount was changed."""
    assert october.ok("ledger", "verify")["ok"] is True
    with sqlite3.connect(october.ledger) as connection:
        triggers = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'transfer'"
        ).fetchall()
        for (name,) in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute(
            'UPDATE transfer SET amount = amount + 1 WHERE "transaction" = 1 AND n = 1'
        )
    connection.close()
    ran = october.run("ledger", "verify", "--json")
    assert (ran.code, ran.out) == (6, "")
    assert '"verification_failed"' in ran.err
