"""The only write path: deduplicate an event, apply the rules, append it and update the projections.

The steps, in order: look up the event's name (a replay changes nothing); check that its source may
report it (`domain.events.sources`); look for the same fact from another source (a confirmation
changes nothing either); apply the rules; check the cautions; then append the row to the
hash-chained log, with the transactions and other effects. Nothing is written to the file before
`Projection.flush`, and the caller owns the database transaction.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from liveportal.domain.clock import from_text, utc_text
from liveportal.domain.entities import Payout, Request, Session
from liveportal.domain.errors import AlreadyExists, Caution, Conflict, LateClaim, WrongState
from liveportal.domain.events.deduplication import differences
from liveportal.domain.events.envelope import CLI_SOURCE, MACHINE, Event, EventData, is_experts
from liveportal.domain.events.fields import field_specs, in_currency
from liveportal.domain.events.sources import Origin, check_content, check_source
from liveportal.domain.events.types import (
    ArtifactAdded,
    BookEvent,
    CustomerForgotten,
    EntryReversed,
    ErasureRequested,
    EventRef,
    PayoutSent,
    PolicyAdopted,
    RefundClaimed,
    RequestAccepted,
    RequestOpened,
    ReviewPosted,
    SessionLogged,
    SessionRescheduled,
    TipReceived,
)
from liveportal.domain.handlers.cautions import likely_mistakes
from liveportal.domain.handlers.confirmation import FirstAssertion, confirm, contradicted_fields
from liveportal.domain.handlers.context import Assertion, Decision
from liveportal.domain.handlers.dispatch import decide
from liveportal.domain.handlers.session_counts import add_counts
from liveportal.ledger.format import hash_chain
from liveportal.ledger.format.serialisation import (
    StoredEvent,
    documents,
    event_at,
    stored_event,
    stored_events,
)
from liveportal.ledger.journal.projection import NOTHING_BOOKED, Projection
from liveportal.ledger.storage.driver import Connection

SALT_BYTES = 16


class Outcome(NamedTuple):
    """The result of recording an event: its `status` is `recorded`, `replayed` or `confirm`.

    `event` is the event as recorded, at position `seq`; `flags` are the codes of its cautions.
    """

    status: str
    seq: int
    event: Event
    flags: tuple[str, ...] = ()


class Journal:
    """Records events on a connection that is inside a write transaction.

    `now` is the clock; `machine` returns the machine id to put into the expert's own events, or
    None. `erased_data` is True once personal data was erased, which must not remain in the WAL;
    `erased_customer` is True if it was a customer's, so that every copy must be erased too.
    `appended` counts the new events; `own_id` is the id of the last of them that a command made.
    """

    def __init__(
        self,
        db: Connection,
        now: Callable[[], datetime],
        book: Projection | None = None,
        *,
        machine: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._db = db
        self._now = now
        self._machine = machine
        self.book = Projection(db) if book is None else book
        self.erased_data = False
        self.erased_customer = False
        self.appended = 0
        self.own_id: str | None = None
        self._pending: dict[tuple[str, str], StoredEvent] = {}
        self._pending_at: dict[int, StoredEvent] = {}
        self._unknown: set[tuple[str, str]] = set()
        self._recorded_at: str | None = None
        last = db.execute(
            "SELECT hash, recorded_at FROM event ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        self.head: bytes = last[0] if last else hash_chain.GENESIS
        self._last_recorded: str = last[1] if last else ""

    def record(
        self,
        event: Event,
        *,
        allow: Callable[[Caution], bool] = lambda _: True,
        recorded_at: str | None = None,
        origin: Origin = Origin.EXPERT,
    ) -> Outcome:
        """Record an event once, with all its effects.

        Raises `Conflict` if its name or its fact was recorded with other content, `NotForFeeds` if
        its source may not report it, any refusal of the rules, and the first caution for which
        `allow` returns False.
        """
        check_source(event, origin)
        event = self._in_book_currency(event)
        if stored := self._find(event.source, event.id):
            stored = stored._replace(event=self._in_book_currency(stored.event))
            flags = self._current_flags(stored.event.data)
            flags += _codes(self._hasty_cautions(stored.event, stored.recorded_at))
            return replayed(stored, event)._replace(flags=flags)
        check_content(event, origin)
        data = self._resolve_session_alias(event.data)
        asserted = self._unconfirmed_assertions(data, event)
        if asserted:
            confirmed_seq = next(
                (seq for seq in asserted if not self._contradictions(seq, data)), None
            )
            if confirmed_seq:
                return self._confirm(
                    confirmed_seq, self._with_machine_id(event, origin), data, recorded_at
                )
            if contradicted_seq := self._conflicting_review(asserted, data):
                raise self._conflict(contradicted_seq, data)
        try:
            resolved = event if data is event.data else replace(event, data=data)
            decision = decide(resolved, self.book)
        except (WrongState, AlreadyExists):
            if asserted:  # The same fact with other content: a conflict, not a "wrong state".
                raise self._conflict(asserted[0], data) from None
            raise
        hasty_cautions = self._hasty_cautions(resolved, recorded_at)
        for caution in (*decision.cautions, *hasty_cautions):
            if not allow(caution):
                raise caution
        if hasty_cautions:
            decision = replace(decision, flags=(*decision.flags, *_codes(hasty_cautions)))
        return self._append(self._with_machine_id(event, origin), data, decision, recorded_at)

    def _with_machine_id(self, event: Event, origin: Origin) -> Event:
        """Return the event, with this machine's id added if it is the expert's own."""
        if origin is not Origin.EXPERT or not is_experts(event.source):
            return event
        machine = self._machine()
        attributes = {**event.attributes, MACHINE: machine}
        return replace(event, attributes=attributes) if machine else event

    def _hasty_cautions(self, event: Event, recorded_at: str | None) -> tuple[Caution, ...]:
        """Return the cautions about unlikely values, judged at the time of recording."""
        return likely_mistakes(
            event, self.book, from_text(recorded_at or self._recorded_at or self._recording_time())
        )

    def _conflict(self, seq: int, data: EventData) -> Conflict:
        return Conflict(f"{data.TYPE} of {data.entity}", self._contradictions(seq, data))

    def _conflicting_review(self, asserted: Sequence[int], data: EventData) -> int | None:
        """Return another source's contradicting review by the same side, or None.

        Only the source that posted a review may change it.
        """
        if not isinstance(data, ReviewPosted):
            return None
        by = [seq for seq in asserted if getattr(self._recorded_data(seq), "by", None) == data.by]
        return by[-1] if by and self._contradictions(by[-1], data) else None

    def _contradictions(self, seq: int, data: EventData) -> list[str]:
        """Return the fields in which an event contradicts the earlier event `seq`."""
        return contradicted_fields(FirstAssertion(seq, self._recorded_data(seq)), data, self.book)

    def _confirm(self, seq: int, event: Event, data: EventData, recorded_at: str | None) -> Outcome:
        """Record that another source reports the fact of event `seq` too."""
        decision = confirm(FirstAssertion(seq, self._recorded_data(seq)), event, data, self.book)
        return self._append(event, data, decision, recorded_at, confirms=seq)

    def flush(self) -> None:
        """Write what is pending and drop the caches, so that memory use stays constant."""
        self.book.flush_and_clear()
        self._pending.clear()
        self._pending_at.clear()
        self._unknown.clear()
        self._recorded_at = None

    def prefetch(self, events: Sequence[Event]) -> None:
        """Bulk-load everything these events will need; all of them get the same `recorded_at`."""
        if self._pending:
            self.flush()  # The queries below must see the pending events.
        self._recorded_at = self._recording_time()
        self._unknown = {(event.source, event.id) for event in events}
        by_source: dict[str, list[str]] = defaultdict(list)
        for source, event_id in self._unknown:
            by_source[source].append(event_id)
        for source, ids in by_source.items():
            for stored in stored_events(self._db, source, ids):
                name = (source, stored.event.id)
                self._pending[name] = stored
                self._unknown.discard(name)
        self.prefetch_entities(events)

    def prefetch_entities(self, events: Sequence[Event]) -> None:
        """Bulk-load the assertions and entities that these events will need."""
        self.book.prefetch_assertions({(event.data.entity, event.data.TYPE) for event in events})
        for kind, entity_ids in _referenced_ids(events).items():
            self.book.prefetch(kind, entity_ids)
        # Load these now, while nothing is pending: loading them later would flush first.
        self.book.agenda()
        if any(type(event.data) is PayoutSent for event in events):
            self.book.open_items()
            self.book.first_billed_end()

    # --- deduplication ----------------------------------------------------------------------------

    def _find(self, source: str, event_id: str) -> StoredEvent | None:
        name = (source, event_id)
        if name in self._unknown:
            return None
        return self._pending.get(name) or stored_event(self._db, source, event_id)

    def _current_flags(self, data: EventData) -> tuple[str, ...]:
        """Return the flags set when an event was recorded, as its entity has them now."""
        book = self.book
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

    def _recorded_data(self, seq: int) -> EventData:
        """Return the data of event `seq`, with session aliases and currency resolved."""
        return self._resolve_session_alias(self._in_book_currency(self._event_at(seq).event).data)

    def _event_at(self, seq: int) -> StoredEvent:
        return self._pending_at.get(seq) or event_at(self._db, seq)

    def _in_book_currency(self, event: Event) -> Event:
        """Return an event with its amounts in the digits that the book uses for its currency."""
        currency = self.book.policy.currency
        if type(currency) is str and type(event.data) is not PolicyAdopted:
            return event  # The usual case: the digits are those of ISO 4217.
        data = in_currency(event.data, currency)
        return event if data is event.data else replace(event, data=data)

    def _resolve_session_alias(self, data: EventData) -> EventData:
        """Replace a session's alias by its id, and in a reversal a confirmation by its fact."""
        if isinstance(data, EntryReversed) and not self.book.former_rules:
            recorded = self.book.recorded_event(data.event.source, data.event.id)
            if recorded is None or recorded.confirms is None:
                return data
            first = self._event_at(recorded.confirms).event
            return replace(data, event=EventRef(source=first.source, id=first.id))
        session_id = getattr(data, "session", None)
        if session_id is None or self.book.nothing_renamed or isinstance(data, RequestAccepted):
            return data
        session = self.book.session(session_id)
        if session is None or session.id == session_id:
            return data
        return replace(data, session=session.id)  # type: ignore[type-var]

    def _unconfirmed_assertions(self, data: EventData, event: Event) -> list[int]:
        """Return the facts of this type and entity that this source has not asserted yet.

        They are the `seq`s of the first assertions, without those that were reversed.
        """
        source = event.source
        if source == CLI_SOURCE and not isinstance(data, _STATELESS):
            return []  # A command is a new step: the state machine judges it.
        if isinstance(data, TipReceived) and data.again:
            return []  # The expert has said that this is another tip.
        assertions = self.book.assertions(data.entity, data.TYPE)
        if not assertions or isinstance(data, _SETTINGS):
            return []
        own = {item.confirms or item.seq for item in assertions if item.source == source}
        excluded = own | self.book.reversed_seqs
        seqs = [item.seq for item in assertions if not item.confirms and item.seq not in excluded]
        return (
            self._open_erasure_requests(data, event, seqs)
            if isinstance(data, ErasureRequested)
            else seqs
        )

    def _open_erasure_requests(
        self, data: ErasureRequested, event: Event, seqs: Sequence[int]
    ) -> list[int]:
        """Return those erasure requests that a new one repeats: none that was carried out before.

        A request made after an erasure asks for another one.
        """
        erasures = self.book.assertions(f"customer:{data.customer}", CustomerForgotten.TYPE)
        last = erasures[-1].seq if erasures else 0
        if last and event.time > self._event_at(last).event.time:
            return [seq for seq in seqs if seq > last]
        return list(seqs)

    # --- appending --------------------------------------------------------------------------------

    def _append(
        self,
        event: Event,
        data: EventData,
        decision: Decision,
        recorded_at: str | None,
        *,
        confirms: int | None = None,
    ) -> Outcome:
        book = self.book
        decision = add_counts(decision, event, book)
        book.check_turnover(decision)
        seq = book.next_seq
        facts, body = documents(event)
        if event.erased:
            body = None
        salt = os.urandom(SALT_BYTES) if body else b""
        recorded_at = recorded_at or self._recorded_at or self._recording_time()
        row = (str(seq), event.source, event.id, event.type, utc_text(event.time), recorded_at)
        personal = (
            hash_chain.ERASED_BEFORE if event.erased else hash_chain.personal_digest(salt, body)
        )
        rows, effects = NOTHING_BOOKED, hash_chain.NO_EFFECTS
        if decision.transactions or decision.counts:
            rows = book.booked(seq, decision)
            effects = hash_chain.effects_digest(*rows)
        prev, self.head = self.head, hash_chain.event_hash(self.head, row, facts, personal, effects)
        book.append("event", seq, *row[1:], facts, personal, effects, prev, self.head)
        # A feed that repeats a fact after its erasure restores no personal data; the expert may.
        erased = (
            confirms is not None
            and body is not None
            and event.source != CLI_SOURCE
            and book.is_forgotten(data, confirms)
        )
        if body is not None and not erased:
            book.append("event_personal", seq, salt, body)
        self._last_recorded = recorded_at
        self.appended += 1
        if event.source == CLI_SOURCE:
            self.own_id = event.id
        book.tell(data.entity, data.TYPE, Assertion(seq, event.source, confirms))
        stored = StoredEvent(seq, event, recorded_at, facts, erased=erased or event.erased)
        name = (event.source, event.id)
        self._pending[name] = self._pending_at[seq] = stored
        self._unknown.discard(name)
        book.apply(seq, decision, rows)
        if decision.forgets:
            self.erased_data = self.erased_customer = True
            self.flush()  # Pending rows in memory must not survive the erasure.
        flags = decision.flags
        if decision.cautions:
            flags = (*_codes(decision.cautions), *flags)
        return Outcome("confirmed" if confirms else "recorded", seq, event, flags)

    def _recording_time(self) -> str:
        """Return the current time in stored form (UTC), never before the last recorded event."""
        return max(utc_text(self._now()), self._last_recorded)


def _codes(cautions: Iterable[Caution]) -> tuple[str, ...]:
    return tuple(caution.code for caution in cautions)


def replayed(stored: StoredEvent, event: Event) -> Outcome:
    """Return the first outcome again; raises `Conflict` naming every field that differs."""
    differing = differences(stored.event, event, erased=stored.erased or event.erased)
    if differing:
        raise Conflict(f"event {event.id} of {event.source}", differing)
    return Outcome("replayed", stored.seq, stored.event)


# A setting can be set back to an earlier value, so an equal event is a new fact.
_SETTINGS = (BookEvent, CustomerForgotten)

# A command may confirm these: they have no state that shows whether they were recorded before.
_STATELESS = (TipReceived, ReviewPosted, ArtifactAdded, EntryReversed)


def _referenced_ids(events: Iterable[Event]) -> dict[str, set[str]]:
    """Return the ids of the entities that the events refer to, by kind."""
    ids: dict[str, set[str]] = defaultdict(set)
    for event in events:
        data = event.data
        for kind in _referenced_kinds(type(data)):
            if entity_id := getattr(data, kind):
                ids[kind].add(entity_id)
        if isinstance(data, RequestAccepted):
            ids["session"].add(data.session or data.request)
        elif isinstance(data, _WITH_CUSTOMER_INFO):
            ids["customer"].add(data.customer.id)
    return ids


def _referenced_kinds(kind: type[EventData]) -> tuple[str, ...]:
    """Return the kinds of entities that an event type refers to, each in the field of that name."""
    if kind not in _REFERENCED_KINDS:
        names = (name for name, *_ in field_specs(kind))
        _REFERENCED_KINDS[kind] = tuple(name for name in names if name in _REFERENCE_FIELDS)
    return _REFERENCED_KINDS[kind]


_REFERENCE_FIELDS = ("request", "session", "claim", "adjustment")
_REFERENCED_KINDS: dict[type, tuple[str, ...]] = {}

# The event types that carry a `CustomerInfo`.
_WITH_CUSTOMER_INFO = (RequestOpened, SessionLogged)
