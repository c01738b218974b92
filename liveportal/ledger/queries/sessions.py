"""Sessions: what is agreed, what runs, what it came to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.clock import from_text, shifted
from liveportal.domain.money import Money
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries import customers, transcripts
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
    """Return the sessions that are asked for, by their start unless another order is."""
    where, values = selection.where(reader)
    found = reader.all(f"{_LIST} WHERE {where}{_ORDER}", *values)
    extra = [
        {"rating": each["rating"], "disputed": bool(each["disputed"]), "seq": each["last_seq"]}
        for each in found
    ]
    rows = _rows(reader, found)
    return selection.ordered([row | more for row, more in zip(rows, extra, strict=True)])


def session(reader: Reader, session_id: str) -> Row:
    """Return one session with all that belongs to it: claims, reviews, evidence, money, history."""
    (found,) = reader.all(f"{_SELECT} WHERE session.id = ?", session_id)
    currency = reader.currency_called(found["currency"])
    pauses: list[list[datetime | None]] = [
        [from_text(since), from_text(until)] for since, until in json.loads(found["pauses"])
    ]
    if found["paused_since"]:
        pauses.append([from_text(found["paused_since"]), None])
    claims = reader.all("SELECT id, state FROM claim WHERE session = ? ORDER BY id", session_id)
    aliases = reader.all("SELECT alias FROM session_alias WHERE session = ?", session_id)
    things = [f"session:{session_id}", *(f"claim:{claim['id']}" for claim in claims)]
    if found["request"]:
        things.append(f"request:{found['request']}")
    ended = found["state"] == "ended"
    happened = history(reader, *things)
    return _row(reader, found) | {
        "pauses": pauses,
        "paused_minutes": minutes_text(_microseconds(pauses)),
        "expected": Money(found["expected_minor"], currency) if ended else None,
        "refunded": Money(found["refunded_minor"], currency) if ended else None,
        "period": found["period"],
        "flags": with_flags_of(happened, json.loads(found["flags"])),
        "aliases": [row["alias"] for row in aliases],
        "claims": claims,
        "reviews": _reviews(reader, session_id),
        "artifacts": transcripts.artifacts(reader, session_id),
        "transactions": _transactions(reader, session_id),
        "history": happened,
    }


def result(reader: Reader, session_id: str) -> Row:
    """Return what a session's own steps show once they are done."""
    (found,) = reader.all(f"{_SELECT} WHERE session.id = ?", session_id)
    row = _row(reader, found)
    return {name: row[name] for name in RESULT_FIELDS}


RESULT_FIELDS = ("start", "end", "minutes", "gross", "fee", "earned", "currency")


def _row(reader: Reader, found: dict[str, Any]) -> Row:
    (row,) = _rows(reader, [found])
    return row


def _rows(reader: Reader, found: Sequence[dict[str, Any]]) -> list[Row]:
    latest = {each["customer"]: each["described_body"] for each in found}
    told = customers.customers(reader, latest)
    return [_shown(reader, each, told[each["customer"]]) for each in found]


def _shown(reader: Reader, found: dict[str, Any], told: dict[str, Any]) -> Row:
    ended = found["state"] == "ended"
    planned = instant(found["planned_start"])
    start = instant(found["start"]) or planned
    # Whoever starts late is planned to end as much later.
    planned_end = planned and start and shifted(start, timedelta(minutes=found["planned_minutes"]))
    currency = reader.currency_called(found["currency"])

    def money(minor: int) -> Money | None:
        return Money(minor, currency) if ended else None

    return {
        "id": found["id"],
        "request": found["request"],
        "customer": found["customer"],
        "state": found["state"],
        "start": start,
        "end": instant(found["end"]) or planned_end,
        "minutes": minutes_text(found["billed_us"]) if ended else None,
        "rate": Money(found["rate"], currency),
        "gross": money(found["gross_minor"]),
        "fee": money(found["fee_minor"]),
        "earned": money(found["gross_minor"] - found["fee_minor"]),
        "currency": currency,
        "policy": found["policy_name"],
        "claim": found["claim"],
        "customer_name": told.get("name"),
        "title": personal(found["opened_body"]).get("title"),
    }


def _microseconds(pauses: Sequence[Sequence[datetime | None]]) -> int:
    spans = [until - since for since, until in pauses if since and until]
    return sum(spans, timedelta()) // timedelta(microseconds=1)


def _reviews(reader: Reader, session_id: str) -> list[dict[str, Any]]:
    found = reader.all(
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
        for row in found
    ]


def _transactions(reader: Reader, session_id: str) -> list[dict[str, Any]]:
    found = reader.all(
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
        for row in found
    ]


def planned(reader: Reader, session_id: str) -> Row:
    """Return when a session is to be, for what only moves it."""
    (found,) = reader.all(f"{_SELECT} WHERE session.id = ?", session_id)
    row = _row(reader, found)
    return {"start": row["start"], "end": row["end"]}


def held(reader: Reader, session_id: str) -> tuple[datetime | None, datetime | None]:
    """Return when a session started and ended; None for what has not happened."""
    (found,) = reader.all('SELECT start, "end" AS ended FROM session WHERE id = ?', session_id)
    return instant(found["start"]), instant(found["ended"])


def latest_tip(reader: Reader, session_id: str) -> Row:
    """Return the tip of a session that was booked last."""
    (row,) = reader.all(
        "SELECT net FROM transaction_record WHERE session = ? AND kind = 'tip'"
        " ORDER BY id DESC LIMIT 1",
        session_id,
    )
    return {"amount": reader.money(row["net"]), "currency": reader.currency}
