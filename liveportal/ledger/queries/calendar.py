"""Sessions for calendar exports, with the number of changes and the time of the last one."""

from __future__ import annotations

from datetime import datetime

from liveportal.domain.calculations.live_session import expected
from liveportal.domain.clock import from_text
from liveportal.domain.money import Money
from liveportal.domain.row import extend, row
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries.agenda import every_session
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.session_filter import LAST_SEQ
from liveportal.ledger.queries.sessions import SessionRow, sessions

# `changes` counts the events that move a session or decide whether it takes place. The time of the
# last change also covers the customer's name, even if a later request reported it.
_CHANGES = f"""
    SELECT session.id, opened.body, event.recorded_at, (
        SELECT count(*) FROM statement
        WHERE thing = 'session:' || session.id AND confirms IS NULL AND statement.type IN (
            'session.rescheduled', 'session.cancelled', 'session.missed', 'session.started',
            'session.ended', 'session.corrected'
        )
    ) AS changes
    FROM session
    JOIN customer ON customer.id = session.customer
    JOIN event ON event.seq = max(customer.described_seq, {LAST_SEQ})
    LEFT JOIN request ON request.id = session.request
    LEFT JOIN event_personal AS opened ON opened.seq = request.opened_seq
"""  # noqa: S608 (an expression of our own)


@row
class CalendarSession(SessionRow):
    """A session with what a calendar shows.

    `changes` counts the changes of its time and state, `changed_at` is when the last event about it
    was recorded.
    """

    changes: int
    changed_at: datetime
    description: str | None
    expected_earned: Money | None


def book_name(reader: Reader) -> str:
    """Return the book's permanent, unique name, derived from the hash of its first event."""
    first = reader.one("SELECT hash FROM event ORDER BY seq LIMIT 1")
    return first["hash"][:16].hex() if first else ""


def calendar_sessions(reader: Reader) -> list[CalendarSession]:
    """Return all sessions in the order in which they were agreed."""
    rows = {row.id: row for row in sessions(reader)}
    details = {row["id"]: row for row in reader.all(_CHANGES)}
    return [
        extend(
            CalendarSession,
            rows[session.id],
            changes=details[session.id]["changes"],
            changed_at=from_text(details[session.id]["recorded_at"]),
            description=personal(details[session.id]["body"]).get("description"),
            expected_earned=expected(session, reader.policy_at(session.policy)),
        )
        for session in every_session(reader)
    ]
