"""Create the tables or migrate them to the current schema version: numbered SQL, forward only.

The views hold no data: they are dropped and created again whenever the schema version changes.
"""

from __future__ import annotations

from functools import lru_cache

from liveportal.ledger.storage import connection
from liveportal.ledger.storage.connection import SCHEMA_VERSION
from liveportal.ledger.storage.driver import Connection, complete_statement


def make_tables(db: Connection) -> None:
    """Migrate an empty or older database to the current schema version.

    Runs inside the caller's transaction. The version is read again here, under the lock, because
    another program may have migrated the ledger in the meantime.
    """
    version = connection.schema_version_of(db)
    if version >= SCHEMA_VERSION:
        return
    for name, script in _scripts("migrations"):
        if int(name[:4]) > version:
            _run(db, script)
    for (view,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
        quoted = view.replace('"', '""')  # A user may have added a view with any name.
        db.execute(f'DROP VIEW "{quoted}"')
    for _, script in _scripts("views"):
        _run(db, script)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _scripts(folder: str) -> list[tuple[str, str]]:
    from importlib.resources import files  # Imported here because reads do not need the scripts.

    entries = files("liveportal.ledger.storage.schema").joinpath(folder).iterdir()
    return sorted(
        (entry.name, entry.read_text("utf-8")) for entry in entries if entry.name.endswith(".sql")
    )


def _run(db: Connection, script: str) -> None:
    # `executescript` would commit the caller's transaction first.
    for statement in _split_statements(script):
        db.execute(statement)


@lru_cache(maxsize=64)
def _split_statements(script: str) -> tuple[str, ...]:
    statements = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if complete_statement(pending):
            statements.append(pending)
            pending = ""
    if pending.strip():
        statements.append(pending)  # Comments, or a last statement without a semicolon.
    return tuple(statements)
