"""Read the journal as stored: every event with its transactions and counts, in one ordered pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from liveportal.domain.accounts import Account, Transaction, TransactionKind, Transfer
from liveportal.domain.clock import from_text
from liveportal.domain.entities import SessionCount
from liveportal.domain.errors import LiveportalError, UnreadableEvent
from liveportal.domain.hint import Hint
from liveportal.ledger.format import hash_chain
from liveportal.ledger.format.row_mapping import SESSION_COUNT, to_json
from liveportal.ledger.format.serialisation import StoredEvent, read_event
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.tables import select

_EVENTS = """
    SELECT event.seq, source, id, type, time, recorded_at, facts, personal_digest,
           effects_digest, prev_hash, hash, salt, body
    FROM event LEFT JOIN event_personal ON event_personal.seq = event.seq
"""
_SELECT_TRANSACTION = select("transaction")
_SELECT_TRANSFER = select("transfer")
_COUNTS = f"{select('session_count')} ORDER BY seq, n"
_TRANSACTIONS = f"{_SELECT_TRANSACTION} ORDER BY seq, id"
_TRANSFERS = f'{_SELECT_TRANSFER} ORDER BY "transaction", n'

Rows = list[tuple[Any, ...]]
_UNREADABLE = (
    *(LiveportalError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError),
    RecursionError,
)


class JournalEntry(NamedTuple):
    """An event as stored, with its personal data and the rows of its transactions and counts."""

    seq: int
    source: str
    id: str
    type: str
    time: str
    recorded_at: str
    facts: str
    personal_digest: bytes
    effects_digest: bytes
    prev_hash: bytes
    hash: bytes
    salt: bytes | None
    body: str | None
    entries: Rows
    transfers: Rows
    counts: Rows

    @property
    def stored(self) -> StoredEvent:
        """The decoded event; raises `UnreadableEvent`."""
        try:
            return read_event((*self[:7], self.body, self.personal_digest != b""))
        except _UNREADABLE as error:
            raise unreadable(self.seq, error) from error

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """The event's transactions, as values of the domain."""
        return _transactions(self.entries, self.transfers)

    @property
    def counts_proved(self) -> bool:
        """True if the event has counts and its digest covers them, which older events' do not."""
        if not self.counts:
            return False
        proved = hash_chain.effects_digest(self.entries, self.transfers, self.counts)
        return proved == self.effects_digest

    @property
    def counted(self) -> tuple[SessionCount, ...]:
        """The event's session counts."""
        return tuple(SESSION_COUNT.read(row[2:]) for row in self.counts)


def _transactions(entries: Rows, transfers: Rows) -> tuple[Transaction, ...]:
    transfers_by_transaction: dict[int, list[Transfer]] = {
        transaction_id: [] for transaction_id, *_ in entries
    }
    for transaction_id, _, debit, credit, minor, _ in transfers:
        transfers_by_transaction[transaction_id].append(
            Transfer(Account(debit), Account(credit), minor)
        )
    return tuple(
        Transaction(
            TransactionKind(kind),
            from_text(time),
            period,
            tuple(transfers_by_transaction[transaction_id]),
            *about,
        )
        for transaction_id, _, kind, time, period, *about in entries
    )


def unreadable(seq: int, error: Exception) -> UnreadableEvent:
    """Return the error for an event that cannot be read or replayed."""
    reason = error.message if isinstance(error, LiveportalError) else f"{error}"
    return UnreadableEvent(
        f"Event {seq} cannot be read: {reason.rstrip('.')}.",
        hint=Hint("{Verification} shows what was changed."),
        seq=seq,
    )


def iter_journal(
    db: Connection,
    *,
    until: str | None = None,
    last_seq: int | None = None,
    seqs: Sequence[int] | None = None,
) -> Iterator[JournalEntry]:
    """Yield the journal in order, up to `last_seq`, or recorded until `until` (stored form, UTC).

    With `seqs`, only these events.

    Rows that belong to no such event are skipped.
    """
    where = " WHERE event.seq <= coalesce(?, event.seq) AND recorded_at <= coalesce(?, recorded_at)"
    entries, transfers = iter(db.execute(_TRANSACTIONS)), iter(db.execute(_TRANSFERS))
    entry, transfer = next(entries, None), next(transfers, None)
    counts = iter(db.execute(_COUNTS))
    count = next(counts, None)
    no_rows: Rows = []
    values: tuple[object, ...] = (last_seq, until)
    if seqs is not None:
        where += " AND event.seq IN (SELECT value FROM json_each(?))"
        values = (*values, to_json(seqs))
    for row in db.execute(f"{_EVENTS}{where} ORDER BY event.seq", values):
        seq = row[0]
        while entry is not None and entry[1] < seq:
            entry = next(entries, None)
        while count is not None and count[0] < seq:
            count = next(counts, None)
        counted = no_rows
        while count is not None and count[0] == seq:
            counted = [*counted, count]
            count = next(counts, None)
        if entry is None or entry[1] != seq:
            yield JournalEntry._make((*row, no_rows, no_rows, counted))
            continue
        booked: Rows = []
        moved: Rows = []
        while entry is not None and entry[1] == seq:
            booked.append(entry)
            while transfer is not None and transfer[0] <= entry[0]:
                if transfer[0] == entry[0]:
                    moved.append(transfer)
                transfer = next(transfers, None)
            entry = next(entries, None)
        yield JournalEntry._make((*row, booked, moved, counted))


def booked_by(db: Connection, seq: int) -> tuple[Transaction, ...]:
    """Return the transactions of one event."""
    entries = db.execute(f"{_SELECT_TRANSACTION} WHERE seq = ? ORDER BY id", (seq,)).fetchall()
    transfers = [
        move
        for number, *_ in entries
        for move in db.execute(
            f'{_SELECT_TRANSFER} WHERE "transaction" = ? ORDER BY n', (number,)
        ).fetchall()
    ]
    return _transactions(entries, transfers)
