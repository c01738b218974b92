"""Import the expert's own export: create a ledger from it, or add it to one.

If there is no ledger, or an empty one, the import creates an equivalent ledger: the same events
with their recording times, in the file's order. Otherwise the events are recorded now, and those
already recorded are replays. All events are imported, or none. Values and files that no event holds
are noted (`missing`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from liveportal.domain.clock import utc_text
from liveportal.domain.errors import InvalidEvent, LiveportalError, PartialExport
from liveportal.domain.events.envelope import CLI_SOURCE, PREFIX
from liveportal.domain.events.exported import RECORDED_AT, ExportedEvent
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import PolicyAdopted, PreferencesChanged
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.ledger import missing
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.backup import snapshot, swap, workplace
from liveportal.ledger.damage import diagnosing_damage
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.opening import open_ledger
from liveportal.ledger.secrets.identity import IdentityKey
from liveportal.ledger.storage import atomic, connection
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.gc_pause import no_collector
from liveportal.ledger.storage.schema.migrate import make_tables

Clock = Callable[[], datetime]
Chunks = Iterable[list[ExportedEvent]]

_STAGED = "ledger.db"
_FIRST_EVENTS = "SELECT source, type, facts FROM event ORDER BY seq LIMIT 3"
_INIT_PREFERENCES = '{"timezone":'


class Target(StrEnum):
    """The ledger that an import creates or adds to."""

    NEW = "new"
    """Nothing is at the path."""
    EMPTY = "empty"
    """A ledger that has no events except those of `init`."""
    EXISTING = "existing"
    """A ledger with other events."""


@frozen
class Imported:
    """The result of an import: counts of the events by outcome, and the journal's new head (hex).

    `enter_again` names the fields of the payout profile without their value; `lacking` has the hash
    of each attached file that is not in the vault, as often as it was attached. `kept` is the path
    of the replaced empty ledger. `identity` says whether the ledger has the identity key of the
    file; None if the file has none.
    """

    recorded: int
    replayed: int
    confirmed: int
    head: str
    enter_again: tuple[str, ...]
    lacking: tuple[str, ...]
    kept: Path | None = None
    identity: bool | None = None


def target(path: Path, *, begins_ledger: bool) -> Target:
    """Return the kind of ledger that an export would be imported into.

    `begins_ledger` is True if its first event adopts a policy: only then can it create a ledger.
    Raises `PartialExport` if it is False and there is no ledger, and what `open_ledger` raises.
    """
    if not os.path.lexists(path):
        if begins_ledger:
            return Target.NEW
        raise PartialExport(
            "The file is only a part of an export: it does not begin with a policy, as a"
            " ledger does.",
            hint=Hint(
                "Export {the_whole_journal}. Or {make_a_ledger}, and import this part into it."
            ),
        )
    with closing(open_ledger(path, readonly=True)) as db:
        return Target.EMPTY if begins_ledger and _is_empty(db) else Target.EXISTING


def _is_empty(db: Connection) -> bool:
    """Return True if a ledger has only the events of `init`: a policy, and perhaps a time zone."""
    events = [(kind, facts) for source, kind, facts in db.execute(_FIRST_EVENTS).fetchall()]
    from_feeds = db.execute(
        "SELECT 1 FROM event WHERE source <> ? LIMIT 1", (CLI_SOURCE,)
    ).fetchone()
    kinds = [kind.removeprefix(PREFIX) for kind, _ in events]
    return from_feeds is None and (
        kinds == [PolicyAdopted.TYPE]
        or (
            kinds == [PolicyAdopted.TYPE, PreferencesChanged.TYPE]
            and events[1][1].startswith(_INIT_PREFERENCES)
            and "," not in events[1][1]
        )
    )


def import_events(
    path: Path, chunks: Chunks, into: Target, now: Clock, *, keep: bool = True
) -> Imported:
    """Import an export into the target returned by `target`; without `keep`, roll everything back.

    Raises the error of the first bad line, which names the line, and what creating or opening a
    ledger raises. After an error nothing has changed.
    """
    if into is Target.EXISTING:
        with _open_ledger_file(path, now, keep=keep) as store:
            return _record(store, chunks, now, as_exported=False)
    if not keep:
        with closing(connection.in_memory()) as db:
            with connection.immediate_transaction(db, path):
                make_tables(db)
            return _record(LedgerFile(db, path, now, keep=False), chunks, now, as_exported=True)
    if into is Target.EMPTY:
        return _replace_empty(path, chunks, now)
    real = path.resolve()
    with (
        atomic.translating_os_errors(real, undone="Nothing was imported.", beside_ledger=True),
        workplace.ensured_parent(real),
        LedgerFile.create(path, now) as store,
    ):
        return _record(store, chunks, now, as_exported=True)


@contextmanager
def _open_ledger_file(path: Path, now: Clock, *, keep: bool) -> Iterator[LedgerFile]:
    store = LedgerFile.open(path, now, keep=keep)
    try:
        with diagnosing_damage(store.db):
            yield store
    finally:
        store.close()


def _replace_empty(path: Path, chunks: Chunks, now: Clock) -> Imported:
    """Create a ledger beside an empty one, and replace that in one step."""
    real = path.resolve()
    with (
        atomic.translating_os_errors(real, undone="Nothing was imported.", beside_ledger=True),
        workplace.backup_lock(real),
        workplace.private_folder(real) as folder,
    ):
        with closing(open_ledger(real, readonly=True)) as db:
            was = snapshot.extent(db)
            if not _is_empty(db):
                raise swap.is_replaced(real)
        staged = folder / _STAGED
        with LedgerFile.create(staged, now, display_path=path) as store:
            imported = _record(store, chunks, now, as_exported=True, real=real)
        with closing(connection.connect_raw(staged)) as db:
            db.execute("PRAGMA journal_mode = DELETE").fetchall()
        kept = swap.replace(real, staged, now(), was)
    return replace(imported, kept=kept)


def _record(
    store: LedgerFile, chunks: Chunks, now: Clock, *, as_exported: bool, real: Path | None = None
) -> Imported:
    counts: Counter[str] = Counter()
    last = ""
    beside, identity, brings_identity = real or store.path, None, None
    with store.writing() as journal, no_collector():
        first = journal.book.next_seq
        for chunk in chunks:
            journal.prefetch([exported.event for exported in chunk])
            for exported in chunk:
                identity = exported.identity or identity
                try:
                    if as_exported:
                        last = _recording_time(exported, last, now)
                    outcome = journal.record(
                        exported.event, recorded_at=last or None, origin=Origin.JOURNAL
                    )
                except LiveportalError as error:
                    raise error.located(f"Line {exported.line}", line=exported.line) from None
                counts[outcome.status] += 1
            journal.flush()
        if identity is not None:
            # The first event is written by now: it names the ledger's keys.
            key = IdentityKey(store.db, beside, keep=store.keep)
            brings_identity = key.adopt(identity)
        if missing.note(store.db, Vault(beside), since=first):
            journal.erased_data = True  # An older value must not remain in the write-ahead log.
        enter_again = tuple(missing.noted_values(store.db))
        lacking = tuple(file.sha256 for file in missing.lacking(store.db))
    head = journal.log.head.hex()
    return Imported(
        counts["recorded"],
        counts["replayed"],
        counts["confirmed"],
        head,
        enter_again,
        lacking,
        identity=brings_identity,
    )


def _recording_time(exported: ExportedEvent, last: str, now: Clock) -> str:
    """Return an event's recording time from the export, or the current time, but no earlier one.

    Raises `InvalidEvent` if the export's time is before `last`, the time of the line before.
    """
    if exported.recorded_at is None:
        return max(utc_text(now()), last)
    if exported.recorded_at < last:
        raise InvalidEvent(RECORDED_AT, "must not be earlier than in the line before")
    return exported.recorded_at
