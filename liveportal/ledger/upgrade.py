"""Upgrade an older ledger to the current schema version, in one transaction, keeping a copy."""

from __future__ import annotations

import filecmp
from contextlib import closing, suppress
from pathlib import Path

from liveportal.domain.errors import (
    MigrationFailed,
    UnreadableEvent,
    VerificationFailed,
)
from liveportal.domain.hint import Hint
from liveportal.ledger.backfill import backfill
from liveportal.ledger.storage import atomic, connection, driver
from liveportal.ledger.storage.connection import SCHEMA_VERSION
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema import migrate

# Imported here, since it takes a while, and other programs wait while the ledger is upgraded.
from liveportal.ledger.verify import projections  # noqa: F401
from liveportal.ledger.verify.verify import verify


def upgrade(path: Path) -> None:
    """Upgrade a ledger to the current schema version: all steps in one transaction, or none.

    A private copy of the old ledger is kept beside it, named `ledger.db.form1`, or with a number
    appended if that name is taken. If another program has upgraded the ledger meanwhile, nothing is
    done. Raises `MigrationFailed`, `DiskFull`, `LedgerBusy`, `LedgerUnwritable`; the ledger is then
    unchanged, and no copy is left.
    """
    with closing(connection.open_file(path, readonly=False)) as db:
        copy: Path | None = None
        try:
            with connection.immediate_transaction(db, path):
                # Read under the lock: another program, perhaps a newer one, may have been first.
                if (version := connection.schema_version_of(db)) >= SCHEMA_VERSION:
                    return
                _check_integrity(db, path)
                copy = _keep_copy(path, version)
                _migrate(db, path, version)
        except BaseException:
            # An interrupt right after the commit leaves an upgraded ledger: keep its copy.
            with suppress(driver.DatabaseError):
                if copy is not None and connection.schema_version_of(db) < SCHEMA_VERSION:
                    copy.unlink(missing_ok=True)
            raise


def _check_integrity(db: Connection, path: Path) -> None:
    (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise MigrationFailed(
            f"{path} is damaged, so it was not upgraded: {answer}.",
            hint=Hint(
                "Keep the file as it is. {Restoring_a_backup} brings back the last good state."
            ),
            path=str(path),
        )


def _migrate(db: Connection, path: Path, version: int) -> None:
    """Run all migrations, backfill the new tables, and verify the result before the commit."""
    try:
        with driver.translating_errors(path):
            migrate.make_tables(db)
            backfill(db, version)
            verify(db)
    except (VerificationFailed, UnreadableEvent) as error:
        raise _failed(path, error.message) from error
    except driver.DatabaseError as error:
        raise _failed(path, str(error)) from error


def _failed(path: Path, why: str) -> MigrationFailed:
    return MigrationFailed(
        f"{path} could not be upgraded: {why.rstrip('.')}.",
        hint="The ledger is unchanged, and the version of liveportal that wrote it still opens it."
        " Please report this.",
        path=str(path),
    )


def _keep_copy(path: Path, version: int) -> Path | None:
    """Copy the ledger as it was before the transaction; return the path of the copy.

    The copy is complete and replaces no file. Returns None if an equal copy exists already, left by
    an upgrade that was killed.
    """
    # Beside the file itself, not a link to it; absolute, so that no name is taken for a URI.
    real = path.resolve()
    target = real.with_name(f"{real.name}.form{version}")
    with (
        atomic.translating_os_errors(target),
        # The lock excludes other upgrades.
        atomic.temporary(target, locked=True) as temp_path,
    ):
        atomic.create(temp_path).close()
        with (
            closing(connection.open_file(path, readonly=True)) as db,
            driver.translating_errors(target),
        ):
            db.execute("VACUUM INTO ?", (str(temp_path),))  # SQLite accepts an empty target file.
        return _move_to_free_name(temp_path, target)


def _move_to_free_name(temp_path: Path, target: Path) -> Path | None:
    """Rename a finished copy to `target`, or to the first free name with a number.

    Returns None if a file with the same content has one of these names.
    """
    copy, number = target, 1
    while True:
        try:
            if filecmp.cmp(temp_path, copy, shallow=False):
                return None
        except OSError:
            pass  # There is no such file, or it cannot be read.
        try:
            atomic.move_new(temp_path, copy)
        except FileExistsError:
            number += 1
            copy = target.with_name(f"{target.name}.{number}")
        else:
            return copy
