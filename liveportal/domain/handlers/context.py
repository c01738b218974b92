"""What rules see of a book, and what they say of an event.

A rule is a function of an event and a `RuleContext`: it looks entities up, and returns a `Decision`
or raises a `Refused`. It changes nothing itself: the ledger does (or a test's dicts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from liveportal.domain.accounts import Transaction
from liveportal.domain.changing import Value, quick
from liveportal.domain.entities import (
    Adjustment,
    Artifact,
    Claim,
    Customer,
    DisputeFiling,
    OpenItem,
    Payout,
    Profile,
    Request,
    Review,
    Session,
    SessionCount,
)
from liveportal.domain.errors import Caution, UnknownThing, WrongState
from liveportal.domain.events.envelope import Event
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.policy import Policy
from liveportal.domain.values import dataclass

Entity = (
    Request
    | Session
    | Claim
    | Customer
    | DisputeFiling
    | Adjustment
    | Artifact
    | Review
    | OpenItem
    | Payout
    | Profile
    | PreferencesChanged
)


class Assertion(NamedTuple):
    """One event that asserts something about a thing, its source, and the event it confirms."""

    seq: int
    source: str
    confirms: int | None


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A recorded event, as far as a reversal has to know it.

    `confirms` is the event that asserted the same fact first; None if this event did. `reversed`
    says whether that fact was reversed.
    """

    seq: int
    event: Event
    transactions: tuple[Transaction, ...]
    reversed: bool
    confirms: int | None


@quick
class Decision(Value):
    """What an event does: the things as they stand after it, and what it books.

    `counts` are what it adds to the minutes and sessions of months
    (`domain.handlers.session_counts`).
    `cautions` are what a command is refused for unless it insists; no fact is refused for them.
    `flags` are the codes of what is only said.
    """

    things: tuple[Entity, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    counts: tuple[SessionCount, ...] = ()
    cautions: tuple[Caution, ...] = ()
    flags: tuple[str, ...] = ()
    policy: Policy | None = None
    alias: tuple[str, str] | None = None
    reverses: int | None = None
    forgets: str | None = None


class RuleContext(Protocol):
    """A book as it stands before the event. Look-ups by id return None for what there is not."""

    @property
    def next_seq(self) -> int:
        """The position that the event will have."""
        ...

    @property
    def next_transaction(self) -> int:
        """The number that the event's first transaction will have."""
        ...

    @property
    def former_rules(self) -> bool:
        """Whether the event was recorded under the rules of an earlier version, and is replayed."""
        ...

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        ...

    @property
    def policy_seq(self) -> int:
        """The event that adopted the policy in force."""
        ...

    @property
    def preferences(self) -> PreferencesChanged:
        """The expert's preferences, all changes put together."""
        ...

    @property
    def profile(self) -> Profile:
        """Which fields of the payout profile are filled in."""
        ...

    def policy_at(self, seq: int) -> Policy:
        """Return the policy that an event adopted."""
        ...

    def customer(self, customer_id: str) -> Customer | None:
        """Return a customer."""
        ...

    def request(self, request_id: str) -> Request | None:
        """Return a request."""
        ...

    def session(self, session_id: str) -> Session | None:
        """Return a session, also by another name that the platform has for it."""
        ...

    def claim(self, claim_id: str) -> Claim | None:
        """Return a claim."""
        ...

    def payout(self, payout_id: str) -> Payout | None:
        """Return a payout with its lines."""
        ...

    def adjustment(self, adjustment_id: str) -> Adjustment | None:
        """Return an adjustment."""
        ...

    def item(self, transaction: int) -> OpenItem:
        """Return what a transaction earned or took, as payouts pay it."""
        ...

    def agenda(self) -> Iterable[Session]:
        """Return the sessions that are upcoming, live or paused."""
        ...

    def open_items(self) -> list[OpenItem]:
        """Return the items with an open part, by time and transaction."""
        ...

    def ended_sessions(self) -> Iterable[Session]:
        """Return every ended session; asked only while there is no transaction."""
        ...

    def owed_minor(self) -> int:
        """Return the balance of what is owed."""
        ...

    def first_billed_end(self) -> datetime | None:
        """Return when the first billed session ended."""
        ...

    def past(self, source: str, event_id: str) -> RecordedEvent | None:
        """Return a recorded event with what it booked."""
        ...

    def is_reversed(self, seq: int) -> bool:
        """Return True if the event was reversed."""
        ...

    def statements(self, thing: str, kind: str) -> Sequence[Assertion]:
        """Return the events of a type that are about a thing, in journal order."""
        ...

    def transactions_of(self, seq: int) -> Sequence[Transaction]:
        """Return what an event booked."""
        ...

    def left_minor_before(self, session_id: str, seq: int) -> int:
        """Return what of a session's gross was not refunded just before an event, minor units."""
        ...

    def payouts_since(self, since: datetime) -> Sequence[Payout]:
        """Return the payouts sent at or after an instant; asked for new events only."""
        ...


T = TypeVar("T")

Rule = Callable[[Any, Event, RuleContext], Decision]
"""Takes the event's data (of the rule's own class), the event, and the book before it."""


def require(kind: str, thing_id: str, thing: T | None) -> T:
    """Return the thing, or raise `UnknownThing`."""
    if thing is None:
        raise UnknownThing(
            f"there is no {kind} {thing_id}",
            hint=f"`liveportal {LIST_COMMANDS[kind]}` lists what there is."
            if kind in LIST_COMMANDS
            else None,
            kind=kind,
            id=thing_id,
        )
    return thing


LIST_COMMANDS = {
    "request": "requests list",
    "session": "sessions list",
    "claim": "refunds list",
    "payout": "payout list",
}


def next_state(
    moves: Mapping[tuple[str, str], str],
    thing: Request | Session | Claim | Payout,
    event: Event,
    error: type[WrongState] = WrongState,
) -> str:
    """Return the state after the event; whatever pair is not listed is refused (rulebook 6)."""
    if state := moves.get((thing.state, event.data.TYPE)):
        return state
    verb = event.data.TYPE.split(".")[1]
    kind = type(thing).__name__.lower()
    raise error(
        f"{kind} {thing.id} is {thing.state}: it cannot be {verb}",
        hint=_next_steps(moves, thing.state),
        id=thing.id,
        state=thing.state,
    )


def _next_steps(moves: Mapping[tuple[str, str], str], state: str) -> str:
    steps = sorted({kind.split(".")[1] for origin, kind in moves if origin == state})
    return f"From {state} it can be: {', '.join(steps)}." if steps else f"{state} is final."
