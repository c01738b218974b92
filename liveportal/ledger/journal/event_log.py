"""The event log: finds events by name and by position, and appends them to the hash chain.

New events stay in memory until `flush` writes their rows.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from liveportal.domain.clock import utc_text
from liveportal.domain.events.envelope import CLI_SOURCE, Event
from liveportal.ledger.format import hash_chain
from liveportal.ledger.format.serialisation import (
    StoredEvent,
    documents,
    event_at,
    stored_event,
    stored_events,
)
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.tables import insert

if TYPE_CHECKING:
    from liveportal.ledger.format.journal_entries import JournalEntry

SALT_BYTES = 16


class EventLog:
    """The events of a ledger, on a connection that is inside a write transaction.

    `now` is the clock. `head` is the hash of the last event; `appended` counts the new events, and
    `own_id` is the id of the last of them that a command made. With `replays`, the log starts
    empty and its events are read from `db` as they are replayed: `target` gets a copy of their
    rows, unless it is None.
    """

    def __init__(
        self,
        db: Connection,
        now: Callable[[], datetime],
        *,
        replays: bool = False,
        target: Connection | None = None,
    ) -> None:
        self._db = db
        self._now = now
        self._target = target if replays else db
        self._events: list[tuple[Any, ...]] = []
        self._personal: list[tuple[Any, ...]] = []
        self._by_name: dict[tuple[str, str], StoredEvent] = {}
        self._by_seq: dict[int, StoredEvent] = {}
        self._unknown: set[tuple[str, str]] = set()
        self._batch_time: str | None = None
        self.appended = 0
        self.own_id: str | None = None
        last = None if replays else db.execute(_LAST).fetchone()
        self.next_seq: int
        self.head: bytes
        self._last_recorded: str
        last_seq, self.head, self._last_recorded = last or (0, hash_chain.GENESIS, "")
        self.next_seq = last_seq + 1

    # --- finding ----------------------------------------------------------------------------------

    def find(self, source: str, event_id: str) -> StoredEvent | None:
        """Return the event with this source and id, or None."""
        name = (source, event_id)
        if name in self._unknown:
            return None
        stored = self._by_name.get(name) or stored_event(self._db, source, event_id)
        return stored if stored and stored.seq < self.next_seq else None

    def at(self, seq: int) -> StoredEvent:
        """Return the event at a position."""
        return self._by_seq.get(seq) or event_at(self._db, seq)

    def prefetch(self, events: Iterable[Event]) -> None:
        """Look up the names of many events at once; all of them get the same recording time."""
        self.clear()
        self._batch_time = self.recording_time()
        self.expect(events)
        by_source: dict[str, list[str]] = defaultdict(list)
        for source, event_id in self._unknown:
            by_source[source].append(event_id)
        for source, ids in by_source.items():
            for stored in stored_events(self._db, source, ids):
                name = (source, stored.event.id)
                self._by_name[name] = stored
                self._unknown.discard(name)

    def expect(self, events: Iterable[Event]) -> None:
        """Take the names of these events to be new until they are appended."""
        self._unknown = {(event.source, event.id) for event in events}

    # --- appending --------------------------------------------------------------------------------

    def recording_time(self) -> str:
        """Return the time of recording in stored form (UTC), never before the last event's."""
        return self._batch_time or max(utc_text(self._now()), self._last_recorded)

    def append(
        self, event: Event, effects: bytes, recorded_at: str | None, *, drops_personal: bool
    ) -> StoredEvent:
        """Append an event to the hash chain; `effects` is the digest of what it books.

        With `drops_personal`, its personal data is proved by its digest, but not stored.
        """
        seq = self.next_seq
        facts, body = documents(event)
        if event.erased:
            body = None
        salt = os.urandom(SALT_BYTES) if body else b""
        recorded_at = recorded_at or self.recording_time()
        row = (str(seq), event.source, event.id, event.type, utc_text(event.time), recorded_at)
        personal = (
            hash_chain.ERASED_BEFORE if event.erased else hash_chain.personal_digest(salt, body)
        )
        prev, self.head = self.head, hash_chain.event_hash(self.head, row, facts, personal, effects)
        self._events.append((seq, *row[1:], facts, personal, effects, prev, self.head))
        erased = event.erased
        if body is not None:
            if drops_personal:
                erased = True
            else:
                self._personal.append((seq, salt, body))
        self._last_recorded = recorded_at
        self.appended += 1
        if event.source == CLI_SOURCE:
            self.own_id = event.id
        stored = StoredEvent(seq, event, recorded_at, facts, erased)
        self._note(stored)
        return stored

    def copy(self, entry: JournalEntry, stored: StoredEvent) -> None:
        """Append an event of another log unchanged."""
        if self._target is not None:
            self._events.append(entry[:11])
            if entry.body is not None:
                self._personal.append((entry.seq, entry.salt, entry.body))
        self._note(stored)

    def _note(self, stored: StoredEvent) -> None:
        name = (stored.event.source, stored.event.id)
        self._by_name[name] = self._by_seq[stored.seq] = stored
        self._unknown.discard(name)
        self.next_seq = stored.seq + 1

    def flush(self) -> None:
        """Write the rows of the new events."""
        if self._target is not None and self._events:
            self._target.executemany(insert("event"), self._events)
            self._target.executemany(insert("event_personal"), self._personal)
            self._events.clear()
            self._personal.clear()

    def clear(self) -> None:
        """Drop the events that are known, once they are written."""
        self._by_name.clear()
        self._by_seq.clear()
        self._unknown.clear()
        self._batch_time = None


_LAST = "SELECT seq, hash, recorded_at FROM event ORDER BY seq DESC LIMIT 1"
