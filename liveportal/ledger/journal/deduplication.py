"""Deduplication: whether an event is new, a replay, a confirmation, or in conflict.

A replay has the name of a recorded event. A confirmation asserts a fact that another source
asserted first. Both must agree with what is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from liveportal.domain import errors
from liveportal.domain.events.deduplication import differences
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.events.fields import in_currency
from liveportal.domain.events.types import (
    ArtifactAdded,
    BookEvent,
    CustomerForgotten,
    EntryReversed,
    ErasureRequested,
    EventRef,
    PayoutEvent,
    PayoutSent,
    PolicyAdopted,
    RequestAccepted,
    ReviewPosted,
    TipReceived,
)
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.handlers import payout_reports
from liveportal.domain.handlers.confirmation import FirstAssertion, confirm, contradicted_fields
from liveportal.domain.handlers.context import Decision
from liveportal.ledger.format.serialisation import StoredEvent
from liveportal.ledger.journal.event_log import EventLog
from liveportal.ledger.journal.projection import Projection


@frozen
class Conflict:
    """The event contradicts a recorded one in these fields; `subject` names what was recorded."""

    subject: str
    fields: tuple[str, ...]

    @property
    def error(self) -> errors.Conflict:
        """The error that refuses the event."""
        return errors.Conflict(self.subject, list(self.fields))


@frozen
class Replay:
    """The event was recorded at position `seq`, at the time `recorded_at`."""

    seq: int
    event: Event
    recorded_at: str


@frozen
class Confirms:
    """The event asserts the fact of event `seq` too; `decision` is what it adds to it.

    `data` is the event's data with canonical ids.
    """

    seq: int
    data: EventData
    decision: Decision


@frozen
class New:
    """The event is for the rules to decide; `data` is its data with canonical ids.

    If the rules refuse it for the state of its entity, it is a conflict with the fact that another
    source asserted, if any.
    """

    data: EventData
    conflict: Conflict | None = None


Answer = New | Replay | Confirms | Conflict


def subject_of(data: EventData) -> str:
    """Return what an event reports, for a sentence: `The event session.ended of session S-1`."""
    return f"The event {data.TYPE} of {data.entity.replace(':', ' ')}"


class Deduplicator:
    """Compares events with those recorded in an event log, and with what they assert."""

    def __init__(self, log: EventLog, book: Projection) -> None:
        self._log = log
        self._book = book

    def compare(self, event: Event, stored: StoredEvent | None) -> Answer:
        """Compare an event with what is recorded; `stored` is the event of the same name, if any.

        Raises the refusals of a confirmation: `AlreadyExists`, `CurrencyMismatch`, `UnknownEntity`.
        """
        if stored:
            return self._compare_by_name(event, stored)
        data = self._with_canonical_ids(event.data)
        contradicted: list[tuple[EventData, Conflict]] = []
        for seq in self._unconfirmed_assertions(data, event):
            first = self._first_assertion(seq)
            fields = contradicted_fields(first, data, self._book)
            if not fields:
                return Confirms(seq, data, confirm(first, event, data, self._book))
            conflict = Conflict(subject_of(data), tuple(fields))
            contradicted.append((first.data, conflict))
        if not contradicted:
            return self._seen_in_statement(data, event) or New(data)
        return _conflicting_review(data, contradicted) or New(data, contradicted[0][1])

    def _seen_in_statement(self, data: EventData, event: Event) -> Confirms | None:
        """Return the confirmation of a payout that a statement showed before the platform did."""
        if not isinstance(data, PayoutSent):
            return None
        found = payout_reports.seen_in_statement(data, event, self._book)
        if found is None:
            return None
        seq, payout = found
        decision = payout_reports.match_by_amount(data.payout, payout)
        return Confirms(seq, replace(data, payout=payout.id), decision)

    def _compare_by_name(self, event: Event, stored: StoredEvent) -> Replay | Conflict:
        recorded = in_book_currency(stored.event, self._book)
        if fields := differences(recorded, event, erased=stored.erased or event.erased):
            return Conflict(f"Event {event.id} from {event.source}", tuple(fields))
        return Replay(stored.seq, recorded, stored.recorded_at)

    def _first_assertion(self, seq: int) -> FirstAssertion:
        event = in_book_currency(self._log.at(seq).event, self._book)
        return FirstAssertion(seq, self._with_canonical_ids(event.data))

    def _with_canonical_ids(self, data: EventData) -> EventData:
        """Replace an alias by the id, and in a reversal a confirmation by its fact."""
        if isinstance(data, EntryReversed) and not self._book.former_rules:
            recorded = self._book.recorded_event(data.event.source, data.event.id)
            if recorded is None or recorded.confirms is None:
                return data
            first = self._log.at(recorded.confirms).event
            return replace(data, event=EventRef(source=first.source, id=first.id))
        if isinstance(data, PayoutEvent):
            return self._resolve_payout_alias(data)
        return self._resolve_session_alias(data)

    def _resolve_payout_alias(self, data: Any) -> EventData:  # noqa: ANN401 (it has a payout)
        payout = self._book.payout(data.payout)
        resolved: EventData = data
        if payout is not None and payout.id != data.payout:
            resolved = replace(data, payout=payout.id)
        return resolved

    def _resolve_session_alias(self, data: EventData) -> EventData:
        session_id = getattr(data, "session", None)
        if session_id is None or self._book.nothing_renamed or isinstance(data, RequestAccepted):
            return data
        session = self._book.session(session_id)
        if session is None or session.id == session_id:
            return data
        return replace(data, session=session.id)

    def _unconfirmed_assertions(self, data: EventData, event: Event) -> Sequence[int]:
        """Return the facts of this type and entity that this source has not asserted yet.

        They are the `seq`s of the first assertions, without those that were reversed. Details may
        be added to any, such as a transfer fee.
        """
        source = event.source
        adds = payout_reports.adds_details(data)
        if source == CLI_SOURCE and not (adds or isinstance(data, _STATELESS)):
            return ()  # A command is a new step: the state machine judges it.
        if isinstance(data, TipReceived) and data.again:
            return ()  # The expert has said that this is another tip.
        assertions = self._book.assertions(data.entity, data.TYPE)
        if not assertions or isinstance(data, _SETTINGS):
            return ()
        own = {
            item.confirms or item.seq for item in assertions if item.source == source and not adds
        }
        excluded = own | self._book.reversed_seqs
        seqs = [item.seq for item in assertions if not item.confirms and item.seq not in excluded]
        if isinstance(data, ErasureRequested):
            return self._open_erasure_requests(data, event, seqs)
        return seqs

    def _open_erasure_requests(
        self, data: ErasureRequested, event: Event, seqs: Sequence[int]
    ) -> Sequence[int]:
        """Return those erasure requests that a new one repeats: none that was carried out before.

        A request made after an erasure asks for another one.
        """
        erasures = self._book.assertions(f"customer:{data.customer}", CustomerForgotten.TYPE)
        last = erasures[-1].seq if erasures else 0
        if last and event.time > self._log.at(last).event.time:
            return [seq for seq in seqs if seq > last]
        return seqs


def in_book_currency(event: Event, book: Projection) -> Event:
    """Return an event with its amounts in the digits that the book uses for its currency."""
    currency = book.policy.currency
    if type(currency) is str and type(event.data) is not PolicyAdopted:
        return event  # The usual case: the digits are those of ISO 4217.
    data = in_currency(event.data, currency)
    return event if data is event.data else replace(event, data=data)


def _conflicting_review(
    data: EventData, contradicted: Iterable[tuple[EventData, Conflict]]
) -> Conflict | None:
    """Return the conflict with another source's last review by the same side, or None.

    Only the source that posted a review may change it.
    """
    if not isinstance(data, ReviewPosted):
        return None
    same_side = [
        conflict for recorded, conflict in contradicted if getattr(recorded, "by", None) == data.by
    ]
    return same_side[-1] if same_side else None


# A setting can be set back to an earlier value, so an equal event is a new fact.
_SETTINGS = (BookEvent, CustomerForgotten)

# A command may confirm these: they have no state that shows whether they were recorded before.
_STATELESS = (TipReceived, ReviewPosted, ArtifactAdded, EntryReversed)
