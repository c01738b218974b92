"""The facts from which rules are inferred: sessions, claims, other money, and payouts.

None of them depends on a policy, except for what the platform itself billed. A session that was
corrected counts from its end as it was corrected, and an entry that was reversed is left out: both
state what really happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy


@frozen
class PastClaim:
    """A refund claim. `is_whole`: it is for all that was left of the bill, whatever that is.

    An undecided claim has no `decided_at`; `is_deducted` says how it was decided.
    """

    minor: int
    is_whole: bool
    claimed_at: datetime
    decided_at: datetime | None = None
    is_deducted: bool = False


@frozen
class PastSession:
    """An ended session. `billed_minor` is what the platform billed, None if it did not say.

    `policy` is an index of `Facts.policies`.
    """

    start: datetime
    end: datetime
    active_us: int
    rate: Money
    billed_minor: int | None = None
    policy: int = 0
    claims: tuple[PastClaim, ...] = ()


@frozen
class OtherMoney:
    """A tip or a bonus (positive), or a fee of the platform (negative), in minor units."""

    time: datetime
    minor: int


@frozen
class PastPayout:
    """A payout that was sent; `came_back_at` is when it failed or was returned."""

    id: str
    minor: int
    sent_at: datetime
    came_back_at: datetime | None = None


@frozen
class Facts:
    """All facts of a book.

    `adopted` is the policy in force, `policies` are those under which sessions were agreed, and
    `zones` those in which the platform may cut its months.
    """

    adopted: Policy
    policies: tuple[Policy, ...]
    zones: tuple[str, ...]
    sessions: tuple[PastSession, ...] = ()
    others: tuple[OtherMoney, ...] = ()
    payouts: tuple[PastPayout, ...] = ()


def claims_of(gross_minor: int, claims: Iterable[Mapping[str, object]]) -> tuple[PastClaim, ...]:
    """Return the claims on a session, given in order, with which of them are for the whole rest.

    Each has `minor`, `claimed_at`, `decided_at` and `is_deducted`. `gross_minor` is the bill that
    was booked: a claim that equals the rest of the bill follows the bill under other rules.
    """
    left_minor, found = gross_minor, []
    for claim in claims:
        made = PastClaim(**claim, is_whole=claim["minor"] == left_minor)  # type: ignore[arg-type]
        found.append(made)
        left_minor -= made.minor if made.is_deducted else 0
    return tuple(found)
