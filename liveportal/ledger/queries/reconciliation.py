"""What statements are compared with: the payouts of the books, and rows recorded earlier."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from liveportal.domain.clock import from_text
from liveportal.domain.events.envelope import STATEMENT_PREFIX
from liveportal.domain.money import Money
from liveportal.ledger.queries.reader import Reader


class BookedPayout(NamedTuple):
    """A payout as the books have it; `fee` is what was taken on the way, None if not known."""

    id: str
    amount: Money
    method: str
    state: str
    sent_at: datetime
    reference: str | None
    fee: Money | None
    aliases: tuple[str, ...]


class RecordedEvent(NamedTuple):
    """An event that was recorded from a row of a statement; `is_live` unless it was reversed."""

    source: str
    id: str
    payout: str
    is_live: bool


def booked_payouts(reader: Reader) -> list[BookedPayout]:
    """Return every payout that was not reversed, the oldest first."""
    aliases: dict[str, list[str]] = {}
    for row in reader.all("SELECT alias, payout FROM payout_alias ORDER BY alias"):
        aliases.setdefault(row["payout"], []).append(row["alias"])
    rows = reader.all("SELECT * FROM payout WHERE state <> 'reversed' ORDER BY sent_at, id")
    return [
        BookedPayout(
            id=row["id"],
            amount=reader.money(row["amount_minor"]),
            method=row["method"],
            state=row["state"],
            sent_at=from_text(row["sent_at"]),
            reference=row["reference"],
            fee=reader.money(row["fee_minor"]),
            aliases=tuple(aliases.get(row["id"], ())),
        )
        for row in rows
    ]


def recorded_events(reader: Reader) -> list[RecordedEvent]:
    """Return every event that was recorded from a statement, in the order of the journal."""
    rows = reader.all(
        """
        SELECT event.source, event.id, statement.thing,
               NOT EXISTS (SELECT 1 FROM reversal WHERE reversed_seq
                           IN (statement.seq, statement.confirms)) AS is_live
        FROM event JOIN statement USING (seq)
        WHERE event.source >= ?1 AND event.source < ?1 || '~' AND statement.thing LIKE 'payout:%'
        ORDER BY event.seq
        """,
        STATEMENT_PREFIX,
    )
    return [
        RecordedEvent(
            row["source"], row["id"], row["thing"].partition(":")[2], bool(row["is_live"])
        )
        for row in rows
    ]
