"""Refund claims and disputes: held amounts, costs and deadlines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
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
from liveportal.domain.entities import UNDECIDED, Session
from liveportal.domain.money import Money
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.queries.customers import customers
from liveportal.ledger.queries.history import history
from liveportal.ledger.queries.reader import Reader, Row, instant

FIELDS = (
    *("id", "session", "state", "amount", "held", "cost", "currency", "claimed_at", "late"),
    *("answer_by", "disputed_at", "decided_at", "customer", "customer_name", "reason"),
    *("left_seconds", "deadline", "window_closes", "late_by_seconds", "earlier_claims", "title"),
)
SHOW_FIELDS = (
    *(*FIELDS, "summary", "silence", "history", "next", "if_silent", "earlier", "record"),
    *("warning", "artifacts"),
)
RESULT_FIELDS = ("session", "amount", "held", "cost", "currency", "balance.owed", "balance.held")

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
) -> list[Row]:
    """Return the claims of the given states, or all, ordered by when they were made."""
    conditions = [f"claim.state IN ({', '.join('?' * len(states))})"] if states else []
    if disputed_only:
        conditions.append("EXISTS (SELECT 1 FROM dispute WHERE dispute.claim = claim.id)")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = reader.all(f"{_SELECT}{where} ORDER BY claim.claimed_at, claim.id", *states)
    return _rows(reader, rows, now)


def claim(reader: Reader, claim_id: str, now: datetime) -> Row:
    """Return one claim with its dispute, the expert's next step, and its history."""
    (row,) = reader.all(f"{_SELECT} WHERE claim.id = ?", claim_id)
    (listed,) = _rows(reader, [row], now)
    events = history(reader, f"claim:{claim_id}")
    summaries = [
        event["data"].get("summary")
        for event in events
        if event["type"] == "dispute.filed" and not event["confirms"]
    ]
    policy = reader.policy_at(row["policy"])
    cost = listed["cost"]
    assert isinstance(cost, Money)  # noqa: S101 (a row's values are objects to the type checker)
    disputes = dispute_history(reader)
    return listed | {
        "summary": summaries[-1] if summaries and row["disputed_at"] else None,
        "silence": str(policy.dispute.silence),
        "history": events,
        "next": next_step(row["state"], cost),
        "if_silent": if_silent(row["state"], cost, policy),
        "earlier": _earlier(reader, row),
        "record": {
            "filed": disputes.filed,
            "accepted": disputes.accepted,
            "rejected": disputes.rejected,
            "withdrawn": disputes.withdrawn,
        },
        "warning": disputes.warning if row["state"] == "open" else None,
        "artifacts": _count_artifacts(reader, row["session"]),
    }


def dispute_history(reader: Reader) -> DisputeRecord:
    """Return how many disputes the expert has filed, and their outcomes so far."""
    return DisputeRecord(**(reader.one(_RECORD) or {}))


def result_fields(reader: Reader, claim_id: str) -> Row:
    """Return the fields that commands show after they changed a claim: amounts and the balance."""
    (row,) = reader.all(f"{_SELECT} WHERE claim.id = ?", claim_id)
    amounts = _amounts(reader, row)
    (balance,) = reader.all(_BALANCE)
    return {
        "session": row["session"],
        **amounts,
        "currency": row["currency"],
        "balance": {name: reader.money(minor) for name, minor in balance.items()},
    }


def _rows(reader: Reader, rows: Sequence[dict[str, Any]], now: datetime) -> list[Row]:
    details = customers(reader, {row["customer"]: row["described_body"] for row in rows})
    return [_row(reader, row, details[row["customer"]], now) for row in rows]


def _row(reader: Reader, row: dict[str, Any], details: Mapping[str, Any], now: datetime) -> Row:
    policy = reader.policy_at(row["policy"])
    claimed_at = from_text(row["claimed_at"])
    deadline = answer_by(claimed_at, policy) if row["state"] == "open" else None
    closes = window_closes(_session(reader, row), policy)
    return {
        "id": row["id"],
        "session": row["session"],
        "state": row["state"],
        **_amounts(reader, row),
        "currency": row["currency"],
        "claimed_at": claimed_at,
        "late": bool(row["late"]),
        "answer_by": deadline,
        "disputed_at": instant(row["disputed_at"]),
        "decided_at": instant(row["decided_at"]),
        "customer": row["customer"],
        "customer_name": details.get("name"),
        "reason": personal(row["claim_body"]).get("reason"),
        "left_seconds": deadline - now if deadline else None,
        "deadline": (deadline or NO_DEADLINE) if row["state"] == "open" else None,
        "window_closes": closes,
        "late_by_seconds": claimed_at - closes if closes and closes < claimed_at else None,
        "earlier_claims": row["earlier_claims"],
        "title": personal(row["opened_body"]).get("title"),
    }


def _amounts(reader: Reader, row: dict[str, Any]) -> dict[str, Money]:
    """Return the claimed amount, the held amount, and the cost (expected while undecided)."""
    undecided = row["state"] in UNDECIDED
    currency = reader.currency_called(row["currency"])
    policy = reader.policy_at(row["policy"])
    cost_minor = row["cost_minor"]
    if undecided:
        cost_minor = cost_of(row["amount_minor"], _session(reader, row), policy)
    return {
        "amount": Money(row["amount_minor"], currency),
        "held": Money(row["hold_minor"] if undecided else 0, currency),
        "cost": Money(cost_minor, currency),
    }


def _session(reader: Reader, row: dict[str, Any]) -> Session:
    values = [row[f"session_{name}"] for name in SESSION.columns]
    return SESSION.read(values, reader.currency)


def _earlier(reader: Reader, claim_row: dict[str, Any]) -> list[dict[str, object]]:
    rows = reader.all(_EARLIER, claim_row["customer"], claim_row["claimed_at"], claim_row["id"])
    return [
        {
            "claim": row["id"],
            "session": row["session"],
            "state": row["state"],
            "amount": reader.money(row["amount_minor"]),
            "claimed_at": instant(row["claimed_at"]),
        }
        for row in rows
    ]


def _count_artifacts(reader: Reader, session_id: str) -> int:
    (row,) = reader.all("SELECT count(*) AS n FROM artifact WHERE session = ?", session_id)
    count: int = row["n"]
    return count
