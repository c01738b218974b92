"""Earnings by month, and the Transaction Record."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.calculations.billing import SECOND_US
from liveportal.domain.calculations.months import Month, add, fill_gaps, gaps_in
from liveportal.domain.calculations.refund_window import closes
from liveportal.domain.clock import LAST as LAST_INSTANT
from liveportal.domain.clock import from_text, month_ends, months_between, shifted, utc_text
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy, SessionMonth
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.reader import BOOKED_MONTHS, Reader, Row, instant

MONTH_FIELDS = (
    *("month", "timezone", "currency", "sessions", "free_sessions", "minutes", "gross"),
    *("platform_fee", "earned", "refund_claims", "disputes", "refunds", "refunded", "deducted"),
    *("tips", "adjustments", "net", "balance.owed", "balance.held", "balance.in_transit"),
    "balance.paid_out",
)
FIRST, LAST = "0001-01", "9999-12"
"""The first and the last month of the calendar."""
SESSION_SUMMARY_FIELDS = (
    *("month", "timezone", "sessions", "free_sessions", "minutes", "refund_claims", "disputes"),
    *("refunds", "refunded", "currency"),
)
SUMMARY_FIELDS = (*(*MONTH_FIELDS, "risk.final", "risk.claimable", "risk.held", "risk.as_of"),)
TRANSACTION_FIELDS = (
    *("transaction", "time", "period", "kind", "session", "claim", "payout"),
    *("gross", "fee", "amount", "owed", "currency", "memo", "balance"),
)

# What the view month_count says: its first three parts, and its last as the index of transactions
# gives it quickest.
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
    WHERE (gross, fee, refunded, deducted, tips, adjustments, owed, held, in_transit, paid_out)
        <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
"""
_OWED_BEFORE = "SELECT coalesce(sum(owed), 0) AS owed FROM month_money WHERE period < ?"
_BALANCE = """
    SELECT coalesce(sum(owed), 0) AS owed, coalesce(sum(held), 0) AS held,
           coalesce(sum(in_transit), 0) AS in_transit, coalesce(sum(paid_out), 0) AS paid_out
    FROM month_money WHERE period <= ?
"""


def month(reader: Reader, name: str) -> Row:
    """Return one month, `YYYY-MM`, with the balance at its end."""
    figures = figures_of(reader, name, name).get(name, Month(month=name))
    row = figures.row(reader.timezone, reader.currency)
    row["balance"] = _balance(reader, name)
    return row


def span(reader: Reader, first: str, last: str, name: str) -> Row:
    """Return the months from first to last as one row of that name, with the balance at its end."""
    found = figures_of(reader, first, last)
    whole = functools.reduce(add, found.values(), Month(month=name))
    row = whole.row(reader.timezone, reader.currency)
    row["balance"] = _balance(reader, last)
    return row


# What a session's own money adds to what is owed: not its tips, nor what is paid out of it. Where
# nothing is left of it, what its refund cost is final. A session that ends after the month (?3)
# counts, too, if it is in the month's balance: one that was corrected may be.
_AT_RISK = f"""
    {BOOKED_MONTHS}
    , counted (seq, n, session, "end") AS (
        SELECT seq, n, session, "end" FROM session_count INDEXED BY session_count_by_end
        WHERE sessions > 0 AND "end" BETWEEN ?2 AND ?3 AND period <= ?1
        UNION ALL
        SELECT seq, n, session, "end" FROM session_count
        WHERE sessions > 0 AND +"end" > ?3 AND +period <= ?1 AND session IN (
            SELECT entry.session FROM booked CROSS JOIN "transaction" AS entry
            ON entry.period = booked.period AND entry.kind IN ('correction', 'reversal')
        )
    ),
    -- As the session was billed by then: what was corrected later changes nothing of this month.
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


def risk(reader: Reader, last: str, now: datetime) -> Row:
    """Return how certain the balance at a month's end is: final, claimable or held.

    `claimable` is what sessions earned whose refund window is open (R8); `held` is what claims
    hold; `final` is the rest of what is owed, signed. The three add up to owed + held. They are as
    of the month's end, or of `now` if that is earlier.
    """
    as_of = min(now, month_ends(last, reader.timezone))
    balance = _balance(reader, last)
    policies = [reader.policy_at(row["seq"]) for row in reader.all("SELECT seq FROM policy")]
    widest = max((each.refund.window_hours for each in policies), default=0)
    earliest = shifted(as_of, -timedelta(hours=widest))
    latest = month_ends(last, reader.timezone) if _months_end_sessions(policies) else LAST_INSTANT
    claimable_minor = sum(
        row["owed"]
        for row in reader.all(_AT_RISK, last, utc_text(earliest), utc_text(latest))
        if as_of <= closes(from_text(row["end"]), reader.policy_at(row["policy"]))
    )
    claimable = Money(claimable_minor, reader.currency)
    owed = balance["owed"]
    assert isinstance(owed, Money)  # noqa: S101 (a row's values are objects to the type checker)
    return {
        "final": Money(owed.minor - claimable_minor, reader.currency),
        "claimable": claimable,
        "held": balance["held"],
        "as_of": as_of,
    }


def _months_end_sessions(policies: Sequence[Policy]) -> bool:
    """Tell whether no session, as it was first booked, ends after the month that it is in."""
    zones = {each.period.timezone for each in policies}
    return len(zones) <= 1 and all(
        each.period.session_month is SessionMonth.END for each in policies
    )


def summary(reader: Reader, name: str, first: str, last: str, now: datetime) -> Row:
    """Return the months from first to last as one row of that name, with the money at risk."""
    row = month(reader, name) if name == first else span(reader, first, last, name)
    return row | {"risk": risk(reader, last, now)}


def months(reader: Reader, first: str = FIRST, last: str = LAST) -> list[Row]:
    """Return every month of the book from first to last; see `months_and_gaps`."""
    return months_and_gaps(reader, first, last)[0]


def months_and_gaps(
    reader: Reader, first: str = FIRST, last: str = LAST
) -> tuple[list[Row], list[tuple[str, str]]]:
    """Return every month of the book from first to last, and the runs of months left out of it.

    The book reaches from the first to the last month in which something happened, without gaps of
    up to 120 months; a longer run of empty months is left out (rulebook 9).
    """
    found = fill_gaps(figures_of(reader))
    gaps = [
        (max(since, first), min(until, last))
        for since, until in gaps_in([each.month for each in found])
        if since <= last and first <= until
    ]
    asked = (each for each in found if first <= each.month <= last)
    return [each.row(reader.timezone, reader.currency) for each in asked], gaps


def owed_at(reader: Reader, last: str) -> int:
    """Return what is owed at a month's end, in minor units."""
    (balance,) = reader.all(_BALANCE, last)
    owed: int = balance["owed"]
    return owed


def _balance(reader: Reader, last: str) -> Row:
    found = reader.one(_BALANCE, last) or {}
    return {account: reader.money(minor) for account, minor in found.items()}


def figures_of(reader: Reader, first: str = FIRST, last: str = LAST) -> dict[str, Month]:
    """Return the months in which something happened; their balances are what moved in them."""
    figures: dict[str, dict[str, Any]] = {}
    for row in reader.all(_COUNTS, first, last):
        period = row.pop("period")
        row["billed_us"] = row.pop("billed_s") * SECOND_US + row.pop("billed_rest_us")
        figures.setdefault(period, {}).update(row)
    for row in reader.all(_MONEY, first, last):
        figures.setdefault(row.pop("period"), {}).update(_minor(row))
    # Transactions that cancel each other open no month.
    return {name: Month(month=name, **row) for name, row in figures.items() if any(row.values())}


def latest(reader: Reader, last: str, count: int = 12) -> list[Month]:
    """Return the money of so many months up to the last one, without gaps.

    They begin with the book's first month at the earliest, and end with its last one at the latest.
    Only flows are read, so that it is as quick in a long book.
    """
    ends = reader.one(_MOVED) or {}
    if not ends.get("first") or last < ends["first"]:
        return []
    until = min(last, ends["last"])
    names = months_between(max(ends["first"], _months_before(until, count - 1)), until)
    found = {row.pop("period"): _minor(row) for row in reader.all(_MONEY, names[0], names[-1])}
    return [Month(month=name, **found.get(name, {})) for name in names]


def _months_before(month: str, count: int) -> str:
    """Return the month so many months earlier, or the first of the calendar."""
    number = max(int(month[:4]) * 12 + int(month[5:]) - 1 - count, 12)
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _minor(row: dict[str, int]) -> dict[str, int]:
    return {f"{account}_minor": amount for account, amount in row.items()}


def transactions(reader: Reader, first: str = FIRST, last: str = LAST) -> list[Row]:
    """Return the Transaction Record, oldest first, of the months from first to last.

    `balance` is what is owed after each, in this order: the first comes on top of all that moved in
    the months before.
    """
    # A few months are named one by one: of a span, SQLite would read the record from end to end.
    few = int(last[:4]) - int(first[:4]) <= 1
    asked = months_between(first, last) if few else [first, last]
    where = f"IN ({', '.join('?' * len(asked))})" if few else "BETWEEN ? AND ?"
    found = reader.all(
        f"""
        SELECT record.*, opened.body AS opened_body, adjusted.body AS adjusted_body,
               payout.reference
        FROM transaction_record AS record
        LEFT JOIN session ON session.id = record.session
        LEFT JOIN request ON request.id = session.request
        LEFT JOIN event_personal AS opened
            ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
        LEFT JOIN adjustment ON adjustment.id = record.adjustment
        LEFT JOIN event_personal AS adjusted ON adjusted.seq = adjustment.seq
        LEFT JOIN payout ON payout.id = record.payout
        WHERE record.period {where}
        ORDER BY record.id
        """,  # noqa: S608 (only placeholders are put in)
        *asked,
    )
    (before,) = reader.all(_OWED_BEFORE, first)
    return list(_records(reader, found, before["owed"]))


def _records(reader: Reader, found: Iterable[dict[str, Any]], balance: int) -> Iterable[Row]:
    for row in found:
        balance += row["owed"]
        title = personal(row["opened_body"]).get("title")
        reason = personal(row["adjusted_body"]).get("reason")
        yield {
            "transaction": row["id"],
            "time": instant(row["time"]),
            "period": row["period"],
            "kind": row["kind"],
            "session": row["session"],
            "claim": row["claim"],
            "payout": row["payout"],
            "gross": reader.money(row["gross"]),
            "fee": reader.money(row["fee"]),
            "amount": reader.money(row["net"]),
            "owed": reader.money(row["owed"]),
            "currency": reader.currency,
            "memo": reason or row["reference"] or title,
            "balance": reader.money(balance),
        }
