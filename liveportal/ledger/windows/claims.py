"""Refund claims and disputes: what is held, what it would cost, what it did cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from liveportal.domain.clock import from_text, shifted
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.domain.refunds import UNDECIDED, cost_of
from liveportal.ledger.reader import Reader, Row, instant, personal
from liveportal.ledger.rows import SESSION
from liveportal.ledger.windows.history import history
from liveportal.ledger.windows.people import customer

FIELDS = (
    *("id", "session", "state", "amount", "held", "cost", "currency", "claimed_at", "late"),
    *("answer_by", "disputed_at", "decided_at", "customer", "customer_name", "reason"),
)
SHOW_FIELDS = (*FIELDS, "summary", "silence", "history")
RESULT_FIELDS = ("session", "amount", "held", "cost", "currency")

_SELECT = """
    SELECT claim.*, session.customer, session.currency, policy.document,
           made.body AS claim_body, described.body AS described_body
    FROM claim
    JOIN session ON session.id = claim.session
    JOIN policy ON policy.seq = session.policy
    JOIN customer ON customer.id = session.customer
    LEFT JOIN statement ON statement.thing = 'claim:' || claim.id
        AND statement.type = 'refund.claimed' AND statement.confirms IS NULL
    LEFT JOIN event_personal AS made ON made.seq = statement.seq
    LEFT JOIN event_personal AS described ON described.seq = customer.described_seq
"""


def claims(reader: Reader, *, states: Sequence[str] = (), disputed_only: bool = False) -> list[Row]:
    """Return the claims by when they were made; of the given states, or all."""
    conditions = [f"claim.state IN ({', '.join('?' * len(states))})"] if states else []
    if disputed_only:
        conditions.append("EXISTS (SELECT 1 FROM dispute WHERE dispute.claim = claim.id)")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    found = reader.all(f"{_SELECT}{where} ORDER BY claim.claimed_at, claim.id", *states)
    return [_row(reader, each) for each in found]


def claim(reader: Reader, claim_id: str) -> Row:
    """Return one claim with its dispute, and its history."""
    (found,) = reader.all(f"{_SELECT} WHERE claim.id = ?", claim_id)
    happened = history(reader, f"claim:{claim_id}")
    summaries = [
        each["data"].get("summary") for each in happened if each["type"] == "dispute.filed"
    ]
    policy = Policy.from_document(json.loads(found["document"]))
    return _row(reader, found) | {
        "summary": summaries[-1] if summaries and found["disputed_at"] else None,
        "silence": str(policy.dispute.silence),
        "history": happened,
    }


def result(reader: Reader, claim_id: str) -> Row:
    """Return what a claim's own steps show once they are done."""
    (found,) = reader.all(f"{_SELECT} WHERE claim.id = ?", claim_id)
    row = _row(reader, found)
    return {name: row[name] for name in RESULT_FIELDS}


def _row(reader: Reader, found: dict[str, Any]) -> Row:
    undecided = found["state"] in UNDECIDED
    currency = found["currency"]
    policy = Policy.from_document(json.loads(found["document"]))
    claimed_at = from_text(found["claimed_at"])
    hours = policy.dispute.window_hours
    cost_minor = _cost_now(reader, found, policy) if undecided else found["cost_minor"]
    return {
        "id": found["id"],
        "session": found["session"],
        "state": found["state"],
        "amount": Money(found["amount_minor"], currency),
        "held": Money(found["hold_minor"] if undecided else 0, currency),
        "cost": Money(cost_minor, currency),
        "currency": currency,
        "claimed_at": claimed_at,
        "late": bool(found["late"]),
        "answer_by": shifted(claimed_at, timedelta(hours=hours)) if undecided and hours else None,
        "disputed_at": instant(found["disputed_at"]),
        "decided_at": instant(found["decided_at"]),
        "customer": found["customer"],
        "customer_name": customer(reader, found["customer"], found["described_body"]).get("name"),
        "reason": personal(found["claim_body"]).get("reason"),
    }


def _cost_now(reader: Reader, found: dict[str, Any], policy: Policy) -> int:
    """Return what the claim would cost if it were decided against the expert now."""
    row = reader.db.execute(f"{SESSION.select} WHERE id = ?", (found["session"],)).fetchone()
    return cost_of(found["amount_minor"], SESSION.read(row), policy)
