"""What rules see of a book, and what they say of an event.

A rule is a function of an event and a `Books`: it looks things up, and returns a `Change` or raises
a `Refused`. It changes nothing itself; whoever keeps the book does (a ledger, or a test's dicts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from liveportal.domain.errors import Caution, UnknownThing, WrongState
from liveportal.domain.events import Event, PreferencesChanged
from liveportal.domain.policy import Policy
from liveportal.domain.posting import Transaction
from liveportal.domain.things import (
    Adjustment,
    Artifact,
    Claim,
    Customer,
    DisputeFiling,
    Item,
    Payout,
    Profile,
    Request,
    Review,
    Session,
)

Thing = (
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


@dataclass(frozen=True, slots=True)
class Past:
    """An event that was recorded, as far as a reversal has to know it."""

    seq: int
    event: Event
    transactions: tuple[Transaction, ...]
    reversed: bool
    confirms: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What an event does: the things as they stand after it, and what it books.

    `cautions` are what a command is refused for unless it insists; they are never refusals of facts.
    `flags` are the codes of what is only said.
    """

    things: tuple[Thing, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    cautions: tuple[Caution, ...] = ()
    flags: tuple[str, ...] = ()
    policy: Policy | None = None
    alias: tuple[str, str] | None = None
    reverses: int | None = None
    forgets: str | None = None


class Books(Protocol):
    """A book as it stands before the event; `next_transaction` is the number of its next one."""

    @property
    def next_seq(self) -> int: ...
    @property
    def next_transaction(self) -> int: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def policy_seq(self) -> int: ...
    @property
    def preferences(self) -> PreferencesChanged: ...
    @property
    def profile(self) -> Profile: ...
    def policy_at(self, seq: int) -> Policy: ...
    def request(self, request_id: str) -> Request | None: ...
    def session(self, session_id: str) -> Session | None: ...
    def claim(self, claim_id: str) -> Claim | None: ...
    def payout(self, payout_id: str) -> Payout | None: ...
    def adjustment(self, adjustment_id: str) -> Adjustment | None: ...
    def item(self, transaction: int) -> Item: ...
    def customer(self, customer_id: str) -> Customer | None: ...
    def agenda(self) -> Iterable[Session]:
        """Return the sessions that are upcoming, live or paused."""
        ...

    def open_items(self) -> list[Item]:
        """Return the items with an open part, by time and transaction."""
        ...

    def claimable_until(self, instant: datetime) -> bool:
        """Tell whether the refund window of a billed session is still open at an instant."""
        ...

    def ended_sessions(self) -> Iterable[Session]:
        """Return every ended session; asked only while there is no transaction."""
        ...

    def owed_minor(self) -> int: ...
    def first_billed_end(self) -> datetime | None: ...
    def past(self, source: str, event_id: str) -> Past | None: ...


T = TypeVar("T")

Rule = Callable[[Any, Event, Books], Change]
"""Takes the event's data (of the rule's own class), the event, and the book before it."""


def known(kind: str, thing_id: str, thing: T | None) -> T:
    """Return the thing, or raise `UnknownThing`."""
    if thing is None:
        raise UnknownThing(
            f"there is no {kind} {thing_id}",
            hint=f"`liveportal {PLACES.get(kind, kind)}` lists what there is.",
            kind=kind,
            id=thing_id,
        )
    return thing


PLACES = {
    "request": "requests list",
    "session": "sessions list",
    "claim": "refunds list",
    "payout": "payout list",
}


def moved(
    moves: Mapping[tuple[str, str], str],
    kind: str,
    thing_id: str,
    state: str,
    event: Event,
    error: type[WrongState] = WrongState,
) -> str:
    """Return the state after the event; whatever pair is not listed is refused (rulebook 6)."""
    verb = event.data.TYPE.split(".")[1]
    try:
        return moves[state, event.data.TYPE]
    except KeyError:
        raise error(
            f"{kind} {thing_id} is {state}: it cannot be {verb}",
            hint=_next_steps(moves, state),
            id=thing_id,
            state=state,
        ) from None


def _next_steps(moves: Mapping[tuple[str, str], str], state: str) -> str:
    steps = sorted({kind.split(".")[1] for origin, kind in moves if origin == state})
    return f"From {state} it can be: {', '.join(steps)}." if steps else f"{state} is final."
