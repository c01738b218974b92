"""The things a book knows, as they stand: frozen values that events turn into other values.

They hold no personal text: names, titles and reasons stay in the journal, where they can be erased.
Amounts whose names end in `_minor` are minor units of the session's own currency; times ending in
`_us` are microseconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from liveportal.domain.changing import Value, quick
from liveportal.domain.clock import Pause, shifted
from liveportal.domain.money import Money

if TYPE_CHECKING:
    from liveportal.domain.events.types import Slot  # Forty classes that a read has no use for.


UNDECIDED = frozenset({"open", "disputed"})
"""States of a claim in which its hold is not released or deducted yet."""
RELEASED = frozenset({"denied", "withdrawn", "accepted"})
"""States of a claim that was decided and cost nothing."""


@quick
class Customer(Value):
    """Somebody who asked; `described_seq` is the latest event that tells who they are."""

    id: str
    described_seq: int


@quick
class Request(Value):
    """A customer asks for help. `flags` are the codes of the cautions that were let through."""

    id: str
    kind: str
    direct: bool
    customer: str
    rate: Money
    state: str
    opened_at: datetime
    opened_seq: int
    slots: tuple[Slot, ...] = ()
    expires: datetime | None = None
    session: str | None = None
    closed_at: datetime | None = None
    flags: tuple[str, ...] = ()


@quick
class Session(Value):
    """A session from its agreement on. `policy` is the seq of the policy that it froze.

    `start` and `end` are what really happened; `planned_*` is what was agreed. `expected_minor` is
    the gross by our own reckoning, whatever the platform billed; `billed_minor` is the last bill
    that was given from outside, None where the gross is our own calculation. `earning` is the
    transaction that booked it as it now stands, `claim` the latest claim.
    """

    id: str
    customer: str
    state: str
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
        """The currency of all the session's amounts."""
        return self.rate.currency

    @property
    def share_minor(self) -> int:
        """What the session earned the expert, before refunds."""
        return self.gross_minor - self.fee_minor

    @property
    def left_minor(self) -> int:
        """What of the gross was not refunded."""
        return self.gross_minor - self.refunded_minor

    @property
    def planned_end(self) -> datetime | None:
        """When the session should be over, where that was agreed."""
        if self.planned_start is None or self.planned_minutes is None:
            return None
        return shifted(self.planned_start, timedelta(minutes=self.planned_minutes))


@quick
class SessionCount(Value):
    """What a bill, its reversal or its correction adds to the counts of a month; never changed.

    `start` and `end` are those that were billed; `billed_us` is the billed time in microseconds, by
    the session's own policy. `transaction` is the one that moved the money, None where the session
    was free. A reversal takes away what was added before.
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


@quick
class Claim(Value):
    """A customer wants money back. `hold_minor` is held while it is undecided."""

    id: str
    session: str
    state: str
    amount_minor: int
    hold_minor: int
    claimed_at: datetime
    period: str
    late: bool = False
    disputed_at: datetime | None = None
    decided_at: datetime | None = None
    cost_minor: int = 0


@quick
class DisputeFiling(Value):
    """One filing of a dispute; a claim can be disputed again after a withdrawal."""

    seq: int
    claim: str
    filed_at: datetime
    period: str


@quick
class Adjustment(Value):
    """A bonus (+) or a fee of the platform (-)."""

    id: str
    amount_minor: int
    time: datetime
    seq: int


@quick
class Artifact(Value):
    """A piece of evidence, by its SHA-256."""

    seq: int
    session: str
    kind: str
    sha256: str
    bytes: int
    media_type: str | None


@quick
class Review(Value):
    """What one side thought of a session; the latest of a side stands."""

    session: str
    by: str
    rating: int
    time: datetime
    seq: int


@quick
class OpenItem(Value):
    """Something that payouts pay: a transaction that changed what was earned (rulebook 8).

    Looked up with the item: `held_minor` is what an undecided claim holds of it; `gross_minor` is
    what it counts for in gross (`payout.minimum_counts`), None where that is what it is; `ended`
    and `policy` are those of the session that it is the earning of.
    """

    transaction: int
    time: datetime
    period: str
    face_minor: int
    settled_minor: int = 0
    session: str | None = None
    held_minor: int = 0
    gross_minor: int | None = None
    ended: datetime | None = None
    policy: int | None = None

    @property
    def open_minor(self) -> int:
        """The part that no payout settled and nothing holds: never below 0 for what was earned."""
        left = self.face_minor - self.settled_minor - self.held_minor
        return left if self.face_minor < 0 else max(left, 0)


NOT_LOOKED_UP: dict[str, Any] = {
    "held_minor": 0,
    "gross_minor": None,
    "ended": None,
    "policy": None,
}
"""An item by itself, without the session and the claim that weigh on it."""


@quick
class Line(Value):
    """What of an item a payout pays; negative for what it takes back."""

    item: int
    minor: int


@quick
class Payout(Value):
    """Money that the platform sent."""

    id: str
    amount_minor: int
    method: str
    state: str
    sent_at: datetime
    reference: str | None = None
    lines: tuple[Line, ...] = ()
    flags: tuple[str, ...] = ()


@quick
class Profile(Value):
    """Which fields of the payout profile are filled in; the values lie sealed elsewhere."""

    fields: frozenset[str] = frozenset()

    REQUIRED = frozenset({"name", "email", "method", "address", "tax_form"})

    @property
    def missing(self) -> frozenset[str]:
        """The fields without which nothing is paid out (R12, R14)."""
        return self.REQUIRED - self.fields
