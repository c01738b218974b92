"""Erase a customer's personal data from the rows; the facts and the digests stay.

The events that concern a customer are those about the customer, their requests, sessions and
claims, and the reversals of any of these. Their CloudEvents attributes are erased too. All schema
versions are supported, because the copies kept before an upgrade are erased as well.
"""

from __future__ import annotations

from liveportal.domain.events.envelope import EventData
from liveportal.domain.events.types import CustomerForgotten, EntryReversed, ErasureRequested
from liveportal.domain.frozen import frozen
from liveportal.domain.handlers.context import RuleContext
from liveportal.ledger.storage.driver import Connection

# ?1 is the customer.
_CUSTOMER_EVENTS = f"""
    WITH stated (seq) AS (
        SELECT seq FROM statement WHERE thing IN (
            SELECT 'request:' || id FROM request WHERE customer = ?1
            UNION ALL SELECT 'session:' || id FROM session WHERE customer = ?1
            UNION ALL SELECT 'claim:' || claim.id FROM claim
                JOIN session ON session.id = claim.session WHERE customer = ?1
            UNION ALL SELECT 'customer:' || ?1
        )
    ), theirs (seq) AS (
        SELECT seq FROM stated
        UNION ALL SELECT statement.seq FROM reversal
            JOIN event ON event.seq = reversal.reversed_seq
            JOIN statement ON statement.thing = 'event:' || event.source || ' ' || event.id
                AND statement.type = '{EntryReversed.TYPE}'
            WHERE reversal.reversed_seq IN (SELECT seq FROM stated)
    )
"""  # noqa: S608 (the type is a constant)
_ARTIFACTS = """
    SELECT artifact.seq FROM artifact JOIN session ON session.id = artifact.session
    WHERE customer = ?1
"""
_MESSAGES = f"FROM message WHERE artifact IN ({_ARTIFACTS})"
_MISSING_FILES = f"FROM missing_file WHERE artifact IN ({_ARTIFACTS})"
_PERSONAL_DATA = "FROM event_personal WHERE seq IN (SELECT seq FROM theirs)"
_ERASED_EVENTS = (
    "FROM event WHERE seq > ?3 AND seq < ?2 AND seq IN (SELECT seq FROM theirs)"
    " AND personal_digest <> x''"
)
_LAST_ERASURE = """
    SELECT seq FROM statement WHERE thing = 'customer:' || ? AND type = ? AND confirms IS NULL
    ORDER BY seq DESC LIMIT 1
"""


@frozen
class PersonalDataExtent:
    """The number of events and messages that hold personal data of a customer."""

    events: int
    messages: int

    def __bool__(self) -> bool:
        return bool(self.events or self.messages)


def extent_of(db: Connection, customer: str) -> PersonalDataExtent:
    """Count the events and messages that hold a customer's personal data."""
    values = (customer,)
    return PersonalDataExtent(
        _count(db, f"{_CUSTOMER_EVENTS} SELECT count(*) {_PERSONAL_DATA}", *values),
        _count(db, f"SELECT count(*) {_MESSAGES}", *values),
    )


def erase(db: Connection, customer: str) -> PersonalDataExtent:
    """Erase a customer's personal data, inside the caller's transaction; return its extent."""
    values = (customer,)
    messages = 0
    if _has_table(db, "missing_file"):
        db.execute(f"DELETE {_MISSING_FILES}", values)
    if _has_table(db, "message"):
        messages = db.execute(f"DELETE {_MESSAGES}", values).rowcount
        if messages:
            from liveportal.ledger.attachments import (
                message_index,  # Imported here so that other writes do not pay for it.
            )

            message_index.rebuild(db)  # Otherwise the words would remain in its pages.
    return PersonalDataExtent(
        db.execute(f"{_CUSTOMER_EVENTS} DELETE {_PERSONAL_DATA}", values).rowcount, messages
    )


def erased_by(db: Connection, customer: str, seq: int) -> int:
    """Return the number of events that had personal data erased by erasure event `seq`."""
    earlier = db.execute(
        "SELECT coalesce(max(seq), 0) FROM statement WHERE thing = 'customer:' || ? AND type = ?"
        " AND confirms IS NULL AND seq < ?",
        (customer, CustomerForgotten.TYPE, seq),
    ).fetchone()[0]
    return _count(
        db, f"{_CUSTOMER_EVENTS} SELECT count(*) {_ERASED_EVENTS}", customer, seq, earlier
    )


def has_files(db: Connection, customer: str) -> bool:
    """Return True if any file was ever recorded for a customer's sessions."""
    return bool(
        _count(
            db,
            "SELECT count(*) FROM artifact JOIN session ON session.id = artifact.session"
            " WHERE customer = ?",
            customer,
        )
    )


def last_erasure_seq(db: Connection, customer: str) -> int | None:
    """Return the `seq` of a customer's last erasure event, or None."""
    row = db.execute(_LAST_ERASURE, (customer, CustomerForgotten.TYPE)).fetchone()
    return row[0] if row else None


def is_requested(db: Connection, customer: str) -> bool:
    """Return True if a customer's erasure request has not been carried out yet."""
    row = db.execute(
        "SELECT 1 FROM statement WHERE thing = 'customer:' || ? AND type = ? AND confirms IS NULL"
        " AND seq > ? LIMIT 1",
        (customer, ErasureRequested.TYPE, last_erasure_seq(db, customer) or 0),
    ).fetchone()
    return row is not None


def last_erasures(db: Connection) -> dict[str, int]:
    """Return the ids of all forgotten customers with the `seq` of their last erasure event."""
    rows = db.execute(
        "SELECT substr(thing, 10), max(seq) FROM statement WHERE type = ? AND confirms IS NULL"
        " AND thing >= 'customer:' AND thing < 'customer;' GROUP BY thing",
        (CustomerForgotten.TYPE,),
    ).fetchall()
    return dict(rows)


def customer_of(books: RuleContext, data: EventData) -> str | None:
    """Return the id of the customer an event concerns, or None."""
    if isinstance(data, EntryReversed):
        recorded = books.recorded_event(data.event.source, data.event.id)
        return customer_of(books, recorded.event.data) if recorded else None
    kind, _, entity_id = data.entity.partition(":")
    if kind == "customer":
        return entity_id
    session_id = entity_id if kind == "session" else None
    if kind == "request":
        request = books.request(entity_id)
        return request.customer if request else None
    if kind == "claim" and (claim := books.claim(entity_id)):
        session_id = claim.session
    session = books.session(session_id) if session_id else None
    return session.customer if session else None


def _has_table(db: Connection, table: str) -> bool:
    """Return True if the ledger has a table: early schema versions have fewer tables."""
    return bool(_count(db, "SELECT count(*) FROM sqlite_schema WHERE name = ?", table))


def _count(db: Connection, query: str, *values: object) -> int:
    count: int = db.execute(query, values).fetchone()[0]
    return count
