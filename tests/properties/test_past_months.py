"""A past month stays as it was: later events count in the month of their own time.

A fact that is only reported late counts where it happened (the earning of an older session, a
claim, a tip), so an event is tested by the month of its own time, and of the session that it bills
first.
"""

from __future__ import annotations

from hypothesis import given

from liveportal.domain.calculations.months import Month
from liveportal.domain.clock import month_of
from liveportal.domain.events.types import PolicyAdopted
from liveportal.ledger.queries import earnings, statement
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.driver import Connection
from tests.kit import quick_ledgers as ledgers
from tests.kit.quick_ledgers import empty_ledger
from tests.properties.strategies import Book, books


def figures(db: Connection) -> dict[str, Month]:
    """Return every figure that changed in each month."""
    by_month = earnings.figures_of(ledgers.reader(db))
    return {name: each for name, each in by_month.items() if each != Month(month=name)}


def rows_add_up(reader: Reader, name: str) -> bool:
    """Return True if the session rows of a statement add up to its summary."""
    document = statement.statement(reader, name)
    rows, summary = document["sessions"], document["summary"]

    def cents(values: list[str]) -> int:
        return sum(int(value.replace(".", "")) for value in values)

    money = {"gross": "gross", "fee": "platform_fee", "earned": "earned"}
    for column, figure in money.items():
        if cents([row[column] for row in rows]) != cents([summary[figure]]):
            return False
    left = cents([row["minutes"] for row in rows]) - cents([summary["minutes"]])
    return abs(left) <= len(rows)  # Each row is rounded by itself.


@given(books(14))
def test_no_later_event_changes_a_month_that_is_over(book: Book) -> None:
    """Only the months of the event's own time, or of the session that it first bills, differ."""
    with empty_ledger() as db:
        portal = ledgers.portal(db)
        for event in book.events:
            before = figures(db)
            ended = {
                row[0] for row in db.execute("SELECT id FROM session WHERE period IS NOT NULL")
            }
            portal.record([event])
            if isinstance(event.data, PolicyAdopted):
                continue  # As long as there is no money, a policy may cut the months differently.
            after = figures(db)
            own = {month_of(event.time, ledgers.reader(db).timezone)}
            fresh = db.execute("SELECT id, period FROM session WHERE period IS NOT NULL")
            own |= {period for name, period in fresh if name not in ended}
            changed = {
                name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
            }
            assert changed <= own, event


@given(books(14))
def test_a_statement_adds_up(book: Book) -> None:
    """Its session rows, corrections included, add up to its summary in each month."""
    with ledgers.recorded(book.events) as db:
        reader = ledgers.reader(db)
        for name in figures(db):
            assert rows_add_up(reader, name), name
