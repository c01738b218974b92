"""An entity is declared once: its table, statements, mapping and SQLModel class derive from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.schema import CreateTable

from liveportal.domain.entities import entity, table_of
from liveportal.domain.frozen import replace
from liveportal.domain.money import Money
from liveportal.ledger.format.row_mapping import Mapping
from liveportal.ledger.storage.connection import in_memory
from liveportal.ledger.storage.schema.models import LedgerRow, row_class
from liveportal.ledger.storage.schema.tables import insert_into, upsert_into

if TYPE_CHECKING:
    from sqlalchemy import Table


class LoanState(StrEnum):
    """The states of a loan."""

    LENT = "lent"
    LOST = "lost"


@entity("loan", key=("by", "n"), references={"session": "session"}, not_stored=("notes",))
class Loan:
    """Has a column of every kind. `n` numbers the loans of one borrower, and is no field."""

    by: str
    session: str
    amount: Money
    order: datetime | None
    state: LoanState
    paid: bool
    tags: tuple[str, ...] = ()
    notes: tuple[int, ...] = ()


LOAN = Mapping(Loan)
VALUE = Loan(
    by="mali",
    session="S-1",
    amount=Money(4200, "EUR"),
    order=datetime(2026, 10, 1, 12, tzinfo=UTC),
    state=LoanState.LENT,
    paid=True,
    tags=("late",),
)
ROW = ("mali", "S-1", 4200, "EUR", "2026-10-01T12:00:00.000000Z", "lent", 1, '["late"]')


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """Return the table of the SQLModel class; afterwards it is none of a ledger's tables."""
    made: Table = vars(row_class(table_of(Loan)))["__table__"]
    yield made
    LedgerRow.metadata.remove(made)


def test_columns() -> None:
    """Money takes two columns, what is not stored none, and a number of the key the first."""
    assert dict(table_of(Loan).columns) == {
        "n": "int",
        "by": "str",
        "session": "str",
        "amount": "Money",
        "currency": "str",
        "order": "datetime | None",
        "state": "LoanState",
        "paid": "bool",
        "tags": "tuple[str, ...]",
    }


@pytest.mark.parametrize(
    ("value", "row"),
    [
        (VALUE, ROW),
        (replace(VALUE, order=None, paid=False, tags=()), (*ROW[:4], None, "lent", 0, "[]")),
    ],
)
def test_values_are_stored(table: Table, value: Loan, row: tuple[object, ...]) -> None:
    """What the statements write in the table of the SQLModel class, the mapping reads."""
    assert LOAN.write(value) == row
    with in_memory() as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute(str(CreateTable(table).compile(dialect=dialect())))
        db.execute(insert_into(table_of(Loan)), (1, *ROW))
        db.execute(upsert_into(table_of(Loan)), (1, *row))
        stored = db.execute(LOAN.select).fetchall()
    assert stored == [row]
    assert LOAN.read(stored[0]) == value
    assert type(LOAN.read(stored[0]).state) is LoanState
    assert type(stored[0][5]) is str


def test_the_table_has_the_constraints(table: Table) -> None:
    """Only what may be None may be NULL; references and states are constraints, and have names."""
    assert [column.name for column in table.columns if column.nullable] == ["order"]
    assert {column.name for column in table.primary_key} == {"n", "by"}
    (check,) = (each for each in table.constraints if isinstance(each, CheckConstraint))
    assert (check.name, str(check.sqltext)) == ("loan_state", "state IN ('lent', 'lost')")
    (key,) = table.foreign_keys
    assert (key.name, key.column.table.name, key.column.name) == ("loan_session", "session", "id")
