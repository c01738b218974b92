"""A temporary database beside an open ledger, which statements on the ledger can read too.

It is a private file, so that memory use does not grow with it. Its name is removed at once where
the system permits that: then nothing remains, even if the program is killed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from liveportal.ledger.storage import atomic, driver
from liveportal.ledger.storage.driver import Connection

_CACHE_KIB = 32 * 1024


@contextmanager
def scratch_database(db: Connection) -> Iterator[tuple[Connection, str]]:
    """Yield a connection to an empty database, inside a transaction, and its schema name in `db`.

    `db` may be read-only or inside a transaction; it sees what is committed to the database. Raises
    `DiskFull`, `LedgerUnwritable`.
    """
    # Inside a transaction, the databases of earlier calls are still attached.
    schema = f"scratch{len(db.execute('PRAGMA database_list').fetchall())}"
    folder = _private_folder()
    with folder:
        path = Path(folder.name, "scratch.db")
        atomic.create(path).close()
        with closing(driver.connect(str(path))) as scratch:
            with driver.translating_errors(path):
                _configure(scratch)
            db.execute(f"ATTACH ? AS {schema}", (str(path),))
            folder.cleanup()
            try:
                yield scratch, schema
            finally:
                with suppress(driver.DatabaseError):  # Inside a transaction, it stays attached.
                    db.execute(f"DETACH {schema}")


def _private_folder() -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(prefix="liveportal-", ignore_cleanup_errors=True)  # Mode 0700.
    except OSError as error:
        failure = atomic.unwritable(Path(os.curdir), error)
        failure.hint = "The command needs a temporary file. TMPDIR names the folder for it."
        raise failure from None


def _configure(scratch: Connection) -> None:
    """Make writing quick: the file need survive no crash, and no statement is rolled back."""
    scratch.executescript(
        f"""
        PRAGMA journal_mode = OFF;
        PRAGMA synchronous = OFF;
        PRAGMA cache_size = -{_CACHE_KIB};
        BEGIN IMMEDIATE;
        """
    )
