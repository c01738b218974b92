"""Bringing an older ledger to the current form: verified, in one transaction, with a copy kept."""

from __future__ import annotations

import filecmp
import os
from contextlib import closing, suppress
from pathlib import Path

from liveportal.domain.errors import (
    LedgerExists,
    MigrationFailed,
    UnreadableEvent,
    VerificationFailed,
)
from liveportal.ledger.backfill import backfill
from liveportal.ledger.storage import connection, driver, temp_files
from liveportal.ledger.storage.connection import SCHEMA_VERSION
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema import migrate
from liveportal.ledger.verify.verify import verify


def upgrade(path: Path) -> None:
    """Bring a ledger to the current form: all steps and the version in one transaction, or nothing.

    A copy of it as it was is kept beside it, private to its owner: `ledger.db.form1`, or with a
    number behind it where there is something of that name. Whoever comes second finds nothing left
    to do. Raises `MigrationFailed`, `DiskFull`, `LedgerBusy`, `LedgerUnwritable`; the ledger is
    then as it was, and no copy is left.
    """
    with closing(connection.open_file(path, readonly=False)) as db:
        copy: Path | None = None
        try:
            with connection.immediate_transaction(db, path):
                # Under the lock: another program may have been quicker, and be a newer one.
                if (form := connection.schema_version_of(db)) >= SCHEMA_VERSION:
                    return
                _check_sound(db, path)
                copy = _keep_copy(path, form)
                _make_over(db, path, form)
        except BaseException:
            # Interrupted right after the commit it was upgraded all the same.
            with suppress(driver.DatabaseError):
                if copy is not None and connection.schema_version_of(db) < SCHEMA_VERSION:
                    copy.unlink(missing_ok=True)
            raise


def _check_sound(db: Connection, path: Path) -> None:
    (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise MigrationFailed(
            f"{path} is damaged, and was not upgraded: {answer}",
            hint="Keep the file as it is, and restore a backup.",
            path=str(path),
        )


def _make_over(db: Connection, path: Path, form: int) -> None:
    """Take all steps, fill in what is new, and verify what came of it before it is kept."""
    try:
        with driver.translating_errors(path):
            migrate.make_tables(db)
            backfill(db, form)
            verify(db)
    except (VerificationFailed, UnreadableEvent) as error:
        raise _failed(path, error.message) from error
    except driver.DatabaseError as error:
        raise _failed(path, str(error)) from error


def _failed(path: Path, why: str) -> MigrationFailed:
    return MigrationFailed(
        f"{path} could not be upgraded: {why}",
        hint="It is as it was: the liveportal that wrote it opens it. Please report this.",
        path=str(path),
    )


def _keep_copy(path: Path, form: int) -> Path | None:
    """Copy a ledger as another connection sees it; the copy appears whole, and replaces nothing.

    There is none to return where one of the same content lies there already: whoever was killed
    while upgrading has left it.
    """
    # Where the file itself is, not a link to it; absolute, so that no name is taken for a URI.
    real = path.resolve()
    wanted = real.with_name(f"{real.name}.form{form}")
    temp_files.sweep(wanted, stale_seconds=None)  # Under the lock nobody else is at it.
    part = temp_files.part_of(wanted)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with (
            closing(connection.open_file(path, readonly=True)) as db,
            driver.translating_errors(wanted),
        ):
            db.execute("VACUUM INTO ?", (str(part),))  # SQLite takes an empty file for none.
        return _named(part, wanted)
    except OSError as error:
        raise driver.unwritable(wanted, error) from None
    finally:
        temp_files.remove(part)


def _named(part: Path, wanted: Path) -> Path | None:
    """Give a finished copy its name, or the first one with a number that is free."""
    copy, number = wanted, 1
    while True:
        try:
            if filecmp.cmp(part, copy, shallow=False):
                return None
        except OSError:
            pass  # There is none, or none that can be read.
        try:
            connection.move_new(part, copy)
        except LedgerExists:
            number += 1
            copy = wanted.with_name(f"{wanted.name}.{number}")
        else:
            return copy
