"""Money at risk: final, still claimable, held; together always the balance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given

from liveportal.domain.clock import utc_text
from liveportal.ledger.queries import earnings
from tests.kit import quick_ledgers as ledgers
from tests.kit.pools import MICROSECOND
from tests.properties.model import Model
from tests.properties.state import Session
from tests.properties.strategies import Book, books
from tests.properties.test_thousand_books import PARTS

BOOKS = 300


def left_of(model: Model, session: Session, last: str) -> tuple[int, int]:
    """The unrefunded part of a session's gross at a month's end, and how much of it is owed."""
    own = [
        entry
        for entry in model.entries
        if entry.session == session.id and entry.month <= last and not entry.tips
    ]
    return sum(event.gross - event.refunded for event in own), sum(event.owed for event in own)


def claimable(model: Model, last: str, as_of: datetime) -> int:
    """The owed amount of sessions that a customer can still claim back in time (R8).

    If refunds deduct the gross, a session may have cost more than it earned: that is final.
    """
    total = 0
    # As each session was billed by then: a later correction changes nothing of this month.
    by_then = {count.session: count for count in model.counts if count.month <= last}
    for count in by_then.values():
        if count.sessions > 0:
            session = model.sessions[count.session]
            hours = session.policy.refund.window_hours
            gross, owed = left_of(model, session, last)
            if gross > 0 and owed > 0 and as_of <= count.end + timedelta(hours=hours):
                total += owed
    return total


def moments(model: Model) -> Iterator[datetime]:
    """The instants at which a figure changes: the last of each refund window, and the next."""
    for count in model.counts:
        window = timedelta(hours=model.sessions[count.session].policy.refund.window_hours)
        closes = count.end + window
        yield from (count.end - MICROSECOND, count.end, closes, closes + MICROSECOND)


def month_end(model: Model, last: str) -> datetime:
    """The last instant of a month, found by trying each microsecond's neighbour."""
    year, number = map(int, last.split("-"))
    guess = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=ledgers.NOW.tzinfo)
    low, high = guess - timedelta(days=2), guess + timedelta(days=2)
    while high - low > MICROSECOND:
        middle = low + (high - low) // 2
        low, high = (middle, high) if model.month(middle) <= last else (low, middle)
    return low


def check(book: Book) -> set[str]:
    """Compare a book's money at risk with the model's; return the states reached."""
    model, seen = book.model, set()
    with ledgers.recorded(book.events) as db:
        reader = ledgers.reader(db)
        rows = {str(row["month"]): row for row in model.months()}
        for last in rows:
            end, balance = month_end(model, last), model.balance(last)
            for now in {ledgers.NOW, end, end + MICROSECOND, *moments(model)}:
                as_of = min(now, end)
                actual = earnings.risk(reader, last, now)
                expected = claimable(model, last, as_of)
                figures = {name: actual[name].minor for name in ("final", "claimable", "held")}
                assert figures == {
                    "final": balance["owed"] - expected,
                    "claimable": expected,
                    "held": balance["held"],
                }, (last, utc_text(now))
                assert actual.as_of == as_of
                assert sum(figures.values()) == balance["owed"] + balance["held"]
                seen |= {name for name, minor in figures.items() if minor > 0}
                seen |= {f"-{name}" for name, minor in figures.items() if minor < 0}
    return seen


@given(books(14))
def test_the_states_add_up_to_the_balance(book: Book) -> None:
    """At every month's end and every edge of a window: final + claimable + held = owed + held."""
    check(book)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_many_books_have_the_risk_that_the_model_says(part: int) -> None:
    """To the microsecond, under every reading of every switch."""
    seen: set[str] = set()
    for seed in range(part, BOOKS, PARTS):
        seen |= check(Book.of(Random(seed), 8 + seed % 30))  # noqa: S311 (the same each time)
    assert seen >= {"final", "-final", "claimable", "held"}
    assert "-claimable" not in seen, "what can be lost is never less than nothing"
