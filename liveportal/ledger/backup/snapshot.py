"""Copy a ledger as it is at one instant, while other programs may write to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from liveportal.domain.errors import LedgerBusy
from liveportal.domain.events.envelope import PREFIX
from liveportal.domain.events.types import CustomerForgotten
from liveportal.domain.frozen import frozen
from liveportal.ledger import missing
from liveportal.ledger.attachments import index
from liveportal.ledger.format import hash_chain
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.storage import atomic, connection, driver
from liveportal.ledger.storage.driver import Connection

_SQLITE_OK = 0
_SQLITE_DONE = 101
_MAX_WAITS = 3


@frozen
class LedgerExtent:
    """How far a ledger goes: its book (hash of the first event), its head, its number of events.

    `form` is its schema version.
    """

    book: str
    head: str
    events: int
    form: int


def extent(db: Connection) -> LedgerExtent:
    """Return how far a ledger of any schema version goes."""
    first = db.execute("SELECT hash FROM event WHERE seq = 1").fetchone()
    last = db.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    seq, head = last or (0, hash_chain.GENESIS)
    return LedgerExtent(
        (first[0] if first else hash_chain.GENESIS).hex(),
        head.hex(),
        seq,
        connection.schema_version_of(db),
    )


def forgotten(db: Connection) -> dict[tuple[str, str], str]:
    """Return the forgotten customers, by the source and id of their erasure event."""
    rows = db.execute(
        "SELECT source, id, facts ->> '$.customer' FROM event WHERE type = ?",
        (PREFIX + CustomerForgotten.TYPE,),
    ).fetchall()
    return {(source, event_id): str(customer) for source, event_id, customer in rows}


def evidence_of(db: Connection) -> dict[str, bool]:
    """Return the SHA-256 of each recorded file, and whether it was certainly in the vault."""
    rows = db.execute("SELECT DISTINCT sha256 FROM artifact ORDER BY sha256").fetchall()
    noted = missing.noted_files(db)
    attached = {
        file.sha256 for file in index.attached(db) if file.is_certain and file.artifact not in noted
    }
    return {sha256: sha256 in attached for (sha256,) in rows}


def copy_ledger(path: Path, copy: Path) -> None:
    """Copy a ledger to a new private file (mode 0600), which is complete without a log.

    The copy is made in a single step, so that a concurrent write does not restart it; in rollback
    journal mode, writers wait until it is done. Raises what `open_ledger` raises, and `LedgerBusy`.
    """
    atomic.create(copy).close()
    with (
        closing(open_ledger(path, readonly=True)) as source,
        closing(connection.connect_raw(copy)) as target,
        driver.translating_errors(path),
    ):
        source.backup(target, progress=retry_limit(path))
        target.execute("PRAGMA journal_mode = DELETE").fetchall()


def retry_limit(
    path: Path, then: Callable[[], None] = lambda: None
) -> Callable[[int, int, int], None]:
    """Return a progress callback that raises `LedgerBusy` after a few unsuccessful waits.

    Without it, the copy would wait for ever. `then` is called once, after the first page is copied.
    """
    waits = 0
    called = False

    def progress(status: int, _remaining: int, _total: int) -> None:
        nonlocal waits, called
        if status not in (_SQLITE_OK, _SQLITE_DONE):
            waits += 1
            if waits >= _MAX_WAITS:
                raise LedgerBusy(
                    f"Another program is writing to {path}.",
                    hint="Try again in a moment.",
                    path=str(path),
                )
        elif not called:
            called = True
            then()

    return progress
