"""A book as a plain-text ledger, for hledger, Ledger and Beancount.

Every format has the same entries, with the same accounts but for their spelling. Text from outside
is not in them unless titles are requested, and is harmless where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Protocol

from liveportal.domain.ledger_entries import BookSpan, LedgerEntry
from liveportal.exports.plain_text.beancount import Beancount
from liveportal.exports.plain_text.hledger import Hledger, Ledger


class Dialect(Protocol):
    """How one program spells a plain-text ledger. Lines have no line ending."""

    def head(self, span: BookSpan) -> Iterator[str]:
        """Yield the declarations that come before any entry."""
        ...

    def opening(self, span: BookSpan) -> Iterator[str]:
        """Yield the entry that opens the asset accounts with their balances."""
        ...

    def entry(self, entry: LedgerEntry, currency: str) -> Iterator[str]:
        """Yield one transaction."""
        ...

    def month_end(self, span: BookSpan, first_day: date) -> Iterator[str]:
        """Yield what a program checks at the end of the month that begins with `first_day`."""
        ...


def lines(dialect: Dialect, span: BookSpan, entries: Iterable[LedgerEntry]) -> Iterator[str]:
    """Yield the lines of a plain-text ledger, in the order of dates."""
    yield from dialect.head(span)
    if span.opening:
        yield ""
        yield from dialect.opening(span)
    for first_day, of_month in groupby(entries, key=lambda entry: entry.day.replace(day=1)):
        for entry in of_month:
            yield ""
            yield from dialect.entry(entry, span.currency)
        yield from dialect.month_end(span, first_day)


def counted(
    entries: Iterable[LedgerEntry], advance: Callable[[int], None]
) -> Iterator[LedgerEntry]:
    """Yield entries, calling `advance` with 1 after each."""
    for entry in entries:
        yield entry
        advance(1)


DIALECTS: dict[str, Dialect] = {
    "hledger": Hledger(),
    "ledger": Ledger(),
    "beancount": Beancount(),
}
