"""Create and open ledger files safely, and run transactions. `driver` chooses the SQLite."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from liveportal.domain.errors import (
    LedgerBusy,
    LedgerNotFound,
    LedgerUnwritable,
    LiveportalError,
    NewerLedger,
    NotALedger,
    UnsafeSqlite,
)
from liveportal.domain.hint import Hint
from liveportal.ledger.storage import atomic
from liveportal.ledger.storage.driver import (
    SQLITE_VERSION,
    SQLITE_VERSION_INFO,
    Connection,
    connect,
    damaged,
    translating_errors,
)
from liveportal.ledger.storage.ledger_paths import APPLICATION_ID, read_header

SCHEMA_VERSION = 9
BUSY_MS = 5_000


def wal_is_safe(version: tuple[int, ...] = SQLITE_VERSION_INFO) -> bool:
    """Return True if this SQLite has the fix for the WAL-reset bug, which can corrupt a ledger."""
    return version >= (3, 51, 3) or any(
        version[:2] == branch[:2] and version >= branch for branch in ((3, 50, 7), (3, 44, 6))
    )


def create(path: Path, *, display_path: Path | None = None) -> Connection:
    """Create an empty ledger file (mode 0600) and return a connection to it.

    Raises `LedgerUnwritable` and `DiskFull` if no file can be created. Errors name `display_path`,
    the path that the user knows it by.
    """
    display_path = display_path or path
    with atomic.translating_os_errors(display_path):
        try:
            atomic.make_folders(path.parent)
        except (FileExistsError, NotADirectoryError):
            raise LedgerUnwritable(
                f"{display_path.parent} is not a folder.",
                hint=Hint("Choose {another_place}."),
                path=str(display_path),
            ) from None
        atomic.create(path).close()
    connection = _connect(path, "rw", display_path)
    with translating_errors(display_path):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA journal_mode = {'WAL' if wal_is_safe() else 'DELETE'}")
        _configure(connection)
    return connection


def open_file(path: Path, *, readonly: bool) -> Connection:
    """Open an existing ledger.

    Raises `LedgerNotFound`, `NotALedger`, `LedgerUnwritable`, `LedgerLinked`, `NewerLedger`,
    `UnsafeSqlite`, `LedgerBusy` or `DiskFull`.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise LedgerNotFound(
            f"There is no ledger at {path}.",
            hint=Hint("Create one with {creating_a_ledger}, or name another with {a_path}."),
            path=str(path),
        ) from None
    except OSError as error:
        raise NotALedger(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path.", path=str(path)
        ) from None
    if not stat.S_ISREG(status.st_mode):
        raise NotALedger(f"{path} is not a file.", hint="Check the path.", path=str(path))
    if not os.access(path, os.R_OK):
        raise LedgerUnwritable(
            f"{path} cannot be read: permission denied.",
            hint="Check who owns the file and who may read it.",
            path=str(path),
        )
    if not readonly and not os.access(path, os.W_OK):
        raise LedgerUnwritable(
            f"{path} is read-only.", hint="Make it writable, or work on a copy.", path=str(path)
        )
    if status.st_nlink > 1:
        _check_names(path, readonly=readonly)
    if not readonly:
        return _open(path, "rw")
    # In WAL mode even a read needs files beside the ledger. Where none can be created, the file
    # must be complete without its log, and it is opened as immutable.
    immutable = not os.access(_folder(path), os.W_OK) and has_no_wal(path)
    try:
        return _open(path, "ro", immutable=immutable)
    except LedgerUnwritable:
        _rollback_hot_journal(path)
    return _open(path, "ro")


def _check_names(path: Path, *, readonly: bool) -> None:
    from liveportal.ledger.storage import hard_links  # Hardly any ledger has a second name.

    (hard_links.check_readable if readonly else hard_links.check_writable)(path)


def _open(path: Path, mode: str, *, immutable: bool = False) -> Connection:
    connection = _connect(path, mode, path, immutable=immutable)
    try:
        with translating_errors(path):
            check_ours(connection, path)
            _configure(connection)
    except UnicodeDecodeError as error:
        # SQLite's message quotes the text that it cannot read, and the driver cannot decode it.
        connection.close()
        raise damaged(path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def connect_raw(path: Path) -> Connection:
    """Connect without validating the file: for new ledgers, or possibly damaged ones."""
    return _connect(path, "rw", path)


def has_no_wal(path: Path) -> bool:
    """Return True if a WAL-mode ledger has no pending WAL or journal: the file is complete.

    Such a file can be opened as immutable. The answer is False for a ledger in rollback-journal
    mode: its readers need the locks to notice a writer.
    """
    with suppress(OSError):
        head = read_header(path)
        if head is not None and head.wal:
            real = os.path.realpath(path)
            return not any(_has_content(f"{real}{suffix}") for suffix in ("-wal", "-journal"))
    return False


def open_untouched(path: Path) -> Connection | None:
    """Open a ledger for reading without changing it or leaving any file beside it.

    Returns None if that is impossible because an interrupted write must be rolled back first.
    Raises the driver's `DatabaseError`.
    """
    real = os.path.realpath(path)
    head, immutable = read_header(path), has_no_wal(path)
    if _has_content(f"{real}-journal"):
        return None
    if head is not None and head.wal and not immutable and not os.path.exists(f"{real}-shm"):  # noqa: PTH110
        return None
    return _connect(path, "ro", path, immutable=immutable, wait_ms=0)


def _has_content(path: str) -> bool:
    try:
        return os.stat(path).st_size > 0  # noqa: PTH116 (a name with a suffix)
    except FileNotFoundError:
        return False


def _folder(path: Path) -> str:
    return os.path.dirname(os.path.realpath(path))  # noqa: PTH120 (the file's folder, not a link's)


def _log_needed_error(path: Path) -> LiveportalError:
    return LedgerUnwritable(
        f"{path} cannot be read where it is, because it has a log and its folder is read-only.",
        hint="Copy the ledger and the -wal file beside it to a folder of your own, and read it"
        " there.",
        path=str(path),
    )


def _rollback_hot_journal(path: Path) -> None:
    """Roll back a transaction that a killed program left half written; a reader alone may not.

    Raises `LedgerUnwritable` if it cannot be rolled back.
    """
    try:
        open_file(path, readonly=False).close()
    except LedgerUnwritable:
        if not _has_content(f"{os.path.realpath(path)}-journal"):
            raise _log_needed_error(path) from None
        raise LedgerUnwritable(
            f"A write to {path} was interrupted, and cannot be undone because the file is"
            " read-only.",
            hint="Make the ledger, its folder and all files that begin with its name writable, or"
            " copy them to another folder and open the copy.",
            path=str(path),
        ) from None


def in_memory() -> Connection:
    """Return a connection to a new, private, temporary ledger."""
    connection = connect(":memory:")
    _configure(connection)
    return connection


def _connect(
    path: Path,
    mode: str,
    display_path: Path,
    *,
    immutable: bool = False,
    wait_ms: int | None = None,
) -> Connection:
    # The path is quoted, so that `?` and `#` in a folder's name are not read as parameters.
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}{'&immutable=1' if immutable else ''}"
    wait_s = (BUSY_MS if wait_ms is None else wait_ms) / 1000
    with translating_errors(display_path):
        return connect(uri, uri=True, wait_s=wait_s)


def _configure(connection: Connection) -> None:
    wal = connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.executescript(
        f"""
        PRAGMA synchronous = {"FULL" if wal else "EXTRA"};
        PRAGMA foreign_keys = ON;
        PRAGMA recursive_triggers = ON;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA secure_delete = ON;
        """
    )


def check_ours(connection: Connection, path: Path) -> None:
    """Raise `NotALedger`, `NewerLedger` or `UnsafeSqlite` unless this program reads such a file."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise NotALedger(
            f"{path} is not a liveportal ledger.",
            hint=Hint("Check the path. {The_ledger_path} shows the ledger in use."),
            path=str(path),
        )
    version = schema_version_of(connection)
    if not version:
        raise NotALedger(
            f"{path} was never completed and is empty.",
            hint="Remove the file and run init again.",
        )
    if version > SCHEMA_VERSION:
        raise NewerLedger(
            f"{path} was written by a newer version of liveportal (schema version"
            f" {version}; this version reads up to {SCHEMA_VERSION}).",
            hint="Upgrade liveportal. Nothing was changed.",
            path=str(path),
        )
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal" and not wal_is_safe():
        raise UnsafeSqlite(
            f"SQLite {SQLITE_VERSION} has a bug that can corrupt this ledger's write-ahead log.",
            hint="Install the pysqlite3 wheel, or a Python with SQLite 3.51.3 or later.",
            path=str(path),
        )


def schema_version_of(connection: Connection) -> int:
    """Return the schema version of a ledger; 0 if it has no tables yet."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


@contextmanager
def immediate_transaction(connection: Connection, path: Path) -> Iterator[None]:
    """Run one immediate transaction: committed at the end, rolled back if anything is raised.

    Raises `LedgerLinked` if the file got a second name since it was opened.
    """
    with translating_errors(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            with suppress(OSError):  # A ledger that is being created has no name yet.
                if path.stat().st_nlink > 1:
                    _check_names(path, readonly=False)
            yield
            connection.execute("COMMIT")
        except BaseException:
            # A failed commit leaves the transaction open, and so does Ctrl-C.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def savepoint(connection: Connection, path: Path) -> Iterator[None]:
    """Run one step of a transaction that is never committed: closing the connection undoes it."""
    with translating_errors(path):
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")
        connection.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            if connection.in_transaction:  # On a full disk, SQLite has rolled back everything.
                connection.execute("ROLLBACK TO step")
            raise
        finally:
            if connection.in_transaction:
                connection.execute("RELEASE step")


def checkpoint(connection: Connection, path: Path) -> None:
    """Copy the whole WAL into the database file; raises `DiskFull`, `LedgerBusy`.

    Closing a connection does this too, but does not report a failure: the rest then stays in the
    log, which is left behind when the file is renamed.
    """
    with translating_errors(path):
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise LedgerBusy(
                f"Another program is using {path}.", hint="Try again in a moment.", path=str(path)
            )
