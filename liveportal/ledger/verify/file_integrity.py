"""Whether a ledger's file is sound, and has the form that it should: what no event tells of."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import NamedTuple

from liveportal.ledger.storage import connection
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.migrate import make_tables
from liveportal.ledger.verify.chain import failed


class SchemaObject(NamedTuple):
    """A table, view, index or trigger; `sql` is None where SQLite made it by itself.

    So it is also of the tables behind an index of words: how those are laid out is SQLite's own,
    and may differ between its versions.
    """

    kind: str
    name: str
    table: str
    sql: str | None


_PARTS = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid"


def check_file(db: Connection) -> None:
    """Check the file's pages, and that its indexes have what its tables have."""
    (answer,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if answer != "ok":
        raise failed(f"the file is damaged: {answer}")


def check_references(db: Connection) -> None:
    """Check that every row refers to rows that are there."""
    for part in expected_schema():
        if part.kind != "table":
            continue
        # One by one: in tables of somebody's own, anything may be.
        for table, row, parent, _ in db.execute(f'PRAGMA foreign_key_check("{part.name}")'):
            which = f"a row of {table}"
            if row is not None:
                found = db.execute(f'SELECT * FROM "{table}" WHERE rowid = ?', (row,))  # noqa: S608
                which = f"{table} {found.fetchone()[0]}"
            raise failed(f"{which} refers to a row of {parent} that is not there", table=table)


def check_schema(db: Connection) -> None:
    """Check that all tables, views, indexes and triggers are as this form has them.

    Whoever adds a table, view or index of their own changes nothing; a trigger on one of our
    tables might.
    """
    there = {part.name: part for part in schema_objects(db)}
    for part in expected_schema():
        found = there.pop(part.name, None)
        if found is None:
            raise failed(f"the {part.kind} {part.name} is missing", name=part.name)
        if found != part:
            raise failed(f"the {part.kind} {part.name} was changed", name=part.name)
    ours = {part.name for part in expected_schema()}
    for part in there.values():
        if part.kind == "trigger" and part.table in ours:
            raise failed(f"the trigger {part.name} on {part.table} is not ours", name=part.name)


@cache
def expected_schema() -> tuple[SchemaObject, ...]:
    """Return what a ledger of the current form is made of."""
    with closing(connection.in_memory()) as db:
        db.execute("BEGIN")
        make_tables(db)
        return schema_objects(db)


def schema_objects(db: Connection) -> tuple[SchemaObject, ...]:
    """Return what a database is made of, in the order in which it was made."""
    found = [SchemaObject(*row) for row in db.execute(_PARTS).fetchall()]
    virtual = {each.name for each in found if (each.sql or "").upper().startswith("CREATE VIRTUAL")}
    behind = tuple(f"{name}_" for name in virtual)
    return tuple(
        each._replace(sql=None)
        if each.kind == "table" and each.name.startswith(behind) and each.name not in virtual
        else each
        for each in found
    )
