"""What the platform billed against our own reckoning, session by session."""

from __future__ import annotations

from liveportal.domain.earnings import minutes_text
from liveportal.domain.money import Money
from liveportal.domain.readings import explanations
from liveportal.domain.things import Session
from liveportal.ledger.reader import Reader, Row
from liveportal.ledger.rows import SESSION

FIELDS = (
    *("session", "customer", "month", "start", "end", "minutes", "rate", "billed", "expected"),
    *("difference", "currency", "policy", "explained_by"),
)

_ENDED = f"""
    {SESSION.select} WHERE period BETWEEN ? AND ? AND (? OR gross_minor <> expected_minor)
    ORDER BY start, agreed_seq
"""


def checked(reader: Reader, first: str, last: str, *, everything: bool) -> list[Row]:
    """Return the sessions of the months whose bill is not what we reckon, or every one."""
    found = reader.db.execute(_ENDED, (first, last, everything)).fetchall()
    return [_row(reader, SESSION.read(row, reader.currency)) for row in found]


def _row(reader: Reader, session: Session) -> Row:
    policy = reader.policy_at(session.policy)
    difference = session.gross_minor - session.expected_minor
    readings = explanations(session, policy) if difference else ()
    return {
        "session": session.id,
        "customer": session.customer,
        "month": session.period,
        "start": session.start,
        "end": session.end,
        "minutes": minutes_text(session.billed_us),
        "rate": session.rate,
        "billed": Money(session.gross_minor, session.currency),
        "expected": Money(session.expected_minor, session.currency),
        "difference": Money(difference, session.currency),
        "currency": session.currency,
        "policy": policy.name,
        "explained_by": [f"{switch} = {reading}" for switch, reading in readings],
    }
