"""Read the documents of another tool, and choose their events by the state of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, cast

from liveportal.domain.entities import Claim, Payout, Request, Session
from liveportal.domain.errors import InvalidArgument, LiveportalError
from liveportal.domain.events.envelope import Event
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money
from liveportal.feeds.adapters import ADAPTERS, load
from liveportal.feeds.adapters.documents import documents
from liveportal.feeds.adapters.steps import ByState, Ignored, Settings
from liveportal.feeds.jsonl import Line
from liveportal.ledger.journal.journal import Journal
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.secrets.identity import IdentityKey
from liveportal.services import arguments

CUSTOMER_DIGITS = 20
"""Hex digits of a customer's pseudonym."""


@frozen
class FeedFormat:
    """The format of another tool's feed (`calcom`, `calendly`, `stripe`), and what it omits.

    `rate` is the price of a minute of a booking; by default it is the direct rate of the
    preferences. `trust_schedule` takes a meeting's planned start and end as the real ones. `hop`
    says which of Stripe's movements is the platform's payout: `payout` or `transfer`. `sessions`
    has the sessions by the id of the charge that paid for them. With a `secret`, only captured
    webhooks with a valid signature are read.
    """

    name: str
    rate: Money | None = None
    trust_schedule: bool = False
    hop: str | None = None
    sessions: Mapping[str, str] | None = None
    secret: bytes | None = None

    @classmethod
    def of(cls, given: FeedFormat | str) -> FeedFormat:
        """Return a format, given itself or its name; raises `InvalidArgument`."""
        chosen = cls(given) if isinstance(given, str) else given
        arguments.of_type("feed_format", chosen, FeedFormat, "a name or a FeedFormat")
        arguments.one_of("feed_format", chosen.name, ADAPTERS)
        return chosen


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
        self._is_key_used = False

    def steps(self, before: int) -> Iterator[tuple[Line, Event | Chosen | LiveportalError]]:
        """Yield the steps of the documents, or their errors, each with its line.

        `before` is the number of lines before the feed. Raises `UnreadableFile`.
        """
        adapter, settings = load(self._wanted.name), self._settings()
        secret = self._wanted.secret
        for line, content in documents(self._feed, before, adapter.is_signed, secret):
            try:
                if isinstance(content, LiveportalError):
                    raise content
                steps = list(adapter.steps(content, settings))
            except LiveportalError as error:
                yield line, error
                continue
            for step in steps:
                yield line, step if isinstance(step, Event) else Chosen(step)

    def keep_key(self) -> None:
        """Store the identity key with the first pseudonym that it made."""
        if self._is_key_used and self._new_key.id is None and (key := self._new_key.key):
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
        )

    def _customer_id(self, text: str) -> str:
        self._is_key_used = True
        return f"C-{self._new_key.fingerprint(text.casefold())[:CUSTOMER_DIGITS]}"


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
