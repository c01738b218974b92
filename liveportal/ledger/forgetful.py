"""Forgetting a customer from beginning to end: the event, the rows, then every trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from liveportal.domain.books import known
from liveportal.domain.envelope import CLI_SOURCE, Event
from liveportal.domain.events import CustomerForgotten
from liveportal.ledger import forgetting, traces
from liveportal.ledger.documents import event_at, stored_event
from liveportal.ledger.forgetting import Reach
from liveportal.ledger.journal import Journal, Outcome
from liveportal.ledger.store import Store
from liveportal.ledger.traces import Left


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What became of a customer's personal data.

    `messages` and `files` are None where it is not known any more: an earlier event erased them.
    `rewritten` is False where somebody else kept us from it; the next to open the ledger goes on.
    """

    events: int
    messages: int | None
    files: int | None
    copies: list[str]
    rewritten: bool
    left: list[Left]


def forget(
    store: Store,
    event: Callable[..., Event],
    customer: str,
    *,
    at: datetime | None,
    key: str | None,
) -> tuple[Outcome, Forgotten]:
    """See `Portal.forget`."""
    with store.writing() as door:
        known("customer", customer, door.book.customer(customer))
        there = forgetting.reach(store.db, customer)
        outcome = _recorded(store, door, event, there, customer, at, key)
        door.flush()
        doomed = traces.doomed_files(store.db, store.path)
        replayed = outcome.status == "replayed"
        if replayed:
            events = forgetting.erased_by(store.db, customer, outcome.seq)
            told = forgetting.has_files(store.db, customer)
    if not store.keep:
        copies = [str(each) for each in traces.copies_of(store.path)]
        finished = traces.Finished(rewritten=True, files=doomed, copies=copies)
    elif replayed or store.finished is None:
        finished = traces.finish(store.path)
    else:
        finished = store.finished
    if replayed:
        gone = (None, None) if told else (0, 0)
        return outcome, _forgotten(events, *gone, finished)
    return outcome, _forgotten(there.events, there.messages, len(finished.files), finished)


def _recorded(  # noqa: PLR0913, PLR0917 (what a write is, and the door that it goes through)
    store: Store,
    door: Journal,
    event: Callable[..., Event],
    there: Reach,
    customer: str,
    at: datetime | None,
    key: str | None,
) -> Outcome:
    last = forgetting.forgotten_at(store.db, customer)
    is_new = key is None or stored_event(store.db, CLI_SOURCE, key) is None
    if last is not None and is_new and not there:
        return Outcome("replayed", last, event_at(store.db, last).event)
    return door.record(event(CustomerForgotten(customer=customer), at=at, key=key))


def _forgotten(
    events: int, messages: int | None, files: int | None, finished: traces.Finished
) -> Forgotten:
    return Forgotten(
        events, messages, files, finished.copies, finished.rewritten, list(finished.left)
    )
