"""Requests as the expert sees them: what is asked, what it pays, what it would collide with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.clock import from_text, shifted
from liveportal.domain.money import Money
from liveportal.ledger.reader import Reader, Row, instant, personal
from liveportal.ledger.windows.history import history
from liveportal.ledger.windows.people import customer

FIELDS = (
    *("id", "kind", "state", "direct", "customer.id", "customer.name", "title", "skills", "rate"),
    *("currency", "slots", "expires", "matches", "conflicts", "opened_at"),
)
SHOW_FIELDS = (
    *FIELDS,
    *("description", "customer.timezone", "customer.language", "session", "closed_at", "flags"),
    "history",
)

_SELECT = """
    SELECT request.*, opened.body AS opened_body, described.body AS described_body
    FROM request
    JOIN customer ON customer.id = request.customer
    LEFT JOIN event_personal AS opened ON opened.seq = request.opened_seq
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
"""

Booked = list[tuple[str, datetime, datetime]]


def requests(reader: Reader, states: Sequence[str] = ()) -> list[Row]:
    """Return the requests, those asked for longest ago first; of the given states, or all."""
    where = f" WHERE state IN ({', '.join('?' * len(states))})" if states else ""
    found = reader.all(f"{_SELECT}{where} ORDER BY opened_at, opened_seq", *states)
    booked = _booked(reader)
    return [_row(reader, each, booked) for each in found]


def request(reader: Reader, request_id: str) -> Row:
    """Return one request with everything that is known of it, and its history."""
    (found,) = reader.all(f"{_SELECT} WHERE request.id = ?", request_id)
    opened = personal(found["opened_body"])
    told = customer(reader, found["customer"], found["described_body"])
    row = _row(reader, found, _booked(reader))
    person = {"timezone": told.get("timezone"), "language": told.get("language")}
    return row | {
        "customer": row["customer"] | person,  # type: ignore[operator]
        "description": opened.get("description"),
        "session": found["session"],
        "closed_at": instant(found["closed_at"]),
        "flags": json.loads(found["flags"]),
        "history": history(reader, f"request:{request_id}"),
    }


def _row(reader: Reader, found: dict[str, Any], booked: Booked) -> Row:
    opened = personal(found["opened_body"])
    told = customer(reader, found["customer"], found["described_body"])
    skills = opened.get("skills") or []
    slots = json.loads(found["slots"])
    rate = Money(found["rate"], found["currency"])
    return {
        "id": found["id"],
        "kind": found["kind"],
        "state": found["state"],
        "direct": bool(found["direct"]),
        "customer": {"id": found["customer"], "name": told.get("name")},
        "title": opened.get("title"),
        "skills": skills,
        "rate": rate,
        "currency": found["currency"],
        "slots": [
            {"slot": number, "start": from_text(each["start"]), "minutes": each["minutes"]}
            for number, each in enumerate(slots, 1)
        ],
        "expires": instant(found["expires"]),
        "matches": matches(reader, rate, skills, direct=bool(found["direct"])),
        "conflicts": _conflicts(slots, booked) if found["state"] == "open" else [],
        "opened_at": instant(found["opened_at"]),
    }


def matches(reader: Reader, rate: Money, skills: Iterable[str], *, direct: bool) -> bool:
    """Tell whether a request is one the expert wants: rate (R2) and skills (R3).

    A request without skills, or an expert without any set, matches every skill.
    """
    wanted = reader.preferences.get("direct_rate" if direct else "minimum_rate")
    comparable = wanted if wanted and wanted["currency"] == rate.currency else None
    pays = comparable is None or rate >= Money.parse(comparable["amount"], rate.currency)
    own = {skill.casefold() for skill in reader.preferences.get("skills", ())}
    asked = {skill.casefold() for skill in skills}
    return pays and (not own or not asked or bool(own & asked))


def _booked(reader: Reader) -> Booked:
    found = reader.all(
        "SELECT id, planned_start, planned_minutes FROM session"
        " WHERE state IN ('upcoming', 'live', 'paused') AND planned_start IS NOT NULL ORDER BY id"
    )
    spans = [(row["id"], from_text(row["planned_start"]), row["planned_minutes"]) for row in found]
    return [
        (name, start, shifted(start, timedelta(minutes=length))) for name, start, length in spans
    ]


def _conflicts(slots: Iterable[dict[str, Any]], booked: Booked) -> list[str]:
    clashing = set()
    for slot in slots:
        start = from_text(slot["start"])
        end = shifted(start, timedelta(minutes=slot["minutes"]))
        clashing |= {name for name, since, until in booked if since < end and start < until}
    return sorted(clashing)
