"""What the rules can query (`RuleContext`), and what they return (`Decision`).

A rule is a function of an event and a `RuleContext`: it looks up entities, and returns a `Decision`
or raises a `Refused`. It changes nothing itself; the ledger applies the decision (in tests, dicts
do).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from liveportal.domain.accounts import Transaction
from liveportal.domain.entities import (
    Adjustment,
    Artifact,
    Claim,
    Customer,
    DisputeFiling,
    Item,
    OpenItem,
    Payout,
    Profile,
    Request,
    Review,
    Session,
    SessionCount,
)
from liveportal.domain.errors import Caution, UnknownEntity, WrongState
from liveportal.domain.events.envelope import Event
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.frozen import frozen
from liveportal.domain.handlers.refusals import cannot, next_step, state_of
from liveportal.domain.hint import Hint
from liveportal.domain.policy import Policy

Entity = (
    Request
    | Session
    | Claim
    | Customer
    | DisputeFiling
    | Adjustment
    | Artifact
    | Review
    | Item
    | Payout
    | Profile
    | PreferencesChanged
)


class Assertion(NamedTuple):
    """An event that asserts a fact about an entity, its source, and the event it confirms."""

    seq: int
    source: str
    confirms: int | None


@frozen
class RecordedEvent:
    """A recorded event, with what a reversal must know about it.

    `confirms` is the event that asserted the same fact first; None if this event did. `reversed` is
    True if that fact was reversed.
    """

    seq: int
    event: Event
    transactions: tuple[Transaction, ...]
    reversed: bool
    confirms: int | None


@frozen
class Decision:
    """The effects of an event: entities in their new state, and transactions.

    `counts` are its changes to the monthly minutes and sessions (`domain.handlers.session_counts`).
    `cautions` are reasons to refuse a command unless it overrides them; a feed's event is recorded
    despite them. `flags` are the codes of conditions that are reported but refuse nothing.
    `alias` and `payout_alias` give a session or a payout another id: the alias, then its id.
    """

    entities: tuple[Entity, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    counts: tuple[SessionCount, ...] = ()
    cautions: tuple[Caution, ...] = ()
    flags: tuple[str, ...] = ()
    policy: Policy | None = None
    alias: tuple[str, str] | None = None
    payout_alias: tuple[str, str] | None = None
    reverses: int | None = None
    forgets: str | None = None


class RuleContext(Protocol):
    """The book before the event. Lookups by id return None if there is no such entity."""

    @property
    def next_seq(self) -> int:
        """The position that the event will have in the journal."""
        ...

    @property
    def next_transaction(self) -> int:
        """The number of the event's first transaction."""
        ...

    @property
    def former_rules(self) -> bool:
        """Whether a replayed event was recorded under the rules of an earlier version."""
        ...

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        ...

    @property
    def policy_seq(self) -> int:
        """The position of the event that adopted the policy in force."""
        ...

    @property
    def preferences(self) -> PreferencesChanged:
        """The expert's preferences, with all changes merged."""
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
        """Return a session, by its id or by an alias."""
        ...

    def claim(self, claim_id: str) -> Claim | None:
        """Return a claim."""
        ...

    def payout(self, payout_id: str) -> Payout | None:
        """Return a payout with its lines, by its id or by an alias."""
        ...

    def adjustment(self, adjustment_id: str) -> Adjustment | None:
        """Return an adjustment."""
        ...

    def item(self, transaction: int) -> Item:
        """Return the item of a transaction."""
        ...

    def agenda(self) -> Iterable[Session]:
        """Return the sessions that are upcoming, live or paused."""
        ...

    def open_items(self) -> list[OpenItem]:
        """Return the items with an unpaid amount, ordered by time and transaction."""
        ...

    def ended_sessions(self) -> Iterable[Session]:
        """Return every ended session; called only while the book has no transaction."""
        ...

    def owed_minor(self) -> int:
        """Return the balance owed to the expert, in minor units."""
        ...

    def first_billed_end(self) -> datetime | None:
        """Return when the first billed session ended."""
        ...

    def recorded_event(self, source: str, event_id: str) -> RecordedEvent | None:
        """Return a recorded event with its transactions."""
        ...

    def is_reversed(self, seq: int) -> bool:
        """Return True if the event was reversed."""
        ...

    def assertions(self, entity: str, kind: str) -> Sequence[Assertion]:
        """Return the events of a type about an entity, in journal order."""
        ...

    def transactions_of(self, seq: int) -> Sequence[Transaction]:
        """Return the transactions of an event."""
        ...

    def left_minor_before(self, session_id: str, seq: int) -> int:
        """Return a session's unrefunded gross just before an event, in minor units."""
        ...

    def statement_payouts(self) -> Sequence[Payout]:
        """Return the payouts that a statement of a bank or payment service reported as sent."""
        ...

    def payouts_since(self, since: datetime) -> Sequence[Payout]:
        """Return the payouts sent at or after an instant; called for new events only."""
        ...


T = TypeVar("T")
State = TypeVar("State", bound=StrEnum)

Rule = Callable[[Any, Event, RuleContext], Decision]
"""Takes the event's data (of the class that the rule handles), the event, and the context."""


def require(kind: str, entity_id: str, entity: T | None) -> T:
    """Return the entity; raises `UnknownEntity` if it is None."""
    if entity is None:
        raise UnknownEntity(
            f"There is no {kind} {entity_id}.",
            hint=None if kind == "customer" else Hint.listing(kind),
            kind=kind,
            id=entity_id,
        )
    return entity


def next_state(
    moves: Mapping[tuple[State, str], State],
    entity: Request | Session | Claim | Payout,
    event: Event,
    error: type[WrongState] = WrongState,
) -> State:
    """Return the state after the event; raises `error` for a move not in `moves` (rulebook 6)."""
    if state := moves.get((cast("State", entity.state), event.data.TYPE)):
        return state
    kind = event.data.TYPE
    is_there = kind != "dispute.withdrawn" and entity.state in {
        state for (_, step), state in moves.items() if step == kind
    }
    raise error(
        f"{state_of(entity, already=True)}." if is_there else cannot(entity, kind),
        hint=next_step(entity),
        id=entity.id,
        state=entity.state,
    )
