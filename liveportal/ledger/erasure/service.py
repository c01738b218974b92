"""Forgetting a customer from beginning to end: the event, the rows, then every trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from liveportal.domain.errors import Caution
from liveportal.domain.events.envelope import CLI_SOURCE, Event
from liveportal.domain.events.types import CustomerForgotten
from liveportal.domain.handlers.context import require
from liveportal.ledger.backup.last_backup import last_backup
from liveportal.ledger.erasure import residue
from liveportal.ledger.erasure.residue import Residue
from liveportal.ledger.format.serialisation import event_at, stored_event
from liveportal.ledger.journal import erasure
from liveportal.ledger.journal.erasure import PersonalDataExtent
from liveportal.ledger.journal.journal import Journal, Outcome
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.storage.driver import Connection


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """What became of a customer's personal data.

    `messages` and `files` are None where it is not known any more: an earlier event erased them.
    `rewritten` is False where somebody else kept us from it; the next to open the ledger goes on.
    """

    events: int
    messages: int | None
    files: int | None
    copies: list[str]
    rewritten: bool
    left: list[Residue]


def forget(  # noqa: PLR0913 (what a write is, told by name)
    store: LedgerFile,
    event: Callable[..., Event],
    customer: str,
    *,
    at: datetime | None,
    key: str | None,
    allow: Callable[[Caution], bool],
) -> tuple[Outcome, ErasureResult]:
    """See `Portal.forget`."""
    with store.writing() as door:
        require("customer", customer, door.book.customer(customer))
        there = erasure.reach(store.db, customer)
        outcome = _recorded(store, door, event, there, customer, at, key, allow)
        door.flush()
        foreseen = residue.foresee(store.db, store.path)
        replayed = outcome.status == "replayed"
        before = _told_before(store.db, customer, outcome.seq) if replayed else None
    if not store.keep:
        finished = foreseen
    elif replayed or store.finished is None:
        finished = residue.finish(store.path)  # What was interrupted, if anything was.
    else:
        finished = store.finished
    events, messages, files = before or (there.events, there.messages, len(finished.files))
    left = [*finished.left, *_backups(store.path)]
    return outcome, ErasureResult(
        events, messages, files, finished.copies, finished.rewritten, left
    )


def _told_before(db: Connection, customer: str, seq: int) -> tuple[int, int | None, int | None]:
    """Return what is known of what an earlier event erased; nothing of files, if there were any."""
    events = erasure.erased_by(db, customer, seq)
    return (events, None, None) if erasure.has_files(db, customer) else (events, 0, 0)


def _backups(path: Path) -> list[Residue]:
    last = last_backup(path)
    if last is None or not last.path.exists():
        return []
    hint = "It still has the customer: make another one, then delete this one and those before it."
    return [Residue("backup", str(last.path), hint)]


def _recorded(  # noqa: PLR0913, PLR0917 (what a write is, and the door that it goes through)
    store: LedgerFile,
    door: Journal,
    event: Callable[..., Event],
    there: PersonalDataExtent,
    customer: str,
    at: datetime | None,
    key: str | None,
    allow: Callable[[Caution], bool],
) -> Outcome:
    last = erasure.forgotten_at(store.db, customer)
    is_new = key is None or stored_event(store.db, CLI_SOURCE, key) is None
    asked = erasure.is_requested(store.db, customer)
    if last is not None and is_new and not there and not asked:
        return Outcome("replayed", last, event_at(store.db, last).event)
    return door.record(event(CustomerForgotten(customer=customer), at=at, key=key), allow=allow)
