"""Making and upgrading the tables: numbered SQL, forward only, all steps in one transaction.

The views are windows and hold nothing: they are made anew whenever the form changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from liveportal.ledger.engine import SCHEMA_VERSION, Connection, complete_statement


def make_tables(db: Connection) -> None:
    """Bring an empty or older database to the current form; runs inside the caller's transaction.

    The version is read again here, under the lock: another program may have been quicker.
    """
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
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
