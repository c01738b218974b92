"""Fill the new tables of an upgraded ledger from its journal.

The migrations create tables and columns, but only the rules can calculate their content. So the
journal is replayed with its stored transactions, and the result is written into the new tables.
"""

from __future__ import annotations

import json
from contextlib import suppress

from liveportal.domain.accounts import TransactionKind
from liveportal.domain.errors import LiveportalError
from liveportal.domain.policy import Policy
from liveportal.ledger.attachments import message_index
from liveportal.ledger.format.journal_entries import iter_journal
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.replay.replay import replayed_beside
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.chain import VerifiedEvents

_CORRECTIONS = (TransactionKind.REVERSAL, TransactionKind.CORRECTION)
_FIRST_WITH_COUNTS = 4
"""The first schema version that stores session counts."""


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

    Events keep the rules of their time, and their hashes.
    """
    with replayed_beside(db, VerifiedEvents(iter_journal(db)), recounts=True) as replayed:
        counts, sessions = (f"{replayed.schema}.{table}" for table in ("session_count", "session"))
        corrected = f"SELECT session FROM {counts} WHERE kind IN (?, ?)"  # noqa: S608 (names of ours)
        periods = f"UPDATE session SET period = replayed.period FROM {sessions} AS replayed"  # noqa: S608
        db.execute(f"INSERT INTO session_count SELECT * FROM {counts}")  # noqa: S608
        db.execute(
            f"{periods} WHERE replayed.id = session.id AND session.id IN ({corrected})",
            _CORRECTIONS,
        )
