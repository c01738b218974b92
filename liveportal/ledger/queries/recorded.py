"""What a sentence about a recorded event says beside its result row: people, times and amounts.

Read in the transaction that records the event, and only for a person at a terminal.
"""

from __future__ import annotations

from datetime import datetime

from liveportal.domain.calculations.claim_answers import answer_by, if_silent
from liveportal.domain.calculations.live_session import expected
from liveportal.domain.calculations.refund_window import window_closes
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.queries import claims, payouts
from liveportal.ledger.queries.customers import CustomerDetail, customers
from liveportal.ledger.queries.live_figures import LiveFigures, figures
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.requests import RequestDetail, request
from liveportal.ledger.queries.sessions import SessionSummary, session_summary
from liveportal.ledger.queries.short_ids import LASTING_PREFIX, short_ids


@row
class SessionFacts(Row):
    """A session after an event: `would_earn` is for as long as planned; None without a plan."""

    short: str
    summary: SessionSummary
    customer: CustomerDetail
    figures: LiveFigures
    would_earn: Money | None
    claims_until: datetime | None


@row
class RequestFacts(Row):
    """A request after an event, and the session that was agreed."""

    short: str
    detail: RequestDetail
    session: SessionFacts | None


@row
class ClaimFacts(Row):
    """A claim after an event; `held` is what it held until it was decided, or holds."""

    short: str
    row: claims.ClaimResult
    reason: str | None
    session: SessionFacts
    held: Money
    answer_by: datetime | None
    if_silent: str | None
    owed: Money


@row
class PayoutFacts(Row):
    """A payout after an event: what it pays, and what is owed after it."""

    short: str
    detail: payouts.PayoutDetail
    owed: Money


def short_id(reader: Reader, entity_id: str) -> str:
    """Return how an answer names an entity: a long id by a form that no later id has."""
    return short_ids(reader, [entity_id], at_least=LASTING_PREFIX).get(entity_id, entity_id)


def session_facts(reader: Reader, session_id: str, at: datetime) -> SessionFacts:
    """Return what is said of a session at an instant."""
    found = reader.db.execute(f"{SESSION.select} WHERE id = ?", (session_id,)).fetchone()
    session = SESSION.read(found, reader.currency)
    policy = reader.policy_at(session.policy)
    summary = session_summary(reader, session_id)
    return SessionFacts(
        short=short_id(reader, session_id),
        summary=summary,
        customer=customer_of(reader, summary.customer),
        figures=figures(reader, session_id, at),
        would_earn=expected(session, policy),
        claims_until=window_closes(session, policy) if session.gross_minor else None,
    )


def request_facts(reader: Reader, request_id: str, at: datetime) -> RequestFacts:
    """Return what is said of a request at an instant."""
    detail = request(reader, request_id, at)
    return RequestFacts(
        short=short_id(reader, request_id),
        detail=detail,
        session=session_facts(reader, detail.session, at) if detail.session else None,
    )


def claim_facts(reader: Reader, claim_id: str, at: datetime) -> ClaimFacts:
    """Return what is said of a claim at an instant."""
    row = claims.result_fields(reader, claim_id)
    (found,) = reader.all(
        "SELECT claim.state, hold_minor, claimed_at, session.policy FROM claim"
        " JOIN session ON session.id = claim.session WHERE claim.id = ?",
        claim_id,
    )
    policy = reader.policy_at(found["policy"])
    is_open = found["state"] == "open"
    return ClaimFacts(
        short=short_id(reader, claim_id),
        row=row,
        reason=claims.reason_of(reader, claim_id),
        session=session_facts(reader, row.session, at),
        held=reader.money(found["hold_minor"]),
        answer_by=answer_by(datetime.fromisoformat(found["claimed_at"]), policy)
        if is_open
        else None,
        if_silent=if_silent(found["state"], row.cost, policy) if is_open else None,
        owed=row.balance.owed,
    )


def payout_facts(reader: Reader, payout_id: str, _at: datetime) -> PayoutFacts:
    """Return what is said of a payout."""
    return PayoutFacts(
        short=short_id(reader, payout_id),
        detail=payouts.payout(reader, payout_id),
        owed=claims.open_balance(reader).owed,
    )


def customer_of(reader: Reader, customer_id: str) -> CustomerDetail:
    """Return a customer's details."""
    found = reader.one(
        "SELECT body FROM customer LEFT JOIN event_personal ON seq = described_seq WHERE id = ?",
        customer_id,
    )
    return customers(reader, {customer_id: found["body"] if found else None})[customer_id]
