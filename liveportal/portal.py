"""The portal: open a book, record events, ask. What a Python user imports.

from pathlib import Path
from liveportal.portal import Portal
from liveportal.domain.events.types import SessionPaused

with Portal.open(Path("ledger.db")) as portal:
    portal.execute(SessionPaused(session="S-1"))

A portal stays in the process and the thread that opened it: carried into another one, or across a
fork, it raises `NotShared`. Each process and each thread opens its own.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, BinaryIO

from liveportal.domain.errors import Caution, Conflict, LiveportalError
from liveportal.domain.events.envelope import CLI_SOURCE, NAME, Event, EventData
from liveportal.domain.events.fields import INSTANT
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import ArtifactAdded, PolicyAdopted
from liveportal.domain.policy import Policy
from liveportal.feeds import jsonl
from liveportal.ledger.damage import diagnosing_damage
from liveportal.ledger.format.serialisation import event_at, stored_event
from liveportal.ledger.journal.journal import Journal, Outcome
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader, Row, known_id
from liveportal.ledger.storage import driver
from liveportal.ledger.storage.gc_pause import no_collector

if TYPE_CHECKING:
    from liveportal.domain.profile.fields import Changes
    from liveportal.ledger.attachments.vault import StagedFile
    from liveportal.ledger.erasure.service import ErasureResult
    from liveportal.ledger.payout_profile import Judge, KeyChanged

CHUNK_LINES = 2_000

Clock = Callable[[], datetime]
Allow = Callable[[Caution], bool]
"""Tells of a caution whether it is let through."""

OnError = Callable[[jsonl.Line, LiveportalError], None]
OnOutcome = Callable[[Outcome], object]


def always(_caution: Caution) -> bool:
    """Let every caution through: for what the platform reports."""
    return True


def never(_caution: Caution) -> bool:
    """Let no caution through: for what the expert does without insisting."""
    return False


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a fresh UUIDv7 (RFC 9562): 48 bits of milliseconds, then randomness; sorts by time."""
    milliseconds = time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    number = (milliseconds << 80) | random
    number = (number & ~(0xF000 << 64)) | (0x7000 << 64)  # Version 7.
    number = (number & ~(0xC000 << 48)) | (0x8000 << 48)  # Variant of the RFC.
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is said of a file when it is attached; `assumed` names what was made up of it."""

    session: str
    name: str
    kind: str
    media_type: str | None = None
    assumed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of a feed: counts of its events, and the journal's head after it (hex)."""

    recorded: int = 0
    replayed: int = 0
    confirmed: int = 0
    refused: int = 0
    head: str = ""


class Portal:
    """A book, open for writing. Everything goes through `record`, `execute` and `sync`."""

    def __init__(self, store: LedgerFile, now: Clock) -> None:
        self._store = store
        self._now = now

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, dry_run: bool = False, now: Clock = utc_now) -> Iterator[Portal]:
        """Open a ledger; with `dry_run` everything happens and is rolled back."""
        store = LedgerFile.open(path, now, keep=not dry_run)
        try:
            with diagnosing_damage(store.db):
                yield cls(store, now)
        finally:
            store.close()

    @classmethod
    def create(cls, path: Path, policy: Policy, *settings: EventData, now: Clock = utc_now) -> None:
        """Make a ledger under a policy, with first settings such as preferences.

        Raises `LedgerExists` where there is something already, `LedgerUnwritable`.
        """
        with LedgerFile.create(path, now) as store:
            portal = cls(store, now)
            portal.record(
                [portal.event(each) for each in (PolicyAdopted(policy=policy), *settings)]
            )

    def reader(self) -> Reader:
        """Return the windows on what is recorded."""
        return self._store.reader()

    def event(
        self,
        data: EventData,
        *,
        at: datetime | None = None,
        key: str | None = None,
        assumed: Iterable[str] = (),
    ) -> Event:
        """Make an event of our own: now unless `at` says when, named by `key` or a fresh UUIDv7.

        `assumed` names the fields of the data that were not given but made up; a later replay is
        not compared on them. Raises `InvalidEvent` for a key that is not printable.
        """
        if key is not None:
            NAME.check("key", key)
        if at is not None:
            INSTANT.check("time", at)
        time = at or self._now()
        names = frozenset(assumed) | (frozenset() if at else frozenset({"time"}))
        return Event(CLI_SOURCE, key or new_id(), time, data, assumed=names)

    def execute(  # noqa: PLR0913 (what a write is, told by name)
        self,
        data: EventData,
        *,
        at: datetime | None = None,
        key: str | None = None,
        assumed: Iterable[str] = (),
        allow: Allow = never,
        read_back: Callable[[Reader, Outcome], Row] = lambda _reader, _outcome: {},
    ) -> tuple[Outcome, Row]:
        """Record what the expert does; return its outcome, and the row that `read_back` reads.

        `read_back` reads before the transaction ends, so that a dry run reads the same; at a replay
        it reads what the first recording read. Raises the refusal, or a caution not allowed.
        """
        event = self.event(data, at=at, key=key, assumed=assumed)
        with self._store.writing() as door:
            outcome = door.record(event, allow=allow)
            door.flush()
            with self._store.as_after(outcome) as reader:
                return outcome, read_back(reader, outcome)

    def attach(  # noqa: PLR0913 (what a write is, told by name)
        self,
        file: Path,
        data: Attachment,
        *,
        at: datetime | None = None,
        key: str | None = None,
        allow: Allow = never,
        progress: Callable[[int], None] = lambda _: None,
        read_back: Callable[[Reader, int], Row] = lambda _reader, _artifact: {},
    ) -> tuple[Outcome, Row]:
        """Put a file into the vault and record that it belongs to a session, once.

        The messages of a transcript are kept with the event. `read_back` reads as in `execute`;
        it receives the artifact. Raises what `Vault.taking` and the journal raise; then nothing is
        kept.
        """
        from liveportal.ledger import missing  # No other write pays for their import.
        from liveportal.ledger.attachments import index
        from liveportal.ledger.attachments.vault import LIMIT_BYTES, Vault

        limit = self.reader().preferences.get("attachment_limit") or LIMIT_BYTES
        vault, keep, db = Vault(self._store.path), self._store.keep, self._store.db
        with (
            vault.taking(file, limit=int(limit), keep=keep, progress=progress) as taken,
            self._store.writing() as door,
        ):
            outcome = self._attached(door, data, taken, at, key, allow)
            door.flush()
            artifact = index.artifact_of(db, outcome.seq)
            # What was erased is not restored by saying it again.
            if not index.is_erased(db, outcome.seq):
                flags = self._read_messages(artifact, outcome.event.data, taken)
                missing.attached(db, artifact)
                outcome = outcome._replace(flags=(*outcome.flags, *flags))
                if keep:
                    vault.place(taken)
            with self._store.as_after(outcome) as reader:
                shown = read_back(reader, artifact)
        return outcome, shown

    def _attached(  # noqa: PLR0913, PLR0917 (what a write is, and the door that it goes through)
        self,
        door: Journal,
        data: Attachment,
        taken: StagedFile,
        at: datetime | None,
        key: str | None,
        allow: Allow,
    ) -> Outcome:
        """Record that a file is attached, or return what was recorded when it was before."""
        from liveportal.ledger.attachments import index

        db, told = (
            self._store.db,
            index.recorded_artifact(self._store.db, data.session, taken.sha256),
        )
        kind, media_type, assumed = data.kind, data.media_type, {"media_type", *data.assumed}
        if told:
            kind = told.kind if "kind" in assumed else kind
            media_type = told.media_type
        added = ArtifactAdded(
            session=data.session,
            kind=kind,
            name=data.name,
            sha256=taken.sha256,
            bytes=taken.bytes,
            media_type=media_type,
        )
        event = self.event(added, at=at, key=key, assumed=assumed)
        if told and kind != told.kind:
            raise Conflict(
                f"{added.TYPE} of {added.thing}", ["kind"], hint=f"It is there as {told.kind}."
            )
        if told and told.own_seq and not stored_event(db, CLI_SOURCE, event.id):
            return Outcome("replayed", told.own_seq, event_at(db, told.own_seq).event)
        return door.record(event, allow=allow)

    def _read_messages(self, artifact: int, data: EventData, taken: StagedFile) -> tuple[str, ...]:
        """Keep the messages of a transcript, and return what is to be said about them."""
        if not isinstance(data, ArtifactAdded) or data.kind != "transcript":
            return ()
        from liveportal.feeds import transcripts
        from liveportal.ledger.attachments import index
        from liveportal.ledger.queries import transcripts as transcript_queries

        reader = self.reader()
        began, zone = transcript_queries.began(reader, artifact), reader.own_timezone
        found = transcripts.read(taken.stream, data.name, began=began, timezone=zone)
        rows = [(each.offset_ms, each.speaker, each.text) for each in found.messages]
        index.keep_messages(self._store.db, artifact, rows, reader=found.reader)
        return found.flags

    def forget(
        self,
        customer: str,
        *,
        at: datetime | None = None,
        key: str | None = None,
        allow: Allow = never,
    ) -> tuple[Outcome, ErasureResult]:
        """Erase all personal data of a customer, and record that it was.

        If no personal data remains and no request of the customer is open, nothing is recorded: the
        last erasure is returned as a replay.
        Raises `UnknownThing`, and what the door raises.
        """
        from liveportal.ledger.erasure import service  # No other write pays for its import.

        return service.forget(self._store, self.event, customer, at=at, key=key, allow=allow)

    def fill_profile(  # noqa: PLR0913 (what a write is, told by name)
        self,
        change: Changes,
        judge: Judge,
        *,
        at: datetime | None = None,
        key: str | None = None,
        allow: Allow = never,
        read_back: Callable[[Reader], Row] = lambda _reader: {},
    ) -> tuple[Outcome | None, Row]:
        """Change the payout profile; there is no outcome where nothing differs."""

        def event(data: EventData) -> Event:
            return self.event(data, at=at, key=key)

        from liveportal.ledger import payout_profile  # Encryption, which no other write imports.

        return payout_profile.filled(
            self._store, change, judge, event, key=key, allow=allow, read_back=read_back
        )

    def rotate_key(self, keep_old: Path | None = None) -> KeyChanged:
        """Seal what is sealed under a new key; `keep_old` is a new file that gets the old one."""
        from liveportal.ledger import payout_profile

        return payout_profile.rotate_key(self._store, keep_old)

    def record(self, events: Sequence[Event], *, allow: Allow = always) -> list[Outcome]:
        """Record events in one transaction: all of them, or none.

        An event's source decides what it may say: the expert's own (`event`) everything, any other
        what a feed may say. Raises `NotForFeeds`, and what the door raises.
        """
        with self._store.writing() as door:
            return [door.record(event, allow=allow) for event in events]

    def resolve_id(self, kind: str, text: str) -> str:
        """Return the id that a text names, whole or by a unique prefix (see `Reader.known`)."""
        return known_id(self._store.db, kind, text)

    def sync(  # noqa: PLR0913 (what a feed is, told by name)
        self,
        feed: BinaryIO,
        *,
        batch: int | None = None,
        on_error: OnError | None = None,
        progress: Callable[[int], None] = lambda _: None,
        before: int = 0,
        on_outcome: OnOutcome = lambda _: None,
    ) -> Synced:
        """Record a feed in its own order: all of it, or nothing.

        Other programs can write until its first lines have arrived.

        Commit every `batch` lines, or every 8 MiB if that comes first: for streams without an end.
        `on_error` receives each bad line and its error, and the feed goes on; without it the first
        bad line's error is raised, and names the line. What a feed may not report
        (`events.sources`) is a bad line. `progress` receives the bytes of each chunk; `on_outcome`
        the outcome of each event, before its transaction is committed. `before` is the number of
        lines that came before, if the feed continues another.
        """
        counts: Counter[str] = Counter()
        lines = jsonl.lines(feed, before)
        with no_collector():
            if batch is None:
                chunks = jsonl.chunks(lines, CHUNK_LINES)
                # Its lines come first, and the lock then: a pipe may bring none for hours.
                if (chunk := next(chunks, None)) is None:
                    return Synced(head=self.head())
                with self._store.writing() as door:
                    while chunk is not None:
                        _record_lines(door, chunk, counts, on_error, on_outcome)
                        progress(_bytes(chunk))
                        chunk = next(chunks, None)
                    return Synced(**counts, head=door.head.hex())
            for chunk in jsonl.chunks(lines, batch):
                try:
                    with self._store.writing() as door:
                        _record_lines(door, chunk, counts, on_error, on_outcome)
                except LiveportalError as error:
                    if self._store.keep:
                        error.hint = (
                            "The batches before are recorded. Correct the line and sync again,"
                            " or go on past it with --rejects FILE."
                        )
                    raise
                progress(_bytes(chunk))
        return Synced(**counts, head=self.head())

    def head(self) -> str:
        """Return the hash of the last event, in hex."""
        with driver.translating_errors(self._store.path):
            return Journal(self._store.db, self._now).head.hex()


def _record_lines(
    door: Journal,
    chunk: Sequence[jsonl.Line],
    counts: Counter[str],
    on_error: OnError | None,
    on_outcome: OnOutcome,
) -> None:
    """Parse a chunk, look up what it asks for, and record it line by line."""
    parsed = [_parsed(line) for line in chunk]
    door.prefetch([event for event in parsed if isinstance(event, Event)])
    for line, event in zip(chunk, parsed, strict=True):
        try:
            if isinstance(event, LiveportalError):
                raise event
            outcome = door.record(event, origin=Origin.FEED)
            counts[outcome.status] += 1
            on_outcome(outcome)
        except LiveportalError as error:
            error.located(f"line {line.number}", line=line.number)
            if on_error is None:
                raise
            on_error(line, error)
            counts["refused"] += 1
    parsed.clear()  # An error that was raised keeps this frame: it must not keep the chunk, too.
    door.flush()


def _bytes(chunk: Iterable[jsonl.Line]) -> int:
    return sum(len(line.raw) + 1 for line in chunk)


def _parsed(line: jsonl.Line) -> Event | LiveportalError:
    try:
        return jsonl.parse(line.raw) if line.whole else jsonl.read(line)
    except LiveportalError as error:
        return error


__all__ = ["Attachment", "Outcome", "Portal", "Synced", "new_id", "open_readonly", "utc_now"]
