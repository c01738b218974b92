"""A ledger file: made, opened, written in one transaction, and played back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from liveportal.domain.events.types import RequestAccepted
from liveportal.ledger.format.row_mapping import compact
from liveportal.ledger.journal.journal import Journal, Outcome
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage import commits, connection, temp_files
from liveportal.ledger.storage.driver import Connection, translating_errors
from liveportal.ledger.storage.schema.migrate import make_tables

if TYPE_CHECKING:
    from liveportal.ledger.erasure.residue import FinishedErasure

Clock = Callable[[], datetime]


class LedgerFile:
    """An open ledger. With `keep=False` everything is done, and rolled back when it is closed."""

    def __init__(
        self,
        db: Connection,
        path: Path,
        now: Clock,
        *,
        keep: bool = True,
        is_new: bool = False,
    ) -> None:
        self._db = db
        self.path = path
        self._now = now
        self.keep = keep
        self._is_new = is_new
        self.finished: FinishedErasure | None = None
        """What became of the traces, if somebody was forgotten last."""

    @classmethod
    @contextmanager
    def create(cls, path: Path, now: Clock, *, called: Path | None = None) -> Iterator[LedgerFile]:
        """Make a ledger: it appears at its path when the block ends, whole, or not at all.

        `called` is the path that the user knows it by, if it is made elsewhere first.
        Raises `LedgerExists` for whatever is at the path already, `LedgerUnwritable`.
        """
        temp_files.sweep(path)
        connection.check_free(path)
        part = temp_files.part_of(path)
        try:
            with closing(connection.create(part, display_path=called or path)) as db:
                with connection.immediate_transaction(db, path):
                    make_tables(db)
                yield cls(db, path, now, is_new=True)
                connection.checkpoint(db, path)
            connection.move_new(part, path)
            commits.note(f"the ledger {called or path} was made")
        finally:
            temp_files.remove(part)

    @classmethod
    def open(cls, path: Path, now: Clock, *, keep: bool = True) -> LedgerFile:
        """Open a ledger for writing; raises what `open_ledger` raises."""
        return cls(open_ledger(path, readonly=False), path, now, keep=keep)

    @property
    def db(self) -> Connection:
        """The connection; raises `NotShared` in any other process or thread than its own."""
        self._db.check_owner()
        return self._db

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[Journal]:
        """Open the door for one database transaction: all that is recorded in it, or nothing."""
        with self._transaction():
            door = Journal(self.db, self._now, machine=self._machine)
            yield door
            door.flush()
            if door.forgot_customer and self.keep and not self._is_new:
                from liveportal.ledger.erasure import (
                    residue,  # No other write pays for their import.
                )

                residue.mark(self.path)
        if self.keep:
            commits.note_events(door.appended, door.own_id)
        if door.forgot and self._is_new:
            with translating_errors(self.path):
                self.db.execute("VACUUM")  # The file is not in its place yet: it has no traces.
        elif door.forgot and self.keep:
            from liveportal.ledger.erasure import residue

            if door.forgot_customer:
                self.finished = residue.finish(self.path)
            else:  # Nothing of what was erased may lie on in the write-ahead log either.
                residue.empty_log(self.db, self.path)

    def _machine(self) -> str | None:
        if not self.keep:
            return None  # A dry run touches no file.
        from liveportal.ledger.secrets import machine_id  # Reads and dry runs do without.

        return machine_id.this_machine()

    def _transaction(self) -> AbstractContextManager[None]:
        if self.keep:
            return connection.immediate_transaction(self.db, self.path)
        # A dry run is one transaction to its end, so that later steps see the earlier ones.
        return connection.savepoint(self.db, self.path)

    @contextmanager
    def as_after(self, outcome: Outcome) -> Iterator[Reader]:
        """Open the windows as they were after an event.

        That is now, unless it is a replay of one whose things have moved on since: then the
        journal is played back up to it.
        """
        if outcome.status != "replayed" or not _moved_on(self.db, outcome):
            yield self.reader()
            return
        from liveportal.ledger.replay.replay import replayed_copy

        copy = replayed_copy(self.db, last_seq=outcome.seq)
        try:
            yield Reader(copy, self.path)
        finally:
            copy.close()

    def reader(self) -> Reader:
        """Return the windows on what is recorded so far, through this connection."""
        return Reader(self.db, self.path)


def _moved_on(db: Connection, outcome: Outcome) -> bool:
    """Tell whether anything that an event names was told of again after it."""
    data = outcome.event.data
    kinds = ("request", "session", "claim", "payout")
    named = [f"{kind}:{name}" for kind in kinds if (name := getattr(data, kind, None))]
    named.append(data.thing)
    if isinstance(data, RequestAccepted):
        named.append(f"session:{data.session or data.request}")
    later = db.execute(
        "SELECT 1 FROM statement WHERE thing IN (SELECT value FROM json_each(?)) AND seq > ?",
        (compact(named), outcome.seq),
    )
    return later.fetchone() is not None
