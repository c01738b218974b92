"""The entities of a book in their current state: immutable values, replaced by events.

They hold no personal text: names, titles and reasons stay in the journal, where they can be erased.
Amounts whose names end in `_minor` are minor units of the session's currency; durations that end in
`_us` are microseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar, dataclass_transform

from liveportal.domain.clock import Pause, shifted
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.money import Money

if TYPE_CHECKING:
    # Forty classes that queries do not need.
    from liveportal.domain.events.types import Evidence, Slot

T = TypeVar("T")


@frozen
class Table:
    """A table: its columns in order, with the type of each as an annotation spells it.

    `key` are the columns of the primary key. `references` are the tables that columns refer to.
    A column of type `Money` holds minor units; the column `currency` comes after it.
    `states` are the values that some columns may have.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    references: Mapping[str, str]
    states: Mapping[str, type[StrEnum]] = field(default_factory=dict)


@dataclass_transform(frozen_default=True)
def entity(
    name: str,
    *,
    key: tuple[str, ...] = ("id",),
    references: Mapping[str, str] | None = None,
    not_stored: tuple[str, ...] = (),
) -> Callable[[type[T]], type[T]]:
    """Declare a class of entities and their table, whose columns are the fields but `not_stored`.

    Columns of the key that are no fields are integers, and come first.
    """

    def declare(kind: type[T]) -> type[T]:
        _DECLARED[kind] = (name, key, references or {}, not_stored)
        return frozen(kind)

    return declare


_DECLARED: dict[type, tuple[str, tuple[str, ...], Mapping[str, str], tuple[str, ...]]] = {}


def table_of(kind: type) -> Table:
    """Return the table of a class of entities."""
    name, key, references, not_stored = _DECLARED[kind]
    types = {field.name: str(field.type) for field in fields(kind)}
    columns = {column: "int" for column in key if column not in types}
    for column, annotation in types.items():
        if column not in not_stored:
            columns[column] = annotation
            if annotation == "Money":
                columns["currency"] = "str"
    named = {column: vars(sys.modules[kind.__module__]).get(types[column]) for column in types}
    states = {
        column: found
        for column, found in named.items()
        if isinstance(found, type) and issubclass(found, StrEnum)
    }
    return Table(name, columns, key, references, states)


class RequestState(StrEnum):
    """The states of a request."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    TAKEN = "taken"
    EXPIRED = "expired"


class SessionState(StrEnum):
    """The states of a session."""

    UPCOMING = "upcoming"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"
    CANCELLED = "cancelled"
    MISSED = "missed"


class ClaimState(StrEnum):
    """The states of a refund claim."""

    OPEN = "open"
    DISPUTED = "disputed"
    CONCEDED = "conceded"
    GRANTED = "granted"
    REJECTED = "rejected"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    ACCEPTED = "accepted"


class PayoutState(StrEnum):
    """The states of a payout."""

    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    REVERSED = "reversed"


UNFINISHED = (SessionState.UPCOMING, SessionState.LIVE, SessionState.PAUSED)
"""The states of a session that is not over yet."""
UNDECIDED = frozenset({ClaimState.OPEN, ClaimState.DISPUTED})
"""The states of a claim whose hold is not released or deducted yet."""
RELEASED = frozenset({ClaimState.DENIED, ClaimState.WITHDRAWN, ClaimState.ACCEPTED})
"""The states of a claim that was decided at no cost to the expert."""


@entity("customer", references={"described_seq": "event"})
class Customer:
    """A customer; `described_seq` is the latest event with their personal data."""

    id: str
    described_seq: int


@entity("request", references={"customer": "customer", "opened_seq": "event"})
class Request:
    """A customer's request for help. `flags` are the codes of the cautions that were overridden."""

    id: str
    kind: str
    direct: bool
    customer: str
    rate: Money
    state: RequestState
    opened_at: datetime
    opened_seq: int
    slots: tuple[Slot, ...] = ()
    expires: datetime | None = None
    session: str | None = None
    closed_at: datetime | None = None
    flags: tuple[str, ...] = ()


@entity(
    "session",
    references={
        "customer": "customer",
        "policy": "policy",
        "agreed_seq": "event",
        "request": "request",
        "earning": "transaction",
    },
)
class Session:
    """A session, from the agreement on.

    `policy` is the seq of the policy that applied when it was agreed. `start` and `end` are actual
    times; `planned_*` is what was agreed. `expected_minor` is the gross by our own calculation,
    even if the platform billed another amount; `billed_minor` is the last bill reported from
    outside, None if the gross is our own calculation. `earning` is the transaction that booked the
    current earning, `claim` the latest claim.
    """

    id: str
    customer: str
    state: SessionState
    rate: Money
    policy: int
    agreed_seq: int
    last_time: datetime
    request: str | None = None
    planned_start: datetime | None = None
    planned_minutes: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    paused_since: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    active_us: int = 0
    billed_us: int = 0
    gross_minor: int = 0
    fee_minor: int = 0
    expected_minor: int = 0
    refunded_minor: int = 0
    earning: int | None = None
    claim: str | None = None
    claim_undecided: bool = False
    period: str | None = None
    flags: tuple[str, ...] = ()
    billed_minor: int | None = None

    @property
    def currency(self) -> str:
        """The currency of all amounts of the session."""
        return self.rate.currency

    @property
    def share_minor(self) -> int:
        """The expert's share of the gross, before refunds."""
        return self.gross_minor - self.fee_minor

    @property
    def left_minor(self) -> int:
        """The part of the gross that was not refunded."""
        return self.gross_minor - self.refunded_minor

    @property
    def planned_end(self) -> datetime | None:
        """The planned end; None without a planned start or length."""
        if self.planned_start is None or self.planned_minutes is None:
            return None
        return shifted(self.planned_start, timedelta(minutes=self.planned_minutes))


@entity(
    "session_count",
    key=("seq", "n"),
    references={"seq": "event", "session": "session", "transaction": "transaction"},
)
class SessionCount:
    """The change that a bill, its reversal or its correction makes to a month's counts.

    Never modified. `start` and `end` are the billed times; `billed_us` is the billed time in
    microseconds, by the session's own policy. `transaction` is the one that moved the money, None
    for a free session. The figures of a reversal are negative.
    """

    session: str
    kind: str
    time: datetime
    period: str
    start: datetime
    end: datetime
    billed_us: int = 0
    sessions: int = 0
    free_sessions: int = 0
    transaction: int | None = None


@entity("claim", references={"session": "session"})
class Claim:
    """A customer's refund claim. `hold_minor` is held while it is undecided."""

    id: str
    session: str
    state: ClaimState
    amount_minor: int
    hold_minor: int
    claimed_at: datetime
    period: str
    late: bool = False
    disputed_at: datetime | None = None
    decided_at: datetime | None = None
    cost_minor: int = 0


@entity("dispute", key=("seq",), references={"seq": "event", "claim": "claim"})
class DisputeFiling:
    """One filing of a dispute; a claim can be disputed again after a withdrawal."""

    seq: int
    claim: str
    filed_at: datetime
    period: str


@entity("adjustment", references={"seq": "event"})
class Adjustment:
    """A bonus (+) or a fee of the platform (-)."""

    id: str
    amount_minor: int
    time: datetime
    seq: int


@entity("artifact", key=("seq",), references={"seq": "event", "session": "session"})
class Artifact:
    """A piece of evidence, by its SHA-256."""

    seq: int
    session: str
    kind: str
    sha256: str
    bytes: int
    media_type: str | None


@entity("review", key=("session", "by"), references={"session": "session", "seq": "event"})
class Review:
    """One side's review of a session; the latest one of each side counts."""

    session: str
    by: str
    rating: int
    time: datetime
    seq: int


@entity("item", key=("transaction",), references={"transaction": "transaction"})
class Item:
    """A transaction whose net amount payouts settle (rulebook 8), in minor units."""

    transaction: int
    time: datetime
    period: str
    face_minor: int
    settled_minor: int = 0
    session: str | None = None

    def settle(self, minor: int) -> Item:
        """Return the item of which a payout settles so much more; a negative amount reopens it."""
        return replace(self, settled_minor=self.settled_minor + minor)


@frozen
class OpenItem:
    """An item that is not fully settled, with what is looked up with it.

    `held_minor` is the part held by an undecided claim; `gross_minor` is the amount that counts in
    gross (`payout.minimum_counts`), None if it is the amount itself; `ended` and `policy` are those
    of the session, if the item is its earning.
    """

    item: Item
    held_minor: int = 0
    gross_minor: int | None = None
    ended: datetime | None = None
    policy: int | None = None

    @property
    def open_minor(self) -> int:
        """The part neither settled nor held; for earnings at least 0."""
        left = self.item.face_minor - self.item.settled_minor - self.held_minor
        return left if self.item.face_minor < 0 else max(left, 0)


@frozen
class Line:
    """The part of an item that a payout pays; negative for what it takes back."""

    item: int
    minor: int


@entity("payout", not_stored=("lines",))
class Payout:
    """Money that the platform sent.

    The fields after `flags` are of its arrival and its return, None until they are reported:
    `fee_minor` was charged for the transfer, `received_minor` was credited in a currency of its
    own, and `debited_minor` left the account when the payout was returned.
    """

    id: str
    amount_minor: int
    method: str
    state: PayoutState
    sent_at: datetime
    reference: str | None = None
    lines: tuple[Line, ...] = ()
    flags: tuple[str, ...] = ()
    arrived_at: datetime | None = None
    fee_minor: int | None = None
    received_minor: int | None = None
    received_currency: str | None = None
    evidence: Evidence | None = None
    debited_minor: int | None = None


@frozen
class Profile:
    """The fields of the payout profile that are filled in; their values are stored elsewhere."""

    fields: frozenset[str] = frozenset()

    REQUIRED = frozenset({"name", "email", "method", "address", "tax_form"})

    @property
    def missing(self) -> frozenset[str]:
        """The required fields that are not filled in: they block payouts (R12, R14)."""
        return self.REQUIRED - self.fields
