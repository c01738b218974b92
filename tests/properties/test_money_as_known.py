"""Money as known by an event: read from what was stored, and the same as after a replay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from liveportal.domain.clock import from_text
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.queries import earnings, money_as_known
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.replay.replay import replayed_copy
from liveportal.ledger.storage.driver import Connection
from liveportal.portal import Portal
from tests.kit import quick_ledgers as ledgers
from tests.properties.author import Book
from tests.properties.trial import BOOKS, seeds

QUICK = 4
EVERY = 3


def test_a_few_books_are_read_as_they_were_known() -> None:
    """The same as with the many, quickly."""
    for seed in seeds(0, QUICK):
        compare(seed)


@pytest.mark.slow
def test_many_books_are_read_as_they_were_known() -> None:
    """Corrections, reversals, claims, payouts that come back, other policies and zones."""
    for seed in seeds(QUICK, BOOKS):
        compare(seed)


def compare(seed: int) -> None:
    """Compare both ways of reading a random book, at every third moment of its recording."""
    with recorded_slowly(Book.of(Random(seed), 8 + seed % 40)) as db:  # noqa: S311
        moments = db.execute("SELECT DISTINCT recorded_at FROM event ORDER BY 1").fetchall()
        for (text,) in moments[::EVERY]:
            moment = from_text(text)
            with (
                closing(replayed_copy(db, until=moment, messages=False)) as copy,
                ledgers.empty_ledger() as limited,
            ):
                db.backup(limited)
                last = money_as_known.limit(limited, moment)
                known = Reader(limited, ledgers.NOWHERE, moment, last)
                assert figures(known) == figures(Reader(copy, ledgers.NOWHERE, moment))


@contextmanager
def recorded_slowly(book: Book) -> Iterator[Connection]:
    """Record a book, one event a second."""
    moment = ledgers.NOW

    def now() -> datetime:
        nonlocal moment
        moment += timedelta(seconds=1)
        return moment

    with ledgers.empty_ledger() as db:
        portal = Portal.over(LedgerFile(db, ledgers.NOWHERE, now))
        for event in book.events:
            portal.record([event], allow=True)
        yield db


def figures(reader: Reader) -> list[Any]:
    """Return everything about money that is read so."""
    months = earnings.months(reader)
    return [
        (reader.currency, reader.timezone, reader.own_timezone),
        [month.as_dict() for month in months],
        [row.as_dict() for row in earnings.transactions(reader)],
        [earnings.summary(reader, *(row.month,) * 3, ledgers.NOW).as_dict() for row in months],
    ]
