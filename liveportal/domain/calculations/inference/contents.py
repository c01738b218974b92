"""What each payout pays: the sessions and the other money that became payable since the last one.

A payout pays all that is eligible when it is sent (rulebook 8). So what the payout before it left
out for being not due, and everything since, is divided among the payouts by two switches alone:
the zone that cuts the months, and the month of a session. Amounts follow from the other switches.

A payout that came back is paid with the next one that was sent after it came back.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import NamedTuple

from liveportal.domain.calculations.billing import after_trial, gross_of, shaped
from liveportal.domain.calculations.inference.facts import Facts, PastPayout, PastSession
from liveportal.domain.calculations.payout_plan import counted, due_date
from liveportal.domain.calculations.refund_window import cost_of
from liveportal.domain.clock import FIRST, local_date, month_ends, month_of, months_between
from liveportal.domain.entities import Item, Line, OpenItem
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.money import Money, share_of, take_back
from liveportal.domain.policy import Counts, Policy, SessionMonth

Policies = tuple[Policy, ...]
"""The rules by which sessions are judged: one policy for each of `Facts.policies`."""
BillKey = tuple[int, int, Money]
"""The policy (an index), the time on the timer in microseconds, and the rate of a session."""


@frozen
class Piece:
    """One effect of a session with claims on what is eligible.

    `kind` is `share` (what it earned), `hold` (what a claim holds, or gives free again) or `cost`
    (what a refund takes); `claim` is the number of the claim, and `decided` how many claims on the
    session were decided by then.
    """

    kind: str
    sign: int
    claim: int = 0
    decided: int = 0


@frozen
class Content:
    """What one payout pays, in full: equal contents are paid by equal amounts.

    `bills` and `billed` are sessions without claims, with how many there are of each: those that
    are judged by the rules, and those that the platform billed (policy and gross).
    """

    bills: tuple[tuple[BillKey, int], ...] = ()
    billed: tuple[tuple[tuple[int, int], int], ...] = ()
    claimed: tuple[tuple[PastSession, tuple[Piece, ...]], ...] = ()
    others: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """The number of amounts that must be calculated."""
        return len(self.bills) + len(self.billed) + 5 * len(self.claimed)

    @property
    def has_sessions(self) -> bool:
        """Whether the amount depends on the rules at all."""
        return bool(self.bills or self.billed or self.claimed)

    @property
    def has_costs(self) -> bool:
        """Whether refunds take something back."""
        return any(piece.kind == "cost" for _, pieces in self.claimed for piece in pieces)


@dataclass(slots=True)
class _Draft:
    """A content in the making."""

    bills: Counter[BillKey] = field(default_factory=Counter)
    billed: Counter[tuple[int, int]] = field(default_factory=Counter)
    claimed: list[tuple[PastSession, tuple[Piece, ...]]] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    def finished(self) -> Content:
        return Content(
            tuple(self.bills.items()),
            tuple(self.billed.items()),
            tuple(self.claimed),
            tuple(self.others),
        )


# --- which payout pays what -----------------------------------------------------------------------


def arrived(facts: Facts) -> list[PastPayout]:
    """Return the payouts that neither failed nor were returned, oldest first."""
    return [payout for payout in _ordered(facts) if payout.came_back_at is None]


def _ordered(facts: Facts) -> list[PastPayout]:
    return sorted(facts.payouts, key=lambda payout: (payout.sent_at, payout.id))


def contents(facts: Facts, zone: str, session_month: SessionMonth) -> tuple[Content, ...]:
    """Return what each of the `arrived` payouts pays, if these switches cut the months."""
    return divided(facts, dues(facts, zone, session_month))


def dues(facts: Facts, zone: str, session_month: SessionMonth) -> tuple[int, ...]:
    """Return the first payout (of those sent) that pays each session, and then each other amount.

    What is taken is taken at once; what is earned waits until its month is due.
    """
    calendar = _Calendar(facts, zone)
    by_start = session_month is SessionMonth.START
    return (
        *(
            calendar.pays(session.end, session.start if by_start else session.end)
            for session in facts.sessions
        ),
        *(
            calendar.at(other.time) if other.minor < 0 else calendar.pays(other.time, other.time)
            for other in facts.others
        ),
    )


def divided(facts: Facts, due_at: Sequence[int]) -> tuple[Content, ...]:
    """Return what each of the `arrived` payouts pays, by the `dues`."""
    payouts = _ordered(facts)
    sent, payer = [payout.sent_at for payout in payouts], _payers(payouts)
    drafts: dict[int, _Draft] = defaultdict(_Draft)
    for session, due in zip(facts.sessions, due_at, strict=False):
        if session.claims:
            for payout, pieces in _pieces(session, due, sent, payer).items():
                drafts[payout].claimed.append((session, pieces))
        elif (number := payer[due]) is not None and session.billed_minor is None:
            drafts[number].bills[session.policy, session.active_us, session.rate] += 1
        elif number is not None and session.billed_minor:
            drafts[number].billed[session.policy, session.billed_minor] += 1
    for other, due in zip(facts.others, due_at[len(facts.sessions) :], strict=True):
        if (number := payer[due]) is not None:
            drafts[number].others.append(other.minor)
    return tuple(drafts[number].finished() for number in range(len(arrived(facts))))


def _payers(payouts: Sequence[PastPayout]) -> list[int | None]:
    """Return for each payout sent which of those that arrived paid its content; at the end None."""
    numbers = count()
    found: list[int | None] = [
        next(numbers) if payout.came_back_at is None else None for payout in payouts
    ]
    found.append(None)
    for index in reversed(range(len(payouts))):
        back_at = payouts[index].came_back_at
        if back_at is not None:
            later = range(index + 1, len(payouts))
            found[index] = found[
                next((at for at in later if payouts[at].sent_at >= back_at), len(payouts))
            ]
    return found


class _Calendar:
    """Finds the first payout at which something counts. Days are those of a zone."""

    def __init__(self, facts: Facts, zone: str) -> None:
        payouts = _ordered(facts)
        self._sent = [payout.sent_at for payout in payouts]
        self._policy = facts.adopted
        days = [local_date(payout.sent_at, zone) for payout in payouts]
        times = [
            *(time for session in facts.sessions for time in (session.start, session.end)),
            *(other.time for other in facts.others),
        ]
        months = _months(times, zone)
        self._ends = [month_ends(month, zone) for month in months]
        self._due = [bisect_left(days, due_date(month, self._policy)) for month in months]

    def at(self, time: datetime) -> int:
        """Return the first payout that was sent at a time or later."""
        return bisect_left(self._sent, time)

    def pays(self, time: datetime, counts_at: datetime) -> int:
        """Return the first payout that pays what was earned at a time, in the month of another."""
        return max(self.at(time), self._due[bisect_left(self._ends, counts_at)])


def _months(times: Iterable[datetime], zone: str) -> list[str]:
    first, last = None, None
    for time in times:
        first = time if first is None or time < first else first
        last = time if last is None or time > last else last
    if first is None or last is None:
        return []
    return months_between(month_of(first, zone), month_of(last, zone))


def _pieces(
    session: PastSession, due: int, sent: Sequence[datetime], payer: Sequence[int | None]
) -> dict[int, tuple[Piece, ...]]:
    """Return what a session with claims adds to each payout.

    A claim holds its part of what is due until it is decided; a refund is taken at once, even from
    a session that is not due yet.
    """
    never = len(payer) - 1
    decided_at = [
        never if claim.decided_at is None else bisect_left(sent, claim.decided_at)
        for claim in session.claims
    ]
    effects = [(due, Piece("share", 1, decided=sum(at <= due for at in decided_at)))]
    for number, (claim, decided) in enumerate(zip(session.claims, decided_at, strict=True)):
        held_from = max(bisect_left(sent, claim.claimed_at), due)
        if held_from < decided:
            effects += [
                (held_from, Piece("hold", -1, number, number)),
                (decided, Piece("hold", 1, number, number + 1)),
            ]
        if claim.is_deducted:
            effects.append((decided, Piece("cost", -1, number, number + 1)))
    found: dict[int, list[Piece]] = defaultdict(list)
    for index, piece in effects:
        payout = payer[index]
        if payout is not None:
            found[payout].append(piece)
    return {payout: tuple(pieces) for payout, pieces in found.items()}


# --- how much that is -----------------------------------------------------------------------------


def grosses(content: Content, policies: Policies) -> tuple[int, ...]:
    """Return the bills of a content: sessions without claims, then those with them."""
    terms = [(policy.trial, policy.billing) for policy in policies]
    bills = []
    for (policy, active_us, rate), _ in content.bills:
        trial, billing = terms[policy]
        bills.append(gross_of(rate, shaped(after_trial(active_us, trial), billing)).minor)
    return (*bills, *(bill_of(session, policies) for session, _ in content.claimed))


def bill_of(session: PastSession, policies: Policies) -> int:
    """Return the gross of a session: what the platform billed, else what the rules give."""
    if session.billed_minor is not None:
        return session.billed_minor
    policy = policies[session.policy]
    billed_us = shaped(after_trial(session.active_us, policy.trial), policy.billing)
    return gross_of(session.rate, billed_us).minor


def amount(content: Content, bills: Sequence[int], policies: Policies) -> int:
    """Return what a payout with this content pays, given its bills (`grosses`)."""
    fees = [policy.fee.percent for policy in policies]
    total_minor = sum(content.others)
    for ((policy, _, _), number_of), gross_minor in zip(content.bills, bills, strict=False):
        total_minor += number_of * share_of(gross_minor, fees[policy])
    for (policy, gross_minor), number_of in content.billed:
        total_minor += number_of * share_of(gross_minor, fees[policy])
    claimed_bills = bills[len(content.bills) :]
    for (session, pieces), gross_minor in zip(content.claimed, claimed_bills, strict=True):
        effects = _effects(session, pieces, gross_minor, policies[session.policy])
        total_minor += sum(minor for _, minor in effects)
    return total_minor


def _effects(
    session: PastSession, pieces: Iterable[Piece], gross_minor: int, policy: Policy
) -> Iterator[tuple[Piece, int]]:
    """Yield the pieces of a session with claims, each with its effect on a payout."""
    fee, claims = policy.fee.percent, list(refunds(session, gross_minor))
    for piece in pieces:
        minor, before_minor = claims[piece.claim]
        match piece.kind:
            case "share":
                effect_minor = share_of(gross_minor, fee)
            case "hold":
                effect_minor = take_back(minor, before_minor, fee)
            case _:
                effect_minor = cost_of(minor, before_minor, policy)
        yield piece, piece.sign * effect_minor


def refunds(session: PastSession, gross_minor: int) -> Iterator[tuple[int, int]]:
    """Yield for each claim its amount, and what was refunded before it, under a bill.

    No claim is for more than what is left of the bill.
    """
    refunded_minor = 0
    for claim in session.claims:
        left_minor = gross_minor - refunded_minor
        minor = left_minor if claim.is_whole else min(claim.minor, left_minor)
        yield minor, refunded_minor
        refunded_minor += minor if claim.is_deducted else 0


class GrossPart(NamedTuple):
    """The gross from which a piece is calculated: minor units, and perhaps the whole bill."""

    minor: int
    is_of_bill: bool


def gross_part(session: PastSession, piece: Piece) -> GrossPart:
    """Return the gross of a piece, if no claim is for more than the bill."""
    refunded_minor, is_refunded = 0, False
    for claim in session.claims[: piece.claim]:
        refunded_minor += claim.minor if claim.is_deducted and not claim.is_whole else 0
        is_refunded = is_refunded or (claim.is_deducted and claim.is_whole)
    claim = session.claims[piece.claim]
    if piece.kind == "share":
        minor, is_of_bill = 0, True
    elif is_refunded:
        minor, is_of_bill = 0, False
    elif claim.is_whole:
        minor, is_of_bill = -refunded_minor, True
    else:
        minor, is_of_bill = claim.minor, False
    if is_of_bill and session.billed_minor is not None:
        return GrossPart(minor + session.billed_minor, is_of_bill=False)
    return GrossPart(minor, is_of_bill)


def counted_minor(
    content: Content, bills: Sequence[int], policies: Policies, counts: Counts
) -> int:
    """Return the part of a payout that counts towards the minimum (`payout.minimum_counts`)."""
    items, lines = [], []
    for number, (minor, item) in enumerate(_lines(content, bills, policies)):
        lines.append(Line(number, minor))
        items.append(replace(item, item=replace(item.item, transaction=number)))
    payout = replace(policies[0].payout, minimum_counts=counts)
    return counted(lines, items, replace(policies[0], payout=payout))


def _lines(
    content: Content, bills: Sequence[int], policies: Policies
) -> Iterator[tuple[int, OpenItem]]:
    """Yield what a payout pays of each item, with the item, as `counted` takes them."""
    fees = [policy.fee.percent for policy in policies]
    plain = [
        ((policy, gross_minor), number_of)
        for ((policy, _, _), number_of), gross_minor in zip(content.bills, bills, strict=False)
    ]
    for (policy, gross_minor), number_of in (*plain, *content.billed):
        if share_minor := share_of(gross_minor, fees[policy]):
            yield from [(share_minor, _item(share_minor, gross_minor))] * number_of
    claimed_bills = bills[len(content.bills) :]
    for (session, pieces), gross_minor in zip(content.claimed, claimed_bills, strict=True):
        share_minor = share_of(gross_minor, fees[session.policy])
        refunded = [
            minor if claim.is_deducted else 0
            for claim, (minor, _) in zip(session.claims, refunds(session, gross_minor), strict=True)
        ]
        for piece, minor in _effects(session, pieces, gross_minor, policies[session.policy]):
            if minor and piece.kind == "cost":
                yield minor, _item(minor, 0)
            elif minor:
                yield minor, _item(share_minor, gross_minor - sum(refunded[: piece.decided]))
    yield from ((minor, _item(minor, None)) for minor in content.others)


def _item(face_minor: int, gross_minor: int | None) -> OpenItem:
    return OpenItem(Item(0, FIRST, "", face_minor), gross_minor=gross_minor)
