"""`Portal`: a ledger for Python: record events, sync feeds, attach files, and query.

from liveportal import Portal, events

with Portal("book.db") as portal:
    portal.execute(events.SessionPaused(session="S-1"))
    print(portal.earnings.month("2026-10").net)

docs/PYTHON.md shows a month of work. A portal belongs to the process and the thread that opened it;
in another one, or after a fork, it raises `NotShared`. Each process and thread opens its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from liveportal.domain.events.envelope import CLI_SOURCE, NAME, Event, EventData
from liveportal.domain.events.field_types import INSTANT
from liveportal.domain.events.types import PolicyAdopted
from liveportal.domain.policy import Policy
from liveportal.ledger.journal.journal import Allow, Outcome
from liveportal.ledger.ledger_file import Clock, LedgerFile
from liveportal.ledger.queries.reader import Reader
from liveportal.services import arguments
from liveportal.services.arguments import StrPath
from liveportal.services.defaults import ignore, new_id, utc_now
from liveportal.services.sync import FeedSource, OnError, OnOutcome, SyncResult, sync
from liveportal.services.view import View

if TYPE_CHECKING:
    from liveportal.domain.profile.fields import Changes
    from liveportal.ledger.erasure.service import ErasureResult
    from liveportal.ledger.payout_profile import Judge, KeyRotation
    from liveportal.services.adapting import FeedFormat

NONE: frozenset[str] = frozenset()
"""No caution is accepted."""


class Portal(View):
    """An open ledger.

    With `mode="r"` it is open for queries only. With `dry_run` every write is carried out, and
    undone when the portal closes. `now` is the clock. Raises `LedgerNotFound` and the other errors
    of opening a ledger, and `InvalidArgument`.
    """

    def __init__(
        self,
        path: StrPath,
        *,
        mode: Literal["r", "rw"] = "rw",
        dry_run: bool = False,
        now: Clock = utc_now,
    ) -> None:
        readonly = arguments.mode(mode, dry_run=dry_run) == "r"
        ledger = arguments.path("path", path)
        super().__init__(LedgerFile.open(ledger, now, keep=not dry_run, readonly=readonly))

    @classmethod
    def over(cls, file: LedgerFile) -> Self:
        """Return a portal for a ledger file that is open already."""
        portal = cls.__new__(cls)
        View.__init__(portal, file)
        return portal

    @classmethod
    def create(
        cls,
        path: StrPath,
        policy: Policy | None = None,
        *,
        settings: Iterable[EventData] = (),
        now: Clock = utc_now,
    ) -> None:
        """Create a ledger with a policy and initial settings such as `PreferencesChanged`.

        The default policy is that of Unity Live Help. Raises `LedgerExists` if the path exists
        already, `LedgerUnwritable`, and `InvalidArgument`.
        """
        ledger = arguments.path("path", path)
        rules = (
            Policy() if policy is None else arguments.of_type("policy", policy, Policy, "a Policy")
        )
        with LedgerFile.create(ledger, now) as file:
            portal = cls.over(file)
            data = [PolicyAdopted(policy=rules), *arguments.several("settings", settings)]
            portal.record([portal.event(each) for each in data])

    # --- recording ----------------------------------------------------------------------------

    def event(
        self,
        data: EventData,
        *,
        at: datetime | None = None,
        key: str | None = None,
        assumed: Collection[str] = (),
    ) -> Event:
        """Build an event of the expert, with `key` or a new UUIDv7 as its id.

        Its time is `at`, or the current time. `assumed` names the fields of the data that were not
        given but got a default value: a replay is not compared on them. Raises `InvalidEvent` for
        a key that is not printable or a time without an offset, and `InvalidArgument`.
        """
        arguments.of_type("data", data, EventData, "the data of an event, such as SessionPaused")
        if key is not None:
            NAME.check("key", key)
        if at is not None:
            INSTANT.check("time", at)
        names = frozenset(arguments.words("assumed", assumed))
        if at is None:
            names |= {"time"}
        return Event(CLI_SOURCE, key or new_id(), at or self._file.now(), data, assumed=names)

    def execute(  # noqa: PLR0913 (keyword-only options)
        self,
        data: EventData,
        *,
        at: datetime | None = None,
        key: str | None = None,
        assumed: Collection[str] = (),
        allow: Allow = NONE,
        read_back: Callable[[Reader, Outcome], object] = ignore,
    ) -> Outcome:
        """Record an event of the expert, built as `event` does, and return its outcome.

        An event with a `key` that was recorded before is a replay: its first outcome is returned.
        `read_back` is called with the ledger as it is after the event, before the transaction
        ends. Raises the refusal of the rules, or a caution that `allow` does not have.
        """
        allow = arguments.allowed(allow)
        event = self.event(data, at=at, key=key, assumed=assumed)
        with self._file.writing() as journal:
            outcome = journal.record(event, allow=allow)
            journal.flush()
            with self._file.as_after(outcome) as reader:
                read_back(reader, outcome)
        return outcome

    def record(self, events: Iterable[Event], *, allow: Allow = NONE) -> list[Outcome]:
        """Record events in one transaction: all of them, or none.

        The source of an event decides what it may report: the expert's own events (`event`)
        anything, all others what a feed may report. Raises `NotForFeeds`, and what `execute`
        raises.
        """
        allow = arguments.allowed(allow)
        given = arguments.events("events", events)
        with self._file.writing() as journal:
            return [journal.record(event, allow=allow) for event in given]

    def sync(  # noqa: PLR0913 (keyword-only options)
        self,
        feed: FeedSource,
        *,
        batch: int | None = None,
        before: int = 0,
        on_error: OnError | None = None,
        on_outcome: OnOutcome = ignore,
        progress: Callable[[int], object] = ignore,
        feed_format: FeedFormat | str | None = None,
    ) -> SyncResult:
        """Record a feed in its own order, in one transaction unless `batch` is given.

        The feed is a path, an open file, or an iterable of `Event`. What was recorded before is
        skipped, and cautions become flags. With `batch`, commit every `batch` lines, or every 8 MiB
        if that comes first: for streams without an end.

        `on_error` receives each invalid line and its error, and the sync continues; without it the
        error of the first one is raised and names the line. A line that reports what a feed may
        not report is invalid. `on_outcome` receives the outcome of each event before it is
        committed, `progress` the number of bytes of each chunk. `before` is the number of earlier
        lines, if the feed continues another.

        `feed_format` is for what another tool sends (`calcom`, `calendly`, `stripe`) or exports
        (`toggl`, `clockify`, `timewarrior`, `csv`); a `FeedFormat` adds what it does not state. A
        table is read whole before anything is recorded.
        """
        return sync(
            self._file,
            feed,
            batch=batch,
            before=before,
            on_error=on_error,
            on_outcome=on_outcome,
            progress=progress,
            feed_format=feed_format,
        )

    def attach(  # noqa: PLR0913 (keyword-only options)
        self,
        session: str,
        file: StrPath,
        *,
        kind: str | None = None,
        name: str | None = None,
        at: datetime | None = None,
        key: str | None = None,
        allow: Allow = NONE,
        progress: Callable[[int], None] = ignore,
        read_back: Callable[[Reader, Outcome], object] = ignore,
    ) -> Outcome:
        """Store a file in the vault and record once that it belongs to a session.

        Its `kind` (transcript, attachment, recording or code) and its name are those of the file
        unless given. The messages of a transcript are stored, too, and can be searched.
        `progress` receives the number of bytes of each block. Raises the errors of `Vault.taking`
        and what `execute` raises; nothing is stored then.
        """
        from liveportal.services import attachments  # Only this write needs these imports.

        return attachments.attach(
            self._file,
            session,
            arguments.path("file", file),
            lambda data, assumed: self.event(data, at=at, key=key, assumed=assumed),
            kind=kind,
            name=name,
            allow=arguments.allowed(allow),
            progress=progress,
            read_back=read_back,
        )

    def forget(
        self,
        customer: str,
        *,
        at: datetime | None = None,
        key: str | None = None,
        allow: Allow = NONE,
    ) -> tuple[Outcome, ErasureResult]:
        """Erase all personal data of a customer and record the erasure.

        If no personal data remains and no erasure request of the customer is open, nothing is
        recorded, and the last erasure is returned as a replay. Raises `UnknownEntity` and what
        `execute` raises.
        """
        from liveportal.ledger.erasure import service  # Only this write needs this import.

        allow = arguments.allowed(allow)
        arguments.of_type("customer", customer, str, "the id of a customer")
        return service.forget(self._file, self.event, customer, at=at, key=key, allow=allow)

    def fill_profile(  # noqa: PLR0913 (keyword-only options)
        self,
        change: Changes,
        judge: Judge,
        *,
        at: datetime | None = None,
        key: str | None = None,
        allow: Allow = NONE,
        read_back: Callable[[Reader], object] = ignore,
    ) -> Outcome | None:
        """Change the payout profile. The outcome is None if no field changes."""
        from liveportal.ledger import payout_profile  # Only this write imports cryptography.

        return payout_profile.change_profile(
            self._file,
            change,
            judge,
            lambda data: self.event(data, at=at, key=key),
            key=key,
            allow=arguments.allowed(allow),
            read_back=read_back,
        )

    def rotate_key(self, keep_old: StrPath | None = None) -> KeyRotation:
        """Encrypt the profile with a new key; the new file `keep_old` gets the old key."""
        from liveportal.ledger import payout_profile

        copy: Path | None = None if keep_old is None else arguments.path("keep_old", keep_old)
        return payout_profile.rotate_key(self._file, copy)

    # --- asking: the groups of queries are those of `View` ------------------------------------

    def as_known(self, until: str | date | datetime) -> View:
        """Return the ledger as it was known at an instant: with what was recorded until then.

        A day, such as `2026-11-01`, counts to its end in the expert's time zone; a time has an
        offset. The journal is replayed into memory, which is freed when the view is closed or no
        longer used. Raises `InvalidArgument`, `InvalidTime`.
        """
        with self._file.reading() as reader:
            instant = arguments.known_until(until, reader.own_timezone)
        return View(self._file.as_known(instant))

    def resolve_id(self, kind: str, text: str) -> str:
        """Return the id that a text names, in full or by a unique prefix.

        The kinds are request, session, claim, payout, adjustment and customer. Raises
        `InvalidArgument`, `UnknownEntity` and `AmbiguousPrefix`.
        """
        with self._file.reading() as reader:
            return reader.resolve_id(kind, text)

    def head(self) -> str:
        """Return the hash of the last event, in hex."""
        return self._file.head()

    def reader(self) -> Reader:
        """Return a reader for the functions of `ledger.queries`."""
        return self._file.reader()
