"""A ledger file: made, opened, written in one transaction, and played back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

from liveportal.domain.clock import LAST, utc_text
from liveportal.ledger import engine
from liveportal.ledger.documents import journal
from liveportal.ledger.engine import Connection
from liveportal.ledger.journal import Journal
from liveportal.ledger.migrate import make_tables
from liveportal.ledger.reader import Reader

Clock = Callable[[], datetime]


class Store:
    """An open ledger. With `keep=False` everything is done, and rolled back when it is closed."""

    def __init__(self, db: Connection, path: Path, now: Clock, *, keep: bool = True) -> None:
        self.db = db
        self.path = path
        self._now = now
        self._keep = keep

    @classmethod
    def create(cls, path: Path, now: Clock) -> Store:
        """Make an empty ledger; raises `LedgerExists` or `LedgerUnwritable`."""
        db = engine.create(path)
        try:
            with engine.writing(db, path):
                make_tables(db)
        except BaseException:
            db.close()
            path.unlink()  # It was ours from the first byte; half a ledger is of no use.
            raise
        return cls(db, path, now)

    @classmethod
    def open(cls, path: Path, now: Clock, *, keep: bool = True) -> Store:
        """Open a ledger for writing; raises what `engine.open_file` raises."""
        db = engine.open_file(path, readonly=False)
        with engine.explained(path):
            if db.execute("PRAGMA user_version").fetchone()[0] < engine.SCHEMA_VERSION:
                with engine.writing(db, path):
                    make_tables(db)
        return cls(db, path, now, keep=keep)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @contextmanager
    def writing(self) -> Iterator[Journal]:
        """Open the door for one database transaction: all that is recorded in it, or nothing."""
        with self._transaction():
            door = Journal(self.db, self._now)
            yield door
            door.flush()

    def _transaction(self) -> AbstractContextManager[None]:
        if self._keep:
            return engine.writing(self.db, self.path)
        # A dry run is one transaction to its end, so that later steps see the earlier ones.
        return engine.trying(self.db, self.path)

    def reader(self) -> Reader:
        """Return the windows on what is committed, through this connection."""
        return Reader(self.db, self.path)


def played_back(db: Connection, *, until: datetime | None = None) -> Connection:
    """Replay a journal's facts, up to what was recorded by an instant, into a temporary ledger.

    The same door judges and books them as it did at first, so every window opens on the copy.
    """
    copy = engine.in_memory()
    copy.execute("BEGIN IMMEDIATE")
    make_tables(copy)
    door = Journal(copy, lambda: LAST)
    for number, past in enumerate(journal(db, until=utc_text(until) if until else None), 1):
        door.record(past.event, recorded_at=past.recorded_at)
        if number % 2_000 == 0:
            door.flush()
    door.flush()
    copy.execute("COMMIT")
    return copy
