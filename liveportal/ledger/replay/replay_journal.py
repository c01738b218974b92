"""Replay with today's rules, keeping the stored transactions; differences are rule drift.

If today's rules would book other transactions, or refuse an event, that is noted and the stored
transactions are booked. The entities that such an event concerns, and those that later events about
them name, may then differ from the ledger's: they are collected in `touched`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

from liveportal.domain.accounts import Transaction
from liveportal.domain.clock import LAST
from liveportal.domain.entities import Claim, Customer, Payout, Request, Session
from liveportal.domain.errors import Caution, LiveportalError
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import CustomerInfo, PayoutSent, PolicyAdopted, RequestAccepted
from liveportal.domain.frozen import frozen
from liveportal.domain.handlers.context import Assertion, Decision, Entity, RecordedEvent
from liveportal.domain.handlers.session_counts import add_counts
from liveportal.domain.money import Money
from liveportal.ledger.format.event_log import JournalEntry, Rows, unreadable
from liveportal.ledger.format.serialisation import StoredEvent, stored_event
from liveportal.ledger.journal.journal import Journal, Outcome
from liveportal.ledger.journal.projection import NOTHING_BOOKED, Projection
from liveportal.ledger.storage.driver import Connection

_REFERENCE_FIELDS = ("request", "session", "claim", "payout", "adjustment", "customer")
_RULE_ERRORS = (
    LiveportalError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
)


@frozen
class RuleDrift:
    """An event that today's rules would judge differently; `what` describes the difference."""

    seq: int
    type: str
    what: str


class AffectedEntities:
    """The entities that today's rules may leave in another state, each with the causing event."""

    def __init__(self) -> None:
        self.things: dict[str, int] = {}
        self.seqs: dict[int, int] = {}
        self.profile: int | None = None
        self.payouts: set[str] = set()
        self.lost: dict[str, int] = {}
        """The entities of events that would be refused: those they create are missing."""

    def by(self, seq: int, cause: int, names: set[str]) -> None:
        """Note that event `seq`, differing because of event `cause`, concerns these entities."""
        self.seqs[seq] = cause
        for name in names:
            self.things.setdefault(name, cause)

    def cause(self, names: set[str]) -> int | None:
        """Return the `seq` of the earliest event that affected one of these entities, or None."""
        return min((self.things[name] for name in names if name in self.things), default=None)


class ReplayProjection(Projection):
    """A projection into a copy, whose past events are those of the ledger that is replayed."""

    def __init__(self, ledger: Connection, copy: Connection) -> None:
        super().__init__(copy)
        self._ledger = ledger

    def past(self, source: str, event_id: str) -> RecordedEvent | None:
        """Return an event that was replayed already, with its transactions, or None."""
        found = stored_event(self._ledger, source, event_id)
        if found is None or found.seq >= self.next_seq:
            return None
        return self._past(found.seq, found.event)


class ReplayJournal(Journal):
    """A journal that books a ledger's stored transactions in a copy, whatever today's rules decide.

    That event names are unique is a constraint of the ledger, so none is looked up. With
    `copies_events`, the copy gets the events, too; with `recounts`, it gets the session counts of
    today's rules instead of the stored ones.
    """

    book: ReplayProjection

    def __init__(
        self,
        ledger: Connection,
        copy: Connection,
        *,
        copies_events: bool = False,
        recounts: bool = False,
    ) -> None:
        super().__init__(ledger, lambda: LAST, ReplayProjection(ledger, copy))
        self._copies_events, self._recounts = copies_events, recounts
        self._former_until = former_until(ledger)
        self.changes: list[RuleDrift] = []
        self.touched = AffectedEntities()
        self._entry: JournalEntry
        self._stored: StoredEvent
        self.miscounted: int | None = None
        """The first event whose stored counts, though derived from the journal, differ from it."""

    def replay_event(self, entry: JournalEntry, stored: StoredEvent) -> None:
        """Apply today's rules to an event, and book its stored transactions.

        Raises `UnreadableEvent` for an error that is neither a refusal nor a result of rule drift.
        """
        self._entry, self._stored, event = entry, stored, stored.event
        self.book.former_rules = entry.seq <= self._former_until
        try:
            self.record(event, recorded_at=entry.recorded_at, origin=Origin.JOURNAL)
        except _RULE_ERRORS as error:
            names = _referenced(event.data) | _affected(entry)
            cause = self.touched.cause(names | self._sessions_of(names))
            if not isinstance(error, LiveportalError) and cause is None:
                raise unreadable(entry.seq, error) from error
            reason = error.message if isinstance(error, LiveportalError) else str(error)
            self._note_drift(entry, f"it would be refused today: {reason}")
            for name in names:
                self.touched.lost.setdefault(name, entry.seq)
            # Later events depend on the policy, so it is adopted all the same.
            policy = event.data.policy if isinstance(event.data, PolicyAdopted) else None
            self._append(event, event.data, Decision(policy=policy), entry.recorded_at)

    def prefetch(self, events: Sequence[Event]) -> None:
        """Bulk-load the entities that these events will need."""
        self.prefetch_entities(events)

    def _find(self, source: str, event_id: str) -> StoredEvent | None:  # noqa: ARG002
        return None

    def _hasty_cautions(self, event: Event, recorded_at: str | None) -> tuple[Caution, ...]:  # noqa: ARG002
        """Return no cautions: recorded events are not flagged again."""
        return ()

    def _append(
        self,
        event: Event,
        data: EventData,
        decision: Decision,
        recorded_at: str | None,  # noqa: ARG002 -- It is in the stored row.
        *,
        confirms: int | None = None,
    ) -> Outcome:
        entry, book = self._entry, self.book
        decision = add_counts(decision, event, book)
        rows = NOTHING_BOOKED
        if decision.transactions or decision.counts or entry.entries or entry.counts:
            rows = book.booked(entry.seq, decision)
            if rows[:2] != (entry.entries, entry.transfers):
                decision = self._as_booked(entry, event, decision)
                rows = book.booked(entry.seq, decision)
            if rows[2] != entry.counts and not self._recounts:
                decision = self._as_counted(entry, decision, rows[2])
                rows = book.booked(entry.seq, decision)
        if self.changes:
            self._note_affected(entry, data, decision)
        self._note_event(entry, event, data, confirms)
        book.apply(entry.seq, replace(decision, forgets=None), rows)  # The ledger has erased it.
        return Outcome("confirmed" if confirms else "recorded", entry.seq, event)

    def _as_booked(self, entry: JournalEntry, event: Event, decision: Decision) -> Decision:
        """Return the decision with the stored transactions in place of today's, which differ."""
        stored, today = entry.transactions, decision.transactions
        if entry.seq not in self.touched.seqs:
            self._note_drift(
                entry, f"it booked {self._describe(stored)}, today {self._describe(today)}"
            )
        entities = tuple(self._with_earning(entity, entry) for entity in decision.things)
        return add_counts(
            replace(decision, transactions=stored, things=entities, counts=()), event, self.book
        )

    def _as_counted(self, entry: JournalEntry, decision: Decision, today: Rows) -> Decision:  # noqa: ARG002
        """Return the decision with the stored counts in place of today's, which differ.

        Counts that the event's digest covers are history: the difference is rule drift. Those of
        older events were derived from the journal; if they differ although the transactions agree,
        they were changed since.
        """
        if entry.counts_proved:
            if entry.seq not in self.touched.seqs:
                self._note_drift(entry, "it counted other minutes or sessions than it would today")
        elif entry.seq not in self.touched.seqs and self.miscounted is None:
            self.miscounted = entry.seq
        return replace(decision, counts=entry.counted)

    def _note_event(
        self, entry: JournalEntry, event: Event, data: EventData, confirms: int | None
    ) -> None:
        """Append the assertion of an event and, to copy the events, its stored row unchanged."""
        book = self.book
        if self._copies_events:
            book.append("event", *entry[:11])
            if entry.body is not None:
                book.append("event_personal", entry.seq, entry.salt, entry.body)
        book.tell(data.thing, data.TYPE, Assertion(entry.seq, event.source, confirms))
        self._pending_at[entry.seq] = self._stored

    # --- differences of today's rules -------------------------------------------------------------

    def _note_drift(self, entry: JournalEntry, what: str) -> None:
        self.changes.append(RuleDrift(entry.seq, entry.type, what))
        self.touched.seqs[entry.seq] = entry.seq
        if entry.type.startswith("liveportal.payout_profile."):
            self.touched.profile = entry.seq

    def _note_affected(self, entry: JournalEntry, data: EventData, decision: Decision) -> None:
        """Mark the entities of an event as affected, if the event or any of them already is."""
        names = _referenced(data) | _affected(entry)
        names |= {name for entity in decision.things for name in _entity_names(entity)}
        names |= self._sessions_of(names)
        cause = entry.seq if entry.seq in self.touched.seqs else self.touched.cause(names)
        if isinstance(data, PayoutSent):
            # A payout chooses its items among all that are open, so any of them may differ.
            cause = cause or min(self.touched.seqs)
            self.touched.payouts.add(data.payout)
        if cause is not None:
            self.touched.by(entry.seq, cause, names)

    def _sessions_of(self, names: set[str]) -> set[str]:
        claims = [name.partition(":")[2] for name in names if name.startswith("claim:")]
        known = [self.book.claim(claim_id) for claim_id in claims]
        return {f"session:{claim.session}" for claim in known if claim}

    def _with_earning(self, entity: Entity, entry: JournalEntry) -> Entity:
        """Return a session with the stored transaction as its earning, not one of today's rules."""
        if not isinstance(entity, Session) or (entity.earning or 0) < self.book.next_transaction:
            return entity
        numbers = [row[0] for row in entry.entries]
        if entity.earning in numbers:
            return entity
        return replace(entity, earning=numbers[-1] if numbers else None)

    def _describe(self, entries: tuple[Transaction, ...]) -> str:
        """Describe transactions for people: `tip of 2026-10 (5.00 from … to …)`."""
        currency = self.book.policy.currency
        descriptions = []
        for entry in entries:
            moves = ", ".join(
                f"{Money(move.minor, currency)} from {move.credit} to {move.debit}"
                for move in entry.transfers
            )
            descriptions.append(f"{entry.kind} of {entry.period} ({moves or 'nothing'})")
        return " and ".join(descriptions) or "nothing"


def former_until(db: Connection) -> int:
    """Return the `seq` of the last event judged by an earlier edition of the rules, or 0."""
    (latest,) = db.execute("SELECT coalesce(max(until_seq), 0) FROM former_rules").fetchone()
    return int(latest)


def _referenced(data: EventData) -> set[str]:
    """Return the names (`kind:id`) of the entities that an event refers to."""
    names = {data.thing}
    for kind in _REFERENCE_FIELDS:
        entity_id = getattr(data, kind, None)
        if isinstance(entity_id, CustomerInfo):
            entity_id = entity_id.id
        if isinstance(entity_id, str):
            names.add(f"{kind}:{entity_id}")
    if isinstance(data, RequestAccepted):
        names.add(f"session:{data.session or data.request}")
    return names


def _affected(entry: JournalEntry) -> set[str]:
    """Return the names (`kind:id`) of the entities that an event's transactions concern."""
    return {
        f"{kind}:{name}"
        for row in entry.entries
        for kind, name in zip(("session", "claim", "payout", "adjustment"), row[5:], strict=True)
        if name is not None
    }


def _entity_names(entity: Entity) -> Iterator[str]:
    if isinstance(entity, Request | Session | Claim | Payout | Customer):
        yield f"{type(entity).__name__.lower()}:{entity.id}"
    names = {field.name for field in fields(entity)}
    for kind in ("session", "claim"):
        if kind in names and isinstance(name := getattr(entity, kind), str):
            yield f"{kind}:{name}"
