"""The one door in: every event is looked up, judged, written and booked here, once.

In this order: its name (a replay changes nothing), whether its source may say it (`authority`),
whether another source told the same fact before (a confirmation changes nothing either), the rules,
the cautions; then the row, chained by its hash, with all that follows from it. Nothing reaches the
file before `Projection.flush`, and the database transaction around it belongs to the caller.
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
from liveportal.domain.events.fields import in_currency, plan
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
from liveportal.domain.handlers.cautions import hasty
from liveportal.domain.handlers.confirmation import FirstAssertion, confirmed, contradicting
from liveportal.domain.handlers.context import Assertion, Decision
from liveportal.domain.handlers.dispatch import decide
from liveportal.domain.handlers.session_counts import counted
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
    """What became of an event: `recorded`, `replayed` or `confirmed`, and as it stands."""

    status: str
    seq: int
    event: Event
    flags: tuple[str, ...] = ()


class Journal:
    """Records events on a connection that is inside a write transaction.

    `now` is the clock; `machine` returns the id that the expert's own events carry, if there is
    one. `forgot` tells that personal data was erased through this door, and so must
    not lie on in the log; `forgot_customer` that it was a customer's, of which nothing may be left.
    `appended` counts the new events, `own_id` is the id of the last of them that a command made.
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
        self.forgot = False
        self.forgot_customer = False
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
        """Record an event once, with all that follows from it.

        Raises `Conflict` for a name or fact that was recorded with other content, `NotForFeeds` for
        what its source may not say, the rules' own refusals, and the first caution that `allow`
        does not let through.
        """
        check_source(event, origin)
        event = self._in_book(event)
        if past := self._find(event.source, event.id):
            past = past._replace(event=self._in_book(past.event))
            flags = self._flags_of(past.event.data)
            flags += _codes(self._hasty(past.event, past.recorded_at))
            return replayed(past, event)._replace(flags=flags)
        check_content(event, origin)
        data = self._resolve_session_alias(event.data)
        told = self._unconfirmed_assertions(data, event)
        if told:
            same = next((seq for seq in told if not self._contradictions(seq, data)), None)
            if same:
                return self._confirm(same, self._signed(event, origin), data, recorded_at)
            if rival := self._conflicting_review(told, data):
                raise self._conflict(rival, data)
        try:
            judged = event if data is event.data else replace(event, data=data)
            change = decide(judged, self.book)
        except (WrongState, AlreadyExists):
            if told:  # It is the same fact, told differently: say so rather than "wrong state".
                raise self._conflict(told[0], data) from None
            raise
        hasty = self._hasty(judged, recorded_at)
        for caution in (*change.cautions, *hasty):
            if not allow(caution):
                raise caution
        if hasty:
            change = replace(change, flags=(*change.flags, *_codes(hasty)))
        return self._append(self._signed(event, origin), data, change, recorded_at)

    def _signed(self, event: Event, origin: Origin) -> Event:
        """Return an event of the expert's with the id of this machine, where there is one."""
        if origin is not Origin.EXPERT or not is_experts(event.source):
            return event
        machine = self._machine()
        attributes = {**event.attributes, MACHINE: machine}
        return replace(event, attributes=attributes) if machine else event

    def _hasty(self, event: Event, recorded_at: str | None) -> tuple[Caution, ...]:
        """Return what a person seldom means by an event, at the time of its recording."""
        return hasty(event, self.book, from_text(recorded_at or self._recorded_at or self._clock()))

    def _conflict(self, seq: int, data: EventData) -> Conflict:
        return Conflict(f"{data.TYPE} of {data.thing}", self._contradictions(seq, data))

    def _conflicting_review(self, told: Sequence[int], data: EventData) -> int | None:
        """Return another source's review by the same side: whoever posted it may change it."""
        if not isinstance(data, ReviewPosted):
            return None
        by = [seq for seq in told if getattr(self._told(seq), "by", None) == data.by]
        return by[-1] if by and self._contradictions(by[-1], data) else None

    def _contradictions(self, seq: int, data: EventData) -> list[str]:
        """Return the fields in which an event contradicts what event `seq` told before."""
        return contradicting(FirstAssertion(seq, self._told(seq)), data, self.book)

    def _confirm(self, seq: int, event: Event, data: EventData, recorded_at: str | None) -> Outcome:
        """Record that another source tells the fact of event `seq`, too."""
        change = confirmed(FirstAssertion(seq, self._told(seq)), event, data, self.book)
        return self._append(event, data, change, recorded_at, confirms=seq)

    def flush(self) -> None:
        """Write what is pending and let go of what was looked up, so that memory stays flat."""
        self.book.flush_and_clear()
        self._pending.clear()
        self._pending_at.clear()
        self._unknown.clear()
        self._recorded_at = None

    def prefetch(self, events: Sequence[Event]) -> None:
        """Look up at once what these events will ask for; till it is written, no time passes."""
        if self._pending:
            self.flush()  # So that all there is to know is in the file.
        self._recorded_at = self._clock()
        self._unknown = {(each.source, each.id) for each in events}
        by_source: dict[str, list[str]] = defaultdict(list)
        for source, event_id in self._unknown:
            by_source[source].append(event_id)
        for source, ids in by_source.items():
            for past in stored_events(self._db, source, ids):
                name = (source, past.event.id)
                self._pending[name] = past
                self._unknown.discard(name)
        self.book.prefetch_statements({(each.data.thing, each.data.TYPE) for each in events})
        for kind, named in _named_things(events).items():
            self.book.prefetch(kind, named)
        # What is followed from here on is read while nothing waits to be written first.
        self.book.agenda()
        if any(type(each.data) is PayoutSent for each in events):
            self.book.open_items()
            self.book.first_billed_end()

    # --- seen before? -----------------------------------------------------------------------------

    def _find(self, source: str, event_id: str) -> StoredEvent | None:
        name = (source, event_id)
        if name in self._unknown:
            return None
        return self._pending.get(name) or stored_event(self._db, source, event_id)

    def _flags_of(self, data: EventData) -> tuple[str, ...]:
        """Return what was said of an event when it was recorded, as its thing still has it."""
        book = self.book
        if isinstance(data, RefundClaimed):
            claim = book.claim(data.claim)
            return (LateClaim.code,) if claim and claim.late else ()
        thing: Request | Session | Payout | None = None
        if isinstance(data, RequestOpened):
            thing = book.request(data.request)
        elif isinstance(data, RequestAccepted):
            thing = book.session(data.session or data.request)
        elif isinstance(data, SessionLogged | SessionRescheduled):
            thing = book.session(data.session)
        elif isinstance(data, PayoutSent):
            thing = book.payout(data.payout)
        return thing.flags if thing else ()

    def _told(self, seq: int) -> EventData:
        """Return what an event said, with the ids that the book knows things by."""
        return self._resolve_session_alias(self._in_book(self._recorded(seq).event).data)

    def _recorded(self, seq: int) -> StoredEvent:
        return self._pending_at.get(seq) or event_at(self._db, seq)

    def _in_book(self, event: Event) -> Event:
        """Return an event with its amounts in the digits that the book keeps of its currency."""
        currency = self.book.policy.currency
        if type(currency) is str and type(event.data) is not PolicyAdopted:
            return event  # As in nearly every book: its digits are those of ISO 4217.
        data = in_currency(event.data, currency)
        return event if data is event.data else replace(event, data=data)

    def _resolve_session_alias(self, data: EventData) -> EventData:
        """Give a session its own id; a reversal names the event that asserted the fact first."""
        if isinstance(data, EntryReversed) and not self.book.former_rules:
            past = self.book.past(data.event.source, data.event.id)
            if past is None or past.confirms is None:
                return data
            first = self._recorded(past.confirms).event
            return replace(data, event=EventRef(source=first.source, id=first.id))
        name = getattr(data, "session", None)
        if name is None or self.book.nothing_renamed or isinstance(data, RequestAccepted):
            return data
        session = self.book.session(name)
        return data if session is None or session.id == name else replace(data, session=session.id)  # type: ignore[type-var]

    def _unconfirmed_assertions(self, data: EventData, event: Event) -> list[int]:
        """Return the facts of this type and thing that this source has not told itself yet."""
        source = event.source
        if source == CLI_SOURCE and not isinstance(data, _WITHOUT_MACHINE):
            return []  # A command is a step taken now, and the state machine judges it as such.
        if isinstance(data, TipReceived) and data.again:
            return []  # The expert says that it is one more.
        statements = self.book.statements(data.thing, data.TYPE)
        if not statements or isinstance(data, _SETTINGS):
            return []
        own = {each.confirms or each.seq for each in statements if each.source == source}
        gone = own | self.book.reversed_seqs
        found = [each.seq for each in statements if not each.confirms and each.seq not in gone]
        return (
            self._still_asked(data, event, found) if isinstance(data, ErasureRequested) else found
        )

    def _still_asked(self, data: ErasureRequested, event: Event, found: Sequence[int]) -> list[int]:
        """Return the requests that a request made now repeats: none that was carried out before.

        What is asked after an erasure asks for another one.
        """
        erasures = self.book.statements(f"customer:{data.customer}", CustomerForgotten.TYPE)
        last = erasures[-1].seq if erasures else 0
        if last and event.time > self._recorded(last).event.time:
            return [seq for seq in found if seq > last]
        return list(found)

    # --- written ----------------------------------------------------------------------------------

    def _append(
        self,
        event: Event,
        data: EventData,
        change: Decision,
        recorded_at: str | None,
        *,
        confirms: int | None = None,
    ) -> Outcome:
        book = self.book
        change = counted(change, event, book)
        book.check_turnover(change)
        seq = book.next_seq
        facts, body = documents(event)
        if event.erased:
            body = None
        salt = os.urandom(SALT_BYTES) if body else b""
        recorded_at = recorded_at or self._recorded_at or self._clock()
        row = (str(seq), event.source, event.id, event.type, utc_text(event.time), recorded_at)
        personal = (
            hash_chain.ERASED_BEFORE if event.erased else hash_chain.personal_digest(salt, body)
        )
        booked, effects = NOTHING_BOOKED, hash_chain.NO_EFFECTS
        if change.transactions or change.counts:
            booked = book.booked(seq, change)
            effects = hash_chain.effects_digest(*booked)
        prev, self.head = self.head, hash_chain.event_hash(self.head, row, facts, personal, effects)
        book.append("event", seq, *row[1:], facts, personal, effects, prev, self.head)
        # A source that tells again, late, what is forgotten restores nothing; the expert may.
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
        book.tell(data.thing, data.TYPE, Assertion(seq, event.source, confirms))
        stored = StoredEvent(seq, event, recorded_at, facts, erased=erased or event.erased)
        name = (event.source, event.id)
        self._pending[name] = self._pending_at[seq] = stored
        self._unknown.discard(name)
        book.apply(seq, change, booked)
        if change.forgets:
            self.forgot = self.forgot_customer = True
            self.flush()  # What is pending in memory must not outlive what was erased.
        flags = change.flags
        if change.cautions:
            flags = (*_codes(change.cautions), *flags)
        return Outcome("confirmed" if confirms else "recorded", seq, event, flags)

    def _clock(self) -> str:
        """Return what time it is, which never goes back."""
        return max(utc_text(self._now()), self._last_recorded)


def _codes(cautions: Iterable[Caution]) -> tuple[str, ...]:
    return tuple(caution.code for caution in cautions)


def replayed(past: StoredEvent, event: Event) -> Outcome:
    """Return the first outcome again; raises `Conflict` naming every field that differs."""
    differing = differences(past.event, event, erased=past.erased or event.erased)
    if differing:
        raise Conflict(f"event {event.id} of {event.source}", differing)
    return Outcome("replayed", past.seq, past.event)


# A setting can be set back to what it was: that is no old fact told again.
_SETTINGS = (BookEvent, CustomerForgotten)

# A command may confirm these: they have no state that would say whether they were recorded before.
_WITHOUT_MACHINE = (TipReceived, ReviewPosted, ArtifactAdded, EntryReversed)


def _named_things(events: Iterable[Event]) -> dict[str, set[str]]:
    """Return the ids of what the events will look up, by kind."""
    found: dict[str, set[str]] = defaultdict(set)
    for event in events:
        data = event.data
        for kind in _kinds_named(type(data)):
            if name := getattr(data, kind):
                found[kind].add(name)
        if isinstance(data, RequestAccepted):
            found["session"].add(data.session or data.request)
        elif isinstance(data, _DESCRIBING):
            found["customer"].add(data.customer.id)
    return found


def _kinds_named(kind: type[EventData]) -> tuple[str, ...]:
    """Return the kinds of things that events of a class name, each in the field of that name."""
    if kind not in _KINDS_NAMED:
        names = (name for name, *_ in plan(kind))
        _KINDS_NAMED[kind] = tuple(each for each in names if each in _BY_FIELD)
    return _KINDS_NAMED[kind]


_BY_FIELD = ("request", "session", "claim", "adjustment")
_KINDS_NAMED: dict[type, tuple[str, ...]] = {}

# What tells who a customer is.
_DESCRIBING = (RequestOpened, SessionLogged)
