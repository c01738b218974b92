"""Verify the journal by its hash chain: no event was changed, removed or reordered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liveportal.domain.errors import VerificationFailed
from liveportal.domain.hint import Hint
from liveportal.ledger.format import hash_chain
from liveportal.ledger.format.journal_entries import JournalEntry, iter_journal
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.driver import Connection


def failed(what: str, **details: object) -> VerificationFailed:
    """Return a `VerificationFailed` that names the first bad record."""
    return VerificationFailed(
        f"The ledger is not as it was written: {what.rstrip('.')}.",
        hint=Hint("Keep the file as it is. {Restoring_a_backup} brings back the last good state."),
        **details,
    )


class VerifiedEvents(Iterator[JournalEntry]):
    """Verify events and yield them; raises `VerificationFailed` at the first bad one.

    `seq` and `head` are those of the last verified event.
    """

    def __init__(self, events: Iterator[JournalEntry]) -> None:
        self._events = events
        self.seq = 0
        self.head = hash_chain.GENESIS
        self._entries = 0
        self._recorded_at = ""
        self._erased: list[int] = []

    def __next__(self) -> JournalEntry:
        entry = next(self._events)
        seq = self.seq = self.seq + 1
        if entry.seq != seq:
            raise failed(f"event {seq} is missing", seq=seq)
        if entry.prev_hash != self.head:
            raise failed(f"event {seq} does not follow the one before it", seq=seq)
        body, personal = entry.body, entry.personal_digest
        if body is None:
            if personal and personal != hash_chain.ERASED_BEFORE:
                self._erased.append(seq)
        elif hash_chain.personal_digest(entry.salt or b"", body) != personal:
            raise failed(f"the personal data of event {seq} was changed", seq=seq)
        self._check_booked(entry)
        fields = (str(seq), *entry[1:6])
        if hash_chain.event_hash(
            self.head, fields, entry.facts, personal, entry.effects_digest
        ) != (entry.hash):
            raise failed(f"event {seq} was changed", seq=seq)
        if entry.recorded_at < self._recorded_at:
            raise failed(
                f"event {seq} has an earlier time of recording than the event before it", seq=seq
            )
        self.head, self._recorded_at = entry.hash, entry.recorded_at
        return entry

    def _check_booked(self, entry: JournalEntry) -> None:
        if not entry.entries and not entry.counts:
            if entry.effects_digest != hash_chain.NO_EFFECTS:
                raise failed(f"the transactions of event {entry.seq} are missing", seq=entry.seq)
            return
        if not entry.counts_proved and (
            hash_chain.effects_digest(entry.entries, entry.transfers) != entry.effects_digest
        ):
            raise failed(f"the transactions of event {entry.seq} were changed", seq=entry.seq)
        for transaction_id, *_ in entry.entries:
            self._entries += 1
            if transaction_id != self._entries:
                raise failed(f"transaction {self._entries} is missing", transaction=self._entries)

    def check_end(self, db: Connection) -> None:
        """Check that no transaction is without an event, and no transfer without a transaction.

        Call this after the last event.
        """
        row = db.execute(
            'SELECT id, seq FROM "transaction" WHERE seq > ?1 OR id > ?2 ORDER BY id LIMIT 1',
            (self.seq, self._entries),
        ).fetchone()
        if row:
            raise failed(f"transaction {row[0]} belongs to no event", transaction=row[0])
        row = db.execute(
            "SELECT seq, session FROM session_count WHERE seq > ? LIMIT 1", (self.seq,)
        ).fetchone()
        if row:
            raise failed(f"a count of session {row[1]} belongs to no event", seq=row[0])
        row = db.execute(
            'SELECT "transaction", n FROM transfer'
            ' WHERE "transaction" NOT BETWEEN 1 AND ? ORDER BY 1, 2 LIMIT 1',
            (self._entries,),
        ).fetchone()
        if row:
            raise failed(
                f"transfer {row[1]} belongs to transaction {row[0]}, which does not exist",
                transaction=row[0],
            )

    def check_erased(self, db: Connection) -> None:
        """Check that personal data is missing only for customers who were forgotten later.

        Events imported without it are exempt: their digest is `ERASED_BEFORE`. Call this after the
        derived tables have been verified, since they link an event to its customer.
        """
        if not self._erased:
            return
        row = db.execute(_UNEXPLAINED, (to_json(self._erased),)).fetchone()
        if row:
            what = f"the personal data of event {row[0]} is missing, but no customer was forgotten"
            raise failed(what, seq=row[0])


# An erasure covers the events about a customer's requests, sessions and claims, and the reversals
# of these. A confirmation of an erased fact is recorded without personal data.
_UNEXPLAINED = """
    WITH gone (seq) AS (SELECT value FROM json_each(?)),
    stated (gone, thing, first) AS (
        SELECT gone.seq, thing, coalesce(confirms, gone.seq) FROM gone JOIN statement USING (seq)
    ),
    about (gone, thing, first) AS (
        SELECT * FROM stated
        UNION ALL
        SELECT stated.gone, statement.thing, stated.first FROM stated
        JOIN reversal ON reversal.seq = stated.first
        JOIN statement ON statement.seq = reversal.reversed_seq
    ),
    owner (thing, customer) AS (
        SELECT 'customer:' || id, id FROM customer
        UNION ALL SELECT 'request:' || id, customer FROM request
        UNION ALL SELECT 'session:' || id, customer FROM session
        UNION ALL SELECT 'claim:' || claim.id, customer FROM claim
            JOIN session ON session.id = claim.session
    ),
    forgotten (customer, last) AS (
        SELECT substr(thing, length('customer:') + 1), max(seq) FROM statement
        WHERE type = 'customer.forgotten' GROUP BY thing
    )
    SELECT gone.seq FROM gone
    LEFT JOIN about ON about.gone = gone.seq
    LEFT JOIN owner ON owner.thing = about.thing
    LEFT JOIN forgotten ON forgotten.customer = owner.customer
    GROUP BY gone.seq HAVING coalesce(max(last >= first), 0) = 0 ORDER BY gone.seq LIMIT 1
"""


def are_in_journal(
    reader: Reader, events: Sequence[Mapping[str, Any]], journal: Mapping[str, Any]
) -> bool:
    """Return True if the journal has these events, with their `seq` and `hash`, and had this head.

    `journal` holds `events`, the length at that head, and `head` itself (hex). Raises
    `VerificationFailed` if that part of the journal was changed, as equal hashes then prove
    nothing.
    """
    hashes = [(event["seq"], event["hash"]) for event in events]
    hashes.append((journal["events"], journal["head"]))
    for seq, expected in hashes:
        row = reader.one("SELECT hash FROM event WHERE seq = ?", seq)
        if row is None or row["hash"].hex() != expected:
            return False
    for _ in VerifiedEvents(iter_journal(reader.db, last_seq=max(seq for seq, _ in hashes))):
        pass
    return True
