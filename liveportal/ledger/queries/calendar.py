"""Sessions as calendars want them: each with how often its time changed, and when it last did."""

from __future__ import annotations

from liveportal.domain.calculations.live_session import expected
from liveportal.ledger.format.personal_data import personal
from liveportal.ledger.queries import sessions
from liveportal.ledger.queries.agenda import every_session
from liveportal.ledger.queries.reader import Reader, Row, instant
from liveportal.ledger.queries.session_filter import LAST_SEQ

# Changes are what moves a session, or decides whether it is at all. A name counts for it, too, even
# where a later request told it.
_TOLD = f"""
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


def book(reader: Reader) -> str:
    """Return the book's name for ever: from the hash of its first event; no two have the same."""
    first = reader.one("SELECT hash FROM event ORDER BY seq LIMIT 1")
    return first["hash"][:16].hex() if first else ""


def planned_and_held(reader: Reader) -> list[Row]:
    """Return every session as it was agreed, one after the other, with what calendars need more.

    That is `changes` and `changed_at`, the request's `description`, and `expected_earned`.
    """
    rows = {str(row["id"]): row for row in sessions.sessions(reader)}
    told = {each["id"]: each for each in reader.all(_TOLD)}
    return [
        rows[thing.id]
        | {
            "changes": told[thing.id]["changes"],
            "changed_at": instant(told[thing.id]["recorded_at"]),
            "description": personal(told[thing.id]["body"]).get("description"),
            "expected_earned": expected(thing, reader.policy_at(thing.policy)),
        }
        for thing in every_session(reader)
    ]
