"""A ledger file is opened safely, or refused with a message that says why."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain import errors
from liveportal.domain.events.types import TipReceived
from liveportal.domain.policy import Policy
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.storage import connection, driver
from liveportal.portal import Portal
from tests.kit.books import Clock
from tests.kit.events import event, usd
from tests.kit.ledger_files import contents, query

Open = Callable[[Path], None]


def read(path: Path) -> None:
    """Open a ledger for reading, and read from it."""
    with open_readonly(path) as reader:
        assert reader.policy.name


def write(path: Path) -> None:
    """Open a ledger for writing, and write."""
    with Portal(path, now=Clock()) as portal:
        portal.record([event("adjustment.posted", "10-05 09:00", **ADJUSTMENT)], allow=True)


ADJUSTMENT: dict[str, Any] = {
    "adjustment": "A-1",
    "amount": {"amount": "1.00", "currency": "USD"},
    "reason": "x",
}
both = pytest.mark.parametrize("open_it", [read, write])


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


# --- created --------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_ledger_is_private(tmp_path: Path, umask: int) -> None:
    """File mode 0600, and 0700 for a folder made for it, whatever the umask."""
    path = tmp_path / "books" / "ledger.db"
    before = os.umask(umask)
    try:
        Portal.create(path, Policy())
        with Portal(path) as portal:
            portal.record([event("adjustment.posted", "10-05 09:00", **ADJUSTMENT)], allow=True)
            beside = {file.name: mode(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert set(beside.values()) == {0o600}, beside
    assert mode(path.parent) == 0o700


@pytest.mark.parametrize("there", ["file", "ledger", "folder", "link", "dangling link"])
def test_what_is_there_is_never_touched(tmp_path: Path, there: str) -> None:
    """A file, ledger, folder or link at the path: refused, unchanged, not written through."""
    path, target = tmp_path / "ledger.db", tmp_path / "target"
    if there == "folder":
        path.mkdir()
    elif there == "ledger":
        Portal.create(path, Policy())
    elif there == "file":
        path.write_text("mine")
    else:
        if there == "link":
            target.write_text("mine")
        path.symlink_to(target)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(errors.LedgerExists):
        Portal.create(path, Policy())
    assert (path.read_bytes() if path.is_file() else None) == before
    assert target.exists() is (there == "link")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A path below a file is no place for a ledger."""
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.LedgerUnwritable):
        Portal.create(tmp_path / "file" / "ledger.db", Policy())


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    """The system's own refusal becomes one of ours."""
    path = tmp_path / ("x" * 5_000)
    with pytest.raises(errors.LedgerUnwritable):
        Portal.create(path, Policy())
    for open_it in (read, write):
        with pytest.raises(errors.LiveportalError):
            open_it(path)


def test_a_ledger_that_could_not_be_finished_is_not_left_behind(tmp_path: Path) -> None:
    """If the first policy or setting is refused there is no half-made file."""
    path = tmp_path / "ledger.db"
    with pytest.raises(errors.UnknownEntity):
        Portal.create(path, settings=[TipReceived(session="S-1", amount=usd("1.00"))])
    assert list(tmp_path.iterdir()) == []


# --- opened ---------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "name", ["a b", "what?mode=memory", "50%", "%41", "#1", "ü", "a&b=c", "'quoted'", ":memory:"]
)
def test_any_path_is_a_path(tmp_path: Path, name: str, open_it: Open) -> None:
    """`?`, `#`, `%` and spaces in a path are parts of names, never parameters."""
    path = tmp_path / name / f"{name}.db"
    Portal.create(path, Policy())
    open_it(path)
    assert path.is_file()
    assert {path.name for path in tmp_path.iterdir()} == {name}


@both
def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_it: Open) -> None:
    """A path is taken from where the program runs."""
    monkeypatch.chdir(tmp_path)
    Portal.create(Path("ledger.db"), Policy())
    open_it(Path("ledger.db"))
    assert (tmp_path / "ledger.db").is_file()


@both
def test_a_missing_ledger(tmp_path: Path, open_it: Open) -> None:
    """A mistyped path is an error, not an empty ledger."""
    for path in (tmp_path / "no.db", tmp_path / "no" / "no.db"):
        with pytest.raises(errors.LedgerNotFound) as caught:
            open_it(path)
        assert caught.value.code == "ledger_not_found"
        assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


@both
def test_a_folder_is_no_ledger(tmp_path: Path, open_it: Open) -> None:
    """A folder at the path is refused."""
    with pytest.raises(errors.NotALedger):
        open_it(tmp_path)


@both
def test_a_path_below_a_file(tmp_path: Path, open_it: Open) -> None:
    """A file that is taken for a folder is refused."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(errors.LiveportalError):
        open_it(tmp_path / "file" / "ledger.db")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
@both
def test_a_named_pipe_is_no_ledger(tmp_path: Path, open_it: Open) -> None:
    """A pipe is refused at once: the program must not wait for it."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(errors.NotALedger):
        open_it(tmp_path / "pipe")


@both
@pytest.mark.parametrize(
    "junk", [b"", b"hello\n" * 1_000, b"\x00" * 8_192, b"SQLite format 3\x00" + b"\xff" * 4_096]
)
def test_not_a_database(tmp_path: Path, junk: bytes, open_it: Open) -> None:
    """A file that is not an SQLite database is refused and left as it was."""
    path = tmp_path / "ledger.db"
    path.write_bytes(junk)
    with pytest.raises(errors.NotALedger):
        open_it(path)
    assert path.read_bytes() == junk
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.db"]


@both
def test_somebody_else_s_database(tmp_path: Path, open_it: Open) -> None:
    """A SQLite file of another program is refused, and left as it was."""
    path = tmp_path / "photos.db"
    query(path, "CREATE TABLE event (seq INTEGER)")
    before = path.read_bytes()
    with pytest.raises(errors.NotALedger):
        open_it(path)
    assert path.read_bytes() == before


@both
def test_a_newer_ledger(ledger: Path, open_it: Open) -> None:
    """A ledger that a newer program wrote is refused, and left as it was."""
    query(ledger, f"PRAGMA user_version = {connection.SCHEMA_VERSION + 1}")
    before = ledger.read_bytes()
    with pytest.raises(errors.NewerLedger) as caught:
        open_it(ledger)
    assert "pgrade" in str(caught.value.hint)
    assert ledger.read_bytes() == before


@pytest.mark.damages
@both
def test_a_damaged_ledger(ledger: Path, open_it: Open) -> None:
    """Pages of nonsense, or half of the file missing: reported as damaged."""
    whole = ledger.read_bytes()
    for damaged in (whole[:100] + b"\xaa" * (len(whole) - 100), whole[: len(whole) // 4]):
        ledger.write_bytes(damaged)
        with pytest.raises(errors.LiveportalError) as caught:
            open_it(ledger)
        assert isinstance(caught.value, errors.NotALedger)


@both
def test_a_ledger_that_was_never_finished(tmp_path: Path, open_it: Open) -> None:
    """A file without tables is refused with a message, whatever created it."""
    path = tmp_path / "ledger.db"
    connection.create(path).close()
    with pytest.raises(errors.NotALedger):
        open_it(path)


# --- after a crash --------------------------------------------------------------------------------


@pytest.fixture
def torn(ledger: Path, tmp_path: Path) -> Path:
    """Make a ledger as a crash leaves it in the middle of a transaction, with its journal."""
    query(ledger, "PRAGMA journal_mode = DELETE")
    path = tmp_path / "torn" / "ledger.db"
    path.parent.mkdir()
    with closing(connection.open_file(ledger, readonly=False)) as db:
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN IMMEDIATE")
        # More than the cache holds, so that some pages are in the file before the commit.
        db.execute("CREATE TABLE much (text TEXT)")
        db.executemany("INSERT INTO much VALUES (?)", [("x" * 3_000,)] * 50)
        for name in ("ledger.db", "ledger.db-journal"):
            shutil.copyfile(ledger.with_name(name), path.with_name(name))
        db.execute("ROLLBACK")
    path.chmod(0o600)
    assert path.read_bytes() != ledger.read_bytes()
    return path


@both
def test_half_a_transaction_is_taken_back(torn: Path, ledger: Path, open_it: Open) -> None:
    """By the next process that opens the ledger, even for reading only."""
    open_it(torn)
    assert not torn.with_name("ledger.db-journal").exists()
    assert query(torn, "SELECT count(*) FROM sqlite_schema WHERE name = 'much'") == [(0,)]
    if open_it is read:
        assert contents(torn) == contents(ledger)


def test_half_a_transaction_of_a_ledger_that_may_not_be_written(
    torn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be rolled back, so the ledger is not read either."""
    monkeypatch.setattr(os, "access", lambda _path, wanted: wanted != os.W_OK)
    before = torn.read_bytes()
    with pytest.raises(errors.LedgerUnwritable):
        read(torn)
    assert torn.read_bytes() == before


# --- permissions ----------------------------------------------------------------------------------


@pytest.fixture
def bound_by_modes(tmp_path: Path) -> None:
    """Skip the test for a user who may read and write everything, such as root."""
    probe = tmp_path / "probe"
    probe.touch(mode=0o400)
    if os.access(probe, os.W_OK):
        pytest.skip("this user may read and write everything")


@pytest.mark.usefixtures("bound_by_modes")
def test_a_read_only_ledger(ledger: Path) -> None:
    """A file without the write bit can be read, and not be written."""
    query(ledger, "PRAGMA journal_mode = DELETE")
    ledger.chmod(0o400)
    read(ledger)
    with pytest.raises(errors.LedgerUnwritable):
        write(ledger)
    ledger.chmod(0o000)
    with pytest.raises(errors.LedgerUnwritable):
        read(ledger)
    ledger.chmod(0o600)


@pytest.mark.usefixtures("bound_by_modes")
def test_a_read_only_folder(ledger: Path) -> None:
    """A folder without the write bit takes no ledger, and nothing is left half-written."""
    ledger.parent.chmod(0o500)
    try:
        with pytest.raises(errors.LedgerUnwritable):
            Portal.create(ledger.parent / "other.db", Policy())
        with pytest.raises(errors.LedgerUnwritable):
            write(ledger)
    finally:
        ledger.parent.chmod(0o700)


@pytest.mark.parametrize(("denied", "open_it"), [(os.W_OK, write), (os.R_OK, read)])
def test_what_the_system_does_not_permit(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, denied: int, open_it: Open
) -> None:
    """If the system denies reading or writing a file, the error says so in a sentence."""
    monkeypatch.setattr(os, "access", lambda _path, wanted: wanted != denied)
    before = contents(ledger) if denied == os.W_OK else None
    with pytest.raises(errors.LedgerUnwritable) as caught:
        open_it(ledger)
    assert str(ledger) in caught.value.message
    if before:
        assert contents(ledger) == before


def test_writing_through_a_reader(ledger: Path) -> None:
    """A reading command cannot write: its connection is read-only."""
    with open_readonly(ledger) as reader, pytest.raises(driver.DatabaseError, match="readonly"):
        reader.db.execute("DELETE FROM profile_field")


# --- locks ----------------------------------------------------------------------------------------

HOLDER = """
import sys, time
from liveportal.ledger.storage.driver import Connection
db = Connection(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
db.execute("ROLLBACK")
"""


def test_a_ledger_that_another_process_holds(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process writes, reads work; a write waits, then reports busy."""
    monkeypatch.setattr(connection, "BUSY_MS", 50)
    before = contents(ledger)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(ledger)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == "held\n"
        started = time.monotonic()
        with pytest.raises(errors.LedgerBusy) as caught:
            write(ledger)
        assert time.monotonic() - started < 3
        assert caught.value.code == "ledger_busy"
        read(ledger)
        holder.stdin.write("\n")
        holder.stdin.flush()
        holder.wait(timeout=10)
    assert contents(ledger) == before
    write(ledger)


def test_a_writer_waits_for_the_lock() -> None:
    """A writer waits for five seconds before it says busy."""
    assert connection.BUSY_MS == 5_000


def interrupted(store: LedgerFile, interruption: BaseException) -> None:
    """Record something, and be interrupted before the end of the transaction."""
    with store.writing() as journal:
        journal.record(event("adjustment.posted", "10-05 09:00", **ADJUSTMENT))
        journal.flush()
        raise interruption


def test_an_error_inside_a_transaction_rolls_it_back(ledger: Path) -> None:
    """After any error, Ctrl-C too, no transaction is open and nothing was written."""
    before = contents(ledger)
    store = LedgerFile.open(ledger, Clock())
    for interruption in (KeyboardInterrupt, ValueError):
        with pytest.raises(interruption):
            interrupted(store, interruption())
        assert not store.db.in_transaction
    store.close()
    assert contents(ledger) == before
