"""A ledger takes the place of another: what was there is kept beside it, whole.

While other programs have the ledger open, its content is replaced within the file, in one
transaction of SQLite: whoever reads sees the old one or the new one, and a crash leaves the old
one. It is copied first, and nobody can record between the copy and the replacement:

- With a write-ahead log the first page that is copied takes the lock of writers; the old content is
  then copied by a reader, who still sees it.
- With a rollback journal readers would wait for the lock. So the connection that replaces it takes
  the file for itself, and makes the copy, too.

A file that no longer opens is moved aside with all that SQLite keeps beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from liveportal.domain.errors import LedgerBusy, LedgerExists, LiveportalError
from liveportal.ledger.backup import snapshot
from liveportal.ledger.backup.snapshot import LedgerExtent
from liveportal.ledger.storage import connection, driver, private_files, temp_files
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.fsync import fsync_dir, fsync_file

_COPY = "before.db"  # In the private folder, which is swept after a crash.


def opened(real: Path) -> Connection | None:
    """Open the ledger that is to be replaced; None where nothing is there.

    It may be of any form that this program knows. Raises what `connection.open_file` raises.
    """
    if not os.path.lexists(real):
        return None
    # Whoever may write would tidy away the log of one that turns out to be damaged.
    connection.open_file(real, readonly=True).close()
    return connection.open_file(real, readonly=False)


def place_new(real: Path, staged: Path, at: datetime) -> Path | None:
    """Give a finished ledger its place, where none is; return where leftovers of one went.

    Raises `LedgerBusy` where one has come there meanwhile.
    """
    aside = move_aside(real, at) if any(map(os.path.lexists, _files(real))) else None
    with driver.translating_errors(real), closing(connection.connect_raw(staged)) as db:
        mode = "WAL" if connection.wal_is_safe() else "DELETE"
        db.execute(f"PRAGMA journal_mode = {mode}").fetchall()
    fsync_file(staged)
    try:
        connection.move_new(staged, real)
    except LedgerExists:
        raise is_replaced(real) from None
    return aside


def move_aside(real: Path, at: datetime) -> Path:
    """Move a ledger's files into a folder beside it, and return that; under their own names.

    What SQLite keeps beside a file goes first: it must never be taken for another file's.
    """
    folder = _free(real, at)
    folder.mkdir(mode=0o700)
    fsync_dir(real.parent)
    for path in (*_files(real), real):
        if os.path.lexists(path):
            path.rename(folder / path.name)
    fsync_dir(folder)
    fsync_dir(real.parent)
    return folder


def replace(real: Path, staged: Path, at: datetime, was: LedgerExtent) -> Path:
    """Replace a ledger's content, and return where a copy of what it was is kept.

    The new content is staged in a private folder on the same disk.
    Raises `LedgerBusy` where others hold it for long, or where it is no longer what it `was`;
    `NotALedger` where it turns out to be damaged. Then it is as it was.
    """
    with (
        closing(connection.open_file(real, readonly=False)) as target,
        driver.translating_errors(real),
    ):
        _fit(target, staged)
        wal = target.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        with (
            closing(connection.connect_raw(staged)) as source,
            _keeping(real, staged.with_name(_COPY), at, was) as keep,
        ):
            if wal:
                _replace_by_log(real, source, target, keep, was)
            else:
                _replace_alone(real, source, target, keep, was)
            kept = keep.copy
    return kept


def _replace_by_log(
    real: Path, source: Connection, target: Connection, keep: _Kept, was: LedgerExtent
) -> None:
    def copy_old() -> None:  # The first page is copied: nobody can record any more.
        with closing(connection.open_file(real, readonly=True)) as old:
            keep(old, was)

    source.backup(target, pages=1, progress=snapshot.waiting(real, copy_old))
    # The log is as large as the ledger now, and has the old one's pages.
    with suppress(driver.DatabaseError):  # It is replaced; whoever opens it next may do it.
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _replace_alone(
    real: Path, source: Connection, target: Connection, keep: _Kept, was: LedgerExtent
) -> None:
    target.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    try:
        target.execute("BEGIN EXCLUSIVE")
        target.execute("COMMIT")  # The lock stays.
        keep(target, was)
        source.backup(target, progress=snapshot.waiting(real))
    finally:
        target.execute("PRAGMA locking_mode = NORMAL").fetchall()
        with suppress(driver.DatabaseError):
            target.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # Gives the lock back.


class _Kept:
    """Keeps a copy of an old ledger, under the first name that is free."""

    def __init__(self, real: Path, part: Path, at: datetime) -> None:
        self._real = real
        self._part = part
        self._at = at
        self.copy = real  # Until there is one.

    def __call__(self, old: Connection, was: LedgerExtent) -> None:
        """Copy it; raises `LedgerBusy` where it is no longer what it was."""
        if snapshot.extent(old) != was:
            raise is_replaced(self._real)
        os.close(private_files.make(self._part))
        with closing(connection.connect_raw(self._part)) as copy:
            old.backup(copy, progress=snapshot.waiting(self._real))
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        fsync_file(self._part)
        self.copy = _free(self._real, self._at)
        connection.move_new(self._part, self.copy)


@contextmanager
def _keeping(real: Path, part: Path, at: datetime, was: LedgerExtent) -> Iterator[_Kept]:
    """Let a copy be kept; it is not wanted where the ledger is still what it was."""
    kept = _Kept(real, part, at)
    try:
        yield kept
    except BaseException:
        if kept.copy != real and _is_still(real, was):
            kept.copy.unlink(missing_ok=True)
        raise


def _is_still(real: Path, was: LedgerExtent) -> bool:
    """Tell whether a ledger surely is what it was: interrupted after the commit, it is not."""
    try:
        with closing(connection.open_file(real, readonly=True)) as db:
            return snapshot.extent(db) == was
    except (LiveportalError, driver.DatabaseError):
        return False


def _fit(target: Connection, staged: Path) -> None:
    """Give the new content pages of the old one's size: a write-ahead log takes no others."""
    (size,) = target.execute("PRAGMA page_size").fetchone()
    with closing(connection.connect_raw(staged)) as db:
        if db.execute("PRAGMA page_size").fetchone()[0] != size:
            db.execute(f"PRAGMA page_size = {size}")
            db.execute("VACUUM")


def is_replaced(real: Path) -> LedgerBusy:
    """Say that a ledger is no longer the one that the user was asked about."""
    return LedgerBusy(
        f"{real} was written to meanwhile",
        hint="Nothing was replaced. Try again.",
        path=str(real),
    )


def _files(real: Path) -> list[Path]:
    return [Path(f"{real}{suffix}") for suffix in temp_files.BESIDE]


def _free(real: Path, at: datetime) -> Path:
    """Return a name beside a ledger that nothing has: `ledger.db.replaced-20261128T120000Z`."""
    wanted = f"{real.name}.replaced-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    path, number = real.with_name(wanted), 1
    while os.path.lexists(path):
        number += 1
        path = real.with_name(f"{wanted}.{number}")
    return path
