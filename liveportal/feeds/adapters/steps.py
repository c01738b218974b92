"""What an adapter makes of one document: events, or a choice of events, or nothing.

An adapter knows no ledger. Where the right event depends on the state of something, it yields all
of them (`ByState`), and the recorder chooses when it knows the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from liveportal.domain.clock import parse_instant, utc_text
from liveportal.domain.errors import InvalidEvent, InvalidTime, RateNeeded
from liveportal.domain.events.envelope import PREFIX, Event
from liveportal.domain.events.types import (
    DisputeAccepted,
    DisputeRejected,
    PayoutFailed,
    PayoutReturned,
    PayoutSent,
    RefundClaimed,
    RequestAccepted,
    RequestOpened,
    SessionRescheduled,
)
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.hint import Hint
from liveportal.domain.money import Money
from liveportal.feeds import jsonl

if TYPE_CHECKING:
    from liveportal.domain.errors import LiveportalError
    from liveportal.tables.mapping import MappingDocument
    from liveportal.tables.source import Source as TableFile

UNKNOWN = "unknown"
"""The state of what the ledger does not know."""
ANY = "any"
"""The steps of every state that has no steps of its own."""


@frozen
class Ignored:
    """A document that does not concern the books, under the name by which it is counted."""

    kind: str


@frozen
class ByState:
    """Steps that depend on the state of an entity: the first of `entities` that the ledger knows.

    An entity is a kind and an id, such as `("session", "S-1")`. `steps` has the steps by the kind
    and the state (`session.upcoming`), then by `session.any`; those of `unknown` are for entities
    of which the ledger knows none.
    """

    entities: tuple[tuple[str, str], ...]
    steps: Mapping[str, tuple[Event, ...] | Ignored]

    def of(self, state_of: Callable[[str, str], str | None]) -> tuple[Event, ...] | Ignored:
        """Return the steps for the states that `state_of` returns, given a kind and an id."""
        for kind, entity_id in self.entities:
            state = state_of(kind, entity_id)
            if state is not None:
                by_state = self.steps.get(f"{kind}.{state}")
                return self.steps[f"{kind}.{ANY}"] if by_state is None else by_state
        return self.steps[UNKNOWN]


Step = Event | ByState | Ignored


@frozen(kw_only=True)
class Settings:
    """What the user says about a feed that the feed does not say itself."""

    customer_id: Callable[[str], str]
    """Returns the pseudonym of a customer, given an e-mail address or a name."""
    rate: Money | None = None
    trust_schedule: bool = False
    hop: str | None = None
    sessions: Mapping[str, str] | None = None
    """The sessions by the id of the charge that paid for them."""
    currency: str = "USD"
    """The book's currency, for amounts without one."""
    timezone: str = "UTC"
    """The zone of times without one."""
    dates: str | None = None
    """The order of dates that can be read in two: a name in `tables.dates.ORDERS`."""
    mapping: MappingDocument | None = None
    """What the columns of a table are."""


class Adapter(Protocol):
    """Makes steps of the documents of another tool."""

    def steps(self, document: dict[str, Any], settings: Settings) -> Iterator[Step]:
        """Yield the steps of a document; raises `InvalidEvent` with the field that is wrong."""
        ...

    def is_signed(self, headers: Mapping[str, str], body: bytes, secret: bytes) -> bool:
        """Return True if a body has a signature in its headers that the secret made."""
        ...


class TableAdapter(Protocol):
    """Makes steps of a whole file: what a row means may depend on other rows."""

    def steps(
        self, file: TableFile, settings: Settings
    ) -> Iterator[tuple[jsonl.Line, Step | LiveportalError]]:
        """Yield the steps of the rows, or their errors, each with its line.

        Raises an error about the file as a whole.
        """
        ...


NOT_STATED: dict[type, frozenset[str]] = {
    RequestOpened: frozenset({"rate", "slots", "title", "description"}),
    RequestAccepted: frozenset({"slot"}),
    SessionRescheduled: frozenset({"minutes"}),
    RefundClaimed: frozenset({"reason"}),
    PayoutSent: frozenset({"method", "reference"}),
    PayoutFailed: frozenset({"reason"}),
    PayoutReturned: frozenset({"reason"}),
    DisputeAccepted: frozenset({"note"}),
    DisputeRejected: frozenset({"note"}),
}
"""The fields that are not compared when an event is reported again, beside its time: what the
provider did not state, or states otherwise in another document about the same fact."""


@frozen
class Source:
    """The source of a provider's events; its ids are `ENTITY:STEP`."""

    source: str

    def event(self, name: str, kind: str, time: datetime, /, **data: Any) -> Event:  # noqa: ANN401
        """Build an event as a line of a feed would; raises `InvalidEvent`. None is left out."""
        event = jsonl.event_of(
            {
                "specversion": "1.0",
                "id": name,
                "source": self.source,
                "type": PREFIX + kind,
                "time": utc_text(time),
                "data": {name: value for name, value in data.items() if value is not None},
            }
        )
        not_stated = NOT_STATED.get(type(event.data), frozenset())
        return replace(event, assumed=not_stated | {"time"})


# --- reading a document -----------------------------------------------------------------------


def text_at(document: Mapping[str, Any], *path: str) -> str:
    """Return the text at a path of keys; raises `InvalidEvent` if it is missing or no text."""
    value = optional_text(document, *path)
    if value is None:
        raise InvalidEvent(".".join(path), "is missing")
    return value


def optional_text(document: Mapping[str, Any], *path: str) -> str | None:
    """Return the text at a path of keys, None if it is missing, null or empty."""
    value = at(document, *path)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidEvent(".".join(path), "must be a string")
    return value


def time_at(document: Mapping[str, Any], *path: str) -> datetime:
    """Return the instant at a path of keys; raises `InvalidEvent` if it is missing or invalid."""
    try:
        return parse_instant(text_at(document, *path))
    except InvalidTime as error:
        raise InvalidEvent(".".join(path), error.message) from None


def objects_at(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list; none if it is missing, or not a list."""
    values = document.get(name)
    return (
        [item for item in values if isinstance(item, Mapping)] if isinstance(values, list) else []
    )


def at(document: Mapping[str, Any], *path: str) -> Any:  # noqa: ANN401 -- Any JSON.
    """Return the value at a path of keys, or None."""
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def rate_of(settings: Settings, subject: str = "A booking") -> dict[str, str]:
    """Return the rate as an event has it; raises `RateNeeded`: no scheduler states one."""
    if settings.rate is None:
        raise RateNeeded(
            f"{subject} needs a rate for each minute, and the feed states none.",
            hint=Hint("Give {a_rate}, or set {a_direct_rate}."),
        )
    return amount_of(settings.rate)


def amount_of(money: Money) -> dict[str, str]:
    """Return an amount as an event has it."""
    return {"amount": str(money), "currency": money.currency}
