"""The trigram index of messages, over folded text, so that parts of words can be found.

It stores no text, only which messages contain which trigrams, so its matches must be checked.
SQLite cannot fold text, so the index is filled here whenever messages are written. It is rebuilt
when messages are erased, so that none of its pages keeps their trigrams.
"""

from __future__ import annotations

from collections.abc import Iterable

from liveportal.domain.text_search import folded
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.driver import Connection

FIRST_SCHEMA_VERSION = 6
"""The first schema version whose index is filled here; before, triggers indexed whole words."""

_CHUNK = 2_000


def add(db: Connection, messages: Iterable[tuple[int, str]]) -> None:
    """Add messages, given as (id, text), to the index."""
    rows = ((number, folded(text)) for number, text in messages)
    db.executemany("INSERT INTO message_index (rowid, text) VALUES (?, ?)", rows)


def rebuild(db: Connection) -> None:
    """Rebuild the index from the stored messages, in any schema version that has one."""
    if connection.schema_version_of(db) < FIRST_SCHEMA_VERSION:
        db.execute("INSERT INTO message_index (message_index) VALUES ('rebuild')")
        return
    db.execute("INSERT INTO message_index (message_index) VALUES ('delete-all')")
    fill(db)


def fill(db: Connection) -> None:
    """Fill an empty index from the stored messages."""
    last_id = 0
    while rows := db.execute(
        "SELECT id, text FROM message WHERE id > ? ORDER BY id LIMIT ?", (last_id, _CHUNK)
    ).fetchall():
        add(db, rows)
        last_id = rows[-1][0]
