"""Making and upgrading the tables: numbered SQL, forward only, all steps in one transaction.

The views are windows and hold nothing: they are made anew whenever the form changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from liveportal.domain.errors import MigrationFailed
from liveportal.ledger import engine
from liveportal.ledger.engine import SCHEMA_VERSION, Connection, complete_statement


def open_ledger(path: Path, *, readonly: bool) -> Connection:
    """Open a ledger in the current form, bringing an older one to it first.

    Raises what `engine.open_file` raises, and `MigrationFailed`.
    """
    db = engine.open_file(path, readonly=readonly)
    if engine.form_of(db) == SCHEMA_VERSION:
        return db
    db.close()
    upgrade(path)
    return engine.open_file(path, readonly=readonly)


def upgrade(path: Path) -> None:
    """Bring a ledger to the current form: all steps and the version in one transaction, or nothing.

    A copy of it as it was is kept beside it. Whoever comes second finds nothing left to do.
    """
    with closing(engine.open_file(path, readonly=False)) as db, engine.writing(db, path):
        form = engine.form_of(db)  # Under the lock: another program may have been quicker.
        if form == SCHEMA_VERSION:
            return
        (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise MigrationFailed(f"{path} is damaged: {answer}", hint="Restore a backup.")
        _keep_copy(path, path.with_name(f"{path.name}.form{form}"))
        make_tables(db)
        if orphan := db.execute("PRAGMA foreign_key_check").fetchone():
            raise MigrationFailed(f"{path} could not be upgraded: a row of {orphan[0]} is orphaned")


def _keep_copy(path: Path, copy: Path) -> None:
    """Copy a ledger as another connection sees it, private to its owner."""
    try:
        copy.unlink(missing_ok=True)  # Of an attempt that failed; a link goes, not what it names.
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise engine.unwritable(copy, error) from None
    with closing(engine.open_file(path, readonly=True)) as db, engine.explained(path):
        db.execute("VACUUM INTO ?", (str(copy),))  # SQLite takes an empty file for none.


def make_tables(db: Connection) -> None:
    """Bring an empty or older database to the current form; runs inside the caller's transaction.

    The version is read again here, under the lock: another program may have been quicker.
    """
    version = engine.form_of(db)
    if version == SCHEMA_VERSION:
        return
    for name, script in _scripts("migrations"):
        if int(name[:4]) > version:
            _run(db, script)
    for (view,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
        db.execute(f'DROP VIEW "{view}"')
    for _, script in _scripts("views"):
        _run(db, script)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _scripts(folder: str) -> list[tuple[str, str]]:
    from importlib.resources import files  # Reads open a ledger here, and need no scripts.

    found = files("liveportal.ledger").joinpath(folder).iterdir()
    return sorted(
        (each.name, each.read_text("utf-8")) for each in found if each.name.endswith(".sql")
    )


def _run(db: Connection, script: str) -> None:
    # Not `executescript`: that would commit the caller's transaction first.
    for statement in _statements(script):
        db.execute(statement)


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if complete_statement(pending):
            yield pending
            pending = ""
