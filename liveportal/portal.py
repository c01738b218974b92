"""The public Python interface: open a ledger, record events and query it.

from pathlib import Path
from liveportal.portal import Portal
from liveportal.domain.events.types import SessionPaused

with Portal.open(Path("ledger.db")) as portal:
    portal.execute(SessionPaused(session="S-1"))

A portal belongs to the process and the thread that opened it. Used in another one, or after a fork,
it raises `NotShared`. Each process and each thread opens its own.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, BinaryIO

from liveportal.domain.errors import Caution, Conflict, LiveportalError
from liveportal.domain.events.envelope import CLI_SOURCE, NAME, Event, EventData
from liveportal.domain.events.field_types import INSTANT
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import ArtifactAdded, PolicyAdopted
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.policy import Policy
from liveportal.feeds import jsonl
from liveportal.ledger.damage import diagnosing_damage
from liveportal.ledger.format.serialisation import event_at, stored_event
from liveportal.ledger.journal.event_log import EventLog
from liveportal.ledger.journal.journal import Journal, Outcome
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader, known_id
from liveportal.ledger.storage import driver
from liveportal.ledger.storage.gc_pause import no_collector

if TYPE_CHECKING:
    from liveportal.domain.profile.fields import Changes
    from liveportal.ledger.attachments.vault import StagedFile
    from liveportal.ledger.erasure.service import ErasureResult
    from liveportal.ledger.payout_profile import Judge, KeyRotation

CHUNK_LINES = 2_000

Clock = Callable[[], datetime]
Row = Mapping[str, object]
Allow = Callable[[Caution], bool]
"""Returns True if a caution is accepted, so that the event is recorded in spite of it."""

OnError = Callable[[jsonl.Line, LiveportalError], None]
OnOutcome = Callable[[Outcome], object]


def allow_all(_caution: Caution) -> bool:
    """Accept every caution: for events that the platform reports."""
    return True


def allow_none(_caution: Caution) -> bool:
    """Accept no caution: for commands of the expert that do not override any."""
    return False


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits; sorts by time."""
    milliseconds = time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    number = (milliseconds << 80) | random
    number = (number & ~(0xF000 << 64)) | (0x7000 << 64)  # Version 7.
    number = (number & ~(0xC000 << 48)) | (0x8000 << 48)  # Variant of the RFC.
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@frozen
class Attachment:
    """The details of a file to attach; `assumed` names the fields that got a default value."""

    session: str
    name: str
    kind: str
    media_type: str | None = None
    assumed: frozenset[str] = frozenset()


@frozen
class SyncResult:
    """The result of a sync: counts of the feed's events by outcome, and the new head hash (hex)."""

    recorded: int = 0
    replayed: int = 0
    confirmed: int = 0
    refused: int = 0
    head: str = ""


class Portal:
    """A ledger that is open for writing."""

    def __init__(self, ledger_file: LedgerFile, now: Clock) -> None:
        self._store = ledger_file
        self._now = now

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, dry_run: bool = False, now: Clock = utc_now) -> Iterator[Portal]:
        """Open a ledger; with `dry_run` every write is carried out and then rolled back."""
        ledger_file = LedgerFile.open(path, now, keep=not dry_run)
        try:
            with diagnosing_damage(ledger_file.db):
                yield cls(ledger_file, now)
        finally:
            ledger_file.close()

    @classmethod
    def create(cls, path: Path, policy: Policy, *settings: EventData, now: Clock = utc_now) -> None:
        """Create a ledger with a policy and initial settings such as preferences.

        Raises `LedgerExists` if the path exists already, or `LedgerUnwritable`.
        """
        with LedgerFile.create(path, now) as ledger_file:
            portal = cls(ledger_file, now)
            portal.record(
                [portal.event(data) for data in (PolicyAdopted(policy=policy), *settings)]
            )

    def reader(self) -> Reader:
        """Return a reader that queries the recorded events."""
        return self._store.reader()

    def event(
        self,
        data: EventData,
        *,
        at: datetime | None = None,
        key: str | None = None,
        assumed: Iterable[str] = (),
    ) -> Event:
        """Build an event of the expert, with `key` or a new UUIDv7 as its id.

        Its time is `at`, or the current time. `assumed` names the fields of the data that were not
        given but got a default value: a replay is not compared on them. Raises `InvalidEvent` for a
        key that is not printable.
        """
        if key is not None:
            NAME.check("key", key)
        if at is not None:
            INSTANT.check("time", at)
        time = at or self._now()
        names = frozenset(assumed) | (frozenset() if at else frozenset({"time"}))
        return Event(CLI_SOURCE, key or new_id(), time, data, assumed=names)

    def execute(  # noqa: PLR0913 (keyword-only options)
        self,
        data: EventData,
        *,
        at: datetime | None = None,
        key: str | None = None,
        assumed: Iterable[str] = (),
        allow: Allow = allow_none,
        read_back: Callable[[Reader, Outcome], Row] = lambda _reader, _outcome: {},
    ) -> tuple[Outcome, Row]:
        """Record an event of the expert; return its outcome and the row that `read_back` returns.

        `read_back` runs before the transaction ends, so that a dry run returns the same row; for a
        replay it returns the row of the first recording. Raises the refusal of the rules, or a
        caution that `allow` does not accept.
        """
        event = self.event(data, at=at, key=key, assumed=assumed)
        with self._store.writing() as journal:
            outcome = journal.record(event, allow=allow)
            journal.flush()
            with self._store.as_after(outcome) as reader:
                return outcome, read_back(reader, outcome)

    def attach(  # noqa: PLR0913 (keyword-only options)
        self,
        file: Path,
        data: Attachment,
        *,
        at: datetime | None = None,
        key: str | None = None,
        allow: Allow = allow_none,
        progress: Callable[[int], None] = lambda _: None,
        read_back: Callable[[Reader, int], Row] = lambda _reader, _artifact: {},
    ) -> tuple[Outcome, Row]:
        """Store a file in the vault and record once that it belongs to a session.

        The messages of a transcript are stored in the same transaction. `read_back` works as in
        `execute` and receives the id of the artifact. Raises the errors of `Vault.taking` and of
        the journal; nothing is stored then.
        """
        from liveportal.ledger import missing  # Only this write needs these imports.
        from liveportal.ledger.attachments import index
        from liveportal.ledger.attachments.vault import LIMIT_BYTES, Vault

        limit = self.reader().preferences.get("attachment_limit") or LIMIT_BYTES
        vault, keep, db = Vault(self._store.path), self._store.keep, self._store.db
        with (
            vault.taking(file, limit=int(limit), keep=keep, progress=progress) as staged,
            self._store.writing() as journal,
        ):
            outcome = self._record_attachment(journal, data, staged, at, key, allow)
            journal.flush()
            artifact = index.artifact_of(db, outcome.seq)
            # Recording it again must not restore erased data.
            if not index.is_erased(db, outcome.seq):
                flags = self._read_messages(artifact, outcome.event.data, staged)
                missing.attached(db, artifact)
                outcome = outcome._replace(flags=(*outcome.flags, *flags))
                if keep:
                    vault.place(staged)
            with self._store.as_after(outcome) as reader:
                row = read_back(reader, artifact)
        return outcome, row

    def _record_attachment(  # noqa: PLR0913, PLR0917 (the parameters of `attach`, and the journal)
        self,
        journal: Journal,
        data: Attachment,
        staged: StagedFile,
        at: datetime | None,
        key: str | None,
        allow: Allow,
    ) -> Outcome:
        """Record that a file is attached; if it was attached before, return that as a replay."""
        from liveportal.ledger.attachments import index

        db = self._store.db
        recorded = index.recorded_artifact(db, data.session, staged.sha256)
        kind, media_type, assumed = data.kind, data.media_type, {"media_type", *data.assumed}
        if recorded:
            kind = recorded.kind if "kind" in assumed else kind
            media_type = recorded.media_type
        added = ArtifactAdded(
            session=data.session,
            kind=kind,
            name=data.name,
            sha256=staged.sha256,
            bytes=staged.bytes,
            media_type=media_type,
        )
        event = self.event(added, at=at, key=key, assumed=assumed)
        if recorded and kind != recorded.kind:
            raise Conflict(
                f"{added.TYPE} of {added.entity}", ["kind"], hint=f"It is there as {recorded.kind}."
            )
        if recorded and recorded.own_seq and not stored_event(db, CLI_SOURCE, event.id):
            return Outcome("replayed", recorded.own_seq, event_at(db, recorded.own_seq).event)
        return journal.record(event, allow=allow)

    def _read_messages(self, artifact: int, data: EventData, staged: StagedFile) -> tuple[str, ...]:
        """Store the messages of a transcript, and return the flags of the transcript."""
        if not isinstance(data, ArtifactAdded) or data.kind != "transcript":
            return ()
        from liveportal.feeds import transcripts
        from liveportal.ledger.attachments import index
        from liveportal.ledger.queries import transcripts as transcript_queries

        reader = self.reader()
        began, zone = transcript_queries.session_start(reader, artifact), reader.own_timezone
        transcript = transcripts.read(staged.stream, data.name, began=began, timezone=zone)
        rows = [
            (message.offset_ms, message.speaker, message.text) for message in transcript.messages
        ]
        index.keep_messages(self._store.db, artifact, rows, reader=transcript.reader)
        return transcript.flags

    def forget(
        self,
        customer: str,
        *,
        at: datetime | None = None,
        key: str | None = None,
        allow: Allow = allow_none,
    ) -> tuple[Outcome, ErasureResult]:
        """Erase all personal data of a customer and record the erasure.

        If no personal data remains and no erasure request of the customer is open, nothing is
        recorded, and the last erasure is returned as a replay. Raises `UnknownThing` and the errors
        of the journal.
        """
        from liveportal.ledger.erasure import service  # Only this write needs this import.

        return service.forget(self._store, self.event, customer, at=at, key=key, allow=allow)

    def fill_profile(  # noqa: PLR0913 (keyword-only options)
        self,
        change: Changes,
        judge: Judge,
        *,
        at: datetime | None = None,
        key: str | None = None,
        allow: Allow = allow_none,
        read_back: Callable[[Reader], Row] = lambda _reader: {},
    ) -> tuple[Outcome | None, Row]:
        """Change the payout profile. The outcome is None if no field changes."""

        def event(data: EventData) -> Event:
            return self.event(data, at=at, key=key)

        from liveportal.ledger import payout_profile  # Only this write imports cryptography.

        return payout_profile.change_profile(
            self._store, change, judge, event, key=key, allow=allow, read_back=read_back
        )

    def rotate_key(self, keep_old: Path | None = None) -> KeyRotation:
        """Encrypt the profile with a new key; the new file `keep_old` gets the old key."""
        from liveportal.ledger import payout_profile

        return payout_profile.rotate_key(self._store, keep_old)

    def record(self, events: Sequence[Event], *, allow: Allow = allow_all) -> list[Outcome]:
        """Record events in one transaction: all of them, or none.

        The source of an event decides what it may report: the expert's own events (`event`)
        anything, all others what a feed may report. Raises `NotForFeeds` and the errors of the
        journal.
        """
        with self._store.writing() as journal:
            return [journal.record(event, allow=allow) for event in events]

    def resolve_id(self, kind: str, text: str) -> str:
        """Return the id that a text names, in full or by a unique prefix (see `Reader.known`)."""
        return known_id(self._store.db, kind, text)

    def sync(  # noqa: PLR0913 (keyword-only options)
        self,
        feed: BinaryIO,
        *,
        batch: int | None = None,
        on_error: OnError | None = None,
        progress: Callable[[int], None] = lambda _: None,
        before: int = 0,
        on_outcome: OnOutcome = lambda _: None,
    ) -> SyncResult:
        """Record a feed in its own order, in one transaction unless `batch` is given.

        With `batch`, commit every `batch` lines, or every 8 MiB if that comes first: for streams
        without an end. `on_error` receives each invalid line and its error, and the sync continues;
        without it the error of the first invalid line is raised and names the line. A line that
        reports what a feed may not report (`events.sources`) is invalid. `progress` receives the
        number of bytes of each chunk, `on_outcome` the outcome of each event before it is
        committed. `before` is the number of earlier lines, if the feed continues another.
        """
        counts: Counter[str] = Counter()
        lines = jsonl.lines(feed, before)
        with no_collector():
            if batch is None:
                chunks = jsonl.chunks(lines, CHUNK_LINES)
                # Lock the ledger only when the first lines are there: a pipe may wait for hours.
                if (chunk := next(chunks, None)) is None:
                    return SyncResult(head=self.head())
                with self._store.writing() as journal:
                    while chunk is not None:
                        _record_lines(journal, chunk, counts, on_error, on_outcome)
                        progress(_size_bytes(chunk))
                        chunk = next(chunks, None)
                    return SyncResult(**counts, head=journal.log.head.hex())
            for chunk in jsonl.chunks(lines, batch):
                try:
                    with self._store.writing() as journal:
                        _record_lines(journal, chunk, counts, on_error, on_outcome)
                except LiveportalError as error:
                    if self._store.keep:
                        error.hint = Hint(
                            "The batches before are recorded. Correct the line and sync again,"
                            " or go on past it with {a_file_for_it}."
                        )
                    raise
                progress(_size_bytes(chunk))
        return SyncResult(**counts, head=self.head())

    def head(self) -> str:
        """Return the hash of the last event, in hex."""
        with driver.translating_errors(self._store.path):
            return EventLog(self._store.db, self._now).head.hex()


def _record_lines(
    journal: Journal,
    chunk: Sequence[jsonl.Line],
    counts: Counter[str],
    on_error: OnError | None,
    on_outcome: OnOutcome,
) -> None:
    """Parse a chunk, load the entities that it needs, and record it line by line."""
    parsed = [_try_parse(line) for line in chunk]
    journal.prefetch([event for event in parsed if isinstance(event, Event)])
    for line, event in zip(chunk, parsed, strict=True):
        try:
            if isinstance(event, LiveportalError):
                raise event
            outcome = journal.record(event, origin=Origin.FEED)
            counts[outcome.status] += 1
            on_outcome(outcome)
        except LiveportalError as error:
            error.located(f"line {line.number}", line=line.number)
            if on_error is None:
                raise
            on_error(line, error)
            counts["refused"] += 1
    parsed.clear()  # A raised error keeps this frame alive: release the chunk.
    journal.flush()


def _size_bytes(chunk: Iterable[jsonl.Line]) -> int:
    return sum(len(line.raw) + 1 for line in chunk)


def _try_parse(line: jsonl.Line) -> Event | LiveportalError:
    try:
        return jsonl.parse(line.raw) if line.whole else jsonl.read(line)
    except LiveportalError as error:
        return error


__all__ = ["Attachment", "Outcome", "Portal", "SyncResult", "new_id", "open_readonly", "utc_now"]
