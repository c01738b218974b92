"""The index of messages: every three letters in a row, folded, so that parts of words are found.

It keeps no text, only which message has which letters: what it finds is looked at again. SQLite
cannot fold a text, so it is filled here wherever messages are written, and made anew where some are
erased: what was in it is then in none of its pages.
"""

from __future__ import annotations

from collections.abc import Iterable

from liveportal.domain.text_search import folded
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.driver import Connection

FIRST_FORM = 6
"""From this form on the index is filled here; before, triggers kept one of whole words."""

_CHUNK = 2_000


def add(db: Connection, messages: Iterable[tuple[int, str]]) -> None:
    """Add messages, by id, to the index."""
    rows = ((number, folded(text)) for number, text in messages)
    db.executemany("INSERT INTO message_index (rowid, text) VALUES (?, ?)", rows)


def rebuild(db: Connection) -> None:
    """Make the index anew from the messages there are, in a ledger of any form that has one."""
    if connection.schema_version_of(db) < FIRST_FORM:
        db.execute("INSERT INTO message_index (message_index) VALUES ('rebuild')")
        return
    db.execute("INSERT INTO message_index (message_index) VALUES ('delete-all')")
    fill(db)


def fill(db: Connection) -> None:
    """Fill an empty index from the messages there are."""
    last = 0
    while rows := db.execute(
        "SELECT id, text FROM message WHERE id > ? ORDER BY id LIMIT ?", (last, _CHUNK)
    ).fetchall():
        add(db, rows)
        last = rows[-1][0]
