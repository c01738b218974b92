"""Making and upgrading the tables: numbered SQL, forward only, all steps in one transaction.

The views are windows and hold nothing: they are made anew whenever the form changes.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path

from liveportal.domain.errors import (
    LedgerExists,
    LedgerUnwritable,
    MigrationFailed,
    VerificationFailed,
)
from liveportal.ledger import driver, engine, parts
from liveportal.ledger.driver import Connection, complete_statement
from liveportal.ledger.engine import SCHEMA_VERSION


def open_ledger(path: Path, *, readonly: bool) -> Connection:
    """Open a ledger in the current form, bringing an older one to it first.

    That is so for a read, too, and for a dry run: the form is how a ledger is kept, and nothing
    that it says changes with it. Raises what `engine.open_file` raises, and what `upgrade` does.
    """
    db = engine.open_file(path, readonly=readonly)
    if engine.mark_of(path).exists():
        from liveportal.ledger import traces  # After a crash only.

        traces.resume(path)
    try:
        with driver.explained(path):
            form = engine.form_of(db)
    except BaseException:
        db.close()
        raise
    if form == SCHEMA_VERSION:
        return db
    db.close()
    try:
        upgrade(path)
    except LedgerUnwritable as error:
        error.hint = "Make its folder and all its files writable, or open a copy of it elsewhere."
        raise error.located(f"the ledger is of form {form} and has to be upgraded first") from None
    return engine.open_file(path, readonly=readonly)


def upgrade(path: Path) -> None:
    """Bring a ledger to the current form: all steps and the version in one transaction, or nothing.

    A copy of it as it was is kept beside it, private to its owner: `ledger.db.form1`, or with a
    number behind it where there is something of that name. Whoever comes second finds nothing left
    to do. Raises `MigrationFailed`, `DiskFull`, `LedgerBusy`, `LedgerUnwritable`; the ledger is
    then as it was, and no copy is left.
    """
    with closing(engine.open_file(path, readonly=False)) as db:
        copy: Path | None = None
        try:
            with engine.writing(db, path):
                # Under the lock: another program may have been quicker, and be a newer one.
                if (form := engine.form_of(db)) >= SCHEMA_VERSION:
                    return
                _check_sound(db, path)
                copy = _keep_copy(path, form)
                _make_over(db, path)
        except BaseException:
            # Interrupted right after the commit it was upgraded all the same.
            with suppress(driver.DatabaseError):
                if copy is not None and engine.form_of(db) < SCHEMA_VERSION:
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


def _make_over(db: Connection, path: Path) -> None:
    """Take all steps, and verify what came of it before it is kept."""
    from liveportal.ledger.verify import verify  # The whole door: only an upgrade needs it.

    try:
        with driver.explained(path):
            make_tables(db)
            verify(db)
    except VerificationFailed as error:
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
    parts.sweep(wanted, stale_seconds=None)  # Under the lock nobody else is at it.
    part = parts.part_of(wanted)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(engine.open_file(path, readonly=True)) as db, driver.explained(wanted):
            db.execute("VACUUM INTO ?", (str(part),))  # SQLite takes an empty file for none.
        return _named(part, wanted)
    except OSError as error:
        raise driver.unwritable(wanted, error) from None
    finally:
        parts.remove(part)


def _named(part: Path, wanted: Path) -> Path | None:
    """Give a finished copy its name, or the first one with a number that is free."""
    import filecmp  # Reads open a ledger here, and compare no files.

    copy, number = wanted, 1
    while True:
        try:
            if filecmp.cmp(part, copy, shallow=False):
                return None
        except OSError:
            pass  # There is none, or none that can be read.
        try:
            engine.move_new(part, copy)
        except LedgerExists:
            number += 1
            copy = wanted.with_name(f"{wanted.name}.{number}")
        else:
            return copy


def make_tables(db: Connection) -> None:
    """Bring an empty or older database to the current form; runs inside the caller's transaction.

    The version is read again here, under the lock: another program may have been quicker.
    """
    version = engine.form_of(db)
    if version >= SCHEMA_VERSION:
        return
    for name, script in _scripts("migrations"):
        if int(name[:4]) > version:
            _run(db, script)
    for (view,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
        quoted = view.replace('"', '""')  # Whoever added one of their own named it as they liked.
        db.execute(f'DROP VIEW "{quoted}"')
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


@lru_cache(maxsize=64)
def _statements(script: str) -> tuple[str, ...]:
    found = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if complete_statement(pending):
            found.append(pending)
            pending = ""
    if pending.strip():
        found.append(pending)  # Comments, or a last statement without its semicolon.
    return tuple(found)
