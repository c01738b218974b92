"""Verify a ledger's file and its schema, which no event describes."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import NamedTuple

from liveportal.ledger.storage import connection
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.migrate import make_tables
from liveportal.ledger.verify.chain import failed


class SchemaObject(NamedTuple):
    """A table, view, index or trigger; `sql` is None if SQLite created it automatically.

    It is also None for the shadow tables of a full-text index, whose layout may differ between
    versions of SQLite.
    """

    kind: str
    name: str
    table: str
    sql: str | None


_SCHEMA_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid"


def check_file(db: Connection) -> None:
    """Check the file's pages, and its indexes against its tables."""
    (answer,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if answer != "ok":
        raise failed(f"the file is damaged: {answer}")


def check_references(db: Connection) -> None:
    """Check that all foreign keys refer to existing rows."""
    for part in expected_schema():
        if part.kind != "table":
            continue
        # Table by table, to leave out tables that a user has added.
        for table, rowid, parent, _ in db.execute(f'PRAGMA foreign_key_check("{part.name}")'):
            which = f"a row of {table}"
            if rowid is not None:
                row = db.execute(f'SELECT * FROM "{table}" WHERE rowid = ?', (rowid,))  # noqa: S608
                which = f"{table} {row.fetchone()[0]}"
            raise failed(f"{which} refers to a missing row of {parent}", table=table)


def check_schema(db: Connection) -> None:
    """Check that all tables, views, indexes and triggers are those of this schema version.

    Tables, views and indexes that a user has added are harmless. A trigger on one of the ledger's
    tables is not.
    """
    actual = {expected.name: expected for expected in schema_objects(db)}
    for expected in expected_schema():
        match = actual.pop(expected.name, None)
        if match is None:
            raise failed(f"the {expected.kind} {expected.name} is missing", name=expected.name)
        if match != expected:
            raise failed(f"the {expected.kind} {expected.name} was changed", name=expected.name)
    ours = {expected.name for expected in expected_schema()}
    for expected in actual.values():
        if expected.kind == "trigger" and expected.table in ours:
            raise failed(
                f"the trigger {expected.name} on {expected.table} is foreign", name=expected.name
            )


@cache
def expected_schema() -> tuple[SchemaObject, ...]:
    """Return the schema objects of a ledger of the current schema version."""
    with closing(connection.in_memory()) as db:
        db.execute("BEGIN")
        make_tables(db)
        return schema_objects(db)


def schema_objects(db: Connection) -> tuple[SchemaObject, ...]:
    """Return the schema objects of a database, in the order of their creation."""
    objects = [SchemaObject(*row) for row in db.execute(_SCHEMA_OBJECTS).fetchall()]
    virtual = {o.name for o in objects if (o.sql or "").upper().startswith("CREATE VIRTUAL")}
    shadow_prefixes = tuple(f"{name}_" for name in virtual)
    return tuple(
        o._replace(sql=None)
        if o.kind == "table" and o.name.startswith(shadow_prefixes) and o.name not in virtual
        else o
        for o in objects
    )
