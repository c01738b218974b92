"""Refund claims and disputes: what is held, what it costs, by when to answer."""

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
    """Return the claims by when they were made; of the given states, or all."""
    conditions = [f"claim.state IN ({', '.join('?' * len(states))})"] if states else []
    if disputed_only:
        conditions.append("EXISTS (SELECT 1 FROM dispute WHERE dispute.claim = claim.id)")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    found = reader.all(f"{_SELECT}{where} ORDER BY claim.claimed_at, claim.id", *states)
    return _rows(reader, found, now)


def claim(reader: Reader, claim_id: str, now: datetime) -> Row:
    """Return one claim with its dispute, what it asks of the expert, and its history."""
    (found,) = reader.all(f"{_SELECT} WHERE claim.id = ?", claim_id)
    (row,) = _rows(reader, [found], now)
    happened = history(reader, f"claim:{claim_id}")
    summaries = [
        each["data"].get("summary")
        for each in happened
        if each["type"] == "dispute.filed" and not each["confirms"]
    ]
    policy = reader.policy_at(found["policy"])
    cost = row["cost"]
    assert isinstance(cost, Money)  # noqa: S101 (a row's values are objects to the type checker)
    kept = dispute_history(reader)
    return row | {
        "summary": summaries[-1] if summaries and found["disputed_at"] else None,
        "silence": str(policy.dispute.silence),
        "history": happened,
        "next": next_step(found["state"], cost),
        "if_silent": if_silent(found["state"], cost, policy),
        "earlier": _earlier(reader, found),
        "record": {
            "filed": kept.filed,
            "accepted": kept.accepted,
            "rejected": kept.rejected,
            "withdrawn": kept.withdrawn,
        },
        "warning": kept.warning if found["state"] == "open" else None,
        "artifacts": _count_artifacts(reader, found["session"]),
    }


def dispute_history(reader: Reader) -> DisputeRecord:
    """Return how the expert's disputes went so far."""
    return DisputeRecord(**(reader.one(_RECORD) or {}))


def result(reader: Reader, claim_id: str) -> Row:
    """Return what a claim's own steps show once they are done: its money, and the balance then."""
    (found,) = reader.all(f"{_SELECT} WHERE claim.id = ?", claim_id)
    amounts = _amounts(reader, found)
    (balance,) = reader.all(_BALANCE)
    return {
        "session": found["session"],
        **amounts,
        "currency": found["currency"],
        "balance": {name: reader.money(minor) for name, minor in balance.items()},
    }


def _rows(reader: Reader, found: Sequence[dict[str, Any]], now: datetime) -> list[Row]:
    people = customers(reader, {each["customer"]: each["described_body"] for each in found})
    return [_row(reader, each, people[each["customer"]], now) for each in found]


def _row(reader: Reader, found: dict[str, Any], told: Mapping[str, Any], now: datetime) -> Row:
    policy = reader.policy_at(found["policy"])
    claimed_at = from_text(found["claimed_at"])
    until = answer_by(claimed_at, policy) if found["state"] == "open" else None
    closes = window_closes(_session(reader, found), policy)
    return {
        "id": found["id"],
        "session": found["session"],
        "state": found["state"],
        **_amounts(reader, found),
        "currency": found["currency"],
        "claimed_at": claimed_at,
        "late": bool(found["late"]),
        "answer_by": until,
        "disputed_at": instant(found["disputed_at"]),
        "decided_at": instant(found["decided_at"]),
        "customer": found["customer"],
        "customer_name": told.get("name"),
        "reason": personal(found["claim_body"]).get("reason"),
        "left_seconds": until - now if until else None,
        "deadline": (until or NO_DEADLINE) if found["state"] == "open" else None,
        "window_closes": closes,
        "late_by_seconds": claimed_at - closes if closes and closes < claimed_at else None,
        "earlier_claims": found["earlier_claims"],
        "title": personal(found["opened_body"]).get("title"),
    }


def _amounts(reader: Reader, found: dict[str, Any]) -> dict[str, Money]:
    """Return what a claim is for, what is held of it, and what it costs: would cost, or did."""
    undecided = found["state"] in UNDECIDED
    currency = reader.currency_called(found["currency"])
    policy = reader.policy_at(found["policy"])
    cost_minor = found["cost_minor"]
    if undecided:
        cost_minor = cost_of(found["amount_minor"], _session(reader, found), policy)
    return {
        "amount": Money(found["amount_minor"], currency),
        "held": Money(found["hold_minor"] if undecided else 0, currency),
        "cost": Money(cost_minor, currency),
    }


def _session(reader: Reader, found: dict[str, Any]) -> Session:
    row = [found[f"session_{name}"] for name in SESSION.columns]
    return SESSION.read(row, reader.currency)


def _earlier(reader: Reader, found: dict[str, Any]) -> list[dict[str, object]]:
    earlier = reader.all(_EARLIER, found["customer"], found["claimed_at"], found["id"])
    return [
        {
            "claim": row["id"],
            "session": row["session"],
            "state": row["state"],
            "amount": reader.money(row["amount_minor"]),
            "claimed_at": instant(row["claimed_at"]),
        }
        for row in earlier
    ]


def _count_artifacts(reader: Reader, session_id: str) -> int:
    (row,) = reader.all("SELECT count(*) AS n FROM artifact WHERE session = ?", session_id)
    count: int = row["n"]
    return count
