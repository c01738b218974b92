"""Booking: what of a decision is booked, and the rows of its transactions and counts.

A new event books what the rules decided. An event that is replayed keeps the transactions and the
counts that are stored; where today's rules decide otherwise, that is rule drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from liveportal.domain.clock import utc_text
from liveportal.domain.entities import Session
from liveportal.domain.events.envelope import CLI_SOURCE, Event, EventData
from liveportal.domain.frozen import replace
from liveportal.domain.handlers.context import Decision, Entity
from liveportal.domain.handlers.session_counts import add_counts
from liveportal.ledger.format import hash_chain
from liveportal.ledger.format.row_mapping import SESSION_COUNT
from liveportal.ledger.format.serialisation import StoredEvent
from liveportal.ledger.journal.event_log import EventLog
from liveportal.ledger.journal.projection import NO_ROWS, BookedRows, Projection

if TYPE_CHECKING:
    from liveportal.ledger.format.journal_entries import JournalEntry
    from liveportal.ledger.journal.rule_drift import RuleDriftReport


class Booked(NamedTuple):
    """An appended event, with the decision as it is booked, and the rows of what it books."""

    stored: StoredEvent
    decision: Decision
    rows: BookedRows


class Booking(Protocol):
    """Appends an event with what it books."""

    def book(
        self,
        event: Event,
        data: EventData,
        decision: Decision,
        recorded_at: str | None,
        confirms: int | None,
    ) -> Booked:
        """Append an event to the log; `data` is its data with canonical ids."""
        ...


class AsDecided:
    """Books what the rules decided."""

    def __init__(self, log: EventLog, book: Projection) -> None:
        self._log = log
        self._book = book

    def book(
        self,
        event: Event,
        data: EventData,
        decision: Decision,
        recorded_at: str | None,
        confirms: int | None,
    ) -> Booked:
        """Append an event to the log; raises `AmountTooLarge`."""
        book = self._book
        decision = add_counts(decision, event, book)
        rows, effects = NO_ROWS, hash_chain.NO_EFFECTS
        if decision.transactions or decision.counts:
            book.check_turnover(decision)
            rows = to_rows(book.next_seq, book.next_transaction, decision)
            effects = hash_chain.effects_digest(*rows)
        # A feed that repeats a fact after its erasure restores no personal data; the expert may.
        drops_personal = (
            confirms is not None
            and event.source != CLI_SOURCE
            and book.is_forgotten(data, confirms)
        )
        stored = self._log.append(event, effects, recorded_at, drops_personal=drops_personal)
        return Booked(stored, decision, rows)


class AsStored:
    """Books the stored transactions and counts of a replayed event, whatever the rules decided.

    `replaying` names the event to be booked next. With `recounts`, session counts are those of
    today's rules.
    """

    def __init__(
        self, log: EventLog, book: Projection, drift: RuleDriftReport, *, recounts: bool = False
    ) -> None:
        self._log = log
        self._book = book
        self._drift = drift
        self._recounts = recounts
        self._entry: JournalEntry
        self._stored: StoredEvent

    def replaying(self, entry: JournalEntry, stored: StoredEvent) -> None:
        """Take an event as the one that is booked next."""
        self._entry, self._stored = entry, stored

    def book(
        self,
        event: Event,
        data: EventData,
        decision: Decision,
        recorded_at: str | None,  # noqa: ARG002 -- It is in the stored row.
        confirms: int | None,  # noqa: ARG002 -- What is erased is erased in the stored row.
    ) -> Booked:
        """Append the stored event to the log, unchanged."""
        entry, rows = self._entry, NO_ROWS
        decision = add_counts(decision, event, self._book)
        if decision.transactions or decision.counts or entry.entries or entry.counts:
            rows = self._rows(decision)
            if rows[:2] != (entry.entries, entry.transfers):
                decision = self._with_stored_transactions(event, decision)
                rows = self._rows(decision)
            if rows[2] != entry.counts and not self._recounts:
                self._drift.note_counts(entry)
                decision = replace(decision, counts=entry.counted)
                rows = self._rows(decision)
        self._drift.note_affected(entry, data, decision.entities)
        self._log.copy(entry, self._stored)
        if decision.forgets:
            decision = replace(decision, forgets=None)  # It is erased in the stored rows already.
        return Booked(self._stored, decision, rows)

    def _rows(self, decision: Decision) -> BookedRows:
        return to_rows(self._entry.seq, self._book.next_transaction, decision)

    def _with_stored_transactions(self, event: Event, decision: Decision) -> Decision:
        """Replace the transactions of a decision by the stored ones, which differ."""
        stored = self._entry.transactions
        self._drift.note_transactions(self._entry, stored, decision.transactions)
        entities = tuple(self._with_stored_earning(entity) for entity in decision.entities)
        return add_counts(
            replace(decision, transactions=stored, entities=entities, counts=()), event, self._book
        )

    def _with_stored_earning(self, entity: Entity) -> Entity:
        """Give a session the stored transaction as its earning, not one of today's rules."""
        if not isinstance(entity, Session) or (entity.earning or 0) < self._book.next_transaction:
            return entity
        numbers = [row[0] for row in self._entry.entries]
        if entity.earning in numbers:
            return entity
        return replace(entity, earning=numbers[-1] if numbers else None)


def to_rows(seq: int, first_transaction: int, decision: Decision) -> BookedRows:
    """Return the rows to store for a decision, numbered from the next transaction on."""
    transactions: list[tuple[Any, ...]] = []
    transfers: list[tuple[Any, ...]] = []
    for number, entry in enumerate(decision.transactions, first_transaction):
        about = (entry.session, entry.claim, entry.payout, entry.adjustment)
        time = utc_text(entry.time)
        transactions.append((number, seq, str(entry.kind), time, entry.period, *about))
        transfers += [
            (number, n, str(move.debit), str(move.credit), move.minor, entry.period)
            for n, move in enumerate(entry.transfers, 1)
        ]
    write = SESSION_COUNT.write
    counts = [(seq, n, *write(count)) for n, count in enumerate(decision.counts, 1)]
    return transactions, transfers, counts
