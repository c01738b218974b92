"""Replace a ledger by another one; a complete copy of the old one is kept beside it.

Other programs may have the ledger open. Its content is therefore replaced within the file, in one
SQLite transaction: a reader sees the old or the new content, and a crash leaves the old one. The
old content is copied first, and no other program can write between the copy and the replacement:

- With a write-ahead log, copying the first page takes the write lock; a reader, which still sees
  the old content, then copies it.
- With a rollback journal, a reader would wait for the lock. So the connection that replaces the
  content locks the file exclusively, and makes the copy too.

A file that no longer opens is moved aside, with the files that SQLite keeps beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from liveportal.domain.errors import LedgerBusy, LiveportalError
from liveportal.ledger.backup import snapshot
from liveportal.ledger.backup.snapshot import LedgerExtent
from liveportal.ledger.storage import atomic, connection, driver, ledger_paths
from liveportal.ledger.storage.driver import Connection

_COPY = "before.db"  # In the private folder, which is removed after a crash.


def opened(real: Path) -> Connection | None:
    """Open the ledger to be replaced; None if nothing is at the path.

    It may have any schema version that this program knows. Raises what `connection.open_file`
    raises.
    """
    if not os.path.lexists(real):
        return None
    # Opened read-only first: a writer would remove the log of a ledger that proves to be damaged.
    connection.open_file(real, readonly=True).close()
    return connection.open_file(real, readonly=False)


def place_new(real: Path, staged: Path, at: datetime) -> Path | None:
    """Move a finished ledger to a path without one; return the folder with any old leftovers.

    Raises `LedgerBusy` if a ledger was created there in the meantime.
    """
    aside = move_aside(real, at) if any(map(os.path.lexists, _sqlite_files(real))) else None
    with driver.translating_errors(real), closing(connection.connect_raw(staged)) as db:
        mode = "WAL" if connection.wal_is_safe() else "DELETE"
        db.execute(f"PRAGMA journal_mode = {mode}").fetchall()
    atomic.fsync_file(staged)
    try:
        atomic.move_new(staged, real)
    except FileExistsError:
        raise is_replaced(real) from None
    return aside


def move_aside(real: Path, at: datetime) -> Path:
    """Move a ledger's files into a new folder beside it, and return the folder.

    The log files are moved first, so that they are never taken for those of another ledger.
    """
    folder = _free_path(real, at)
    folder.mkdir(mode=0o700)
    atomic.fsync_dir(real.parent)
    for path in (*_sqlite_files(real), real):
        if os.path.lexists(path):
            path.rename(folder / path.name)
    atomic.fsync_dir(folder)
    atomic.fsync_dir(real.parent)
    return folder


def replace(real: Path, staged: Path, at: datetime, was: LedgerExtent) -> Path:
    """Replace a ledger's content, and return the path of the copy of the old one.

    The new content is `staged` in a private folder on the same disk. Raises `LedgerBusy` if other
    programs lock the ledger for long, or if its extent is no longer `was`; `NotALedger` if it
    proves to be damaged. After an error, the ledger is unchanged.
    """
    with (
        closing(connection.open_file(real, readonly=False)) as target,
        driver.translating_errors(real),
    ):
        _match_page_size(target, staged)
        wal = target.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        with (
            closing(connection.connect_raw(staged)) as source,
            _keeping_copy(real, staged.with_name(_COPY), at, was) as keep,
        ):
            if wal:
                _replace_with_wal(real, source, target, keep, was)
            else:
                _replace_exclusively(real, source, target, keep, was)
            kept = keep.copy
    return kept


def _replace_with_wal(
    real: Path, source: Connection, target: Connection, keep: _CopyKeeper, was: LedgerExtent
) -> None:
    def copy_old() -> None:  # Called after the first page: the write lock is held.
        with closing(connection.open_file(real, readonly=True)) as old:
            keep(old, was)

    source.backup(target, pages=1, progress=snapshot.retry_limit(real, copy_old))
    # The log is now as large as the ledger, and contains pages of the old content.
    with suppress(driver.DatabaseError):  # The replacement is committed; a later open may do this.
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _replace_exclusively(
    real: Path, source: Connection, target: Connection, keep: _CopyKeeper, was: LedgerExtent
) -> None:
    target.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    try:
        target.execute("BEGIN EXCLUSIVE")
        target.execute("COMMIT")  # The lock stays.
        keep(target, was)
        source.backup(target, progress=snapshot.retry_limit(real))
    finally:
        target.execute("PRAGMA locking_mode = NORMAL").fetchall()
        with suppress(driver.DatabaseError):
            target.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # Releases the lock.


class _CopyKeeper:
    """Keeps a copy of an old ledger, under the first free name."""

    def __init__(self, real: Path, temp_path: Path, at: datetime) -> None:
        self._real = real
        self._temp_path = temp_path
        self._at = at
        self.copy = real  # Until the copy is made.

    def __call__(self, old: Connection, was: LedgerExtent) -> None:
        """Copy the ledger; raises `LedgerBusy` if its extent is no longer `was`."""
        if snapshot.extent(old) != was:
            raise is_replaced(self._real)
        atomic.create(self._temp_path).close()
        with closing(connection.connect_raw(self._temp_path)) as copy:
            old.backup(copy, progress=snapshot.retry_limit(self._real))
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        atomic.fsync_file(self._temp_path)
        self.copy = _free_path(self._real, self._at)
        atomic.move_new(self._temp_path, self.copy)


@contextmanager
def _keeping_copy(
    real: Path, temp_path: Path, at: datetime, was: LedgerExtent
) -> Iterator[_CopyKeeper]:
    """Yield the keeper of a copy; after an error, remove the copy if the ledger is unchanged."""
    keeper = _CopyKeeper(real, temp_path, at)
    try:
        yield keeper
    except BaseException:
        if keeper.copy != real and _is_unchanged(real, was):
            keeper.copy.unlink(missing_ok=True)
        raise


def _is_unchanged(real: Path, was: LedgerExtent) -> bool:
    """Return True if a ledger is certainly unchanged: an error may come after the commit."""
    try:
        with closing(connection.open_file(real, readonly=True)) as db:
            return snapshot.extent(db) == was
    except (LiveportalError, driver.DatabaseError):
        return False


def _match_page_size(target: Connection, staged: Path) -> None:
    """Convert the new content to the old page size: SQLite cannot change it in WAL mode."""
    (size,) = target.execute("PRAGMA page_size").fetchone()
    with closing(connection.connect_raw(staged)) as db:
        if db.execute("PRAGMA page_size").fetchone()[0] != size:
            db.execute(f"PRAGMA page_size = {size}")
            db.execute("VACUUM")


def is_replaced(real: Path) -> LedgerBusy:
    """Return the error for a ledger that has changed since the user confirmed its replacement."""
    return LedgerBusy(
        f"Another program wrote to {real} in the meantime.",
        hint="Nothing was replaced. Try again.",
        path=str(real),
    )


def _sqlite_files(real: Path) -> list[Path]:
    return [Path(f"{real}{suffix}") for suffix in ledger_paths.BESIDE]


def _free_path(real: Path, at: datetime) -> Path:
    """Return a free path beside a ledger, such as `ledger.db.replaced-20261128T120000Z` (UTC)."""
    name = f"{real.name}.replaced-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    path, number = real.with_name(name), 1
    while os.path.lexists(path):
        number += 1
        path = real.with_name(f"{name}.{number}")
    return path
