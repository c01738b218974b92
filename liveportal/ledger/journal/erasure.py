"""Forgetting a customer, in the rows: whatever was told of them goes, the facts and digests stay.

What was told of a customer is what was told of their requests, sessions and claims, of the reversal
of any of it, and of the forgetting itself; the CloudEvents attributes of all these go with it. It
works on ledgers of every form, since copies of before an upgrade are forgotten in, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from liveportal.domain.events.envelope import EventData
from liveportal.domain.events.types import CustomerForgotten, EntryReversed, ErasureRequested
from liveportal.domain.handlers.context import RuleContext
from liveportal.ledger.storage.driver import Connection

# ?1 is the customer.
_TOLD = f"""
    WITH told (seq) AS (
        SELECT seq FROM statement WHERE thing IN (
            SELECT 'request:' || id FROM request WHERE customer = ?1
            UNION ALL SELECT 'session:' || id FROM session WHERE customer = ?1
            UNION ALL SELECT 'claim:' || claim.id FROM claim
                JOIN session ON session.id = claim.session WHERE customer = ?1
            UNION ALL SELECT 'customer:' || ?1
        )
    ), theirs (seq) AS (
        SELECT seq FROM told
        UNION ALL SELECT statement.seq FROM reversal
            JOIN event ON event.seq = reversal.reversed_seq
            JOIN statement ON statement.thing = 'event:' || event.source || ' ' || event.id
                AND statement.type = '{EntryReversed.TYPE}'
            WHERE reversal.reversed_seq IN (SELECT seq FROM told)
    )
"""  # noqa: S608 (a type is ours)
_ARTIFACTS = """
    SELECT artifact.seq FROM artifact JOIN session ON session.id = artifact.session
    WHERE customer = ?1
"""
_SAID = f"FROM message WHERE artifact IN ({_ARTIFACTS})"
_MISSING = f"FROM missing_file WHERE artifact IN ({_ARTIFACTS})"
_PERSONAL = "FROM event_personal WHERE seq IN (SELECT seq FROM theirs)"
_ERASED = (
    "FROM event WHERE seq > ?3 AND seq < ?2 AND seq IN (SELECT seq FROM theirs)"
    " AND personal_digest <> x''"
)
_FORGOTTEN = """
    SELECT seq FROM statement WHERE thing = 'customer:' || ? AND type = ? AND confirms IS NULL
    ORDER BY seq DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class PersonalDataExtent:
    """How much personal data there is of a customer: events that tell some, and messages."""

    events: int
    messages: int

    def __bool__(self) -> bool:
        return bool(self.events or self.messages)


def reach(db: Connection, customer: str) -> PersonalDataExtent:
    """Return how much personal data of a customer is there."""
    values = (customer,)
    return PersonalDataExtent(
        _count(db, f"{_TOLD} SELECT count(*) {_PERSONAL}", *values),
        _count(db, f"SELECT count(*) {_SAID}", *values),
    )


def erase(db: Connection, customer: str) -> PersonalDataExtent:
    """Erase what was told of a customer, inside the caller's transaction."""
    values = (customer,)
    messages = 0
    if _has(db, "missing_file"):
        db.execute(f"DELETE {_MISSING}", values)
    if _has(db, "message"):
        messages = db.execute(f"DELETE {_SAID}", values).rowcount
        if messages:
            from liveportal.ledger.attachments import (
                message_index,  # No other write pays for its import.
            )

            message_index.rebuild(db)  # Else the words would stay in its pages.
    return PersonalDataExtent(db.execute(f"{_TOLD} DELETE {_PERSONAL}", values).rowcount, messages)


def erased_by(db: Connection, customer: str, seq: int) -> int:
    """Return of how many events the forgetting that event `seq` tells of erased something."""
    earlier = db.execute(
        "SELECT coalesce(max(seq), 0) FROM statement WHERE thing = 'customer:' || ? AND type = ?"
        " AND confirms IS NULL AND seq < ?",
        (customer, CustomerForgotten.TYPE, seq),
    ).fetchone()[0]
    return _count(db, f"{_TOLD} SELECT count(*) {_ERASED}", customer, seq, earlier)


def has_files(db: Connection, customer: str) -> bool:
    """Tell whether any file was ever told of a customer's sessions."""
    return bool(
        _count(
            db,
            "SELECT count(*) FROM artifact JOIN session ON session.id = artifact.session"
            " WHERE customer = ?",
            customer,
        )
    )


def forgotten_at(db: Connection, customer: str) -> int | None:
    """Return the last event that forgot a customer; None where they never were."""
    row = db.execute(_FORGOTTEN, (customer, CustomerForgotten.TYPE)).fetchone()
    return row[0] if row else None


def is_requested(db: Connection, customer: str) -> bool:
    """Return True if a customer's request to be forgotten was not carried out yet."""
    row = db.execute(
        "SELECT 1 FROM statement WHERE thing = 'customer:' || ? AND type = ? AND confirms IS NULL"
        " AND seq > ? LIMIT 1",
        (customer, ErasureRequested.TYPE, forgotten_at(db, customer) or 0),
    ).fetchone()
    return row is not None


def forgotten(db: Connection) -> dict[str, int]:
    """Return every customer that was forgotten, with the last event that told so."""
    found = db.execute(
        "SELECT substr(thing, 10), max(seq) FROM statement WHERE type = ? AND confirms IS NULL"
        " AND thing >= 'customer:' AND thing < 'customer;' GROUP BY thing",
        (CustomerForgotten.TYPE,),
    ).fetchall()
    return dict(found)


def customer_of(books: RuleContext, data: EventData) -> str | None:
    """Return whose what an event tells of is; None for what is no customer's."""
    if isinstance(data, EntryReversed):
        past = books.past(data.event.source, data.event.id)
        return customer_of(books, past.event.data) if past else None
    kind, _, name = data.thing.partition(":")
    if kind == "customer":
        return name
    session_id = name if kind == "session" else None
    if kind == "request":
        request = books.request(name)
        return request.customer if request else None
    if kind == "claim" and (claim := books.claim(name)):
        session_id = claim.session
    session = books.session(session_id) if session_id else None
    return session.customer if session else None


def _has(db: Connection, table: str) -> bool:
    """Return True if the ledger has a table: the first forms have fewer."""
    return bool(_count(db, "SELECT count(*) FROM sqlite_schema WHERE name = ?", table))


def _count(db: Connection, query: str, *values: object) -> int:
    count: int = db.execute(query, values).fetchone()[0]
    return count
