"""Transactions as other accounting programs take them: dated, with signed postings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from liveportal.domain.accounts import Account
from liveportal.domain.clock import last_day
from liveportal.domain.frozen import frozen


@frozen
class LedgerEntry:
    """A transaction; its postings are in minor units, debits positive, and sum to zero.

    `day` lies in the month in which the transaction counts (`period`); `own_day` is the day of
    `time` in the time zone of the book. `ids` are the entities that it concerns, by kind, the most
    specific first. `title` is personal, and empty unless it was requested.
    """

    number: int
    seq: int
    event: str
    source: str
    kind: str
    time: datetime
    day: date
    own_day: date
    ids: Mapping[str, str]
    postings: tuple[tuple[Account, int], ...]
    title: str = ""

    @property
    def description(self) -> str:
        """What happened, in words that hold no personal text unless the title was requested."""
        words = [self.kind.replace("_", " "), *list(self.ids.values())[:1], self.title]
        return " ".join(filter(None, words))


@frozen
class BookSpan:
    """The part of a book that is exported, in its currency (with the digits that the book keeps).

    `months` are those with transactions. `opening` has the balances of the accounts before
    `first_day`, and `balances` those at the end of each of the months, in minor units.
    """

    currency: str
    months: tuple[str, ...]
    transactions: int
    first_day: date
    opening: Mapping[Account, int]
    balances: Mapping[str, Mapping[Account, int]]


def posting_day(own_day: date, period: str) -> date:
    """Return a day in the month `period`: the transaction's own day, or the nearest to it."""
    last = last_day(period)
    return min(max(own_day, last.replace(day=1)), last)
