"""Importing the expert's own export: it makes a ledger, or adds to one.

Into no ledger, or in the place of an empty one, it makes an equal one: the same events, recorded
when they were, in the file's order. Into any other the events are recorded now, and those that are
there already are replays. All of them, or none; what no event holds is written down (`missing`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from liveportal.domain.clock import utc_text
from liveportal.domain.errors import InvalidEvent, LiveportalError, PartialExport
from liveportal.domain.events.envelope import CLI_SOURCE, PREFIX
from liveportal.domain.events.exported import RECORDED_AT, ExportedEvent
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import PolicyAdopted, PreferencesChanged
from liveportal.ledger import missing
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.backup import snapshot, swap
from liveportal.ledger.damage import diagnosing_damage
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.storage import connection, private_files
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.gc_pause import no_collector
from liveportal.ledger.storage.schema.migrate import make_tables

Clock = Callable[[], datetime]
Chunks = Iterable[list[ExportedEvent]]

_STAGED = "ledger.db"
_FIRST_EVENTS = "SELECT source, type, facts FROM event ORDER BY seq LIMIT 3"
_INIT_PREFERENCES = '{"timezone":'


class Target(StrEnum):
    """What an import adds to or makes."""

    NEW = "new"
    """There is nothing at the path."""
    EMPTY = "empty"
    """There is a ledger with no events but those of `init`."""
    EXISTING = "existing"
    """There is a ledger with events."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an export: counts of its events, and the journal's head after it (hex).

    `enter_again` are the fields of the payout profile that have no value, `attach_again` counts the
    files that are not in the vault. `kept` is where the empty ledger is kept that it replaced.
    """

    recorded: int
    replayed: int
    confirmed: int
    head: str
    enter_again: tuple[str, ...]
    attach_again: int
    kept: Path | None = None


def target(path: Path, *, begins_ledger: bool) -> Target:
    """Return what an export would be imported into.

    `begins_ledger` tells that its first event adopts a policy: only such a one makes a ledger.
    Raises `PartialExport` where it does not and there is no ledger, and what `open_ledger` raises.
    """
    if not os.path.lexists(path):
        if begins_ledger:
            return Target.NEW
        raise PartialExport(
            "the file does not begin with the adoption of a policy, as a ledger does",
            hint="Export the whole journal, without --from; or make a ledger first with"
            " `liveportal init`, and import this into it.",
        )
    with closing(open_ledger(path, readonly=True)) as db:
        return Target.EMPTY if begins_ledger and _is_empty(db) else Target.EXISTING


def _is_empty(db: Connection) -> bool:
    """Return True if a ledger has no events but those of `init`: a policy, and perhaps a zone."""
    found = [(kind, facts) for source, kind, facts in db.execute(_FIRST_EVENTS).fetchall()]
    own = db.execute("SELECT 1 FROM event WHERE source <> ? LIMIT 1", (CLI_SOURCE,)).fetchone()
    kinds = [kind.removeprefix(PREFIX) for kind, _ in found]
    return own is None and (
        kinds == [PolicyAdopted.TYPE]
        or (
            kinds == [PolicyAdopted.TYPE, PreferencesChanged.TYPE]
            and found[1][1].startswith(_INIT_PREFERENCES)
            and "," not in found[1][1]
        )
    )


def carry_out(
    path: Path, chunks: Chunks, into: Target, now: Clock, *, keep: bool = True
) -> Imported:
    """Import an export into what `target` found; without `keep` all is done, and rolled back.

    Raises the first bad line's own error, which names the line, and what making or opening a ledger
    raises. Then everything is as it was.
    """
    if into is Target.EXISTING:
        with _opened(path, now, keep=keep) as store:
            return _recorded(store, chunks, now, as_exported=False)
    if not keep:
        with closing(connection.in_memory()) as db:
            with connection.immediate_transaction(db, path):
                make_tables(db)
            return _recorded(LedgerFile(db, path, now, keep=False), chunks, now, as_exported=True)
    if into is Target.EMPTY:
        return _replaced(path, chunks, now)
    real = path.resolve()
    with (
        private_files.translating_errors(real, undone="Nothing was imported."),
        private_files.ensured_parent(real),
        LedgerFile.create(path, now) as store,
    ):
        return _recorded(store, chunks, now, as_exported=True)


@contextmanager
def _opened(path: Path, now: Clock, *, keep: bool) -> Iterator[LedgerFile]:
    store = LedgerFile.open(path, now, keep=keep)
    try:
        with diagnosing_damage(store.db):
            yield store
    finally:
        store.close()


def _replaced(path: Path, chunks: Chunks, now: Clock) -> Imported:
    """Make a ledger beside an empty one, and let it take its place in one step."""
    real = path.resolve()
    with (
        private_files.translating_errors(real, undone="Nothing was imported."),
        private_files.backup_lock(real),
        private_files.private_folder(real) as folder,
    ):
        with closing(open_ledger(real, readonly=True)) as db:
            was = snapshot.extent(db)
            if not _is_empty(db):
                raise swap.is_replaced(real)
        staged = folder / _STAGED
        with LedgerFile.create(staged, now, called=path) as store:
            done = _recorded(store, chunks, now, as_exported=True, vault=Vault(real))
        with closing(connection.connect_raw(staged)) as db:
            db.execute("PRAGMA journal_mode = DELETE").fetchall()
        kept = swap.replace(real, staged, now(), was)
    return replace(done, kept=kept)


def _recorded(
    store: LedgerFile, chunks: Chunks, now: Clock, *, as_exported: bool, vault: Vault | None = None
) -> Imported:
    counts: Counter[str] = Counter()
    last = ""
    with store.writing() as door, no_collector():
        first = door.book.next_seq
        for chunk in chunks:
            door.prefetch([each.event for each in chunk])
            for each in chunk:
                try:
                    if as_exported:
                        last = _recorded_at(each, last, now)
                    outcome = door.record(
                        each.event, recorded_at=last or None, origin=Origin.JOURNAL
                    )
                except LiveportalError as error:
                    raise error.located(f"line {each.line}", line=each.line) from None
                counts[outcome.status] += 1
            door.flush()
        if missing.note(store.db, vault or Vault(store.path), since=first):
            door.forgot = True  # A value of before must not lie on in the log.
        enter_again = tuple(missing.noted_values(store.db))
        attach_again = len(missing.noted_files(store.db))
    head = door.head.hex()
    return Imported(
        counts["recorded"], counts["replayed"], counts["confirmed"], head, enter_again, attach_again
    )


def _recorded_at(each: ExportedEvent, last: str, now: Clock) -> str:
    """Return when an event was recorded, as the export says; or now, but never before the last."""
    if each.recorded_at is None:
        return max(utc_text(now()), last)
    if each.recorded_at < last:
        raise InvalidEvent(RECORDED_AT, "is earlier than that of the line before")
    return each.recorded_at
