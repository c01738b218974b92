"""Replay with today's rules, keeping the stored transactions; differences are rule drift.

If today's rules would book other transactions, or refuse an event, that is noted and the stored
transactions are booked.
"""

from __future__ import annotations

from collections.abc import Sequence

from liveportal.domain.clock import LAST
from liveportal.domain.errors import LiveportalError
from liveportal.domain.events.envelope import Event
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import PolicyAdopted
from liveportal.domain.handlers.context import Decision
from liveportal.ledger.format.journal_entries import JournalEntry, unreadable
from liveportal.ledger.format.serialisation import StoredEvent
from liveportal.ledger.journal.booking import AsStored
from liveportal.ledger.journal.event_log import EventLog
from liveportal.ledger.journal.journal import Journal
from liveportal.ledger.journal.projection import Projection
from liveportal.ledger.journal.rule_drift import RuleDriftReport
from liveportal.ledger.storage.driver import Connection

_RULE_ERRORS = (
    LiveportalError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
)


class ReplayJournal:
    """Replays a ledger's events into a copy.

    That event names are unique is a constraint of the ledger, so none is looked up. With
    `copies_events`, the copy gets the events, too; with `recounts`, it gets the session counts of
    today's rules instead of the stored ones.
    """

    def __init__(
        self,
        ledger: Connection,
        copy: Connection,
        *,
        copies_events: bool = False,
        recounts: bool = False,
    ) -> None:
        self._log = EventLog(
            ledger, lambda: LAST, replays=True, target=copy if copies_events else None
        )
        self._book = Projection(copy, self._log)
        self.drift = RuleDriftReport(self._book)
        self._booking = AsStored(self._log, self._book, self.drift, recounts=recounts)
        self._journal = Journal(self._log, self._book, self._booking)
        self._former_until = former_until(ledger)

    def prefetch(self, events: Sequence[Event]) -> None:
        """Bulk-load the entities that these events will need."""
        self._log.expect(events)
        self._book.prefetch(events)

    def replay_event(self, entry: JournalEntry, stored: StoredEvent) -> None:
        """Apply today's rules to an event, and book its stored transactions.

        Raises `UnreadableEvent` for an error that is neither a refusal nor a result of rule drift.
        """
        event = stored.event
        self._booking.replaying(entry, stored)
        self._book.former_rules = entry.seq <= self._former_until
        try:
            self._journal.record(event, recorded_at=entry.recorded_at, origin=Origin.JOURNAL)
        except _RULE_ERRORS as error:
            is_refusal = isinstance(error, LiveportalError)
            if not is_refusal and not self.drift.is_affected(entry, event.data):
                raise unreadable(entry.seq, error) from error
            reason = error.message if isinstance(error, LiveportalError) else str(error)
            self.drift.note_refusal(entry, event.data, reason)
            # Later events depend on the policy, so it is adopted all the same.
            policy = event.data.policy if isinstance(event.data, PolicyAdopted) else None
            self._journal.append(event, event.data, Decision(policy=policy), entry.recorded_at)

    def flush(self) -> None:
        """Write what is pending and drop the caches, so that memory use stays constant."""
        self._journal.flush()


def former_until(db: Connection) -> int:
    """Return the `seq` of the last event judged by an earlier edition of the rules, or 0."""
    (latest,) = db.execute("SELECT coalesce(max(until_seq), 0) FROM former_rules").fetchone()
    return int(latest)
