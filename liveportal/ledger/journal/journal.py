"""The only write path: deduplicate an event, apply the rules, append it and update the projections.

The steps, in order: look up the event's name (a replay changes nothing); check that its source may
report it (`domain.events.sources`); look for the same fact from another source (a confirmation
adds little); apply the rules; check the cautions; then append the row to the hash-chained log, with
the transactions and other effects. Nothing is written to the file before `Projection.flush`, and
the caller owns the database transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Literal, NamedTuple

from liveportal.domain.clock import from_text
from liveportal.domain.entities import Payout, Request, Session
from liveportal.domain.errors import AlreadyExists, Caution, LateClaim, WrongState
from liveportal.domain.events.envelope import MACHINE, Event, EventData, is_experts
from liveportal.domain.events.sources import Origin, check_content, check_source
from liveportal.domain.events.types import (
    PayoutSent,
    RefundClaimed,
    RequestAccepted,
    RequestOpened,
    SessionLogged,
    SessionRescheduled,
)
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.cautions import likely_mistakes
from liveportal.domain.handlers.context import Assertion, Decision
from liveportal.domain.handlers.dispatch import decide
from liveportal.ledger.journal.booking import AsDecided, Booking
from liveportal.ledger.journal.deduplication import (
    Confirms,
    Conflict,
    Deduplicator,
    New,
    Replay,
    in_book_currency,
)
from liveportal.ledger.journal.event_log import EventLog
from liveportal.ledger.journal.projection import Projection
from liveportal.ledger.storage.driver import Connection

Allow = AbstractSet[str] | Literal[True]
"""The codes of the cautions that are accepted, so that the event is recorded in spite of them."""


class Outcome(NamedTuple):
    """The result of recording an event: its `status` is `recorded`, `replayed` or `confirmed`.

    `event` is the event as recorded, at position `seq`; `flags` are the codes of its cautions.
    """

    status: str
    seq: int
    event: Event
    flags: tuple[str, ...] = ()


class Journal:
    """Records events on a connection that is inside a write transaction.

    `log` holds the events, `book` what follows from them, and `booking` says what of a decision is
    booked. `machine` returns the machine id to put into the expert's own events, or None.
    `erased_data` is True once personal data was erased, which must not remain in the WAL;
    `erased_customer` is True if it was a customer's, so that every copy must be erased too.
    """

    def __init__(
        self,
        log: EventLog,
        book: Projection,
        booking: Booking,
        *,
        machine: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.log = log
        self.book = book
        self._booking = booking
        self._deduplicator = Deduplicator(log, book)
        self._machine = machine
        self.erased_data = False
        self.erased_customer = False

    def record(
        self,
        event: Event,
        *,
        allow: Allow = True,
        recorded_at: str | None = None,
        origin: Origin = Origin.EXPERT,
    ) -> Outcome:
        """Record an event once, with all its effects.

        Raises `Conflict` if its name or its fact was recorded with other content, `NotForFeeds` if
        its source may not report it, any refusal of the rules, and the first caution that
        `allow` does not have.
        """
        check_source(event, origin)
        event = in_book_currency(event, self.book)
        stored = self.log.find(event.source, event.id)
        if stored is None:
            check_content(event, origin)
        answer = self._deduplicator.compare(event, stored)
        if isinstance(answer, Conflict):
            raise answer.error
        if isinstance(answer, Replay):
            return self._replayed(answer)
        if isinstance(answer, Confirms):
            decision, confirms = answer.decision, answer.seq
        else:
            decision, confirms = self._decide(event, answer, allow, recorded_at, origin), None
        if origin is Origin.EXPERT and is_experts(event.source):
            event = self._with_machine_id(event)
        return self.append(event, answer.data, decision, recorded_at, confirms=confirms)

    def _replayed(self, replay: Replay) -> Outcome:
        """Return the first outcome of an event again, with its flags as they are now."""
        flags = _current_flags(self.book, replay.event.data)
        flags += _codes(self._likely_mistakes(replay.event, replay.recorded_at))
        return Outcome("replayed", replay.seq, replay.event, flags)

    def _decide(
        self,
        event: Event,
        new: New,
        allow: Allow,
        recorded_at: str | None,
        origin: Origin,
    ) -> Decision:
        """Apply the rules to a new event, and check the cautions."""
        if new.data is not event.data:
            event = replace(event, data=new.data)
        try:
            decision = decide(event, self.book)
        except (WrongState, AlreadyExists):
            if new.conflict:  # The same fact with other content: a conflict, not a "wrong state".
                raise new.conflict.error from None
            raise
        if origin is Origin.JOURNAL:
            return decision  # It was recorded before: its likely mistakes were judged then.
        mistakes = self._likely_mistakes(event, recorded_at)
        for caution in (*decision.cautions, *mistakes):
            if allow is not True and caution.code not in allow:
                raise caution
        if not mistakes:
            return decision
        return replace(decision, flags=(*decision.flags, *_codes(mistakes)))

    def _likely_mistakes(self, event: Event, recorded_at: str | None) -> tuple[Caution, ...]:
        """Return the cautions about unlikely values, judged at the time of recording."""
        return likely_mistakes(
            event, self.book, from_text(recorded_at or self.log.recording_time())
        )

    def _with_machine_id(self, event: Event) -> Event:
        """Return the event with this machine's id, if it has one."""
        machine = self._machine()
        attributes = {**event.attributes, MACHINE: machine}
        return replace(event, attributes=attributes) if machine else event

    def append(
        self,
        event: Event,
        data: EventData,
        decision: Decision,
        recorded_at: str | None,
        *,
        confirms: int | None = None,
    ) -> Outcome:
        """Append an event with the effects of a decision; `data` is its data with canonical ids."""
        stored, decision, rows = self._booking.book(event, data, decision, recorded_at, confirms)
        seq = stored.seq
        self.book.add_assertion(data.entity, data.TYPE, Assertion(seq, event.source, confirms))
        self.book.apply(seq, decision, rows)
        if decision.forgets:
            self.erased_data = self.erased_customer = True
            self.flush()  # Pending rows in memory must not survive the erasure.
        flags = decision.flags
        if decision.cautions:
            flags = (*_codes(decision.cautions), *flags)
        return Outcome("confirmed" if confirms else "recorded", seq, event, flags)

    def prefetch(self, events: Sequence[Event]) -> None:
        """Bulk-load everything these events will need; all of them get the same `recorded_at`."""
        self.flush()  # The queries must see the pending events.
        self.log.prefetch(events)
        self.book.prefetch(events)

    def flush(self) -> None:
        """Write what is pending and drop the caches, so that memory use stays constant."""
        self.book.flush()
        self.book.clear()
        self.log.clear()


def open_journal(
    db: Connection,
    now: Callable[[], datetime],
    *,
    machine: Callable[[], str | None] = lambda: None,
) -> Journal:
    """Return a journal that records new events on a connection; `now` is the clock."""
    log = EventLog(db, now)
    book = Projection(db, log)
    return Journal(log, book, AsDecided(log, book), machine=machine)


def _codes(cautions: Iterable[Caution]) -> tuple[str, ...]:
    return tuple(caution.code for caution in cautions)


def _current_flags(book: Projection, data: EventData) -> tuple[str, ...]:
    """Return the flags set when an event was recorded, as its entity has them now."""
    if isinstance(data, RefundClaimed):
        claim = book.claim(data.claim)
        return (LateClaim.code,) if claim and claim.late else ()
    entity: Request | Session | Payout | None = None
    if isinstance(data, RequestOpened):
        entity = book.request(data.request)
    elif isinstance(data, RequestAccepted):
        entity = book.session(data.session or data.request)
    elif isinstance(data, SessionLogged | SessionRescheduled):
        entity = book.session(data.session)
    elif isinstance(data, PayoutSent):
        entity = book.payout(data.payout)
    return entity.flags if entity else ()
