"""Ledger files from outside: record events of any kind, and read all that a file contains."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.feeds import jsonl
from liveportal.ledger.journal.journal import Outcome
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.driver import Connection
from liveportal.portal import Portal


def say(ledger: Path, *lines: bytes) -> list[Outcome]:
    """Record the events of feed lines in the expert's own name, as a feed may not report them."""
    events = [
        replace(jsonl.parse(feed_line), source=CLI_SOURCE)
        for feed_line in b"".join(lines).splitlines()
    ]
    with Portal(ledger) as portal:
        return portal.record(events, allow=True)


def dump(reader: Reader) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the whole contents of a book, table by table."""
    # How SQLite lays out the index of messages is its own: the messages themselves are compared.
    tables = reader.all(
        "SELECT name FROM sqlite_schema"
        " WHERE type = 'table' AND name NOT LIKE 'message_index%' ORDER BY name"
    )
    names = [str(table["name"]) for table in tables]
    # The names are the ledger's own.
    return [(name, reader.all(f'SELECT * FROM "{name}"')) for name in names]  # noqa: S608


def contents(path: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the whole contents of a ledger file, table by table."""
    with open_readonly(path) as reader:
        return dump(reader)


def query(path: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a statement on a ledger file with plain SQLite, and return its rows."""
    with closing(Connection(str(path), isolation_level=None)) as db:
        return db.execute(statement, values).fetchall()
