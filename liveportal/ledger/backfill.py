"""Fill the new tables of an upgraded ledger from its journal.

The migrations create tables and columns, but only the rules can calculate their content. So the
journal is replayed with its stored transactions, and the result is written into the new tables.
"""

from __future__ import annotations

import json
from contextlib import suppress

from liveportal.domain.accounts import TransactionKind
from liveportal.domain.errors import LiveportalError
from liveportal.domain.handlers.context import Decision
from liveportal.domain.policy import Policy
from liveportal.ledger.attachments import message_index
from liveportal.ledger.format.event_log import JournalEntry, Rows, iter_journal
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.replay.replay_journal import Reckoning
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.gc_pause import no_collector
from liveportal.ledger.storage.schema.tables import insert
from liveportal.ledger.verify.chain import VerifiedEvents

_CORRECTIONS = (TransactionKind.REVERSAL, TransactionKind.CORRECTION)
_FIRST_WITH_COUNTS = 4
"""The first schema version that stores session counts."""
_CHUNK = 2_000
"""The number of events replayed between flushes, so that memory use is constant."""


def backfill(db: Connection, version: int) -> None:
    """Fill in what a ledger of an older schema version lacks.

    Runs inside the caller's transaction, after the migrations. Raises `VerificationFailed`,
    `UnreadableEvent`.
    """
    if version < _FIRST_WITH_COUNTS:
        _store_currency_digits(db)
        _count_sessions(db)
    if version < message_index.FIRST_SCHEMA_VERSION:
        message_index.fill(db)


def _store_currency_digits(db: Connection) -> None:
    """Store the number of digits of the book's currency in its recorded policies."""
    for seq, text in db.execute("SELECT seq, document FROM policy").fetchall():
        with suppress(ValueError, LiveportalError):  # The verification reports a changed policy.
            document = to_json(Policy.from_recorded(json.loads(text)).recorded)
            db.execute("UPDATE policy SET document = ? WHERE seq = ?", (document, seq))


def _count_sessions(db: Connection) -> None:
    """Store the counts of each bill and correction, and the months that sessions were billed in.

    The hashes of older events are not changed.
    """
    journal = _CountingJournal(db)
    with no_collector():
        for number, entry in enumerate(VerifiedEvents(iter_journal(db)), 1):
            journal.replay_event(entry, entry.stored)
            if number % _CHUNK == 0:
                journal.flush()
    for row in journal.rows:
        db.execute(insert("session_count"), row)
    for session_id in journal.corrected:
        if session := journal.book.session(session_id):
            db.execute("UPDATE session SET period = ? WHERE id = ?", (session.period, session_id))


class _CountingJournal(Reckoning):
    """A replay that collects the counts of the rules instead of comparing them with stored ones."""

    def __init__(self, db: Connection) -> None:
        # Events keep the rules of their time; other counts would fail the verification.
        super().__init__(db)
        self.rows: Rows = []
        self.corrected: set[str] = set()

    def _as_counted(self, entry: JournalEntry, decision: Decision, today: Rows) -> Decision:  # noqa: ARG002
        self.rows += today
        self.corrected |= {count.session for count in decision.counts if count.kind in _CORRECTIONS}
        return decision
