"""The tables of a ledger as SQLModel classes, such as `SessionRow`, made from their declarations.

They are for reading (`session.exec(select(SessionRow))`). Only the journal may write: a row that is
added here passes no rule, is in no journal and unbalances the books. The numbered SQL in
`migrations` makes a ledger; these classes have its columns, keys and constraints (not its indexes
and triggers), and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import new_class
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from liveportal.domain.entities import Table
from liveportal.ledger.storage.schema.tables import TABLES

_TYPES = {"int": int, "bool": int, "Money": int, "bytes": bytes}
"""The types of columns that hold no text."""
_SQL_TYPES = {str: Text, int: Integer, bytes: LargeBinary}
_CONSTRAINTS = {
    "event": (
        UniqueConstraint("source", "id", name="event_named_once"),
        CheckConstraint("seq >= 1", name="event_seq_from_1"),
    ),
    "reversal": (UniqueConstraint("reversed_seq", name="reversed_once"),),
    "transfer": (
        CheckConstraint("debit <> credit", name="transfer_between_two"),
        CheckConstraint("amount > 0", name="transfer_moves_something"),
    ),
    "message": (UniqueConstraint("artifact", "n", name="message_once"),),
}


class LedgerRow(SQLModel):
    """A row of a ledger. Its tables are a `metadata` of their own, apart from the reader's own."""

    metadata = MetaData(naming_convention={"pk": "%(table_name)s_pk"})


def row_class(table: Table) -> type[LedgerRow]:
    """Make the class of a table's rows."""
    foreign_keys = _foreign_keys(table)
    types: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for column, annotation in table.columns.items():
        kind = _TYPES.get(annotation.removesuffix(" | None"), str)
        types[column] = kind | None if annotation.endswith(" | None") else kind
        fields[column] = Field(
            primary_key=column in table.key,
            sa_type=_SQL_TYPES[kind],
            sa_column_args=[foreign_keys[column]] if column in foreign_keys else [],
        )
    namespace = {
        "__annotations__": types,
        "__doc__": f"A row of the table `{table.name}`.",
        "__module__": __name__,
        "__table_args__": (*_CONSTRAINTS.get(table.name, ()), *_state_checks(table)),
        "__tablename__": table.name,
        **fields,
    }
    name = f"{table.name.title().replace('_', '')}Row"
    return new_class(name, (LedgerRow,), {"table": True}, lambda body: body.update(namespace))


def _state_checks(table: Table) -> Iterator[CheckConstraint]:
    """Yield the constraints of the columns whose values are those of an enum."""
    for column, states in table.states.items():
        values = ", ".join(f"'{state}'" for state in states)
        yield CheckConstraint(f"{column} IN ({values})", name=f"{table.name}_{column}")


def _foreign_keys(table: Table) -> dict[str, ForeignKey]:
    """Return the foreign keys by column: the first to an event is named after it."""
    keys: dict[str, ForeignKey] = {}
    has_event = False
    for column, target in table.references.items():
        name = column.removesuffix("_seq")
        if target == "event" and not has_event:
            name, has_event = target, True
        keys[column] = ForeignKey(f"{target}.{TABLES[target].key[0]}", name=f"{table.name}_{name}")
    return keys


ROWS = {table.name: row_class(table) for table in TABLES.values()}
"""The classes by table."""
_BY_NAME = {row.__name__: row for row in ROWS.values()}


def __getattr__(name: str) -> type[Any]:
    if name in _BY_NAME:
        return _BY_NAME[name]
    raise AttributeError(name)
