"""All deadlines of the book, with the customers and titles that they concern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from liveportal.domain.calculations.deadlines import (
    Deadline,
    in_order,
    of_claim,
    of_earnings,
    of_erasure,
    of_evidence,
    of_payout,
    of_profile,
    of_request,
    of_upcoming,
    of_window,
)
from liveportal.domain.clock import from_text, local_date, shifted, utc_text
from liveportal.domain.entities import Session
from liveportal.domain.events.types import CustomerForgotten, ErasureRequested
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import (
    ARTIFACT,
    CLAIM,
    PAYOUT,
    REQUEST,
    SESSION,
    to_json,
)
from liveportal.ledger.queries import profile
from liveportal.ledger.queries.customers import CustomerDetail, customers
from liveportal.ledger.queries.payouts import payout_position
from liveportal.ledger.queries.reader import NOT_OVER, Reader


@row
class DueRow(Row):
    """A deadline; `asks` is True if it is for the expert to act, by `command`.

    A deadline at the end of a day of the platform has that day, `due_on`.
    """

    kind: str
    id: str
    due: datetime | None
    left_seconds: timedelta | None
    asks: bool
    amount: Money | None
    currency: str | None
    customer: str | None
    customer_name: str | None
    title: str | None
    means: str
    command: Hint | None
    due_on: date | None
    customer_id: str | None


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
# An erasure request is open until the customer is erased; several open ones count as one.
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
# Evidence that only the platform holds matters as long as it may be needed: while a claim is
# undecided, or can still be made.
_TO_PROVE = """
    SELECT session FROM claim WHERE state IN ('open', 'disputed')
    UNION SELECT id FROM session INDEXED BY session_by_end WHERE gross_minor > 0 AND "end" >= ?
"""


def due(reader: Reader, now: datetime) -> list[DueRow]:
    """Return the deadlines that are ahead, or past and still need an action; the earliest first."""
    erasure_requests = {("customer", row["id"]): row for row in reader.all(_ERASURE_REQUESTS)}
    erasures = [of_erasure(customer) for _, customer in erasure_requests]
    deadlines = in_order([*erasures, *_deadlines(reader, now)])
    about = erasure_requests | _about(reader, deadlines)
    latest = {row["customer"]: row["described_body"] for row in about.values()}
    details = customers(reader, latest)
    return [_row(deadline, about.get(_subject(deadline)), details, now) for deadline in deadlines]


def _deadlines(reader: Reader, now: datetime) -> Iterator[Deadline]:
    for values in _fetch(reader, f"{REQUEST.select} WHERE state = 'open'"):
        yield from of_request(REQUEST.read(values, reader.currency), now)
    candidates: list[Deadline | None] = [
        of_upcoming(SESSION.read(row, reader.currency))
        for row in _fetch(reader, f"{SESSION.select} WHERE {NOT_OVER} AND state = 'upcoming'")
    ]
    claims = [CLAIM.read(row) for row in _fetch(reader, f"{CLAIM.select} WHERE state = 'open'")]
    sessions = _sessions(reader, [claim.session for claim in claims])
    for claim in claims:
        session = sessions[claim.session]
        candidates.append(of_claim(claim, session, reader.policy_at(session.policy)))
    candidates += [
        of_window(session, reader.policy_at(session.policy), now)
        for session in _claimable_sessions(reader, now)
    ]
    candidates += _evidence(reader, now)
    yield from filter(None, candidates)
    payable, today = payout_position(reader), local_date(now, reader.timezone)
    yield from of_profile(profile.findings(reader, today), payable, now)
    yield from of_earnings(payable, now)
    payouts = [PAYOUT.read(row) for row in _fetch(reader, f"{PAYOUT.select} WHERE state = 'sent'")]
    yield from filter(None, (of_payout(payout, reader.currency, now) for payout in payouts))


def _claimable_sessions(reader: Reader, now: datetime) -> list[Session]:
    """Return the billed sessions whose refund window may still be open."""
    since = _earliest(reader, now)
    where = 'INDEXED BY session_by_end WHERE gross_minor > 0 AND "end" >= ?'
    return [
        SESSION.read(row, reader.currency)
        for row in _fetch(reader, f"{SESSION.select} {where}", since)
    ]


def _earliest(reader: Reader, now: datetime) -> str:
    """Return the earliest end (UTC text) that any policy's refund window still covers."""
    policies = [reader.policy_at(row["seq"]) for row in reader.all("SELECT seq FROM policy")]
    widest = max((policy.refund.window_hours for policy in policies), default=0)
    return utc_text(shifted(now, -timedelta(hours=widest)))


def _evidence(reader: Reader, now: datetime) -> Iterator[Deadline | None]:
    """Yield the deadlines of evidence that only the platform holds and that may be needed."""
    vault = Vault(reader.path)
    names = ", ".join(f'artifact."{name}"' for name in ARTIFACT.columns)
    rows = _fetch(
        reader,
        f"SELECT {names}, event.time FROM artifact JOIN event USING (seq)"  # noqa: S608 (our own)
        f" WHERE artifact.session IN ({_TO_PROVE}) ORDER BY artifact.seq",
        _earliest(reader, now),
    )
    artifacts = [(ARTIFACT.read(row), from_text(time)) for *row, time in rows]
    missing = [(artifact, time) for artifact, time in artifacts if not vault.holds(artifact.sha256)]
    sessions = _sessions(reader, [artifact.session for artifact, _ in missing])
    for artifact, time in missing:
        session = sessions[artifact.session]
        yield of_evidence(artifact, session, time, reader.policy_at(session.policy), now)


def _sessions(reader: Reader, ids: Sequence[str]) -> dict[str, Session]:
    """Load sessions in one query; return them by id."""
    where = "WHERE id IN (SELECT value FROM json_each(?))"
    rows = _fetch(reader, f"{SESSION.select} {where}", to_json(ids))
    sessions = [SESSION.read(row, reader.currency) for row in rows]
    return {session.id: session for session in sessions}


def _fetch(reader: Reader, statement: str, *values: object) -> Iterable[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = reader.db.execute(statement, values).fetchall()
    return rows


def _subject(deadline: Deadline) -> tuple[str, str] | None:
    """Return the kind and id of the session, request or customer of a deadline, if any."""
    if deadline.session:
        return "session", deadline.session
    if deadline.kind == "erasure_request":
        return "customer", deadline.thing
    return (
        ("request", deadline.thing) if deadline.kind in ("request_expiry", "slot_start") else None
    )


def _about(
    reader: Reader, deadlines: Iterable[Deadline]
) -> dict[tuple[str, str] | None, dict[str, Any]]:
    """Return the customers and titles of the deadlines' sessions and requests."""
    subjects = {subject for deadline in deadlines if (subject := _subject(deadline))}
    rows: dict[tuple[str, str] | None, dict[str, Any]] = {}
    for kind, statement in (("session", _ABOUT_SESSIONS), ("request", _ABOUT_REQUESTS)):
        ids = sorted(name for subject_kind, name in subjects if subject_kind == kind)
        rows |= {(kind, row["id"]): row for row in reader.all(statement, to_json(ids))}
    return rows


def _row(
    deadline: Deadline,
    about: Mapping[str, Any] | None,
    details: Mapping[str, CustomerDetail],
    now: datetime,
) -> DueRow:
    customer = details[about["customer"]] if about else None
    return DueRow(
        kind=deadline.kind,
        id=deadline.thing,
        due=deadline.due,
        left_seconds=deadline.due - now if deadline.due else None,
        asks=deadline.asks,
        amount=deadline.amount,
        currency=deadline.amount.currency if deadline.amount else None,
        customer=about["customer"] if about else None,
        customer_name=customer.name if customer else None,
        title=personal(about["opened_body"]).get(about["worded"]) if about else None,
        means=deadline.means,
        command=deadline.command,
        due_on=deadline.due_on,
        customer_id=about["customer"] if about else None,
    )
