"""An older ledger that cannot be upgraded is left as it was, with a message that says why."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain import errors
from liveportal.ledger.opening import open_ledger, open_readonly
from liveportal.ledger.storage import connection as sqlite_connection
from liveportal.ledger.storage.connection import SCHEMA_VERSION
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema import migrate
from liveportal.ledger.upgrade import upgrade
from liveportal.ledger.verify.verify import verify
from tests.kit.old_ledgers import asked, beside, form, untouched, whole
from tests.kit.shell import Shell, error_of
from tests.ledger.test_connection import HOLDER

pytestmark = pytest.mark.slow

# --- unchanged ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "script"),
    [
        ("migrations", "CREATE TABLE fine (x INTEGER) STRICT;\nINSERT INTO nowhere VALUES (1);"),
        ("migrations", "DROP TABLE message_index;\nDELETE FROM event;"),
        ("migrations", "PRAGMA defer_foreign_keys = ON;\nDROP TRIGGER event_never_goes;\nnonsense"),
        ("views", "CREATE VIEW fine AS SELECT 1;\nCREATE VIEW fine AS SELECT 1;"),
    ],
)
def test_a_step_that_fails_changes_nothing(
    old_shell: Shell, monkeypatch: pytest.MonkeyPatch, folder: str, script: str
) -> None:
    """Everything is rolled back and reported; the next program completes the upgrade."""
    scripts = migrate._scripts  # noqa: SLF001
    bad = [("9999_bad.sql", script)]
    with monkeypatch.context() as patch, untouched(old_shell.ledger):
        patch.setattr(
            migrate, "_scripts", lambda name: scripts(name) + (bad if name == folder else [])
        )
        for argv in ("ledger info", "earnings adjust 1.00 --reason x"):
            ran = old_shell.run(*argv.split(), "--json")
            assert (ran.code, ran.out) == (6, "")
            error = error_of(ran.err)
            assert error["code"] == "migration_failed"
            assert "The ledger is unchanged" in error["hint"]
    assert old_shell.ok("ledger", "info")["form"] == SCHEMA_VERSION


def test_an_interrupted_upgrade_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle: rolled back, and no copy is left."""

    def interrupted(db: Connection) -> None:
        db.execute("DROP TABLE dispute")
        raise KeyboardInterrupt

    monkeypatch.setattr(migrate, "make_tables", interrupted)
    with untouched(old), pytest.raises(KeyboardInterrupt):
        upgrade(old)


KILLED = """
import os, sys
from pathlib import Path
from liveportal.ledger.storage.schema import migrate
from liveportal.ledger.upgrade import upgrade
made = migrate.make_tables
def killed(db):
    made(db)
    db.execute("PRAGMA cache_size = 1")  # So that pages reach the file before the end.
    db.execute("CREATE TABLE filler AS SELECT hex(zeroblob(200000)) AS x FROM event")
    os._exit(9)
migrate.make_tables = killed
upgrade(Path(sys.argv[1]))
"""


def test_a_killed_upgrade_changes_nothing(old: Path) -> None:
    """At the next opening the ledger is as it was; the leftover copy becomes the kept one."""
    before = whole(old)
    ran = subprocess.run([sys.executable, "-c", KILLED, str(old)], check=False, timeout=60)
    assert ran.returncode == 9
    assert form(old) == 1
    assert whole(old) == before
    upgrade(old)
    with open_readonly(old) as reader:
        verify(reader.db)
    copies = [old.with_name(name) for name in beside(old)]
    assert [copy.name for copy in copies] == ["ledger.db.form1"]
    assert whole(copies[0]) == before


def test_an_orphan_is_not_carried_over(old: Path) -> None:
    """A row with a dangling reference: reported, and left as it was."""
    with closing(Connection(str(old), isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("INSERT INTO session_alias VALUES ('S-9', 'S-404')")
    with untouched(old), pytest.raises(errors.MigrationFailed, match="session_alias"):
        upgrade(old)


def test_a_damaged_ledger_is_not_upgraded(old: Path) -> None:
    """A page of nonsense: it fails the check, and no byte is changed."""
    content = old.read_bytes()
    (root,) = asked(
        old, "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_event_1'"
    )[0]
    size = asked(old, "PRAGMA page_size")[0][0]
    asked(old, "PRAGMA wal_checkpoint(TRUNCATE)")
    start = (root - 1) * size
    damaged = content[: start + 8] + b"\xff" * (size - 8) + content[start + size :]
    old.write_bytes(damaged)
    names = beside(old)
    with pytest.raises(errors.MigrationFailed, match="is damaged, so it was not upgraded"):
        upgrade(old)
    assert old.read_bytes() == damaged
    assert beside(old) == names


def test_a_newer_schema_version_is_refused_untouched(old: Path) -> None:
    """Neither a read nor a write downgrades a newer ledger."""
    asked(old, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = whole(old)
    for readonly in (True, False):
        with pytest.raises(errors.NewerLedger):
            open_ledger(old, readonly=readonly)
    assert (whole(old), form(old)) == (before, SCHEMA_VERSION + 1)
    assert beside(old) == set()


def test_no_migration_leads_back() -> None:
    """Any newer schema version is kept, and no table is made."""
    with closing(sqlite_connection.in_memory()) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        migrate.make_tables(db)
        assert sqlite_connection.schema_version_of(db) == SCHEMA_VERSION + 1
        assert db.execute("SELECT 1 FROM sqlite_schema").fetchall() == []


def test_a_newer_program_may_be_quicker(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another program upgrades it further before the lock is taken, that is kept."""
    real = sqlite_connection.immediate_transaction

    @contextmanager
    def late(db: Connection, path: Path) -> Iterator[None]:
        asked(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        with real(db, path):
            yield

    monkeypatch.setattr(sqlite_connection, "immediate_transaction", late)
    before = whole(old)
    with pytest.raises(errors.NewerLedger):
        open_ledger(old, readonly=True)
    assert (whole(old), form(old)) == (before, SCHEMA_VERSION + 1)
    assert beside(old) == set()


# --- busy -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("readonly", [True, False])
def test_a_ledger_that_is_written_to(
    old: Path, monkeypatch: pytest.MonkeyPatch, readonly: bool
) -> None:
    """While another process writes, the upgrade waits a while, then says busy; later it goes on."""
    monkeypatch.setattr(sqlite_connection, "BUSY_MS", 50)
    with (
        untouched(old),
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(old)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as holder,
    ):
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(errors.LedgerBusy):
            open_ledger(old, readonly=readonly)
        holder.stdin.write("\n")
        holder.stdin.flush()
        holder.wait(timeout=10)
    open_ledger(old, readonly=readonly).close()
    assert form(old) == SCHEMA_VERSION


def test_a_ledger_that_is_read(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a WAL a reader does not block the upgrade; with a rollback journal it is busy."""
    monkeypatch.setattr(sqlite_connection, "BUSY_MS", 50)
    before = whole(old)
    with closing(Connection(str(old), isolation_level=None)) as reader:
        wal = reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        reader.execute("BEGIN")
        events = reader.execute("SELECT count(*) FROM event").fetchone()
        if wal:
            upgrade(old)
            assert reader.execute("PRAGMA user_version").fetchone() == (1,)
            assert reader.execute("SELECT count(*) FROM event").fetchone() == events
        else:
            with pytest.raises(errors.LedgerBusy):
                upgrade(old)
            assert beside(old) == set()
            assert whole(old) == before
        reader.execute("COMMIT")
    open_ledger(old, readonly=True).close()
    assert (form(old), beside(old)) == (SCHEMA_VERSION, {"ledger.db.form1"})


# --- where nothing can be written -----------------------------------------------------------------

FULL = """
import resource, sys
from pathlib import Path
from liveportal.domain.errors import LiveportalError
from liveportal.ledger.opening import open_ledger
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    open_ledger(Path(sys.argv[1]), readonly=True)
except LiveportalError as error:
    print(error.code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("limit", [40_000, 100_000])
def test_no_room_for_the_copy(old: Path, limit: int) -> None:
    """A copy that does not fit: reported, the ledger as it was, and no temporary file left."""
    with untouched(old):
        ran = subprocess.run(
            [sys.executable, "-c", FULL, str(old), str(limit)],
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert (ran.stdout, ran.stderr) == (b"disk_full\n", b"")


def test_no_room_for_the_upgrade(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy fits, but the new tables do not: the ledger as it was, and no copy left."""
    settle = sqlite_connection._configure  # noqa: SLF001
    pages = asked(old, "PRAGMA page_count")[0][0]

    def settled(connection: Connection) -> None:
        settle(connection)
        connection.execute(f"PRAGMA max_page_count = {pages}")

    monkeypatch.setattr(sqlite_connection, "_configure", settled)
    with untouched(old), pytest.raises(errors.DiskFull):
        upgrade(old)


def test_a_read_only_ledger(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it would need a write first: the error says so, with the remedy."""
    monkeypatch.setattr(os, "access", lambda _path, wanted: wanted != os.W_OK)
    with untouched(old):
        for readonly in (True, False):
            with pytest.raises(errors.LedgerUnwritable) as caught:
                open_ledger(old, readonly=readonly)
    # A write is refused because the ledger is read-only, as for any ledger.
    with pytest.raises(errors.LedgerUnwritable, match=r"form \(1\) and must be upgraded") as caught:
        open_ledger(old, readonly=True)
    assert "writable" in str(caught.value.hint)


def test_a_read_only_folder(old: Path) -> None:
    """Neither a copy nor a journal can be made there: the same."""
    old.parent.chmod(0o500)
    try:
        if os.access(old.parent, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(errors.LedgerUnwritable):
            open_ledger(old, readonly=True)
        assert {path.name for path in old.parent.iterdir()} == {old.name}
    finally:
        old.parent.chmod(0o700)


def test_a_copy_that_cannot_be_made(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system refuses to create the copy: the error names it, and the ledger is as it was."""
    real = os.open

    def refused(path: Any, flags: int, *more: Any) -> int:  # noqa: ANN401 -- As the system's own.
        if str(path).endswith(".part"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", refused)
    with (
        untouched(old),
        pytest.raises(errors.LedgerUnwritable, match=r"ledger\.db\.form1") as caught,
    ):
        open_ledger(old, readonly=True)
    assert "form (1) and must be upgraded" in caught.value.message
