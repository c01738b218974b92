"""Read another tool's documents and tables, and choose events by the state of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, cast

from liveportal.domain.clock import zone
from liveportal.domain.entities import Claim, Payout, Request, Session
from liveportal.domain.errors import InvalidArgument, LiveportalError, MalformedFile, UnreadableFile
from liveportal.domain.events.envelope import Event
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money
from liveportal.feeds.adapters import FORMATS, MAPPED, TABLE_ADAPTERS, load, load_table
from liveportal.feeds.adapters.documents import documents
from liveportal.feeds.adapters.steps import ByState, Ignored, Settings, Step
from liveportal.feeds.jsonl import Line
from liveportal.ledger.journal.journal import Journal
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.secrets.identity import IdentityKey
from liveportal.services import arguments
from liveportal.tables.dates import ORDERS

if TYPE_CHECKING:
    from liveportal.tables.mapping import MappingDocument
    from liveportal.tables.source import Source

CUSTOMER_DIGITS = 20
"""Hex digits of a customer's pseudonym."""
_PART_BYTES = 1024 * 1024


@frozen
class FeedFormat:
    """The format of another tool's feed (`calcom`, `stripe`, `toggl`, ...), and what it omits.

    `rate` is the price of a minute of a booking or a session; by default it is the direct rate of
    the preferences. `trust_schedule` takes a meeting's planned start and end as the real ones.
    `hop` says which of Stripe's movements is the platform's payout: `payout` or `transfer`.
    `sessions` has the sessions by the id of the charge that paid for them. With a `secret`, only
    captured webhooks with a valid signature are read.

    The others are for tables. `mapping` says what the columns of the format `csv` are: a name or a
    path; `mappings` has further ones by name, as tables or paths. `dates` is the order of dates
    that can be read in two (`dmy`, `mdy`, `ymd`). `timezone` is the zone of times without one, by
    default the expert's.
    """

    name: str
    rate: Money | None = None
    trust_schedule: bool = False
    hop: str | None = None
    sessions: Mapping[str, str] | None = None
    secret: bytes | None = None
    mapping: str | None = None
    mappings: Mapping[str, object] | None = None
    dates: str | None = None
    timezone: str | None = None

    @classmethod
    def of(cls, given: FeedFormat | str) -> FeedFormat:
        """Return a format, given itself or its name; raises `InvalidArgument`."""
        chosen = cls(given) if isinstance(given, str) else given
        arguments.of_type("feed_format", chosen, FeedFormat, "a name or a FeedFormat")
        arguments.one_of("feed_format", chosen.name, FORMATS)
        if chosen.name == MAPPED and not isinstance(chosen.mapping, str):
            raise InvalidArgument("mapping", "must be the name or the path of one, for `csv`")
        if chosen.dates is not None:
            arguments.one_of("dates", chosen.dates, ORDERS)
        if chosen.timezone is not None:
            zone(chosen.timezone)
        return chosen

    def found_mapping(self) -> MappingDocument | None:
        """Return the mapping of a table; raises `NotFound`, `UnreadableFile`, `MalformedFile`."""
        if self.name not in TABLE_ADAPTERS:
            return None
        from liveportal.tables.mapping import find_mapping  # Few feeds are tables.

        return find_mapping(self.mapping or self.name, "hours", self.mappings)


class Adapted:
    """A feed of another tool, as steps. Customers get pseudonyms under the ledger's identity key.

    `keep_key` stores a key that was made for them; call it in the transaction that records them.
    """

    def __init__(
        self, file: LedgerFile, feed: BinaryIO | Iterable[Event], given: FeedFormat | str
    ) -> None:
        """Raise `InvalidArgument` for a format that is not known, or a feed that is not a file."""
        self._wanted = FeedFormat.of(given)
        if not hasattr(feed, "readline"):
            raise InvalidArgument("feed", "must be a path or a file, if it has a format")
        self._file = file
        self._feed = cast("BinaryIO", feed)
        self._new_key = IdentityKey(file.db, file.path, keep=False)

    def steps(self, before: int) -> Iterator[tuple[Line, Event | Chosen | LiveportalError]]:
        """Yield the steps of the documents, or their errors, each with its line.

        `before` is the number of lines before the feed. Raises `UnreadableFile`.
        """
        for line, step in self._read(before):
            yield line, Chosen(step) if isinstance(step, ByState | Ignored) else step

    def _read(self, before: int) -> Iterator[tuple[Line, Step | LiveportalError]]:
        settings = self._settings()
        if self._wanted.name in TABLE_ADAPTERS:
            yield from load_table(self._wanted.name).steps(whole(self._feed), settings)
            return
        adapter, secret = load(self._wanted.name), self._wanted.secret
        for line, content in documents(self._feed, before, adapter.is_signed, secret):
            try:
                if isinstance(content, LiveportalError):
                    raise content
                steps = list(adapter.steps(content, settings))
            except LiveportalError as error:
                yield line, error
                continue
            for step in steps:
                yield line, step

    def keep_key(self) -> None:
        """Store the identity key with the first pseudonym that it made."""
        if self._new_key.id is None and (key := self._new_key.key):
            IdentityKey(self._file.db, self._file.path, keep=self._file.keep).adopt(key)

    def _settings(self) -> Settings:
        reader = self._file.reader()
        direct = reader.preferences.get("direct_rate")
        rate = self._wanted.rate
        if rate is None and direct:
            rate = reader.parse_amount(f"{direct['amount']} {direct['currency']}")
        return Settings(
            customer_id=self._customer_id,
            rate=rate,
            trust_schedule=self._wanted.trust_schedule,
            hop=self._wanted.hop,
            sessions=self._wanted.sessions,
            currency=reader.currency,
            timezone=self._wanted.timezone or reader.own_timezone,
            dates=self._wanted.dates,
            mapping=self._wanted.found_mapping(),
        )

    def _customer_id(self, text: str) -> str:
        return f"C-{self._new_key.fingerprint(text.casefold())[:CUSTOMER_DIGITS]}"


def whole(feed: BinaryIO) -> Source:
    """Return a feed as a file that can be read twice; raises `UnreadableFile`."""
    from io import BytesIO

    from liveportal.tables.lines import LARGEST_FILE
    from liveportal.tables.source import Place, Source

    name = getattr(feed, "name", None)
    name = name if isinstance(name, str) and name != "<stdin>" else "the feed"
    content = bytearray()
    try:
        while part := feed.readline(_PART_BYTES):
            content += part
            if len(content) > LARGEST_FILE:
                reason = f"the file is larger than {LARGEST_FILE:,} bytes."
                raise Place(name).error(MalformedFile, 1, reason)
    except (OSError, ValueError) as error:  # ValueError: it is closed, or of another encoding.
        raise UnreadableFile(
            f"The feed cannot be read: {getattr(error, 'strerror', None) or error}.",
            hint="Check the feed and try again.",
        ) from None
    return Source(name, BytesIO(content))


@frozen
class Chosen:
    """A step whose events depend on the state of the ledger."""

    step: ByState | Ignored

    @property
    def possible(self) -> Sequence[Event]:
        """Every event that may be recorded for it."""
        if isinstance(self.step, Ignored):
            return ()
        choices = (steps for steps in self.step.steps.values() if not isinstance(steps, Ignored))
        return [event for steps in choices for event in steps]

    def choose(self, journal: Journal) -> Sequence[Event] | str:
        """Return the events for the present state of the ledger, or the kind that is ignored.

        If one of the choices was recorded before, it is chosen again, whatever happened since: the
        choices differ in their last event.
        """
        if isinstance(self.step, Ignored):
            return self.step.kind
        for steps in self.step.steps.values():
            if not isinstance(steps, Ignored) and _is_recorded(steps[-1], journal):
                return steps
        chosen = self.step.of(lambda kind, entity_id: _state(kind, entity_id, journal))
        return chosen.kind if isinstance(chosen, Ignored) else chosen


def _is_recorded(event: Event, journal: Journal) -> bool:
    stored = journal.log.find(event.source, event.id)
    return stored is not None and type(stored.event.data) is type(event.data)


def _state(kind: str, entity_id: str, journal: Journal) -> str | None:
    """Return the state of an entity, None if the ledger does not know it."""
    find: dict[str, Callable[[str], Request | Session | Claim | Payout | None]] = {
        "session": journal.book.session,
        "request": journal.book.request,
        "claim": journal.book.claim,
        "payout": journal.book.payout,
    }
    entity = find[kind](entity_id)
    return entity.state if entity else None
