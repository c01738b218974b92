"""Payouts: what would be paid, what was, and which earnings each of them pays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from liveportal.domain.calculations.forecast import forecast, letter, overdue
from liveportal.domain.calculations.payout_plan import (
    PayoutPosition,
    due_date,
    open_by_month,
    preview,
)
from liveportal.ledger.format.open_items import open_items
from liveportal.ledger.queries import profile
from liveportal.ledger.queries.history import history, with_flags_of
from liveportal.ledger.queries.reader import Reader, Row, instant

FIELDS = ("id", "state", "amount", "currency", "method", "sent_at", "reference", "flags")
SHOW_FIELDS = (*FIELDS, "lines", "history")
RESULT_FIELDS = ("amount", "currency", "method", "reference")
PREVIEW_FIELDS = (
    *("as_of", "eligible", "currency", "minimum", "due_on", "carried", "blocked", "lines"),
    *("owed", "held", "overdue", "months"),
)
FORECAST_FIELDS = ("on", "months", "amount", "total", "carried", "currency", "blocked")
OVERDUE_FIELDS = ("as_of", "amount", "currency", "months", "letter")

_LINES = """
    SELECT payout_line.item AS "transaction", entry.kind, entry.session, entry.adjustment,
           entry.period, payout_line.amount_minor
    FROM payout_line JOIN "transaction" AS entry ON entry.id = payout_line.item
    WHERE payout_line.payout = ? ORDER BY entry.time, entry.id
"""


def standing(reader: Reader) -> PayoutPosition:
    """Return what payouts are worked out from."""
    first = reader.one('SELECT min("end") AS ended FROM session WHERE gross_minor > 0')
    return PayoutPosition(
        owed_minor=_balance(reader)["owed"],
        items=open_items(reader.db),
        first_billed_end=instant(first["ended"]) if first else None,
        missing_on=profile.missing_on(reader),
        policy=reader.policy,
    )


def preview_on(reader: Reader, on: date) -> Row:
    """Return what a payout on a day would be, and what blocks it (rulebook 8)."""
    book, balance = standing(reader), _balance(reader)
    late = overdue(book, on)
    outlook = preview(book, on)
    kinds = _kinds(reader, [line.item for line in outlook.lines])
    return {
        "as_of": outlook.as_of,
        "eligible": reader.money(outlook.eligible_minor),
        "currency": reader.currency,
        "minimum": reader.policy.payout_minimum,
        "due_on": outlook.due_on,
        "carried": reader.money(outlook.carried_minor),
        "blocked": [{"code": each.code, "message": each.message} for each in outlook.blocked],
        "lines": [
            kinds[line.item] | {"amount": reader.money(line.minor)} for line in outlook.lines
        ],
        "owed": reader.money(balance["owed"]),
        "held": reader.money(balance["held"]),
        "overdue": reader.money(late.minor if late else 0),
        "months": [
            {
                "month": month,
                "due_on": due_date(month, reader.policy),
                "amount": reader.money(minor),
            }
            for month, minor in open_by_month(book.items)
        ],
    }


def forecast_on(reader: Reader, on: date) -> list[Row]:
    """Return the payouts to come, each with what it brings and what came by then."""
    total_minor, rows = 0, []
    for each in forecast(standing(reader), on):
        total_minor += each.minor
        rows.append(
            {
                "on": each.on,
                "months": list(each.months),
                "amount": reader.money(each.minor),
                "total": reader.money(total_minor),
                "carried": reader.money(each.carried_minor),
                "currency": reader.currency,
                "blocked": [block.code for block in each.blocked],
            }
        )
    return rows


def overdue_on(reader: Reader, on: date) -> Row | None:
    """Return what should have been sent before a day, with a text to ask for it; None: nothing."""
    found = overdue(standing(reader), on)
    if found is None:
        return None
    policy = reader.policy.payout
    return {
        "as_of": on,
        "amount": reader.money(found.minor),
        "currency": reader.currency,
        "months": [
            {"month": month, "due_on": due, "amount": reader.money(minor)}
            for month, due, minor in found.months
        ],
        "letter": letter(found, on, reader.currency, policy.due_days_after_month_end),
    }


def _balance(reader: Reader) -> dict[str, Any]:
    (balance,) = reader.all(
        "SELECT coalesce(sum(owed), 0) AS owed, coalesce(sum(held), 0) AS held FROM month_money"
    )
    return balance


def payouts(reader: Reader, states: Sequence[str] = ()) -> list[Row]:
    """Return the payouts by when they were sent; of the given states, or all."""
    where = f" WHERE state IN ({', '.join('?' * len(states))})" if states else ""
    found = reader.all(f"SELECT * FROM payout{where} ORDER BY sent_at, id", *states)  # noqa: S608
    return [_row(reader, each) for each in found]


def payout(reader: Reader, payout_id: str) -> Row:
    """Return one payout with the lines that it pays, and its history."""
    (found,) = reader.all("SELECT * FROM payout WHERE id = ?", payout_id)
    lines = [
        {
            "transaction": row["transaction"],
            "kind": row["kind"],
            "session": row["session"],
            "adjustment": row["adjustment"],
            "period": row["period"],
            "amount": reader.money(row["amount_minor"]),
        }
        for row in reader.all(_LINES, payout_id)
    ]
    happened = history(reader, f"payout:{payout_id}")
    row = _row(reader, found)
    flags = with_flags_of(happened, json.loads(found["flags"]))
    return row | {"flags": flags, "lines": lines, "history": happened}


def result(reader: Reader, payout_id: str) -> Row:
    """Return what a payout's own steps show once they are done."""
    (found,) = reader.all("SELECT * FROM payout WHERE id = ?", payout_id)
    row = _row(reader, found)
    return {name: row[name] for name in RESULT_FIELDS}


def _row(reader: Reader, found: dict[str, Any]) -> Row:
    return {
        "id": found["id"],
        "state": found["state"],
        "amount": reader.money(found["amount_minor"]),
        "currency": reader.currency,
        "method": found["method"],
        "sent_at": instant(found["sent_at"]),
        "reference": found["reference"],
        "flags": json.loads(found["flags"]),
    }


def _kinds(reader: Reader, transactions: Sequence[int]) -> dict[int, dict[str, Any]]:
    found = reader.all(
        'SELECT id, kind, session, adjustment, period FROM "transaction"'
        " WHERE id IN (SELECT value FROM json_each(?))",
        json.dumps(transactions),
    )
    return {
        row["id"]: {
            "transaction": row["id"],
            "kind": row["kind"],
            "session": row["session"],
            "adjustment": row["adjustment"],
            "period": row["period"],
        }
        for row in found
    }
