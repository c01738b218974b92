"""Payouts: what would be paid, what was, and which earnings each of them pays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from liveportal.domain.payouts import Standing, preview
from liveportal.domain.things import Profile
from liveportal.ledger.items import open_items
from liveportal.ledger.reader import Reader, Row, instant
from liveportal.ledger.windows.history import history

FIELDS = ("id", "state", "amount", "currency", "method", "sent_at", "reference", "flags")
SHOW_FIELDS = (*FIELDS, "lines", "history")
RESULT_FIELDS = ("amount", "currency", "method", "reference")
PREVIEW_FIELDS = (
    *("as_of", "eligible", "currency", "minimum", "due_on", "carried", "blocked", "lines"),
    *("owed", "held"),
)

_LINES = """
    SELECT payout_line.item AS "transaction", entry.kind, entry.session, entry.adjustment,
           entry.period, payout_line.amount_minor
    FROM payout_line JOIN "transaction" AS entry ON entry.id = payout_line.item
    WHERE payout_line.payout = ? ORDER BY entry.time, entry.id
"""


def preview_on(reader: Reader, on: date) -> Row:
    """Return what a payout on a day would be, and what blocks it (rulebook 8)."""
    names = reader.all("SELECT name FROM profile_field")
    profile = Profile(frozenset(row["name"] for row in names))
    first = reader.one('SELECT min("end") AS ended FROM session WHERE gross_minor > 0')
    (balance,) = reader.all(
        "SELECT coalesce(sum(owed), 0) AS owed, coalesce(sum(held), 0) AS held FROM month_money"
    )
    standing = Standing(
        owed_minor=balance["owed"],
        items=open_items(reader.db),
        first_billed_end=instant(first["ended"]) if first else None,
        missing_fields=profile.missing,
        policy=reader.policy,
    )
    outlook = preview(standing, on)
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
    }


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
    return _row(reader, found) | {"lines": lines, "history": happened}


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
