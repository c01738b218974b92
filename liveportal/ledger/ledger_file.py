"""A ledger file: create it, open it, write to it in one transaction, and read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import finalize

from liveportal.domain.errors import (
    InvalidArgument,
    LedgerClosed,
    LedgerExists,
    OpenedReadOnly,
)
from liveportal.domain.events.types import RequestAccepted
from liveportal.domain.hint import Hint
from liveportal.ledger.damage import diagnosing_damage
from liveportal.ledger.format.row_mapping import to_json
from liveportal.ledger.journal.event_log import EventLog
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
    """An open ledger. With `keep=False` (a dry run) all writes are rolled back on closing.

    `as_of` is the instant until which its events were recorded, if it is a copy as of then.
    """

    def __init__(  # noqa: PLR0913 (keyword-only options)
        self,
        db: Connection,
        path: Path,
        now: Clock,
        *,
        keep: bool = True,
        is_new: bool = False,
        readonly: bool = False,
        as_of: datetime | None = None,
    ) -> None:
        self._db = db
        self.path = path
        self.now = now
        self.keep = keep
        self.as_of = as_of
        self._is_new = is_new
        self._readonly = readonly
        self._is_closed: bool = False
        self._is_writing: bool = False
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
            commits.note(f"the ledger {display_path or path} was created")

    @classmethod
    def open(
        cls, path: Path, now: Clock, *, keep: bool = True, readonly: bool = False
    ) -> LedgerFile:
        """Open a ledger; raises what `open_ledger` raises."""
        return cls(open_ledger(path, readonly=readonly), path, now, keep=keep, readonly=readonly)

    @property
    def db(self) -> Connection:
        """The connection.

        Raises `NotShared` in another process or thread than it was opened in, and `LedgerClosed`.
        """
        self._check_open()
        return self._db

    def _check_open(self) -> None:
        self._db.check_owner()
        if self._is_closed:
            raise LedgerClosed(
                f"The ledger {self.path} is closed.", hint="Open it again.", path=str(self.path)
            )

    def close(self) -> None:
        """Close the file; a second time does nothing. Raises `NotShared` in another thread."""
        if self._is_writing:
            raise self._busy("close")
        with translating_errors(self.path):
            self._db.close()
        self._is_closed = True

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Yield a reader whose queries all see the same state.

        Raises `VerificationFailed` instead of an unexpected error if the ledger is damaged.
        """
        db = self.db
        with translating_errors(self.path), diagnosing_damage(db):
            if begins := not db.in_transaction:
                db.execute("BEGIN")
            try:
                yield self.reader()
            finally:
                if begins:
                    db.rollback()

    @contextmanager
    def writing(self) -> Iterator[Journal]:
        """Yield a journal for one database transaction: everything is recorded, or nothing.

        Raises what `check_writable` raises, and `VerificationFailed` as `reading` does.
        """
        self.check_writable()
        self._is_writing = True
        try:
            with diagnosing_damage(self.db):
                yield from self._write()
        finally:
            self._is_writing = False

    def check_writable(self) -> None:
        """Raise as `db` does, `OpenedReadOnly`, or `InvalidArgument` in a callback of a write."""
        self._check_open()
        if self._readonly:
            raise OpenedReadOnly(
                f"The ledger {self.path} is open for reading only.", hint="Open it for writing."
            )
        if self._is_writing:
            raise self._busy("record something else")

    def _busy(self, action: str) -> InvalidArgument:
        return InvalidArgument(
            "callback",
            f"A function that is called while an event is recorded must not {action}.",
            hint="Do this after the call has returned.",
        )

    def _write(self) -> Iterator[Journal]:
        with self._transaction():
            journal = open_journal(self.db, self.now, machine=self._machine)
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

    def as_known(self, until: datetime) -> LedgerFile:
        """Return a copy of the ledger as it was recorded until an instant, for reading only.

        It is in memory, and goes when it is closed or no longer used.
        """
        from liveportal.ledger.replay.replay import replayed_copy

        with self.reading() as reader:
            copy = replayed_copy(reader.db, until=until)
        file = LedgerFile(copy, self.path, self.now, readonly=True, as_of=until)
        finalize(file, copy.close).atexit = False
        return file

    def head(self) -> str:
        """Return the hash of the last event, in hex."""
        with self.reading() as reader:
            return EventLog(reader.db, self.now).head.hex()

    def reader(self) -> Reader:
        """Return a reader on this connection, which sees the uncommitted events too."""
        return Reader(self.db, self.path, self.as_of)


@contextmanager
def _refusing_existing(path: Path) -> Iterator[None]:
    """Raise `LedgerExists` instead of `FileExistsError`; translate other errors of the system."""
    with atomic.translating_os_errors(path):
        try:
            yield
        except FileExistsError:
            raise LedgerExists(
                f"A file already exists at {path}.",
                hint=Hint("Choose {another_path}. An existing file is never changed."),
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
