"""Opening a ledger in the current form; and its windows, as they are or as they were known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from liveportal.domain.clock import from_text
from liveportal.domain.errors import LedgerUnwritable
from liveportal.ledger import engine
from liveportal.ledger.blame import blamed
from liveportal.ledger.driver import Connection, explained
from liveportal.ledger.engine import SCHEMA_VERSION
from liveportal.ledger.reader import Reader


def open_ledger(path: Path, *, readonly: bool) -> Connection:
    """Open a ledger in the current form, bringing an older one to it first.

    That is so for a read, too, and for a dry run: the form is how a ledger is kept, and nothing
    that it says changes with it. Raises what `engine.open_file` raises, and what `upgrade` does.
    """
    db = engine.open_file(path, readonly=readonly)
    if engine.mark_of(path).exists():
        from liveportal.ledger import traces  # After a crash only.

        traces.resume(path)
    try:
        with explained(path):
            form = engine.form_of(db)
    except BaseException:
        db.close()
        raise
    if form == SCHEMA_VERSION:
        return db
    db.close()
    from liveportal.ledger.upgrade import upgrade  # The whole door: only an older ledger needs it.

    try:
        upgrade(path)
    except LedgerUnwritable as error:
        error.hint = "Make its folder and all its files writable, or open a copy of it elsewhere."
        raise error.located(f"the ledger is of form {form} and has to be upgraded first") from None
    return engine.open_file(path, readonly=readonly)


@contextmanager
def reading(
    path: Path, *, as_known: datetime | None = None, last_seq: int | None = None
) -> Iterator[Reader]:
    """Open a ledger's windows; with `as_known`, as of the last event recorded by that instant.

    With `last_seq` as of that event, from the journal alone even where it is the last. Raises what
    `open_ledger` raises.
    """
    db = open_ledger(path, readonly=True)
    try:
        with explained(path), blamed(db):
            db.execute("BEGIN")  # One state for everything that is read.
            if last_seq is not None:
                as_known = _recorded_at(db, last_seq)
            if as_known is None:
                yield Reader(db, path)
                return
            from liveportal.ledger.playback import played_back  # The whole door; few reads need it.

            copy = played_back(db, until=as_known, last_seq=last_seq)
            try:
                yield Reader(copy, path, as_known)
            finally:
                copy.close()
    finally:
        db.close()


def _recorded_at(db: Connection, seq: int) -> datetime | None:
    """Return when an event was recorded; None where there is no such event."""
    found = db.execute("SELECT recorded_at FROM event WHERE seq = ?", (seq,)).fetchone()
    return from_text(found[0]) if found else None
