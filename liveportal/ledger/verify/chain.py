"""The journal proves itself: each event follows the one before it, and none was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liveportal.domain.errors import VerificationFailed
from liveportal.ledger.format import hash_chain
from liveportal.ledger.format.event_log import JournalEntry, iter_journal
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.driver import Connection


def failed(what: str, **details: object) -> VerificationFailed:
    """Return the failure that names the first bad record."""
    return VerificationFailed(
        f"the ledger is not what was written: {what}",
        hint="Keep the file as it is, and restore a backup or sync the feeds into a new ledger.",
        **details,
    )


class VerifiedEvents(Iterator[JournalEntry]):
    """Yield events after each is proved; raises `VerificationFailed` at the first that is not.

    `seq` and `head` are those of the last event that was proved.
    """

    def __init__(self, events: Iterator[JournalEntry]) -> None:
        self._events = events
        self.seq = 0
        self.head = hash_chain.GENESIS
        self._entries = 0
        self._recorded_at = ""
        self._erased: list[int] = []

    def __next__(self) -> JournalEntry:
        past = next(self._events)
        seq = self.seq = self.seq + 1
        if past.seq != seq:
            raise failed(f"event {seq} is missing", seq=seq)
        if past.prev_hash != self.head:
            raise failed(f"event {seq} does not follow the one before it", seq=seq)
        body, personal = past.body, past.personal_digest
        if body is None:
            if personal and personal != hash_chain.ERASED_BEFORE:
                self._erased.append(seq)
        elif hash_chain.personal_digest(past.salt or b"", body) != personal:
            raise failed(f"the personal data of event {seq} was changed", seq=seq)
        self._check_booked(past)
        fields = (str(seq), *past[1:6])
        if hash_chain.event_hash(self.head, fields, past.facts, personal, past.effects_digest) != (
            past.hash
        ):
            raise failed(f"event {seq} was changed", seq=seq)
        if past.recorded_at < self._recorded_at:
            raise failed(f"event {seq} was recorded before the one before it", seq=seq)
        self.head, self._recorded_at = past.hash, past.recorded_at
        return past

    def _check_booked(self, past: JournalEntry) -> None:
        if not past.entries and not past.counts:
            if past.effects_digest != hash_chain.NO_EFFECTS:
                raise failed(f"what event {past.seq} booked is gone", seq=past.seq)
            return
        if not past.counts_proved and (
            hash_chain.effects_digest(past.entries, past.transfers) != past.effects_digest
        ):
            raise failed(f"what event {past.seq} booked was changed", seq=past.seq)
        for number, *_ in past.entries:
            self._entries += 1
            if number != self._entries:
                raise failed(f"transaction {self._entries} is missing", transaction=self._entries)

    def check_end(self, db: Connection) -> None:
        """Check that nothing is left over: transactions of no event, transfers of no transaction.

        Called after the last event.
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
                f"transfer {row[1]} of transaction {row[0]} belongs to none", transaction=row[0]
            )

    def check_erased(self, db: Connection) -> None:
        """Check that personal data is gone only of customers who were forgotten since.

        What came without it says so itself: its digest is that of no personal data.
        Called when the derived tables are known to be right: they say whose an event is.
        """
        if not self._erased:
            return
        row = db.execute(_UNEXPLAINED, (compact(self._erased),)).fetchone()
        if row:
            what = f"the personal data of event {row[0]} is gone, and nobody was forgotten"
            raise failed(what, seq=row[0])


# What is told of a customer's requests, sessions and claims goes when they are forgotten, and so do
# the reversals of it; what only confirms a fact that was forgotten comes without.
_UNEXPLAINED = """
    WITH gone (seq) AS (SELECT value FROM json_each(?)),
    told (gone, thing, first) AS (
        SELECT gone.seq, thing, coalesce(confirms, gone.seq) FROM gone JOIN statement USING (seq)
    ),
    about (gone, thing, first) AS (
        SELECT * FROM told
        UNION ALL
        SELECT told.gone, statement.thing, told.first FROM told
        JOIN reversal ON reversal.seq = told.first
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

    `journal` has `events`, its length, and `head`. Raises `VerificationFailed` if the journal up to
    there was changed: then an equal hash proves nothing.
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
