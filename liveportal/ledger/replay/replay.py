"""Playing a journal back: its facts, judged and booked again, in a copy or in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Protocol

from liveportal.domain.accounts import Transaction
from liveportal.domain.clock import LAST, utc_text
from liveportal.domain.entities import SessionCount
from liveportal.domain.errors import LiveportalError, NotFound, Refused
from liveportal.domain.events.envelope import CLI_SOURCE, Event
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import ArtifactAdded
from liveportal.ledger.attachments import message_index
from liveportal.ledger.format.event_log import JournalEntry, iter_journal
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.format.serialisation import StoredEvent
from liveportal.ledger.journal.journal import Journal
from liveportal.ledger.replay.replay_journal import Reckoning, ReplayJournal, former_until
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.gc_pause import no_collector
from liveportal.ledger.storage.schema.migrate import make_tables
from liveportal.ledger.storage.schema.sql import INSERT

_CHUNK = 2_000
"""How many events are looked up and written together: memory stays flat."""


class EventRewriter(Protocol):
    """Tells events otherwise than they were told."""

    def tell(self, event: Event) -> Event | None:
        """Return what is to be recorded in an event's place; None: nothing."""
        ...

    def refused(self, seq: int, event: Event, error: LiveportalError) -> None:
        """Take note of an event that the rules then refuse."""
        ...


def replayed_copy(
    db: Connection,
    *,
    until: datetime | None = None,
    last_seq: int | None = None,
    messages: bool = True,
    retelling: EventRewriter | None = None,
) -> Connection:
    """Replay a journal's facts, up to an event or what was recorded by an instant, into a copy.

    The same door judges them as it did at first, and what was booked stands, so every window opens
    on the copy. What was said in sessions is in no event, and comes along unless it is not wanted.
    A `retelling` may change events on the way, and is told of those that are then refused: then the
    rules book, too.
    """
    events = iter_journal(db, until=utc_text(until) if until else None, last_seq=last_seq)
    copy = _temporary()
    former = _keep_editions(db, copy)
    if retelling is None:
        _play_back(copy, events, former)
    else:
        _retell(Journal(copy, lambda: LAST), events, retelling, former)
    if messages:
        _copy_messages(db, copy)
    copy.execute("COMMIT")
    return copy


class ReplayResult:
    """What a journal's facts make of a book, and what today's rules would have done otherwise.

    `booked` is told of every transaction, `counts` of everything that months count of sessions,
    `progress` of so many events each time.
    """

    def __init__(
        self,
        db: Connection,
        events: Iterable[JournalEntry],
        *,
        booked: Callable[[Transaction], None] = lambda _: None,
        counts: Callable[[SessionCount], None] = lambda _: None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        door = Reckoning(db)
        with no_collector():
            for chunk in _chunks(events):
                for each, stored in chunk:
                    door.replay_event(each, stored)
                    for entry in door.transactions:
                        booked(entry)
                    for count in door.counts:
                        counts(count)
                door.flush()
                progress(len(chunk))
            door.book.finish()
        self.book = door.book
        self.changes = door.changes
        self.touched = door.touched
        self.miscounted = door.miscounted


def _keep_editions(db: Connection, copy: Connection) -> int:
    """Note in a copy which edition of the rules judged which events of the original."""
    editions = db.execute("SELECT edition, until_seq FROM former_rules").fetchall()
    copy.executemany(INSERT["former_rules"], editions)
    return former_until(db)


def _play_back(copy: Connection, events: Iterable[JournalEntry], former: int) -> None:
    door = ReplayJournal(copy, former_until=former)
    with no_collector():
        for chunk in _chunks(events):
            door.prefetch([stored.event for _, stored in chunk])
            for each, stored in chunk:
                door.replay_event(each, stored)
            door.flush()


def _temporary() -> Connection:
    """Make a ledger in memory: what a real one guards against cannot happen to it."""
    copy = connection.in_memory()
    copy.execute("PRAGMA foreign_keys = OFF")
    copy.execute("BEGIN IMMEDIATE")
    make_tables(copy)
    for (name,) in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        copy.execute(f'DROP TRIGGER "{name}"')
    return copy


def _chunks(events: Iterable[JournalEntry]) -> Iterator[list[tuple[JournalEntry, StoredEvent]]]:
    """Decode events, so many at a time that what they name can be looked up at once."""
    rest = iter(events)
    while chunk := list(islice(rest, _CHUNK)):
        yield [(each, each.stored) for each in chunk]


def _retell(
    door: Journal, events: Iterable[JournalEntry], retelling: EventRewriter, former: int
) -> None:
    for chunk in _chunks(events):
        door.prefetch([stored.event for _, stored in chunk])
        for each, stored in chunk:
            if (again := retelling.tell(stored.event)) is None:
                continue
            door.book.former_rules = each.seq <= former
            try:
                door.record(again, recorded_at=each.recorded_at, origin=Origin.JOURNAL)
            except (Refused, NotFound) as error:
                retelling.refused(each.seq, stored.event, error)
        door.flush()


def _copy_messages(db: Connection, copy: Connection) -> None:
    """Bring along the messages of the transcripts that were attached by then.

    Only a command attaches files (a feed just tells of them), so its telling must be in the copy.
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
    copy.executemany(INSERT["message"], found)
    message_index.fill(copy)
