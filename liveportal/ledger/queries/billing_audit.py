"""Compares the platform's bills with our own calculation, session by session."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.entities import Session
from liveportal.domain.interpretations import explanations
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.ledger.format.row_mapping import SESSION
from liveportal.ledger.queries.customers import customers_by_id
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from liveportal.domain.events.types import SessionCorrected


@row
class AuditRow(Row):
    """The bill of an ended session, and our own calculation.

    `explained_by` are the switches of the policy with which our calculation would be the bill.
    `reported` is a bill that differs from the booked one and could not be booked because a
    correction or a refund came first.
    """

    session: str
    customer: str
    month: str | None
    start: datetime | None
    end: datetime | None
    minutes: str
    rate: Money
    billed: Money
    expected: Money
    difference: Money
    currency: str
    policy: str
    explained_by: list[str]
    reported: Money | None
    customer_id: str
    customer_name: str | None


_ENDED = f"""
    {SESSION.select} WHERE period BETWEEN ? AND ?
        AND (? OR gross_minor <> expected_minor OR flags LIKE '%"billed_differs"%')
    ORDER BY start, agreed_seq
"""
_REPORTED = """
    SELECT event.facts FROM statement JOIN event USING (seq)
    WHERE thing = 'session:' || ? AND confirms IS NOT NULL
        AND statement.type IN ('session.ended', 'session.logged')
    ORDER BY seq DESC
"""


def audit(reader: Reader, first: str, last: str, *, everything: bool) -> list[AuditRow]:
    """Return the sessions of the months whose bill differs from our calculation.

    With `everything`, all sessions are returned.
    """
    rows = reader.db.execute(_ENDED, (first, last, everything)).fetchall()
    sessions = [SESSION.read(row, reader.currency) for row in rows]
    details = customers_by_id(reader, (session.customer for session in sessions))
    return [_row(reader, session, details[session.customer].name) for session in sessions]


def _row(reader: Reader, session: Session, customer_name: str | None) -> AuditRow:
    policy = reader.policy_at(session.policy)
    difference = session.gross_minor - session.expected_minor
    interpretations = explanations(session, policy) if difference else ()
    return AuditRow(
        session=session.id,
        customer=session.customer,
        month=session.period,
        start=session.start,
        end=session.end,
        minutes=minutes_text(session.billed_us),
        rate=session.rate,
        billed=Money(session.gross_minor, session.currency),
        expected=Money(session.expected_minor, session.currency),
        difference=Money(difference, session.currency),
        currency=session.currency,
        policy=policy.name,
        explained_by=[f"{switch} = {value}" for switch, value in interpretations],
        reported=_unbooked_bill(reader, session),
        customer_id=session.customer,
        customer_name=customer_name,
    )


def _unbooked_bill(reader: Reader, session: Session) -> Money | None:
    if "billed_differs" not in session.flags:
        return None
    for (facts,) in reader.db.execute(_REPORTED, (session.id,)).fetchall():
        if billed := json.loads(facts).get("billed"):
            reported = Money.parse(billed["amount"], session.currency)
            if reported.minor != session.gross_minor:
                return reported
    return None


def calculated(reader: Reader, session_id: str, correction: SessionCorrected) -> Money | None:
    """Return our own calculation of a session with corrected times; None if it has not ended.

    Raises `ImpossibleTime` if the pauses do not fit the times.
    """
    from liveportal.domain.handlers.sessions import (  # The rules are imported only here.
        own_bill,
        right_times,
    )

    row = reader.db.execute(f"{SESSION.select} WHERE id = ?", (session_id,)).fetchone()
    session = SESSION.read(row)
    if session.start is None or session.end is None:
        return None
    return own_bill(right_times(session, correction), reader.policy_at(session.policy))
