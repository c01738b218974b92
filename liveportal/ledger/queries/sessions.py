"""Sessions: planned, running and ended ones, with their bills and details."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.clock import from_text, shifted
from liveportal.domain.money import Money
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries import transcripts
from liveportal.ledger.queries.customers import CustomerName, customers
from liveportal.ledger.queries.history import history, with_flags_of
from liveportal.ledger.queries.reader import Reader, Row, instant
from liveportal.ledger.queries.session_filter import DISPUTED, LAST_SEQ, START, SessionFilter

_OWN = (
    *("id", "request", "customer", "state", "start", "end", "minutes", "rate", "gross", "fee"),
    *("earned", "currency", "policy", "claim", "customer_name", "title"),
)
FIELDS = (*_OWN, "rating", "disputed", "seq")
SHOW_FIELDS = (
    *_OWN,
    *("pauses", "paused_minutes", "expected", "refunded", "period", "flags", "aliases"),
    *("claims", "reviews", "artifacts", "transactions", "history"),
)

_COLUMNS = """
    session.*, policy.name AS policy_name, opened.body AS opened_body,
    described.body AS described_body
"""
_FROM = """
    FROM session
    JOIN policy ON policy.seq = session.policy
    JOIN customer ON customer.id = session.customer
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
"""
_SELECT = f"SELECT {_COLUMNS} {_FROM}"
_LIST = f"""
    SELECT {_COLUMNS}, review.rating, {DISPUTED} AS disputed, {LAST_SEQ} AS last_seq
    {_FROM}
    LEFT JOIN review ON review.session = session.id AND review.by = 'customer'
"""
_ORDER = f" ORDER BY {START}, session.agreed_seq"
_ALL = SessionFilter()


def sessions(reader: Reader, selection: SessionFilter = _ALL) -> list[Row]:
    """Return the sessions that match the filter, in its order; by default by start."""
    where, values = selection.where(reader)
    rows = reader.all(f"{_LIST} WHERE {where}{_ORDER}", *values)
    extras = [
        {"rating": row["rating"], "disputed": bool(row["disputed"]), "seq": row["last_seq"]}
        for row in rows
    ]
    listed = _format_all(reader, rows)
    return selection.sorted_rows([row | extra for row, extra in zip(listed, extras, strict=True)])


def session(reader: Reader, session_id: str) -> Row:
    """Return one session with its claims, reviews, evidence, transactions and history."""
    (row,) = reader.all(f"{_SELECT} WHERE session.id = ?", session_id)
    currency = reader.currency_called(row["currency"])
    pauses: list[list[datetime | None]] = [
        [from_text(since), from_text(until)] for since, until in json.loads(row["pauses"])
    ]
    if row["paused_since"]:
        pauses.append([from_text(row["paused_since"]), None])
    claims = reader.all("SELECT id, state FROM claim WHERE session = ? ORDER BY id", session_id)
    aliases = reader.all("SELECT alias FROM session_alias WHERE session = ?", session_id)
    entities = [f"session:{session_id}", *(f"claim:{claim['id']}" for claim in claims)]
    if row["request"]:
        entities.append(f"request:{row['request']}")
    ended = row["state"] == "ended"
    events = history(reader, *entities)
    return _format(reader, row) | {
        "pauses": pauses,
        "paused_minutes": minutes_text(_microseconds(pauses)),
        "expected": Money(row["expected_minor"], currency) if ended else None,
        "refunded": Money(row["refunded_minor"], currency) if ended else None,
        "period": row["period"],
        "flags": with_flags_of(events, json.loads(row["flags"])),
        "aliases": [row["alias"] for row in aliases],
        "claims": claims,
        "reviews": _reviews(reader, session_id),
        "artifacts": transcripts.artifacts(reader, session_id),
        "transactions": _transactions(reader, session_id),
        "history": events,
    }


def result_fields(reader: Reader, session_id: str) -> Row:
    """Return the fields that commands show after they changed a session."""
    (row,) = reader.all(f"{_SELECT} WHERE session.id = ?", session_id)
    formatted = _format(reader, row)
    return {name: formatted[name] for name in RESULT_FIELDS}


RESULT_FIELDS = ("start", "end", "minutes", "gross", "fee", "earned", "currency")


def _format(reader: Reader, row: dict[str, Any]) -> Row:
    (formatted,) = _format_all(reader, [row])
    return formatted


def _format_all(reader: Reader, rows: Sequence[dict[str, Any]]) -> list[Row]:
    latest = {row["customer"]: row["described_body"] for row in rows}
    details = customers(reader, latest)
    return [_format_row(reader, row, details[row["customer"]]) for row in rows]


def _format_row(reader: Reader, row: dict[str, Any], details: CustomerName) -> Row:
    ended = row["state"] == "ended"
    planned = instant(row["planned_start"])
    start = instant(row["start"]) or planned
    # A session that started late is planned to end that much later.
    planned_end = planned and start and shifted(start, timedelta(minutes=row["planned_minutes"]))
    currency = reader.currency_called(row["currency"])

    def money(minor: int) -> Money | None:
        return Money(minor, currency) if ended else None

    return {
        "id": row["id"],
        "request": row["request"],
        "customer": row["customer"],
        "state": row["state"],
        "start": start,
        "end": instant(row["end"]) or planned_end,
        "minutes": minutes_text(row["billed_us"]) if ended else None,
        "rate": Money(row["rate"], currency),
        "gross": money(row["gross_minor"]),
        "fee": money(row["fee_minor"]),
        "earned": money(row["gross_minor"] - row["fee_minor"]),
        "currency": currency,
        "policy": row["policy_name"],
        "claim": row["claim"],
        "customer_name": details.name,
        "title": personal(row["opened_body"]).get("title"),
    }


def _microseconds(pauses: Sequence[Sequence[datetime | None]]) -> int:
    spans = [until - since for since, until in pauses if since and until]
    return sum(spans, timedelta()) // timedelta(microseconds=1)


def _reviews(reader: Reader, session_id: str) -> list[dict[str, Any]]:
    rows = reader.all(
        "SELECT by, rating, time, body FROM review LEFT JOIN event_personal USING (seq)"
        " WHERE session = ? ORDER BY by",
        session_id,
    )
    return [
        {
            "by": row["by"],
            "rating": row["rating"],
            "time": instant(row["time"]),
            "text": personal(row["body"]).get("text"),
        }
        for row in rows
    ]


def _transactions(reader: Reader, session_id: str) -> list[dict[str, Any]]:
    rows = reader.all(
        "SELECT id, kind, time, gross, fee, net, owed FROM transaction_record"
        " WHERE session = ? ORDER BY id",
        session_id,
    )
    return [
        {
            "transaction": row["id"],
            "kind": row["kind"],
            "time": instant(row["time"]),
            "gross": reader.money(row["gross"]),
            "fee": reader.money(row["fee"]),
            "amount": reader.money(row["net"]),
            "owed": reader.money(row["owed"]),
        }
        for row in rows
    ]


def planned_times(reader: Reader, session_id: str) -> Row:
    """Return the planned start and end of a session, shown by commands that only move it."""
    (row,) = reader.all(f"{_SELECT} WHERE session.id = ?", session_id)
    formatted = _format(reader, row)
    return {"start": formatted["start"], "end": formatted["end"]}


def actual_times(reader: Reader, session_id: str) -> tuple[datetime | None, datetime | None]:
    """Return the start and end of a session (UTC); None for one that has not happened."""
    (row,) = reader.all('SELECT start, "end" AS ended FROM session WHERE id = ?', session_id)
    return instant(row["start"]), instant(row["ended"])


def latest_tip(reader: Reader, session_id: str) -> Row:
    """Return the most recently booked tip of a session."""
    (row,) = reader.all(
        "SELECT net FROM transaction_record WHERE session = ? AND kind = 'tip'"
        " ORDER BY id DESC LIMIT 1",
        session_id,
    )
    return {"amount": reader.money(row["net"]), "currency": reader.currency}
