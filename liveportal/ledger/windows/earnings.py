"""Earnings by month, and the Transaction Record."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from liveportal.domain.billing import SECOND_US
from liveportal.domain.earnings import Month, added, in_a_row
from liveportal.ledger.reader import Reader, Row, instant, personal

MONTH_FIELDS = (
    *("month", "timezone", "currency", "sessions", "free_sessions", "minutes", "gross"),
    *("platform_fee", "earned", "refund_claims", "disputes", "refunds", "refunded", "deducted"),
    *("tips", "adjustments", "net", "balance.owed", "balance.held", "balance.in_transit"),
    "balance.paid_out",
)
TRANSACTION_FIELDS = (
    *("transaction", "time", "period", "kind", "session", "claim", "payout"),
    *("gross", "fee", "amount", "owed", "currency", "memo"),
)

_COUNTS = """
    SELECT period, sum(sessions) AS sessions, sum(free_sessions) AS free_sessions,
           sum(billed_s) AS billed_s, sum(billed_rest_us) AS billed_rest_us,
           sum(claims) AS refund_claims, sum(disputes) AS disputes, sum(refunds) AS refunds
    FROM month_count {where} GROUP BY period
"""
_BALANCE = """
    SELECT coalesce(sum(owed), 0) AS owed, coalesce(sum(held), 0) AS held,
           coalesce(sum(in_transit), 0) AS in_transit, coalesce(sum(paid_out), 0) AS paid_out
    FROM month_money WHERE period <= ?
"""


def month(reader: Reader, name: str) -> Row:
    """Return one month, `YYYY-MM`, with the balance at its end."""
    figures = _months(reader, name).get(name, Month(month=name))
    row = figures.row(reader.timezone, reader.currency)
    row["balance"] = _balance(reader, name)
    return row


def span(reader: Reader, first: str, last: str, name: str) -> Row:
    """Return the months from first to last as one row of that name, with the balance at its end."""
    found = [each for each in _months(reader, None).values() if first <= each.month <= last]
    whole = functools.reduce(added, found, Month(month=name))
    row = whole.row(reader.timezone, reader.currency)
    row["balance"] = _balance(reader, last)
    return row


def months(reader: Reader) -> list[Row]:
    """Return every month from the first to the last in which something happened, without gaps."""
    found = in_a_row(_months(reader, None))
    return [each.row(reader.timezone, reader.currency) for each in found]


def _balance(reader: Reader, last: str) -> Row:
    found = reader.one(_BALANCE, last) or {}
    return {account: reader.money(minor) for account, minor in found.items()}


def _months(reader: Reader, name: str | None) -> dict[str, Month]:
    where, values = ("WHERE period = ?", (name,)) if name else ("", ())
    figures: dict[str, dict[str, Any]] = {}
    for row in reader.all(_COUNTS.format(where=where), *values):
        period = row.pop("period")
        row["billed_us"] = row.pop("billed_s") * SECOND_US + row.pop("billed_rest_us")
        figures.setdefault(period, {}).update(row)
    for row in reader.all(f"SELECT * FROM month_money {where}", *values):  # noqa: S608
        period = row.pop("period")
        minor = {f"{account}_minor": amount for account, amount in row.items()}
        figures.setdefault(period, {}).update(minor)
    return {period: Month(month=period, **row) for period, row in figures.items()}


def transactions(reader: Reader, first: str | None = None, last: str | None = None) -> list[Row]:
    """Return the Transaction Record, oldest first, of the months from first to last."""
    found = reader.all(
        """
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
        WHERE record.period BETWEEN ? AND ?
        ORDER BY record.id
        """,
        first or "",
        last or "9999-12",
    )
    return list(_records(reader, found))


def _records(reader: Reader, found: Iterable[dict[str, Any]]) -> Iterable[Row]:
    for row in found:
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
        }
