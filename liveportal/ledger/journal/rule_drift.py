"""Rule drift: the events of a journal that today's rules would judge differently.

The entities that such an event concerns, and those that later events about them name, may then
differ from the ledger's: they are affected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from liveportal.domain.accounts import Transaction
from liveportal.domain.entities import Claim, Customer, Payout, Request, Session
from liveportal.domain.events.envelope import EventData
from liveportal.domain.events.types import CustomerInfo, PayoutSent, RequestAccepted
from liveportal.domain.frozen import frozen
from liveportal.domain.handlers.context import Entity
from liveportal.domain.money import Money
from liveportal.ledger.format.journal_entries import JournalEntry
from liveportal.ledger.journal.projection import Projection

_REFERENCE_FIELDS = ("request", "session", "claim", "payout", "adjustment", "customer")


@frozen
class RuleDrift:
    """An event that today's rules would judge differently; `what` describes the difference."""

    seq: int
    type: str
    what: str


class AffectedEntities:
    """The entities that today's rules may leave in another state, each with the causing event."""

    def __init__(self) -> None:
        self.entities: dict[str, int] = {}
        self.seqs: dict[int, int] = {}
        self.profile: int | None = None
        self.payouts: set[str] = set()
        self.lost: dict[str, int] = {}
        """The entities of events that would be refused: those they create are missing."""

    def by(self, seq: int, cause: int, names: set[str]) -> None:
        """Note that event `seq`, differing because of event `cause`, concerns these entities."""
        self.seqs[seq] = cause
        for name in names:
            self.entities.setdefault(name, cause)

    def cause(self, names: set[str]) -> int | None:
        """Return the `seq` of the earliest event that affected one of these entities, or None."""
        return min((self.entities[name] for name in names if name in self.entities), default=None)


class RuleDriftReport:
    """The rule drift of a replay into a book, in journal order, and the affected entities.

    `miscounted` is the first event whose stored counts, though derived from the journal, differ
    from it.
    """

    def __init__(self, book: Projection) -> None:
        self._book = book
        self.changes: list[RuleDrift] = []
        self.affected = AffectedEntities()
        self.miscounted: int | None = None

    def note_refusal(self, entry: JournalEntry, data: EventData, reason: str) -> None:
        """Report an event that would be refused."""
        self._note(entry, f"It would be refused today: {reason}")
        for name in self._names(entry, data):
            self.affected.lost.setdefault(name, entry.seq)

    def note_transactions(
        self,
        entry: JournalEntry,
        stored: tuple[Transaction, ...],
        today: tuple[Transaction, ...],
    ) -> None:
        """Report other transactions, unless the event is known to differ."""
        if entry.seq not in self.affected.seqs:
            self._note(
                entry,
                f"It booked {self._describe(stored)}. Today it would book {self._describe(today)}.",
            )

    def note_counts(self, entry: JournalEntry) -> None:
        """Report other session counts, unless the event is known to differ.

        Counts that the event's digest covers are history: the difference is rule drift. Those of
        older events were derived from the journal; if they differ although the transactions agree,
        they were changed since.
        """
        if entry.seq in self.affected.seqs:
            return
        if entry.counts_proved:
            self._note(entry, "It counted other minutes or sessions than it would today.")
        elif self.miscounted is None:
            self.miscounted = entry.seq

    def note_affected(
        self, entry: JournalEntry, data: EventData, entities: Iterable[Entity]
    ) -> None:
        """Mark the entities of an event as affected, if the event or any of them already is."""
        if not self.changes:
            return
        names = self._names(entry, data)
        names |= {name for entity in entities for name in _entity_names(entity)}
        names |= self._sessions_of(names)
        cause = entry.seq if entry.seq in self.affected.seqs else self.affected.cause(names)
        if isinstance(data, PayoutSent):
            # A payout chooses its items among all that are open, so any of them may differ.
            cause = cause or min(self.affected.seqs)
            self.affected.payouts.add(data.payout)
        if cause is not None:
            self.affected.by(entry.seq, cause, names)

    def is_affected(self, entry: JournalEntry, data: EventData) -> bool:
        """Return True if an event concerns an affected entity."""
        names = self._names(entry, data)
        return self.affected.cause(names | self._sessions_of(names)) is not None

    def _note(self, entry: JournalEntry, what: str) -> None:
        self.changes.append(RuleDrift(entry.seq, entry.type, what))
        self.affected.seqs[entry.seq] = entry.seq
        if entry.type.startswith("liveportal.payout_profile."):
            self.affected.profile = entry.seq

    @staticmethod
    def _names(entry: JournalEntry, data: EventData) -> set[str]:
        return _referenced(data) | _booked_for(entry)

    def _sessions_of(self, names: set[str]) -> set[str]:
        claims = [name.partition(":")[2] for name in names if name.startswith("claim:")]
        known = [self._book.claim(claim_id) for claim_id in claims]
        return {f"session:{claim.session}" for claim in known if claim}

    def _describe(self, transactions: tuple[Transaction, ...]) -> str:
        """Describe transactions for people: `tip of 2026-10 (5.00 from … to …)`."""
        currency = self._book.policy.currency
        descriptions = []
        for transaction in transactions:
            moves = ", ".join(
                f"{Money(move.minor, currency)} from {move.credit} to {move.debit}"
                for move in transaction.transfers
            )
            descriptions.append(
                f"{transaction.kind} of {transaction.period} ({moves or 'nothing'})"
            )
        return " and ".join(descriptions) or "nothing"


def _referenced(data: EventData) -> set[str]:
    """Return the names (`kind:id`) of the entities that an event refers to."""
    names = {data.entity}
    for kind in _REFERENCE_FIELDS:
        entity_id = getattr(data, kind, None)
        if isinstance(entity_id, CustomerInfo):
            entity_id = entity_id.id
        if isinstance(entity_id, str):
            names.add(f"{kind}:{entity_id}")
    if isinstance(data, RequestAccepted):
        names.add(f"session:{data.session or data.request}")
    return names


def _booked_for(entry: JournalEntry) -> set[str]:
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
