"""Refund claims and disputes: held amounts, costs and deadlines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from liveportal.domain.calculations.claim_answers import (
    NO_DEADLINE,
    DisputeRecord,
    answer_by,
    if_silent,
    next_step,
)
from liveportal.domain.calculations.refund_window import cost_of, window_closes
from liveportal.domain.clock import from_text
from liveportal.domain.entities import UNDECIDED, ClaimState, Session
from liveportal.domain.errors import UnknownEntity
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.queries.customers import customers
from liveportal.ledger.queries.history import HistoryRow, history
from liveportal.ledger.queries.reader import Reader, instant


@row
class ClaimRow(Row):
    """A refund claim as lists show it; `cost` is what it may cost while it is undecided."""

    id: str
    session: str
    state: str
    amount: Money
    held: Money
    cost: Money
    currency: str
    claimed_at: datetime
    late: bool
    answer_by: datetime | None
    disputed_at: datetime | None
    decided_at: datetime | None
    customer: str
    customer_name: str | None
    reason: str | None
    left_seconds: timedelta | None
    deadline: datetime | str | None
    window_closes: datetime | None
    late_by_seconds: timedelta | None
    earlier_claims: int
    title: str | None
    customer_id: str

    LATER = ("customer_id",)


@row
class EarlierClaim(Row):
    """A claim that the same customer made before."""

    claim: str
    session: str
    state: str
    amount: Money
    claimed_at: datetime


@row
class ClaimDetail(ClaimRow):
    """A claim with its dispute, the expert's next step, and its history."""

    summary: str | None
    silence: str
    history: list[HistoryRow]
    next: str
    if_silent: str | None
    earlier: list[EarlierClaim]
    record: DisputeRecord
    warning: str | None
    artifacts: int


@row
class OpenBalance(Row):
    """What the platform owes and holds."""

    owed: Money
    held: Money


@row
class ClaimResult(Row):
    """What commands show after they changed a claim: its amounts, and the balance."""

    session: str
    amount: Money
    held: Money
    cost: Money
    currency: str
    balance: OpenBalance


_SELECT = f"""
    SELECT claim.*, session.customer, session.currency, session.policy,
           made.body AS claim_body, described.body AS described_body, opened.body AS opened_body,
           (SELECT count(*) FROM claim AS before
            JOIN session AS theirs ON theirs.id = before.session
            WHERE theirs.customer = session.customer
                AND (before.claimed_at, before.id) < (claim.claimed_at, claim.id)
           ) AS earlier_claims,
           {", ".join(f'session."{name}" AS "session_{name}"' for name in SESSION.columns)}
    FROM claim
    JOIN session ON session.id = claim.session
    JOIN customer ON customer.id = session.customer
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN statement ON statement.thing = 'claim:' || claim.id
        AND statement.type = 'refund.claimed' AND statement.confirms IS NULL
    LEFT JOIN event_personal AS made ON made.seq = statement.seq
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
    LEFT JOIN event_personal AS opened
        ON opened.seq = coalesce(request.opened_seq, session.agreed_seq)
"""  # noqa: S608 (names of our own)
_EARLIER = """
    SELECT claim.id, claim.session, claim.state, claim.amount_minor, claim.claimed_at
    FROM claim JOIN session ON session.id = claim.session
    WHERE session.customer = ?1 AND (claim.claimed_at, claim.id) < (?2, ?3)
    ORDER BY claim.claimed_at, claim.id
"""
_RECORD = """
    SELECT (SELECT count(*) FROM dispute) AS filed,
           (SELECT count(*) FROM claim WHERE state = 'accepted') AS accepted,
           (SELECT count(*) FROM claim WHERE state = 'rejected') AS rejected,
           (SELECT count(*) FROM statement WHERE type = 'dispute.withdrawn' AND confirms IS NULL)
               AS withdrawn
"""
_BALANCE = "SELECT coalesce(sum(owed), 0) AS owed, coalesce(sum(held), 0) AS held FROM month_money"


def claims(
    reader: Reader, now: datetime, *, states: Sequence[str] = (), disputed_only: bool = False
) -> list[ClaimRow]:
    """Return the claims of the given states, or all, ordered by when they were made."""
    conditions = [f"claim.state IN ({', '.join('?' * len(states))})"] if states else []
    if disputed_only:
        conditions.append("EXISTS (SELECT 1 FROM dispute WHERE dispute.claim = claim.id)")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = reader.all(f"{_SELECT}{where} ORDER BY claim.claimed_at, claim.id", *states)
    return _rows(reader, rows, now)


def claim(reader: Reader, claim_id: str, now: datetime) -> ClaimDetail:
    """Return one claim with its dispute, the expert's next step, and its history."""
    (claim_row,) = reader.all(f"{_SELECT} WHERE claim.id = ?", claim_id)
    (listed,) = _rows(reader, [claim_row], now)
    events = history(reader, f"claim:{claim_id}")
    summaries = [
        event.data.get("summary")
        for event in events
        if event.type == "dispute.filed" and not event.confirms
    ]
    policy = reader.policy_at(claim_row["policy"])
    disputes = dispute_history(reader)
    return ClaimDetail(
        **listed,
        summary=summaries[-1] if summaries and listed.disputed_at else None,
        silence=str(policy.dispute.silence),
        history=events,
        next=next_step(listed.state, listed.cost),
        if_silent=if_silent(listed.state, listed.cost, policy),
        earlier=_earlier(reader, claim_row),
        record=disputes,
        warning=disputes.warning if listed.state == ClaimState.OPEN else None,
        artifacts=_count_artifacts(reader, listed.session),
    )


def dispute_history(reader: Reader) -> DisputeRecord:
    """Return how many disputes the expert has filed, and their outcomes so far."""
    return DisputeRecord(**(reader.one(_RECORD) or {}))


def result_fields(reader: Reader, claim_id: str) -> ClaimResult:
    """Return the fields that commands show after they changed a claim."""
    (claim_row,) = reader.all(f"{_SELECT} WHERE claim.id = ?", claim_id)
    return ClaimResult(
        session=claim_row["session"],
        **_amounts(reader, claim_row),
        currency=claim_row["currency"],
        balance=open_balance(reader),
    )


_ON_SESSION = """
    SELECT id FROM claim WHERE session = ?
    ORDER BY state IN ('open', 'disputed') DESC, claimed_at DESC, id DESC LIMIT 1
"""


def resolve_claim(reader: Reader, text: str) -> str:
    """Return the claim that a text names by its id or by that of its session, or by a prefix.

    A session names its undecided claim or, if it has none, its latest one. Raises `UnknownEntity`
    and `AmbiguousPrefix`.
    """
    try:
        return reader.resolve_id("claim", text)
    except UnknownEntity:
        try:
            session = reader.resolve_id("session", text)
        except UnknownEntity:
            session = None
        if session is None:
            raise
    if found := reader.one(_ON_SESSION, session):
        return str(found["id"])
    raise UnknownEntity(
        f"Session {session} has no refund claim.",
        hint=Hint.listing("claim"),
        kind="claim",
        id=text,
    )


def reason_of(reader: Reader, claim_id: str) -> str | None:
    """Return the customer's reason for a claim, until it is erased."""
    (claim_row,) = reader.all(f"{_SELECT} WHERE claim.id = ?", claim_id)
    reason: str | None = personal(claim_row["claim_body"]).get("reason")
    return reason


def open_balance(reader: Reader) -> OpenBalance:
    """Return what the platform owes and holds."""
    (balance,) = reader.all(_BALANCE)
    return OpenBalance(owed=reader.money(balance["owed"]), held=reader.money(balance["held"]))


def _rows(reader: Reader, rows: Sequence[dict[str, Any]], now: datetime) -> list[ClaimRow]:
    details = customers(reader, {row["customer"]: row["described_body"] for row in rows})
    return [_row(reader, row, details[row["customer"]].name, now) for row in rows]


def _row(
    reader: Reader, claim_row: dict[str, Any], customer_name: str | None, now: datetime
) -> ClaimRow:
    policy = reader.policy_at(claim_row["policy"])
    claimed_at, is_open = from_text(claim_row["claimed_at"]), claim_row["state"] == ClaimState.OPEN
    deadline = answer_by(claimed_at, policy) if is_open else None
    closes = window_closes(_session(reader, claim_row), policy)
    return ClaimRow(
        id=claim_row["id"],
        session=claim_row["session"],
        state=claim_row["state"],
        **_amounts(reader, claim_row),
        currency=claim_row["currency"],
        claimed_at=claimed_at,
        late=bool(claim_row["late"]),
        answer_by=deadline,
        disputed_at=instant(claim_row["disputed_at"]),
        decided_at=instant(claim_row["decided_at"]),
        customer=claim_row["customer"],
        customer_name=customer_name,
        reason=personal(claim_row["claim_body"]).get("reason"),
        left_seconds=deadline - now if deadline else None,
        deadline=(deadline or NO_DEADLINE) if is_open else None,
        window_closes=closes,
        late_by_seconds=claimed_at - closes if closes and closes < claimed_at else None,
        earlier_claims=claim_row["earlier_claims"],
        title=personal(claim_row["opened_body"]).get("title"),
        customer_id=claim_row["customer"],
    )


def _amounts(reader: Reader, row: dict[str, Any]) -> dict[str, Money]:
    """Return the claimed amount, the held amount, and the cost (expected while undecided)."""
    undecided = row["state"] in UNDECIDED
    currency = reader.currency_called(row["currency"])
    policy = reader.policy_at(row["policy"])
    cost_minor = row["cost_minor"]
    if undecided:
        cost_minor = cost_of(row["amount_minor"], _session(reader, row).refunded_minor, policy)
    return {
        "amount": Money(row["amount_minor"], currency),
        "held": Money(row["hold_minor"] if undecided else 0, currency),
        "cost": Money(cost_minor, currency),
    }


def _session(reader: Reader, row: dict[str, Any]) -> Session:
    values = [row[f"session_{name}"] for name in SESSION.columns]
    return SESSION.read(values, reader.currency)


def _earlier(reader: Reader, claim_row: dict[str, Any]) -> list[EarlierClaim]:
    rows = reader.all(_EARLIER, claim_row["customer"], claim_row["claimed_at"], claim_row["id"])
    return [
        EarlierClaim(
            claim=row["id"],
            session=row["session"],
            state=row["state"],
            amount=reader.money(row["amount_minor"]),
            claimed_at=from_text(row["claimed_at"]),
        )
        for row in rows
    ]


def _count_artifacts(reader: Reader, session_id: str) -> int:
    (row,) = reader.all("SELECT count(*) AS n FROM artifact WHERE session = ?", session_id)
    count: int = row["n"]
    return count
