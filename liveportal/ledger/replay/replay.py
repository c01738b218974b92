"""Replay a journal: apply the rules to its events again, into a temporary ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Protocol

from liveportal.domain.clock import LAST, utc_text
from liveportal.domain.errors import LiveportalError, NotFound, Refused
from liveportal.domain.events.envelope import CLI_SOURCE, Event
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import ArtifactAdded
from liveportal.ledger.attachments import message_index
from liveportal.ledger.format.journal_entries import JournalEntry, iter_journal
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.format.serialisation import StoredEvent
from liveportal.ledger.journal.journal import Journal, open_journal
from liveportal.ledger.journal.rule_drift import RuleDriftReport
from liveportal.ledger.replay.replay_journal import ReplayJournal, former_until
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.gc_pause import no_collector
from liveportal.ledger.storage.schema.migrate import make_tables
from liveportal.ledger.storage.schema.tables import insert
from liveportal.ledger.storage.scratch import scratch_database

_CHUNK = 2_000
"""The number of events that are loaded and written together, so that memory use is constant."""

DecodedEntry = tuple[JournalEntry, StoredEvent]


def _ignored(_: int) -> None:
    """Ignore the progress."""


class EventRewriter(Protocol):
    """Rewrites events during a replay."""

    def rewrite(self, event: Event) -> Event | None:
        """Return the event to record in place of this one, or None to leave it out."""
        ...

    def refused(self, seq: int, event: Event, error: LiveportalError) -> None:
        """Take note of an event that the rules refuse after rewriting."""
        ...


def replayed_copy(
    db: Connection,
    *,
    until: datetime | None = None,
    last_seq: int | None = None,
    messages: bool = True,
) -> Connection:
    """Replay a journal into a temporary ledger, and return the connection to it.

    Replay the events up to position `last_seq`, or those recorded until `until`. The stored
    transactions are kept, so all queries work on the copy. Messages are in no event; they are
    copied unless `messages` is False.
    """
    events = iter_journal(db, until=utc_text(until) if until else None, last_seq=last_seq)
    copy, _ = _start_copy(db)
    _replay(ReplayJournal(db, copy, copies_events=True), events)
    if messages:
        _copy_messages(db, copy)
    copy.execute("COMMIT")
    return copy


def rewritten_copy(
    db: Connection, events: Sequence[DecodedEntry], rewriter: EventRewriter
) -> Connection:
    """Replay events of a journal into a temporary ledger, and return the connection to it.

    The `rewriter` may rewrite or omit events, and is notified of those that are then refused; the
    rules decide the transactions. Messages are not copied.
    """
    copy, former_seq = _start_copy(db)
    _replay_rewritten(open_journal(copy, lambda: LAST), events, rewriter, former_seq)
    copy.execute("COMMIT")
    return copy


def decoded(events: Iterable[JournalEntry]) -> list[DecodedEntry]:
    """Decode events that are replayed several times."""
    return [(entry, entry.stored) for entry in events]


def _start_copy(db: Connection) -> tuple[Connection, int]:
    """Return a temporary ledger in a transaction, and the last event of a former rule edition."""
    copy = connection.in_memory()
    copy.execute("PRAGMA foreign_keys = OFF")
    copy.execute("BEGIN IMMEDIATE")
    _make_unguarded_tables(copy)
    return copy, _copy_editions(db, copy)


class ReplayResult:
    """The result of replaying a journal, with the differences that today's rules make.

    The replayed tables are in the attached database `schema`, without the events.
    """

    def __init__(self, drift: RuleDriftReport, schema: str) -> None:
        self.schema = schema
        self.changes = drift.changes
        self.affected = drift.affected
        self.miscounted = drift.miscounted


@contextmanager
def replayed_beside(
    db: Connection,
    events: Iterable[JournalEntry],
    *,
    progress: Callable[[int], None] = _ignored,
    recounts: bool = False,
) -> Iterator[ReplayResult]:
    """Replay a journal into a temporary database that is attached to the ledger's connection.

    `progress` is called with the number of events replayed since the last call. With `recounts`,
    session counts are those of today's rules.
    """
    with scratch_database(db) as (copy, schema):
        _make_unguarded_tables(copy)
        journal = ReplayJournal(db, copy, recounts=recounts)
        _replay(journal, events, progress)
        copy.execute("COMMIT")
        yield ReplayResult(journal.drift, schema)


def _copy_editions(db: Connection, copy: Connection) -> int:
    """Copy the rule editions to a temporary ledger; return the last event of a former edition."""
    editions = db.execute("SELECT edition, until_seq FROM former_rules").fetchall()
    copy.executemany(insert("former_rules"), editions)
    return former_until(db)


def _replay(
    journal: ReplayJournal,
    events: Iterable[JournalEntry],
    progress: Callable[[int], None] = _ignored,
) -> None:
    with no_collector():
        for chunk in _chunks(events):
            journal.prefetch([stored.event for _, stored in chunk])
            for entry, stored in chunk:
                journal.replay_event(entry, stored)
            journal.flush()
            progress(len(chunk))


def _make_unguarded_tables(copy: Connection) -> None:
    """Make a ledger's tables without their triggers: a copy needs no such guards."""
    make_tables(copy)
    for (name,) in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        copy.execute(f'DROP TRIGGER "{name}"')


def _chunks(events: Iterable[JournalEntry]) -> Iterator[list[DecodedEntry]]:
    """Decode events and yield them in chunks, so that their entities can be bulk-loaded."""
    remaining = iter(events)
    while chunk := decoded(islice(remaining, _CHUNK)):
        yield chunk


def _replay_rewritten(
    journal: Journal, events: Sequence[DecodedEntry], rewriter: EventRewriter, former_seq: int
) -> None:
    for first in range(0, len(events), _CHUNK):
        chunk = events[first : first + _CHUNK]
        journal.prefetch([stored.event for _, stored in chunk])
        for entry, stored in chunk:
            if (rewritten := rewriter.rewrite(stored.event)) is None:
                continue
            journal.book.former_rules = entry.seq <= former_seq
            try:
                journal.record(rewritten, recorded_at=entry.recorded_at, origin=Origin.JOURNAL)
            except (Refused, NotFound) as error:
                rewriter.refused(entry.seq, stored.event, error)
        journal.flush()


def _copy_messages(db: Connection, copy: Connection) -> None:
    """Copy the messages of the transcripts that are attached in the copy.

    Only a command attaches files (a feed merely reports them), so only its events count.
    """
    attached = copy.execute(
        "SELECT DISTINCT coalesce(confirms, seq) FROM statement WHERE type = ? AND source = ?",
        (ArtifactAdded.TYPE, CLI_SOURCE),
    ).fetchall()
    if not attached:
        return
    rows = db.execute(
        "SELECT id, artifact, n, offset_ms, speaker, text FROM message"
        " WHERE artifact IN (SELECT value FROM json_each(?))",
        (to_json([seq for (seq,) in attached]),),
    )
    copy.executemany(insert("message"), rows)
    message_index.fill(copy)
