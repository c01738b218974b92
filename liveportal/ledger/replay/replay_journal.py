"""A journal played back: today's rules decide anew, and what was booked stands.

Where today's rules would book something else, or would refuse an event, that is noted, and the
books of the copy get what is stored. The things that such an event is about, and those that later
events about them name, may then stand otherwise than they do in the ledger: they are `touched`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

from liveportal.domain.accounts import Transaction
from liveportal.domain.clock import LAST
from liveportal.domain.entities import Claim, Customer, Payout, Request, Session, SessionCount
from liveportal.domain.errors import Caution, LiveportalError
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import CustomerInfo, PayoutSent, PolicyAdopted, RequestAccepted
from liveportal.domain.handlers.context import Assertion, Decision, Entity
from liveportal.domain.handlers.session_counts import counted
from liveportal.domain.money import Money
from liveportal.ledger.format.event_log import JournalEntry, Rows, unreadable
from liveportal.ledger.format.serialisation import StoredEvent
from liveportal.ledger.journal.journal import Journal, Outcome
from liveportal.ledger.journal.projection import NOTHING_BOOKED, Projection
from liveportal.ledger.replay.memory import MemoryBook
from liveportal.ledger.storage.driver import Connection

_NAMING = ("request", "session", "claim", "payout", "adjustment", "customer")
_BROKEN = (LiveportalError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class RuleDrift:
    """An event that today's rules would judge otherwise, and how."""

    seq: int
    type: str
    what: str


class AffectedEntities:
    """The things that rules of today might leave otherwise, each with the event that did it."""

    def __init__(self) -> None:
        self.things: dict[str, int] = {}
        self.seqs: dict[int, int] = {}
        self.profile: int | None = None
        self.payouts: set[str] = set()
        self.lost: dict[str, int] = {}
        """The things of events that would be refused: what only these tell of is not there."""

    def by(self, seq: int, cause: int, names: set[str]) -> None:
        """Take note that an event, which another caused to differ, is about these things."""
        self.seqs[seq] = cause
        for name in names:
            self.things.setdefault(name, cause)

    def cause(self, names: set[str]) -> int | None:
        """Return the event that touched one of these things first, or None."""
        return min((self.things[name] for name in names if name in self.things), default=None)


class ReplayJournal(Journal):
    """The door of a copy, held to what was booked."""

    def __init__(
        self, db: Connection, book: Projection | None = None, *, former_until: int = 0
    ) -> None:
        super().__init__(db, lambda: LAST, book)
        self._former_until = former_until
        self.changes: list[RuleDrift] = []
        self.touched = AffectedEntities()
        self._past: JournalEntry
        self._stored: StoredEvent
        self.transactions: tuple[Transaction, ...] = ()
        """What the last event booked."""
        self.counts: tuple[SessionCount, ...] = ()
        """What the last event added to the counts of months."""
        self.miscounted: int | None = None
        """The first event whose counts are not those that its journal gives."""

    def replay_event(self, past: JournalEntry, stored: StoredEvent) -> None:
        """Judge an event anew, and book what it booked."""
        self._past, self._stored, event = past, stored, stored.event
        self.book.former_rules = past.seq <= self._former_until
        try:
            self.record(event, recorded_at=past.recorded_at, origin=Origin.JOURNAL)
        except _BROKEN as error:
            names = _named(event.data) | _about(past)
            cause = self.touched.cause(names | self._sessions_of(names))
            if not isinstance(error, LiveportalError) and cause is None:
                raise unreadable(past.seq, error) from error
            reason = error.message if isinstance(error, LiveportalError) else str(error)
            self._note(past, f"it would be refused today: {reason}")
            for name in names:
                self.touched.lost.setdefault(name, past.seq)
            # What others build on is taken over all the same.
            policy = event.data.policy if isinstance(event.data, PolicyAdopted) else None
            self._append(event, event.data, Decision(policy=policy), past.recorded_at)

    def _hasty(self, event: Event, recorded_at: str | None) -> tuple[Caution, ...]:  # noqa: ARG002
        """Return nothing: what is recorded already is not flagged again."""
        return ()

    def _append(
        self,
        event: Event,
        data: EventData,
        change: Decision,
        recorded_at: str | None,  # noqa: ARG002 -- It is in the row.
        *,
        confirms: int | None = None,
    ) -> Outcome:
        past, book = self._past, self.book
        change = counted(change, event, book)
        booked = NOTHING_BOOKED
        if change.transactions or change.counts or past.entries or past.counts:
            booked = book.booked(past.seq, change)
            if booked[:2] != (past.entries, past.transfers):
                change = self._as_booked(past, event, change)
                booked = book.booked(past.seq, change)
            if booked[2] != past.counts:
                change = self._as_counted(past, change, booked[2])
                booked = book.booked(past.seq, change)
        if self.changes:
            self._touch(past, data, change)
        self.transactions, self.counts = change.transactions, change.counts
        self._copy_event(past, event, data, confirms)
        book.apply(past.seq, change, booked)
        if change.forgets:
            self.flush()  # What is pending in memory must not outlive what was erased.
        return Outcome("confirmed" if confirms else "recorded", past.seq, event)

    def _as_booked(self, past: JournalEntry, event: Event, change: Decision) -> Decision:
        """Return a change with the transactions that were booked, where today's are others."""
        kept, today = past.transactions, change.transactions
        if past.seq not in self.touched.seqs:
            self._note(past, f"it booked {self._words(kept)}, today {self._words(today)}")
        things = tuple(self._with_earning(each, past) for each in change.things)
        return counted(
            replace(change, transactions=kept, things=things, counts=()), event, self.book
        )

    def _as_counted(self, past: JournalEntry, change: Decision, today: Rows) -> Decision:  # noqa: ARG002
        """Return a change with the counts that are kept, where today's are others.

        Those that the event's digest covers are history. Those of older events were derived from
        the journal, and what differs of them without another booking was changed since.
        """
        if past.counts_proved:
            if past.seq not in self.touched.seqs:
                self._note(past, "it counted other minutes or sessions than it would today")
        elif past.seq not in self.touched.seqs and self.miscounted is None:
            self.miscounted = past.seq
        return replace(change, counts=past.counted)

    def _copy_event(
        self, past: JournalEntry, event: Event, data: EventData, confirms: int | None
    ) -> None:
        """Write an event as it was written."""
        book = self.book
        book.append("event", *past[:11])
        if past.body is not None:
            book.append("event_personal", past.seq, past.salt, past.body)
        book.tell(data.thing, data.TYPE, Assertion(past.seq, event.source, confirms))
        self._pending[event.source, event.id] = self._pending_at[past.seq] = self._stored
        self._unknown.discard((event.source, event.id))

    # --- where today's rules differ ---------------------------------------------------------------

    def _note(self, past: JournalEntry, what: str) -> None:
        self.changes.append(RuleDrift(past.seq, past.type, what))
        self.touched.seqs[past.seq] = past.seq
        if past.type.startswith("liveportal.payout_profile."):
            self.touched.profile = past.seq

    def _touch(self, past: JournalEntry, data: EventData, change: Decision) -> None:
        """Say what an event is about, if it is noted itself, or about what was touched before."""
        names = (
            _named(data) | _about(past) | {each for thing in change.things for each in _of(thing)}
        )
        names |= self._sessions_of(names)
        cause = past.seq if past.seq in self.touched.seqs else self.touched.cause(names)
        if isinstance(data, PayoutSent):
            # What a payout pays is chosen among all that is open: any of it may be another.
            cause = cause or min(self.touched.seqs)
            self.touched.payouts.add(data.payout)
        if cause is not None:
            self.touched.by(past.seq, cause, names)

    def _sessions_of(self, names: set[str]) -> set[str]:
        claims = [name.partition(":")[2] for name in names if name.startswith("claim:")]
        known = [self.book.claim(each) for each in claims]
        return {f"session:{each.session}" for each in known if each}

    def _with_earning(self, thing: Entity, past: JournalEntry) -> Entity:
        """Return a session with an earning that is there: what was booked, not what would be."""
        if not isinstance(thing, Session) or (thing.earning or 0) < self.book.next_transaction:
            return thing
        numbers = [entry[0] for entry in past.entries]
        if thing.earning in numbers:
            return thing
        return replace(thing, earning=numbers[-1] if numbers else None)

    def _words(self, entries: tuple[Transaction, ...]) -> str:
        """Say what was booked, for people: `tip of 2026-10 (5.00 from … to …)`."""
        currency = self.book.policy.currency
        found = []
        for each in entries:
            moves = ", ".join(
                f"{Money(move.minor, currency)} from {move.credit} to {move.debit}"
                for move in each.transfers
            )
            found.append(f"{each.kind} of {each.period} ({moves or 'nothing'})")
        return " and ".join(found) or "nothing"


class Reckoning(ReplayJournal):
    """The same over a book in memory: nothing is copied, and the events stay where they are.

    That no two of them have one name is a constraint of the ledger, which is checked with its file.
    """

    book: MemoryBook

    def __init__(self, db: Connection) -> None:
        super().__init__(db, MemoryBook(db), former_until=former_until(db))

    def prefetch(self, events: Sequence[Event]) -> None:
        """Do nothing: all is at hand."""

    def flush(self) -> None:
        """Pack what was not changed for a while."""
        self.book.flush_and_clear()
        self._pending_at.clear()

    def _find(self, source: str, event_id: str) -> StoredEvent | None:  # noqa: ARG002
        return None

    def _copy_event(
        self, past: JournalEntry, event: Event, data: EventData, confirms: int | None
    ) -> None:
        self.book.tell(data.thing, data.TYPE, Assertion(past.seq, event.source, confirms))
        self._pending_at[past.seq] = self._stored


def former_until(db: Connection) -> int:
    """Return the last event that was judged by an earlier edition of the rules; 0 if none was."""
    (latest,) = db.execute("SELECT coalesce(max(until_seq), 0) FROM former_rules").fetchone()
    return int(latest)


def _named(data: EventData) -> set[str]:
    """Return the things that an event names."""
    found = {data.thing}
    for kind in _NAMING:
        name = getattr(data, kind, None)
        if isinstance(name, CustomerInfo):
            name = name.id
        if isinstance(name, str):
            found.add(f"{kind}:{name}")
    if isinstance(data, RequestAccepted):
        found.add(f"session:{data.session or data.request}")
    return found


def _about(past: JournalEntry) -> set[str]:
    """Return the things that what an event booked is about."""
    return {
        f"{kind}:{name}"
        for entry in past.entries
        for kind, name in zip(("session", "claim", "payout", "adjustment"), entry[5:], strict=True)
        if name is not None
    }


def _of(thing: Entity) -> Iterator[str]:
    if isinstance(thing, Request | Session | Claim | Payout | Customer):
        yield f"{type(thing).__name__.lower()}:{thing.id}"
    names = {each.name for each in fields(thing)}
    for kind in ("session", "claim"):
        if kind in names and isinstance(name := getattr(thing, kind), str):
            yield f"{kind}:{name}"
