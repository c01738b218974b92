"""A ledger file: create it, open it, write to it in one transaction, and read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from liveportal.domain.errors import LedgerExists
from liveportal.domain.events.types import RequestAccepted
from liveportal.domain.hint import Hint
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.journal.journal import Journal, Outcome, open_journal
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage import atomic, commits, connection
from liveportal.ledger.storage.driver import Connection, translating_errors
from liveportal.ledger.storage.schema.migrate import make_tables

if TYPE_CHECKING:
    from liveportal.ledger.erasure.residue import FinishedErasure

Clock = Callable[[], datetime]


class LedgerFile:
    """An open ledger. With `keep=False` (a dry run) all writes are rolled back on closing."""

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
        """The result of erasing all traces, if the last transaction forgot a customer."""

    @classmethod
    @contextmanager
    def create(
        cls, path: Path, now: Clock, *, display_path: Path | None = None
    ) -> Iterator[LedgerFile]:
        """Create a ledger under a temporary name; it is moved to its path when the block ends.

        Errors name `display_path`, the path that the user knows, if the ledger is created elsewhere
        first. Raises `LedgerExists` if anything is at the path already, and `LedgerUnwritable`.
        """
        with atomic.temporary(path) as temp_path:
            with _refusing_existing(path):
                atomic.check_free(path)
            with closing(connection.create(temp_path, display_path=display_path or path)) as db:
                with connection.immediate_transaction(db, path):
                    make_tables(db)
                yield cls(db, path, now, is_new=True)
                connection.checkpoint(db, path)
            with _refusing_existing(path):
                atomic.move_new(temp_path, path)
            commits.note(f"the ledger {display_path or path} was made")

    @classmethod
    def open(cls, path: Path, now: Clock, *, keep: bool = True) -> LedgerFile:
        """Open a ledger for writing; raises what `open_ledger` raises."""
        return cls(open_ledger(path, readonly=False), path, now, keep=keep)

    @property
    def db(self) -> Connection:
        """The connection; raises `NotShared` in another process or thread than it was opened in."""
        self._db.check_owner()
        return self._db

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[Journal]:
        """Yield a journal for one database transaction: everything is recorded, or nothing."""
        with self._transaction():
            journal = open_journal(self.db, self._now, machine=self._machine)
            yield journal
            journal.flush()
            if journal.erased_customer and self.keep and not self._is_new:
                from liveportal.ledger.erasure import (
                    residue,  # Imported here so that other writes do not pay for it.
                )

                residue.write_marker(self.path)
        if self.keep:
            commits.note_events(journal.log.appended, journal.log.own_id)
        if journal.erased_data and self._is_new:
            with translating_errors(self.path):
                self.db.execute(
                    "VACUUM"
                )  # The file is not at its path yet: it has no other copies.
        elif journal.erased_data and self.keep:
            from liveportal.ledger.erasure import residue

            if journal.erased_customer:
                self.finished = residue.finish(self.path)
            else:  # Erased data must not remain in the write-ahead log either.
                residue.empty_log(self.db, self.path)

    def _machine(self) -> str | None:
        if not self.keep:
            return None  # A dry run touches no file.
        from liveportal.ledger.secrets import machine_id  # Not needed by reads and dry runs.

        return machine_id.this_machine()

    def _transaction(self) -> AbstractContextManager[None]:
        if self.keep:
            return connection.immediate_transaction(self.db, self.path)
        # A dry run is a single transaction, so that later steps see the earlier ones.
        return connection.savepoint(self.db, self.path)

    @contextmanager
    def as_after(self, outcome: Outcome) -> Iterator[Reader]:
        """Yield a reader of the ledger as it was after an event.

        That is the current state, unless the event is a replay and its entities have changed since:
        then the journal is replayed up to it.
        """
        if outcome.status != "replayed" or not _has_later_events(self.db, outcome):
            yield self.reader()
            return
        from liveportal.ledger.replay.replay import replayed_copy

        copy = replayed_copy(self.db, last_seq=outcome.seq)
        try:
            yield Reader(copy, self.path)
        finally:
            copy.close()

    def reader(self) -> Reader:
        """Return a reader on this connection, which sees the uncommitted events too."""
        return Reader(self.db, self.path)


@contextmanager
def _refusing_existing(path: Path) -> Iterator[None]:
    """Raise `LedgerExists` instead of `FileExistsError`; translate other errors of the system."""
    with atomic.translating_os_errors(path):
        try:
            yield
        except FileExistsError:
            raise LedgerExists(
                f"there is something at {path} already",
                hint=Hint("Choose {another_path}; an existing ledger is never touched."),
                path=str(path),
            ) from None


def _has_later_events(db: Connection, outcome: Outcome) -> bool:
    """Return True if any entity that an event refers to has later events."""
    data = outcome.event.data
    kinds = ("request", "session", "claim", "payout")
    names = [f"{kind}:{name}" for kind in kinds if (name := getattr(data, kind, None))]
    names.append(data.entity)
    if isinstance(data, RequestAccepted):
        names.append(f"session:{data.session or data.request}")
    later = db.execute(
        "SELECT 1 FROM statement WHERE thing IN (SELECT value FROM json_each(?)) AND seq > ?",
        (to_json(names), outcome.seq),
    )
    return later.fetchone() is not None
