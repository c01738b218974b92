"""The transactions of the book for other accounting programs, month by month."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from liveportal.domain.accounts import ASSETS, Account
from liveportal.domain.clock import from_text, last_day, local_date
from liveportal.domain.ledger_entries import BookSpan, LedgerEntry, posting_day
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader

IDS = ("payout", "claim", "adjustment", "session")
"""The entities of a transaction, the most specific first."""

_ENTRIES = """
    SELECT entry.*, event.id AS event, event.source
    FROM "transaction" AS entry JOIN event ON event.seq = entry.seq
    WHERE entry.period = ?
"""
_TRANSFERS = """
    SELECT transfer."transaction" AS number, debit, credit, amount
    FROM "transaction" AS entry JOIN transfer ON transfer."transaction" = entry.id
    WHERE entry.period = ? ORDER BY transfer."transaction", n
"""


_FLOWS = "SELECT period, debit, credit, amount FROM month_flow WHERE period <= ? ORDER BY period"
_MONTHS = """
    SELECT period, count(*) AS transactions FROM "transaction"
    WHERE period BETWEEN ? AND ? GROUP BY period ORDER BY period
"""
_NO_MONTH = "1970-01"
"""The month of the declarations of a book without transactions."""


def book_span(reader: Reader, first: str, last: str) -> BookSpan:
    """Return which part of the book the months from `first` to `last` are."""
    counts = reader.all(_MONTHS, first, last)
    running: Counter[Account] = Counter()
    at_end: dict[str, dict[Account, int]] = {}
    for flow in reader.all(_FLOWS, last):
        running[Account(flow["debit"])] += flow["amount"]
        running[Account(flow["credit"])] -= flow["amount"]
        at_end[flow["period"]] = {account: running[account] for account in ASSETS}
    before = next((at_end[month] for month in reversed(at_end) if month < first), {})
    opening = {account: minor for account, minor in before.items() if minor}
    months = tuple(row["period"] for row in counts)
    begins = first if opening else next(iter(months), _NO_MONTH)
    return BookSpan(
        currency=reader.currency,
        months=months,
        transactions=sum(row["transactions"] for row in counts),
        first_day=last_day(begins).replace(day=1),
        opening=opening,
        balances=at_end,
    )


def entries(
    reader: Reader, months: Iterable[str], *, with_titles: bool = False
) -> Iterator[LedgerEntry]:
    """Yield the transactions of some months, by date and then by event.

    A month is read at a time, so that memory stays bounded in a long book.
    """
    for month in months:
        titles = _titles(reader, month) if with_titles else {}
        yield from sorted(
            _entries_of(reader, month, titles),
            key=lambda entry: (entry.day, entry.seq, entry.number),
        )


def _entries_of(reader: Reader, month: str, titles: dict[int, str]) -> Iterator[LedgerEntry]:
    postings: dict[int, Counter[Account]] = defaultdict(Counter)
    for transfer in reader.all(_TRANSFERS, month):
        legs = postings[transfer["number"]]
        legs[Account(transfer["debit"])] += transfer["amount"]
        legs[Account(transfer["credit"])] -= transfer["amount"]
    for row in reader.all(_ENTRIES, month):
        time = from_text(row["time"])
        own_day = local_date(time, reader.timezone)
        yield LedgerEntry(
            number=row["id"],
            seq=row["seq"],
            event=row["event"],
            source=row["source"],
            kind=row["kind"],
            time=time,
            day=posting_day(own_day, month),
            own_day=own_day,
            ids={kind: row[kind] for kind in IDS if row[kind] is not None},
            postings=tuple((leg, minor) for leg, minor in postings[row["id"]].items() if minor),
            title=titles.get(row["id"], ""),
        )


def _titles(reader: Reader, month: str) -> dict[int, str]:
    rows = earnings.transactions(reader, month, month)
    return {row.transaction: row.memo for row in rows if row.memo}
