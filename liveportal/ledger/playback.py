"""Playing a journal back: its facts, judged and booked again in a temporary ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from liveportal.domain.clock import LAST, utc_text
from liveportal.domain.envelope import CLI_SOURCE, Event
from liveportal.domain.errors import LiveportalError, NotFound, Refused
from liveportal.domain.events import ArtifactAdded
from liveportal.ledger import engine
from liveportal.ledger.documents import StoredEvent, journal
from liveportal.ledger.engine import Connection
from liveportal.ledger.journal import Journal
from liveportal.ledger.migrate import make_tables
from liveportal.ledger.rows import compact
from liveportal.ledger.statements import INSERT


class Retelling(Protocol):
    """Tells events otherwise than they were told."""

    def tell(self, event: Event) -> Event | None:
        """Return what is to be recorded in an event's place; None: nothing."""
        ...

    def refused(self, seq: int, event: Event, error: LiveportalError) -> None:
        """Take note of an event that the rules then refuse."""
        ...


def played_back(
    db: Connection,
    *,
    until: datetime | None = None,
    last_seq: int | None = None,
    messages: bool = True,
    retelling: Retelling | None = None,
) -> Connection:
    """Replay a journal's facts, up to an event or what was recorded by an instant, into a copy.

    The same door judges and books them as it did at first, so every window opens on the copy. What
    was said in sessions is in no event, and comes along unless it is not wanted. A `retelling` may
    change events on the way, and is told of those that are then refused.
    """
    copy = engine.in_memory()
    copy.execute("BEGIN IMMEDIATE")
    make_tables(copy)
    door = Journal(copy, lambda: LAST)
    for past in journal(db, until=utc_text(until) if until else None):
        if last_seq is not None and past.seq > last_seq:
            break
        _play(door, past, retelling)
        if past.seq % 2_000 == 0:
            door.flush()
    door.flush()
    if messages:
        _copy_messages(db, copy)
    copy.execute("COMMIT")
    return copy


def _play(door: Journal, past: StoredEvent, retelling: Retelling | None) -> None:
    event = retelling.tell(past.event) if retelling else past.event
    if event is None:
        return
    try:
        door.record(event, recorded_at=past.recorded_at)
    except (Refused, NotFound) as error:
        if retelling is None:
            raise
        retelling.refused(past.seq, past.event, error)


def _copy_messages(db: Connection, copy: Connection) -> None:
    """Bring along the messages of the transcripts that were attached by then.

    Only a command attaches files (a feed just tells of them), so its telling must be in the copy.
    The index is made at once, which takes a tenth of the time.
    """
    attached = copy.execute(
        "SELECT DISTINCT coalesce(confirms, seq) FROM statement WHERE type = ? AND source = ?",
        (ArtifactAdded.TYPE, CLI_SOURCE),
    ).fetchall()
    if not attached:
        return
    found = db.execute(
        "SELECT id, artifact, n, offset_ms, speaker, text FROM message"
        " WHERE artifact IN (SELECT value FROM json_each(?))",
        (compact([seq for (seq,) in attached]),),
    )
    copy.execute("DROP TRIGGER message_indexed")
    copy.executemany(INSERT["message"], found)
    copy.execute("INSERT INTO message_index (message_index) VALUES ('rebuild')")
