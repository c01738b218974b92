"""Making the tables, or bringing them to the current form: numbered SQL, forward only.

The views are windows and hold nothing: they are made anew whenever the form changes.
"""

from __future__ import annotations

from functools import lru_cache

from liveportal.ledger.storage import connection
from liveportal.ledger.storage.connection import SCHEMA_VERSION
from liveportal.ledger.storage.driver import Connection, complete_statement


def make_tables(db: Connection) -> None:
    """Bring an empty or older database to the current form; runs inside the caller's transaction.

    The version is read again here, under the lock: another program may have been quicker.
    """
    version = connection.schema_version_of(db)
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

    found = files("liveportal.ledger.storage.schema").joinpath(folder).iterdir()
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
