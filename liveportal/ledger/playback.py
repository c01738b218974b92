"""Playing a journal back: its facts, judged and booked again in a temporary ledger."""

from __future__ import annotations

from datetime import datetime

from liveportal.domain.clock import LAST, utc_text
from liveportal.ledger import engine
from liveportal.ledger.documents import journal
from liveportal.ledger.engine import Connection
from liveportal.ledger.journal import Journal
from liveportal.ledger.migrate import make_tables


def played_back(
    db: Connection, *, until: datetime | None = None, last_seq: int | None = None
) -> Connection:
    """Replay a journal's facts, up to an event or what was recorded by an instant, into a copy.

    The same door judges and books them as it did at first, so every window opens on the copy.
    """
    copy = engine.in_memory()
    copy.execute("BEGIN IMMEDIATE")
    make_tables(copy)
    door = Journal(copy, lambda: LAST)
    for past in journal(db, until=utc_text(until) if until else None):
        if last_seq is not None and past.seq > last_seq:
            break
        door.record(past.event, recorded_at=past.recorded_at)
        if past.seq % 2_000 == 0:
            door.flush()
    door.flush()
    copy.execute("COMMIT")
    return copy
