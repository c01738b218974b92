"""Every deadline that the book knows of, with the people and titles that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.calculations.deadlines import (
    Deadline,
    in_order,
    of_claim,
    of_earnings,
    of_erasure,
    of_evidence,
    of_profile,
    of_request,
    of_upcoming,
    of_window,
)
from liveportal.domain.clock import from_text, local_date, shifted, utc_text
from liveportal.domain.entities import Session
from liveportal.domain.events.types import CustomerForgotten, ErasureRequested
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import ARTIFACT, CLAIM, REQUEST, SESSION, compact
from liveportal.ledger.queries import profile
from liveportal.ledger.queries.customers import customers
from liveportal.ledger.queries.payouts import standing
from liveportal.ledger.queries.reader import NOT_OVER, Reader, Row

FIELDS = (
    *("kind", "id", "due", "left_seconds", "asks", "amount", "currency", "customer"),
    *("customer_name", "title", "means", "command", "due_on"),
)

_ABOUT_SESSIONS = """
    SELECT session.id, session.customer, described.body AS described_body,
           opened.body AS opened_body, 'title' AS worded
    FROM session JOIN customer ON customer.id = session.customer
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
    WHERE session.id IN (SELECT value FROM json_each(?))
"""
_ABOUT_REQUESTS = """
    SELECT request.id, request.customer, described.body AS described_body,
           opened.body AS opened_body, 'title' AS worded
    FROM request JOIN customer ON customer.id = request.customer
    LEFT JOIN event_personal AS opened ON opened.seq = request.opened_seq
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
    WHERE request.id IN (SELECT value FROM json_each(?))
"""
# A request to be forgotten is open until the customer is forgotten; several open ones are one.
_ERASURE_REQUESTS = f"""
    SELECT customer.id, customer.id AS customer, described.body AS described_body,
           asked.body AS opened_body, 'reason' AS worded
    FROM (
        SELECT substr(thing, 10) AS customer, max(seq) AS seq FROM statement AS request
        WHERE thing >= 'customer:' AND thing < 'customer;' AND confirms IS NULL
            AND type = '{ErasureRequested.TYPE}'
            AND NOT EXISTS (
                SELECT 1 FROM statement AS erasure
                WHERE erasure.thing = request.thing AND erasure.type = '{CustomerForgotten.TYPE}'
                    AND erasure.seq > request.seq
            )
        GROUP BY thing
    ) AS open
    JOIN customer ON customer.id = open.customer
    LEFT JOIN event_personal AS asked ON asked.seq = open.seq
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
"""  # noqa: S608 (types are ours)
# What only the platform has of a session matters while it may have to be proved: as long as a claim
# is undecided, or can still be made.
_TO_PROVE = """
    SELECT session FROM claim WHERE state IN ('open', 'disputed')
    UNION SELECT id FROM session INDEXED BY session_by_end WHERE gross_minor > 0 AND "end" >= ?
"""


def due(reader: Reader, now: datetime) -> list[Row]:
    """Return every deadline that is ahead, or past and still asks for something; the next first."""
    asked = {("customer", row["id"]): row for row in reader.all(_ERASURE_REQUESTS)}
    erasures = [of_erasure(customer) for _, customer in asked]
    deadlines = in_order([*erasures, *_deadlines(reader, now)])
    about = asked | _about(reader, deadlines)
    latest = {each["customer"]: each["described_body"] for each in about.values()}
    people = customers(reader, latest)
    return [_row(each, about.get(_subject(each)), people, now) for each in deadlines]


def _deadlines(reader: Reader, now: datetime) -> Iterator[Deadline]:
    for row in _things(reader, f"{REQUEST.select} WHERE state = 'open'"):
        yield from of_request(REQUEST.read(row, reader.currency), now)
    found: list[Deadline | None] = [
        of_upcoming(SESSION.read(row, reader.currency))
        for row in _things(reader, f"{SESSION.select} WHERE {NOT_OVER} AND state = 'upcoming'")
    ]
    claims = [CLAIM.read(row) for row in _things(reader, f"{CLAIM.select} WHERE state = 'open'")]
    sessions = _sessions(reader, [claim.session for claim in claims])
    for claim in claims:
        session = sessions[claim.session]
        found.append(of_claim(claim, session, reader.policy_at(session.policy)))
    found += [of_window(each, reader.policy_at(each.policy), now) for each in _lately(reader, now)]
    found += _evidence(reader, now)
    yield from (each for each in found if each)
    payable, today = standing(reader), local_date(now, reader.timezone)
    yield from of_profile(profile.findings(reader, today), payable, now)
    yield from of_earnings(payable, now)


def _lately(reader: Reader, now: datetime) -> list[Session]:
    """Return the billed sessions whose refund window may still be open."""
    since = _earliest(reader, now)
    where = 'INDEXED BY session_by_end WHERE gross_minor > 0 AND "end" >= ?'
    return [
        SESSION.read(row, reader.currency)
        for row in _things(reader, f"{SESSION.select} {where}", since)
    ]


def _earliest(reader: Reader, now: datetime) -> str:
    """Return the earliest end of a session whose refund window may be open, by any policy."""
    policies = [reader.policy_at(row["seq"]) for row in reader.all("SELECT seq FROM policy")]
    widest = max((each.refund.window_hours for each in policies), default=0)
    return utc_text(shifted(now, -timedelta(hours=widest)))


def _evidence(reader: Reader, now: datetime) -> Iterator[Deadline | None]:
    """Yield what only the platform has, of sessions that may have to be proved."""
    vault = Vault(reader.path)
    names = ", ".join(f'artifact."{name}"' for name in ARTIFACT.columns)
    found = _things(
        reader,
        f"SELECT {names}, event.time FROM artifact JOIN event USING (seq)"  # noqa: S608 (our own)
        f" WHERE artifact.session IN ({_TO_PROVE}) ORDER BY artifact.seq",
        _earliest(reader, now),
    )
    artifacts = [(ARTIFACT.read(row), from_text(time)) for *row, time in found]
    missing = [(each, time) for each, time in artifacts if not vault.holds(each.sha256)]
    sessions = _sessions(reader, [each.session for each, _ in missing])
    for artifact, time in missing:
        session = sessions[artifact.session]
        yield of_evidence(artifact, session, time, reader.policy_at(session.policy), now)


def _sessions(reader: Reader, ids: Sequence[str]) -> dict[str, Session]:
    """Return sessions by their ids, all in one query."""
    where = "WHERE id IN (SELECT value FROM json_each(?))"
    found = _things(reader, f"{SESSION.select} {where}", compact(ids))
    sessions = [SESSION.read(row, reader.currency) for row in found]
    return {each.id: each for each in sessions}


def _things(reader: Reader, statement: str, *values: object) -> Iterable[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = reader.db.execute(statement, values).fetchall()
    return found


def _subject(each: Deadline) -> tuple[str, str] | None:
    """Return the session, request or customer that a deadline is about; None where it is none."""
    if each.session:
        return "session", each.session
    if each.kind == "erasure_request":
        return "customer", each.thing
    return ("request", each.thing) if each.kind in ("request_expiry", "slot_start") else None


def _about(
    reader: Reader, deadlines: Iterable[Deadline]
) -> dict[tuple[str, str] | None, dict[str, Any]]:
    """Return the customers and titles of the sessions and requests that deadlines are about."""
    subjects = {found for each in deadlines if (found := _subject(each))}
    told: dict[tuple[str, str] | None, dict[str, Any]] = {}
    for kind, statement in (("session", _ABOUT_SESSIONS), ("request", _ABOUT_REQUESTS)):
        ids = sorted(name for its_kind, name in subjects if its_kind == kind)
        told |= {(kind, row["id"]): row for row in reader.all(statement, compact(ids))}
    return told


def _row(
    each: Deadline,
    about: Mapping[str, Any] | None,
    people: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> Row:
    told = people[about["customer"]] if about else {}
    return {
        "kind": each.kind,
        "id": each.thing,
        "due": each.due,
        "left_seconds": each.due - now if each.due else None,
        "asks": each.asks,
        "amount": each.amount,
        "currency": each.amount.currency if each.amount else None,
        "customer": about["customer"] if about else None,
        "customer_name": told.get("name"),
        "title": personal(about["opened_body"]).get(about["worded"]) if about else None,
        "means": each.means,
        "command": each.command,
        "due_on": each.due_on,
    }
