"""Erasure of a customer from beginning to end: the event, the rows, then the residue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from liveportal.domain.events.envelope import CLI_SOURCE, Event
from liveportal.domain.events.types import CustomerForgotten
from liveportal.domain.frozen import frozen
from liveportal.domain.handlers.context import require
from liveportal.ledger.backup.last_backup import last_backup
from liveportal.ledger.erasure import residue
from liveportal.ledger.erasure.residue import Residue
from liveportal.ledger.format.serialisation import event_at, stored_event
from liveportal.ledger.journal import erasure
from liveportal.ledger.journal.erasure import PersonalDataExtent
from liveportal.ledger.journal.journal import Allow, Journal, Outcome
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.storage import ledger_paths
from liveportal.ledger.storage.driver import Connection


@frozen
class ErasureResult:
    """The result of erasing a customer's personal data.

    `messages` and `files` are None if an earlier event erased them and their number is no longer
    known. `rewritten` is False if another process prevented it; the next process that opens the
    ledger continues.
    """

    events: int
    messages: int | None
    files: int | None
    copies: list[str]
    rewritten: bool
    left: list[Residue]


def forget(  # noqa: PLR0913 (the options of a write, passed by name)
    store: LedgerFile,
    event: Callable[..., Event],
    customer: str,
    *,
    at: datetime | None,
    key: str | None,
    allow: Allow,
) -> tuple[Outcome, ErasureResult]:
    """See `Portal.forget`."""
    with store.writing() as journal:
        require("customer", customer, journal.book.customer(customer))
        extent = erasure.extent_of(store.db, customer)
        outcome = _record(store, journal, event, extent, customer, at, key, allow)
        journal.flush()
        foreseen = residue.foresee(store.db, store.path)
        replayed = outcome.status == "replayed"
        earlier = _erased_earlier(store.db, customer, outcome.seq) if replayed else None
    if not store.keep:
        finished = foreseen
    elif replayed or store.finished is None:
        finished = residue.finish(store.path)  # Continues an interrupted erasure, if any.
    else:
        finished = store.finished
    events, messages, files = earlier or (extent.events, extent.messages, len(finished.files))
    left = [*finished.left, *_backups(store.path), *_replicas(store.path)]
    return outcome, ErasureResult(
        events, messages, files, finished.copies, finished.rewritten, left
    )


def _erased_earlier(db: Connection, customer: str, seq: int) -> tuple[int, int | None, int | None]:
    """Return the counts of what an earlier event erased; None where they are no longer known."""
    events = erasure.erased_by(db, customer, seq)
    return (events, None, None) if erasure.has_files(db, customer) else (events, 0, 0)


def _backups(path: Path) -> list[Residue]:
    last = last_backup(path)
    if last is None or not last.path.exists():
        return []
    hint = (
        "The backup still has the customer's data. Make a new one, then delete it and older ones."
    )
    return [Residue("backup", str(last.path), hint)]


def _replicas(path: Path) -> list[Residue]:
    folder = ledger_paths.replication_folder(path)
    if not folder.is_dir():
        return []
    hint = (
        "Litestream keeps the customer's data here and in its replica until its files expire. To"
        " erase it now, stop Litestream, delete both, and start it again."
    )
    return [Residue("replica", str(folder), hint)]


def _record(  # noqa: PLR0913, PLR0917 (the options of a write, and its journal)
    store: LedgerFile,
    journal: Journal,
    event: Callable[..., Event],
    extent: PersonalDataExtent,
    customer: str,
    at: datetime | None,
    key: str | None,
    allow: Allow,
) -> Outcome:
    """Record the erasure, or replay the last one if no personal data remains."""
    last = erasure.last_erasure_seq(store.db, customer)
    is_new = key is None or stored_event(store.db, CLI_SOURCE, key) is None
    is_requested = erasure.is_requested(store.db, customer)
    if last is not None and is_new and not extent and not is_requested:
        return Outcome("replayed", last, event_at(store.db, last).event)
    return journal.record(event(CustomerForgotten(customer=customer), at=at, key=key), allow=allow)
