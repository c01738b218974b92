"""Every deadline that the book knows of, with the people and titles that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.clock import from_text, local_date, shifted, utc_text
from liveportal.domain.deadlines import (
    Deadline,
    in_order,
    of_claim,
    of_earnings,
    of_evidence,
    of_request,
    of_tax_form,
    of_upcoming,
    of_window,
)
from liveportal.domain.things import Session
from liveportal.ledger.reader import NOT_OVER, Reader, Row, personal
from liveportal.ledger.rows import ARTIFACT, CLAIM, REQUEST, SESSION
from liveportal.ledger.vault import Vault
from liveportal.ledger.windows import profile
from liveportal.ledger.windows.payouts import standing
from liveportal.ledger.windows.people import customer

FIELDS = (
    *("kind", "id", "due", "left_seconds", "asks", "amount", "currency", "customer"),
    *("customer_name", "title", "means", "command"),
)

_ABOUT_SESSION = """
    SELECT session.customer, described.body AS described_body, opened.body AS opened_body
    FROM session JOIN customer ON customer.id = session.customer
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
    WHERE session.id = ?
"""
_ABOUT_REQUEST = """
    SELECT request.customer, described.body AS described_body, opened.body AS opened_body
    FROM request JOIN customer ON customer.id = request.customer
    LEFT JOIN event_personal AS opened ON opened.seq = request.opened_seq
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
    WHERE request.id = ?
"""


def due(reader: Reader, now: datetime) -> list[Row]:
    """Return every deadline that is ahead, or past and still asks for something; the next first."""
    return [_row(reader, each, now) for each in in_order(list(_deadlines(reader, now)))]


def _deadlines(reader: Reader, now: datetime) -> Iterator[Deadline]:
    for row in _things(reader, f"{REQUEST.select} WHERE state = 'open'"):
        yield from of_request(REQUEST.read(row), now)
    found: list[Deadline | None] = [
        of_upcoming(SESSION.read(row))
        for row in _things(reader, f"{SESSION.select} WHERE {NOT_OVER} AND state = 'upcoming'")
    ]
    for row in _things(reader, f"{CLAIM.select} WHERE state = 'open'"):
        claim = CLAIM.read(row)
        session = _session(reader, claim.session)
        found.append(of_claim(claim, session, reader.policy_at(session.policy)))
    found += [of_window(each, reader.policy_at(each.policy), now) for each in _lately(reader, now)]
    found += _evidence(reader, now)
    found.append(of_tax_form(profile.tax_form_expiry(reader), reader.policy, now))
    yield from (each for each in found if each)
    yield from of_earnings(standing(reader, local_date(now, reader.timezone)), now)


def _lately(reader: Reader, now: datetime) -> list[Session]:
    """Return the billed sessions whose refund window may still be open."""
    since = _earliest(reader, now)
    where = 'INDEXED BY session_by_end WHERE gross_minor > 0 AND "end" >= ?'
    return [SESSION.read(row) for row in _things(reader, f"{SESSION.select} {where}", since)]


def _earliest(reader: Reader, now: datetime) -> str:
    """Return the earliest end of a session whose refund window may be open, by any policy."""
    policies = [reader.policy_at(row["seq"]) for row in reader.all("SELECT seq FROM policy")]
    widest = max((each.refund.window_hours for each in policies), default=0)
    return utc_text(shifted(now, -timedelta(hours=widest)))


def _evidence(reader: Reader, now: datetime) -> Iterator[Deadline | None]:
    """Yield what only the platform has, of sessions that may have to be proved."""
    vault = Vault(reader.path)
    names = ", ".join(f'artifact."{name}"' for name in ARTIFACT.columns)
    for *row, time in _things(
        reader,
        f"SELECT {names}, event.time FROM artifact JOIN event USING (seq)"  # noqa: S608 (our own)
        " JOIN session ON session.id = artifact.session"
        ' WHERE claim_undecided OR (gross_minor > 0 AND "end" >= ?)',
        _earliest(reader, now),
    ):
        artifact = ARTIFACT.read(row)
        if not vault.holds(artifact.sha256):
            session = _session(reader, artifact.session)
            policy = reader.policy_at(session.policy)
            yield of_evidence(artifact, session, from_text(time), policy, now)


def _session(reader: Reader, session_id: str) -> Session:
    (row,) = _things(reader, f"{SESSION.select} WHERE id = ?", session_id)
    return SESSION.read(row)


def _things(reader: Reader, statement: str, *values: object) -> Iterable[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = reader.db.execute(statement, values).fetchall()
    return found


def _row(reader: Reader, each: Deadline, now: datetime) -> Row:
    about: dict[str, Any] | None = None
    if each.session:
        about = reader.one(_ABOUT_SESSION, each.session)
    elif each.kind in ("request_expiry", "slot_start"):
        about = reader.one(_ABOUT_REQUEST, each.thing)
    told = customer(reader, about["customer"], about["described_body"]) if about else {}
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
        "title": personal(about["opened_body"]).get("title") if about else None,
        "means": each.means,
        "command": each.command,
    }
