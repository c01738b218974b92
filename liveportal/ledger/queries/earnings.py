"""Earnings by month, the money at risk, and the Transaction Record."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.calculations.billing import SECOND_US
from liveportal.domain.calculations.months import (
    Balance,
    Month,
    MonthRow,
    add,
    gaps_in,
    monthly_series,
)
from liveportal.domain.calculations.refund_window import closes
from liveportal.domain.clock import LAST as LAST_INSTANT
from liveportal.domain.clock import (
    from_text,
    month_ends,
    month_numbered,
    months_between,
    number_of,
    shifted,
    utc_text,
)
from liveportal.domain.frozen import replace
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy, SessionMonth
from liveportal.domain.row import Row, row
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.reader import BOOKED_MONTHS, Reader

FIRST, LAST = "0001-01", "9999-12"
"""The first and the last month of the calendar."""

WAYS = ("customer", "skill", "kind", "weekday")
"""The ways to group earnings (`breakdown.rows`)."""


@row
class SessionSummaryRow(Row):
    """A month of the Session Summary."""

    month: str
    timezone: str
    sessions: int
    free_sessions: int
    minutes: str
    refund_claims: int
    disputes: int
    refunds: int
    refunded: Money
    currency: str


@row
class Risk(Row):
    """How much of a balance is final, claimable or held; see `risk`."""

    final: Money
    claimable: Money
    held: Money
    as_of: datetime


@row
class SummaryRow(MonthRow):
    """The months of a span as one row, with the money at risk at its end."""

    risk: Risk


@row
class TransactionRow(Row):
    """A line of the Transaction Record; `balance` is what is owed after it.

    `fee` is the platform's, `transfer_fee` what was charged on a payout.
    """

    transaction: int
    time: datetime
    period: str
    kind: str
    session: str | None
    claim: str | None
    payout: str | None
    gross: Money
    fee: Money
    amount: Money
    owed: Money
    currency: str
    memo: str | None
    balance: Money
    transfer_fee: Money


# The same figures as the view month_count: the first three parts are its own, the last one is
# rewritten so that it uses the index of transactions.
_COUNTS = f"""
    {BOOKED_MONTHS}
    SELECT period, sum(sessions) AS sessions, sum(free_sessions) AS free_sessions,
           sum(billed_s) AS billed_s, sum(billed_rest_us) AS billed_rest_us,
           sum(claims) AS refund_claims, sum(disputes) AS disputes, sum(refunds) AS refunds
    FROM (
        SELECT period, sum(sessions) AS sessions, sum(free_sessions) AS free_sessions,
               sum(billed_us / 1000000) AS billed_s, sum(billed_us % 1000000) AS billed_rest_us,
               0 AS claims, 0 AS disputes, 0 AS refunds
        FROM session_count WHERE period BETWEEN ?1 AND ?2 GROUP BY period
        UNION ALL
        SELECT period, 0, 0, 0, 0, count(*), 0, 0 FROM claim
        WHERE period BETWEEN ?1 AND ?2 GROUP BY period
        UNION ALL
        SELECT period, 0, 0, 0, 0, 0, count(*), 0 FROM dispute
        WHERE period BETWEEN ?1 AND ?2 GROUP BY period
        UNION ALL
        SELECT booked.period, 0, 0, 0, 0, 0, 0, count(*)
        FROM booked CROSS JOIN "transaction" AS entry
            ON entry.period = booked.period AND entry.kind = 'refund'
        WHERE booked.period BETWEEN ?1 AND ?2 GROUP BY booked.period
    )
    GROUP BY period
"""  # noqa: S608 (our own words, here and below)
_MONEY = "SELECT * FROM month_money WHERE period BETWEEN ? AND ?"
_MOVED = """
    SELECT min(period) AS first, max(period) AS last FROM month_money
    WHERE (gross, fee, refunded, deducted, tips, adjustments, owed, held, in_transit, paid_out,
        transfer_fees) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
"""
_OWED_BEFORE = "SELECT coalesce(sum(owed), 0) AS owed FROM month_money WHERE period < ?"
_BALANCE = """
    SELECT coalesce(sum(owed), 0) AS owed, coalesce(sum(held), 0) AS held,
           coalesce(sum(in_transit), 0) AS in_transit, coalesce(sum(paid_out), 0) AS paid_out
    FROM month_money WHERE period <= ?
"""


def month(reader: Reader, name: str) -> MonthRow:
    """Return the figures of a month (`YYYY-MM`), with the balance at its end."""
    return span(reader, name, name, name)


def span(reader: Reader, first: str, last: str, name: str) -> MonthRow:
    """Return the months from `first` to `last` as one row called `name`, with the final balance."""
    figures = figures_of(reader, first, last)
    total = functools.reduce(add, figures.values(), Month(month=name))
    return replace(total.row(reader.timezone, reader.currency), balance=_balance(reader, last))


# What each session adds to the owed balance, without its tips and payouts. A fully refunded session
# is left out: the cost of its refund is final. A session that ends after the month (?3) is included
# if it is in the month's balance, which is possible after a correction.
_AT_RISK = f"""
    {BOOKED_MONTHS}
    , counted (seq, n, session, "end") AS (
        SELECT seq, n, session, "end" FROM main.session_count INDEXED BY session_count_by_end
        WHERE sessions > 0 AND "end" BETWEEN ?2 AND ?3 AND period <= ?1 AND seq <= ?4
        UNION ALL
        SELECT seq, n, session, "end" FROM session_count
        WHERE sessions > 0 AND +"end" > ?3 AND +period <= ?1 AND session IN (
            SELECT entry.session FROM booked CROSS JOIN "transaction" AS entry
            ON entry.period = booked.period AND entry.kind IN ('correction', 'reversal')
        )
    ),
    -- As the session was billed by then: later corrections do not change this month.
    ending (id, policy, "end") AS (
        SELECT session.id, session.policy, counted."end"
        FROM counted JOIN session ON session.id = counted.session
        WHERE NOT EXISTS (
            SELECT 1 FROM session_count AS later
            WHERE later.session = counted.session AND +later.period <= ?1
                AND (later.seq, later.n) > (counted.seq, counted.n)
        )
    )
    SELECT session.policy, session."end",
           sum(amount * ((debit = 'assets:platform') - (credit = 'assets:platform'))) AS owed
    FROM ending AS session
    JOIN "transaction" AS entry ON entry.session = session.id AND entry.period <= ?1
    JOIN transfer
        ON transfer."transaction" = entry.id AND 'income:tips' NOT IN (debit, credit)
    GROUP BY session.id
    HAVING owed > 0 AND sum(amount * ((credit IN ('income:sessions', 'income:refunds'))
        - (debit IN ('income:sessions', 'income:refunds')))) > 0
"""  # noqa: S608


def risk(reader: Reader, last: str, now: datetime) -> Risk:
    """Return how much of the balance at a month's end is final, claimable or held.

    `claimable` is the earnings of sessions whose refund window is still open (R8); `held` is the
    amount held for claims; `final` is the rest of the owed balance and may be negative. The three
    add up to owed + held. They are as of the month's end, or of `now` if that is earlier.
    """
    as_of = min(now, month_ends(last, reader.timezone))
    balance = _balance(reader, last)
    policies = [reader.policy_at(row["seq"]) for row in reader.all("SELECT seq FROM policy")]
    widest = max((policy.refund.window_hours for policy in policies), default=0)
    earliest = shifted(as_of, -timedelta(hours=widest))
    latest = month_ends(last, reader.timezone) if _months_end_sessions(policies) else LAST_INSTANT
    claimable_minor: int = sum(
        row["owed"]
        for row in reader.all(_AT_RISK, last, utc_text(earliest), utc_text(latest), reader.last_seq)
        if as_of <= closes(from_text(row["end"]), reader.policy_at(row["policy"]))
    )
    return Risk(
        final=reader.money(balance.owed.minor - claimable_minor),
        claimable=reader.money(claimable_minor),
        held=balance.held,
        as_of=as_of,
    )


def _months_end_sessions(policies: Sequence[Policy]) -> bool:
    """Return True if no session, as first booked, can end after the month to which it belongs."""
    zones = {policy.period.timezone for policy in policies}
    return len(zones) <= 1 and all(
        policy.period.session_month is SessionMonth.END for policy in policies
    )


def summary(reader: Reader, name: str, first: str, last: str, now: datetime) -> SummaryRow:
    """Return the months from `first` to `last` as one row called `name`, with the money at risk."""
    return SummaryRow(**span(reader, first, last, name), risk=risk(reader, last, now))


def months(reader: Reader, first: str = FIRST, last: str = LAST) -> list[MonthRow]:
    """Return the months of the book from `first` to `last`; see `months_and_gaps`."""
    return months_and_gaps(reader, first, last)[0]


def months_and_gaps(
    reader: Reader, first: str = FIRST, last: str = LAST
) -> tuple[list[MonthRow], list[tuple[str, str]]]:
    """Return the months of the book from `first` to `last`, and the omitted runs of empty months.

    The book extends from its first to its last month with figures. Gaps of up to 120 months are
    filled with empty months; longer gaps are omitted (rulebook 9).
    """
    book_months = monthly_series(figures_of(reader))
    gaps = [
        (max(since, first), min(until, last))
        for since, until in gaps_in([figures.month for figures in book_months])
        if since <= last and first <= until
    ]
    selected = (figures for figures in book_months if first <= figures.month <= last)
    return [figures.row(reader.timezone, reader.currency) for figures in selected], gaps


def owed_at(reader: Reader, last: str) -> int:
    """Return the owed balance at a month's end, in minor units."""
    (balance,) = reader.all(_BALANCE, last)
    owed: int = balance["owed"]
    return owed


def _balance(reader: Reader, last: str) -> Balance:
    (balance,) = reader.all(_BALANCE, last)
    return Balance(**{account: reader.money(minor) for account, minor in balance.items()})


def figures_of(reader: Reader, first: str = FIRST, last: str = LAST) -> dict[str, Month]:
    """Return the months with figures, by name. Their balances are the changes within the month."""
    figures: dict[str, dict[str, Any]] = {}
    for counts in reader.all(_COUNTS, first, last):
        period = counts.pop("period")
        counts["billed_us"] = counts.pop("billed_s") * SECOND_US + counts.pop("billed_rest_us")
        figures.setdefault(period, {}).update(counts)
    for sums in reader.all(_MONEY, first, last):
        figures.setdefault(sums.pop("period"), {}).update(_minor(sums))
    # A month whose transactions cancel each other out is not listed.
    return {name: Month(month=name, **row) for name, row in figures.items() if any(row.values())}


def latest(reader: Reader, last: str, count: int = 12) -> list[Month]:
    """Return the money figures of up to `count` consecutive months that end with `last`.

    They start no earlier than the book's first month and end no later than its last. Only these
    months are read, so the query is equally fast in a long book.
    """
    extent = reader.one(_MOVED) or {}
    if not extent.get("first") or last < extent["first"]:
        return []
    until = min(last, extent["last"])
    names = months_between(max(extent["first"], months_before(until, count - 1)), until)
    rows = {row.pop("period"): _minor(row) for row in reader.all(_MONEY, names[0], names[-1])}
    return [Month(month=name, **rows.get(name, {})) for name in names]


def months_before(month: str, count: int) -> str:
    """Return the month `count` months earlier, but none before the year 1."""
    return month_numbered(max(number_of(month) - count, number_of(FIRST)))


def _minor(row: dict[str, int]) -> dict[str, int]:
    return {f"{account}_minor": amount for account, amount in row.items()}


_TRANSACTIONS = """
    SELECT record.*, opened.body AS opened_body, adjusted.body AS adjusted_body, payout.reference
    FROM transaction_record AS record
    LEFT JOIN session ON session.id = record.session
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
    LEFT JOIN adjustment ON adjustment.id = record.adjustment
    LEFT JOIN event_personal AS adjusted ON adjusted.seq = adjustment.seq
    LEFT JOIN payout ON payout.id = record.payout
    WHERE record.id IN ({places}) ORDER BY record.id
"""


def transactions(reader: Reader, first: str = FIRST, last: str = LAST) -> list[TransactionRow]:
    """Return the Transaction Record of the months from `first` to `last`, oldest first.

    `balance` is the owed balance after each transaction in this order; it starts from the balance
    of all earlier months.
    """
    fetch, ids = running_transactions(reader, first), transaction_ids(reader, first, last)
    parts = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
    return [row for part in parts for row in fetch(reader, part)]


_AT_ONCE = 1_000  # A statement has at most 32,766 parameters.


def transaction_ids(reader: Reader, first: str, last: str) -> list[int]:
    """Return the numbers of the transactions of the months from `first` to `last`, in order."""
    rows = reader.db.execute(
        'SELECT id FROM "transaction" WHERE period BETWEEN ? AND ? ORDER BY id', (first, last)
    )
    return [number for (number,) in rows]


def running_transactions(
    reader: Reader, first: str
) -> Callable[[Reader, Sequence[int]], list[TransactionRow]]:
    """Return a function that gives transactions in order, a part of them at each call.

    The balance runs on from one call to the next, and starts from that before the month `first`.
    """
    (before,) = reader.all(_OWED_BEFORE, first)
    balance = before["owed"]

    def fetch(reader: Reader, ids: Sequence[int]) -> list[TransactionRow]:
        nonlocal balance
        # One by one: for a query of ids, SQLite would sum up the whole record.
        rows = reader.all(_TRANSACTIONS.format(places=", ".join("?" * len(ids))), *ids)
        found = list(_format_transactions(reader, rows, balance))
        balance += sum(row["owed"] for row in rows)
        return found

    return fetch


def _format_transactions(
    reader: Reader, rows: Iterable[dict[str, Any]], balance: int
) -> Iterable[TransactionRow]:
    for entry in rows:
        balance += entry["owed"]
        title = personal(entry["opened_body"]).get("title")
        reason = personal(entry["adjusted_body"]).get("reason")
        yield TransactionRow(
            transaction=entry["id"],
            time=from_text(entry["time"]),
            period=entry["period"],
            kind=entry["kind"],
            session=entry["session"],
            claim=entry["claim"],
            payout=entry["payout"],
            gross=reader.money(entry["gross"]),
            fee=reader.money(entry["fee"]),
            amount=reader.money(entry["net"]),
            owed=reader.money(entry["owed"]),
            currency=reader.currency,
            memo=reason or entry["reference"] or title,
            balance=reader.money(balance),
            transfer_fee=reader.money(entry["transfer_fee"]),
        )
