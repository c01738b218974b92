"""What an older ledger lacks after the SQL of an upgrade, derived from its journal.

The numbered SQL makes tables and columns; what belongs in them, only the rules can tell. So the
journal is replayed, booked as it was, and its result is written into the new tables.
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
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.replay.replay_journal import Reckoning
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.gc_pause import no_collector
from liveportal.ledger.storage.schema.sql import INSERT
from liveportal.ledger.verify.chain import VerifiedEvents

_CORRECTIONS = (TransactionKind.REVERSAL, TransactionKind.CORRECTION)
_WITH_COUNTS = 4
"""The form from which on what sessions add to months is kept with the money."""
_PACKED_TOGETHER = 2_000
"""How many events are replayed before what they left alone is packed: memory stays flat."""


def backfill(db: Connection, form: int) -> None:
    """Fill in what a ledger of an older form lacks; runs inside the caller's transaction.

    All SQL steps were taken. Raises `VerificationFailed`, `UnreadableEvent`.
    """
    if form < _WITH_COUNTS:
        _write_down_digits(db)
        _count_sessions(db)
    if form < message_index.FIRST_FORM:
        message_index.fill(db)


def _write_down_digits(db: Connection) -> None:
    """Keep how many digits the book has of its currency, as its policies were recorded with."""
    for seq, text in db.execute("SELECT seq, document FROM policy").fetchall():
        with suppress(ValueError, LiveportalError):  # The verification names what was changed.
            document = compact(Policy.from_recorded(json.loads(text)).recorded)
            db.execute("UPDATE policy SET document = ? WHERE seq = ?", (document, seq))


def _count_sessions(db: Connection) -> None:
    """Keep what each bill and correction added to its month, and where sessions were first billed.

    What events of the time before were hashed with stays as it was.
    """
    door = _Counting(db)
    with no_collector():
        for number, each in enumerate(VerifiedEvents(iter_journal(db)), 1):
            door.replay_event(each, each.stored)
            if number % _PACKED_TOGETHER == 0:
                door.flush()
    for row in door.rows:
        db.execute(INSERT["session_count"], row)
    for session in door.corrected:
        if found := door.book.session(session):
            db.execute("UPDATE session SET period = ? WHERE id = ?", (found.period, session))


class _Counting(Reckoning):
    """A replay that takes the counts that its own rules give for history."""

    def __init__(self, db: Connection) -> None:
        # By the rules of their time, or it would be other counts than a verification finds.
        super().__init__(db)
        self.rows: Rows = []
        self.corrected: set[str] = set()

    def _as_counted(self, past: JournalEntry, change: Decision, today: Rows) -> Decision:  # noqa: ARG002
        self.rows += today
        self.corrected |= {each.session for each in change.counts if each.kind in _CORRECTIONS}
        return change
