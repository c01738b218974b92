"""What would be in another month if another zone cut them: from instants, never from periods."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from liveportal.domain.clock import from_text, month_of, parse_instant
from liveportal.domain.policy import SessionMonth
from liveportal.ledger.reader import Reader, Row

FIELDS = (
    *("zone", "month", "would_be", "kind", "session", "claim", "payout", "transaction", "time"),
    *("sessions", "free_sessions", "amount", "owed", "currency"),
)

_ENTRIES = """
    SELECT record.id AS "transaction", record.kind, record.session, record.claim, record.payout,
           record.time, record.period, record.net, record.owed, session.start,
           record.id IS session.earning AS stands
    FROM transaction_record AS record LEFT JOIN session ON session.id = record.session
    ORDER BY record.id
"""
# Whose earning stands as it was booked at first is told with it; corrected and free ones are not.
_SESSIONS = """
    SELECT session.id AS session, session.start, session."end", session.period, gross_minor
    FROM session LEFT JOIN "transaction" AS entry ON entry.id = session.earning
    WHERE session.period IS NOT NULL AND entry.kind IS NOT 'earning'
    ORDER BY session.agreed_seq
"""
_FIRST_TOLD = """
    SELECT statement.type, event.time, event.facts
    FROM statement JOIN event ON event.seq = statement.seq
    WHERE confirms IS NULL AND statement.type IN
            ('session.started', 'session.logged', 'request.accepted')
        AND thing IN ('session:' || ?1, 'request:' || (SELECT request FROM session WHERE id = ?1))
"""


def moved(reader: Reader, zones: Sequence[str]) -> list[Row]:
    """Return what falls in another month in each of the zones, by zone and by the book's month.

    A session that stands as it was booked is one row, with its earning; one that is free, or was
    corrected since, is a row of its own.
    """
    things = [*_entries(reader), *_sessions(reader)]
    found = []
    for zone in zones:
        for thing in things:
            would_be = month_of(thing["instant"], zone)
            if would_be != thing["month"]:
                found.append(thing | {"zone": zone, "would_be": would_be})
    found.sort(key=lambda row: (zones.index(row["zone"]), row["month"], row["would_be"]))
    return [{name: row[name] for name in FIELDS} for row in found]


def _entries(reader: Reader) -> Iterator[dict[str, Any]]:
    by_start = reader.policy.period.session_month is SessionMonth.START
    for row in reader.all(_ENTRIES):
        instant = from_text(row["time"])
        earning = row["kind"] == "earning"
        counted = earning and row["stands"]
        time = instant
        if earning and by_start:
            # What was corrected since was booked by the start that was told at first.
            instant = from_text(row["start"] if counted else _first_start(reader, row["session"]))
        yield {
            **{name: row[name] for name in ("kind", "session", "claim", "payout", "transaction")},
            "month": row["period"],
            "instant": instant,
            "time": time,
            "sessions": int(counted),
            "free_sessions": 0,
            "amount": reader.money(row["net"]),
            "owed": reader.money(row["owed"]),
            "currency": reader.currency,
        }


def _sessions(reader: Reader) -> Iterator[dict[str, Any]]:
    by_start = reader.policy.period.session_month is SessionMonth.START
    for row in reader.all(_SESSIONS):
        yield {
            **dict.fromkeys(("claim", "payout", "transaction")),
            "kind": "session",
            "session": row["session"],
            "month": row["period"],
            "instant": from_text(row["start"] if by_start else row["end"]),
            "time": from_text(row["end"]),
            "sessions": int(row["gross_minor"] > 0),
            "free_sessions": int(not row["gross_minor"]),
            "amount": reader.money(0),
            "owed": reader.money(0),
            "currency": reader.currency,
        }


def _first_start(reader: Reader, session_id: str) -> str:
    """Return when a session started as its first telling had it, in stored form."""
    told = {row["type"]: row for row in reader.all(_FIRST_TOLD, session_id)}
    if logged := told.get("session.logged"):
        return parse_instant(json.loads(logged["facts"])["start"]).isoformat()
    first: str = told.get("session.started", told.get("request.accepted", {}))["time"]
    return first
