"""Open a ledger in the current schema version, and read it as it is or as it was known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from liveportal.domain.clock import from_text
from liveportal.domain.errors import LedgerUnwritable
from liveportal.ledger.damage import diagnosing_damage
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.connection import SCHEMA_VERSION
from liveportal.ledger.storage.driver import Connection, translating_errors
from liveportal.ledger.storage.ledger_paths import erasure_marker

K = TypeVar("K")
T = TypeVar("T")


def open_ledger(path: Path, *, readonly: bool) -> Connection:
    """Open a ledger, upgrading it to the current schema version first if necessary.

    Reads and dry runs upgrade too: an upgrade changes how a ledger is stored, not what it says.
    Raises what `connection.open_file` and `upgrade` raise.
    """
    db = connection.open_file(path, readonly=readonly)
    if erasure_marker(path).exists():
        from liveportal.ledger.erasure import residue  # Needed only after a crash.

        residue.resume(path)
    try:
        with translating_errors(path):
            version = connection.schema_version_of(db)
    except BaseException:
        db.close()
        raise
    if version == SCHEMA_VERSION:
        return db
    db.close()
    from liveportal.ledger.upgrade import upgrade  # Imports the write side; rarely needed.

    try:
        upgrade(path)
    except LedgerUnwritable as error:
        error.hint = "Make its folder and all its files writable, or open a copy in another folder."
        raise error.located(
            f"The ledger has an older form ({version}) and must be upgraded first"
        ) from None
    return connection.open_file(path, readonly=readonly)


@contextmanager
def open_readonly(
    path: Path,
    *,
    as_known: datetime | None = None,
    last_seq: int | None = None,
    only_money: bool = False,
) -> Iterator[Reader]:
    """Open a ledger for queries; with `as_known`, as of the last event recorded until then.

    With `last_seq`, as of that event; the journal is replayed even if it is the last one. With
    `only_money`, nothing is replayed: what was booked by then is read, and the states of entities
    are those of today. Raises what `open_ledger` raises.
    """
    db = open_ledger(path, readonly=True)
    try:
        with translating_errors(path), diagnosing_damage(db):
            db.execute("BEGIN")  # All queries must see the same state.
            if last_seq is not None:
                as_known = _recorded_at(db, last_seq)
            if as_known is None:
                yield Reader(db, path)
                return
            if only_money:
                from liveportal.ledger.queries import money_as_known

                yield Reader(db, path, as_known, money_as_known.limit(db, as_known))
                return
            from liveportal.ledger.replay.replay import (
                replayed_copy,  # Imports the write side; few reads need it.
            )

            copy = replayed_copy(db, until=as_known, last_seq=last_seq)
            try:
                yield Reader(copy, path, as_known)
            finally:
                copy.close()
    finally:
        db.close()


PAGE = 1_000
"""How many rows of a long list are in memory at once."""


def in_pages(
    reader: Reader, keys: Sequence[K], fetch: Callable[[Reader, Sequence[K]], Iterable[T]]
) -> Iterator[T]:
    """Yield what `fetch` returns for the keys, a page at a time, all as of the first page.

    The ledger is not locked while a page is used, however long that takes. If something is recorded
    meanwhile, the rest is fetched from a replay of the journal up to the event that was the last.
    """
    last, now = _last_seq(reader.db), reader
    with ExitStack() as stack:
        for first in range(0, len(keys), PAGE):
            if first and now is reader:
                reader.db.execute("BEGIN")
                if _last_seq(reader.db) != last:
                    now = stack.enter_context(open_readonly(reader.path, last_seq=last))
            page = fetch(now, keys[first : first + PAGE])
            if reader.db.in_transaction:
                reader.db.execute("COMMIT")
            yield from page


def _last_seq(db: Connection) -> int:
    (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    return int(last)


@contextmanager
def open_untouched(path: Path) -> Iterator[Reader]:
    """Open a ledger for queries only if that changes nothing, creates no file and needs no wait.

    Raises `LedgerUnwritable` if an interrupted write or erasure has to be completed first, or the
    ledger be upgraded; else what SQLite raises, or `OSError`.
    """
    db = None
    if path.is_file() and not erasure_marker(path).exists():
        db = connection.open_untouched(path)
    if db is None:
        raise LedgerUnwritable(f"{path} cannot be read without changing it.", path=str(path))
    try:
        connection.check_ours(db, path)
        if connection.schema_version_of(db) != SCHEMA_VERSION:
            raise LedgerUnwritable(f"{path} must be upgraded first.", path=str(path))
        db.execute("BEGIN")
        yield Reader(db, path)
    finally:
        db.close()


def _recorded_at(db: Connection, seq: int) -> datetime | None:
    """Return when an event was recorded (UTC); None if there is no such event."""
    row = db.execute("SELECT recorded_at FROM event WHERE seq = ?", (seq,)).fetchone()
    return from_text(row[0]) if row else None
