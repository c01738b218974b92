"""Payouts: previews, forecasts and sent payouts, with the earnings that each of them pays."""

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


def payout_position(reader: Reader) -> PayoutPosition:
    """Return the data from which payouts are calculated."""
    first = reader.one('SELECT min("end") AS ended FROM session WHERE gross_minor > 0')
    return PayoutPosition(
        owed_minor=_balance(reader)["owed"],
        items=open_items(reader.db),
        first_billed_end=instant(first["ended"]) if first else None,
        missing_on=profile.missing_on(reader),
        policy=reader.policy,
    )


def preview_on(reader: Reader, on: date) -> Row:
    """Return the payout that would be made on a day, and what blocks it (rulebook 8)."""
    position, balance = payout_position(reader), _balance(reader)
    late = overdue(position, on)
    plan = preview(position, on)
    kinds = _kinds(reader, [line.item for line in plan.lines])
    return {
        "as_of": plan.as_of,
        "eligible": reader.money(plan.eligible_minor),
        "currency": reader.currency,
        "minimum": reader.policy.payout_minimum,
        "due_on": plan.due_on,
        "carried": reader.money(plan.carried_minor),
        "blocked": [{"code": block.code, "message": block.message} for block in plan.blocked],
        "lines": [kinds[line.item] | {"amount": reader.money(line.minor)} for line in plan.lines],
        "owed": reader.money(balance["owed"]),
        "held": reader.money(balance["held"]),
        "overdue": reader.money(late.minor if late else 0),
        "months": [
            {
                "month": month,
                "due_on": due_date(month, reader.policy),
                "amount": reader.money(minor),
            }
            for month, minor in open_by_month(position.items)
        ],
    }


def forecast_on(reader: Reader, on: date) -> list[Row]:
    """Return the expected payouts, each with its amount and the running total."""
    total_minor, rows = 0, []
    for expected in forecast(payout_position(reader), on):
        total_minor += expected.minor
        rows.append(
            {
                "on": expected.on,
                "months": list(expected.months),
                "amount": reader.money(expected.minor),
                "total": reader.money(total_minor),
                "carried": reader.money(expected.carried_minor),
                "currency": reader.currency,
                "blocked": [block.code for block in expected.blocked],
            }
        )
    return rows


def overdue_on(reader: Reader, on: date) -> Row | None:
    """Return the payout that is overdue on a day, with a letter to request it; None if none is."""
    late = overdue(payout_position(reader), on)
    if late is None:
        return None
    policy = reader.policy.payout
    return {
        "as_of": on,
        "amount": reader.money(late.minor),
        "currency": reader.currency,
        "months": [
            {"month": month, "due_on": due, "amount": reader.money(minor)}
            for month, due, minor in late.months
        ],
        "letter": letter(late, on, reader.currency, policy.due_days_after_month_end),
    }


def _balance(reader: Reader) -> dict[str, Any]:
    (balance,) = reader.all(
        "SELECT coalesce(sum(owed), 0) AS owed, coalesce(sum(held), 0) AS held FROM month_money"
    )
    return balance


def payouts(reader: Reader, states: Sequence[str] = ()) -> list[Row]:
    """Return the payouts of the given states, or all, ordered by when they were sent."""
    where = f" WHERE state IN ({', '.join('?' * len(states))})" if states else ""
    rows = reader.all(f"SELECT * FROM payout{where} ORDER BY sent_at, id", *states)  # noqa: S608
    return [_row(reader, row) for row in rows]


def payout(reader: Reader, payout_id: str) -> Row:
    """Return one payout with its lines and its history."""
    (payout_row,) = reader.all("SELECT * FROM payout WHERE id = ?", payout_id)
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
    events = history(reader, f"payout:{payout_id}")
    flags = with_flags_of(events, json.loads(payout_row["flags"]))
    return _row(reader, payout_row) | {"flags": flags, "lines": lines, "history": events}


def result_fields(reader: Reader, payout_id: str) -> Row:
    """Return the fields that commands show after they changed a payout."""
    (row,) = reader.all("SELECT * FROM payout WHERE id = ?", payout_id)
    formatted = _row(reader, row)
    return {name: formatted[name] for name in RESULT_FIELDS}


def _row(reader: Reader, row: dict[str, Any]) -> Row:
    return {
        "id": row["id"],
        "state": row["state"],
        "amount": reader.money(row["amount_minor"]),
        "currency": reader.currency,
        "method": row["method"],
        "sent_at": instant(row["sent_at"]),
        "reference": row["reference"],
        "flags": json.loads(row["flags"]),
    }


def _kinds(reader: Reader, transactions: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = reader.all(
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
        for row in rows
    }
